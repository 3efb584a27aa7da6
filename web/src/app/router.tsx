// Hash routes: the server need not know the pages. Each page is a chunk of its own, loaded when it is first shown.
import type { ComponentType } from "react";
import { createHashRouter, type RouteObject } from "react-router-dom";

import { NotFoundPage } from "../pages/NotFoundPage";
import { OverviewPage } from "../pages/overview/OverviewPage";
import { RouteError } from "./RouteError";
import { Shell } from "./Shell";

type Module = Record<string, unknown>;

/** The one component that a page's module exports under this name. */
function page(path: string, load: () => Promise<Module>, name: string): RouteObject {
  return { path, lazy: async () => ({ Component: (await load())[name] as ComponentType }) };
}

export const router = createHashRouter([
  {
    element: <Shell />,
    errorElement: <RouteError />,
    children: [
      {
        errorElement: <RouteError />,
        children: [
          { path: "/", element: <OverviewPage /> },
          page("/nodes", () => import("../pages/nodes/NodesPage"), "NodesPage"),
          page("/nodes/:node", () => import("../pages/nodes/NodePage"), "NodePage"),
          page("/clients", () => import("../pages/clients/ClientsPage"), "ClientsPage"),
          page("/clients/:clientid", () => import("../pages/clients/ClientPage"), "ClientPage"),
          page("/subscriptions", () => import("../pages/topics/SubscriptionsPage"), "SubscriptionsPage"),
          page("/topics", () => import("../pages/topics/TopicsPage"), "TopicsPage"),
          page("/retained", () => import("../pages/messages/RetainedPage"), "RetainedPage"),
          page("/delayed", () => import("../pages/messages/DelayedPage"), "DelayedPage"),
          page("/alarms", () => import("../pages/alarms/AlarmsPage"), "AlarmsPage"),
          page("/authentication", () => import("../pages/access/AuthenticationPage"), "AuthenticationPage"),
          page("/authentication/:id", () => import("../pages/access/AuthenticatorPage"), "AuthenticatorPage"),
          page("/authorization", () => import("../pages/access/AuthorizationPage"), "AuthorizationPage"),
          page("/authorization/:type", () => import("../pages/access/SourcePage"), "SourcePage"),
          page("/banned", () => import("../pages/access/BannedPage"), "BannedPage"),
          page("/listeners", () => import("../pages/listeners/ListenersPage"), "ListenersPage"),
          page("/listeners/:id", () => import("../pages/listeners/ListenerPage"), "ListenerPage"),
          page("/configuration", () => import("../pages/configuration/ConfigurationPage"), "ConfigurationPage"),
          page("/configuration/:root", () => import("../pages/configuration/ConfigurationPage"), "ConfigurationPage"),
          page("/websocket", () => import("../pages/websocket/WebSocketPage"), "WebSocketPage"),
          page("/topic-metrics", () => import("../pages/diagnose/TopicMetricsPage"), "TopicMetricsPage"),
          page("/slow-subscriptions", () => import("../pages/diagnose/SlowPage"), "SlowPage"),
          page("/trace", () => import("../pages/diagnose/TracePage"), "TracePage"),
          page("/trace/:name", () => import("../pages/diagnose/TraceLogPage"), "TraceLogPage"),
          page("/users", () => import("../pages/system/UsersPage"), "UsersPage"),
          page("/api-keys", () => import("../pages/system/ApiKeysPage"), "ApiKeysPage"),
          page("/audit", () => import("../pages/system/AuditPage"), "AuditPage"),
          page("/backup", () => import("../pages/system/BackupPage"), "BackupPage"),
          page("/license", () => import("../pages/system/LicensePage"), "LicensePage"),
          page("/settings", () => import("../pages/system/SettingsPage"), "SettingsPage"),
          { path: "*", element: <NotFoundPage /> },
        ],
      },
    ],
  },
]);
