import { Alert, Button, Group, Modal, Select, Stack } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { useChange } from "../../components/actions";
import { Loaded } from "../../components/States";
import { SchemaForm } from "../../form/SchemaForm";
import { faultsOf, type Tree } from "../../form/schema";
import { useHotConf } from "../../form/useHotConf";

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Ids that the chain holds: each at most once. */
  used: string[];
}

/** "password_based:http" -> its two parts, as the API wants them */
export function partsOf(id: string): { mechanism: string; backend?: string } {
  const [mechanism = "", backend] = id.split(":");
  return backend ? { mechanism, backend } : { mechanism };
}

/** mechanism and backend are chosen, not typed. */
export const settingsOf = <F extends { name: string }>(fields: F[]): F[] =>
  fields.filter(({ name }) => name !== "mechanism" && name !== "backend");

export function AddAuthenticator({ opened, onClose, used }: Props) {
  const { t } = useTranslation();
  const schema = useHotConf();
  const [id, setId] = useState<string | null>(null);
  const [tree, setTree] = useState<Tree>({});
  const [tried, setTried] = useState(false);
  const close = () => {
    setId(null);
    setTree({});
    setTried(false);
    create.reset();
    onClose();
  };
  const create = useChange<Tree>({
    run: (body) => take(api.POST("/api/v5/authentication", { body: body as never })),
    done: t("authn.added"),
    renews: [["authentication"]],
    after: close,
  });
  return (
    <Modal opened={opened} onClose={close} title={t("authn.add")} size="lg">
      <Loaded query={schema}>
        {({ authentication = [] }) => {
          const fields = settingsOf(authentication.find(({ name }) => name === id)?.fields ?? []);
          const faults = faultsOf(fields, tree);
          return (
            <form
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                setTried(true);
                if (id && Object.keys(faults).length === 0) create.mutate({ ...partsOf(id), ...tree });
              }}
            >
              <Stack>
                <Select
                  label={t("authn.mechanism")}
                  data-autofocus
                  data={authentication.map(({ name }) => ({
                    value: name,
                    label: t(`mechanism.${name.replace(":", "_")}`, { defaultValue: name }),
                    disabled: used.includes(name),
                  }))}
                  value={id}
                  onChange={(next) => {
                    setId(next);
                    setTree({});
                    setTried(false);
                  }}
                />
                {id && <SchemaForm key={id} fields={fields} tree={tree} onChange={setTree} faults={tried ? faults : {}} />}
                {create.error instanceof Error && (
                  <Alert color="red" variant="light" role="alert">
                    {create.error.message}
                  </Alert>
                )}
                <Group justify="flex-end">
                  <Button variant="default" onClick={close}>
                    {t("common.cancel")}
                  </Button>
                  <Button type="submit" disabled={!id} loading={create.isPending}>
                    {t("common.add")}
                  </Button>
                </Group>
              </Stack>
            </form>
          );
        }}
      </Loaded>
    </Modal>
  );
}
