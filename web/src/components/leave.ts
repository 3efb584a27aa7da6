import { useTranslation } from "react-i18next";

import { hasUnsaved } from "../state/unsaved";
import { useConfirm } from "./actions";

/** Does what would throw away a form; asks first if something in it is not saved. */
export function useLeave() {
  const { t } = useTranslation();
  const confirm = useConfirm();
  return (run: () => void, dismissed?: () => void) => {
    if (!hasUnsaved()) return run();
    confirm({ title: t("leave.title"), text: t("leave.text"), button: t("leave.button"), run, dismissed });
  };
}
