// Changes: each asks first if it destroys something, tells how it went, and renews what is shown.
import { ActionIcon, Text, Tooltip } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../api/errors";

export function tellFailure(title: string, error: unknown) {
  notifications.show({ color: "red", title, message: error instanceof Error ? error.message : String(error), autoClose: 8000 });
}

interface Change<V> {
  run: (value: V) => Promise<unknown>;
  /** Text of success; none: silent. */
  done?: string;
  /** Queries that this change makes old. */
  renews: QueryKey[];
  after?: (value: V) => void;
}

export function useChange<V = void>({ run, done, renews, after }: Change<V>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation<unknown, unknown, V>({
    mutationFn: run,
    onSuccess: (_answer, value) => {
      if (done) notifications.show({ color: "green", message: done });
      after?.(value);
    },
    onError: (error) => {
      // The log-in page says what happened to the session.
      if (error instanceof ApiError && error.status === 401) return;
      tellFailure(t("error.notDone"), error);
    },
    onSettled: () => Promise.all(renews.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

interface Question {
  title: string;
  text: ReactNode;
  button: string;
  run: () => void;
  /** Where a "no" has to be told. */
  dismissed?: () => void;
}

export function useConfirm() {
  const { t } = useTranslation();
  return ({ title, text, button, run, dismissed }: Question) => {
    let confirmed = false;
    modals.openConfirmModal({
      title,
      children: <Text size="sm">{text}</Text>,
      labels: { confirm: button, cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => {
        confirmed = true;
        run();
      },
      // However it closes: by the button, by Escape, by a click beside it.
      onClose: () => {
        if (!confirmed) dismissed?.();
      },
    });
  };
}

interface IconActionProps {
  label: string;
  icon: ReactNode;
  onClick: () => void;
  color?: string;
  disabled?: boolean;
}

export function IconAction({ label, icon, onClick, color = "gray", disabled }: IconActionProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color={color} aria-label={label} onClick={onClick} disabled={disabled}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
