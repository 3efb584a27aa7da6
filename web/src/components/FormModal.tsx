// A form in a dialog: sends, stays open on a refusal and says why at the field or above the buttons.
import { Alert, Button, Group, Modal, Stack } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, describeComplaint } from "../api/errors";
import { changedMeanwhile } from "../api/stored";
import { tellFailure } from "./actions";
import { ChangedMeanwhile } from "./ChangedMeanwhile";

interface Props<V extends Record<string, unknown>> {
  title: string;
  opened: boolean;
  onClose: () => void;
  form: UseFormReturnType<V>;
  submit: (values: V) => Promise<unknown>;
  onDone: (answer: unknown) => void;
  /** Takes what somebody else has saved meanwhile; where `submit` may be refused for it. */
  loadTheirs?: () => Promise<void>;
  button?: string;
  size?: string;
  children: ReactNode;
}

/** Puts what the server complained about to the fields that the form has; the rest is told as a whole. */
export function showComplaints<V extends Record<string, unknown>>(form: UseFormReturnType<V>, error: unknown) {
  if (!(error instanceof ApiError)) return;
  const known = Object.keys(form.getValues());
  for (const complaint of error.complaints) {
    const field = complaint.path.replace(/^root\./, "");
    if (known.includes(field)) form.setFieldError(field, describeComplaint({ ...complaint, path: "" }));
  }
}

export function FormModal<V extends Record<string, unknown>>(props: Props<V>) {
  const { title, opened, onClose, form, submit, onDone, loadTheirs, button, size, children } = props;
  const { t } = useTranslation();
  const sending = useMutation({
    mutationFn: submit,
    onSuccess: (answer) => {
      onDone(answer);
      close();
    },
    onError: (error) => showComplaints(form, error),
  });
  const loading = useMutation({
    mutationFn: (load: () => Promise<void>) => load(),
    onSuccess: sending.reset,
    onError: (error) => tellFailure(t("error.notDone"), error),
  });
  const close = () => {
    sending.reset();
    form.reset();
    onClose();
  };
  const refusedFor = changedMeanwhile(sending.error) ? loadTheirs : undefined;
  return (
    <Modal opened={opened} onClose={close} title={title} size={size}>
      <form onSubmit={form.onSubmit((values) => sending.mutate(values))} noValidate>
        <Stack>
          {children}
          {refusedFor && <ChangedMeanwhile onLoad={() => loading.mutate(refusedFor)} />}
          {sending.error && !refusedFor && (
            <Alert color="red" variant="light" role="alert">
              {sending.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={sending.isPending}>
              {button ?? t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
