# SPDX-License-Identifier: GPL-2.0-or-later
"""Two boxes, no third: the controller is on one of them, under that gateway's own address. Power cut of that box, three times: the other
succeeds it by itself, and the controller that comes back agrees. About 25 s."""
from hard_faults import PROMISES, one_box
from labtest import expect, run, running_scene
from two_boxes import TwoBoxScene

CYCLES = 3


def owner_and_controller_at_once():
    with running_scene(TwoBoxScene) as scene:
        told = [event for event in scene.controller.events() if "blocked" in event.get("text", "")]
        expect(not told, f"controller and agents do not hear each other: {told}")
        cycles = [cycle for number in range(1, CYCLES + 1) for cycle in one_box(scene, number)]
        for cycle in cycles:
            print(f"gap {cycle.gap_ms:.0f} ms, timers late by {cycle.late_ms:.1f} ms")
            expect(not cycle.details["failback_lost"], f"{cycle.details['failback_lost']} pings were lost on the way back")
        expect(PROMISES["one-box"].verdict(cycles) != "MISSED", f"more than {PROMISES['one-box'].words()}")


run(owner_and_controller_at_once)
