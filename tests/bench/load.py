# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet of 20 gateways and up to 100,000 peers: validate, plan, the first apply of all peers, and one changed peer.

The first gateways are real agents with wireguard-go, in machines of their own; the others are talkers (tests/load): the agent's own talk,
codec and hash in a process each, without kernel, rules and liveness. All peers are on all gateways. Seconds of processor time stand beside
those of the clock: 20 gateways share this machine's processors, and the clock tells what else it has to do, too.

load.py COST-PROGRAM [AGENTS TALKERS PEERS...]"""
import subprocess
import sys
import time

import syscalls
from benchlab import LabError, heading, run, scratch_files, table, wait_for
from loadscene import LoadScene
from lablog import Log
from process import Process

COST = sys.argv[1]
AGENTS, TALKERS = map(int, sys.argv[2:4] or (2, 18))
SIZES = [int(size) for size in sys.argv[4:]] or [100, 10000, 100000]
CHANGES = 3


class Command:
    """holdfast, its seconds and its peak of memory; and what the controller computed meanwhile."""

    def __init__(self, scene, *arguments):
        before = processor_s(scene)
        done = subprocess.run([COST, *scene.controller.command(*arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise LabError(f"holdfast {arguments[0]}: {done.stderr[-2000:]}")
        microseconds, kib = done.stdout.splitlines()[-1].split()
        self.seconds, self.mib, self.controller_s = int(microseconds) / 1e6, int(kib) / 1024, processor_s(scene) - before
        self.out = done.stdout


def processor_s(scene):
    return Process(scene.controller.service).sample().processor_s


def expect_committed(scene, apply):
    missing = [name for name in scene.names() if f"{name}: committed" not in apply.out]
    if missing:
        raise LabError(f"not confirmed by {', '.join(missing)}:\n{apply.out[-2000:]}")


class Change:
    """One peer gets another address: until the last gateway has confirmed, and until real kernels have it."""

    def __init__(self, scene, peers, variant):
        scene.write_fleet(peers, variant)
        logs = {name: Log(scene.files.log(name)) for name in scene.agents}
        sent, begin = scene.sent_bytes(large=True), time.monotonic()
        self.apply = Command(scene, "apply", scene.files.fleet)
        expect_committed(scene, self.apply)
        wait_for("the real gateways' devices have the peer", 60, lambda: all(log.count("wg set") for log in logs.values()))
        self.kernels_s = time.monotonic() - begin
        self.bytes = {name: count - sent[name] for name, count in scene.sent_bytes(large=True).items()}


def netlink_requests(scene, peers):
    """Of one real gateway, for one change more; None: there is no strace, or no such gateway."""
    name = next(iter(scene.agents), None)
    if not name or not syscalls.available():
        return None
    with syscalls.Trace(Process(scene.agents[name].agent).pid) as trace:
        Change(scene, peers, 9)
        time.sleep(1)
    return syscalls.counts(trace.calls)["netlink requests"]


class Row:
    def __init__(self, scene, size):
        scene.build()
        scene.write_fleet(size)
        self.size, self.validate = size, Command(scene, "validate", scene.files.fleet)
        self.plan = Command(scene, "plan", scene.files.fleet)
        begin, sent = time.monotonic(), scene.sent_bytes()
        self.first = Command(scene, "apply", scene.files.fleet)
        wait_for("every gateway holds all peers", 120, lambda: scene.in_force(2))
        self.first_s = time.monotonic() - begin
        self.first_bytes = sum(scene.sent_bytes().values()) - sum(sent.values())
        wait_for("the real gateways' devices have all peers", 300,
                 lambda: all(scene.peers_in_kernel(name) == size for name in scene.agents), every=1)
        self.kernels_s = time.monotonic() - begin
        self.changes = [Change(scene, size, variant) for variant in range(1, CHANGES + 1)]
        self.peaks = scene.peaks_mib()
        self.netlink = netlink_requests(scene, size)

    def least(self, of):
        """Of the changes: what others do on this machine only adds."""
        return min(map(of, self.changes))


def measure(size):
    with scratch_files() as files:
        scene = LoadScene(files, AGENTS, TALKERS)
        try:
            row = Row(scene, size)
            scene.stop()
            return row
        except LabError:
            subprocess.run(["tail", "-n", "40", files.log("ctl")], stdout=sys.stderr, check=False)
            raise
        finally:
            scene.destroy()


def under_load():
    rows = [measure(size) for size in SIZES]
    heading(f"{AGENTS + TALKERS} gateways: {AGENTS} real agents with wireguard-go, {TALKERS} talkers; every peer on each of them")
    print("  Commands: s of the clock, MiB at most, s of processor of the controller meanwhile")
    table(["peers", "validate", "MiB", "plan", "MiB", "first apply", "MiB", "ctl cpu", "all hold", "in kernels", "MB sent"],
          [[f"{row.size:,}", f"{row.validate.seconds:.2f}", f"{row.validate.mib:.0f}", f"{row.plan.seconds:.2f}", f"{row.plan.mib:.0f}",
            f"{row.first.seconds:.2f}", f"{row.first.mib:.0f}", f"{row.first.controller_s:.2f}", f"{row.first_s:.1f}",
            f"{row.kernels_s:.1f}", f"{row.first_bytes / 1e6:.1f}"] for row in rows])
    print(f"\n  One changed peer, the least of {CHANGES}: until the last gateway has confirmed, and in real kernels; bytes of the controller in IP packets beyond 600 B")
    table(["peers", "confirmed", "in kernels", "ctl cpu", "B an agent", "B a talker", "netlink requests"],
          [[f"{row.size:,}", f"{row.least(lambda c: c.apply.seconds):.2f}",
            f"{row.least(lambda c: c.kernels_s):.2f}", f"{row.least(lambda c: c.apply.controller_s):.2f}",
            f"{row.least(lambda c: c.bytes['agents']) / max(AGENTS, 1):,.0f}", f"{row.least(lambda c: c.bytes['talkers']) / max(TALKERS, 1):,.0f}",
            "-" if row.netlink is None else str(row.netlink)] for row in rows])
    print("\n  Memory at most, MiB resident:")
    table(["peers", "controller", "a real agent", "a talker"], [[f"{row.size:,}", *(f"{peak:.0f}" for peak in row.peaks)] for row in rows])
    least = [sum(row.least(lambda c, name=name: c.bytes[name]) for name in ("agents", "talkers")) for row in rows]
    if max(least) > 1.25 * min(least):
        raise LabError(f"one changed peer costs more bytes in a larger fleet: {', '.join(f'{count:,.0f}' for count in least)}")


run(under_load)
