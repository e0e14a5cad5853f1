#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reloads: of a tunnel that shares with others what the machine has one of, while their commands run, too; and what they
cost. Takes some 5 s."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import HOLDFAST, can_run, key  # noqa: E402
from machine import FULL, INTERFACE, ONE, TWO, Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402

SECOND = f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/24\n" + FULL.replace(", ::/0", "")
# Takes name servers back only when it is told to go on.
SLOW_RESOLVCONF = """#!/bin/bash
[[ $1 != -d || -e /run/go ]] && exit
touch /run/reached
until [ -e /run/go ]; do read -t 0.02 <> <(:) || :; done
"""


def test_handed_over_during_a_reload():
    """wg1 set src_valid_mark; it goes while wg0, which needs it, too, is in the middle of a reload: wg0 gives it back."""
    with Machine() as machine:
        machine.up(SECOND, "wg1")
        machine.up(INTERFACE + "DNS = 10.50.0.1\n" + FULL)
        machine.write("/run/bin/resolvconf", SLOW_RESOLVCONF, 0o755)
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "DNS = 10.50.0.9\n" + FULL)
        reload = machine.start(HOLDFAST, "up", "wg0")
        machine.until("in the middle of the reload", lambda: machine.shell("test -e /run/reached")[0] == 0)
        machine.down("wg1")
        machine.must("touch /run/go")
        machine.said = reload.communicate(timeout=60)[1]
        assert reload.returncode == 0 and "= 1" in machine.must("sysctl net.ipv4.conf.all.src_valid_mark"), machine.said
        machine.down()
        machine.clean("handed over during a reload")
    print("handed over during a reload")


def test_a_reload_reads_the_device_once():
    """Whatever it changes: 10,000 peers take longer to read than one to set."""
    peer = f"\n[Peer]\nPublicKey = {TWO}\nAllowedIPs = 10.60.0.0/16\n"
    changes = {"nothing": INTERFACE + peer, "a prefix": INTERFACE + peer.replace("10.60", "10.61"), "a peer": INTERFACE + peer + FULL,
               "the other way round": INTERFACE + peer, "one that moves": INTERFACE + peer.replace(TWO, ONE), "an address": INTERFACE.replace("50.0.2", "50.0.3") + peer}
    with Machine() as machine:
        machine.up(INTERFACE + peer)
        for what, text in changes.items():
            machine.write("/etc/wireguard/wg0.conf", text)
            status, _, machine.said = machine.call("strace", "-qq", "-o", "/run/trace", "-e", "trace=sendto,sendmsg,write", HOLDFAST, "up", "wg0",
                                                   env={"ASAN_OPTIONS": "detect_leaks=0"})
            reads = [line for line in machine.read("/run/trace").splitlines() if '"get=1' in line or "WG_CMD_GET" in line]
            assert status == 0 and len(reads) == 1, (what, reads, machine.said)
            machine.up()
            assert not steps(machine), (what, machine.said)
        machine.down()
        machine.clean("read once")
    print("a reload reads the device once")


if __name__ == "__main__":
    run_module(globals(), can_run() and shutil.which("strace"))
