import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useChange, useConfirm } from "./actions";

interface Props {
  /// Whose texts are shown; also the query that is read again.
  of: "alarms" | "banned" | "retained";
  run: () => Promise<unknown>;
}

/// Deletes all that a page lists, once that is confirmed.
export function ClearAll({ of, run }: Props) {
  const { t } = useTranslation();
  const confirm = useConfirm();
  const clear = useChange({ run, done: t(`${of}.cleared`), renews: [[of]] });
  return (
    <Button
      variant="light"
      color="red"
      onClick={() =>
        confirm({
          title: t(`${of}.clearTitle`),
          text: t(`${of}.clearText`),
          button: t(`${of}.clear`),
          run: () => clear.mutate(),
        })
      }
    >
      {t(`${of}.clear`)}
    </Button>
  );
}
