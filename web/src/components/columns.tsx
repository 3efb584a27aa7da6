// Shapes of columns that many tables share.
import { Anchor, Group, Text, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { Column } from "./DataTable";
import { Time } from "./Time";

type Keyed = object;
const read = <T extends Keyed>(row: T, key: keyof T & string): unknown => row[key];

/** A text, or a dash where there is none. */
export const dashed = (value: string): ReactNode =>
  value === "" ? (
    <Text c="dimmed" span inherit>
      –
    </Text>
  ) : (
    <span className="breakable">{value}</span>
  );

/** accessorFn, not accessorKey: keys hold dots. */
export function textColumn<T extends Keyed>(key: keyof T & string, header: string): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => read(row, key) ?? "",
    cell: (cell) => dashed(String(cell.getValue())),
  };
}

export function monoColumn<T extends Keyed>(key: keyof T & string, header: string): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => read(row, key) ?? "",
    cell: (cell) => <span className="mono">{String(cell.getValue())}</span>,
  };
}

export function linkColumn<T extends Keyed>(
  key: keyof T & string,
  header: string,
  to: (row: T) => string,
  /** What people call it; without, the value as it is written elsewhere. */
  name?: (row: T) => string,
): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => (name ? name(row) : read(row, key) ?? ""),
    cell: (cell) => (
      <Anchor component={Link} to={to(cell.row.original)} inherit fw={500} className={name ? undefined : "mono"}>
        {String(cell.getValue())}
      </Anchor>
    ),
  };
}

function Flag({ on }: { on: boolean }) {
  const { t } = useTranslation();
  return <>{on ? t("common.yes") : dashed("")}</>;
}

/** 0 and 1 as words; a dash is easier to look past than a row of noes. */
export function flagColumn<T extends Keyed>(key: keyof T & string, header: string): Column<T> {
  return { id: key, header, accessorFn: (row) => read(row, key), cell: (cell) => <Flag on={Boolean(cell.getValue())} /> };
}

export function timeColumn<T extends Keyed>(key: keyof T & string, header: string): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => read(row, key) ?? "",
    cell: (cell) => <Time value={cell.getValue() as string | number} />,
  };
}

function ActionsHeader() {
  const { t } = useTranslation();
  return <VisuallyHidden>{t("table.actions")}</VisuallyHidden>;
}

export function actionsColumn<T>(render: (row: T) => ReactNode): Column<T> {
  return {
    id: "actions",
    header: () => <ActionsHeader />,
    enableSorting: false,
    cell: (cell) => (
      <Group gap={4} justify="flex-end" wrap="nowrap">
        {render(cell.row.original)}
      </Group>
    ),
  };
}
