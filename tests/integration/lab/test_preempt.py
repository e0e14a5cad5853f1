# SPDX-License-Identifier: GPL-2.0-or-later
"""`preempt: 4s`: the preferred gateway gets its endpoint back once it has been well for so long, not sooner, and not a ping is lost.
About 15 s."""
from labtest import change_fleet, expect, nothing_lost, run, running_scene
from lab.scene import GATEWAYS, HOME

PREEMPT_MS = 4000


def events(scene, after, kind):
    return [event for event in scene.controller.events(after) if event["event"] == kind]


def back_after_its_time():
    with running_scene(interval_ms=5) as scene:
        change_fleet(scene, lambda text: text.replace("preempt: never", f"preempt: {PREEMPT_MS}ms"))
        gateway, other = scene.gateways[HOME], scene.other(HOME).name
        gateway.power_off()
        scene.controller.wait_owner(other)
        last = scene.controller.last_event()
        with nothing_lost(scene, "the preferred gateway is back, and gets its own"):
            gateway.power_on()
            scene.controller.wait_ready(GATEWAYS)
            expect(scene.owner() == other, f"{HOME} took it as soon as it was there")
            order = scene.controller.wait_event(last, "order", HOME)
            scene.controller.wait_owner(HOME)
            scene.controller.wait_ready(GATEWAYS)
        expect(order["cause"] == "preempt", f"it moved because of {order['cause']}")
        connected = next(event for event in events(scene, last, "connected") if event["gateway"] == HOME)
        waited_ms = order["time_ms"] - connected["time_ms"]
        expect(waited_ms >= PREEMPT_MS, f"it had been there for {waited_ms} ms only")
        print(f"{HOME} was connected for {waited_ms} ms before it moved")
        expect(len(events(scene, last, "order")) == 1, "it moved more than once")


run(back_after_its_time)
