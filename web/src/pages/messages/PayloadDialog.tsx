import { Modal } from "@mantine/core";
import { useQuery, type QueryKey } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { Payload } from "../../components/Payload";
import { EmptyState, Loaded } from "../../components/States";
import { bytesOf } from "../../lib/payload";

interface Props {
  title: string;
  opened: boolean;
  onClose: () => void;
  queryKey: QueryKey;
  load: () => Promise<{ payload?: string }>;
}

export function PayloadDialog({ title, opened, onClose, queryKey, load }: Props) {
  const { t } = useTranslation();
  const query = useQuery({ queryKey, queryFn: load, enabled: opened });
  return (
    <Modal opened={opened} onClose={onClose} title={<span className="mono">{title}</span>} size="lg">
      {opened && (
        <Loaded query={query}>
          {({ payload }) =>
            payload === undefined || payload === "PAYLOAD_TOO_LARGE" ? (
              <EmptyState title={t("payload.tooLarge")} />
            ) : (
              <Payload bytes={bytesOf(payload)} />
            )
          }
        </Loaded>
      )}
    </Modal>
  );
}
