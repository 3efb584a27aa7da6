import { Alert, Anchor, Badge, Code, Modal, ScrollArea, Stack } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { api, take } from "../../api/client";
import { ApiError } from "../../api/errors";
import type { AuditRecord, Page } from "../../api/types";
import { IconAction } from "../../components/actions";
import { actionsColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { Facts } from "../../components/Facts";
import { Filters, queryOf, useFilterValues, type Filter } from "../../components/Filters";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { Time } from "../../components/Time";
import { useSettings } from "../../state/settings";
import { operationOf } from "./audit";

function RecordDialog({ record, onClose }: { record: AuditRecord | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={record !== null} onClose={onClose} title={record ? operationOf(record) : ""} size="lg">
      {record && (
        <Stack>
          <Facts
            columns={2}
            facts={[
              [t("audit.time"), <Time value={record.created_at} />],
              [t("audit.who"), record.source],
              [t("audit.door"), t(`audit.from.${record.from}`, { defaultValue: record.from })],
              [t("audit.address"), record.source_ip],
              [t("audit.result"), t(`audit.results.${record.operation_result}`, { defaultValue: "–" })],
              [t("audit.status"), String(record.http_status_code)],
              [t("audit.took"), record.duration_ms === "" ? "" : `${record.duration_ms} ms`],
              [t("node.one"), record.node],
            ]}
          />
          <ScrollArea.Autosize mah={360} viewportProps={{ tabIndex: 0 }}>
            <Code block>{JSON.stringify(record.http_request || record.args, null, 2)}</Code>
          </ScrollArea.Autosize>
          {record.failure !== "" && record.failure !== null && record.failure !== undefined && (
            <Alert color="red" variant="light">
              {typeof record.failure === "string" ? record.failure : JSON.stringify(record.failure)}
            </Alert>
          )}
        </Stack>
      )}
    </Modal>
  );
}

export function AuditPage() {
  const { t } = useTranslation();
  const [shown, setShown] = useState<AuditRecord | null>(null);
  const filters: Filter[] = [
    { key: "gte_created_at", label: t("audit.after"), type: "datetime-local", width: 175 },
    { key: "lte_created_at", label: t("audit.before"), type: "datetime-local", width: 175 },
    {
      key: "from",
      label: t("audit.door"),
      options: ["dashboard", "rest_api", "cli"].map((value) => ({ value, label: t(`audit.from.${value}`) })),
      width: 125,
    },
    { key: "source", label: t("audit.who"), width: 120 },
    { key: "source_ip", label: t("audit.address"), width: 120 },
    { key: "operation_id", label: t("audit.operation"), width: 170 },
    {
      key: "http_method",
      label: t("audit.method"),
      options: ["post", "put", "delete"].map((value) => ({ value, label: value.toUpperCase() })),
      width: 95,
    },
    {
      key: "operation_result",
      label: t("audit.result"),
      options: ["success", "failure"].map((value) => ({ value, label: t(`audit.results.${value}`) })),
      width: 105,
    },
  ];
  const values = useFilterValues(filters);
  const { timeZone } = useSettings();
  const list = usePaged<AuditRecord>(["audit", values, timeZone], (paging) =>
    take<Page<AuditRecord>>(api.GET("/api/v5/audit", { params: { query: { ...queryOf(filters, values, timeZone), ...paging } as never } })),
  );
  const disabled = list.error instanceof ApiError && list.error.status === 400 && /disabled/i.test(list.error.message);
  const columns: Column<AuditRecord>[] = [
    timeColumn<AuditRecord>("created_at", t("audit.time")),
    { id: "operation", header: t("audit.operation"), accessorFn: operationOf },
    textColumn<AuditRecord>("source", t("audit.who")),
    {
      id: "from",
      header: t("audit.door"),
      accessorKey: "from",
      cell: (cell) => t(`audit.from.${String(cell.getValue())}`, { defaultValue: String(cell.getValue()) }),
    },
    textColumn<AuditRecord>("source_ip", t("audit.address")),
    {
      id: "result",
      header: t("audit.result"),
      accessorKey: "operation_result",
      cell: (cell) => {
        const result = String(cell.getValue());
        if (result === "") return "–";
        return (
          <Badge variant="light" color={result === "success" ? "green" : "red"}>
            {t(`audit.results.${result}`)}
          </Badge>
        );
      },
    },
    actionsColumn<AuditRecord>((record) => (
      <IconAction
        label={t("audit.show", { operation: operationOf(record) })}
        icon={<IconEye size={16} />}
        onClick={() => setShown(record)}
      />
    )),
  ];
  return (
    <>
      <PageHeader title={t("nav.audit")} hint={t("audit.hint")} refresh={() => void list.refetch()} />
      {disabled ? (
        <Alert color="yellow" variant="light">
          {t("audit.off")}{" "}
          <Anchor component={Link} to="/configuration/log" inherit>
            {t("audit.turnOn")}
          </Anchor>
        </Alert>
      ) : (
        <>
          <Filters filters={filters} />
          <DataTable
            label={t("nav.audit")}
            columns={columns}
            query={list}
            rowKey={(row) => `${row.created_at} ${row.node} ${operationOf(row)}`}
            empty={Object.keys(values).length > 0 ? t("filter.nothing") : t("audit.none")}
          />
          <PageControl list={list} />
        </>
      )}
      <RecordDialog record={shown} onClose={() => setShown(null)} />
    </>
  );
}
