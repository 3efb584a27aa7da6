export const en = {
  common: {
    add: "Add", broken: "This page could not be shown", brokenHint: "The server may have been updated since the page was loaded. Reload to get the current version.",
    cancel: "Cancel", close: "Close", copied: "Copied", copy: "Copy", delete: "Delete", enabled: "Enabled", loading: "Loading", no: "No",
    noPage: "There is no such page.", note: "Note", refresh: "Refresh", reload: "Reload", retry: "Try again", running: "Running", save: "Save",
    status: "Status", stopped: "Stopped", updated: "Updated", yes: "Yes",
  },
  error: { failed: "The request failed", forbidden: "Your role does not allow this", notDone: "Not done", unreachable: "The server does not answer" },
  shell: {
    account: "Account of {{name}}", alarms_one: "{{count}} active alarm", alarms_other: "{{count}} active alarms", apiDocs: "API documentation",
    logOut: "Log out", menu: "Menu", skip: "Skip to content", toDark: "Use the dark theme", toLight: "Use the light theme",
  },
  navGroup: { monitoring: "Monitoring", access: "Access control", management: "Management", diagnose: "Diagnose", system: "System" },
  nav: {
    overview: "Overview", nodes: "Nodes", clients: "Clients", subscriptions: "Subscriptions", topics: "Topics", retained: "Retained messages",
    delayed: "Delayed messages", alarms: "Alarms", authentication: "Authentication", authorization: "Authorization", banned: "Banned clients",
    listeners: "Listeners", configuration: "Configuration", websocket: "WebSocket client", topicMetrics: "Topic metrics",
    slow: "Slow subscriptions", trace: "Log trace", users: "Users", apiKeys: "API keys", audit: "Audit log", backup: "Backup and restore",
    license: "Licence", settings: "Settings",
  },
  role: { administrator: "Administrator", viewer: "Viewer", publisher: "Publisher" },
  login: {
    expired: "Your session has ended. Log in again to go on where you were.", title: "Log in", username: "User name", password: "Password", button: "Log in",
    hint: "A fresh node has the user admin with the password public; from another machine it must be changed first.",
  },
  password: {
    title: "Change password", firstTitle: "Choose a password of your own", firstHint: "This node still uses the password that everybody knows. Until it is changed, log-in works from the node's own machine only.",
    old: "Current password", new: "New password", again: "New password again", rule: "8 to 64 characters, at least two of letters, digits and symbols",
    same: "The same as the current one", differs: "Not the same as above", button: "Change password", done: "Password changed. Log in with the new one.",
  },
  form: {
    addEntry: "Add", newName: "New name", noEntry: "None yet.", pairName: "Name {{number}}", pairValue: "Value {{number}}", raise: "Move {{entry}} up", remove: "Delete {{entry}}",
    afterRestart: "counts after a restart",
    changedMeanwhile: "Somebody else has changed these settings meanwhile. Nothing was saved.", loadAnew: "Load theirs",
    expected: "Expected: {{expects}}", notes: "{{help}} ({{notes}})", colon: ": ", semicolon: "; ", notJson: "This is not JSON.", required: "Required", reveal: "Show or hide what is typed", saved: "Saved", undo: "Undo changes",
  },
  leave: { title: "Leave without saving?", text: "What was changed here is not saved and will be lost.", button: "Leave" },
  filter: { any: "Any", clear: "Clear", nothing: "Nothing matches these filters." },
  table: {
    actions: "Actions", all: "Choose all rows", choose: "Choose {{key}}", next: "Next page", pages: "Pages", perPage: "Rows per page", previous: "Previous page", total: "{{total}} in total",
  },
  qos: { 0: "at most once", 1: "at least once", 2: "exactly once" },
  payload: {
    empty: "(empty)", form: "Show payload as", hex: "Hex", notJson: "The payload is not JSON.", show: "Show payload of {{topic}}", text: "Text", tooLarge: "The payload is too large to be shown here.",
  },
  overview: {
    allSessions: "Sessions", connections: "Connections", dropped: "Dropped", live: "Live", messageRates: "Messages per second", perSecond: "per second",
    range: "Time range", ranges: { "1h": "1 hour", "6h": "6 hours", "12h": "12 hours", "1d": "1 day", "3d": "3 days", "7d": "7 days" }, received: "Received", sent: "Sent",
    sessions: "of {{total}} sessions", subscriptions: "Subscriptions", topics: "Topics",
  },
  node: {
    about: "About this node", files: "File descriptor limit", gauges: "Now and at most", load: "CPU load 1/5/15", logPath: "Log", memory: "Memory", name: "Name", none: "No node answers.",
    one: "Node", processes: "Threads", role: "Role", sysPath: "Installed in", uptime: "Uptime", version: "Version",
  },
  clients: {
    address: "Address", awaitingRel: "Awaiting PUBREL", bytes: "Bytes", cleanStart: "Clean start", clientid: "Client ID", connected: "Connected", connectedAfter: "Connected after", connectedAt: "Connected at", connectedBefore: "Connected before", connection: "Connection",
    created: "created at", disconnectedAt: "Disconnected at", droppedExpired: "Dropped: expired", droppedFull: "Dropped: queue full", droppedLarge: "Dropped: too large", droppedReceived: "Dropped: received, not passed on",
    expiry: "expiry", forEver: "for ever", inflight: "In flight", ip: "IP address", keepalive: "Keep-alive", kick: "Kick out", kickChosen_one: "Kick out {{count}} client", kickChosen_other: "Kick out {{count}} clients",
    kickOne: "Kick out {{clientid}}", kickText_one: "{{first}} will be disconnected and its session ended.", kickText_other: "{{count}} clients will be disconnected and their sessions ended.", kickTitle: "Kick out?", kicked: "Kicked out",
    listener: "Listener", messages: "Messages", mountpoint: "Mount point", none: "No client is connected and no session is kept.", offline: "Offline", packets: "Packets", protocol: "Protocol", queue: "Queue",
    resumes: "Keeps its session", session: "Session", startedClean: "Clean start", traffic: "Traffic", username: "User name", withConnection: "with the connection",
  },
  subscriptions: {
    add: "Add a subscription", exact: "Topic (exact)", group: "Shared group", match: "Matches topic", noLocal: "No local", none: "There is no subscription.",
    remove: "Unsubscribe from {{topic}}", removed: "Unsubscribed", retainAsPublished: "Retain as published", retainHandling: "Retain handling",
    rh0: "0 – send retained messages", rh1: "1 – send them if the subscription is new", rh2: "2 – send none", subscribe: "Subscribe", topic: "Topic filter",
    topicHint: "+ stands for one level, # for the rest; $share/group/filter shares it.",
  },
  publish: {
    button: "Publish", done: "Published", encoding: "Payload is", misses: "The client has not subscribed to this topic and would not get the message.", nobody: "Published; nobody is subscribed to this topic",
    notSubscribed: "The client has no subscription.", payload: "Payload", retain: "Retain", subscribed: "Subscribed to: {{filters}}", to: "Publish to {{clientid}}", topic: "Topic",
  },
  topics: { hint: "Every topic filter that somebody subscribed to, once per node.", none: "Nobody is subscribed to anything." },
  retained: {
    clear: "Delete all", clearText: "Every retained message of this node is deleted, whatever the filter shows.", clearTitle: "Delete all retained messages?", cleared: "All deleted", delete: "Delete the retained message of {{topic}}", deleteTitle: "Delete this retained message?", deleted: "Deleted", filter: "Topic or filter", none: "No message is retained.", publishedAt: "Published at",
  },
  delayed: {
    delay: "Delay", delete: "Delete the delayed message to {{topic}}", deleteTitle: "Delete this delayed message?", deleted: "Deleted", expected: "Due at",
    hint: "Messages published to $delayed/SECONDS/topic wait here until they are due.", none: "No message is waiting.", remaining: "Remaining",
  },
  alarms: {
    active: "Active", clear: "Clear history", clearText: "The alarms that are over will be forgotten; active ones stay.", clearTitle: "Clear the history?", cleared: "History cleared",
    duration: "Duration", message: "Message", name: "Name", none: "All is well: no alarm is active.", nonePast: "No alarm in the history.", past: "History", since: "Since", until: "Until", which: "Which alarms",
  },
  banned: {
    add: "Ban somebody", at: "Since", button: "Ban", by: "By", clear: "Lift all bans", clearText: "Everybody who is banned may connect again.", clearTitle: "Lift all bans?", cleared: "All bans lifted",
    clientid: "Client ID", kind: "Kind", none: "Nobody is banned.", peerhost: "IP address", clientid_re: "Client ID (regular expression)", username_re: "User name (regular expression)", peerhost_net: "Network", reason: "Reason", remove: "Lift the ban of {{who}}", removed: "Ban lifted", until: "Until", untilHint: "Empty: for good.", username: "User name", who: "Who",
  },
  chain: {
    asked: "Answers", connected: "Connected", connecting: "Connecting", counts: "{{success}} accepted, {{failed}} refused", disconnected: "Disconnected", down: "Move {{id}} down", enableOne: "{{id}} is enabled", inconsistent: "Inconsistent",
    metric: { total: "Asked", success: "Accepted", failed: "Refused", nomatch: "Not known", allow: "Allowed", deny: "Denied", rate: "Per second", rate_last5m: "Per second, last 5 minutes", rate_max: "Per second, most" },
    one: "Mechanism", remove: "Delete {{id}}", removeText: "{{id}} will be removed from the chain, with the users it keeps itself.", removeTitle: "Delete?", removed: "Deleted", settings: "Settings", up: "Move {{id}} up",
  },
  authn: {
    add: "Add a mechanism", addUser: "Add a user", added: "Added", editUser: "Edit {{user}}", hint: "Mechanisms are asked in this order; the first that knows the client decides. Without any, everybody may connect.", import: "Import users",
    imported: "Users imported", keepPassword: "Empty: the password stays as it is.", mechanism: "Mechanism", none: "Nothing is asked: every client may connect.", noUsers: "No user yet.", removeUser: "Delete {{user}}",
    removeUserText: "The user can no longer connect.", superuser: "Superuser", superuserHint: "Is allowed everything, whatever the rules say.", userId: "User ID", userRemoved: "Deleted", users: "Users",
  },
  mechanism: {
    password_based_built_in_database: "Password, built-in database", password_based_http: "Password, HTTP service", password_based_mysql: "Password, MySQL", password_based_postgresql: "Password, PostgreSQL",
    password_based_redis: "Password, Redis", password_based_mongodb: "Password, MongoDB", password_based_ldap: "Password, LDAP", jwt: "JSON Web Token", scram_built_in_database: "SCRAM, built-in database",
  },
  authz: {
    action: "Action", add: "Add a source", addRule: "Add a rule", addRules: "Add rules", added: "Added", all: "Publish and subscribe", allow: "Allow", cacheCleared: "Cache cleared", cacheEmpty: "Nothing was asked lately.",
    cacheOf: "Latest decisions", clearAllCaches: "Clear the caches of all clients", clearCache: "Clear", deny: "Deny", editRules: "Edit the rules of {{name}}",
    hint: "Sources are asked in this order; the first that has a rule decides.", kind: { clients: "By client ID", users: "By user name", all: "Everybody" }, noRules: "No rule yet.", none: "No source is asked.",
    permission: "Permission", permissions: "Permissions", publish: "Publish", raise: "Move rule {{number}} up", removeRule: "Delete rule {{number}}", removeRules: "Delete the rules of {{name}}", ruleNumber: "Rule {{number}}",
    rules: "Rules", rulesFile: "Read from {{path}}. Changed rules are kept in a file of the node's own, which is used from then on.", rulesHint: "One rule a line, tried from top to bottom: {allow, {username, \"dashboard\"}, subscribe, [\"$SYS/#\"]}.", rulesRemoved: "Deleted",
    rulesUnread: "The rules cannot be shown: the file {{path}} is missing, too large or holds something else. Mend it on the node.", source: "Source", sources: "Sources", subscribe: "Subscribe", whose: "Whose rules",
  },
  source: {
    file: "File", built_in_database: "Built-in database", http: "HTTP service", mysql: "MySQL", postgresql: "PostgreSQL", mongodb: "MongoDB", redis: "Redis", ldap: "LDAP",
  },
  listeners: {
    add: "Add a listener", bind: "Bound to", bindHint: "A port, or address and port: 1884, 127.0.0.1:1884, [::1]:1884", done: "Done", hint: "Most changes count for new connections; a change of the address reopens the listener and drops its clients.",
    name: "Name", nameRule: "A letter, then letters, digits, - and _", none: "There is no listener.", one: "Listener", remove: "Delete {{id}}", removeText: "The listener is closed and its clients are dropped.", removed: "Deleted",
    restart: "Restart {{id}}", stop: "Stop", stopText: "Its clients are dropped, and it stays stopped over a restart of the node.", stopTitle: "Stop {{id}}?", type: "Type",
    types: { tcp: "TCP", ssl: "TLS", ws: "WebSocket", wss: "WebSocket over TLS" },
  },
  configuration: {
    hint: "What can change while the node runs. Saved changes are kept over restarts.", noSchema: "This node does not know these settings.",
    mqtt: "MQTT", retainer: "Retained messages", delayed: "Delayed messages", rewrite: "Topic rewrite", auto_subscribe: "Auto-subscribe", flapping_detect: "Flapping clients", force_shutdown: "Forced shutdown", force_gc: "Memory clean-up", limiter: "Rate limits", sys_topics: "System topics", log: "Logging",
    sysmon: "System monitor", alarm: "Alarms", dashboard: "Dashboard", prometheus: "Prometheus", slow_subs: "Slow subscriptions",
  },
  websocket: {
    add: "Another client", clear: "Clear", close: "Close this client", connect: "Connect", disconnect: "Disconnect", hint: "MQTT clients in this page, to try things out. They end when the page is left.", messages: "Messages",
    none: "Nothing sent or received yet.", publish: "Publish", received: "Received", sent: "Sent", state: { off: "Not connected", connecting: "Connecting", on: "Connected" }, subscribe: "Subscribe", tab: "Client {{number}}", url: "Address", urlRule: "ws:// or wss://, host, port and path",
  },
  topicMetrics: {
    add: "Watch a topic", dropped: "Dropped", hint: "Counts messages of single topics, from the moment a topic is added.", in: "In", noWildcards: "A topic, without + and #", none: "No topic is watched.", out: "Out", remove: "Stop watching {{topic}}",
    reset: "Set the counters of {{topic}} to zero", since: "Since", wasReset: "Counters set to zero",
  },
  slow: { clear: "Clear", cleared: "Cleared", hint: "Subscriptions whose deliveries took longest, the slowest first.", none: "Nothing is slow, or watching is not enabled.", took: "Took" },
  trace: {
    add: "New trace", by: "What is traced", clientid: "Client ID", download: "Download {{name}}", empty: "Nothing was recorded yet.", from: "From", hint: "Records what happens to one client, topic or address for some time.", ip_address: "IP address", minutes: "Minutes", more: "Read on",
    name: "Name", nameRule: "A letter, then letters, digits, - and _", none: "No trace yet.", payload: "Payloads", payloads: { text: "As text", hex: "As hex", hidden: "Left out" }, read: "{{size}} read", remove: "Delete {{name}}", removed: "Deleted", size: "Size", start: "Start",
    status: { running: "Running", waiting: "Waiting", stopped: "Stopped" }, stop: "Stop {{name}}", stopped: "Stopped", topic: "Topic", until: "Until",
  },
  users: {
    add: "Add a user", edit: "Edit {{name}}", nameRule: "Letters, digits and _", none: "There is no user.", password: "Change the password of {{name}}", remove: "Delete {{name}}", removeText: "The user is logged out everywhere at once.", removed: "Deleted",
    role: "Role", roleHint: "Viewers see everything and change nothing.", source: "Source",
  },
  apiKeys: {
    add: "New API key", edit: "Edit {{name}}", expired: "Expired", expires: "Expires", expiresHint: "Empty: never.", hint: "Programs use a key and its secret as user name and password of HTTP basic authentication.", key: "API key", madeTitle: "API key {{name}}", name: "Name",
    nameRule: "A letter, then letters, digits, - and _", never: "Never", none: "No API key yet.", once: "The secret is shown this once. Copy it now.", remove: "Delete {{name}}", removeText: "Programs that use this key are refused at once.", removed: "Deleted",
    roleHint: { administrator: "May do everything, except users and API keys.", viewer: "May read everything, except users and API keys.", publisher: "May publish messages, nothing else." }, secret: "Secret",
  },
  audit: {
    address: "Address", after: "After", before: "Before", door: "Through", from: { dashboard: "Dashboard", rest_api: "REST API", cli: "Command line", erlang_console: "Console" }, hint: "Who changed what, when, from where, and with which result.", method: "Method", none: "Nothing was changed yet.",
    off: "The audit log is off.", operation: "Operation", result: "Result", results: { success: "Success", failure: "Failure" }, show: "Show {{operation}}", status: "HTTP status", time: "Time", took: "Took", turnOn: "Turn it on under Logging", who: "Who",
  },
  backup: {
    created: "Created at", download: "Download {{name}}", file: "File", hint: "An archive holds configuration, users, keys, access rules and bans. Restoring checks all of it first and then applies all or nothing.", last: "Last import", leftOut: "Left out", made: "Backup made", make: "New backup", none: "No backup yet.",
    remove: "Delete {{name}}", removeTitle: "Delete this backup?", removed: "Deleted", restore: "Restore {{name}}", restoreButton: "Restore", restoreText: "What {{name}} holds replaces what this node has under the same names; the rest stays.", restoreTitle: "Restore this backup?", restored: "Restored", retained: "With retained messages", roots: "Configuration changed", rows: "Rows",
    size: "Size", tables: "Tables", upload: "Upload", uploaded: "Uploaded", writtenOver: "Written over",
  },
  license: {
    change: "Change the licence", customer: "Customer", deployment: "Deployment", email: "E-mail", expires: "Expires", high: "Alarm above", howTo: "Nodes that you run yourself need no licence to be bought: enter <key>community</key> to lift the limit. <key>default</key> goes back to the trial.",
    issued: "Issued", key: "Licence key", low: "Over again below", marks: "Alarm by connections", marksHint: "An alarm is raised when this share of the allowed connections is in use.", order: "Must be above the other",
    reset: "Back to the trial", resetText: "The node will allow 25 connections again.", resetTitle: "Back to the trial?", trialLine: "Trial: at most {{count}} connections. To lift the limit, enter <key>community</key> as key on the <page>licence page</page>, or set <key>license.key = community</key> in the configuration.",
    type: "Type", types: { trial: "Trial", official: "Official", community: "Community" }, update: "Update", updated: "Licence changed", usage: "Live connections",
  },
  settings: {
    browserZone: "That of the browser ({{zone}})", hint: "Kept in this browser.", language: "Language", now: "Now it is", theme: "Theme", themes: { auto: "As the system", light: "Light", dark: "Dark" }, timeZone: "Time zone",
  },
};
