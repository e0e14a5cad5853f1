# SPDX-License-Identifier: GPL-2.0-or-later
"""Two TCP transfers of the lab's client, one translated to the inside address, one not, both through an administrator's rules that let
nothing pass but what is established and what begins."""
import re

from labtest import expect, wait_for
from stream import Stream
from lab import network
from lab.scene import CLIENT_ADDRESS

TRANSLATED, PLAIN = "translated", "plain"
_LAN_PORT, _CLIENT_PORT = 5201, 5202
_GOES_ON = 100      # pieces: a second of them
# A segment in the middle of a connection that this kernel knows nothing of is neither.
_STRICT = """
    table inet strict {
      chain forward {
        type filter hook forward priority 10; policy drop
        ct state established,related accept
        tcp flags & (fin|syn|rst|ack) == syn accept
        meta l4proto { icmp, ipv6-icmp, udp } accept
      }
    }"""


def be_strict(gateway):
    """Since it was switched on."""
    gateway.machine.run("nft", "-f", "-", text=_STRICT)


class Transfers:
    """Both, running, in a lab whose gateways are strict."""

    def __init__(self, scene):
        self._scene = scene
        lan, client = scene.network.machines["lan"], scene.client.machine
        self._streams = {TRANSLATED: Stream(lan, client, network.LAN_HOST, _LAN_PORT), PLAIN: Stream(client, lan, CLIENT_ADDRESS, _CLIENT_PORT)}
        self._before = {name: 0 for name in self._streams}
        self.wait_going("begin")

    def wait_mirrored(self):
        """Until nothing is lost with the owner; what is measured begins here."""
        wait_for("the standby has the owner's connections", 60, self._is_mirrored)
        self.worst_ms()

    def mark(self):
        """What comes from now on is going on."""
        self._before = {name: stream.pieces for name, stream in self._streams.items()}

    def wait_going(self, when):
        wait_for(f"both transfers {when}", 30, self.going)

    def going(self):
        """Whether a second's worth has come since the mark."""
        for name, stream in self._streams.items():
            expect(not stream.ended, f"the {name} transfer {stream.ended}")
        return all(stream.pieces > self._before[name] + _GOES_ON for name, stream in self._streams.items())

    def worst_ms(self):
        """The longest wait of each since this was asked last."""
        return {name: stream.worst_ms() for name, stream in self._streams.items()}

    def stop(self):
        for stream in self._streams.values():
            stream.stop()

    def _is_mirrored(self):
        """Two transfers and two pings at least are known on both sides, and as many of them."""
        owner = self._scene.owner()
        told, mirrored = self._flows(owner, "told"), self._flows(self._scene.other(owner).name, "mirrored")
        return told == mirrored and told >= 4

    def _flows(self, name, kind):
        address = network.PLACES[name].management_address
        text = self._scene.network.machines["ctl"].run("curl", "-s", f"http://{address}:9581/metrics", check=False)
        found = re.search(rf'^holdfast_flows_{kind}{{endpoint="vpn"}} (\d+)$', text, re.M)
        return int(found.group(1)) if found else -1
