#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A failure, a SIGTERM, a SIGKILL at each step of `up` and of `down`: afterwards, or after the next `down`, the machine is
as it was. The same is done to wg-quick, to see that what is expected of holdfast is what wg-quick does, or better.

holdfast's steps are system calls that change something, found and struck by strace(1); wg-quick's are the programs it runs.
usage: test_steps.py [--each N] [--each-of-wg-quick N]     only each N-th step
"""
import argparse
import os
import re
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
import cases  # noqa: E402
import judge  # noqa: E402
from compare import HOLDFAST, Host, UPLINK, can_run, diff, normalise  # noqa: E402

CALLS = ("sendto", "sendmsg", "write", "rename", "unlink", "clone3", "vfork", "clone", "fsync")
MODES = ("fail", "TERM", "KILL")
FILE = f"""[Interface]
PrivateKey = {cases.key('private wg0')}
Address = 10.50.0.2/24, fd50::2/64
DNS = 10.50.0.1
MTU = 1400
PreUp = true
PostUp = true
PreDown = true
PostDown = true
{cases.peer_lines('[a] 0.0.0.0/0, 10.50.0.0/24, 10.60.0.0/16 @192.0.2.1:51820')}
{cases.peer_lines('[b] ::/0, fd60::/32')}"""

# Counts the programs that change something; lets the chosen one fail, or strikes the one who runs it.
STEP = r"""#!/bin/bash
name=${0##*/} PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin
case "$name $*" in
*" show"* | *" get "* | "nft list "*) exec "$name" "$@" ;;
esac
read -r count </run/deb/count
echo $((count + 1)) >/run/deb/count
if [[ $((count + 1)) == "$STEP" ]]; then
	[[ $MODE != fail ]] || exit 1
	kill -"$MODE" $PPID
fi
exec "$name" "$@"
"""


class Machine(Host):
    """One that knows how it was."""

    def __init__(self):
        super().__init__()
        self.must(UPLINK)
        self.write("/etc/wireguard/wg0.conf", FILE)
        self.fresh = self.state()

    def state(self):
        text = normalise(self.snapshot(), deliberate=False)
        return judge.what_stays(text) + self.must("find /run/holdfast -type f ! -name '*.lock' 2>/dev/null || :")

    def left(self):
        return diff(self.fresh, self.state())


class Tally:
    def __init__(self):
        self.done, self.problems = 0, []
        self.interrupted = {"TERM": [], "KILL": []}  # of wg-quick: whether something remained

    def judge(self, where, lines, said=""):
        if lines:
            self.problems.append(f"{where}\n" + "\n".join(lines[:60]) + f"\n{said}")


# ---- holdfast ----

def changes_something(line):
    """Of strace's lines: requests other than questions, files of ours, programs."""
    if line.startswith("write(2,"):
        return False
    if line.startswith("send"):
        return not re.search(r"nlmsg_type=(RTM_GET|WG_CMD_GET|CTRL_CMD_GET|0x\w+ /\* CTRL)|NFT_MSG_GET|\"get=1", line)
    return True


def points(machine, verb):
    """(system call, its number, how it looks) of each step."""
    status, _, said = machine.call("strace", "-qq", "-o", "/run/trace", "-e", "trace=" + ",".join(CALLS), HOLDFAST, verb, "wg0", env=LEAKS)
    assert status == 0, said
    seen, found = {}, []
    for line in machine.read("/run/trace").splitlines():
        call = line.partition("(")[0]
        if call in CALLS:
            seen[call] = seen.get(call, 0) + 1
            if changes_something(line):
                found.append((call, seen[call], line[:100]))
    return found


LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}  # which it cannot look for while traced


def strike(machine, verb, call, number, mode):
    what = "error=EPERM" if mode == "fail" else f"signal=SIG{mode}"
    return machine.call("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}",
                        HOLDFAST, verb, "wg0", env=LEAKS)


def holdfast_step(machine, verb, point, mode, tally):
    call, number, look = point
    where = f"holdfast {verb}, {mode} at {call} {number}: {look}"
    if verb == "down":
        assert machine.call(HOLDFAST, "up", "wg0")[0] == 0
    status, _, said = strike(machine, verb, call, number, mode)
    if mode == "KILL" or verb == "down" or status == 0:
        again = machine.call(HOLDFAST, "down", "wg0")
        if again[0] not in (0, 1):
            tally.problems.append(f"{where}: the down after it ended with {again[0]}\n{again[2]}")
        said += again[2]
    tally.done += 1
    tally.judge(where, machine.left(), said)
    return status


def holdfast_steps(each, stop):
    tally, machine = Tally(), Machine()
    try:
        plan = [("up", point) for point in points(machine, "up")]
        plan += [("down", point) for point in points(machine, "down")]
        assert len(plan) > 20, plan
        for index, (verb, point) in enumerate(plan):
            for mode in MODES:
                if index % each or stop.is_set():
                    continue
                problems = len(tally.problems)
                holdfast_step(machine, verb, point, mode, tally)
                if len(tally.problems) > problems:
                    machine.close()
                    machine = Machine()
    finally:
        machine.close()
    return tally


# ---- wg-quick ----

def wg_quick_machine():
    machine = Machine()
    machine.must("mkdir /run/deb; cp /usr/bin/wg-quick /run/deb; echo 0 >/run/deb/count")
    for name in ("ip", "wg", "nft", "sysctl", "wireguard-go", "resolvconf"):
        machine.write("/run/deb/" + name, STEP, 0o755)
    return machine


def wg_quick_run(machine, verb, step=0, mode="none"):
    machine.must("echo 0 >/run/deb/count")
    return machine.call("/run/deb/wg-quick", verb, "wg0", env={"STEP": str(step), "MODE": mode})


def wg_quick_steps(each, stop):
    """After a failure wg-quick leaves nothing but src_valid_mark, or holdfast would be held to more than wg-quick is. What it
    leaves after a SIGKILL is counted: it is what holdfast does better. So is, once, a table of nftables after a SIGTERM."""
    tally, machine = Tally(), wg_quick_machine()
    try:
        assert wg_quick_run(machine, "up")[0] == 0
        steps = int(machine.read("/run/deb/count"))
        for step in range(1, steps + 1):
            for mode in MODES:
                if step % each or stop.is_set():
                    continue
                machine.close()
                machine = wg_quick_machine()
                if wg_quick_run(machine, "up", step, mode)[0] == 0:
                    wg_quick_run(machine, "down")  # it knew another way
                lines = [line for line in machine.left() if line[:1] in "+-" and line[:3] not in ("+++", "---") and "valid_mark" not in line]
                tally.done += 1
                if mode == "fail":
                    tally.judge(f"wg-quick up, {mode} at its step {step} of {steps}", lines)
                else:
                    tally.interrupted[mode].append(bool(lines))
    finally:
        machine.close()
    return tally


def doubts(ours, theirs):
    """What says that the test itself sees nothing."""
    killed, terminated = theirs.interrupted["KILL"], theirs.interrupted["TERM"]
    found = []
    if not ours.done or not killed:
        found.append("nothing was interrupted")
    if 2 * sum(killed) < len(killed):
        found.append(f"wg-quick left something after {sum(killed)} of {len(killed)} SIGKILLs only: was it struck?")
    if 2 * sum(terminated) > len(terminated):
        found.append(f"wg-quick left something after {sum(terminated)} of {len(terminated)} SIGTERMs: what is left after one says nothing")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--each-of-wg-quick", type=int, default=1)
    options = parser.parse_args()
    if not can_run() or not shutil.which("strace"):
        print("needs root, wg-quick, wireguard-go and strace")
        return 77
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    begin, stop = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.submit(holdfast_steps, options.each, stop), pool.submit(wg_quick_steps, options.each_of_wg_quick, stop)
        try:
            ours, theirs = ours.result(), theirs.result()
        except BaseException:
            stop.set()
            raise
    problems = ours.problems + theirs.problems + doubts(ours, theirs)
    for problem in problems:
        print("FAILED:", problem)
    print(f"holdfast: {ours.done} interruptions, {len(ours.problems)} left something behind; wg-quick: {theirs.done} interruptions, "
          f"{len(theirs.problems)} left something behind after a failure, {sum(theirs.interrupted['TERM'])} after SIGTERM, "
          f"{sum(theirs.interrupted['KILL'])} after SIGKILL; {time.monotonic() - begin:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
