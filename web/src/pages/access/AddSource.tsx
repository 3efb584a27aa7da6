import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { AddToChain } from "./AddToChain";
import { settingsOf, sourceName } from "./chain";
import { SourceInput } from "./SourceInput";

interface Props {
  opened: boolean;
  onClose: () => void;
  used: string[];
}

export function AddSource(props: Props) {
  const { t } = useTranslation();
  return (
    <AddToChain
      {...props}
      title={t("authz.add")}
      label={t("authz.source")}
      kinds={({ authorization = [] }) =>
        authorization.map(({ name, fields }) => ({ id: name, label: sourceName(t, name), fields: settingsOf(fields) }))
      }
      send={(type, settings) => take(api.POST("/api/v5/authorization/sources", { body: { type, ...settings } as never }))}
      done={t("authz.added")}
      renews="authorization"
      render={(type, form) => <SourceInput type={type} form={form} />}
    />
  );
}
