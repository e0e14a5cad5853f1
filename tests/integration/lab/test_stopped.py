# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner's agent is stopped for 10 s (SIGSTOP), longer than its lease: the kernel fences without it. The client is back within the
lease and 350 ms; and from the end of the lease on not one packet of the endpoint comes from the fenced gateway, neither while its
agent stands still nor when it goes on. About 16 s."""
import time

from capture import CLAIMS, capture
from labtest import expect, run, running_scene, stood_still, wait_for
from lab.pings import FAR, LAN
from lab.scene import GATEWAYS, HOME
from lab.table import LEASE_MS

STOPPED_S, AFTER_S, REST_MS = 10, 2, 350


def not_a_packet_from_the_fenced():
    with running_scene() as scene:
        controller, gateway, other = scene.controller, scene.gateways[HOME], scene.other(HOME).name
        wait_for("the session is known", 10, lambda: controller.view().get("sessions") == 1)
        scene.wait_steady()
        taps, last, stalls = {bridge: capture(scene, gateway, bridge) for bridge in CLAIMS}, controller.last_event(), stood_still(scene)
        stopped = time.time()
        gateway.hang()
        fenced = time.time() + LEASE_MS / 1000      # at the latest: nobody has renewed it since
        controller.wait_event(last, "order", other)
        scene.wait_steady()
        back_within_its_time(scene, stopped, stalls)
        scene.pings.settle(stopped + STOPPED_S, patience=0)
        gateway.wake()
        controller.wait_ready(GATEWAYS)
        scene.pings.settle(time.time() + AFTER_S, patience=0)
        expect(controller.owner() == other, f"{controller.owner()} owns it after all")
        for bridge, tap in taps.items():
            packets = tap.stop()
            expect(any(when < stopped for when, _ in packets), f"the capture on {bridge} saw nothing of the owner")
            late = [line for when, line in packets if when >= fenced]
            expect(not late, f"{len(late)} packets from the fenced gateway on {bridge}, the first: {late[:1]}")
            print(f"{bridge}: {len(packets)} packets, the last {(fenced - packets[-1][0]) * 1000:.0f} ms before the lease was over at the latest")


def back_within_its_time(scene, stopped, stalls):
    windows = [scene.pings.window(stopped, time.time(), target) for target in (LAN, FAR)]
    back_ms = max(window.outage[1] for window in windows) * 1000 - stopped * 1000
    late_ms = scene.pings.worst_wait_ms(stopped + LEASE_MS / 1000, time.time())
    print(f"the client was back {back_ms:.0f} ms after the agent was stopped; it missed {max(w.outage_ms for w in windows):.0f} ms")
    if stood_still(scene) > stalls:
        print("not judged, this machine stood still")
        return
    expect(back_ms <= LEASE_MS + REST_MS + late_ms, f"the client was back after {back_ms:.0f} ms, not within the lease and {REST_MS} ms")


run(not_a_packet_from_the_fenced)
