# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults that the demo leaves out. As the demo's, each is a function of a lab and the number of the cycle that yields what it measured;
what must hold whatever the figures are is expected here."""
import json
import os
import re
import time
from contextlib import contextmanager

from capture import CLAIMS, capture
from labtest import STILL_MS, change_fleet, expect, programs, stood_still, wait_for
from logind import RebootScene
from two_boxes import TwoBoxScene
from lab import network
from lab.cycle import Cycle, watched
from lab.faults import fail_back, takeover
from lab.scene import GATEWAYS, HOME, HoldfastScene
from lab.table import LEASE_MS, Promise
from lab.wait import LabError

CUT_S, STOPPED_S, AWAKE_S, BETWEEN_S, LOGIND_S = 4, 10, 1, 1, 5      # CUT_S is longer than a lease; LOGIND_S its InhibitDelayMaxSec
PREEMPT_MS, TWO_OWNERS_MS, DAY_S = 2000, 250, 86400


def orders(scene, after):
    return [event for event in scene.controller.events(after) if event["event"] == "order"]


def local_events(gateway):
    """What its agent's own socket tells, without any controller."""
    out = gateway.machine.run(os.path.join(programs(), "holdfast"), "events", "--json")
    return [json.loads(line) for line in out.splitlines()]


def successions(gateway):
    return [event for event in local_events(gateway) if event["event"] == "succession"]


def agent_stopped(scene, number):
    """SIGSTOP for 10 s: the kernel fences without the agent, and it serves nobody when it goes on."""
    cycle, gateway = Cycle("agent-stop", number), scene.gateways[HOME]
    taps = {bridge: capture(scene, gateway, bridge) for bridge in CLAIMS}
    with takeover(scene, cycle):
        cycle.began = gateway.hang()
        fenced = time.time() + scene.lease_ms / 1000      # at the latest: nobody has renewed it since
    scene.pings.settle(cycle.began + STOPPED_S, patience=0)
    gateway.wake()
    cycle.details["back_ms"] = round((cycle.back - cycle.began) * 1000)
    scene.controller.wait_ready(GATEWAYS)
    scene.pings.settle(time.time() + AWAKE_S, patience=0)
    expect(scene.owner() != HOME, "it owns it after all")
    _not_a_packet(taps, cycle.began, fenced)
    fail_back(scene, cycle)
    yield cycle


def _not_a_packet(taps, began, fenced):
    """Nothing that only an owner says came from the gateway once its lease was over, neither while its agent stood still nor later."""
    for bridge, tap in taps.items():
        packets = tap.stop()
        expect(any(when < began for when, _ in packets), f"the capture on {bridge} saw nothing of the owner")
        late = [line for when, line in packets if when >= fenced]
        expect(not late, f"{len(late)} packets from the fenced gateway on {bridge}, the first: {late[:1]}")


def controller_cut(scene, number):
    """The owner hears nothing of its controller for longer than a lease, nor that of it; the pool does."""
    cycle, gateway, last = Cycle("controller-cut", number), scene.gateways[HOME], scene.controller.last_event()
    ports = [gateway.port(network.MANAGEMENT), scene.network.controller_port]
    with watched(scene, cycle):
        since = time.time()
        scene.network.cut(True, ports)
        wait_for("the controller misses it", 20, lambda: any(
            event["event"] == "disconnected" and event["gateway"] == HOME for event in scene.controller.events(last)))
        scene.pings.settle(since + CUT_S, patience=0)
        scene.network.cut(False, ports)
        wait_for("it is connected again", 20, lambda: any(
            event["event"] == "connected" and event["gateway"] == HOME for event in scene.controller.events(last)))
        scene.controller.wait_ready(GATEWAYS)
    expect(not orders(scene, last), f"the endpoint moved: {orders(scene, last)}")
    yield cycle


def cut_off(scene, cut, gateway=None):
    """The gateway, or else the one at home, hears its clients and its witness, the router, and nobody else."""
    gateway = gateway or scene.gateways[HOME]
    other = scene.other(gateway.name)
    scene.network.cut(cut, [gateway.port(network.OUTER), other.port(network.OUTER)],
                      [gateway.port(bridge) for bridge in (network.LAN, network.MANAGEMENT)])


def gateway_cut(scene, number):
    """In `hold`: it cannot be told from a death, both serve, and of the two the older ends soon after they meet."""
    cycle, said = Cycle("gateway-cut", number), os.path.getsize(scene.files.log(HOME))
    with takeover(scene, cycle):
        cut_off(scene, True)
    scene.pings.settle(cycle.began + CUT_S, patience=0)
    expect(cycle.details["cause"] == "host-dead", f"it moved because of {cycle.details['cause']}")
    expect(not _roles(scene, said), "a gateway whose witness answers has not gone on serving")
    _two_owners_meet(scene, said)
    fail_back(scene, cycle)
    yield cycle


def _two_owners_meet(scene, said):
    """`said`: the size of the older one's log when it still served alone."""
    stalls, mended = stood_still(scene), time.time()
    cut_off(scene, False)
    took_ms = (time.time() - mended) * 1000
    wait_for("the older owner has stepped down", 10, lambda: _roles(scene, said))
    scene.wait_steady()
    scene.controller.wait_ready(GATEWAYS)
    expect(scene.owner() != HOME, "the older one owns it after all")
    when, role = _roles(scene, said)[0]
    expect(role in ("relaying", "standby"), f"the older owner became {role}")
    if stood_still(scene) == stalls and max(scene.pings.late_ms(mended, mended + 1), default=0) <= STILL_MS:
        two_ms = (when - _since_midnight(mended)) % DAY_S * 1000 - took_ms
        expect(two_ms <= TWO_OWNERS_MS, f"two served for {two_ms:.0f} ms after every link was mended")


def _since_midnight(when):
    """Seconds of the day, as logs tell it: in this host's time zone."""
    local = time.localtime(when)
    return local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + when % 1


def _roles(scene, since):
    """(seconds of the day, role) of each line after that many bytes of its log in which the agent at home tells of its seat."""
    with open(scene.files.log(HOME), "rb") as log:
        log.seek(since)
        lines = log.read().decode(errors="replace").splitlines()
    found = [re.match(r'(\d+):(\d+):([\d.]+) .* seat .*what="([^",]+)', line) for line in lines]
    return [(int(m[1]) * 3600 + int(m[2]) * 60 + float(m[3]), m[4]) for m in found if m]


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
    cycle, owner, last = Cycle("controller-then-owner", number), scene.gateways[HOME], scene.controller.last_event()
    with _succession(scene, cycle):
        lose_controller(scene)
        scene.pings.settle(time.time() + BETWEEN_S, patience=0)
        cycle.began = owner.power_off()
    owner.power_on()
    adopted(scene, scene.other(HOME), last)
    fail_back(scene, cycle)
    yield cycle


def one_box(scene, number):
    """Owner and controller on one box, and its power is cut; in a lab of two boxes."""
    cycle, box, last = Cycle("one-box", number), scene.gateways[HOME], scene.controller.last_event()
    told = [event for event in scene.controller.events() if "blocked" in event.get("text", "")]
    expect(not told, f"controller and agents do not hear each other: {told}")
    with _succession(scene, cycle):
        cycle.began = box.power_off()
    box.power_on()
    adopted(scene, scene.other(HOME), last)
    fail_back(scene, cycle)
    yield cycle


def reboot(scene, number):
    """logind tells that the host goes down; it does when its endpoint has moved, and is back as a standby. In a lab with logind."""
    cycle, gateway, last = Cycle("reboot", number), scene.gateways[HOME], scene.controller.last_event()
    with watched(scene, cycle):
        gateway.logind.tell("shutdown")
        gateway.logind.wait_released(LOGIND_S)
        expect(scene.owner() != HOME, "the host may go down, and still has the endpoint")
        expect("about to go down" in scene.controller.holdfast("status"), "the status says nothing of it")
        gateway.reboot()
        scene.controller.wait_ready(GATEWAYS)
    expect("about to go down" not in scene.controller.holdfast("status"), "the status still says that it goes down")
    expect([event["cause"] for event in orders(scene, last)] == ["leaving"], f"it moved because of {orders(scene, last)}")
    scene.go_home()
    yield cycle


class PreemptScene(HoldfastScene):
    """The preferred gateway gets its endpoint back by itself."""

    def build(self):
        super().build()
        preempt(self, f"{PREEMPT_MS}ms")


def preempt(scene, when):
    """When the preferred gateway gets its endpoint back by itself: `never`, or after how long."""
    change_fleet(scene, lambda text: re.sub(r"\bpreempt: \w+", f"preempt: {when}", text))


def failback(scene, number):
    """The preferred gateway is back, and gets its own when it has been well for long enough. In a lab with `preempt:`."""
    cycle, gateway = Cycle("failback", number), scene.gateways[HOME]
    gateway.power_off()
    scene.controller.wait_owner(scene.other(HOME).name)
    last = scene.controller.last_event()
    with watched(scene, cycle):
        gateway.power_on()
        scene.controller.wait_owner(HOME, 30)
        scene.controller.wait_ready(GATEWAYS)
    _in_its_time(orders(scene, last), next(event for event in scene.controller.events(last)
                                           if event["event"] == "connected" and event["gateway"] == HOME))
    yield cycle


def _in_its_time(moves, connected):
    """Once, and not as soon as it is there."""
    expect([move["cause"] for move in moves] == ["preempt"], f"it moved because of {[move['cause'] for move in moves]}")
    waited_ms = moves[0]["time_ms"] - connected["time_ms"]
    expect(waited_ms >= PREEMPT_MS, f"it had been there for {waited_ms} ms only")


def _has_heir(view, name):
    """As the cluster says itself: one that still relays after a move away from it succeeds nobody yet."""
    return name in view.get("ready", []) and view.get("alone") == ""


@contextmanager
def _succession(scene, cycle):
    """A fault after which the other gateway must serve, though nobody can order it to, and tells of it without any controller."""
    heir = scene.other(HOME)
    wait_for("the session is known", 10, lambda: scene.controller.view().get("sessions") == 1)
    wait_for(f"{heir.name} would succeed", 30, lambda: _has_heir(scene.controller.view(), heir.name))
    before = successions(heir)[-1:]
    with watched(scene, cycle):
        yield
        wait_for(f"{heir.name} succeeds", 20, lambda: successions(heir)[-1:] not in ([], before))
        said = successions(heir)[-1]["text"]
    expect("no controller answers" in said, said)
    cycle.owner = heir.name


def adopted(scene, heir, last, sessions=1):
    """A controller that is back adopts the successor, moves nothing, and tells what happened since that event."""
    wait_for("the controller is back", 60, lambda: scene.controller.owner() == heir.name)
    takeover = scene.controller.wait_event(last, "takeover", heir.name)
    expect(takeover["cause"] == "no-controller" and takeover["from"] != heir.name, f"told as {takeover}")
    expect(re.fullmatch(r"\d+\.\d+\.[1-9]\d*", takeover["epoch"]), f"under epoch {takeover['epoch']}")
    expect(takeover.get("back") == sessions, f"{takeover.get('back')} of {sessions} sessions are back")
    events = scene.controller.events(last)
    expect([e for e in events if e["event"] == "succession" and e["gateway"] == heir.name], "its report of the succession")
    expect(not orders(scene, last), f"it was moved once more: {events}")


PROMISES = {"agent-stop": Promise(back_ms=LEASE_MS + 350), "controller-cut": Promise(lossless=True), "gateway-cut": Promise(200, 350),
            "controller-then-owner": Promise(worst_ms=800), "one-box": Promise(worst_ms=800), "failback": Promise(lossless=True),
            "reboot": Promise(lossless=True)}
# Fault: what kind of lab it needs, and itself.
FAULTS = {"agent-stop": (HoldfastScene, agent_stopped), "controller-cut": (HoldfastScene, controller_cut),
          "gateway-cut": (HoldfastScene, gateway_cut), "controller-then-owner": (HoldfastScene, controller_then_owner),
          "one-box": (TwoBoxScene, one_box), "failback": (PreemptScene, failback), "reboot": (RebootScene, reboot)}
