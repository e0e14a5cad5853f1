# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults that the demo leaves out. As the demo's, each is a function of a lab and the number of the cycle that yields what it measured;
what must hold whatever the figures are is expected here."""
import json
import os
import time
from contextlib import contextmanager

from labtest import change_fleet, expect, programs, wait_for
from logind import RebootScene
from two_boxes import TwoBoxScene
from lab import network
from lab.cycle import Cycle, watched
from lab.faults import fail_back, takeover
from lab.scene import GATEWAYS, HOME, HoldfastScene
from lab.table import LEASE_MS, Promise
from lab.wait import LabError

CUT_S, STOPPED_S, BETWEEN_S, LOGIND_S, PREEMPT_MS = 4, 10, 1, 5, 1000      # CUT_S is longer than a lease; LOGIND_S its InhibitDelayMaxSec


def orders(scene, after):
    return [event for event in scene.controller.events(after) if event["event"] == "order"]


def local_events(gateway):
    """What its agent's own socket tells, without any controller."""
    out = gateway.machine.run(os.path.join(programs(), "holdfast"), "events", "--json")
    return [json.loads(line) for line in out.splitlines()]


def successions(gateway):
    return [event for event in local_events(gateway) if event["event"] == "succession"]


def agent_stopped(scene, number):
    """SIGSTOP for 10 s, whoever owns it meanwhile."""
    cycle, gateway = Cycle("agent-stop", number), scene.gateways[HOME]
    with takeover(scene, cycle):
        gateway.hang()
    scene.pings.settle(cycle.began + STOPPED_S, patience=0)
    gateway.wake()
    cycle.details["back_ms"] = round((cycle.back - cycle.began) * 1000)
    fail_back(scene, cycle)
    yield cycle


def controller_cut(scene, number):
    """The owner hears nothing of its controller for longer than a lease, nor that of it; the pool does."""
    cycle, gateway, last = Cycle("controller-cut", number), scene.gateways[HOME], scene.controller.last_event()
    ports = [gateway.port(network.MANAGEMENT), scene.network.controller_port]
    with watched(scene, cycle):
        since = time.time()
        scene.network.isolate(ports, True)
        wait_for("the controller misses it", 20, lambda: any(
            event["event"] == "disconnected" and event["gateway"] == HOME for event in scene.controller.events(last)))
        scene.pings.settle(since + CUT_S, patience=0)
        scene.network.isolate(ports, False)
        wait_for("it is connected again", 20, lambda: any(
            event["event"] == "connected" and event["gateway"] == HOME for event in scene.controller.events(last)))
        scene.controller.wait_ready(GATEWAYS)
    expect(not orders(scene, last), f"the endpoint moved: {orders(scene, last)}")
    yield cycle


def cut_off(scene, cut, gateway=None):
    """The gateway, or else the one at home, hears its clients and its witness, the router, and nobody else."""
    gateway = gateway or scene.gateways[HOME]
    other = scene.other(gateway.name)
    scene.network.isolate([gateway.port(network.OUTER), other.port(network.OUTER)], cut)
    for bridge in (network.LAN, network.MANAGEMENT):
        scene.network.block(gateway.port(bridge), cut)


def gateway_cut(scene, number):
    """In `hold`: it cannot be told from a death."""
    cycle = Cycle("gateway-cut", number)
    with takeover(scene, cycle):
        cut_off(scene, True)
    scene.pings.settle(cycle.began + CUT_S, patience=0)
    cut_off(scene, False)
    fail_back(scene, cycle)
    expect(cycle.details["cause"] == "host-dead", f"it moved because of {cycle.details['cause']}")
    yield cycle


def lose_controller(scene):
    """SIGKILL; it comes back after RESTART_AFTER, and is killed again where that is too early."""
    service = scene.controller.service
    if not service.program():
        return
    try:
        service.kill()
    except LabError:
        if service.program():
            raise              # else it was about to end: by the kill before this one


def controller_then_owner(scene, number):
    """The owner dies while the controller is away."""
    cycle, owner = Cycle("controller-then-owner", number), scene.gateways[HOME]
    with _succession(scene, cycle):
        lose_controller(scene)
        scene.pings.settle(time.time() + BETWEEN_S, patience=0)
        cycle.began = owner.power_off()
    owner.power_on()
    _adopted(scene, scene.other(HOME).name)
    fail_back(scene, cycle)
    yield cycle


def one_box(scene, number):
    """Owner and controller on one box, and its power is cut; in a lab of two boxes."""
    cycle, box = Cycle("one-box", number), scene.gateways[HOME]
    with _succession(scene, cycle):
        cycle.began = box.power_off()
    box.power_on()
    _adopted(scene, scene.other(HOME).name)
    fail_back(scene, cycle)
    yield cycle


def reboot(scene, number):
    """logind tells that the host goes down; it does when its endpoint has moved, and is back as a standby. In a lab with logind."""
    cycle, gateway, last = Cycle("reboot", number), scene.gateways[HOME], scene.controller.last_event()
    with watched(scene, cycle):
        gateway.logind.tell("shutdown")
        gateway.logind.wait_released(LOGIND_S)
        expect(scene.owner() != HOME, "the host may go down, and still has the endpoint")
        gateway.reboot()
        scene.controller.wait_ready(GATEWAYS)
    expect([event["cause"] for event in orders(scene, last)] == ["leaving"], f"it moved because of {orders(scene, last)}")
    scene.go_home()
    yield cycle


class PreemptScene(HoldfastScene):
    """The preferred gateway gets its endpoint back by itself."""

    def build(self):
        super().build()
        change_fleet(self, lambda text: text.replace("preempt: never", f"preempt: {PREEMPT_MS}ms"))


def failback(scene, number):
    """The preferred gateway is back, and gets its own when it has been well for long enough. In a lab with `preempt:`."""
    cycle, gateway = Cycle("failback", number), scene.gateways[HOME]
    gateway.power_off()
    scene.controller.wait_owner(scene.other(HOME).name)
    with watched(scene, cycle):
        gateway.power_on()
        scene.controller.wait_owner(HOME, 30)
        scene.controller.wait_ready(GATEWAYS)
    yield cycle


@contextmanager
def _succession(scene, cycle):
    """A fault after which the other gateway must serve, though nobody can order it to."""
    heir = scene.other(HOME)
    wait_for("the session is known", 10, lambda: scene.controller.view().get("sessions") == 1)
    before = successions(heir)[-1:]
    with watched(scene, cycle):
        yield
        wait_for(f"{heir.name} succeeds", 20, lambda: successions(heir)[-1:] not in ([], before))
    cycle.owner = heir.name


def _adopted(scene, heir):
    """A controller that is back moves nothing."""
    wait_for("the controller agrees", 60, lambda: scene.controller.owner() == heir)


PROMISES = {"agent-stop": Promise(back_ms=LEASE_MS + 350), "controller-cut": Promise(lossless=True), "gateway-cut": Promise(200, 350),
            "controller-then-owner": Promise(worst_ms=800), "one-box": Promise(worst_ms=800), "failback": Promise(lossless=True),
            "reboot": Promise(lossless=True)}
# Fault: what kind of lab it needs, and itself.
FAULTS = {"agent-stop": (HoldfastScene, agent_stopped), "controller-cut": (HoldfastScene, controller_cut),
          "gateway-cut": (HoldfastScene, gateway_cut), "controller-then-owner": (HoldfastScene, controller_then_owner),
          "one-box": (TwoBoxScene, one_box), "failback": (PreemptScene, failback), "reboot": (RebootScene, reboot)}
