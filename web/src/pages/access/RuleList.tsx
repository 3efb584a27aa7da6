import { Button, Group, Paper, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { AccessRule } from "../../api/types";
import { IconAction } from "../../components/actions";
import { SaveError } from "../../form/SaveError";
import { useEditor, type Editable } from "../../form/useEditor";
import { useCanWrite } from "../../session/session";

interface Props extends Editable<AccessRule[]> {
  disabled?: boolean;
}

const kFresh: AccessRule = { topic: "", permission: "allow", action: "all" };

/** Rules in the order in which they are tried: the first that matches decides. */
export function RuleList({ disabled, ...editable }: Props) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const { value: rules, set: setRules, save, saving, error, loadTheirs } = useEditor(editable);
  const change = (at: number, part: Partial<AccessRule>) =>
    setRules(rules.map((rule, i) => (i === at ? { ...rule, ...part } : rule)));
  const raise = (at: number) => {
    const next = [...rules];
    const [rule] = next.splice(at, 1);
    if (rule) next.splice(at - 1, 0, rule);
    setRules(next);
  };
  const complete = rules.every(({ topic }) => topic !== "");
  return (
    <Stack gap="xs">
      {rules.length === 0 && <Text c="dimmed">{t("authz.noRules")}</Text>}
      {rules.map((rule, i) => (
        <Paper key={i} withBorder p="xs">
          <Group align="flex-end" gap="xs" role="group" aria-label={t("authz.ruleNumber", { number: i + 1 })}>
            <Select
              size="xs"
              w={110}
              label={t("authz.permission")}
              disabled={!canWrite}
              allowDeselect={false}
              data={(["allow", "deny"] as const).map((value) => ({ value, label: t(`authz.${value}`) }))}
              value={rule.permission}
              onChange={(value) => change(i, { permission: value as AccessRule["permission"] })}
            />
            <Select
              size="xs"
              w={150}
              label={t("authz.action")}
              disabled={!canWrite}
              allowDeselect={false}
              data={(["publish", "subscribe", "all"] as const).map((value) => ({ value, label: t(`authz.${value}`) }))}
              value={rule.action}
              onChange={(value) => change(i, { action: value as AccessRule["action"] })}
            />
            <TextInput
              size="xs"
              style={{ flex: "1 1 180px" }}
              label={t("subscriptions.topic")}
              disabled={!canWrite}
              value={rule.topic}
              onChange={(event) => change(i, { topic: event.currentTarget.value })}
            />
            {canWrite && (
              <>
                <IconAction
                  label={t("authz.raise", { number: i + 1 })}
                  icon={<IconArrowUp size={16} />}
                  disabled={i === 0}
                  onClick={() => raise(i)}
                />
                <IconAction
                  label={t("authz.removeRule", { number: i + 1 })}
                  icon={<IconTrash size={16} />}
                  color="red"
                  onClick={() => setRules(rules.filter((_rule, at) => at !== i))}
                />
              </>
            )}
          </Group>
        </Paper>
      ))}
      <SaveError error={error} loadTheirs={loadTheirs} />
      {canWrite && (
        <Group justify="space-between">
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => setRules([...rules, kFresh])}>
            {t("authz.addRule")}
          </Button>
          <Button loading={saving} disabled={disabled || !complete} onClick={save}>
            {t("common.save")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
