import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useChange, useConfirm } from "./actions";

const texts = {
  alarms: { button: "alarms.clear", title: "alarms.clearTitle", text: "alarms.clearText", done: "alarms.cleared" },
  banned: { button: "banned.clear", title: "banned.clearTitle", text: "banned.clearText", done: "banned.cleared" },
  retained: {
    button: "retained.clear",
    title: "retained.clearTitle",
    text: "retained.clearText",
    done: "retained.cleared",
  },
} as const;

interface Props {
  /// Whose texts are shown; also the query that is read again.
  of: keyof typeof texts;
  run: () => Promise<unknown>;
}

/// Deletes all that a page lists, once that is confirmed.
export function ClearAll({ of, run }: Props) {
  const { t } = useTranslation();
  const confirm = useConfirm();
  const { button, title, text, done } = texts[of];
  const clear = useChange({ run, done: t(done), renews: [[of]] });
  return (
    <Button
      variant="light"
      color="red"
      onClick={() =>
        confirm({
          title: t(title),
          text: t(text),
          button: t(button),
          run: () => clear.mutate(),
        })
      }
    >
      {t(button)}
    </Button>
  );
}
