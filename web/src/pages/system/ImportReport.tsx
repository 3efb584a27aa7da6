// What the last import did: it outlives the notice that told of it, and tells of imports by the command line too.
import { Alert, Badge, Card, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { ApiError } from "../../api/errors";
import type { ImportReport as Report } from "../../api/types";
import { Time } from "../../components/Time";
import { formatCount } from "../../lib/numbers";

/** Tables that held something, in order of name. */
export const filledTables = ({ tables }: Pick<Report, "tables">) =>
  Object.entries(tables)
    .filter(([, { rows }]) => rows > 0)
    .sort(([a], [b]) => a.localeCompare(b));

function Content({ report }: { report: Report }) {
  const { t } = useTranslation();
  const tables = filledTables(report);
  const done = report.result === "success";
  return (
    <Card withBorder mt="lg" maw={760} component="section" aria-label={t("backup.last")}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h5">
            {t("backup.last")}
          </Title>
          <Badge variant="light" color={done ? "green" : "red"}>
            {t(`audit.results.${done ? "success" : "failure"}`)}
          </Badge>
        </Group>
        <Text size="sm">
          <span className="mono">{report.filename}</span>, <Time value={report.at} />
        </Text>
        {report.reason && (
          <Alert color="red" variant="light">
            {report.reason}
          </Alert>
        )}
        {report.config_roots.length > 0 && (
          <Text size="sm">
            {t("backup.roots")}: <span className="mono">{report.config_roots.join(", ")}</span>
          </Text>
        )}
        {report.left_out.length > 0 && (
          <Text size="sm">
            {t("backup.leftOut")}: <span className="mono">{report.left_out.join(", ")}</span>
          </Text>
        )}
        {tables.length > 0 && (
          <Table aria-label={t("backup.tables")} fz="sm" verticalSpacing={4} className="figure">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("backup.tables")}</Table.Th>
                <Table.Th ta="right">{t("backup.rows")}</Table.Th>
                <Table.Th ta="right">{t("backup.writtenOver")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {tables.map(([name, { rows, written_over }]) => (
                <Table.Tr key={name}>
                  <Table.Td className="mono">{name}</Table.Td>
                  <Table.Td ta="right">{formatCount(rows)}</Table.Td>
                  <Table.Td ta="right">{formatCount(written_over)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </Card>
  );
}

export function ImportReport() {
  const query = useQuery({
    queryKey: ["backup", "last"],
    queryFn: async () => {
      try {
        return await take<Report>(api.GET("/api/v5/data/imports/last"));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null; // nothing was imported yet
        throw error;
      }
    },
  });
  return query.data ? <Content report={query.data} /> : null;
}
