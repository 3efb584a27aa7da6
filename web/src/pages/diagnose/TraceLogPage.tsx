import { Button, Code, Group, ScrollArea, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import { PageHeader } from "../../components/PageHeader";
import { EmptyState, Loaded } from "../../components/States";
import { formatBytes } from "../../lib/numbers";

interface Piece {
  items: string;
  meta: { bytes: number; position: number };
}

const kPieceBytes = 64 * 1024;

/** The log of one trace, read piece by piece: it may be very long. */
export function TraceLogPage() {
  const { t } = useTranslation();
  const { name = "" } = useParams();
  const query = useInfiniteQuery({
    queryKey: ["trace", "log", name],
    initialPageParam: 0,
    queryFn: ({ pageParam }) =>
      take<Piece>(
        api.GET("/api/v5/trace/{name}/log", {
          params: { path: { name }, query: { bytes: kPieceBytes, position: pageParam } },
        }),
      ),
    getNextPageParam: (piece) => piece.meta.position,
  });
  return (
    <>
      <PageHeader
        title={name}
        parent={{ title: t("nav.trace"), path: "/trace" }}
        refresh={() => void query.refetch()}
      />
      <Loaded query={query}>
        {({ pages }) => {
          const text = pages.map(({ items }) => items).join("");
          return text === "" ? (
            <EmptyState title={t("trace.empty")} />
          ) : (
            <>
              <ScrollArea.Autosize mah="65vh" viewportProps={{ tabIndex: 0 }}>
                <Code block>{text}</Code>
              </ScrollArea.Autosize>
              <Group mt="sm">
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t("trace.more")}
                </Button>
                <Text size="sm" c="dimmed">
                  {t("trace.read", { size: formatBytes(pages.at(-1)?.meta.position ?? 0) })}
                </Text>
              </Group>
            </>
          );
        }}
      </Loaded>
    </>
  );
}
