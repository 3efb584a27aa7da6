import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";

export function ConnectionBadge({ connected }: { connected: boolean }) {
  const { t } = useTranslation();
  return (
    <Badge color={connected ? "green" : "gray"} variant="light">
      {t(connected ? "clients.connected" : "clients.offline")}
    </Badge>
  );
}
