#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong while a tunnel comes up, lives and goes down; and that nothing of it is left behind."""
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import HOLDFAST, can_run, diff, key  # noqa: E402
from machine import FULL, INTERFACE, ONE, THREE, TWO, Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402


def test_failures_are_undone():
    cases = {
        "PreUp": (INTERFACE + "PreUp = (exit 7)\n" + FULL, "", 7),
        "a pipe of PreUp": (INTERFACE + "PreUp = false | true\n" + FULL, "", 1),
        "resolvconf": (INTERFACE + "DNS = 10.50.0.1\n" + FULL,
                       "printf '#!/bin/sh\\n[ $1 = -d ] || exit 9\\n' >/run/bin/resolvconf", 9),
        "a route": (INTERFACE + FULL + "AllowedIPs = 192.0.2.0/24\n", "", 1),
        "PostUp": (INTERFACE + "PostUp = true\nPostUp = exit 11\nPostDown = touch /run/wrong\n" + FULL, "", 11),
        "a name": (INTERFACE + FULL.replace("192.0.2.1:51820", "nosuch.invalid:51820"), "", 1),
        "no program": (INTERFACE + FULL, "", 1),
    }
    for what, (text, setup, expected) in cases.items():
        with Machine() as machine:
            machine.must(setup or "true")
            machine.write("/etc/wireguard/wg0.conf", text)
            env = {"WG_QUICK_USERSPACE_IMPLEMENTATION": "/nosuch"} if what == "no program" else {
                "WG_ENDPOINT_RESOLUTION_RETRIES": "0"}
            assert machine.holdfast("up", env=env) == expected, f"{what}: {machine.said}"
            machine.clean(what)
            assert machine.shell("test -e /run/wrong")[0] == 1
            if what == "a route":
                assert "192.0.2.0/24" in machine.said and "eth0" in machine.said, machine.said
    print("failures are undone")


SLOW = "echo $BASHPID >>/run/reached; sleep 300"


def stops():
    slow_resolvconf = f"printf '#!/bin/bash\\n[ $1 = -d ] || {{ {SLOW.replace('$', '$')}; }}\\n' >/run/bin/resolvconf"
    yield "PreUp", INTERFACE + f"PreUp = {SLOW}\n" + FULL, "true"
    yield "resolvconf", INTERFACE + "DNS = 10.50.0.1\n" + FULL, slow_resolvconf
    yield "PostUp", INTERFACE + f"PostUp = {SLOW}\n" + FULL, "true"


def test_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        for what, text, setup in stops():
            with Machine() as machine:
                machine.must(setup)
                machine.write("/etc/wireguard/wg0.conf", text)
                process = machine.start(HOLDFAST, "up", "wg0")
                machine.until("reached " + what, lambda: machine.shell("test -s /run/reached")[0] == 0)
                machine.must(f"kill -{int(number)} {machine.pid_of('holdfast up')}")
                _, machine.said = process.communicate(timeout=30)
                if number == signal.SIGKILL:
                    assert machine.holdfast("down") == 0, machine.said
                else:
                    assert process.returncode == 128 + number, f"{what}: {process.returncode}: {machine.said}"
                machine.clean(f"{what}, signal {number}")
                assert not machine.must("ps -e -o stat=,args= | grep -e '^[^Z].*sleep 300' | grep -v grep || :"), f"{what}, signal {number}: what it started lives on"
    print("signals are undone")


# In a session of its own; deaf to SIGTERM; and both, with a child.
STARTS = ("setsid sleep 611 </dev/null >/dev/null 2>&1 & (trap '' TERM INT; exec sleep 612 </dev/null >/dev/null 2>&1) & "
          "setsid bash -c 'trap : TERM INT; sleep 613; sleep 614' </dev/null >/dev/null 2>&1 & "
          "until [[ $(ps -e -o args=) == *'sleep 611'*'sleep 612'*'sleep 613'* ]]; do :; done; ")


def started(machine):
    return machine.must(r"ps -e -o stat=,args= | sed -n 's/^[^Z]\S* *\(sleep 61[1-4]\)$/\1/p' | sort").split("\n")[:-1]


def test_what_a_hook_started():
    """It outlives a hook that ends by itself, as with wg-quick, and not one that is told to stop."""
    with Machine() as machine:
        machine.up(INTERFACE + f"PostUp = {STARTS}\n" + FULL)
        assert started(machine) == ["sleep 611", "sleep 612", "sleep 613"], started(machine)
        machine.down()
        assert started(machine) == ["sleep 611", "sleep 612", "sleep 613"], started(machine)
        machine.must("pkill -KILL -f 'sleep 61[1-4]' || :")
        machine.until("ended", lambda: not started(machine))
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + f"PostUp = {STARTS} {SLOW}\n" + FULL)
        process = machine.start(HOLDFAST, "up", "wg0")
        machine.until("reached PostUp", lambda: machine.shell("test -s /run/reached")[0] == 0)
        machine.must(f"kill -TERM {machine.pid_of('holdfast up')}")
        _, machine.said = process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM, machine.said
        assert not started(machine), started(machine)
        machine.must("rm /run/reached")
        process = machine.start("script", "-qec", f"{HOLDFAST} up wg0", "/dev/null", stdin=subprocess.PIPE)
        machine.until("reached PostUp", lambda: machine.shell("test -s /run/reached")[0] == 0)
        assert len(started(machine)) == 3
        process.stdin.write("\x03")
        process.stdin.flush()
        machine.until("ended", lambda: not started(machine))
        machine.until("undone", lambda: machine.shell("ip link show wg0")[0] != 0)
        process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGINT, process.returncode
        machine.clean("what a hook started")
    print("what a hook started")


def test_killed_anywhere():
    """After each line that up says; then it is up or down that cleans."""
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "DNS = 10.50.0.1\nPreUp = true\nPostUp = true\n" + FULL)
        lines = 0
        for line in range(1, 40):
            process = machine.start(HOLDFAST, "up", "wg0")
            seen = [process.stderr.readline() for _ in range(line)]
            pid = machine.shell("pgrep -f 'holdfast up'")[1].split()
            if pid:
                machine.shell(f"kill -9 {pid[0]}")
            process.communicate(timeout=30)
            machine.said = "".join(seen)
            lines = line
            if line % 2:
                machine.up()
                machine.down()
            else:
                machine.holdfast("down")
            machine.clean(f"killed after line {line}: {machine.said}")
            if not seen[-1]:
                break
        assert lines > 10, lines
    print("killed anywhere, cleaned up")


def test_hooks_of_down():
    with Machine() as machine:
        machine.up(INTERFACE + "PreDown = exit 5\nPostDown = touch /run/wrong\n" + FULL)
        assert machine.holdfast("down") == 5 and "wg0" in machine.must("wg show interfaces")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "PreDown = echo pre >>/run/transcript\nPostDown = exit 6\n" + FULL)
        assert machine.holdfast("down") == 6
        assert "pre\n" in machine.transcript() and machine.shell("test -e /run/wrong")[0] == 1
        machine.clean("PostDown failed")
        assert machine.holdfast("down") == 1 and "not a WireGuard interface" in machine.said
    print("hooks of down")


def test_died_in_between():
    for what, kill in (("daemon", "pkill wireguard-go"), ("link", "ip link delete wg0")):
        with Machine() as machine:
            machine.up(INTERFACE + "DNS = 10.50.0.1\nPostDown = echo post >>/run/transcript\n" + FULL)
            machine.must(kill)
            machine.until("gone", lambda: machine.shell("ip link show wg0")[0] != 0)
            machine.down()
            machine.clean(what)
            assert "resolvconf -d wg0 -f" in machine.transcript() and "post" in machine.transcript()
            machine.up()
            machine.must(kill)
            machine.until("gone", lambda: machine.shell("ip link show wg0")[0] != 0)
            machine.up()
            machine.down()
            machine.clean(what + ", up again")
    print("died in between, cleaned up")


def test_reload():
    with Machine() as machine:
        machine.up(INTERFACE + "DNS = 10.50.0.1\n" + FULL + f"\n[Peer]\nPublicKey = {TWO}\nAllowedIPs = 10.60.0.0/16\n")
        before = {word: machine.must(f"wg show wg0 {word}") for word in ("listen-port", "fwmark")}
        machine.must(f"wg set wg0 peer {ONE} endpoint 198.51.100.7:7")
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        assert machine.transcript().count("-a wg0") == 1
        text = (INTERFACE.replace("10.50.0.2/24", "10.50.0.9/24") + FULL.replace("::/0", "fd77::/16") +
                f"\n[Peer]\nPublicKey = {THREE}\nAllowedIPs = 10.61.0.0/16\nPersistentKeepalive = 9\n")
        machine.up(text)
        after = {word: machine.must(f"wg show wg0 {word}") for word in ("listen-port", "fwmark")}
        assert before == after, (before, after)
        assert "198.51.100.7:7" in machine.must("wg show wg0 endpoints")
        peers = machine.must("wg show wg0 peers")
        assert TWO not in peers and THREE in peers
        assert "10.50.0.9/24" in machine.must("ip address show wg0") and "10.50.0.2/" not in machine.must("ip address show wg0")
        routes = machine.must("ip route; ip -6 route")
        assert "10.61.0.0/16" in routes and "10.60.0.0/16" not in routes and "fd77::/16" in routes
        assert "suppress" not in machine.must("ip -6 rule") and "suppress" in machine.must("ip rule")
        assert "10.50.0.9" in machine.must("nft list table ip wg-quick-wg0")
        assert machine.shell("nft list table ip6 wg-quick-wg0")[0] != 0
        machine.up(text.replace("192.0.2.1:51820", "192.0.2.3:51820"))
        assert "192.0.2.3:51820" in machine.must("wg show wg0 endpoints")
        assert machine.transcript().endswith("-d wg0 -f\n")
        machine.up(re.sub(r"0\.0\.0\.0/0, ", "", text))
        assert "off" in machine.must("wg show wg0 fwmark") and "suppress" not in machine.must("ip rule")
        machine.down()
        machine.clean("reload")
    print("reload")


def test_rules_beside_a_preference_of_0():
    with Machine() as machine:
        machine.must("ip rule add pref 0 to 203.0.113.0/24 lookup 99")
        machine.fresh = machine.state()
        machine.up(INTERFACE + FULL)
        rules = machine.must("ip rule")
        assert "32764:\tfrom all lookup main suppress_prefixlength 0" in rules and "32765:\tnot from all fwmark 0xca6c" in rules
        assert "dev wg0" in machine.must("ip route get 1.1.1.1")
        assert "dev eth0" in machine.must("ip route get 192.0.2.77") and "dev eth0" in machine.must("ip route get 1.1.1.1 mark 51820")
        machine.down()
        machine.clean("preference 0")
    print("beside a rule of preference 0")


def test_a_covered_route_that_loses():
    """Another device's route lies between the tunnel's network and an allowed IP: where wg-quick adds none, packets go the other way."""
    interface = INTERFACE.replace("10.50.0.2/24, fd50::2/64", "10.0.0.2/8, fd50::2/32")
    peer = FULL.replace("0.0.0.0/0, ::/0", "10.20.30.0/24, 10.40.0.0/16, fd50:0:1:2::/64")
    with Machine() as machine:
        machine.must("ip route add 10.20.0.0/16 dev eth0; ip route add fd50:0:1::/48 dev eth0")
        machine.fresh = machine.state()
        machine.up(interface + peer)
        assert "dev wg0" in machine.must("ip route get 10.20.30.1") and "dev wg0" in machine.must("ip route get fd50:0:1:2::1")
        assert "dev eth0" in machine.must("ip route get 10.20.31.1") and "dev wg0" in machine.must("ip route get 10.40.0.1")
        routes = machine.must("ip route show dev wg0; ip -6 route show dev wg0")
        assert "10.40.0.0/16" not in routes and "10.20.30.0/24" in routes, routes
        machine.up(interface + peer)
        assert not steps(machine), machine.said
        machine.must("ip route delete 10.20.0.0/16 dev eth0")
        machine.up(interface + peer)
        assert "10.20.30.0/24" not in machine.must("ip route show dev wg0") and "dev wg0" in machine.must("ip route get 10.20.30.1")
        machine.must("ip route add 10.20.0.0/16 dev eth0")
        machine.down()
        machine.clean("a covered route")
    print("a covered route that loses")


def test_without_ip6():
    with Machine() as machine:
        machine.must("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        machine.fresh = machine.state()
        machine.up(INTERFACE + FULL)
        assert "IPv6 is off" in machine.said
        assert "dev wg0" in machine.must("ip route get 1.1.1.1")
        machine.down()
        machine.clean("without IPv6")
    print("without IPv6")


def test_two_full_tunnels():
    for order in (("wg0", "wg1"), ("wg1", "wg0")):
        with Machine() as machine:
            machine.up(INTERFACE + FULL)
            second = f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/24\n" + FULL.replace(", ::/0", "")
            machine.up(second, "wg1")
            assert "dev wg1" in machine.must("ip route get 1.1.1.1")
            machine.down(order[0])
            left = order[1]
            assert f"dev {left}" in machine.must("ip route get 1.1.1.1")
            assert machine.must("ip rule").count("suppress") == 1 and "= 1" in machine.must("sysctl net.ipv4.conf.all.src_valid_mark")
            machine.up(INTERFACE if left == "wg0" else second.partition("\n[Peer]")[0], left)
            assert "= 0" in machine.must("sysctl net.ipv4.conf.all.src_valid_mark"), machine.said
            machine.down(left)
            machine.clean("two full tunnels")
    print("two full tunnels")


def test_down_of_wg_quicks_own():
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "DNS = 10.50.0.1\nPostDown = echo post >>/run/transcript\n" + FULL)
        machine.write("/etc/wireguard/wg1.conf", f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/24\n" + FULL)
        for name in ("wg0", "wg1"):
            status, _, machine.said = machine.call("/usr/bin/wg-quick", "up", name)
            assert status == 0, machine.said
        assert machine.holdfast("up") == 1 and "already exists" in machine.said
        machine.down()
        assert "resolvconf -d wg0 -f\npost" in machine.transcript()
        rules, way = machine.must("ip rule"), machine.must("ip route get 1.1.1.1")
        assert rules.count("suppress") == 1 and "dev wg1" in way, rules + way + machine.must("ip route show table all; wg") + machine.said
        machine.down("wg1")
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        machine.clean("wg-quick's own")
    with Machine() as machine:
        machine.up(INTERFACE + FULL)
        machine.must("rm -r /run/holdfast")
        machine.down()
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        machine.clean("a lost journal")
        # A table that no default route asks for; and wg-quick's, for one that is gone from the device.
        for text, change in ((INTERFACE + FULL.replace("0.0.0.0/0, ::/0", "10.60.0.0/16"), "true"),
                             (INTERFACE + FULL, f"wg set wg0 peer {ONE} allowed-ips 10.60.0.0/16")):
            machine.write("/etc/wireguard/wg0.yaml", "forward: { default: drop }\n")
            machine.up(text)
            assert "holdfast-wg0" in machine.must("nft list tables")
            machine.must(f"rm -r /run/holdfast; {change}")
            machine.must("rm /etc/wireguard/wg0.yaml")
            machine.down()
            assert "wg0" not in machine.must("nft list tables"), machine.said
    print("down of what wg-quick brought up")


def test_down_with_a_spoiled_file():
    with Machine() as machine:
        machine.up(INTERFACE + FULL)
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "Foo = bar\nSaveConfig = true\nAddress = x\nPostDown = echo post >>/run/transcript\n" + FULL)
        machine.down()
        assert "not saved" in machine.said and "post" in machine.transcript() and "Foo" in machine.read("/etc/wireguard/wg0.conf")
        machine.clean("a spoiled file")
    print("down with a spoiled file")


def test_newer_wg_quick():
    """Where versions differ it is the newer that holds: the link is there before PreUp and what PreUp set there stays,
    `#` in a hook is bash's, and the smallest MTU of all ways counts."""
    with Machine() as machine:
        machine.must("ip link add eth1 mtu 1400 type veth peer name eth1-far; ip link set eth1 up; ip address add 198.51.100.2/24 dev eth1")
        machine.fresh = machine.state()
        machine.up(INTERFACE + f"PreUp = ip link show wg0 >>/run/transcript; wg set wg0 peer {THREE} allowed-ips 10.77.0.0/16\n"
                   f"PostUp = echo 'a # b' >>/run/transcript # comment\nPostUp = wg set wg0 peer {TWO} preshared-key <(wg genkey)\n" + FULL +
                   f"\n[Peer]\nPublicKey = {TWO}\nEndpoint = 198.51.100.9:1\n")
        assert ": wg0:" in machine.transcript() and "a # b\n" in machine.transcript()
        assert "mtu 1320" in machine.must("ip link show wg0") and "10.77.0.0/16 dev wg0" in machine.must("ip route")
        secret = sorted(machine.must("wg show wg0 preshared-keys").splitlines())
        machine.up()
        assert secret == sorted(machine.must("wg show wg0 preshared-keys").splitlines())
        machine.down()
        machine.clean("newer wg-quick")
    print("as newer versions of wg-quick")


def test_save():
    with Machine() as machine:
        text = ("# mine\n" + INTERFACE.replace("fd50::2/64", "fd50::2/64 # both") + "SaveConfig = true\nPostUp = true & wait # c\n" +
                FULL + "# Bob\n")
        machine.up(text)
        assert machine.holdfast("save") == 0 and machine.read("/etc/wireguard/wg0.conf") == text
        machine.must(f"wg set wg0 peer {TWO} allowed-ips 10.60.0.0/16; ip address add 10.52.0.1/24 dev wg0; chmod 644 /etc/wireguard/wg0.conf")
        machine.down()
        saved = machine.read("/etc/wireguard/wg0.conf")
        assert saved == text.replace("# both\n", "# both\nAddress = 10.52.0.1/24\n") + f"\n[Peer]\nPublicKey = {TWO}\nAllowedIPs = 10.60.0.0/16\n", saved
        assert machine.must("stat -c %a /etc/wireguard/wg0.conf") == "600\n"
        machine.clean("saved")
        assert machine.holdfast("save") == 1
        machine.up()
        machine.down()
    print("save")


def test_name_servers_without_resolvconf():
    with Machine(resolvconf=False) as machine:
        machine.must("printf 'nameserver 192.0.2.53\\n' >/run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf")
        before = machine.read("/etc/resolv.conf")
        machine.up(INTERFACE + "DNS = 10.50.0.1, lan\n" + FULL)
        lines = [line for line in machine.read("/etc/resolv.conf").splitlines() if not line.startswith("#")]
        assert lines == ["nameserver 10.50.0.1", "search lan"], lines
        machine.down()
        assert machine.read("/etc/resolv.conf") == before
        machine.clean("resolv.conf")
    print("name servers without resolvconf")


def test_one_resolv_conf_for_many():
    """Each tunnel that comes or goes rewrites the file, and none loses what another did meanwhile."""
    names = [f"wg{i}" for i in range(6)]
    with Machine(resolvconf=False) as machine:
        machine.must("printf 'nameserver 192.0.2.53\\n' >/run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf")
        before = machine.read("/etc/resolv.conf")
        for i, name in enumerate(names):
            machine.write(f"/etc/wireguard/{name}.conf", f"[Interface]\nPrivateKey = {key()}\nAddress = 10.5{i}.0.2/24\nDNS = 10.5{i}.0.1\n")

        def at_once(verb):
            for process in [machine.start(HOLDFAST, verb, name) for name in names]:
                machine.said = process.communicate(timeout=60)[1]
                assert process.returncode == 0, machine.said
        for _ in range(4):
            at_once("up")
            text = machine.read("/etc/resolv.conf")
            assert all(f"nameserver 10.5{i}.0.1\n" in text for i in range(len(names))), text
            at_once("down")
            assert machine.read("/etc/resolv.conf") == before
        machine.clean("many tunnels")
    print("one resolv.conf for many")


def test_at_the_same_time():
    """The second waits until the first is done, and then finds nothing to do."""
    with Machine() as machine:
        wait = "until [ -e /run/go ]; do read -t 0.02 <> <(:) || true; done"
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + f"PreUp = touch /run/reached; {wait}\n" + FULL)
        first = machine.start(HOLDFAST, "up", "wg0")
        machine.until("reached PreUp", lambda: machine.shell("test -e /run/reached")[0] == 0)
        others = [machine.start(HOLDFAST, "up", "wg0") for _ in range(3)]
        for process in others:
            assert "waiting" in process.stderr.readline()
        machine.must("touch /run/go")
        for process in (first, *others):
            machine.said = process.communicate(timeout=60)[1]
            assert process.returncode == 0 and (process is first) == ("ip link add" in machine.said), machine.said
        machine.down()
        machine.clean("four at a time")
    print("at the same time")


def test_dry_runs_change_nothing():
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "PostUp = touch /run/wrong\nDNS = 10.0.0.1\n" + FULL)
        assert machine.holdfast("up", "wg0", "--dry-run") == 0
        assert any("ip link add dev wg0" in line for line in steps(machine)) and any("suppress" in line for line in steps(machine))
        machine.clean("dry up")
        machine.up()
        up = machine.state()
        assert machine.holdfast("down", "wg0", "--dry-run") == 0 and machine.holdfast("up", "wg0", "--dry-run") == 0
        assert machine.holdfast("save", "wg0", "--dry-run") == 0 and machine.out == machine.read("/etc/wireguard/wg0.conf")
        assert not diff(up, machine.state())
        machine.must("rm /run/wrong")
        machine.down()
        machine.clean("down")
    print("dry runs")


if __name__ == "__main__":
    run_module(globals(), can_run())
