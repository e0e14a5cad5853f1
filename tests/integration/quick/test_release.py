#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`release` of what wg-quick does not know: forwarding, silence, name servers in /etc/resolv.conf. Where its last steps fail,
the tunnel is as it was, and kept. Takes some 20 s, nearly all of them for interrupting it at each step."""
import os
import shutil
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential"), os.path.dirname(os.path.abspath(__file__))]
from compare import HOLDFAST, WG_QUICK, can_run  # noqa: E402
from machine import FULL, INTERFACE, ONE, Machine  # noqa: E402
from runner import run_module  # noqa: E402
from test_adopt import Interrupted, call, same  # noqa: E402

SITE = INTERFACE + f"DNS = 10.50.0.1\n\n[Peer]\nPublicKey = {ONE}\nAllowedIPs = 10.60.0.0/16, fd60::/32\nEndpoint = 192.0.2.1:51820\n"
FORWARD = "forward: { default: drop, masquerade: [ { from: 10.50.0.0/24, interface: eth0 } ] }\n"
YAML = FORWARD + "multicast: false\n"
STATE = """
ip -4 rule; ip -6 rule; ip -4 route show table all dev wg0; ip -6 route show table all dev wg0
for table in "ip wg-quick-wg0" "ip6 wg-quick-wg0" "inet holdfast-wg0"; do nft -n list table $table 2>/dev/null || :; done
cat /etc/resolv.conf; sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.src_valid_mark
ip -o link show wg0; ip -o address show dev wg0; wg showconf wg0
for file in $(find /run/holdfast -type f ! -name '*.lock' | sort); do echo $file; cat $file; done
"""
WORKS = """
for to in 10.60.0.1 fd60::1; do [[ $(ip route get $to) == *" dev wg0 "* ]]; done
for to in 192.0.2.1 203.0.113.1 2001:db8::1; do [[ $(ip route get $to) == *" dev eth0 "* ]]; done
"""


class Beyond(Interrupted):
    """`release`, interrupted. The files say something else than what `up` made of them before: that counts."""
    state, ways = STATE, WORKS

    def __init__(self, text):
        self.text = text
        super().__init__("release", Machine(resolvconf=False))

    def files(self, yaml):
        self.machine.write("/etc/wireguard/wg0.conf", self.text)
        self.machine.write("/etc/wireguard/wg0.yaml", yaml)

    def begin(self):
        self.files(YAML)
        self.machine.up()
        self.before = self.ours = self.machine.must(STATE)
        self.files("")
        call(self.machine, HOLDFAST, "release")
        self.after = self.theirs = self.machine.must(STATE)
        assert "holdfast" not in self.theirs and "10.50.0.1\n" not in self.theirs, self.theirs
        self.back()

    def back(self):
        if self.machine.must(STATE) != self.ours:
            self.files(YAML)
            if self.machine.must(STATE) == self.theirs:
                call(self.machine, HOLDFAST, "adopt")
            self.machine.up()
            same("back before release", self.ours, self.machine.must(STATE))
            self.files("")

    def goes_on(self, where, verb):
        """Where it was left half way, all that `up` had made is there again; where it was done, it is wg-quick's."""
        done = self.machine.must(STATE) == self.theirs
        if verb == "adopt" and done:
            return
        super().goes_on(where, verb)


def test_interrupted_at_each_step(text=SITE):
    done = Beyond(text).run()
    assert done > 30, done
    print(f"interrupted {done} times")


def test_a_resolvconf_that_fails():
    """Name servers go from the file to resolvconf, which is there by now, and fails: they are in the file again."""
    with Machine(resolvconf=False) as machine:
        machine.write("/etc/wireguard/wg0.yaml", YAML)
        machine.up(SITE)
        before = machine.must(STATE)
        machine.write("/run/bin/resolvconf", "#!/bin/bash\necho resolvconf $* >>/run/transcript\n[[ $1 == -d ]] || exit 9\n", 0o755)
        assert "they go now, to resolvconf" in call(machine, HOLDFAST, "release", status=1)
        assert machine.transcript() == "resolvconf -a wg0 -m 0 -x\nresolvconf -d wg0 -f\n"
        same("a resolvconf that fails", before, machine.must(STATE))
        machine.must("rm /run/bin/resolvconf")
        machine.down()
        machine.clean("a resolvconf that fails")
    print("a resolvconf that fails")


def test_what_the_yaml_said():
    """What `up` made of it goes, not what it says when the tunnel is handed back."""
    for text in (SITE, INTERFACE + FULL):
        with Machine() as machine:
            machine.write("/etc/wireguard/wg0.yaml", "multicast: false\n")
            machine.up(text)
            assert "holdfast-wg0" in machine.must("nft list tables")
            machine.must("rm /etc/wireguard/wg0.yaml")
            assert "would leave it for ever" in call(machine, HOLDFAST, "release")
            assert "holdfast-wg0" not in machine.must("nft list tables")
            call(machine, WG_QUICK, "down")
            machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
            machine.clean("what the YAML said")
    print("what the YAML said")


if __name__ == "__main__":
    run_module(globals(), can_run() and shutil.which("strace"))
