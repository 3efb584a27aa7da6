import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { AddToChain } from "./AddToChain";
import { mechanismName, partsOf, settingsOf } from "./chain";

interface Props {
  opened: boolean;
  onClose: () => void;
  used: string[];
}

export function AddAuthenticator(props: Props) {
  const { t } = useTranslation();
  return (
    <AddToChain
      {...props}
      title={t("authn.add")}
      label={t("authn.mechanism")}
      kinds={({ authentication = [] }) =>
        authentication.map(({ name, fields }) => ({ id: name, label: mechanismName(t, name), fields: settingsOf(fields) }))
      }
      send={(id, settings) => take(api.POST("/api/v5/authentication", { body: { ...partsOf(id), ...settings } as never }))}
      done={t("authn.added")}
      renews="authentication"
    />
  );
}
