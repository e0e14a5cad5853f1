# SPDX-License-Identifier: GPL-2.0-or-later
"""Large tunnels go up and down under wg-quick and under holdfast; and one peer of many changes.

usage: quick_scale.py COST [PEERS...]; COST is the program that measures a command."""
import re
import statistics
import sys

import syscalls
from benchlab import expect, heading, run, table
from quickhost import PROGRAMS, QuickHost, TookTooLong, Tunnel

COST, RUNS = sys.argv[1], 3
SIZES = [(int(peers), 1) for peers in sys.argv[2:]] or [(100, 1), (1000, 1), (10000, 1), (1, 1000), (1, 50000)]
ONCE_FROM = 5000        # routes; from there on wg-quick runs once, without strace, which would take many minutes
LIMITS_S = {10000: 200, 50000: 40}     # wg-quick's, by routes: reading all routes for each that it adds, it would need far longer
CHANGED = 7
_MESSAGE = re.compile(r"nlmsg_len=(\d+), nlmsg_type=([^,]+),")


class Costs:
    """One program at one size. What was not measured is None."""

    def __init__(self, program, tunnel):
        self._program, self._tunnel = program, tunnel
        self.times, self.peaks, self.calls = {"up": [], "down": []}, {"up": [], "down": []}, {}
        self.gave_up, self.at_least_ms = None, {}
        self._large = program == "wg-quick" and tunnel.routes >= ONCE_FROM

    def measure(self):
        try:
            for _ in range(1 if self._large else RUNS):
                self._go_up_and_down()
        except TookTooLong as stop:
            expect(self._large, f"{self._program} has not come to an end in {self._limit_s()} s with {self._tunnel.routes:,} routes")
            self.gave_up = f"{self._program} was stopped after {self._limit_s()} s, with {stop.args[0]:,} of {self._tunnel.routes:,} routes"
            self.at_least_ms["down" if self.times["up"] else "up"] = self._limit_s() * 1000
        if not self._large and syscalls.available():
            with QuickHost(self._program, self._tunnel) as host:
                self.calls = {verb: host.system_calls(verb) for verb in ("up", "down")}
        return self

    def _limit_s(self):
        return LIMITS_S.get(self._tunnel.routes, 120)

    def _go_up_and_down(self):
        with QuickHost(self._program, self._tunnel) as host:
            for verb in ("up", "down"):
                took_ms, peak_mib = host.cost(COST, verb, self._limit_s())
                self.times[verb].append(took_ms)
                self.peaks[verb].append(peak_mib)

    def row(self, verb):
        """Median, spread, n, peak, calls."""
        times = self.times[verb]
        if not times:
            return [f"> {self.at_least_ms[verb]:,}" if verb in self.at_least_ms else "-"] + ["-"] * 4
        calls = f"{self.calls[verb]:,}" if verb in self.calls else "-"
        return [f"{statistics.median(times):,.0f}", f"{min(times):,.0f} - {max(times):,.0f}", len(times), f"{max(self.peaks[verb]):.1f}", calls]


class Exchange:
    """What a traced command told the kernel and WireGuard to change, and what it asked."""

    def __init__(self, lines):
        self.messages = self.bytes = self.sets = self.set_bytes = 0
        self.requests = self.answered = self.reads = self.read_bytes = 0
        for call in syscalls.read(lines):
            if call.kind == "netlink requests":
                self._netlink(call)
            elif call.kind == "netlink answers" and "MSG_PEEK" not in call.rest:
                self.answered += call.result()
            elif call.kind == "WireGuard" and call.name.startswith("send"):
                self._uapi(call)
            elif call.kind == "WireGuard" and call.name in ("recvfrom", "recvmsg", "read"):
                self.read_bytes += call.result()

    def _netlink(self, call):
        for size, kind in _MESSAGE.findall(call.rest):
            if "GET" in kind:
                self.requests += 1
            else:
                self.messages, self.bytes = self.messages + 1, self.bytes + int(size)

    def _uapi(self, call):
        if '"get=1' in call.rest:
            self.reads += 1
        else:
            self.sets, self.set_bytes = self.sets + 1, self.set_bytes + call.result()

    @property
    def change(self):
        return self.messages, self.bytes, self.sets, self.set_bytes


def size_name(tunnel):
    return f"{tunnel.peers:,} peers" if tunnel.peers > 1 else f"1 peer, {tunnel.routes:,} IPs"


def up_and_down():
    rows, notes = [], []
    for peers, each in SIZES:
        tunnel = Tunnel(peers, each)
        both = {program: Costs(program, tunnel).measure() for program in PROGRAMS}
        for verb in ("up", "down"):
            for program, costs in both.items():
                rows.append([size_name(tunnel), verb, program, *costs.row(verb), ratio(both, verb) if program == "holdfast" else ""])
        notes += [f"{size_name(tunnel)}: {costs.gave_up}" for costs in both.values() if costs.gave_up]
    heading("Large tunnels go up and down, on wireguard-go; ms of the whole command, the start of wireguard-go included")
    table(["tunnel", "", "", "median", "least - most", "n", "MiB", "system calls", "times faster"], rows)
    print("  MiB: peak of the largest process of the command, wireguard-go left out; system calls of all its processes, from a run of their own under strace")
    for note in notes:
        print(f"  {note}")


def ratio(both, verb):
    native = statistics.median(both["holdfast"].times[verb])
    if both["wg-quick"].times[verb]:
        return f"{statistics.median(both['wg-quick'].times[verb]) / native:.1f}"
    at_least_ms = both["wg-quick"].at_least_ms.get(verb)
    return f"> {at_least_ms / native:.0f}" if at_least_ms else "-"


def changed_peer(peers):
    tunnel = Tunnel(peers)
    with QuickHost("holdfast", tunnel) as host:
        host.cost(COST, "up", 60)
        host.write_tunnel(changed=CHANGED)
        exchange = Exchange(host.trace("up"))
        expect(host.must("ip -4 route show 10.72.0.7 dev wg0"), "the changed peer has no route")
        host.write_tunnel()
        took_ms, _ = host.cost(COST, "up", 60)      # back again, without strace
    return exchange, took_ms


def one_peer_changes():
    sizes = [peers for peers, each in SIZES if each == 1 and peers > CHANGED]
    if not sizes or not syscalls.available():
        print("\nOne peer changes: not counted, there is no strace, or no size with so many peers.")
        return
    found = [changed_peer(peers) for peers in sizes]
    heading("One peer's allowed IP changes: `holdfast up` on a tunnel that is up")
    table(["peers", "netlink messages", "B", "WireGuard sets", "B set", "netlink questions", "B answered", "WireGuard reads", "B read", "ms"],
          [[f"{peers:,}", *(f"{value:,}" for value in (*e.change, e.requests, e.answered, e.reads, e.read_bytes)), f"{took_ms:.0f}"]
           for peers, (e, took_ms) in zip(sizes, found)])
    print("  up to `B set`: the change; then the looks around it, which read the device and its routes; ms of the whole command, from a run without strace")
    changes = {exchange.change for exchange, _ in found}
    expect(len(changes) == 1 and all(next(iter(changes))), f"the change depends on the number of peers, or was not seen: {changes}")


def quick_scales():
    up_and_down()
    one_peer_changes()


run(quick_scales)
