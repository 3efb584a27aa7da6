"""What an open dashboard asks of the broker: the overview's requests at its own intervals (web/src/api/live.ts)."""
import http.client
import json
import multiprocessing
import os
import time

ASKED = (("/monitor_current", 2), ("/nodes", 5), ("/monitor?latest=3600", 10), ("/alarms?limit=1", 15), ("/license", 60))


def ask(connection, method, path, token=None, body=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": "Bearer " + token} if token else {})
    connection.request(method, "/api/v5" + path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
    return data


def log_in(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    login = ask(connection, "POST", "/login", body=json.dumps({"username": "admin", "password": "public"}))
    return connection, json.loads(login)["token"]


def behind_the_generator():
    """On its processor, with what it leaves: what the generator measures late is not the broker's."""
    os.sched_setaffinity(0, {1})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _poll(port, asked):
    behind_the_generator()
    connection, token = log_in(port)
    due = dict.fromkeys(ASKED, time.monotonic())
    while True:
        next_one = min(due, key=due.get)
        time.sleep(max(0, due[next_one] - time.monotonic()))
        ask(connection, "GET", next_one[0], token)
        asked.value += 1
        due[next_one] += next_one[1]


class Dashboard:
    """Open while the context lasts; `asked` counts requests that were answered."""

    def __init__(self, port):
        self.asked = multiprocessing.Value("Q", 0)
        self._process = multiprocessing.Process(target=_poll, args=(port, self.asked), daemon=True)

    def __enter__(self):
        self._process.start()
        while self.asked.value < len(ASKED):  # the page is there
            if not self._process.is_alive():
                raise RuntimeError("the dashboard was not answered")
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        failed = not self._process.is_alive()
        self._process.terminate()
        self._process.join(10)
        if failed:
            raise RuntimeError("the dashboard was not answered all the time")
