#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's wg-quick and holdfast side by side: after up, after down, and what is printed on the way."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import Pair, diff, can_run, key, public  # noqa: E402

PRIVATE, ONE, TWO = key(), public(key()), public(key())


def conf(interface="", *peers):
    return (f"[Interface]\nPrivateKey = {PRIVATE}\n{interface}\n" +
            "".join(f"\n[Peer]\nPublicKey = {peer}\n" for peer in peers))


def peer(public_key, allowed="", more=""):
    return public_key + (f"\nAllowedIPs = {allowed}" if allowed else "") + (f"\n{more}" if more else "")


BOTH = "Address = 10.50.0.2/24, fd50::2/64"
END = "Endpoint = 192.0.2.1:51820"

CASES = {
    "one peer": conf(BOTH, peer(ONE, "10.50.0.1/32, fd50::1/128", END)),
    "empty file": "",
    "no peers": conf("Address = 10.50.0.2"),
    "no address": conf("", peer(ONE, "10.60.0.0/16")),
    "full tunnel, both families": conf(BOTH, peer(ONE, "0.0.0.0/0, ::/0", END)),
    "full tunnel, IPv4": conf("Address = 10.50.0.2/32", peer(ONE, "0.0.0.0/0", END)),
    "full tunnel, IPv6": conf("Address = fd50::2/128", peer(ONE, "::/0", END)),
    "full tunnel with a mark": conf(BOTH + "\nFwMark = 0x1234", peer(ONE, "0.0.0.0/0", END)),
    "routes of many lengths": conf(BOTH, peer(ONE, "10.0.0.0/8, 10.1.0.0/16, 10.1.1.0/24, 10.1.1.1/32, fd00::/8"),
                                   peer(TWO, "172.16.0.0/12, 2001:db8:1::/48")),
    "covered routes": conf(BOTH, peer(ONE, "10.50.0.0/24, 10.50.0.128/25, fd50::/64, fd50:0:0:0:1::/80, 10.50.0.0/23")),
    "a table": conf(BOTH + "\nTable = 1234", peer(ONE, "0.0.0.0/0, ::/0, 10.50.0.0/24, 10.7.0.0/16")),
    "main as a table": conf("Address = 10.50.0.2/32\nTable = main", peer(ONE, "10.7.0.0/16")),
    "no routes": conf(BOTH + "\nTable = off", peer(ONE, "0.0.0.0/0, 10.7.0.0/16")),
    "an MTU, in hexadecimal": conf(BOTH + "\nMTU = 0x500", peer(ONE, "10.50.0.1/32")),
    "a port, a keepalive, a pre-shared key": conf(
        BOTH + "\nListenPort = 51821", peer(ONE, "10.50.0.1/32", f"PresharedKey = {key()}\nPersistentKeepalive = 25")),
    "services by name": conf(BOTH + "\nListenPort = syslog", peer(ONE, "10.50.0.1/32", "Endpoint = 192.0.2.1:domain")),
    "name servers": conf(BOTH + "\nDNS = 10.50.0.1, fd50::1, example.org\nDNS = lan", peer(ONE, "10.50.0.1/32")),
    "search domains alone": conf(BOTH + "\nDNS = example.org", peer(ONE, "10.50.0.1/32")),
    "hooks": conf(BOTH + "\nPreUp = true\nPostUp = echo up %i $INTERFACE $PWD >>/run/transcript; ip rule add pref 77 lookup 77"
                  "\nPreDown = echo down %i >>/run/transcript\nPostDown = ip rule delete pref 77 && echo gone >>/run/transcript",
                  peer(ONE, "10.50.0.1/32")),
    "odd spelling": ("# first\n[interface] #c\n  ADDRESS=10.50.0.2/24,,10.51.0.2/24   fd50::2  \r\n private KEY = "
                     f"{PRIVATE[:20]} {PRIVATE[20:]}\n[Interface]\nmtu =1400 # comment\n\n[PEER]\npublickey={ONE}\n"
                     "allowedips = 10.7.0.1/16, 10.8.0.0/16\npersistentkeepalive = OFF"),
    "claimed twice": conf(BOTH, peer(ONE, "10.7.0.0/16, 10.8.0.0/16"), peer(TWO, "10.8.0.0/16")),
    "one key twice": conf(BOTH, peer(ONE, "10.7.0.0/16, 10.8.0.0/16", END), peer(ONE, "10.9.0.0/16")),
    "one key three times": conf(BOTH, peer(ONE, "10.7.0.0/16", f"{END}\nPersistentKeepalive = 25\nPresharedKey = {key()}"),
                                peer(TWO, "10.7.0.0/16, 10.9.0.0/16"), peer(ONE, "10.9.0.0/16"),
                                peer(ONE, "10.8.0.0/16", "Endpoint = 192.0.2.9:7")),
    "our own key as a peer": conf(BOTH, peer(public(PRIVATE), "10.7.0.0/16"), peer(TWO, "10.8.0.0/16")),
    "fifty peers": conf(BOTH, *(peer(public(key()), f"10.60.{i}.0/24, fd60:{i:x}::/32") for i in range(50))),
}

SETUPS = {
    "full tunnel, both families": "ip route add 10.99.0.0/16 via 192.0.2.1 table 51820",
    "routes of many lengths": "ip rule add pref 5000 to 10.3.0.0/16 lookup 99",
    "full tunnel, IPv4": "ip rule add pref 5000 to 10.3.0.0/16 lookup 99",
}

REFUSED = {  # wg-quick notices some of these only when the link is there, and takes it away again: the end is alike
    "an unknown key": conf(BOTH + "\nFoo = bar"),
    "an unknown key of a peer": conf(BOTH, peer(ONE, "10.7.0.0/16", "Address = 10.9.0.1")),
    "a section that is none": conf(BOTH) + "[Peers]\n",
    "a key before any section": "Address = 10.0.0.1\n" + conf(BOTH),
    "a bare MTU": conf("MTU"),
    "a wrong address": conf("Address = 10.0.0.300"),
    "an address twice": conf("Address = 10.0.0.1/24, 10.0.0.1/24"),
    "a table that is none": conf(BOTH + "\nTable = Off", peer(ONE, "10.7.0.0/16")),
    "SaveConfig maybe": conf("SaveConfig = maybe"),
    "a prefix too long": conf(BOTH, peer(ONE, "10.7.0.0/33")),
    "allowed IPs without any": conf(BOTH, peer(ONE, "", "AllowedIPs =")),
    "a comma too many": conf(BOTH, peer(ONE, "10.7.0.0/16,")),
    "no port": conf(BOTH, peer(ONE, "10.7.0.0/16", "Endpoint = 192.0.2.1")),
    "no public key": conf(BOTH) + "[Peer]\nAllowedIPs = 10.7.0.0/16\n",
    "a key that is none": conf(BOTH, peer(ONE[:-2], "10.7.0.0/16")),
    "a byte order mark": "\ufeff" + conf(BOTH),
}


def check(name, differences):
    assert not differences, name + "\n" + "\n".join(differences)


def kept(text):
    """What must be as before: kernel WireGuard turns redirects off for good when its first device goes up."""
    lines = text.partition("== transcript")[0].splitlines(True)
    return "".join(line for line in lines if "conf/all/send_redirects" not in line)


def test_case(name, text):
    with Pair({"wg0": text}) as pair:
        if name in SETUPS:
            pair.setup(SETUPS[name])
        before = pair.snapshots()
        statuses = pair.run("up", "wg0")
        assert statuses == (0, 0), f"{name}: {statuses}\n" + "\n--\n".join(pair.said)
        check(name + ": up", pair.differences())
        again = pair.wg_quick.call("wg-quick", "up", "wg0")[0]
        assert again == 1, again
        statuses = pair.run("down", "wg0")
        assert statuses == (0, 0), f"{name}: {statuses}\n" + "\n--\n".join(pair.said)
        check(name + ": down", pair.differences())
        assert pair.run("down", "wg0") == (1, 1)
        after = pair.snapshots()
        check(name + ": nothing is left", diff(*(kept(text) for text in (before[1], after[1]))))
        assert pair.run("strip", "wg0") == (0, 0) and pair.out[0] == pair.out[1], pair.out


def test_refused(name, text):
    with Pair({"wg0": text}) as pair:
        theirs, ours = pair.run("up", "wg0")  # ip's own status, where that is what failed
        assert theirs and ours == 1, name + "\n" + "\n".join(pair.said)
        assert "/etc/wireguard/wg0.conf:" in pair.said[1] and "[#]" not in pair.said[1], pair.said[1]
        check(name, pair.differences())


def test_calls(_):
    with Pair({"wg0": conf(BOTH)}) as pair:
        pair.setup("mkdir /run/d; cp /etc/wireguard/wg0.conf /run/d/wg1.conf; ln -s wg1.conf /run/d/other.conf;"
                   "cp /etc/wireguard/wg0.conf /run/d/this-name-is-too-long.conf; cp /etc/wireguard/wg0.conf /run/d/x.txt")
        for argument in ("nosuch", "/run/d/nosuch.conf", "/run/d/this-name-is-too-long.conf", "/run/d/x.txt", "wg0.conf", ""):
            assert pair.run("up", argument) == (1, 1), argument
        assert pair.run("up", "/run/d/other.conf") == (0, 0)
        check("named after the link", pair.differences())
        assert pair.run("down", "/run/d/other.conf") == (0, 0)
        pair.setup("ip link add wg0 address 02:00:00:00:00:09 type bridge")
        assert pair.run("up", "wg0") == (1, 1) and "already exists" in pair.said[1]
        assert pair.run("down", "wg0") == (1, 1)
        check("another's link", pair.differences())


def main():
    if not can_run():
        return 77
    wanted = sys.argv[1:]  # words of names; none: all
    tests = [(test_case, *case) for case in CASES.items()] + [(test_refused, *case) for case in REFUSED.items()]
    tests += [(test_calls, "calls")]
    failed = 0
    for test, name, *text in tests:
        if wanted and not any(word in name for word in wanted):
            continue
        try:
            test(name, *text)
            print("ok:", name, flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAILED: {name}\n{error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
