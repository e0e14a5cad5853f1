# SPDX-License-Identifier: GPL-2.0-or-later
"""The faults, each a function of the lab and the number of the cycle that yields what it measured."""
import time
from contextlib import contextmanager

from .cycle import Cycle, watched
from .pings import FAR, LAN
from .scene import GATEWAYS, HOME
from .wait import wait_for


def power(scene, number):
    """The owner loses power and comes back with its disk alone."""
    cycle, gateway = Cycle("power", number), scene.gateways[HOME]
    with takeover(scene, cycle):
        cycle.began = gateway.power_off()
    gateway.power_on()
    fail_back(scene, cycle)
    yield cycle


def link(scene, number):
    """The owner's outer cable is cut, and replugged later."""
    cycle, gateway = Cycle("link", number), scene.gateways[HOME]
    with takeover(scene, cycle):
        gateway.outer_link(False)
    gateway.outer_link(True)
    fail_back(scene, cycle)
    yield cycle


def agent_kill(scene, number):
    """SIGKILL; the agent comes back as systemd would bring it back, the tunnel never noticed."""
    cycle, agent = Cycle("agent-kill", number), scene.gateways[HOME].agent
    with watched(scene, cycle):
        before = agent.program()
        agent.kill()
        wait_for("the agent is restarted", 10, lambda: agent.program() not in (None, before))
        scene.controller.wait_ready(GATEWAYS)
    scene.go_home()
    yield cycle


def agent_hang(scene, number):
    """SIGSTOP, longer than the lease; then it wakes to find another owner."""
    cycle, gateway = Cycle("agent-hang", number), scene.gateways[HOME]
    with takeover(scene, cycle):
        cycle.began = gateway.hang()
    cycle.details["back_ms"] = round((cycle.back - cycle.began) * 1000)
    gateway.wake()
    fail_back(scene, cycle)
    yield cycle


def controller_kill(scene, number):
    """SIGKILL; started again after its pause. The gateways carry on."""
    cycle, service = Cycle("controller-kill", number), scene.controller.service
    with watched(scene, cycle):
        before = service.program()
        service.kill()
        wait_for("the controller is restarted", 30, lambda: service.program() not in (None, before))
        scene.controller.wait_ready(GATEWAYS)
    scene.go_home()
    yield cycle


def drain(scene, number):
    """Away on purpose, and back."""
    controller, other = scene.controller, scene.other(HOME).name
    away = Cycle("drain", number)
    with watched(scene, away):
        controller.holdfast("drain", HOME)
        controller.wait_owner(other)
    away.details["way"] = "away"
    yield away
    controller.holdfast("resume", HOME)
    controller.wait_ready(GATEWAYS)
    back = Cycle("drain", number)
    with watched(scene, back):
        scene.go_home()
    back.details["way"] = "back"
    yield back


@contextmanager
def takeover(scene, cycle):
    """A fault after which the other gateway must serve."""
    controller, other = scene.controller, scene.other(HOME).name
    last = controller.last_event()
    with watched(scene, cycle):
        cycle.began = time.time()
        yield
        controller.wait_owner(other, 30)
    order = controller.wait_event(last, "order", other)
    takeover = controller.wait_event(last, "takeover", other)
    cycle.details.update(detect_ms=round(order["time_ms"] - cycle.began * 1000), takeover_ms=takeover.get("first_ms"),
                         cause=order.get("cause"))


def fail_back(scene, cycle):
    """Back to the first gateway by a planned move, once it could serve again."""
    scene.controller.wait_ready(GATEWAYS)
    begin = time.time()
    scene.go_home()
    scene.wait_steady()
    end = time.time()
    scene.pings.settle(end)
    windows = [scene.pings.window(begin, end, target) for target in (LAN, FAR)]
    back = max(windows, key=lambda window: (window.lost, window.outage_ms))
    cycle.details.update(failback_ms=round(back.outage_ms, 1), failback_lost=back.lost, failback_sent=back.sent)


FAULTS = {"power": power, "link": link, "agent-kill": agent_kill, "agent-hang": agent_hang,
          "controller-kill": controller_kill, "drain": drain}
