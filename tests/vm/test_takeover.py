#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A power cut with kernel WireGuard on the gateways and on the client. Emulation is slow, so the gap is printed and held only
against the 15 s that WireGuard's own timers would take."""
import os
import shutil
import sys
import tempfile

from lab import faults, table
from lab.files import Files
from lab.scene import HoldfastScene
from lab.wait import LabError

INTERVAL_MS, LIVENESS, LIMIT_MS = 50, "500ms", 10_000


def run(scene):
    scene.build()
    if scene.implementation() != "kernel WireGuard":
        raise LabError(f"the gateways run {scene.implementation()}")
    for cycle in faults.power(scene, 1):
        print(f"power cut on kernel WireGuard: {table.duration(cycle.gap_ms)}, {cycle.worse.lost} of {cycle.worse.sent} lost, now {cycle.owner}")
        if cycle.gap_ms > LIMIT_MS:
            raise LabError(f"the gap is longer than {table.duration(LIMIT_MS)}")
    scene.stop()


def main():
    scratch, programs = tempfile.mkdtemp(), os.environ["HOLDFAST_BIN"]
    if not os.path.exists(os.path.join(programs, "holdfast-agent")):
        print("the programs are not built")
        return 1
    scene = HoldfastScene(Files(scratch, programs), programs, liveness=LIVENESS, interval_ms=INTERVAL_MS, client_kernel=True)
    try:
        run(scene)
        return 0
    except LabError as error:
        print(error)
        for name in sorted(os.listdir(os.path.join(scratch, "log"))):
            with open(os.path.join(scratch, "log", name), encoding="utf-8", errors="replace") as log:
                print(f"--- log of {name}", *log.read().splitlines()[-40:], sep="\n")
        return 1
    finally:
        scene.destroy()
        shutil.rmtree(scratch)


sys.exit(main())
