"""What is measured: named cases, the generator's arguments, and the bars they are held to.

A bar is a ratio to FlashMQ, or to another variant of the same case, or a figure that stands alone.
"""
import dataclasses

OPEN_LIMITS = {
    "mqtt.max_inflight": 65535, "mqtt.max_mqueue_len": "infinity", "mqtt.max_mqueue_bytes": "infinity",
    "mqtt.max_awaiting_rel": "infinity", "session_persistence.enable": False,
    "retainer.backend.storage_type": "ram",
}
DURABLE = {"session_persistence.enable": True, "session_persistence.durability": "process"}
IDLE_SETTLE = 3  # seconds until a broker's memory is at rest


@dataclasses.dataclass(frozen=True)
class Bar:
    """`field` of ours against `base` ("" = the figure itself); at most or at least `limit`."""
    field: str
    limit: float
    at_least: bool = False
    base: str = "flashmq"

    def met(self, value):
        return value >= self.limit if self.at_least else value <= self.limit

    def text(self):
        limit = f"{self.limit:,.0f}" if self.limit >= 1000 else f"{self.limit:g}"
        return ("≥ " if self.at_least else "≤ ") + limit + (f" x {self.base}" if self.base else "")


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    group: str
    load: str  # arguments of mqttload, or the name of a run of our own after "own:"
    bars: tuple = ()
    fields: tuple = ()  # further fields of the table
    peers: bool = True
    variants: tuple = (("ours", ()),)  # label, settings of ours that differ: pairs
    both: bool = False  # the broker may use both processors
    watched: bool = False  # a dashboard is open
    falls_from: str = ""  # the case of fewer things, whose rate may be more by `falls_most` and no more
    falls_field: str = "match_recv_per_s"
    falls_most: float = 0.2

    def shown(self):
        """The fields of its table, those with a bar first."""
        return list(dict.fromkeys([bar.field for bar in self.bars] + list(self.fields)))


def _cpu(name, load, ratio, *more):
    return Case(name, "cpu", load, (Bar("us_per_msg", ratio), *more), ("recv_per_s", "lat_us_p99"))


def _two_shards(name, load):
    return Case("2shards-" + name, "shards", load, (Bar("us_per_msg", 1.25, base="ours"),), ("recv_per_s",), peers=False,
                variants=(("ours", ()), ("ours-2", (("node.shards", 2),))), both=True)


PACED5K = "pub1to1 --pairs 1000 --rate 5000 --qos 1 --payload 128 --secs 5"
PACED20K = "pub1to1 --pairs 1000 --rate 20000 --qos 0 --payload 128 --secs 5"
PAIRS_Q0 = "pub1to1 --pairs 1000 --window 64 --qos 0 --payload 64 --secs 4"
PAIRS_Q1 = "pub1to1 --pairs 1000 --qos 1 --inflight 16 --payload 64 --secs 4"
FANOUT_Q0 = "fanout --subs 1000 --qos 0 --payload 64 --secs 4"

CPU = [
    _cpu("1to1-q0-64", "pub1to1 --pairs 10 --qos 0 --payload 64 --secs 4", 0.70),
    _cpu("1to1-q1-64", "pub1to1 --pairs 10 --qos 1 --payload 64 --secs 4", 0.60),
    _cpu("1to1-q2-64", "pub1to1 --pairs 10 --qos 2 --payload 64 --secs 4", 0.60),
    _cpu("1to1-q0-1k", "pub1to1 --pairs 10 --qos 0 --payload 1024 --secs 4", 0.60),
    _cpu("1000pairs-q0-64", PAIRS_Q0, 0.70),
    _cpu("1000pairs-q1-64", PAIRS_Q1, 0.60),
    _cpu("paced5k-q1-128", PACED5K, 0.80, Bar("lat_us_p99", 5000, base="")),
    _cpu("paced20k-q0-128", PACED20K, 0.65, Bar("lat_us_p99", 1000, base="")),
    _cpu("fanout1000-q0-64", FANOUT_Q0, 0.60),
    _cpu("fanout1000-q1-64", "fanout --subs 1000 --qos 1 --payload 64 --secs 4", 0.70),
    _cpu("fanin1000-q0-64", "fanin --pubs 1000 --subs 1 --qos 0 --payload 64 --secs 4", 0.85),
    _cpu("fanin1000-shared-q1", "fanin --pubs 1000 --subs 10 --shared --qos 1 --payload 64 --secs 4", 0.75),
    _cpu("tls-1to1-q1-64", "pub1to1 --tls --pairs 10 --qos 1 --payload 64 --secs 4", 0.75),
    Case("churn", "cpu", "connect --conns 200 --churn 5 --src-addrs 8", (Bar("us_per_conn", 0.85),), ("conn_per_s",)),
]

# The same with a dashboard open. The bars stay, and are taken to what FlashMQ did in the cases above.
DASHBOARD = [dataclasses.replace(case, name="dashboard-" + case.name, group="dashboard", peers=False, watched=True,
                                 bars=tuple(dataclasses.replace(bar, base=f"{case.name}:{bar.base}") if bar.base else bar
                                            for bar in case.bars))
             for case in CPU]

SCALE = [Case("connect-15k", "scale", "connect --conns 15000 --src-addrs 4 --hold 5 --conc 256",
              (Bar("conn_per_s", 1.15, True), Bar("rss_per_conn_bytes", 0.40)))]
SCALE += [Case(f"sub-{mix}-100k", "scale", f"subscribe --mix {mix} --filters 100k --match-secs 3",
               (Bar("sub_per_s", 1.5, True), Bar("rss_per_filter_bytes", 0.40)), ("match_recv_per_s",))
          for mix in ("exact", "plus", "shared")]
SCALE += [
    Case("sub-mix-1m", "scale", "subscribe --mix mix --filters 1m --match-secs 3",
         (Bar("sub_per_s", 1.7, True), Bar("match_recv_per_s", 1.3, True), Bar("rss_per_filter_bytes", 0.40))),
    Case("retain-100k", "scale", "retain --messages 100k",
         (Bar("store_per_s", 1.3, True), Bar("fetch_per_s", 1.3, True), Bar("rss_per_retained_bytes", 0.50))),
    Case("session-1000x100-q1", "scale", "session --sessions 1000 --queue 100 --qos 1",
         (Bar("enqueue_per_s", 1.3, True), Bar("drain_per_s", 1.5, True), Bar("rss_per_queued_bytes", 0.50))),
]

DURABLE_CASES = [
    Case("durable-offline-q1", "durable", "session --sessions 1000 --queue 100 --qos 1",
         (Bar("enqueue_per_s", 100_000, True, ""),), ("enqueue_us_per_msg", "drain_per_s"), peers=False,
         variants=(("ours", tuple(DURABLE.items())),)),
    Case("durable-online-q1", "durable", "own:online",
         (Bar("us_per_msg", 3, base="ours-off"),), ("recv_per_s",), peers=False,
         variants=(("ours-off", ()), ("ours", tuple(DURABLE.items())))),
    Case("startup-500k", "durable", "own:startup 500000", (Bar("records_per_s", 500_000, True, ""),), ("start_s",),
         peers=False, variants=(("ours", (("retainer.backend.storage_type", "disc"),)),)),
]

SHARDS = [_two_shards("1000pairs-q0-64", PAIRS_Q0), _two_shards("1000pairs-q1-64", PAIRS_Q1),
          _two_shards("paced20k-q0-128", PACED20K), _two_shards("fanout1000-q0-64", FANOUT_Q0)]

IDLE = [
    Case("idle-tcp", "idle", "own:idle tcp", (), ("rss_per_conn_bytes",), peers=False),
    Case("idle-tls", "idle", "own:idle tls", (Bar("rss_per_conn_bytes", 16384, base=""),), peers=False),
    Case("idle-ws", "idle", "own:idle ws", (Bar("rss_per_conn_bytes", 1.5, base="idle-tcp"),), peers=False),
]

# The basic set of the Open MQTT Benchmark Suite: 1 message a second and publisher, QoS 1, 16-byte topics, 256 bytes.
_SUITE = ("recv_per_s", "conn_per_s", "lat_us_mean", "lat_us_p50", "lat_us_p90", "lat_us_p99", "broker_cores",
          "rss_run_kib", "rss_held_kib")
SUITE = [
    Case("p2p-1K-1K-1K-1K", "suite", "pub1to1 --pairs 1000 --rate 1000 --qos 1 --payload 256 --secs 10", (), _SUITE),
    Case("fanout-1-1k-1-1K", "suite", "fanout --pubs 1 --subs 1000 --rate 1 --qos 1 --payload 256 --secs 10", (), _SUITE),
    Case("sharedsub-1K-5-1K-1K", "suite",
         "fanin --pubs 1000 --subs 5 --shared --rate 1000 --qos 1 --payload 256 --secs 10", (), _SUITE),
    Case("conn-tcp-10k-100", "suite", "connect --conns 10000 --conn-rate 100 --hold 5 --max-secs 140", (), _SUITE),
]

_SCHEMAS = tuple((schema, (("broker.routing.storage_schema", schema),)) for schema in ("v1", "v2"))
ROUTES = [Case(f"routes-{mix}-{size}", "routes", f"subscribe --mix {mix} --filters {size} --match-secs 3", (),
               ("sub_per_s", "unsub_per_s", "match_recv_per_s", "rss_per_filter_bytes"), peers=False, variants=_SCHEMAS,
               falls_from=f"routes-{mix}-10k" if size == "1m" else "")
          for mix in ("exact", "plus", "shared") for size in ("10k", "100k", "1m")]

# Without mqttload: the load of pairs.py, so that there is something to see on any machine. No bar is judged by it.
REDUCED = [Case("reduced-1to1-q1", "reduced", "own:online", (), ("us_per_msg", "recv_per_s"), peers=True)]

ALL = CPU + DASHBOARD + SCALE + DURABLE_CASES + SHARDS + IDLE + SUITE + ROUTES + REDUCED
GROUPS = list(dict.fromkeys(case.group for case in ALL))
