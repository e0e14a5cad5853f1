# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a tunnel with many peers takes to come up: wg-quick beside the plan engine, in the same namespace, by turns.

usage: tunnel_setup.py TUNNEL_UP [PEERS...]"""
import base64
import os
import statistics
import sys
import tempfile
import time

from benchlab import expect, heading, run, table, wait_for, wireguard
from lab.machine import Machine

TUNNEL_UP, SIZES, RUNS = sys.argv[1], [int(size) for size in sys.argv[2:]] or [100, 1000], 3
_INTERFACE = "[Interface]\nPrivateKey = {}\nListenPort = 51820\nAddress = 10.50.0.1/24\n"


class Host:
    """A machine of the lab with nothing on it, and one key."""

    def __init__(self, directory):
        self._directory, self._private = directory, wireguard.private_key()
        self._key_file = os.path.join(directory, "wg0.key")
        wireguard.write_secret(self._key_file, self._private)
        self.machine = Machine("host")

    def wg_quick(self, peers):
        """Milliseconds of `wg-quick up`."""
        path = os.path.join(self._directory, "wg0.conf")
        wireguard.write_secret(path, _INTERFACE.format(self._private) + "".join(map(_peer, range(peers))))
        begin = time.monotonic()
        self.machine.run("wg-quick", "up", path)
        took = (time.monotonic() - begin) * 1000
        self._expect_up(peers)
        self.machine.run("wg-quick", "down", path)
        self._wait_gone()
        return took

    def native(self, peers):
        """Milliseconds of the plan engine, of the whole program that runs it, and of a second look."""
        begin = time.monotonic()
        words = self.machine.run(TUNNEL_UP, str(peers), self._key_file, wireguard.public_key(self._private)).split()
        whole = (time.monotonic() - begin) * 1000
        self._expect_up(peers)
        expect(words[3] == "0", f"the second look found {words[3]} things to do")
        self.machine.run("ip", "link", "del", "wg0")
        self._wait_gone()
        return float(words[0]), whole, float(words[2])

    def _expect_up(self, peers):
        known = len(self.machine.run("wg", "show", "wg0", "peers").split())
        routes = len(self.machine.run("ip", "route", "show", "dev", "wg0").splitlines())
        expect((known, routes) == (peers, peers + 1), f"{known} peers and {routes} routes instead of {peers} and {peers + 1}")

    def _wait_gone(self):
        wait_for("wg0 is gone", 10, lambda: not self.machine.run("wg", "show", "interfaces").strip())


def _peer(number):
    key = base64.b64encode(os.urandom(32)).decode()
    return f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.64.{number >> 8}.{number & 255}/32\n"


def a_tunnel_comes_up():
    rows = []
    with tempfile.TemporaryDirectory(prefix="holdfast-bench.") as directory:
        host = Host(directory)
        try:
            for size in SIZES:
                quick, native = zip(*((host.wg_quick(size), host.native(size)) for _ in range(RUNS)))
                engine, whole, again = (statistics.median(values) for values in zip(*native))
                quick = statistics.median(quick)
                rows.append([f"{size:,}", f"{quick:.0f} ms", f"{engine:.0f} ms", f"{whole:.0f} ms", f"{quick / whole:.1f}", f"{again:.1f} ms"])
        finally:
            host.machine.destroy()
    heading(f"A tunnel comes up, on wireguard-go, the start of it included; medians of {RUNS}")
    table(["peers", "wg-quick up", "plan engine", "its program", "wg-quick / program", "nothing to do"], rows)


run(a_tunnel_comes_up)
