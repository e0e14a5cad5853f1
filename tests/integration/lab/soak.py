#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every fault of the lab many times over. What is measured is added to RESULTS (results.py), where what earlier calls did stays: a call does
what is missing. Several labs run side by side, keepalived's in addition, which does little but wait. `figures.py` makes a table of it.

usage: soak.py RESULTS [--cycles N] [--seconds N] [--fault NAME]... [--labs N] [--no-baseline] [--page FILE]
"""
import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import crowd
import exclusive
import figures
import hard_faults
from labtest import STILL_MS, Missed, running_scene, stood_still
from results import Results
from lab import baseline, faults
from lab.baseline import BaselineScene
from lab.scene import HoldfastScene
from lab.wait import LabError

PER_LAB, LABS, BREAKS = 25, 2, 3      # cycles, before a new lab is built; of Holdfast's, at a time; labs of a fault that may break
# Between pings: where none may be lost; else; and where a gap may be longer than LONG_MS, since pings are most of what a lab costs that waits.
LOSSLESS_MS, INTERVAL_MS, SELDOM_MS, LONG_MS = 5, 10, 25, 500
FEWER = {"failback": 2, "fence-failback": 2}      # in a lab: at the third loss within a minute its gateway is held down
KEEPALIVED = figures.KEEPALIVED
# These do little but wait, and come last: the place that keepalived's have done with is theirs, too.
WAITING = ("agent-stop", "controller-kill", "controller-then-owner", "controller-cut", "agent-hang", "fence-agent-stop", "fence-controller-kill")
STOPPING = ("agent-stop", "agent-hang", "fence-agent-stop")      # their agents stand still whatever the machine does
FAULTS = {**crowd.FAULTS, **hard_faults.FAULTS, **exclusive.FAULTS,
          **{name: (HoldfastScene, fault) for name, fault in faults.FAULTS.items()}}
FAULTS |= {name: FAULTS.pop(name) for name in WAITING}
BASELINE = {KEEPALIVED + name: (lambda files, programs, **options: BaselineScene(files, **options), fault) for name, fault in baseline.FAULTS.items()}
KNOWN = FAULTS | BASELINE


def run_lab(results, names, count, end):
    """So many cycles of each of these faults, which want the same kind of lab, in one, or until the end. A lab that breaks is a row, too."""
    name, at = names[0], time.time()
    try:
        with running_scene(kind=KNOWN[name][0], interval_ms=min(map(_interval_ms, names))) as scene:
            scene.wait_steady()
            for name, number in ((name, number) for name in names for number in range(1, count + 1)):
                at, stalls = time.time(), _stalls(scene, name)
                if at > end:
                    break
                measured = list(KNOWN[name][1](scene, number))
                results.add(name, at, measured, _stalls(scene, name) > stalls or _late_ms(scene, at) > STILL_MS)
                print(f"{name} {number}/{count}: {time.time() - at:.1f} s", flush=True)
    except (LabError, Missed) as error:
        results.add_error(name, at, error)
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _interval_ms(name):
    promise = figures.PROMISES.get(name)
    if not promise:
        return INTERVAL_MS
    if promise.lossless:
        return LOSSLESS_MS
    return SELDOM_MS if (promise.worst_ms or 0) > LONG_MS else INTERVAL_MS


def _stalls(scene, name):
    return 0 if name in BASELINE or name in STOPPING else stood_still(scene)


def _late_ms(scene, since):
    return max(scene.pings.late_ms(since, time.time()), default=0)


class Labs:
    """The labs that run now, each in a process of its own that ends with this one. `places` is how many of a kind may run at a time."""

    def __init__(self, results, end, places):
        self._results, self._end = results, end
        self._free, self._running, self.broken = Counter(places), {}, Counter()

    def place(self, name, quiet_is_spare):
        """Of what kind one is free for this fault, None if there is none."""
        runs = any(name in names for names, _ in self._running.values())
        return next((kind for kind in _kinds(name, quiet_is_spare) if self._free[kind] > 0 and not runs), None)

    def start(self, names, kind, count):
        self._free[kind] -= 1
        command = [sys.executable, "-B", os.path.abspath(__file__), self._results.path, "--lab", *names, "--cycles", str(count),
                   "--until", str(self._end)]
        lab = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_parent)
        self._running[lab] = names, kind

    def wait_one(self):
        """Until one has ended; false if none runs."""
        if not self._running:
            return False
        pid, status = os.wait()
        lab = next(lab for lab in self._running if lab.pid == pid)
        lab.returncode = os.waitstatus_to_exitcode(status)
        names, kind = self._running.pop(lab)
        self.broken.update(names if lab.returncode else ())
        self._free[kind] += 1
        return True

    def stop(self):
        for lab in self._running:
            lab.terminate()
        for lab in self._running:
            lab.wait()


def _kinds(name, quiet_is_spare):
    if name in BASELINE:
        return ("quiet",)
    return ("quiet", "holdfast") if quiet_is_spare and name in WAITING else ("holdfast",)


def _end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


def soak(results, chosen, cycles, end, labs):
    """Rounds over all faults, so that a run that is cut short has some of each, and one that breaks keeps no other from its turn, nor the
    run from its end. False if a lab broke."""
    turns, running = Counter(), Labs(results, end, {"holdfast": labs, "quiet": 1})
    try:
        while True:
            done = results.done()
            due = [name for name in chosen if done[name] < cycles and running.broken[name] < BREAKS] if time.time() < end else []
            spare = not any(name in BASELINE for name in due)
            ready = [name for name in due if running.place(name, spare)]
            if ready:
                name = min(ready, key=lambda name: (turns[name], chosen.index(name)))
                turns[name] += 1
                running.start([name], running.place(name, spare), min(FEWER.get(name, PER_LAB), cycles - done[name]))
            elif not running.wait_one():
                return not running.broken.total()
    finally:
        running.stop()


def _ask_to_end(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)      # once is enough: what was made is being unmade
    sys.exit(128 + number)


def parse():
    parser = argparse.ArgumentParser(description="Every fault of the lab many times over.")
    parser.add_argument("results")
    parser.add_argument("--cycles", type=int, default=50, help="of each fault (50)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begins no other cycle after so long")
    parser.add_argument("--fault", action="append", choices=list(KNOWN), help="only these")
    parser.add_argument("--labs", type=int, default=LABS, help=f"so many of Holdfast's at a time ({LABS})")
    parser.add_argument("--no-baseline", action="store_true", help="without keepalived's")
    parser.add_argument("--page", help="puts the table into this file in the end")
    parser.add_argument("--lab", nargs="+", choices=list(KNOWN), help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    signal.signal(signal.SIGTERM, _ask_to_end)
    results = Results(options.results)
    if options.lab:
        return 0 if run_lab(results, options.lab, options.cycles, options.until) else 1
    chosen = options.fault or list(FAULTS if options.no_baseline else KNOWN)
    try:
        well = soak(results, chosen, options.cycles, time.time() + options.seconds, options.labs)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    print(f"{sum(results.done().values())} cycles of faults so far in {os.path.relpath(results.path)}")
    if options.page:
        well &= figures.write(results.path, options.page)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
