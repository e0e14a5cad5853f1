#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What NAME.yaml beside NAME.conf adds: up, reload, down, save and dry run. Takes 5 s."""
import base64
import ipaddress
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import ROOT, can_run, key, public  # noqa: E402
from machine import FULL, INTERFACE, ONE, PRIVATE, THREE, TWO, Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402

KEYLESS = INTERFACE.replace(f"PrivateKey = {PRIVATE}\n", "")


def write(machine, yaml, name="wg0"):
    machine.write(f"/etc/wireguard/{name}.yaml", yaml)


def test_mistakes_are_refused_first():
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "PreUp = touch /run/wrong\n" + FULL)
        write(machine, f"peers:\n  {ONE}:\n    preshared_key: x\n")
        assert machine.holdfast("up") == 1
        assert "/etc/wireguard/wg0.yaml:3:5: unknown key" in machine.said and not steps(machine), machine.said
        write(machine, "private_key_file: nosuch\n")
        assert machine.holdfast("up") == 1
        assert "/etc/wireguard/wg0.yaml:1:1: private_key_file: the .conf has a PrivateKey" in machine.said, machine.said
        write(machine, f"peers: {{ {ONE}: {{ preshared_key_file: nosuch }} }}\n")
        assert machine.holdfast("up") == 1 and "/etc/wireguard/nosuch: " in machine.said, machine.said
        write(machine, "# daemons\nlink_local: true\n")
        machine.write("/etc/wireguard/wg0.conf", KEYLESS + FULL)
        assert machine.holdfast("up") == 1 and "/etc/wireguard/wg0.yaml:2:1: link_local: it is made of" in machine.said, machine.said
        machine.must("rm /etc/wireguard/wg0.conf")
        machine.clean("mistakes")
    print("mistakes are refused first")


def test_a_link_has_its_sidecar_beside_it():
    with Machine() as machine:
        machine.must("mkdir -m 755 /run/shown /run/real; ln -s /run/real/some.conf /run/shown/wg7.conf")
        machine.write("/run/real/some.conf", INTERFACE + FULL)
        machine.write("/run/real/some.yaml", "wrong: 1\n")
        assert machine.holdfast("up", "/run/shown/wg7.conf", "--dry-run") == 0, machine.said
        machine.write("/run/shown/wg7.yaml", "wrong: 1\n", 0o604)
        assert machine.holdfast("up", "/run/shown/wg7.conf", "--dry-run") == 1
        assert "/run/shown/wg7.yaml:1:1: unknown key" in machine.said, machine.said
        assert "`/run/shown/wg7.yaml' is world accessible" in machine.said, machine.said
    print("a link has its sidecar beside it")


def test_key_files():
    secret = key()
    with Machine() as machine:
        text = KEYLESS + "SaveConfig = true\n" + FULL
        machine.write("/etc/wireguard/wg0.key", PRIVATE + "\n")
        machine.write("/run/psk", secret + "\n", 0o644)
        write(machine, f"private_key_file: wg0.key\npeers: {{ {ONE}: {{ preshared_key_file: /run/psk }} }}\n")
        machine.up(text)
        assert "/run/psk: " in machine.said and secret not in machine.said and PRIVATE not in machine.said, machine.said
        assert machine.must("wg show wg0 private-key").strip() == PRIVATE
        assert machine.must("wg show wg0 preshared-keys").split() == [ONE, secret]
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        other = key()
        machine.write("/run/psk", other + "\n")
        machine.up()
        assert machine.must("wg show wg0 preshared-keys").split() == [ONE, other]
        assert machine.holdfast("save") == 0 and machine.read("/etc/wireguard/wg0.conf") == text
        machine.down()
        assert machine.read("/etc/wireguard/wg0.conf") == text
        machine.clean("key files")
    print("key files")


def peer(public_key, allowed):
    return f"\n[Peer]\nPublicKey = {public_key}\nAllowedIPs = {allowed}\n"


def test_peers():
    text = (INTERFACE + "SaveConfig = true\n" + peer(ONE, "10.61.0.0/16, fd61::/16") + peer(TWO, "10.62.0.0/16") +
            peer(THREE, "0.0.0.0/0, ::/0"))
    with Machine() as machine:
        write(machine, f"""peers:
  {ONE}: {{ route_metric: 77, route_table: 5555 }}
  {TWO}: {{ disabled: true }}
  {THREE}: {{ route: false }}
""")
        machine.up(text)
        assert TWO not in machine.must("wg show wg0 peers")
        assert "10.61.0.0/16 dev wg0 proto 158 scope link metric 77" in machine.must("ip route show table 5555")
        assert "fd61::/16 dev wg0 proto 158 metric 77" in machine.must("ip -6 route show table 5555")
        everything = machine.must("ip route show table all; ip -6 route show table all; ip rule; ip -6 rule")
        assert "10.62" not in everything and "default dev wg0" not in everything and "suppress" not in everything, everything
        assert "off" in machine.must("wg show wg0 fwmark")
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        write(machine, f"""peers:
  {ONE}: {{ disabled: true }}
  {THREE}: {{ route_table: 5556 }}
""")
        machine.up()
        assert ONE not in machine.must("wg show wg0 peers") and not machine.shell("ip route show table 5555")[1]
        assert "10.62.0.0/16 dev wg0" in machine.must("ip route")
        assert "default dev wg0" in machine.must("ip route show table 5556") and "suppress" not in machine.must("ip rule")
        machine.must(f"wg set wg0 peer {ONE} allowed-ips 10.61.0.0/16")
        machine.up()
        assert ONE not in machine.must("wg show wg0 peers")
        assert machine.holdfast("save") == 0
        machine.down()
        assert machine.read("/etc/wireguard/wg0.conf") == text
        machine.clean("peers")
        machine.up()
        machine.must(f"wg set wg0 peer {THREE} remove")
        assert machine.holdfast("save") == 0 and "/etc/wireguard/wg0.yaml:3:3: this peer goes" in machine.said, machine.said
        machine.down()
        machine.write("/etc/wireguard/wg0.conf", text)
        write(machine, f"peers: {{ {ONE}: {{ disabled: true }} }}\n")
        assert machine.holdfast("up", "wg0", "--dry-run") == 0
        assert "10.61" not in machine.said and "10.62.0.0/16" in machine.said and "suppress" in machine.said, machine.said
    print("peers")


def link_local_of(public_key):
    """fe80::/64 and the first 8 bytes of the key."""
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + base64.b64decode(public_key)[:8]))


def test_interface():
    mine = link_local_of(public(PRIVATE))
    with Machine() as machine:
        text = INTERFACE + "SaveConfig = true\n" + peer(ONE, "10.51.0.0/30, fd51::2/128, 10.61.0.0/16")
        write(machine, """address: [{ local: 10.51.0.1, peer: 10.51.0.2/30 }, { local: "fd51::1", peer: "fd51::2" }, 10.52.0.1/24]
link_local: true
multicast: false
""")
        machine.write("/etc/wireguard/wg0.conf", text)
        assert machine.holdfast("up", "wg0", "--dry-run") == 0
        assert "10.61.0.0/16" in machine.said and "route add 10.51" not in machine.said and "route add fd51" not in machine.said, machine.said
        assert "10.51.0.1 peer 10.51.0.2/30" in machine.said and "multicast off" in machine.said, machine.said
        machine.up()
        addresses = machine.must("ip address show wg0")
        assert "inet 10.51.0.1 peer 10.51.0.2/30" in addresses and "inet6 fd51::1 peer fd51::2/128" in addresses, addresses
        assert "inet 10.52.0.1/24" in addresses and mine + "/64" in addresses and "MULTICAST" not in addresses, addresses
        assert "10.51.0.0/30" not in machine.must("ip route show proto 158")
        firewall = machine.must("nft list table inet holdfast-wg0")
        assert 'oifname "wg0" ip daddr 224.0.0.0/4 drop' in firewall and 'iifname "wg0" ip6 daddr ff00::/8 drop' in firewall, firewall
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        assert machine.holdfast("save") == 0 and machine.read("/etc/wireguard/wg0.conf") == text
        write(machine, "address: { local: 10.51.0.1, peer: 10.51.0.3 }\n")
        machine.up()
        addresses = machine.must("ip address show wg0")
        assert "inet 10.51.0.1 peer 10.51.0.3/32" in addresses and "10.51.0.2" not in addresses and "fd51" not in addresses, addresses
        assert mine not in addresses and "MULTICAST" in addresses and "fd50::2/64" in addresses, addresses
        assert "holdfast-wg0" not in machine.must("nft list ruleset")
        machine.must("rm /etc/wireguard/wg0.yaml")
        machine.up()
        assert "10.51.0.1" not in machine.must("ip address show wg0")
        assert machine.read("/etc/wireguard/wg0.conf") == text
        write(machine, "multicast: false\n")
        machine.up()
        assert "holdfast-wg0" in machine.must("nft list ruleset")
        assert machine.holdfast("release") == 0 and "holdfast-wg0" not in machine.must("nft list ruleset"), machine.said
        assert machine.holdfast("adopt") == 0, machine.said
        machine.down()
        machine.clean("the interface")
        machine.must("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
        write(machine, 'address: { local: "fd51::1", peer: "fd51::2" }\nlink_local: true\n')
        machine.up(INTERFACE.replace(", fd50::2/64", "") + peer(ONE, "10.61.0.0/16"))
        assert "IPv6 is off here" in machine.said and "fd51" not in machine.must("ip address show wg0"), machine.said
        machine.down()
    print("the interface")


DNS = INTERFACE + "DNS = 10.50.0.1, 10.50.0.3, lan\n" + FULL


def fake(machine, name, script):
    machine.must(f"printf '%s\\n' '#!/bin/sh' '{script}' >/run/bin/{name}; chmod 755 /run/bin/{name}")


def test_name_servers_that_fail():
    """Fatal, as with wg-quick, unless the sidecar says that they are not required."""
    with Machine() as machine:
        fake(machine, "resolvconf", "[ $1 = -d ] || { echo no such luck >&2; exit 9; }")
        write(machine, "dns_required: true\n")
        machine.write("/etc/wireguard/wg0.conf", DNS)
        assert machine.holdfast("up") == 9, machine.said
        machine.clean("required")
        write(machine, "dns_required: no\n")
        machine.up()
        assert "name servers of wg0 are not set" in machine.said and "dev wg0" in machine.must("ip route get 1.1.1.1"), machine.said
        fake(machine, "resolvconf", "{ echo \"resolvconf $*\"; [ $1 = -d ] || cat; } >>/run/transcript")
        machine.up()
        assert machine.transcript().endswith("resolvconf -a wg0 -m 0 -x\nnameserver 10.50.0.1\nnameserver 10.50.0.3\nsearch lan\n")
        machine.up()
        assert machine.transcript().count("-a wg0") == 1
        machine.down()
        assert machine.transcript().endswith("resolvconf -d wg0 -f\n")
        machine.clean("not required")
    print("name servers that fail")


def test_name_servers_of_some_domains():
    yaml = "dns_domains: [corp.example, ~10.in-addr.arpa]\n"
    log = "echo \"$(basename $0) $*\" >>/run/transcript"
    with Machine() as machine:
        write(machine, yaml)
        machine.up(DNS)
        assert machine.transcript() == ("resolvconf -a wg0 -m 0 -p\nnameserver 10.50.0.1\nnameserver 10.50.0.3\n"
                                        "search lan corp.example 10.in-addr.arpa\n"), machine.transcript()
        machine.must("rm /etc/wireguard/wg0.yaml")
        machine.up()
        assert "-d wg0 -f\nresolvconf -a wg0 -m 0 -x\n" in machine.transcript() and "corp" not in machine.transcript().split("-x")[1]
        machine.down()
        write(machine, yaml)
        fake(machine, "resolvectl", log)
        machine.must("mkdir -p /run/systemd/resolve; : >/run/transcript")
        machine.up()
        assert machine.transcript() == ("resolvectl dns wg0 10.50.0.1 10.50.0.3\n"
                                        "resolvectl domain wg0 ~corp.example ~10.in-addr.arpa lan\n"), machine.transcript()
        machine.down()
        machine.must("rm -r /run/systemd /run/bin/resolvectl; mkdir -p /run/resolvconf/interface")
        assert machine.holdfast("up") == 1 and "/etc/wireguard/wg0.yaml:1:14: dns_domains: Debian" in machine.said, machine.said
        machine.clean("Debian's resolvconf")
        machine.must("rm -r /run/resolvconf /run/bin/resolvconf")
        assert machine.holdfast("up") == 1 and "dns_domains: /etc/resolv.conf has no name servers for some" in machine.said, machine.said
        machine.clean("the file")
        write(machine, yaml + "dns_required: false\n")
        before = machine.read("/etc/resolv.conf")
        machine.up()
        assert "are not set" in machine.said and machine.read("/etc/resolv.conf") == before
        machine.down()
        machine.clean("none")
    print("name servers of some domains")


def test_the_example_of_the_manual():
    """docs/wg-quick.md, "Beyond the file": all of it is taken, and does what it says there."""
    with open(ROOT + "/docs/wg-quick.md", encoding="utf-8") as file:
        example = re.search(r"## Beyond the file\n.*?```yaml\n(.*?)```", file.read(), re.S).group(1)
    peers = re.findall(r'(?m)^  "(\S{44})":$', example)
    with Machine() as machine:
        write(machine, example)
        machine.write("/etc/wireguard/wg0.key", key())
        machine.must("mkdir /etc/wireguard/psk")
        machine.write("/etc/wireguard/psk/alice", key())
        machine.write("/etc/wireguard/wg0.conf", KEYLESS + "DNS = 10.50.0.1\n" + peer(peers[0], "10.61.0.0/16") +
                      peer(peers[1], "10.62.0.0/16") + peer(ONE, "0.0.0.0/0, ::/0") + "Endpoint = 198.51.100.1:1\n")
        assert machine.holdfast("up", "wg0", "--dry-run") == 0, machine.said
        for step in ("10.51.0.1 peer 10.51.0.2/32", "fe80::", "multicast on", "resolvconf -a wg0 -m 0 -p", "0.0.0.0/1 dev wg0",
                     "198.51.100.1/32 via 192.0.2.1 dev eth0", "10.61.0.0/16 dev wg0 table 100 metric 200"):
            assert step in machine.said, step + "\n" + machine.said
        assert "10.62" not in machine.said and "warning" not in machine.said.lower(), machine.said
    print("the example of the manual")


if __name__ == "__main__":
    run_module(globals(), can_run())
