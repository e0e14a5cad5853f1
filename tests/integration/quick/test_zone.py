#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels over a link-local underlay: the endpoint has a zone. Takes about ten seconds, some of them wireguard-go's."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import HOLDFAST, can_run, public  # noqa: E402
from machine import steps  # noqa: E402
from runner import run_module  # noqa: E402
from test_netns import FAR, INTERFACE, Netns  # noqa: E402

# Another link, on which the same network is, too: the zone alone tells where the peer is.
SECOND_LINK = """
ip link add eth1 type veth peer name eth1-far
sysctl -qw net.ipv6.conf.eth1.accept_dad=0 net.ipv6.conf.eth1-far.accept_dad=0
ip link set eth1-far up
ip link set eth1 up
ip link set eth0 mtu 1400
until [[ $(ip -6 route show table local) == *"dev eth1 "*"dev eth1-far "* ]]; do :; done
"""


def far_address(machine):
    return re.search(r"inet6 (fe80::\S+)/64", machine.must("ip -n far -6 address show dev eth0-far scope link")).group(1)


def peer(endpoint, allowed="0.0.0.0/0, ::/0"):
    return f"\n[Peer]\nPublicKey = {public(FAR)}\nAllowedIPs = {allowed}\nEndpoint = {endpoint}\n"


def test_a_tunnel_over_a_link():
    with Netns(SECOND_LINK) as machine:
        far = far_address(machine)
        conf = INTERFACE + "SaveConfig = true\n" + peer(f"[{far}%eth0]:51820")
        machine.up(conf)
        machine.reaches("10.50.0.1", "fd50::1", "203.0.113.9", "2001:db8:9::9")
        assert " mtu 1320 " in machine.must("ip link show wg0"), "eth0's MTU, less 80"
        machine.up()
        assert not steps(machine), machine.said
        status, out, err = machine.call(HOLDFAST, "explain", "--json", public(FAR), "10.50.0.1")
        assert status == 0 and json.loads(out), out + err
        assert f"the peer is at [{far}" in out, out
        machine.reaches("10.50.0.1")
        assert machine.holdfast("save") == 0, machine.said
        assert machine.read("/etc/wireguard/wg0.conf") == conf
        machine.down()
        assert machine.read("/etc/wireguard/wg0.conf") == conf
        machine.must("rm /etc/wireguard/wg0.conf")
        machine.clean("a tunnel over a link")
        machine.yaml("default_route: halves\n")
        machine.up(conf)
        machine.reaches("10.50.0.1", "203.0.113.9", "2001:db8:9::9")
        assert not machine.must("ip -6 route show proto 159"), "what has a zone needs no way around"
        machine.down()
        machine.yaml("namespace: vpn\n")
        machine.up(conf)
        machine.reaches("10.50.0.1", "2001:db8:9::9", namespace="vpn")
        machine.down()
        machine.must("rm /etc/wireguard/wg0.*")
        machine.clean("halves, and a namespace")
    print("a tunnel over a link")


def test_what_is_no_link():
    with Netns() as machine:
        machine.conf(INTERFACE + peer("[fe80::1%nosuch]:51820"))
        assert machine.holdfast("up") == 1, machine.said
        assert "wg0.conf:8:12: fe80::1%nosuch: there is no interface nosuch" in machine.said, machine.said
        machine.clean("no such interface")
        machine.up(INTERFACE + "PreUp = ip link add nosuch type veth peer name nosuch-far\nPostDown = ip link delete nosuch\n" + peer("[fe80::1%nosuch]:51820"))
        machine.down()
        machine.clean("one that PreUp makes")
    print("what is no link")


if __name__ == "__main__":
    run_module(globals(), can_run())
