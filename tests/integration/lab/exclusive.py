# SPDX-License-Identifier: GPL-2.0-or-later
"""`isolation: fence`, with a lease of 1 s: a lab of it, its faults, and that never two gateways speak as owners. The faults of the other mode, but
for those after which it promises nothing without a controller, are faults of this one."""
import re
import subprocess
from contextlib import contextmanager

from capture import capture
import hard_faults
from hard_faults import PREEMPT_MS, cut_off
from labtest import expect
from logind import RebootScene
from lab import faults, network
from lab.cycle import Cycle
from lab.faults import fail_back, takeover
from lab.scene import GATEWAYS, HOME
from lab.table import Promise

LEASE_MS, GAP_MS, CUT_S = 1000, 1300, 2      # CUT_S is two leases


def exclusive(text):
    changed, count = re.subn(r"(?m)^  lease: .*$", "  lease: 1s\n  isolation: fence", text)
    expect(count == 1, "the example has no lease to change")
    return changed


@contextmanager
def never_both(scene, old, new):
    """A move within this block: on the segment nothing that only an owner says comes from the one after the first such from the other."""
    taps = {gateway.name: capture(scene, gateway, network.OUTER) for gateway in (old, new)}
    yield
    said = {name: tap.stop() for name, tap in taps.items()}
    expect(said[old.name] and said[new.name], "the captures saw nothing of an owner")
    last_of_old, first_of_new = max(said[old.name])[0], min(said[new.name])[0]
    expect(last_of_old < first_of_new, f"both served: {old.name} until {last_of_old}, {new.name} from {first_of_new} on")
    print(f"{len(said[old.name])} packets of {old.name}, then, {(first_of_new - last_of_old) * 1000:.0f} ms later, {len(said[new.name])} of {new.name}")


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


class FenceScene(RebootScene):
    """A lab in which exclusivity comes first, with logind."""

    lease_ms = LEASE_MS

    def __init__(self, files, programs, **options):
        super().__init__(files, programs, change=exclusive, **options)


def fence_power(scene, number):
    """The owner loses power, and is followed when its lease has been outlasted."""
    cycle, gateway = Cycle("fence-power", number), scene.gateways[HOME]
    with takeover(scene, cycle):
        cycle.began = gateway.power_off()
    # The lease runs from the last leave, which may be a while before it died; without one it would be back within 350 ms.
    expect(cycle.gap_ms >= LEASE_MS / 2, f"it was followed before its lease was over, after {cycle.gap_ms:.0f} ms")
    gateway.power_on()
    fail_back(scene, cycle)
    yield cycle


def fence_cut(scene, number):
    """The owner is cut off from all but its clients, and of both only one ever serves."""
    cycle, gateway = Cycle("fence-cut", number), scene.gateways[HOME]
    with never_both(scene, gateway, scene.other(HOME)), asked_for(scene, network.DIAL):
        with takeover(scene, cycle):
            cut_off(scene, True)
        scene.pings.settle(cycle.began + CUT_S, patience=0)
        cut_off(scene, False)
        scene.controller.wait_ready(GATEWAYS)
    fail_back(scene, cycle)
    yield cycle


def fence_failback(scene, number):
    """The preferred gateway gets its own by itself in these cycles alone: it would spoil the others."""
    hard_faults.preempt(scene, f"{PREEMPT_MS}ms")
    yield from hard_faults.failback(scene, number)
    hard_faults.preempt(scene, "never")


PROMISES = {"fence-power": Promise(worst_ms=GAP_MS), "fence-cut": Promise(worst_ms=GAP_MS), "fence-link": Promise(200, 350),
            "fence-agent-stop": Promise(back_ms=LEASE_MS + 350),
            **{f"fence-{name}": Promise(lossless=True) for name in ("drain", "failback", "reboot", "agent-kill", "controller-kill")}}
FAULTS = {name: (FenceScene, fault) for name, fault in {
    "fence-power": fence_power, "fence-cut": fence_cut, "fence-failback": fence_failback, "fence-drain": faults.drain,
    "fence-agent-kill": faults.agent_kill, "fence-controller-kill": faults.controller_kill, "fence-reboot": hard_faults.reboot,
    "fence-link": faults.link, "fence-agent-stop": hard_faults.agent_stopped}.items()}
