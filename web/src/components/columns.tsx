// Shapes of columns that many tables share.
import { Anchor, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router-dom";

import type { Column } from "./DataTable";
import { Time } from "./Time";

type Keyed = object;
const read = <T extends Keyed>(row: T, key: keyof T & string): unknown => row[key];

/** accessorFn, not accessorKey: keys hold dots. */
export function textColumn<T extends Keyed>(key: keyof T & string, header: string): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => read(row, key) ?? "",
    cell: (cell) => {
      const value = String(cell.getValue());
      return value === "" ? <Text c="dimmed" span>–</Text> : <span style={{ overflowWrap: "anywhere" }}>{value}</span>;
    },
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
): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => read(row, key) ?? "",
    cell: (cell) => (
      <Anchor component={Link} to={to(cell.row.original)} inherit className="mono">
        {String(cell.getValue())}
      </Anchor>
    ),
  };
}

export function timeColumn<T extends Keyed>(key: keyof T & string, header: string): Column<T> {
  return {
    id: key,
    header,
    accessorFn: (row) => read(row, key) ?? "",
    cell: (cell) => <Time value={cell.getValue() as string | number} />,
  };
}

export function actionsColumn<T>(render: (row: T) => ReactNode): Column<T> {
  return {
    id: "actions",
    header: "",
    enableSorting: false,
    cell: (cell) => (
      <Group gap={4} justify="flex-end" wrap="nowrap">
        {render(cell.row.original)}
      </Group>
    ),
  };
}
