// What can be done with one of a chain, whose order counts.
import { IconArrowDown, IconArrowUp, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { IconAction, useConfirm } from "../../components/actions";
import { moved } from "./order";

interface Props {
  id: string;
  /** As people call it. */
  name: string;
  chain: string[];
  onMove: (position: string) => void;
  onRemove: () => void;
}

export function ChainActions({ id, name, chain, onMove, onRemove }: Props) {
  const { t } = useTranslation();
  const confirm = useConfirm();
  const up = moved(chain, id, -1);
  const down = moved(chain, id, 1);
  return (
    <>
      <IconAction
        label={t("chain.up", { id: name })}
        icon={<IconArrowUp size={16} />}
        disabled={!up}
        onClick={() => up && onMove(up)}
      />
      <IconAction
        label={t("chain.down", { id: name })}
        icon={<IconArrowDown size={16} />}
        disabled={!down}
        onClick={() => down && onMove(down)}
      />
      <IconAction
        label={t("chain.remove", { id: name })}
        icon={<IconTrash size={16} />}
        color="red"
        onClick={() =>
          confirm({
            title: t("chain.removeTitle"),
            text: t("chain.removeText", { id: name }),
            button: t("common.delete"),
            run: onRemove,
          })
        }
      />
    </>
  );
}
