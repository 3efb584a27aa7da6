// Search fields above a list. They live in the address, so that a filtered list can be kept and sent.
import { Button, Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import { instantOf } from "../lib/time";

export interface Filter {
  key: string;
  label: string;
  /** With: one of these. */
  options?: { value: string; label: string }[];
  width?: number;
  /** "datetime-local" gives a time of the zone that was chosen under Settings. */
  type?: "text" | "datetime-local";
}

export function useFilterValues(filters: Filter[]): Record<string, string> {
  const [search] = useSearchParams();
  const values: Record<string, string> = {};
  for (const { key } of filters) {
    const value = search.get(key);
    if (value) values[key] = value;
  }
  return values;
}

/** What the API takes of them: the fields give times of the chosen zone, the API wants RFC 3339. */
export function queryOf(filters: Filter[], values: Record<string, string>, timeZone: string): Record<string, string> {
  const out = { ...values };
  for (const { key, type } of filters) {
    const text = out[key];
    if (type !== "datetime-local" || text === undefined) continue;
    const instant = instantOf(text, timeZone);
    if (instant) out[key] = instant;
    else delete out[key];
  }
  return out;
}

function FilterText({ filter, value, onChange }: { filter: Filter; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const tell = useDebouncedCallback(onChange, 350);
  return (
    <TextInput
      size="xs"
      w={{ base: "calc(50% - 6px)", xs: filter.width ?? 170 }}
      type={filter.type ?? "text"}
      label={filter.label}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
    />
  );
}

export function Filters({ filters }: { filters: Filter[] }) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const change = (key: string, value: string | null) => {
    const next = new URLSearchParams(search);
    if (value) next.set(key, value);
    else next.delete(key);
    next.delete("page");
    setSearch(next, { replace: true });
  };
  const used = filters.some(({ key }) => search.has(key));
  return (
    <Group gap="sm" mb="md" align="flex-end" role="search">
      {filters.map((filter) =>
        filter.options ? (
          <Select
            key={filter.key}
            size="xs"
            w={{ base: "calc(50% - 6px)", xs: filter.width ?? 140 }}
            label={filter.label}
            placeholder={t("filter.any")}
            clearable
            data={filter.options}
            value={search.get(filter.key)}
            onChange={(value) => change(filter.key, value)}
          />
        ) : (
          <FilterText
            key={filter.key}
            filter={filter}
            value={search.get(filter.key) ?? ""}
            onChange={(value) => change(filter.key, value)}
          />
        ),
      )}
      {used && (
        <Button size="xs" variant="subtle" onClick={() => setSearch(new URLSearchParams(), { replace: true })}>
          {t("filter.clear")}
        </Button>
      )}
    </Group>
  );
}
