#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels as large as those of WireGuard's own tests: every allowed IP is a route, and down leaves nothing. Takes 10 s."""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import can_run  # noqa: E402
from machine import INTERFACE, ONE, Machine  # noqa: E402
from runner import run_module  # noqa: E402

_A_LINE = 100


def addresses(first, count):
    """Of both families by turns."""
    return [f"10.{64 + (n >> 16)}.{n >> 8 & 255}.{n & 255}/32" if n % 2 else f"fd64::{1 + (n >> 16):x}:{n & 65535:x}/128"
            for n in range(first, first + count)]


def peer(key, allowed):
    lines = (", ".join(allowed[n:n + _A_LINE]) for n in range(0, len(allowed), _A_LINE))
    return f"\n[Peer]\nPublicKey = {key}\n" + "".join(f"AllowedIPs = {line}\n" for line in lines)


def some_key():
    return base64.b64encode(os.urandom(32)).decode()


class Crowd(Machine):
    """A machine on which a large tunnel goes up and down."""

    def up_and_down(self, peers):
        """Peers: their allowed IPs, by their keys. Twice up: the second finds nothing to do."""
        self.up(INTERFACE + "".join(peer(key, allowed) for key, allowed in peers.items()))
        self._expect(peers)
        self.up()
        self._expect(peers)
        self.down()
        self.clean("after down")

    def _expect(self, peers):
        routes = {line.split()[0] for line in self.must("for family in 4 6; do ip -$family route show dev wg0 proto 158; done").splitlines()}
        wanted = {prefix.partition("/")[0] for allowed in peers.values() for prefix in allowed}
        assert routes == wanted, f"{len(routes - wanted)} routes too many, {len(wanted - routes)} missing of {len(wanted)}"
        known = {line.split()[0]: set(line.split()[1:]) for line in self.must("wg show wg0 allowed-ips").splitlines()}
        assert known == {key: set(allowed) for key, allowed in peers.items()}, "allowed IPs differ"


def test_one_peer_with_130560():
    with Crowd() as machine:
        machine.up_and_down({ONE: addresses(0, 130560)})
    print("one peer with 130,560 allowed IPs")


def test_forty_peers_with_52():
    with Crowd() as machine:
        machine.up_and_down({some_key(): addresses(number * 52, 52) for number in range(40)})
    print("forty peers with 52 allowed IPs each")


if __name__ == "__main__":
    run_module(globals(), can_run())
