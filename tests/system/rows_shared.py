"""Keys of subscriptions that must not touch one another (broker.md 8.1, EMQX's fix 10976)."""
import itertools

KEYS = ["{}", "$share/g1/{}", "$share/g2/{}", "$queue/{}"]

# Every order of unsubscribing what one client holds.
ORDERS = list(itertools.permutations(range(len(KEYS))))

STRATEGIES = ["random", "round_robin", "round_robin_per_group", "sticky", "local", "hash_clientid", "hash_topic"]
