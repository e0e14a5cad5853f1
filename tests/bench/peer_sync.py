# SPDX-License-Identifier: GPL-2.0-or-later
"""One peer changes in fleets of different sizes: what travels, what both gateways do, how long it takes.

What grows with the fleet and not with the change shows in the ratio of the last row's columns to the first's."""
import re
import statistics
import sys
import time

import syscalls
from benchlab import FleetFile, agent_metric, heading, metric, run, running_scene, table, wait_for
from lab.network import PLACES
from lablog import Log, ms_between, now
from process import Process

SIZES = [int(size) for size in sys.argv[1:]] or [100, 1000, 10000]
CHANGES, AT_REST_S = 5, 4
SETTLE_S = 3      # until a change is over, the look that confirms it too, and out of what the metric of the loop's lag covers
_COUNTERS = "table inet bench {{\n chain out {{\n  type filter hook output priority 0;\n{}\n }}\n}}\n"


class Wire:
    """Bytes in IP packets from the controller's port to each agent, as nftables in the controller's machine counts them."""

    def __init__(self, scene):
        self._machine = scene.network.machines["ctl"]
        rules = [f"  ip daddr {PLACES[name].management_address} tcp sport 7443 counter comment \"{name}\"" for name in scene.gateways]
        self._machine.run("nft", "-f", "-", text=_COUNTERS.format("\n".join(rules)))

    def bytes(self):
        listing = self._machine.run("nft", "list", "table", "inet", "bench")
        return sum(map(int, re.findall(r"bytes (\d+)", listing)))


class Change:
    """One apply: milliseconds from its begin until the controller has read it, both agents have agreed, and both kernels have it."""

    def __init__(self, scene, fleet, wire=None):
        fleet.change_one_peer()
        logs = {name: Log(scene.files.log(name)) for name in ("ctl", *scene.gateways)}
        sent = wire.bytes() if wire else 0
        self.begin, clock = time.time(), now()
        fleet.apply()
        self.command_ms = (time.time() - self.begin) * 1000
        wait_for("both gateways have the peer", 20, lambda: all(logs[name].when("wg set") for name in scene.gateways))
        self.end = time.time()
        self.sent = wire.bytes() - sent if wire else 0
        self.read_ms = ms_between(clock, logs["ctl"].when(" stage "))
        self.agreed_ms = ms_between(clock, logs["ctl"].when(" committed "))
        self.controller_lag_ms = 1000 * metric(scene.network.machines["ctl"], "127.0.0.1:9580", "holdfast_loop_lag_seconds")
        self.agent_lag_ms = 1000 * max(agent_metric(gateway, "holdfast_loop_lag_seconds") for gateway in scene.gateways.values())
        self.suspicions = logs["ctl"].count(" to=suspect ")
        self.done_ms = max(ms_between(clock, logs[name].when("wg set")) for name in scene.gateways)


def measure(size):
    """One row of each table."""
    with running_scene(peers=size) as scene:
        scene.pings.stop()
        scene.pings = None
        fleet, wire = FleetFile(scene), Wire(scene)
        Change(scene, fleet)      # the first adds the peer, the others change it
        time.sleep(SETTLE_S)
        idle = wire.bytes()
        late = lag_at_rest_ms(scene)      # and what reports and polls cost without a change
        idle = (wire.bytes() - idle) / AT_REST_S
        changes = [Change(scene, fleet, wire) for _ in range(CHANGES)]
        return times(size, changes, idle, late), calls(size, scene, fleet)


def lag_at_rest_ms(scene):
    """How late an agent's loop is at worst within AT_REST_S: the owner reads its sessions meanwhile."""
    late = 0
    for _ in range(AT_REST_S):
        time.sleep(1)
        late = max(late, *(agent_metric(gateway, "holdfast_loop_lag_seconds") for gateway in scene.gateways.values()))
    return 1000 * late


def times(size, changes, idle, late):
    def median(of):
        return statistics.median(map(of, changes))
    return [size, median(lambda c: c.sent - idle * (c.end - c.begin)), median(lambda c: c.read_ms), median(lambda c: c.agreed_ms - c.read_ms),
            median(lambda c: c.done_ms - c.agreed_ms), median(lambda c: c.done_ms), median(lambda c: c.command_ms),
            median(lambda c: c.controller_lag_ms), median(lambda c: c.agent_lag_ms), late, sum(c.suspicions for c in changes)]


def calls(size, scene, fleet):
    """The standby's system calls for one more change: it reads no sessions, so what is not liveness is for the change."""
    if not syscalls.available():
        return [size] + [0] * 6
    with syscalls.Trace(Process(scene.gateways["gw-b"].agent).pid) as trace:
        change = Change(scene, fleet)
        time.sleep(0.3)      # the file is written behind
    during = trace.between(change.begin, change.end + 0.2)
    count = syscalls.counts(during)
    uapi = [call for call in during if call.kind == "WireGuard"]
    sets = [call for call in uapi if '"set=1' in call.rest]
    return [size, count["netlink requests"], count["netlink answers"], len(sets), sum(call.result() for call in sets),
            sum(call.result() for call in uapi if call.name.startswith("rec")),
            sum(count.values()) - count["liveness datagrams"] - count["waiting and timers"]]


def print_rows(columns, rows):
    """And how many times more the largest fleet costs than the smallest: 1.0 where only the change counts."""
    growth = [f"{last / first:.1f} x" if first else "" for first, last in zip(rows[0], rows[-1])]
    table(columns, [[f"{value:,.0f}" for value in row] for row in rows] + ([growth] if len(rows) > 1 else []))


def one_peer_changes():
    rows = [measure(size) for size in SIZES]
    heading(f"One peer of many changes, two gateways; medians of {CHANGES}")
    print("  ms; lag: how late the loop of the controller, and of the slower agent, was at worst, during a change and without one; suspicions: of an agent, by the controller")
    print_rows(["peers", "bytes to both", "read", "agreed", "in kernels", "all", "command", "lag", "agent's lag", "at rest", "suspicions"],
               [row[0] for row in rows])
    if syscalls.available():
        print("\n  The standby's system calls for it (strace slows them down; the times above are without):")
        print_rows(["peers", "netlink requests", "answers", "WireGuard sets", "B set", "B read back", "all but liveness"], [row[1] for row in rows])
    else:
        print("\n  System calls: not counted, there is no strace.")


run(one_peer_changes)
