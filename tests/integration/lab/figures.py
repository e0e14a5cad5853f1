#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of faults in docs/failover-figures.md from what soak.py measured (results.py): figures.py RESULTS prints it, figures.py RESULTS PAGE
puts it into that page, between its markers. Ends with 1 if a promise was missed or a lab broke, and says so on standard error."""
import math
import re
import statistics
import sys

import crowd
import exclusive
import hard_faults
from results import cycles, load
from lab import table

ENOUGH = 50
KEEPALIVED, BACK = "keepalived-", "home"
BEGIN, END = "<!-- begin of what figures.py writes -->", "<!-- end of what figures.py writes -->"
PROMISES = table.PROMISES | hard_faults.PROMISES | exclusive.PROMISES | {BACK: table.Promise(lossless=True)} | crowd.PROMISES
EVENTS = table.EVENTS | {
    "agent-stop": "agent stopped for 10 s", "controller-cut": "owner cut off from its controller",
    "gateway-cut": "owner cut off from all but clients", "controller-then-owner": "controller killed, then the owner",
    "one-box": "owner and controller on one box", "failback": "preferred gateway back (`preempt`)", "reboot": "orderly reboot",
    BACK: "moved back home after a fault",
    **{f"{fault}/{part}": f"{what}, client {part.replace('-', ' ')}"
       for fault, what in (("clients", "power"), ("client-moves", "moved, and back")) for part in crowd.PARTS}}
EVENTS |= {name: EVENTS["gateway-cut" if name == "fence-cut" else name.removeprefix("fence-")] + " (`fence`)" for name in exclusive.FAULTS}
COLUMNS = ("fault", "n", "gap p50", "p99", "worst", "lost / sent", "promise", "held")


class Reading:
    """One row of the file, as a promise wants it."""

    def __init__(self, row):
        self.gap_ms, self.lost, self.sent, self.late_ms, self.at = (row[key] for key in ("gap", "lost", "sent", "late", "at"))
        self.details, self.is_judged = {"back_ms": row.get("back")}, not row.get("still")


def percentile(gaps, percent):
    """The smallest that so many of a hundred do not exceed."""
    return sorted(gaps)[math.ceil(len(gaps) * percent / 100) - 1]


def line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def gap_cells(readings):
    """Where every ping was answered there was no gap; TCP has no pings."""
    if any(r.sent for r in readings) and not any(r.lost for r in readings):
        return "none", "none", "none"
    gaps = [r.gap_ms for r in readings]
    return tuple(table.duration(value) for value in (statistics.median(gaps), percentile(gaps, 99), max(gaps)))


def cells(name, readings, promise):
    lost, sent = sum(r.lost for r in readings), sum(r.sent for r in readings)
    return (event(name), len({r.at for r in readings}), *gap_cells(readings), f"{lost} / {sent}" if sent else "-",
            promise.words() if promise else "-", verdict(promise, readings))


def verdict(promise, readings):
    if not promise:
        return "-"
    judged = [r for r in readings if r.is_judged or promise.lossless]
    return promise.verdict(judged) if judged else "not judged"


def grouped(rows):
    """By fault; of a crowd by kind of client; and all the ways back home together, each once."""
    groups, homes = {}, {}
    for row in rows:
        if "error" not in row:
            name = f"{row['what']}/{row['part']}" if row["what"] in crowd.FAULTS else row["what"]
            groups.setdefault(name, []).append(Reading(row))
            if "home" in row:
                homes[row["what"], row["at"]] = Reading({**row, **dict(zip(("gap", "lost", "sent"), row["home"]))})
    return {**groups, BACK: [*homes.values()]} if homes else groups


def event(name):
    return EVENTS.get(name.removeprefix(KEEPALIVED), name) + (", keepalived" if name.startswith(KEEPALIVED) else "")


def measured_on(rows):
    """Where, and of which revisions."""
    hosts, revisions = sorted({row["host"] for row in rows}), sorted({row["rev"] for row in rows})
    return f"Measured on {'; '.join(hosts)}; revision {', '.join(revisions)}."


def remarks(rows):
    few = [name for name, count in cycles(rows).items() if count < ENOUGH]
    if few:
        yield f"**Not the whole run yet**: {len(few)} faults have fewer than {ENOUGH} cycles."
    still = len({(row["what"], row["at"]) for row in rows if row.get("still")})
    if still:
        yield f"In {still} of the cycles this machine stood still: of these no time is judged, and every lost packet is."
    for row in rows:
        if "error" in row:
            yield f"**Broken** (revision {row['rev']}): {event(row['what'])}: {row['error']}"


def section(rows, groups):
    yield measured_on(rows) + "\n"
    yield line(COLUMNS)
    yield line("---" for _ in COLUMNS)
    for name in [*PROMISES, *sorted(name for name in groups if name.startswith(KEEPALIVED))]:
        if name in groups:
            yield line(cells(name, groups[name], PROMISES.get(name)))
    for remark in remarks(rows):
        yield "\n" + remark


def misses(rows, groups):
    return ([event(name) for name, promise in PROMISES.items() if name in groups and verdict(promise, groups[name]) == "MISSED"]
            + [f"{event(row['what'])}: {row['error']}" for row in rows if "error" in row])


def put(path, text):
    """Between the markers of the page."""
    with open(path, encoding="utf-8") as file:
        page = file.read()
    found = re.search(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", page, re.S)
    if not found:
        raise SystemExit(f"figures: {path}: it has no line '{BEGIN}' with '{END}' after it")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page[:found.start()] + text + "\n" + page[found.end():])


def write(results, page=None):
    """Puts the table into the page, or prints it; false if something did not hold."""
    rows = load(results)
    groups = grouped(rows)
    text = "\n".join(section(rows, groups)) if rows else "Nothing was measured yet."
    if page:
        put(page, text)
    else:
        print(text)
    missed = misses(rows, groups)
    for what in missed:
        print(f"figures: did not hold: {what}", file=sys.stderr)
    return not missed


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: figures.py RESULTS [PAGE]", file=sys.stderr)
        return 2
    return 0 if write(*sys.argv[1:]) else 1


if __name__ == "__main__":
    sys.exit(main())
