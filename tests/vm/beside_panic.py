#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with a kernel of its own and kernel WireGuard, whose clock is a second ahead, and then a second behind: a client takes no initiation
that is not newer than the last it took from that key, and both gateways have the same key. Planned moves to and fro under 5 ms pings and 50 more
sessions; then its kernel panics. The other gateway, the clients and the controller are this host's, so that the gap is real. Before all that its
clock jumps by an hour, to and fro, while it serves: not a ping is lost. About 40 s.

usage: beside_panic.py KERNEL IMAGE"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration", "lab"))
from labtest import expect, nothing_lost, run, running_scene, stood_still, wait_for  # noqa: E402
from lab.cycle import Cycle  # noqa: E402
from lab.faults import takeover  # noqa: E402
from lab.scene import GATEWAYS, HOME  # noqa: E402
from swarm import Swarm, known_everywhere  # noqa: E402
from vm_gateway import VmScene  # noqa: E402

SKEWS_S, TOLERANCE_MS, INTERVAL_MS = (1, -1), 300, 5
JUMPS_S, ABOUT_MS = (3600, -3600, 0), 5000      # its clock is about so far off after each: many leases, and back again
SESSIONS, MOVE_TRIES, BOOT_S = 50, 5, 150
# What is emulated stands still for a while now and then: beats every 500 ms, and what is promised for 50 counts ten times.
LIVENESS, WORST_MS = "500ms", 3500


def skew(scene):
    return next(gateway["skew_ms"] for gateway in scene.controller.status()["gateways"] if gateway["name"] == HOME)


def set_clock(scene, skew_s, tolerance_ms):
    scene.gateways[HOME].set_clock(skew_s)
    wait_for(f"the status says that its clock is {skew_s} s off", 10, lambda: abs(skew(scene) - skew_s * 1000) < tolerance_ms)


def the_clock_jumps(scene):
    """While it serves: nobody is called dead, nothing moves, and no lease ends."""
    last = scene.controller.last_event()
    with nothing_lost(scene, f"its clock is {', '.join(map(str, JUMPS_S))} s off, one after the other"):
        for skew_s in JUMPS_S:
            set_clock(scene, skew_s, ABOUT_MS)
    expect(scene.owner() == HOME, f"{scene.owner()} serves")
    moved = [event for event in scene.controller.events(last) if event["kind"] == "order"]
    expect(not moved, f"it moved: {moved}")


def skew_is_told(scene, skew_s):
    """The status has it, and readiness warns, and is given all the same."""
    set_clock(scene, skew_s, TOLERANCE_MS)
    said = json.loads(scene.controller.machine.run("curl", "-sf", "http://127.0.0.1:9580/readyz"))
    expect(any(HOME in warning and "clock" in warning for warning in said["warnings"]), f"no warning of its clock: {said}")
    print(f"{HOME} is {skew(scene)} ms off, and the controller warns of it")


def ask_to_move(scene, target):
    """A guest that stands still pulls nobody, and the move is called off, which costs nothing: then once more. Returns the event and the time before."""
    for tries_left in reversed(range(MOVE_TRIES)):
        scene.controller.wait_ready(GATEWAYS)
        last, began, stalls = scene.controller.last_event(), time.time(), stood_still(scene)
        code, out, errors = scene.controller.try_holdfast("move", scene.controller.endpoint, target)
        if code == 0:
            return last, began
        expect(tries_left > 0 and stood_still(scene) > stalls, f"no move to {target}: {(errors or out).strip()}")
    return None


def move(scene, target):
    """All sessions are back on the other one, by its own handshakes."""
    last, began = ask_to_move(scene, target)
    back = scene.controller.wait_event(last, "takeover", target)
    expect(back.get("back") == back.get("sessions") == 1 + SESSIONS, f"{target} says that {back.get('back')} of {back.get('sessions')} are back")
    print(f"moved to {target} within {time.time() - began:.1f} s, {back['back']} sessions")


def moves_to_and_fro(scene, skew_s):
    """The second begins as soon as the first is over: what the one that is ahead has stamped is still to come for the other."""
    with nothing_lost(scene, f"moves to and fro, {HOME} {skew_s} s off"):
        for target in (scene.other(HOME).name, HOME):
            move(scene, target)
    scene.wait_steady()


def the_kernel_panics(scene):
    cycle, stalls = Cycle("panic", 1), stood_still(scene)
    scene.controller.wait_ready(GATEWAYS)
    with takeover(scene, cycle):
        scene.gateways[HOME].panic()
    with open(scene.files.log(f"{HOME}-console"), encoding="utf-8", errors="replace") as console:
        expect("Kernel panic - not syncing" in console.read(), "its kernel has not panicked")
    print(f"kernel panic: gap {cycle.gap_ms:.0f} ms, programs waited {cycle.late_ms:.1f} for their turns; {cycle.details}")
    expect(cycle.details["cause"] == "host-dead", f"it moved because of {cycle.details['cause']}")
    if stood_still(scene) > stalls:
        print("not judged, this machine stood still")
        return
    expect(cycle.gap_ms <= WORST_MS + cycle.late_ms, f"a gap of more than {WORST_MS} ms")


def a_machine_panics():
    kernel, image = sys.argv[1:]
    swarm = Swarm(SESSIONS, ping_ms=5000)
    with running_scene(lambda files, programs, **options: VmScene(files, programs, kernel, image, **options), liveness=LIVENESS,
                       interval_ms=INTERVAL_MS, patience_s=BOOT_S, change=lambda text: text + swarm.peer_lines()) as scene:
        try:
            swarm.connect(scene)
            wait_for("both gateways know all sessions", 60, lambda: known_everywhere(scene, 1 + SESSIONS))
            the_clock_jumps(scene)
            for skew_s in SKEWS_S:
                skew_is_told(scene, skew_s)
                moves_to_and_fro(scene, skew_s)
            the_kernel_panics(scene)
        finally:
            swarm.stop()


run(a_machine_panics)
