# SPDX-License-Identifier: GPL-2.0-or-later
"""`isolation: fence`, with a lease of 1 s. The owner loses power: followed when its lease has been outlasted. Cut off from the controller
alone: nothing is lost, the pool passes claims and grants on. Cut off from all but its clients: never a packet of both, by a capture of what
both gateways say as an owner. The controller is killed: nothing is lost. A standby, too: the owner stops, until the controller is
back. Another lease costs nothing. One lab, about 25 s."""
import subprocess
import time
from contextlib import contextmanager

from exclusive import GAP_MS, LEASE_MS, exclusive, never_both
from hard_faults import cut_off
from labtest import STILL_MS, change_fleet, expect, nothing_lost, run, running_scene, stood_still, wait_for
from lab import network
from lab.pings import LAN
from lab.scene import GATEWAYS, HOME

CUT_S = 2


def metric(gateway, name):
    """Of the agent's /metrics, from its own machine."""
    place = network.PLACES[gateway.name]
    text = gateway.machine.run("curl", "-s", f"http://{place.management_address}:9581/metrics")
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def judged(scene, stalls, since):
    """Whether this machine kept time."""
    return stood_still(scene) == stalls and max(scene.pings.late_ms(since, time.time()), default=0) <= STILL_MS


def the_owner_loses_power(scene):
    gateway, last, stalls = scene.gateways[HOME], scene.controller.last_event(), stood_still(scene)
    wait_for("the session is known", 10, lambda: scene.controller.view().get("sessions") == 1)
    died = time.time()
    gateway.power_off()
    scene.controller.wait_event(last, "order", scene.other(HOME).name)
    scene.wait_steady()
    gap_ms = scene.pings.window(died, time.time(), LAN).outage_ms
    print(f"the owner loses power: a gap of {gap_ms:.0f} ms")
    # The lease runs from the last leave, which may be a while before it died; without one it would be back within 350 ms.
    expect(gap_ms >= LEASE_MS / 2, "it was followed before its lease was over")
    if judged(scene, stalls, died):
        expect(gap_ms <= GAP_MS, f"a gap of {gap_ms:.0f} ms, and {GAP_MS} are promised")
    gateway.power_on()
    scene.controller.wait_ready(GATEWAYS)


def the_owner_is_cut_off_from_its_controller(scene):
    owner = scene.gateways[scene.owner()]
    other = scene.other(owner.name)
    ports = [owner.port(network.MANAGEMENT), scene.network.controller_port]
    relayed = metric(other, "holdfast_leave_relayed_total")
    with nothing_lost(scene, "the owner is cut off from its controller"):
        scene.network.cut(True, ports)
        scene.pings.settle(time.time() + CUT_S, patience=0)       # two leases
        scene.network.cut(False, ports)
    expect(metric(other, "holdfast_leave_relayed_total") > relayed + 20, "the pool passed nothing on")
    scene.controller.wait_ready(GATEWAYS)
    expect(scene.owner() == owner.name, "the endpoint moved")


def the_controller_is_killed(scene):
    """Then its only standby, who cannot promise any more."""
    owner = scene.gateways[scene.owner()]
    other = scene.other(owner.name)
    promised = metric(other, "holdfast_leave_promised_total")
    with nothing_lost(scene, "the controller is killed"):
        scene.controller.service.kill()
        scene.pings.settle(time.time() + CUT_S, patience=0)
    expect(metric(other, "holdfast_leave_promised_total") > promised + 20, "the pool promised nothing")
    died = time.time()
    other.power_off()
    wait_for("the owner stops", 3, lambda: not scene.pings.answered_since(time.time() - 0.3))
    took_ms = (scene.pings.window(died, time.time(), LAN).outage[0] - died) * 1000      # its last answer
    print(f"the controller and a standby are gone: the owner stopped {took_ms:.0f} ms later")
    expect(took_ms <= GAP_MS, "it went on for longer than its lease")
    other.power_on()
    scene.wait_steady()
    scene.controller.wait_ready(GATEWAYS)


@contextmanager
def asked_for(scene, address):
    """The router asks all the time who has that address: whoever serves says so."""
    machine = scene.network.machines["nat"]
    asking = machine.spawn(
        "sh", "-c", f"echo $$ > /run/asking.pid; while :; do ip neigh flush to {address} dev wan; ping -n -q -c 1 -W 0.05 {address}; sleep 0.05; done",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        machine.run("sh", "-c", "kill $(cat /run/asking.pid)")
        asking.wait()


def the_owner_is_cut_off_from_all_but_its_clients(scene):
    """In `hold` both serve until the cut is over."""
    old = scene.gateways[scene.owner()]
    new, last = scene.other(old.name), scene.controller.last_event()
    with never_both(scene, old, new), asked_for(scene, network.DIAL):
        cut_off(scene, True, old)
        order = scene.controller.wait_event(last, "order", new.name)
        scene.controller.wait_owner(new.name)
        scene.pings.settle(time.time() + 1, patience=0)
        cut_off(scene, False, old)
        scene.wait_steady()
        scene.controller.wait_ready(GATEWAYS)
    expect(scene.owner() == new.name, f"{scene.owner()} owns it after all")
    print(f"the owner is cut off from all but its clients: {order['cause']}")


def the_lease_changes(scene):
    """Nobody's leave is for another lease than the owner's; and the next change waits until this one has settled."""
    with nothing_lost(scene, "the lease changes"):
        change_fleet(scene, lambda text: text.replace("lease: 1s", "lease: 2s", 1))
        with open(scene.files.fleet, encoding="utf-8") as file:
            scene.files.write("ctl", "etc", "fleet.yaml", text=file.read().replace("lease: 2s", "lease: 3s", 1))
        code, _, errors = scene.controller.try_holdfast("apply", scene.files.fleet)
        expect(code == 1 and "vpn (isolation: fence)" in errors and "settles" in errors, f"a change upon a change: {code}, {errors}")


def fence():
    with running_scene(interval_ms=5, change=exclusive) as scene:
        expect(scene.controller.view()["isolation"] == "fence", "the status does not say so")
        the_owner_loses_power(scene)
        the_owner_is_cut_off_from_its_controller(scene)
        the_owner_is_cut_off_from_all_but_its_clients(scene)
        the_controller_is_killed(scene)
        the_lease_changes(scene)


run(fence)
