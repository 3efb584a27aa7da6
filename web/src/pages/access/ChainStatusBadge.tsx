import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";

export function ChainStatusBadge({ status }: { status: string | undefined }) {
  const { t } = useTranslation();
  if (!status) return <span>–</span>;
  const color = status === "connected" ? "green" : status === "connecting" ? "yellow" : "red";
  return (
    <Badge variant="light" color={color}>
      {t(`chain.${status}`, { defaultValue: status })}
    </Badge>
  );
}
