# SPDX-License-Identifier: GPL-2.0-or-later
"""What an agent with 1,000 configured peers costs while nothing happens: memory, wakeups, system calls.

The one bench with limits: 5.5 MiB of its own, 18 MiB with the pages of the libraries, which are everybody's who maps them, and no
wakeups beyond beats, renewals and a slow poll."""
import re
import time

import syscalls
from benchlab import FleetFile, expect, heading, run, running_scene, table
from process import Process

PEERS, SECONDS, TRACED_SECONDS = 1000, 10, 4
OWN_KIB_MAX, RESIDENT_KIB_MAX = 5632, 18 * 1024
MARGIN = 1.1
RENEWALS_PER_LEASE = 6
UAPI_CHUNK_BYTES, UAPI_PEER_BYTES = 32768, 310


def expected(scene, owner):
    """Wakeups a second, from the parameters alone."""
    with open(scene.files.fleet, encoding="utf-8") as file:
        text = file.read()
    beats = 1000 / int(re.search(r"liveness: *(\d+)ms", text).group(1))
    lease_s = int(re.search(r"lease: *(\d+)s", text).group(1))
    rows = [("own beats, one round for all partners", beats),
            ("heard: the other gateway over IPv4 and IPv6, the controller", 3 * beats),
            ("once a second: housekeeping, report and its answer, thread of files", 5)]
    if owner:
        rows += [("renewals of the lease, question to the witness, its answer", 3 * RENEWALS_PER_LEASE / lease_s),
                 (f"sessions read once a second ({PEERS} peers as text)", 1 + PEERS * UAPI_PEER_BYTES / UAPI_CHUNK_BYTES)]
    return rows


def an_idle_agent_with_a_thousand_peers():
    with running_scene(peers=PEERS) as scene:
        scene.pings.stop()
        scene.pings = None
        services = {"agent, owner": scene.gateways["gw-a"].agent, "agent, standby": scene.gateways["gw-b"].agent,
                    "controller": scene.controller.service}
        processes = {name: Process(service) for name, service in services.items()}
        fleet = FleetFile(scene)
        fleet.change_one_peer()
        fleet.apply()      # at rest after a change, not fresh from the start
        before = {name: process.sample() for name, process in processes.items()}
        time.sleep(SECONDS)      # the stretch that is measured
        rates = {name: process.sample().since(before[name]) for name, process in processes.items()}
        memory = {name: process.memory_kib() for name, process in processes.items()}
        print_costs(rates, memory)
        limits = {name: print_expected(name, expected(scene, "owner" in name), rates[name][0]) for name in rates if "agent" in name}
        print_calls({name: process for name, process in processes.items() if "agent" in name})
        judge(rates, memory, limits)


def print_costs(rates, memory):
    heading(f"Idle, {PEERS} peers, over {SECONDS} s")
    table(["", "resident", "its share", "its own", "wakeups/s", "of a CPU"],
          [[name, *(f"{kib / 1024:.1f} MiB" for kib in memory[name]), f"{wakeups:.0f}", f"{processor * 100:.1f} %"]
           for name, (wakeups, processor) in rates.items()])


def print_expected(name, rows, wakeups):
    limit = sum(rate for _, rate in rows) * MARGIN
    print()
    table([f"{name}: wakeups/s that are allowed", ""], [*((what, f"{rate:.0f}") for what, rate in rows),
          (f"limit: the sum and {MARGIN - 1:.0%}", f"{limit:.0f}"), ("measured", f"{wakeups:.0f}")])
    return limit


def print_calls(processes):
    if not syscalls.available():
        print("\n  System calls: not counted, there is no strace.")
        return
    found = {}
    for name, process in processes.items():
        with syscalls.Trace(process.pid) as trace:
            time.sleep(TRACED_SECONDS)
        found[name] = syscalls.counts(trace.calls)
    kinds = sorted(set().union(*found.values()), key=lambda kind: -sum(count[kind] for count in found.values()))
    print()
    table(["system calls/s", *found], [[kind, *(f"{count[kind] / TRACED_SECONDS:.0f}" for count in found.values())] for kind in kinds])


def judge(rates, memory, limits):
    for name, limit in limits.items():
        resident, _, own = memory[name]
        expect(own <= OWN_KIB_MAX, f"{name}: {own} KiB of its own, at most {OWN_KIB_MAX} are allowed")
        expect(resident <= RESIDENT_KIB_MAX, f"{name}: {resident} KiB resident, at most {RESIDENT_KIB_MAX} are allowed")
        expect(rates[name][0] <= limit, f"{name}: {rates[name][0]:.0f} wakeups/s, at most {limit:.0f} are allowed")


run(an_idle_agent_with_a_thousand_peers)
