# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's network.

    client - nat -+ outer +- gw-a -+ lan +- lan - far
                  |       +- gw-b -+     |
                  |                      |
                  +--- management: ctl, gw-a, gw-b

`fabric` is the switches: three bridges without any address, so that whatever a gateway's neighbour learns, it learns from the gateway.
"""
from .machine import Machine
from .wait import LabError

OUTER, LAN, MANAGEMENT = "outer", "lan", "mgmt"
DIAL, DIAL6, PORT = "10.9.0.100", "2001:db8::100", 51820
ROUTER, ROUTER6 = "10.9.0.1", "2001:db8::1"
INSIDE, LAN_HOST, FAR_ROUTER, FAR_HOST = "192.168.1.1", "192.168.1.10", "192.168.1.254", "172.30.0.10"
FAR_NET, TUNNEL_NET, TUNNEL_NET6 = "172.30.0.0/16", "10.50.0.0/24", "fd50::/64"
CONTROLLER = "10.8.0.20"


class Place:
    """Where a gateway is plugged in: its addresses and what it calls its interfaces."""

    def __init__(self, index, wan, lan, management):
        self.wan, self.lan, self.management = wan, lan, management
        self.outer_address, self.outer_address6 = f"10.9.0.{10 + index}", f"2001:db8::{10 + index}"
        self.lan_address, self.management_address = f"192.168.1.{1 + index}", f"10.8.0.{10 + index}"


# Interface names differ on purpose, as they do between real machines.
PLACES = {"gw-a": Place(1, "eth0", "eth1", "eth2"), "gw-b": Place(2, "ens3", "ens4", "ens5"),
          "gw-c": Place(3, "enp1s0", "enp2s0", "enp3s0")}


class Network:
    """All machines but the gateways, and the places for those."""

    def __init__(self, outlives=False, changed=None):
        """`changed` is told the machines whenever there is one more."""
        self.outlives, self._changed = outlives, changed
        self.machines = {}
        self._plugged, self.controller_port = 0, None

    def build(self):
        fabric = self.add("fabric")
        fabric.ip(*(f"link add {bridge} type bridge" for bridge in (OUTER, LAN, MANAGEMENT)),
                  *(f"link set {bridge} up" for bridge in (OUTER, LAN, MANAGEMENT)))
        # Where bridge netfilter is loaded, its switches are of this namespace.
        fabric.run("sh", "-c", "for s in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $s ] || echo 0 > $s; done")
        self._build_router()
        self._build_inside()
        controller = self.add("ctl")
        self.controller_port = self.plug(controller, "eth0", MANAGEMENT)
        controller.ip(f"addr add {CONTROLLER}/24 dev eth0")

    def add(self, name):
        machine = Machine(name, self.outlives)
        self.machines[name] = machine
        if self._changed:
            self._changed(self.machines)
        machine.ip("link set lo up")
        return machine

    def plug(self, machine, interface, bridge):
        """A cable from a switch to a machine's interface; returns the name of the switch's port."""
        self._plugged += 1
        port = f"port{self._plugged}"
        fabric = self.machines["fabric"]
        _cable(fabric, port, machine, interface)
        fabric.ip(f"link set {port} master {bridge} up")
        return port

    def wire(self, left, left_interface, right, right_interface):
        _cable(left, left_interface, right, right_interface)

    def port_up(self, port, up):
        """The cable at the switch's end: a gateway sees its carrier come and go."""
        self.machines["fabric"].ip(f"link set {port} {'up' if up else 'down'}")

    def cut(self, cut, isolated, blocked=()):
        """The first ports of a switch hear nothing of each other, and everything of the others; the second take and give nothing. No carrier
        is lost. All in one batch, within a millisecond: entering the switches for each would make several faults of one."""
        self.machines["fabric"].run("bridge", "-batch", "-", text="".join(
            [f"link set dev {port} isolated {'on' if cut else 'off'}\n" for port in isolated]
            + [f"link set dev {port} state {0 if cut else 3}\n" for port in blocked]))

    def unplug(self, ports):
        """Takes the switch's ends away, of a machine that is gone as well."""
        for port in ports:
            self.machines["fabric"].run("ip", "link", "del", port, check=False)
            self.machines["fabric"].wait_link_gone(port)

    def add_client(self, name, index, translated=True):
        """A machine alone on its link to the router, over IPv4 behind its NAT, or not; over IPv6 there is none."""
        nat, machine = self.machines["nat"], self.add(name)
        net4, net6 = f"192.168.{76 + index}" if translated else f"198.18.{index}", f"2001:db8:{index}:"
        self.wire(nat, f"c{index}", machine, "eth0")
        nat.ip(f"addr add {net4}.1/24 dev c{index}", f"addr add {net6}:1/64 dev c{index} nodad")
        machine.ip(f"addr add {net4}.2/24 dev eth0", f"addr add {net6}:2/64 dev eth0 nodad",
                   f"route add default via {net4}.1", f"route add ::/0 via {net6}:1")
        return machine

    def destroy(self):
        while self.machines:
            self.machines.popitem()[1].destroy()

    def _build_router(self):
        nat = self.add("nat")
        self.plug(nat, "wan", OUTER)
        nat.ip(f"addr add {ROUTER}/24 dev wan", f"addr add {ROUTER6}/64 dev wan nodad")
        nat.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        nat.run("nft", "-f", "-", text="""
            table ip nat {
              chain post {
                type nat hook postrouting priority srcnat
                oifname "wan" ip saddr 192.168.0.0/16 masquerade random
              }
            }""")

    def _build_inside(self):
        lan, far = self.add("lan"), self.add("far")
        self.plug(lan, "eth0", LAN)
        self.wire(lan, "far", far, "eth0")
        lan.ip(f"addr add {LAN_HOST}/24 dev eth0", f"addr add {FAR_ROUTER}/24 dev eth0", "addr add 172.30.0.1/16 dev far",
               f"route add {TUNNEL_NET} via {INSIDE}")
        lan.sysctl(net__ipv4__ip_forward=1)
        far.ip(f"addr add {FAR_HOST}/16 dev eth0", "route add default via 172.30.0.1")


def _cable(left, left_interface, right, right_interface):
    """Made in the left machine, its other end put into the right one; the host's own network is never touched."""
    done = left.run_outside_processes("ip", "link", "add", left_interface, "type", "veth",
                                      "peer", "name", right_interface, "netns", str(right.pid))
    if done.returncode:
        raise LabError(f"cable {left.name} {left_interface} - {right.name} {right_interface}: {done.stderr.strip()}")
    left.ip(f"link set {left_interface} up")
    right.ip(f"link set {right_interface} up")
