# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine on which wg-quick or holdfast brings up a large tunnel, and what that costs."""
import base64
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "integration", "quick"))
from benchlab import expect                        # noqa: E402: the path comes first
from compare import HOLDFAST, WG_QUICK, Host, key  # noqa: E402

PROGRAMS = {"wg-quick": WG_QUICK, "holdfast": HOLDFAST}
_CONF = "/etc/wireguard/wg0.conf"
_A_LINE = 5      # allowed IPs; wg-quick's bash takes quadratic time for longer lines

# wireguard-go is started by a process that is there already: what is measured waits for it, but does not pay for its memory, and strace,
# which would follow it and never end, does not see it.
_STARTER = """
mkfifo /run/start /run/started
printf '#!/bin/sh\\necho "$1" >/run/start\\nread status </run/started\\nexit "$status"\\n' >/run/bin/start-wireguard
chmod 755 /run/bin/start-wireguard
setsid bash -c 'while read -r name </run/start; do wireguard-go "$name"; echo $? >/run/started; done' >/dev/null 2>&1 </dev/null &
"""


class TookTooLong(Exception):
    """After so many routes."""


class Tunnel:
    """A file with peers that have as many allowed IPs each; peer number `changed` has another one."""

    def __init__(self, peers, each=1):
        self.peers, self.routes = peers, peers * each
        self._each, self._private = each, key()
        self._keys = [base64.b64encode(os.urandom(32)).decode() for _ in range(peers)]

    def text(self, changed=None):
        head = f"[Interface]\nPrivateKey = {self._private}\nListenPort = 51820\nAddress = 10.50.0.1/24\n"
        return head + "".join(self._peer(number, 72 if number == changed else 64) for number in range(self.peers))

    def _peer(self, number, net):
        first = number * self._each
        addresses = [f"10.{net + (n >> 16)}.{n >> 8 & 255}.{n & 255}/32" for n in range(first, first + self._each)]
        lines = (", ".join(addresses[n:n + _A_LINE]) for n in range(0, self._each, _A_LINE))
        return f"[Peer]\nPublicKey = {self._keys[number]}\n" + "".join(f"AllowedIPs = {line}\n" for line in lines)


class QuickHost(Host):
    """One of PROGRAMS works on it."""

    def __init__(self, program, tunnel):
        super().__init__()
        self._program, self._tunnel = PROGRAMS[program], tunnel
        self.must(_STARTER)
        self.write_tunnel()

    def write_tunnel(self, changed=None):
        self.write(_CONF, self._tunnel.text(changed))

    def run(self, *command, limit_s=200):
        """Its output, which is not empty where it failed."""
        process = self.start(*command, env={"WG_QUICK_USERSPACE_IMPLEMENTATION": "start-wireguard"})
        try:
            out, said = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            routes = self.routes()
            self.close()      # kills what runs in it
            process.communicate()
            raise TookTooLong(routes) from None
        expect(process.returncode == 0, f"{' '.join(command)}: status {process.returncode}\n{said[-2000:]}")
        return out

    def cost(self, measure, verb, limit_s):
        """Milliseconds and MiB."""
        took_us, peak_kib = self.run(measure, self._program, verb, _CONF, limit_s=limit_s).splitlines()[-1].split()
        self._expect_done(verb)
        return int(took_us) / 1000, int(peak_kib) / 1024

    def system_calls(self, verb):
        self.run("strace", "-f", "-c", "-U", "calls,name", "-o", "/run/counts", self._program, verb, _CONF)
        self._expect_done(verb)
        calls, name = self.read("/run/counts").splitlines()[-1].split()
        expect(name == "total", f"strace -c ends with {name}")
        return int(calls)

    def trace(self, verb):
        """Lines of strace, for syscalls.read(); messages in full."""
        self.run("strace", "-f", "-ttt", "-yy", "-v", "-s", "64", "-e", "trace=%network,read,write", "-o", "/run/trace", self._program, verb, _CONF)
        self._expect_done(verb)
        return self.read("/run/trace").splitlines()

    def routes(self):
        return int(self.must("ip -4 route show dev wg0 2>/dev/null | wc -l"))

    def _expect_done(self, verb):
        if verb == "down":
            expect(not self.must("ip -o link show type tun; ls /run/holdfast/quick/*/wg0.json 2>/dev/null || true"), "down left something")
            self.must("while [[ -S /run/wireguard/wg0.sock ]]; do sleep 0.01; done")
            return
        known = int(self.must("wg show wg0 allowed-ips | wc -l"))
        expect((known, self.routes()) == (self._tunnel.peers, self._tunnel.routes + 1),
               f"{known} peers and {self.routes()} routes instead of {self._tunnel.peers} and {self._tunnel.routes + 1}")
