// Rows as the pages read them. The API may send more; it never sends these with another meaning.
export interface Page<T> {
  data: T[];
  meta: { page: number; limit: number; count?: number; hasnext?: boolean };
}

export interface Node {
  node: string;
  node_status: string;
  role: string;
  version: string;
  uptime: number;
  connections: number;
  live_connections: number;
  load1: number;
  load5: number;
  load15: number;
  memory_total: string;
  memory_used: string;
  process_available: number;
  process_used: number;
  max_fds: number;
  sys_path: string;
  log_path: string;
}

export interface Current {
  received_msg_rate: number;
  sent_msg_rate: number;
  dropped_msg_rate: number;
  subscriptions: number;
  topics: number;
  connections: number;
  live_connections: number;
  retained_msg_count?: number;
}

export interface Sample {
  time_stamp: number;
  received: number;
  sent: number;
  dropped: number;
  subscriptions: number;
  topics: number;
  connections: number;
  live_connections: number;
}

export interface License {
  customer: string;
  email: string;
  deployment: string;
  type: string;
  customer_type: number;
  max_connections: number | "infinity";
  start_at: string;
  expiry_at: string;
  expiry: boolean;
}

type Bound = number | "infinity";

export interface Client {
  clientid: string;
  username: string | null;
  node: string;
  connected: boolean;
  ip_address: string;
  port: number;
  listener: string;
  proto_name: string;
  proto_ver: number;
  keepalive: number;
  clean_start: boolean;
  expiry_interval: number;
  mountpoint: string | null;
  created_at: string;
  connected_at: string | null;
  disconnected_at?: string;
  subscriptions_cnt: number;
  subscriptions_max: Bound;
  inflight_cnt: number;
  inflight_max: Bound;
  mqueue_len: number;
  mqueue_max: Bound;
  mqueue_dropped: number;
  awaiting_rel_cnt: number;
  awaiting_rel_max: Bound;
  recv_oct: number;
  recv_pkt: number;
  recv_msg: number;
  send_oct: number;
  send_pkt: number;
  send_msg: number;
  "recv_msg.dropped": number;
  "send_msg.dropped": number;
  "send_msg.dropped.expired": number;
  "send_msg.dropped.queue_full": number;
  "send_msg.dropped.too_large": number;
}

export interface Subscription {
  topic: string;
  clientid: string;
  node: string;
  qos: number;
  nl: number;
  rap: number;
  rh: number;
}

export interface Topic {
  topic: string;
  node: string;
}

export interface Retained {
  msgid: string;
  topic: string;
  qos: number;
  publish_at: string;
  from_clientid: string;
  from_username: string;
  payload?: string;
}

export interface Delayed {
  msgid: string;
  node: string;
  publish_at: string;
  delayed_interval: number;
  delayed_remaining: number;
  expected_at: string;
  topic: string;
  qos: number;
  from_clientid: string;
  payload?: string;
}

export interface Alarm {
  node: string;
  name: string;
  message: string;
  details: unknown;
  duration: number;
  activate_at: string;
  deactivate_at?: string;
}

export interface Ban {
  as: string;
  who: string;
  by: string;
  reason: string;
  at: string;
  until: string;
}

export interface Authenticator {
  id: string;
  mechanism: string;
  backend?: string;
  enable: boolean;
  [key: string]: unknown;
}

export interface ChainStatus {
  status: string;
  metrics: Record<string, number>;
  node_error?: { node: string; reason: string }[];
}

export interface AuthUser {
  user_id: string;
  is_superuser: boolean;
}

export interface Source {
  type: string;
  enable: boolean;
  [key: string]: unknown;
}

export interface AccessRule {
  topic: string;
  permission: "allow" | "deny";
  action: "publish" | "subscribe" | "all";
  qos?: number[];
  retain?: boolean | "all";
}

export interface ListenerStatus {
  running: boolean | "inconsistent";
  max_connections: Bound;
  current_connections: number;
}

export interface Listener {
  id: string;
  type: string;
  name: string;
  enable: boolean;
  bind: string;
  acceptors: number;
  status: ListenerStatus;
}

export interface TopicMetric {
  topic: string;
  create_time: string;
  reset_time?: string;
  metrics: Record<string, number>;
}

export interface SlowSubscription {
  clientid: string;
  node: string;
  topic: string;
  timespan: number;
  last_update_time: number;
}

export interface Trace {
  name: string;
  type: string;
  clientid?: string;
  topic?: string;
  ip_address?: string;
  payload_encode?: string;
  start_at: string;
  end_at: string;
  status: string;
  log_size: Record<string, number>;
}

export interface User {
  username: string;
  role: string;
  description: string;
  backend: string;
}

export interface ApiKey {
  name: string;
  api_key: string;
  api_secret?: string;
  enable: boolean;
  expired: boolean;
  expired_at: string;
  created_at: string;
  desc: string;
  role: string;
}

export interface AuditRecord {
  created_at: string;
  node: string;
  from: string;
  source: string;
  source_ip: string;
  operation_id: string;
  operation_type: string;
  operation_result: string;
  http_status_code: number | "";
  http_method: string;
  http_request: unknown;
  duration_ms: number | "";
  args: string[] | "";
  failure: unknown;
}

export interface ImportReport {
  filename: string;
  at: string;
  result: string;
  reason: string;
  config_roots: string[];
  left_out: string[];
  tables: Record<string, { rows: number; written_over: number }>;
}

export interface BackupFile {
  filename: string;
  size: number;
  created_at: string;
  node: string;
}
