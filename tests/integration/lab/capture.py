# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway says as an owner, caught at the switch's port that it is plugged into."""
import os
import re
import subprocess

from labtest import expect
from lab import network

# What only an owner may say: from the addresses that clients dial and the LAN has as its router, or who has them.
CLAIMS = {network.OUTER: f"src host {network.DIAL} or src host {network.DIAL6} or (arp and arp[14:4] = {{dial}})"
                         f" or (icmp6 and ip6[40] = 136 and ip6[48:4] = 0x20010db8 and ip6[60:4] = 0x100)",
          network.LAN: f"src host {network.INSIDE} or (arp and arp[14:4] = {{inside}})"}


def number(address):
    return "0x" + "".join(f"{int(part):02x}" for part in address.split("."))


class Capture:
    """tcpdump on the switch's port of a gateway: what comes from there."""

    def __init__(self, machine, port, what, path):
        self._machine, self._pid, self._path = machine, f"/run/tcpdump-{port}.pid", path
        self._process = machine.spawn("sh", "-c", 'echo $$ > "$1"; exec tcpdump -Z root -n -U -Q in -i "$2" -w "$3" "$4"', "sh",
                                      self._pid, port, path, what, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        expect(any("listening on" in line for line in self._process.stderr), f"tcpdump on {port} did not begin")

    def stop(self):
        """Ends it; (time, text) of each packet. The kernel must not have dropped any."""
        self._machine.run("sh", "-c", f'kill "$(cat {self._pid})"')
        report = self._process.communicate(timeout=10)[1]
        expect(re.search(r"\b0 packets dropped by kernel", report), f"tcpdump: {report}")
        printed = subprocess.run(["tcpdump", "-n", "-tt", "-r", self._path], capture_output=True, text=True, check=True).stdout
        return [(float(line.split()[0]), line) for line in printed.splitlines()]


def capture(scene, gateway, bridge):
    what = CLAIMS[bridge].format(dial=number(network.DIAL), inside=number(network.INSIDE))
    return Capture(scene.network.machines["fabric"], gateway.port(bridge), what,
                   os.path.join(scene.files.root, f"{gateway.name}-{bridge}.pcap"))
