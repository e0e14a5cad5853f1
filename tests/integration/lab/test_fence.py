# SPDX-License-Identifier: GPL-2.0-or-later
"""`isolation: fence`, with a lease of 1 s. Cut off from the controller alone: nothing is lost, the pool passes claims and grants on. The
controller is killed: nothing is lost. A standby, too: the owner stops, until the controller is back. Another lease costs nothing. Power, and a
cut from all but the clients, are in test_faults. One lab, about 17 s."""
import time

from exclusive import GAP_MS, exclusive
from labtest import change_fleet, expect, nothing_lost, run, running_scene, wait_for
from lab import network
from lab.pings import LAN
from lab.scene import GATEWAYS

CUT_S = 2


def metric(gateway, name):
    """Of the agent's /metrics, from its own machine."""
    place = network.PLACES[gateway.name]
    text = gateway.machine.run("curl", "-s", f"http://{place.management_address}:9581/metrics")
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


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
        the_owner_is_cut_off_from_its_controller(scene)
        the_controller_is_killed(scene)
        the_lease_changes(scene)


run(fence)
