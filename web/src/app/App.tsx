import { MantineProvider, mergeThemeOverrides } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { RouterProvider } from "react-router-dom";

import { ApiError } from "../api/errors";
import { LoginPage } from "../session/LoginPage";
import { useSession } from "../session/session";
import { router } from "./router";
import { cssVariables, theme } from "./theme";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal is an answer; only what may have been the network is tried again.
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status === 503),
      staleTime: 1000,
      refetchOnWindowFocus: false,
    },
  },
});

/** What Mantine names itself, in the chosen language. */
function useTheme() {
  const { t } = useTranslation();
  const close = t("common.close");
  return useMemo(
    () =>
      mergeThemeOverrides(theme, {
        components: { Modal: { defaultProps: { closeButtonProps: { "aria-label": close } } } },
      }),
    [close],
  );
}

export function App() {
  const session = useSession();
  const named = useTheme();
  if (!session) queries.clear();
  return (
    <QueryClientProvider client={queries}>
      <MantineProvider theme={named} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <Notifications position="bottom-right" />
        <ModalsProvider>{session && !session.mustChange ? <RouterProvider router={router} /> : <LoginPage />}</ModalsProvider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
