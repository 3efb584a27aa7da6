// The pages of the menu by their titles, and those that open from them. {...}: filled in by the scenario.
export const menuPages = [
  "Overview", "Nodes", "Clients", "Subscriptions", "Topics", "Retained messages", "Delayed messages", "Alarms",
  "Authentication", "Authorization", "Banned clients", "Listeners", "Configuration", "WebSocket client",
  "Topic metrics", "Slow subscriptions", "Log trace", "Users", "API keys", "Audit log", "Backup and restore", "Licence",
  "Settings",
];

export const sections = [
  "mqtt", "retainer", "delayed", "rewrite", "auto_subscribe", "flapping_detect", "force_shutdown", "force_gc", "limiter",
  "sys_topics", "log", "sysmon", "alarm", "dashboard", "prometheus", "slow_subs",
];

export const paths = [
  "/", "/nodes", "/nodes/signalbox@127.0.0.1", "/clients", "/subscriptions", "/topics", "/retained", "/delayed", "/alarms",
  "/authentication", "/authorization", "/banned", "/listeners", "/listeners/tcp:default", "/websocket", "/topic-metrics",
  "/slow-subscriptions", "/trace", "/users", "/api-keys", "/audit", "/backup", "/license", "/settings", "/nowhere",
  ...sections.map((section) => `/configuration/${section}`),
];
