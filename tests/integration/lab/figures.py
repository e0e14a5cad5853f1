#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The section "Faults" of docs/failover-figures.md from what soak.py wrote: figures.py RESULTS prints it, figures.py RESULTS PAGE puts it into
that page. Ends with 1 if a promise was missed or a lab broke, and says so on standard error."""
import json
import re
import statistics
import sys

import hard_faults
import labtest  # noqa: F401: it knows where the lab is
from lab import table

ENOUGH = 50
PROMISES = table.PROMISES | hard_faults.PROMISES
EVENTS = table.EVENTS | {
    "agent-stop": "agent stopped for 10 s", "controller-cut": "owner cut off from its controller",
    "gateway-cut": "owner cut off from all but clients", "controller-then-owner": "controller killed, then the owner",
    "one-box": "owner and controller on one box", "failback": "preferred gateway back (`preempt`)", "reboot": "orderly reboot"}
KEEPALIVED = "keepalived-"
HEAD = """## Faults

Made by `tests/integration/lab/figures.py build/soak-lab.jsonl` of what `tests/run soak` measured: the lab of `deploy/lab/demo`, a stock
wireguard-go client behind a NAT, a ping every 10 ms to two hosts; the worse one counts. A gap is the longest time between two answers, less
those 10 ms. What each fault is: [deploy/lab/lab/faults.py](../deploy/lab/lab/faults.py), [hard_faults.py](../tests/integration/lab/hard_faults.py);
what is promised and why: [failure-model.md](failure-model.md).
"""
COLUMNS = ("fault", "cycles", "gap median", "99th percentile", "worst", "lost / sent", "promise", "held")


class Reading:
    """One row of the file, as a promise wants it."""

    def __init__(self, row):
        self.details, self.late_ms, self.at = row, row["late_ms"], row["at"]
        self.gap_ms = max(row["outage_ms"], row["far_outage_ms"])
        self.lost, self.sent = max((row["lost"], row["sent"]), (row["far_lost"], row["far_sent"]))


def load(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def percentile(gaps):
    return table.duration(table.tail(gaps)) if len(gaps) >= table.TAIL_OF else "-"


def line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def cells(name, readings, promise):
    gaps, lost, sent = [r.gap_ms for r in readings], sum(r.lost for r in readings), sum(r.sent for r in readings)
    shown = (table.duration(statistics.median(gaps)), percentile(gaps), table.duration(max(gaps))) if lost else ("none", "-", "none")
    cycles = len({r.at for r in readings})
    return (name, cycles, *shown, f"{lost} / {sent}", promise.words() if promise else "-", promise.verdict(readings) if promise else "-")


def grouped(rows):
    groups = {}
    for row in rows:
        if "error" not in row:
            groups.setdefault(row["what"], []).append(Reading(row))
    return groups


def event(name):
    return EVENTS[name.removeprefix(KEEPALIVED)] + (", keepalived" if name.startswith(KEEPALIVED) else "")


def measured_on(rows):
    """Where, and of which revisions."""
    hosts = {(row["host"]["kernel"], row["host"]["cpus"]) for row in rows}
    revisions = sorted({row["host"]["revision"] for row in rows})
    return (f"Measured on {'; '.join(f'Linux {kernel}, {cpus} CPUs' for kernel, cpus in sorted(hosts))}, revision {', '.join(revisions)}.")


def remarks(rows, groups):
    few = [name for name, readings in groups.items() if len({r.at for r in readings}) < ENOUGH]
    if few:
        yield f"**Not the whole run yet**: {len(few)} rows have fewer than {ENOUGH} cycles. `tests/run soak` goes on where this ended."
    for row in rows:
        if "error" in row:
            yield f"**Broken**: {event(row['what'])}: {row['error']}"


def section(rows, groups):
    yield HEAD
    yield measured_on(rows) + "\n"
    yield line(COLUMNS)
    yield line("---" for _ in COLUMNS)
    for name in [*PROMISES, *(name for name in groups if name.startswith(KEEPALIVED))]:
        if name in groups:
            yield line(cells(event(name), groups[name], PROMISES.get(name)))
    yield ("\n`noisy`: a time is too long by no more than what a program on this machine had to wait for its turn meanwhile. \"3.35 s\": from the fault to\n"
           "the first answer, which is the lease and 350 ms. Under keepalived (adverts every 0.1 s) wg-quick makes the tunnel, and WireGuard's own timers the gap.")
    for remark in remarks(rows, groups):
        yield "\n" + remark


def misses(rows, groups):
    return ([event(name) for name, promise in PROMISES.items() if name in groups and promise.verdict(groups[name]) == "MISSED"]
            + [f"{event(row['what'])}: {row['error']}" for row in rows if "error" in row])


def put(path, text):
    """In the place of the section that the page has, or at its end."""
    with open(path, encoding="utf-8") as file:
        page = file.read()
    found = re.search(r"^## Faults\n.*?(?=^## |\Z)", page, re.M | re.S)
    begin, end = found.span() if found else (len(page), len(page))
    page = page[:begin].rstrip("\n") + "\n\n" + text.strip("\n") + "\n\n" + page[end:]
    with open(path, "w", encoding="utf-8") as file:
        file.write(page.rstrip("\n") + "\n")


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: figures.py RESULTS [PAGE]", file=sys.stderr)
        return 2
    rows = load(sys.argv[1])
    groups = grouped(rows)
    text = "\n".join(section(rows, groups))
    if len(sys.argv) == 3:
        put(sys.argv[2], text)
    else:
        print(text)
    for missed in misses(rows, groups):
        print(f"figures: did not hold: {missed}", file=sys.stderr)
    return 1 if misses(rows, groups) else 0


if __name__ == "__main__":
    sys.exit(main())
