// Lists that come in pages. The page is part of the address.
import { ActionIcon, Group, Select, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useQuery, type QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import type { Page } from "../api/types";
import { formatCount } from "../lib/numbers";

export interface Paged<T> {
  data: T[] | undefined;
  meta: Page<T>["meta"] | undefined;
  error: unknown;
  refetch: () => unknown;
  page: number;
  setPage: (page: number) => void;
  limit: number;
  setLimit: (limit: number) => void;
}

/** `fetchPage` is asked with page and limit; everything else it depends on is in `key`. */
export function usePaged<T>(
  key: QueryKey,
  fetchPage: (paging: { page: number; limit: number }) => Promise<Page<T>>,
  options: { refetchInterval?: number; enabled?: boolean } = {},
): Paged<T> {
  const [search, setSearch] = useSearchParams();
  const [limit, setLimit] = useState(20);
  const page = Math.max(1, Number.parseInt(search.get("page") ?? "1", 10) || 1);
  const query = useQuery({
    queryKey: [...key, page, limit],
    queryFn: () => fetchPage({ page, limit }),
    placeholderData: (before) => before,
    ...options,
  });
  const setPage = (next: number) => {
    const changed = new URLSearchParams(search);
    if (next > 1) changed.set("page", String(next));
    else changed.delete("page");
    setSearch(changed, { replace: true });
  };
  return {
    data: query.data?.data,
    meta: query.data?.meta,
    error: query.error,
    refetch: query.refetch,
    page,
    setPage,
    limit,
    setLimit: (next) => {
      setLimit(next);
      setPage(1);
    },
  };
}

/** Lists with a fuzzy filter have no total: then only whether there is a next page is known. */
export function hasNext<T>({ meta, page, limit, data }: Pick<Paged<T>, "meta" | "page" | "limit" | "data">): boolean {
  if (meta?.hasnext !== undefined) return meta.hasnext;
  if (meta?.count !== undefined) return page * limit < meta.count;
  return (data?.length ?? 0) === limit;
}

/** How many there are in all, where the server said: some lists only count what they have shown so far. */
export function totalOf({ meta, page, limit }: Pick<Paged<unknown>, "meta" | "page" | "limit">): number | undefined {
  if (meta?.count === undefined || (meta.hasnext === true && meta.count <= page * limit)) return undefined;
  return meta.count;
}

export function PageControl<T>({ list }: { list: Paged<T> }) {
  const { t } = useTranslation();
  const next = hasNext(list);
  const total = totalOf(list);
  if (!list.data || (list.page === 1 && !next && list.limit === 20)) return null;
  return (
    <Group justify="flex-end" gap="xs" mt="sm" role="navigation" aria-label={t("table.pages")}>
      {total !== undefined && (
        <Text size="sm" c="dimmed">
          {t("table.total", { total: formatCount(total) })}
        </Text>
      )}
      <Select
        size="xs"
        w={84}
        aria-label={t("table.perPage")}
        data={["20", "50", "100", "500"]}
        value={String(list.limit)}
        allowDeselect={false}
        onChange={(value) => list.setLimit(Number(value))}
      />
      <ActionIcon
        variant="default"
        aria-label={t("table.previous")}
        disabled={list.page <= 1}
        onClick={() => list.setPage(list.page - 1)}
      >
        <IconChevronLeft size={16} />
      </ActionIcon>
      <Text size="sm" aria-current="page">
        {list.page}
      </Text>
      <ActionIcon
        variant="default"
        aria-label={t("table.next")}
        disabled={!next}
        onClick={() => list.setPage(list.page + 1)}
      >
        <IconChevronRight size={16} />
      </ActionIcon>
    </Group>
  );
}
