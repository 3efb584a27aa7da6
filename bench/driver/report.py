"""Tables of result lines, for the terminal and for docs/performance.md."""
import json
import os
import pathlib
import platform
import statistics
import subprocess

from . import cases

PEERS = ("flashmq", "mosquitto")


def load(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def median(rows, case, label, field):
    values = [row[field] for row in rows if row.get("case") == case and row.get("label") == label and row.get("ok")
              and isinstance(row.get(field), (int, float)) and not isinstance(row.get(field), bool)]
    return statistics.median(values) if values else None


def base_of(rows, case, bar):
    """The figure a bar's ratio is taken to: a peer or variant of the case, another case's, or a peer's of another case."""
    if ":" in bar.base:
        return median(rows, *bar.base.split(":"), bar.field)
    own = median(rows, case.name, bar.base, bar.field)
    return own if own is not None else median(rows, bar.base, "ours", bar.field)


def judged_label(case):
    return case.variants[-1][0]


def verdict(rows, case, bar):
    """(ratio or None, pass / miss / a dash where something is absent)."""
    value = median(rows, case.name, judged_label(case), bar.field)
    if value is None:
        return None, "–"
    if bar.base:
        base = base_of(rows, case, bar)
        if not base:
            return None, "–"
        value /= base
    return (value if bar.base else None), "pass" if bar.met(value) else "MISS"


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def spread(rows, case):
    """Runs of ours, and whether any run of the case was noisy."""
    mine = [row for row in rows if row.get("case") == case.name]
    failed = sum(not row.get("ok") for row in mine)
    runs = sum(row.get("label") == judged_label(case) for row in mine)
    return f"{runs}{'*' if any(row.get('noisy') for row in mine) else ''}" + (f" ({failed} failed)" if failed else "")


def table(rows, group):
    chosen = [case for case in cases.ALL if case.group == group and any(row.get("case") == case.name for row in rows)]
    labels = [label for label in dict.fromkeys([name for case in chosen for name, _ in case.variants] + list(PEERS))
              if any(row.get("label") == label and row.get("case") in {case.name for case in chosen} for row in rows)]
    lines = ["| case | figure | " + " | ".join(labels) + " | ratio | bar | | runs |", "|---" * (len(labels) + 6) + "|"]
    for case in chosen:
        for field in case.shown():
            figures = [median(rows, case.name, label, field) for label in labels]
            if all(figure is None for figure in figures):
                continue
            bar = next((one for one in case.bars if one.field == field), None)
            ratio, result = verdict(rows, case, bar) if bar else (None, "")
            lines.append(f"| {case.name} | {field} | " + " | ".join(map(number, figures)) +
                         f" | {number(ratio) if ratio else ''} | {bar.text() if bar else ''} | {result} | {spread(rows, case)} |")
    return "\n".join(lines + falls(rows, chosen))


def falls(rows, chosen):
    """How far a rate falls from the least to the largest of cases that name each other as `falls_from`."""
    lines = []
    for case in chosen:
        if not case.falls_from:
            continue
        first, last = (median(rows, name, judged_label(case), case.falls_field) for name in (case.falls_from, case.name))
        if not first or last is None:
            continue
        fall = 1 - last / first
        lines.append(f"{case.falls_field} of {judged_label(case)} from {case.falls_from} to {case.name}: "
                     f"{-fall:+.0%}; may fall by {case.falls_most:.0%}: {'pass' if fall <= case.falls_most else 'MISS'}.  ")
    return ["", *lines] if lines else []


def first_line(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except OSError:
        return ""
    return ((done.stdout or done.stderr).splitlines() or [""])[0]


def machine(programs):
    """The machine and the versions, as a list. programs: label -> path."""
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), platform.machine())
    virtual = "virtual machine" if "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text() else "no hypervisor seen"
    memory = int(open("/proc/meminfo", encoding="ascii").readline().split()[1]) / 1048576
    lines = [f"- {cpu}, {os.cpu_count()} processors ({virtual}), {memory:.0f} GiB, Linux {platform.release()}"]
    options = {"ours": ["--version"], "flashmq": ["--version"], "mosquitto": ["-h"]}
    lines += [f"- {label}: {first_line([path, *options[label]])}" for label, path in programs.items()]
    return "\n".join(lines)


def fill(page, name, text):
    """Puts `text` between the page's markers of that name; a page without them stays as it is."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
    content = page.read_text()
    if begin not in content:
        return
    head, rest = content.split(begin, 1)
    page.write_text(head + begin + text + "\n" + end + rest.split(end, 1)[1])
