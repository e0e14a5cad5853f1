#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels of `holdfast up` in other network namespaces: what changes there is heard and mended there as at home, and their peers'
names are asked for where their sockets are. Costs 15 s, most of it waiting for conditions."""
import os
import re
import sys

sys.dont_write_bytecode = True
from etc_netns import make_etc  # noqa: E402
from keeping import FAR_PORT, Machine, main, run, until  # noqa: E402

SOON_MS = 15000  # where no event tells, it is up to 30 s

PEER = f"AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = site1.example.test:{FAR_PORT}"
NOWHERE = "nameserver 192.0.2.99\noptions timeout:1 attempts:1\n"


class Spaces(Machine):
    def __init__(self):
        super().__init__()
        self.vpn, self.phys = f"hk{os.getpid()}v", f"hk{os.getpid()}p"
        self.spaces = [self.vpn, self.phys]
        self.dns("10.9.0.21")

    def soon(self, what, act, mended, said=None):
        """As at home: not at the next regular look."""
        took_ms, lines = self.trouble(what, act, mended, said)
        assert took_ms < SOON_MS, f"{what}: mended after {took_ms:.0f} ms"
        return lines

    def there(self, name, *command, check=True):
        return run("ip", "netns", "exec", name, *command, check=check)

    def endpoint(self, name, tunnel):
        return self.there(name, "wg", "show", tunnel, "endpoints").split()[-1]

    def nudge(self, name):
        self.queue = 500 + (getattr(self, "queue", 0) + 1) % 100
        run("ip", "-n", self.at, "link", "set", name, "txqueuelen", str(self.queue))

    def trouble(self, what, act, mended, said=None, seconds=90):
        self.quiet(self.tunnel)
        from trouble import mend
        return mend(what, act, mended, said or self.said, until, seconds)

    def make_up(self, letter, sidecar, interface="Address = 10.60.0.1/24, fd60::1/64\nDNS = 10.60.0.53"):
        self.tunnel = self.write(letter, interface, PEER)
        with open(f"{self.dir}/{self.tunnel}.yaml", "w") as file:
            file.write(sidecar)
        self.up(self.tunnel)


def test_without_the_power_to_go_there(machine):
    """It is not lost for that."""
    run("ip", "netns", "add", machine.vpn)
    machine.start()
    machine.at = machine.vpn
    machine.tunnel = machine.write("v", "Address = 10.60.0.1/24, fd60::1/64\nDNS = 10.60.0.53", PEER)
    with open(f"{machine.dir}/{machine.tunnel}.yaml", "w") as file:
        file.write(f"namespace: {machine.vpn}\n")
    machine.holdfast("up", machine.tunnel)
    until("it is told", lambda: any("cannot enter the network namespace" in reason for reason in machine.ready()["reasons"]))
    assert not machine.said(r"lost .*"), machine.log()
    assert machine.stop() == 0
    machine.start(powers=["CAP_SYS_ADMIN"])
    until("it is kept", lambda: machine.is_kept(machine.tunnel) and machine.ready()["ready"])


def state_of_others(machine):
    rules = [line for family in ("-4", "-6") for line in run("ip", "-n", machine.vpn, family, "rule").splitlines()]
    routes = [line for line in run("ip", "-n", machine.vpn, "route", "show", "table", "all").splitlines() if "proto static" in line]
    return rules, routes, machine.there(machine.vpn, "nft", "list", "table", "inet", "other")


def test_where_the_link_is(machine):
    """Foreign state in there stays; a tunnel of the agent's own namespace with such a name is nobody's business here."""
    def ip(*words, check=True):
        return run("ip", "-n", machine.vpn, *words, check=check)

    def whole():
        address, routes = ip("addr", "show", "dev", name), ip("route") + ip("-6", "route")
        return "10.60.0.1/24" in address and "fd60::1/64" in address and ",UP" in address and "mtu 1420" in address and \
            len(re.findall(f"default dev {name} proto 158", routes)) == 2
    name = machine.tunnel
    assert whole()
    ip("rule", "add", "priority", "100", "fwmark", "7", "table", "77")
    ip("route", "add", "10.99.0.0/16", "dev", "lo", "proto", "static")
    machine.there(machine.vpn, "nft", "add table inet other; add chain inet other c; add rule inet other c counter accept")
    before, firewall = state_of_others(machine), machine.there(machine.vpn, "nft", "list", "table", "ip", "wg-quick-" + name)
    home = machine.foreign()
    machine.soon("ip route flush proto 158, in there", lambda: ip("route", "flush", "proto", "158"), whole)
    machine.soon("ip -6 route flush proto 158", lambda: ip("-6", "route", "flush", "proto", "158"), whole)
    machine.soon("ip addr del", lambda: ip("addr", "del", "10.60.0.1/24", "dev", name), whole)
    machine.soon("ip link set X down", lambda: ip("link", "set", name, "down"), whole)
    machine.soon("ip link set X mtu 1300", lambda: ip("link", "set", name, "mtu", "1300"), whole)
    machine.soon("nft delete table ip wg-quick-X", lambda: machine.there(machine.vpn, "nft", "delete", "table", "ip", "wg-quick-" + name),
                 lambda: machine.there(machine.vpn, "nft", "list", "table", "ip", "wg-quick-" + name, check=False) == firewall)
    resolv = f"/etc/netns/{machine.vpn}/resolv.conf"

    def rewrite():
        with open(resolv, "w") as file:
            file.write(NOWHERE)
        machine.nudge(name)
    machine.soon("its resolv.conf is rewritten", rewrite, lambda: "nameserver 10.60.0.53" in open(resolv).read())
    assert state_of_others(machine) == before and machine.foreign() == home


def test_names_are_asked_for_at_home_where_its_socket_is(machine):
    """In there its own name server, which is nobody, would be asked. (wireguard-go that was moved has a multiple of 16 as its MTU.)"""
    assert machine.endpoint(machine.vpn, machine.tunnel) == f"10.9.0.21:{FAR_PORT}"
    assert not machine.said("underlay-changed .*"), "nothing is sent from in there"

    def flip():
        machine.dns("10.9.0.22")
        machine.ip("route", "replace", "default", "via", "10.9.0.1", "mtu", "1499")
    machine.trouble("DNS flips, and the underlay changes, at home", flip,
                    lambda: machine.endpoint(machine.vpn, machine.tunnel) == f"10.9.0.22:{FAR_PORT}")
    machine.ways()
    machine.soon("the underlay's MTU becomes 1400, at home", lambda: machine.ip("link", "set", "eth0", "mtu", "1400"),
                 lambda: re.search("mtu 13(20|12) ", run("ip", "-n", machine.vpn, "link", "show", machine.tunnel)))
    machine.soon("and 1500 again", lambda: machine.ip("link", "set", "eth0", "mtu", "1500"),
                 lambda: "mtu 1420" in run("ip", "-n", machine.vpn, "link", "show", machine.tunnel))


def test_a_namespace_that_up_made_goes_with_the_tunnel(machine):
    """The agent listens in there, and does not live there."""
    machine.holdfast("down", machine.tunnel)
    run("ip", "netns", "del", machine.vpn)
    machine.enter = ["nsenter", "--net=/run/netns/" + machine.host]  # `ip netns exec` would hide from us what is made
    machine.tunnel = machine.write("m", "Address = 10.60.0.1/24", "AllowedIPs = 0.0.0.0/0\nEndpoint = 10.9.0.21:4712")
    with open(f"{machine.dir}/{machine.tunnel}.yaml", "w") as file:
        file.write(f"namespace: {machine.vpn}\n")
    machine.up(machine.tunnel)
    machine.soon("ip route flush, where `up` made the namespace", lambda: run("ip", "-n", machine.vpn, "route", "flush", "proto", "158"),
                 lambda: "proto 158" in run("ip", "-n", machine.vpn, "route"))
    said = machine.holdfast("down", machine.tunnel)
    assert machine.vpn not in run("ip", "netns", "list").split(), said
    machine.enter = ["ip", "netns", "exec", machine.host]
    until("it is forgotten", lambda: not machine.ask("/v1/status")["tunnels"])


def test_where_the_socket_is(machine):
    """The link at home, the way to the peer and the name server that knows it in there."""
    phys = machine.phys
    run("ip", "netns", "add", phys)
    run("ip", "link", "add", "wanp", "netns", machine.router, "type", "veth", "peer", "name", "eth0", "netns", phys)
    run("ip", "-n", machine.router, "addr", "add", "10.9.1.1/24", "dev", "wanp")
    run("ip", "-n", machine.router, "link", "set", "wanp", "up")
    for words in ("addr add 10.9.1.11/24 dev eth0", "link set eth0 up", "link set lo up", "route add default via 10.9.1.1"):
        run("ip", "-n", phys, *words.split())
    make_etc(phys)
    with open(f"/etc/netns/{phys}/resolv.conf", "w") as file:
        file.write("nameserver 10.9.0.1\noptions timeout:1 attempts:1\n")
    machine.resolv_conf(NOWHERE)
    machine.dns("10.9.0.21")
    # The address of a device that is down says nothing about the routes that the tunnel takes over at home.
    for family in ("-4", "-6"):
        machine.ip(family, "route", "del", "default")
    machine.at = machine.host
    machine.make_up("p", f"socket_namespace: {phys}\n", "Address = 10.60.0.1/24, fd60::1/64")
    name = machine.tunnel

    def mtu(wanted):
        return lambda: re.search(f"mtu ({wanted}) ", machine.ip("link", "show", name))
    assert machine.endpoint(machine.host, name) == f"10.9.0.21:{FAR_PORT}"
    machine.soon("ip route flush proto 158, at home", lambda: machine.ip("route", "flush", "proto", "158"),
                 lambda: f"default dev {name} proto 158" in machine.ip("route"))
    machine.soon("the MTU where the socket is becomes 1400", lambda: run("ip", "-n", phys, "link", "set", "eth0", "mtu", "1400"), mtu("1320|1312"))
    machine.soon("and 1500 again", lambda: run("ip", "-n", phys, "link", "set", "eth0", "mtu", "1500"), mtu("1420"))

    def flip():
        machine.dns("10.9.0.22")
        run("ip", "-n", phys, "route", "replace", "default", "via", "10.9.1.1", "mtu", "1499")
    machine.trouble("DNS flips, and the underlay changes, in there", flip,
                    lambda: machine.endpoint(machine.host, name) == f"10.9.0.22:{FAR_PORT}")
    machine.holdfast("down", name)
    until("it is forgotten", lambda: not machine.ask("/v1/status")["tunnels"])
    machine.ways()
    machine.resolv_conf("nameserver 10.9.0.1\noptions timeout:1 attempts:1\n")


def test_a_namespace_that_is_deleted_ends(machine):
    """Whoever listens to one keeps it alive: the agent lets it go."""
    run("ip", "netns", "add", machine.vpn)
    run("ip", "link", "add", "ends", "netns", machine.host, "type", "veth", "peer", "name", "inside", "netns", machine.vpn)
    machine.at = machine.vpn
    machine.make_up("w", f"namespace: {machine.vpn}\n", "Address = 10.60.0.1/24")
    machine.quiet(machine.tunnel)

    def ended():
        return " ends@" not in machine.ip("link")
    machine.soon("ip netns del (told, not mended)", lambda: run("ip", "netns", "del", machine.vpn), ended,
                 lambda: machine.said(r"lost .*"))
    until("it says so", lambda: any("link is gone" in reason for reason in machine.ready()["reasons"]))
    machine.holdfast("down", machine.tunnel)


def test_nothing_stays(machine):
    until("no tunnel is left", lambda: not machine.ask("/v1/status")["tunnels"])
    assert machine.stop() == 0
    assert os.listdir(machine.dir + "/run/quick") == [], os.listdir(machine.dir + "/run/quick")


if __name__ == "__main__":
    main([test_without_the_power_to_go_there, test_where_the_link_is, test_names_are_asked_for_at_home_where_its_socket_is,
          test_a_namespace_that_up_made_goes_with_the_tunnel, test_where_the_socket_is, test_a_namespace_that_is_deleted_ends, test_nothing_stays],
         Spaces(), "Tunnels of `holdfast up` in other network namespaces")
