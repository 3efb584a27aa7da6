import { Button, Checkbox, FileButton } from "@mantine/core";
import { IconDatabaseImport, IconDownload, IconPlus, IconTrash, IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, download, take, upload } from "../../api/client";
import type { BackupFile, Page } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { formatBytes } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";
import { ImportReport } from "./ImportReport";

const filePath = ({ filename, node }: BackupFile) =>
  `/api/v5/data/files/${encodeURIComponent(filename)}?node=${encodeURIComponent(node)}`;

export function BackupPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [retained, setRetained] = useState(false);
  const list = usePaged<BackupFile>(["backup"], (paging) =>
    take<Page<BackupFile>>(api.GET("/api/v5/data/files", { params: { query: paging } })),
  );
  const renews = [["backup"]];
  const make = useChange<{ retained: boolean }>({
    run: (body) => take(api.POST("/api/v5/data/export", { body })),
    done: t("backup.made"),
    renews,
  });
  const send = useChange<File>({
    run: (file) => upload("/api/v5/data/files", "filename", file),
    done: t("backup.uploaded"),
    renews,
  });
  const restore = useChange<BackupFile>({
    run: ({ filename, node }) => take(api.POST("/api/v5/data/import", { body: { filename, node } })),
    done: t("backup.restored"),
    renews: [[]],
  });
  const remove = useChange<BackupFile>({
    run: ({ filename, node }) =>
      take(
        api.DELETE("/api/v5/data/files/{filename}", {
          params: { path: { filename }, query: { node } as never },
        }),
      ),
    done: t("backup.removed"),
    renews,
  });
  const fetchFile = useChange<BackupFile>({ run: (file) => download(filePath(file), file.filename), renews: [] });
  const columns: Column<BackupFile>[] = [
    monoColumn<BackupFile>("filename", t("backup.file")),
    {
      id: "size",
      header: t("backup.size"),
      accessorKey: "size",
      cell: (cell) => formatBytes(Number(cell.getValue())),
    },
    timeColumn<BackupFile>("created_at", t("backup.created")),
    textColumn<BackupFile>("node", t("node.one")),
    actionsColumn<BackupFile>((file) => (
      <>
        <IconAction
          label={t("backup.download", { name: file.filename })}
          icon={<IconDownload size={16} />}
          onClick={() => fetchFile.mutate(file)}
        />
        {canWrite && (
          <>
            <IconAction
              label={t("backup.restore", { name: file.filename })}
              icon={<IconDatabaseImport size={16} />}
              onClick={() =>
                confirm({
                  title: t("backup.restoreTitle"),
                  text: t("backup.restoreText", { name: file.filename }),
                  button: t("backup.restoreButton"),
                  run: () => restore.mutate(file),
                })
              }
            />
            <IconAction
              label={t("backup.remove", { name: file.filename })}
              icon={<IconTrash size={16} />}
              color="red"
              onClick={() =>
                confirm({
                  title: t("backup.removeTitle"),
                  text: file.filename,
                  button: t("common.delete"),
                  run: () => remove.mutate(file),
                })
              }
            />
          </>
        )}
      </>
    )),
  ];
  return (
    <>
      <PageHeader title={t("nav.backup")} hint={t("backup.hint")} refresh={() => void list.refetch()}>
        {canWrite && (
          <>
            <FileButton onChange={(file) => file && send.mutate(file)} accept=".gz,application/gzip">
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconUpload size={16} />} loading={send.isPending}>
                  {t("backup.upload")}
                </Button>
              )}
            </FileButton>
            <Checkbox label={t("backup.retained")} checked={retained} onChange={(event) => setRetained(event.currentTarget.checked)} />
            <Button leftSection={<IconPlus size={16} />} loading={make.isPending} onClick={() => make.mutate({ retained })}>
              {t("backup.make")}
            </Button>
          </>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.backup")}
        columns={columns}
        query={list}
        rowKey={(row) => `${row.node} ${row.filename}`}
        empty={t("backup.none")}
      />
      <PageControl list={list} />
      <ImportReport />
    </>
  );
}
