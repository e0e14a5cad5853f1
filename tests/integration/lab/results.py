# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of what was measured: a line of JSON for each cycle, or for each part of one. Lines are only ever added, by several programs at
once and by later runs, on this machine or another.

  what, part   the fault, and of what, where a cycle measures several things at once; `at`: when it began, which names the cycle
  gap          the longest time between two answers less the pings' interval, in ms; lost, sent: pings to the host that was worse off
  late         the longest that a program on this machine waited for its turn during the gap, in ms
  back         from the fault to the gap's end, in ms, where that is what is promised
  noticed      from the fault to the order, in ms, where there was one; taken: from there to the first session that was back
  home         [gap, lost, sent] of the planned move back home afterwards, where there was one
  still        1 if this machine stood still meanwhile (labtest.py): then no time of the cycle is judged, and every lost packet is
  error        instead of all these: the lab broke, and why
  rev, host    of which revision (+: and something that was not committed), and on what machine
"""
import json
import os
import platform
import re
import subprocess
from collections import Counter

from labtest import ROOT

FIGURES = "docs/failover-figures.*"      # being measured makes them change
_LICENSE = {"SPDX-License-Identifier": "GPL-2.0-or-later"}


class Results:
    def __init__(self, path):
        self.path = path
        self._where = {"rev": _revision(), "host": _host()}

    def rows(self):
        return load(self.path) if os.path.exists(self.path) else []

    def done(self):
        """The number of whole cycles of each fault."""
        return cycles(self.rows())

    def add(self, what, at, cycles, still=False):
        """All that was measured in one cycle, in one step."""
        self._write([{"what": what, "at": round(at, 2), **_measured(cycle), **({"still": 1} if still else {}), **self._where} for cycle in cycles])

    def add_error(self, what, at, error):
        self._write([{"what": what, "at": round(at, 2), "error": str(error).split("\n", 1)[0], **self._where}])

    def _write(self, rows):
        """One write, so that programs that add at once do not mix their lines. One that was cut off is left to itself."""
        out = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(out).st_size
            first = "" if size else json.dumps(_LICENSE) + "\n"
            apart = "\n" if size and os.pread(out, 1, size - 1) != b"\n" else ""
            os.write(out, (apart + first + "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)).encode())
        finally:
            os.close(out)


def load(path):
    """Whole lines only: the last one of a run may have been cut off."""
    with open(path, encoding="utf-8") as file:
        return [row for row in map(_row, file) if "what" in row]


def _row(line):
    try:
        return json.loads(line) if line.endswith("}\n") else {}
    except ValueError:
        return {}


def cycles(rows):
    return Counter(what for what, _ in {(row["what"], row["at"]) for row in rows if "error" not in row})


def _measured(cycle):
    worse = max(cycle.lan, cycle.far, key=lambda window: (window.lost, window.sent))
    part, back = cycle.details.get("part"), cycle.details.get("back_ms")
    return {**({"part": part} if part else {}), "gap": round(cycle.gap_ms, 1), "lost": worse.lost, "sent": worse.sent,
            "late": round(cycle.late_ms, 1), **({} if back is None else {"back": back}), **_parts(cycle.details), **_home(cycle.details)}


def _parts(details):
    """Of what a gap is made."""
    return {key: details[detail] for key, detail in (("noticed", "detect_ms"), ("taken", "takeover_ms")) if details.get(detail) is not None}


def _home(details):
    return {"home": [details[f"failback_{key}"] for key in ("ms", "lost", "sent")]} if "failback_sent" in details else {}


def _git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _revision():
    return (_git("rev-parse", "--short=7", "HEAD") or "unknown") + ("+" if _git("status", "--porcelain", "-uno", "--", ".", f":!{FIGURES}") else "")


def _host():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return f"Linux {platform.release()}, {len(os.sched_getaffinity(0))} CPUs{f' ({model.group(1).strip()})' if model else ''}"
