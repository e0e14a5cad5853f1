#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every fault of the lab many times over. Each cycle is a line of JSON in RESULTS, where what earlier calls did stays: a call does what is
missing. `figures.py` makes a page of it.

usage: soak.py RESULTS [--cycles N] [--seconds N] [--fault NAME]... [--no-baseline]
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter

import hard_faults
from labtest import ROOT, Missed, running_scene
from lab import baseline, faults
from lab.baseline import BaselineScene
from lab.scene import HoldfastScene
from lab.wait import LabError

PER_LAB = 10      # cycles, before a new one is built
FAULTS = {name: (HoldfastScene, fault) for name, fault in faults.FAULTS.items()} | hard_faults.FAULTS
BASELINE = {f"keepalived-{name}": (lambda files, programs: BaselineScene(files), fault) for name, fault in baseline.FAULTS.items()}


class Results:
    """The file."""

    def __init__(self, path):
        self._path = path
        self._host = {"kernel": platform.release(), "cpus": len(os.sched_getaffinity(0)), "revision": _revision()}

    def rows(self):
        if not os.path.exists(self._path):
            return []
        with open(self._path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def done(self):
        """The number of whole cycles of each fault."""
        return Counter(name for name, _ in {(row["what"], row["at"]) for row in self.rows() if "error" not in row})

    def add(self, what, at, row):
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, "at": at, **row, "host": self._host}) + "\n")


def _revision():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def run_some(results, name, kind, fault, count, end):
    """So many cycles in one lab, or until the end. A lab that breaks is a row, too."""
    at = time.time()
    try:
        with running_scene(kind=kind) as scene:
            scene.wait_steady()
            for number in range(1, count + 1):
                at = time.time()
                for cycle in fault(scene, number):
                    results.add(name, at, cycle.row())
                if at > end:
                    break
    except (LabError, Missed) as error:
        results.add(name, at, {"error": str(error)})
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def soak(results, chosen, cycles, end):
    """Rounds over all faults, so that a run that is cut short has some of each, and one that breaks keeps no other from its turn."""
    well, turns = True, Counter()
    while time.time() < end:
        done = results.done()
        missing = {name: cycles - done[name] for name in chosen if done[name] < cycles}
        if not missing:
            break
        name = min(missing, key=lambda name: (turns[name], done[name], list(chosen).index(name)))
        turns[name] += 1
        print(f"{name}: {done[name]} of {cycles}", flush=True)
        well &= run_some(results, name, *chosen[name], min(PER_LAB, missing[name]), end)
    return well


def main():
    known = FAULTS | BASELINE
    parser = argparse.ArgumentParser(description="Every fault of the lab many times over.")
    parser.add_argument("results")
    parser.add_argument("--cycles", type=int, default=50, help="of each fault (50)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begins no other cycle after so long")
    parser.add_argument("--fault", action="append", choices=list(known), help="only these")
    parser.add_argument("--no-baseline", action="store_true", help="without keepalived's")
    options = parser.parse_args()
    chosen = {name: known[name] for name in options.fault or (FAULTS if options.no_baseline else known)}
    return 0 if soak(Results(options.results), chosen, options.cycles, time.time() + options.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
