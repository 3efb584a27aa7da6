import { useTranslation } from "react-i18next";

import { useNodes } from "../../api/live";
import { DataTable } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { useNodeColumns } from "../overview/NodeList";

export function NodesPage() {
  const { t } = useTranslation();
  const nodes = useNodes();
  const columns = useNodeColumns();
  return (
    <>
      <PageHeader title={t("nav.nodes")} refresh={() => void nodes.refetch()} />
      <DataTable
        label={t("nav.nodes")}
        columns={columns}
        query={nodes}
        rowKey={(row) => row.node}
        empty={t("node.none")}
      />
    </>
  );
}
