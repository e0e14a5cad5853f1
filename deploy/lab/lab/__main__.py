# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo: builds the lab, proves traffic, breaks things, prints what the client saw."""
import json
import os
import platform
import shutil
import signal
import sys

from lab import baseline, faults, kept, table
from lab.baseline import BaselineScene
from lab.files import Files
from lab.options import parse
from lab.scene import HoldfastScene
from lab.screen import Screen
from lab.wait import LabError

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Ctrl-C, or a request to end."""


def main():
    options = parse()
    if options.kind != "floating":
        print("demo: --kind balanced is not there yet, only floating is", file=sys.stderr)
        return 2
    if options.stop:
        print(f"{kept.stop_all()} kept lab(s) ended")
        return 0
    _on_ends(_interrupt)
    try:
        return Demo(options).run()
    except Interrupted:
        print("\ndemo: interrupted; nothing left behind", file=sys.stderr)
        return 130
    except LabError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1


class Demo:
    def __init__(self, options):
        self._options, self._screen = options, Screen()
        self._host = {"kernel": ".".join(platform.release().split(".")[:2]), "cpus": len(os.sched_getaffinity(0)),
                      "interval_ms": options.interval}
        self._late, self._kept = [], None

    def run(self):
        cycles, compared = [], []
        if not self._options.only_baseline:
            cycles = self._in_lab(HoldfastScene, faults.FAULTS, self._options.fault)
        if self._options.baseline or self._options.only_baseline:
            compared = self._in_lab(BaselineScene, baseline.FAULTS, [f for f in self._options.fault if f in baseline.FAULTS])
        self._report(cycles, compared)
        return 0 if table.held(cycles, self._promises()) else 1

    def _in_lab(self, kind, known, names):
        """Builds one lab, runs the faults in it, and takes it down again, whatever happens."""
        scratch, scene, kept_running = None, None, False
        try:
            scratch = kept.new_scratch()
            scene = self._new_scene(kind, scratch)
            self._screen.doing("starting the lab ...")
            self._build(scene)
            cycles = [cycle for name in names for cycle in self._cycles(scene, known[name], name)]
            self._late += scene.pings.late_ms(0, float("inf"))
            kept_running = self._options.keep and kind is HoldfastScene
            if kept_running:
                scene.pings.stop()
                self._kept = kept.write_tools(scratch, scene)
            elif kind is HoldfastScene:
                scene.stop()
            return cycles
        except LabError:
            self._screen.done()
            _show_logs(scratch)
            raise
        finally:
            if not kept_running:
                self._take_down(scene, scratch)

    def _new_scene(self, kind, scratch):
        programs = os.environ.get("HOLDFAST_BIN", "")
        options = {"interval_ms": self._options.interval, "outlives": self._options.keep,
                   "client_kernel": self._options.client == "kernel"}
        if self._options.keep:
            options["changed"] = lambda machines: kept.record(scratch, machines)
        if kind is BaselineScene:
            return kind(Files(scratch, programs), **options)
        return kind(Files(scratch, programs), programs, self._options.peers, self._options.liveness, **options)

    def _build(self, scene):
        scene.build()
        scene.wait_steady()
        self._host["wireguard"] = scene.implementation()
        if not self._late:
            self._screen.done(table.heading(scene.implementation(), self._host["kernel"], self._host["cpus"],
                                            _percentile(scene.pings.late_ms(0, float("inf")), 99), self._options.interval))

    def _cycles(self, scene, fault, name):
        for number in range(1, self._options.cycles + 1):
            self._screen.watch(table.label(name, number, self._options.cycles), scene.pings)
            for cycle in fault(scene, number):
                self._screen.done(table.cycle_line(cycle, self._options.cycles))
                self._screen.watch(table.label(name, number, self._options.cycles), scene.pings)
                yield cycle
            self._screen.done()

    def _promises(self):
        return table.CROWDED if self._options.peers else table.PROMISES

    def _report(self, cycles, compared):
        self._host.update(late_p99_ms=round(_percentile(self._late, 99), 2), late_worst_ms=round(max(self._late, default=0), 2))
        if self._options.json:
            self._write_json(cycles, compared)
        self._screen.say("\n" + table.table(cycles, compared, bool(compared), self._promises()) + "\n")
        if table.where_the_time_went(cycles):
            self._screen.say(table.where_the_time_went(cycles))
        self._screen.say(self._kept or "Nothing left behind. Next: --keep (look inside), --baseline, docs/tutorial.md")

    def _write_json(self, cycles, compared):
        figures = {"host": self._host, "cycles": [c.row() for c in cycles], "baseline": [c.row() for c in compared]}
        with open(self._options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")

    def _take_down(self, scene, scratch):
        """No signal interrupts this: what was made is unmade."""
        _on_ends(signal.SIG_IGN)
        self._screen.done()
        if self._options.logs and scratch and os.path.isdir(os.path.join(scratch, "log")):
            shutil.copytree(os.path.join(scratch, "log"), self._options.logs, dirs_exist_ok=True)
        if scene:
            scene.destroy()
        if scratch:
            shutil.rmtree(scratch)
        _on_ends(_interrupt)


def _on_ends(handler):
    for number in _ENDS:
        signal.signal(number, handler)


def _interrupt(number, frame):
    raise Interrupted


def _percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0


def _show_logs(scratch, lines=15):
    """The last words of every daemon, for whoever has to find out why."""
    logs = os.path.join(scratch, "log")
    for name in sorted(os.listdir(logs) if os.path.isdir(logs) else []):
        with open(os.path.join(logs, name), encoding="utf-8", errors="replace") as file:
            last = file.readlines()[-lines:]
        print(f"--- log of {name}, its end\n{''.join(last)}", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
