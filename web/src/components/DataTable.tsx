// The one table: sorts what it shows, says when there is nothing or no answer, and lets rows be chosen.
import { Box, Checkbox, Group, Paper, Table, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconSelector } from "@tabler/icons-react";
import {
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type Header,
  type RowSelectionState,
  type SortingState,
} from "@tanstack/react-table";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState, ErrorState, Loading } from "./States";

// react-table's columns of one table differ in the type of their values.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Column<T> = ColumnDef<T, any>;

interface Props<T> {
  label: string;
  columns: Column<T>[];
  query: { data: T[] | undefined; error: unknown; refetch: () => unknown };
  rowKey: (row: T) => string;
  empty: string;
  emptyAction?: ReactNode;
  /** With: rows can be chosen. */
  selection?: { chosen: string[]; onChange: (keys: string[]) => void };
}

function SortIcon({ direction }: { direction: false | "asc" | "desc" }) {
  if (direction === "asc") return <IconArrowUp size={14} aria-hidden />;
  if (direction === "desc") return <IconArrowDown size={14} aria-hidden />;
  return <IconSelector size={14} opacity={0.35} aria-hidden />;
}

function HeaderCell<T>({ header }: { header: Header<T, unknown> }) {
  const sorted = header.column.getIsSorted();
  const content = flexRender(header.column.columnDef.header, header.getContext());
  const order = sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : undefined;
  return (
    <Table.Th aria-sort={order} style={{ whiteSpace: "nowrap" }}>
      {header.column.getCanSort() ? (
        <UnstyledButton onClick={header.column.getToggleSortingHandler()} fz="sm" fw={600}>
          <Group gap={4} wrap="nowrap">
            {content}
            <SortIcon direction={sorted} />
          </Group>
        </UnstyledButton>
      ) : (
        content
      )}
    </Table.Th>
  );
}

function choiceColumn<T>(all: string, one: (key: string) => string): Column<T> {
  return {
    id: "choice",
    enableSorting: false,
    header: ({ table }) => (
      <Checkbox
        size="xs"
        aria-label={all}
        checked={table.getIsAllRowsSelected()}
        indeterminate={table.getIsSomeRowsSelected()}
        onChange={table.getToggleAllRowsSelectedHandler()}
      />
    ),
    cell: ({ row }) => (
      <Checkbox
        size="xs"
        aria-label={one(row.id)}
        checked={row.getIsSelected()}
        onChange={row.getToggleSelectedHandler()}
      />
    ),
  };
}

const none: never[] = [];

/** Narrower than this for each column on average, a table scrolls. */
const kColumnWidth = 104;

export function DataTable<T>({ label, columns, query, rowKey, empty, emptyAction, selection }: Props<T>) {
  const { t } = useTranslation();
  const [sorting, setSorting] = useState<SortingState>([]);
  const rowSelection: RowSelectionState = Object.fromEntries((selection?.chosen ?? []).map((key) => [key, true]));
  const table = useReactTable({
    data: query.data ?? (none as T[]),
    columns: selection ? [choiceColumn<T>(t("table.all"), (key) => t("table.choose", { key })), ...columns] : columns,
    getRowId: rowKey,
    state: { sorting, rowSelection },
    onSortingChange: setSorting,
    onRowSelectionChange: (change) => {
      const next = typeof change === "function" ? change(rowSelection) : change;
      selection?.onChange(Object.keys(next).filter((key) => next[key]));
    },
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });

  if (query.data === undefined) {
    return query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  }
  if (query.data.length === 0) {
    return (
      <Paper withBorder>
        <EmptyState title={empty} action={emptyAction} />
      </Paper>
    );
  }
  return (
    <Paper withBorder>
      <Table.ScrollContainer minWidth={columns.length * kColumnWidth} scrollAreaProps={{ offsetScrollbars: false }}>
        <Table aria-label={label} highlightOnHover verticalSpacing={7} horizontalSpacing="sm" fz="sm">
          <Table.Thead>
            {table.getHeaderGroups().map((group) => (
              <Table.Tr key={group.id}>
                {group.headers.map((header) => (
                  <HeaderCell key={header.id} header={header} />
                ))}
              </Table.Tr>
            ))}
          </Table.Thead>
          <Table.Tbody>
            {table.getRowModel().rows.map((row) => (
              <Table.Tr key={row.id} data-row={row.id}>
                {row.getVisibleCells().map((cell) => (
                  <Table.Td key={cell.id}>
                    <Box maw={420} miw={cell.column.id === "choice" || cell.column.id === "actions" ? undefined : 56}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</Box>
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}
