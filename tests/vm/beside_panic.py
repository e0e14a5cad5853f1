#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with a kernel of its own, kernel WireGuard, and a clock that is a second ahead: a planned move to and fro, then its kernel
panics. The other gateway, the client and the controller are this host's, so that the gap is real. About 35 s.

usage: beside_panic.py KERNEL IMAGE"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration", "lab"))
from labtest import expect, run, running_scene, stood_still, wait_for  # noqa: E402
from lab.cycle import Cycle  # noqa: E402
from lab.faults import takeover  # noqa: E402
from lab.scene import GATEWAYS, HOME  # noqa: E402
from vm_gateway import VmScene  # noqa: E402

AHEAD_S, TOLERANCE_MS = 1, 300
# What is emulated stands still for a while now and then: beats every 500 ms, and what is promised for 50 counts ten times.
LIVENESS, WORST_MS = "500ms", 3500


def skew(scene):
    return next(gateway["skew_ms"] for gateway in scene.controller.status()["gateways"] if gateway["name"] == HOME)


def skew_is_told(scene):
    """The status has it, and readiness warns, and is given all the same."""
    scene.gateways[HOME].set_clock(AHEAD_S)
    wait_for("the status says that its clock is a second ahead", 10, lambda: abs(skew(scene) - AHEAD_S * 1000) < TOLERANCE_MS)
    said = json.loads(scene.controller.machine.run("curl", "-sf", "http://127.0.0.1:9580/readyz"))
    expect(any(HOME in warning and "clock" in warning for warning in said["warnings"]), f"no warning of its clock: {said}")
    print(f"{HOME} is {skew(scene)} ms ahead, and the controller warns of it")


def moves_to_and_fro(scene):
    for target in (scene.other(HOME).name, HOME):
        scene.controller.wait_ready(GATEWAYS)
        last = scene.controller.last_event()
        scene.controller.holdfast("move", scene.controller.endpoint, target)
        back = scene.controller.wait_event(last, "takeover", target)
        scene.wait_steady()
        expect(back.get("back") == 1, f"the session is not back on {target}")


def the_kernel_panics(scene):
    cycle, stalls = Cycle("panic", 1), stood_still(scene)
    scene.controller.wait_ready(GATEWAYS)
    with takeover(scene, cycle):
        scene.gateways[HOME].panic()
    with open(scene.files.log(f"{HOME}-console"), encoding="utf-8", errors="replace") as console:
        expect("Kernel panic - not syncing" in console.read(), "its kernel has not panicked")
    print(f"kernel panic: gap {cycle.gap_ms:.0f} ms, a program waited {cycle.late_ms:.1f} for its turn; {cycle.details}")
    expect(cycle.details["cause"] == "host-dead", f"it moved because of {cycle.details['cause']}")
    if stood_still(scene) > stalls:
        print("not judged, this machine stood still")
        return
    expect(cycle.gap_ms <= WORST_MS + cycle.late_ms, f"a gap of more than {WORST_MS} ms")


def a_machine_panics():
    kernel, image = sys.argv[1:]
    with running_scene(lambda files, programs: VmScene(files, programs, kernel, image, liveness=LIVENESS)) as scene:
        skew_is_told(scene)
        moves_to_and_fro(scene)
        the_kernel_panics(scene)


run(a_machine_panics)
