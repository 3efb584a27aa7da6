import type { en } from "./en";

export const zh: typeof en = {
  common: {
    add: "添加", broken: "页面无法显示", brokenHint: "页面加载后服务器可能已更新，请重新加载以使用当前版本。",
    cancel: "取消", close: "关闭", copied: "已复制", copy: "复制", delete: "删除", enabled: "启用", loading: "加载中", no: "否",
    noPage: "页面不存在。", note: "备注", refresh: "刷新", reload: "重新加载", retry: "重试", running: "运行中", save: "保存",
    status: "状态", stopped: "已停止", updated: "更新时间", yes: "是",
  },
  error: { failed: "请求失败", forbidden: "当前角色无权执行此操作", notDone: "未能完成", unreachable: "服务器没有响应" },
  shell: {
    account: "{{name}} 的账户", alarms_one: "{{count}} 条活动告警", alarms_other: "{{count}} 条活动告警", apiDocs: "API 文档",
    logOut: "退出登录", menu: "菜单", skip: "跳到内容", toDark: "使用深色主题", toLight: "使用浅色主题",
  },
  navGroup: { monitoring: "监控", access: "访问控制", management: "管理", diagnose: "问题分析", system: "系统" },
  nav: {
    overview: "概览", nodes: "节点", clients: "客户端", subscriptions: "订阅", topics: "主题", retained: "保留消息",
    delayed: "延迟消息", alarms: "告警", authentication: "认证", authorization: "授权", banned: "黑名单",
    listeners: "监听器", configuration: "配置", websocket: "WebSocket 客户端", topicMetrics: "主题监控",
    slow: "慢订阅", trace: "日志追踪", users: "用户", apiKeys: "API 密钥", audit: "审计日志", backup: "备份与恢复",
    license: "许可证", settings: "设置",
  },
  role: { administrator: "管理员", viewer: "查看者", publisher: "发布者" },
  login: {
    expired: "会话已结束，请重新登录以继续。", title: "登录", username: "用户名", password: "密码", button: "登录",
    hint: "新节点的用户为 admin，密码为 public；从其他机器登录前必须先修改密码。",
  },
  password: {
    title: "修改密码", firstTitle: "请设置自己的密码", firstHint: "此节点仍在使用众所周知的默认密码。修改之前，只能在节点所在的机器上登录。",
    old: "当前密码", new: "新密码", again: "再次输入新密码", rule: "8 到 64 个字符，至少包含字母、数字和符号中的两种",
    same: "与当前密码相同", differs: "两次输入不一致", button: "修改密码", done: "密码已修改，请使用新密码登录。",
  },
  form: {
    addEntry: "添加", newName: "新名称", noEntry: "还没有条目。", pairName: "名称 {{number}}", pairValue: "值 {{number}}", raise: "上移 {{entry}}", remove: "删除 {{entry}}",
    afterRestart: "重启后生效",
    changedMeanwhile: "这些设置刚刚被其他人修改，未保存任何内容。", loadAnew: "载入最新设置",
    expected: "应为：{{expects}}", notes: "{{help}}（{{notes}}）", colon: "：", semicolon: "；", notJson: "不是有效的 JSON。", required: "必填", reveal: "显示或隐藏输入内容", saved: "已保存", undo: "撤销更改",
  },
  leave: { title: "不保存就离开？", text: "此处的更改尚未保存，离开后将丢失。", button: "离开" },
  filter: { any: "任意", clear: "清除", nothing: "没有符合条件的结果。" },
  table: {
    actions: "操作", all: "选择所有行", choose: "选择 {{key}}", next: "下一页", pages: "分页", perPage: "每页行数", previous: "上一页", total: "共 {{total}} 条",
  },
  qos: { 0: "最多一次", 1: "至少一次", 2: "仅一次" },
  payload: {
    empty: "（空）", form: "有效载荷的显示方式", hex: "十六进制", notJson: "有效载荷不是 JSON。", show: "查看 {{topic}} 的有效载荷", text: "文本", tooLarge: "有效载荷过大，无法在此显示。",
  },
  overview: {
    allSessions: "会话", connections: "连接", dropped: "丢弃", live: "在线", messageRates: "每秒消息数", perSecond: "条/秒",
    range: "时间范围", ranges: { "1h": "1 小时", "6h": "6 小时", "12h": "12 小时", "1d": "1 天", "3d": "3 天", "7d": "7 天" }, received: "接收", sent: "发送",
    sessions: "共 {{total}} 个会话", subscriptions: "订阅", topics: "主题",
  },
  node: {
    about: "节点信息", files: "文件描述符上限", gauges: "当前值与最高值", load: "CPU 负载 1/5/15", logPath: "日志", memory: "内存", name: "名称", none: "没有节点响应。",
    one: "节点", processes: "线程", role: "角色", sysPath: "安装目录", uptime: "运行时长", version: "版本",
  },
  clients: {
    address: "地址", awaitingRel: "等待 PUBREL", bytes: "字节", cleanStart: "全新开始", clientid: "客户端 ID", connected: "已连接", connectedAfter: "连接时间晚于", connectedAt: "连接时间", connectedBefore: "连接时间早于", connection: "连接",
    created: "创建于", disconnectedAt: "断开时间", droppedExpired: "丢弃：已过期", droppedFull: "丢弃：队列已满", droppedLarge: "丢弃：过大", droppedReceived: "丢弃：已接收但未转发",
    expiry: "过期间隔", forEver: "永不过期", inflight: "飞行窗口", ip: "IP 地址", keepalive: "心跳", kick: "踢下线", kickChosen_one: "踢下线 {{count}} 个客户端", kickChosen_other: "踢下线 {{count}} 个客户端",
    kickOne: "踢下线 {{clientid}}", kickText_one: "{{first}} 将被断开，其会话将结束。", kickText_other: "{{count}} 个客户端将被断开，其会话将结束。", kickTitle: "确定踢下线？", kicked: "已踢下线",
    listener: "监听器", messages: "消息", mountpoint: "挂载点", none: "没有客户端连接，也没有保留的会话。", offline: "离线", packets: "报文", protocol: "协议", queue: "队列",
    resumes: "保留会话", session: "会话", startedClean: "全新开始", traffic: "流量", username: "用户名", withConnection: "随连接结束",
  },
  subscriptions: {
    add: "添加订阅", exact: "主题（精确）", group: "共享组", match: "匹配主题", noLocal: "不收自己的消息", none: "没有订阅。",
    remove: "取消订阅 {{topic}}", removed: "已取消订阅", retainAsPublished: "保留发布标志", retainHandling: "保留消息处理",
    rh0: "0 – 发送保留消息", rh1: "1 – 仅新订阅时发送", rh2: "2 – 不发送", subscribe: "订阅", topic: "主题过滤器",
    topicHint: "+ 代表一层，# 代表其余各层；$share/组/过滤器 为共享订阅。",
  },
  publish: {
    button: "发布", done: "已发布", encoding: "有效载荷格式", misses: "该客户端未订阅此主题，收不到这条消息。", nobody: "已发布；没有订阅者",
    notSubscribed: "该客户端没有订阅。", payload: "有效载荷", retain: "保留", subscribed: "已订阅：{{filters}}", to: "向 {{clientid}} 发布", topic: "主题",
  },
  topics: { hint: "所有被订阅的主题过滤器，每个节点一行。", none: "没有任何订阅。" },
  retained: {
    clear: "全部删除", clearText: "将删除此节点的所有保留消息，与当前筛选无关。", clearTitle: "删除所有保留消息？", cleared: "已全部删除", delete: "删除 {{topic}} 的保留消息", deleteTitle: "删除这条保留消息？", deleted: "已删除", filter: "主题或过滤器", none: "没有保留消息。", publishedAt: "发布时间",
  },
  delayed: {
    delay: "延迟", delete: "删除发往 {{topic}} 的延迟消息", deleteTitle: "删除这条延迟消息？", deleted: "已删除", expected: "预计时间",
    hint: "发布到 $delayed/秒数/主题 的消息在此等待到期。", none: "没有等待中的消息。", remaining: "剩余",
  },
  alarms: {
    active: "当前", clear: "清空历史", clearText: "已结束的告警将被清除，当前告警保留。", clearTitle: "清空历史？", cleared: "历史已清空",
    duration: "持续时间", message: "内容", name: "名称", none: "一切正常，没有告警。", nonePast: "没有历史告警。", past: "历史", since: "开始时间", until: "结束时间", which: "显示哪些告警",
  },
  banned: {
    add: "添加黑名单", at: "开始时间", button: "封禁", by: "操作者", clear: "解除全部封禁", clearText: "所有被封禁者将可以重新连接。", clearTitle: "解除全部封禁？", cleared: "已解除全部封禁",
    clientid: "客户端 ID", kind: "类型", none: "黑名单为空。", peerhost: "IP 地址", clientid_re: "客户端 ID（正则表达式）", username_re: "用户名（正则表达式）", peerhost_net: "网段", reason: "原因", remove: "解除对 {{who}} 的封禁", removed: "已解除封禁", until: "到期时间", untilHint: "留空：永久。", username: "用户名", who: "对象",
  },
  chain: {
    asked: "结果", connected: "已连接", connecting: "连接中", counts: "通过 {{success}}，拒绝 {{failed}}", disconnected: "已断开", down: "下移 {{id}}", enableOne: "启用 {{id}}", inconsistent: "不一致",
    metric: { total: "总数", success: "通过", failed: "拒绝", nomatch: "未匹配", allow: "允许", deny: "拒绝", rate: "每秒", rate_last5m: "每秒（近 5 分钟）", rate_max: "每秒（最高）" },
    one: "机制", remove: "删除 {{id}}", removeText: "{{id}} 及其自身保存的用户将被移除。", removeTitle: "确定删除？", removed: "已删除", settings: "设置", up: "上移 {{id}}",
  },
  authn: {
    add: "添加认证机制", addUser: "添加用户", added: "已添加", editUser: "编辑 {{user}}", hint: "按此顺序依次认证，由第一个认识该客户端的机制决定。没有任何机制时，所有客户端均可连接。", import: "导入用户",
    imported: "用户已导入", keepPassword: "留空：密码不变。", mechanism: "认证机制", none: "未设置认证：所有客户端均可连接。", noUsers: "还没有用户。", removeUser: "删除 {{user}}",
    removeUserText: "该用户将无法再连接。", superuser: "超级用户", superuserHint: "不受规则限制，允许一切操作。", userId: "用户 ID", userRemoved: "已删除", users: "用户",
  },
  mechanism: {
    password_based_built_in_database: "密码，内置数据库", password_based_http: "密码，HTTP 服务", password_based_mysql: "密码，MySQL", password_based_postgresql: "密码，PostgreSQL",
    password_based_redis: "密码，Redis", password_based_mongodb: "密码，MongoDB", password_based_ldap: "密码，LDAP", jwt: "JSON Web Token", scram_built_in_database: "SCRAM，内置数据库",
  },
  authz: {
    action: "操作", add: "添加授权源", addRule: "添加规则", addRules: "添加规则", added: "已添加", all: "发布和订阅", allow: "允许", cacheCleared: "缓存已清除", cacheEmpty: "近期没有授权请求。",
    cacheOf: "近期授权结果", clearAllCaches: "清除所有客户端的缓存", clearCache: "清除", deny: "拒绝", editRules: "编辑 {{name}} 的规则",
    hint: "按此顺序依次查询，由第一个有匹配规则的授权源决定。", kind: { clients: "按客户端 ID", users: "按用户名", all: "所有人" }, noRules: "还没有规则。", none: "没有授权源。",
    permission: "权限", permissions: "权限", publish: "发布", raise: "上移规则 {{number}}", removeRule: "删除规则 {{number}}", removeRules: "删除 {{name}} 的规则", ruleNumber: "规则 {{number}}",
    rules: "规则", rulesFile: "读取自 {{path}}。修改后的规则保存在节点自己的文件中，此后以该文件为准。", rulesHint: "每行一条规则，自上而下匹配：{allow, {username, \"dashboard\"}, subscribe, [\"$SYS/#\"]}.", rulesRemoved: "已删除", rulesUnread: "无法显示规则：文件 {{path}} 不存在、过大或不是规则文件。请在节点上修正。", source: "授权源", sources: "授权源", subscribe: "订阅", whose: "规则对象",
  },
  source: {
    file: "文件", built_in_database: "内置数据库", http: "HTTP 服务", mysql: "MySQL", postgresql: "PostgreSQL", mongodb: "MongoDB", redis: "Redis", ldap: "LDAP",
  },
  listeners: {
    add: "添加监听器", bind: "绑定地址", bindHint: "端口，或地址和端口：1884、127.0.0.1:1884、[::1]:1884", done: "已完成", hint: "多数更改对新连接生效；更改地址会重新打开监听器并断开其客户端。",
    name: "名称", nameRule: "以字母开头，后跟字母、数字、- 和 _", none: "没有监听器。", one: "监听器", remove: "删除 {{id}}", removeText: "监听器将关闭，其客户端将断开。", removed: "已删除",
    restart: "重启 {{id}}", stop: "停止", stopText: "其客户端将断开，节点重启后仍保持停止。", stopTitle: "停止 {{id}}？", type: "类型",
    types: { tcp: "TCP", ssl: "TLS", ws: "WebSocket", wss: "WebSocket（TLS）" },
  },
  configuration: {
    hint: "节点运行时可以更改的配置。保存的更改在重启后仍然有效。", noSchema: "此节点没有这些设置。",
    mqtt: "MQTT", retainer: "保留消息", delayed: "延迟消息", rewrite: "主题重写", auto_subscribe: "自动订阅", flapping_detect: "连接抖动", force_shutdown: "强制关闭", force_gc: "内存回收", limiter: "速率限制", sys_topics: "系统主题", log: "日志",
    sysmon: "系统监控", alarm: "告警", dashboard: "控制台", prometheus: "Prometheus", slow_subs: "慢订阅",
  },
  websocket: {
    add: "新建客户端", clear: "清空", close: "关闭此客户端", connect: "连接", disconnect: "断开", hint: "页面内的 MQTT 客户端，用于调试。离开页面即结束。", messages: "消息",
    none: "还没有收发消息。", publish: "发布", received: "接收", sent: "发送", state: { off: "未连接", connecting: "连接中", on: "已连接" }, subscribe: "订阅", tab: "客户端 {{number}}", url: "地址", urlRule: "ws:// 或 wss://，主机、端口和路径",
  },
  topicMetrics: {
    add: "监控主题", dropped: "丢弃", hint: "统计单个主题的消息，自添加时开始。", in: "流入", noWildcards: "主题名，不含 + 和 #", none: "没有监控的主题。", out: "流出", remove: "停止监控 {{topic}}",
    reset: "将 {{topic}} 的计数清零", since: "开始时间", wasReset: "计数已清零",
  },
  slow: { clear: "清空", cleared: "已清空", hint: "投递耗时最长的订阅，最慢的在前。", none: "没有慢订阅，或尚未启用统计。", took: "耗时" },
  trace: {
    add: "新建追踪", by: "追踪对象", clientid: "客户端 ID", download: "下载 {{name}}", empty: "还没有记录。", from: "开始", hint: "在一段时间内记录一个客户端、主题或地址的全部活动。", ip_address: "IP 地址", minutes: "分钟", more: "继续读取",
    name: "名称", nameRule: "以字母开头，后跟字母、数字、- 和 _", none: "还没有追踪。", payload: "有效载荷", payloads: { text: "文本", hex: "十六进制", hidden: "隐藏" }, read: "已读取 {{size}}", remove: "删除 {{name}}", removed: "已删除", size: "大小", start: "开始",
    status: { running: "运行中", waiting: "等待中", stopped: "已停止" }, stop: "停止 {{name}}", stopped: "已停止", topic: "主题", until: "结束",
  },
  users: {
    add: "添加用户", edit: "编辑 {{name}}", nameRule: "字母、数字和 _", none: "没有用户。", password: "修改 {{name}} 的密码", remove: "删除 {{name}}", removeText: "该用户的所有登录将立即失效。", removed: "已删除",
    role: "角色", roleHint: "查看者可以查看一切，但不能更改。", source: "来源",
  },
  apiKeys: {
    add: "新建 API 密钥", edit: "编辑 {{name}}", expired: "已过期", expires: "到期时间", expiresHint: "留空：永不过期。", hint: "程序以密钥和密文作为 HTTP 基本认证的用户名和密码。", key: "API 密钥", madeTitle: "API 密钥 {{name}}", name: "名称",
    nameRule: "以字母开头，后跟字母、数字、- 和 _", never: "永不", none: "还没有 API 密钥。", once: "密文只显示这一次，请立即复制。", remove: "删除 {{name}}", removeText: "使用此密钥的程序将立即被拒绝。", removed: "已删除",
    roleHint: { administrator: "除用户和 API 密钥外，允许一切操作。", viewer: "除用户和 API 密钥外，可以读取一切。", publisher: "只能发布消息。" }, secret: "密文",
  },
  audit: {
    address: "地址", after: "晚于", before: "早于", door: "途径", from: { dashboard: "控制台", rest_api: "REST API", cli: "命令行", erlang_console: "终端" }, hint: "谁、何时、从哪里更改了什么，结果如何。", method: "方法", none: "还没有任何更改。",
    off: "审计日志未启用。", operation: "操作", result: "结果", results: { success: "成功", failure: "失败" }, show: "查看 {{operation}}", status: "HTTP 状态", time: "时间", took: "耗时", turnOn: "在日志配置中启用", who: "操作者",
  },
  backup: {
    created: "创建时间", download: "下载 {{name}}", file: "文件", hint: "备份包含配置、用户、密钥、访问规则和黑名单。恢复前先检查全部内容，然后全部应用或完全不应用。", last: "最近一次导入", leftOut: "未导入", made: "备份已创建", make: "新建备份", none: "还没有备份。",
    remove: "删除 {{name}}", removeTitle: "删除此备份？", removed: "已删除", restore: "恢复 {{name}}", restoreButton: "恢复", restoreText: "{{name}} 中的内容将替换此节点上同名的内容，其余保留。", restoreTitle: "恢复此备份？", restored: "已恢复", retained: "包含保留消息", roots: "已更改的配置", rows: "行数",
    size: "大小", tables: "数据表", upload: "上传", uploaded: "已上传", writtenOver: "覆盖",
  },
  license: {
    change: "更改许可证", customer: "客户", deployment: "部署", email: "邮箱", expires: "到期", high: "高于此值告警", howTo: "自行运行的节点无需购买许可证：输入 <key>community</key> 即可解除限制。<key>default</key> 恢复为试用。",
    issued: "签发", key: "许可证密钥", low: "低于此值解除", marks: "连接数告警", marksHint: "已用连接数达到许可连接数的此比例时告警。", order: "必须高于另一个值",
    reset: "恢复试用", resetText: "节点将重新只允许 25 个连接。", resetTitle: "恢复试用？", trialLine: "试用：最多 {{count}} 个连接。要解除限制，请在<page>许可证页面</page>输入密钥 <key>community</key>，或在配置中设置 <key>license.key = community</key>。",
    type: "类型", types: { trial: "试用", official: "正式", community: "社区" }, update: "更新", updated: "许可证已更改", usage: "在线连接",
  },
  settings: {
    browserZone: "浏览器时区（{{zone}}）", hint: "保存在此浏览器中。", language: "语言", now: "当前时间", theme: "主题", themes: { auto: "跟随系统", light: "浅色", dark: "深色" }, timeZone: "时区",
  },
};
