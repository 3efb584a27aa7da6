// A map of texts, such as headers: a name and a value a line.
import { ActionIcon, Button, Group, Input, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useField } from "./SchemaForm";
import { isTree, textOf, type Field } from "./schema";
import { useDraft } from "./useDraft";
import { useFieldTexts } from "./useFieldTexts";

type Pair = [name: string, value: string];

export function PairsInput({ field, path }: { field: Field; path: string[] }) {
  const { t } = useTranslation();
  const { value, set, readOnly } = useField(path);
  const { label, help } = useFieldTexts();
  // Names are typed letter by letter: a half-typed one that equals another must not swallow it.
  const { draft: pairs, type } = useDraft(value, set, (now): Pair[] =>
    Object.entries(isTree(now) ? now : {}).map(([name, one]) => [name, textOf(one)]),
  );
  const change = (next: Pair[]) => type(next, { value: Object.fromEntries(next.filter(([name]) => name !== "")) });
  const put = (at: number, pair: Pair) => change(pairs.map((old, i) => (i === at ? pair : old)));
  return (
    <Input.Wrapper label={label(field)} description={help(field)} labelElement="div">
      <Stack gap={6} mt={4} role="group" aria-label={label(field)}>
        {pairs.map(([name, text], i) => (
          <Group key={i} gap="xs" wrap="nowrap">
            <TextInput
              style={{ flex: 1 }}
              aria-label={t("form.pairName", { number: i + 1 })}
              disabled={readOnly}
              value={name}
              onChange={(event) => put(i, [event.currentTarget.value, text])}
            />
            <TextInput
              style={{ flex: 2 }}
              aria-label={t("form.pairValue", { number: i + 1 })}
              disabled={readOnly}
              value={text}
              onChange={(event) => put(i, [name, event.currentTarget.value])}
            />
            {!readOnly && (
              <ActionIcon
                variant="subtle"
                color="red"
                aria-label={t("form.remove", { entry: name })}
                onClick={() => change(pairs.filter((_pair, at) => at !== i))}
              >
                <IconTrash size={16} />
              </ActionIcon>
            )}
          </Group>
        ))}
        {!readOnly && (
          <Button w="fit-content" size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => type([...pairs, ["", ""]])}>
            {t("form.addEntry")}
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  );
}
