#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A running tunnel passes from Debian's wg-quick to holdfast and back: as if the other had made it, and no packet notices.
Takes some 25 seconds, half of them for interrupting both commands at each step."""
import json
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential"), os.path.dirname(os.path.abspath(__file__))]
from compare import HOLDFAST, ROOT, WG_QUICK, Pair, can_run, diff, key, normalise, public  # noqa: E402
from test_steps import MODES, points, strike  # noqa: E402
from machine import FULL, INTERFACE, ONE, PRIVATE, THREE, TWO, Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402

FOUR_OF_FULL = FULL.replace(", ::/0", "")
SIX_OF_FULL = FULL.replace("0.0.0.0/0, ", "")
SECOND = f"\n[Peer]\nPublicKey = {TWO}\nAllowedIPs = 10.60.0.0/16, fd60::/32, 10.60.1.0/24\nPresharedKey = {key()}\nPersistentKeepalive = 7\n"
HOOKS = "".join(f"{hook} = echo {hook} %i >>/run/transcript\n" for hook in ("PreUp", "PostUp", "PreDown", "PostDown"))

CASES = {
    "no peers": INTERFACE,
    "full, with all else": INTERFACE + "DNS = 10.50.0.1, lan\n" + HOOKS + FULL + SECOND,
    "full, IPv4": INTERFACE + FOUR_OF_FULL,
    "full, IPv6": INTERFACE + SIX_OF_FULL,
    "full, with a mark and a port": INTERFACE + "FwMark = 0x1234\nListenPort = 51821\n" + FULL,
    "covered, and a hook's own route": INTERFACE + "PostUp = ip route add 10.77.0.0/16 dev %i; ip rule add pref 77 lookup 77\n"
                                       "PreDown = ip rule delete pref 77\n" + SECOND + f"\n[Peer]\nPublicKey = {ONE}\nAllowedIPs = 10.50.0.0/25, 10.0.0.0/8\n",
    "a table": INTERFACE + "Table = 1234\n" + FULL + SECOND,
    "no routes": INTERFACE + "Table = off\n" + FULL + SECOND,
    "no addresses": f"[Interface]\nPrivateKey = {PRIVATE}\n" + FULL,
}


# wireguard-go tells the kernel a moment after `up` that its link has a carrier: only then local addresses have routes.
SETTLED = """
for _ in {1..200}; do
    routes=$(ip -6 route show table local) missing=no
    while read -r _ _ _ address _; do [[ $routes == *"local ${address%/*} "* ]] || missing=yes; done < <(ip -6 -o address show)
    [[ $missing == no ]] && break || read -t 0.01 <> <(:) || :
done
"""


def exact(host):
    """All there is, protocol numbers, comments and parameters, too."""
    host.must(SETTLED)
    return normalise(host.snapshot(), deliberate=False)


def journal(host):
    """But for chance, and for what only whoever brought it up can know."""
    found = json.loads(host.must("cat /run/holdfast/quick/net-*/wg0.json"))
    for parameter in found["parameters"].values():
        del parameter["before"]
    for chance in ("ifindex", "listen_port", "namespace", "socket_namespace"):
        del found[chance]
    return json.dumps(found, indent=1, sort_keys=True)


def call(host, program, verb, name="wg0", status=0, env=None):
    got, _, said = host.call(program, verb, name, env=env)
    assert got == status and "AddressSanitizer" not in said and "runtime error" not in said, f"{verb} {name}: {got}\n{said}"
    return said


def same(what, left, right):
    differences = diff(left, right)
    assert not differences, what + "\n" + "\n".join(differences)


def gone(what, host, before):
    """The files stay, and what hooks wrote; src_valid_mark stays where wg-quick had a hand in it."""
    texts = [re.sub(r"(?m)^.*(valid_mark|all/send_redirects).*\n", "", text.partition("== transcript")[0]) for text in (before, exact(host))]
    same(what, *texts)
    assert not host.must("find /run/holdfast -type f 2>/dev/null || :"), what


def test_alike():
    """`theirs` is brought up by wg-quick and adopted, `ours` by holdfast and released."""
    for name, text in CASES.items():
        with Pair({"wg0": text}) as pair:
            theirs, ours = pair.hosts
            fresh = exact(theirs)
            assert pair.run("up", "wg0") == (0, 0), pair.said
            up = exact(theirs)
            said = call(theirs, HOLDFAST, "adopt")
            assert "Warning" not in said, said
            same(name + ": adopted", exact(ours), exact(theirs))
            same(name + ": journal", journal(ours), journal(theirs))
            said = call(theirs, HOLDFAST, "up")
            assert "[#]" not in said, said
            said = call(ours, HOLDFAST, "release")
            assert said.count("Warning") == ("0.0.0.0/0" in text and "Table" not in text) == ("src_valid_mark was 0" in said), said
            same(name + ": released", up, exact(ours))
            call(theirs, HOLDFAST, "release")
            same(name + ": released again", up, exact(theirs))
            call(theirs, HOLDFAST, "adopt")
            call(theirs, HOLDFAST, "down")
            gone(name + ": holdfast down", theirs, fresh)
            call(ours, WG_QUICK, "down")
            gone(name + ": wg-quick down", ours, fresh)
    print("as if the other had made it")


def test_rules_in_the_wrong_order():
    """Beside a rule of preference 0 wg-quick's land at 0, reversed: ours come where they work."""
    with Pair({"wg0": INTERFACE + FULL}) as pair:
        pair.setup("ip rule add pref 0 to 203.0.113.0/24 lookup 99; ip -6 rule add pref 0 to 2001:db8:1::/48 lookup 99")
        assert pair.run("up", "wg0") == (0, 0), pair.said
        theirs, ours = pair.hosts
        assert "suppress" not in theirs.must("ip rule").partition("not from all")[0]
        call(theirs, HOLDFAST, "adopt")
        same("adopted", exact(ours), exact(theirs))
    print("rules in the wrong order")


def test_two_full_tunnels():
    """One of two of wg-quick's is adopted: the other's rules are its own, before and after, and which of them is asked first
    stays, too."""
    second = f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/24\n" + FULL
    for name, other in (("wg0", "wg1"), ("wg1", "wg0")):
        with Machine() as machine:
            for each, text in (("wg0", INTERFACE + FULL), ("wg1", second)):
                machine.write(f"/etc/wireguard/{each}.conf", text)
                call(machine, WG_QUICK, "up", each)
            before = exact(machine)
            call(machine, HOLDFAST, "adopt", name)
            same("places", re.sub(r"(?m)^\t*comment.*\n", "", before), re.sub(r" proto 158|(?m:^\t*comment.*\n)", "", exact(machine)))
            rules = machine.must("ip rule; ip -6 rule")
            assert rules.count("proto 158") == 4 and "dev wg1" in machine.must("ip route get 1.1.1.1"), rules
            call(machine, HOLDFAST, "release", name)
            same("released", before, exact(machine))
            call(machine, HOLDFAST, "adopt", name)
            call(machine, HOLDFAST, "down", name)
            assert machine.must("ip rule; ip -6 rule").count("suppress") == 2 and f"dev {other}" in machine.must("ip route get 1.1.1.1")
            call(machine, HOLDFAST, "down", other)
            machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
            machine.clean("two full tunnels")
    print("two full tunnels")


def test_a_parameter_that_the_other_needs():
    """Ours set it, theirs needs it: it stays, and that is said; also where theirs was ours before."""
    second = f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/24\n" + FULL
    with Machine() as machine:
        machine.up(INTERFACE + FULL)
        machine.write("/etc/wireguard/wg1.conf", second)
        call(machine, HOLDFAST, "up", "wg1")
        call(machine, HOLDFAST, "release", "wg1")
        assert "src_valid_mark stays 1" in call(machine, HOLDFAST, "down"), machine.said
        assert "= 1" in machine.must("sysctl net.ipv4.conf.all.src_valid_mark")
        call(machine, WG_QUICK, "down", "wg1")
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        machine.clean("a parameter that the other needs")
    print("a parameter that the other needs")


def test_what_differs_is_said():
    """Adopted as it runs; what the file says comes with the reload."""
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "MTU = 1400\n" + FULL + SECOND)
        call(machine, WG_QUICK, "up")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE.replace("10.50.0.2/24", "10.50.0.9/24") + "MTU = 1380\nListenPort = 51830\n" + FULL +
                      f"\n[Peer]\nPublicKey = {THREE}\nAllowedIPs = 10.61.0.0/16\n")
        # As `wg-quick down` of another tunnel, `nft flush ruleset` and `wg syncconf` do it.
        machine.must("ip -6 rule delete table main suppress_prefixlength 0; nft delete table ip wg-quick-wg0; ip route delete 10.60.0.0/16; wg set wg0 fwmark 0")
        before = machine.must("ip route show table all; wg show wg0 dump | sort; ip -o address; ip link show wg0")
        said = call(machine, HOLDFAST, "adopt")
        for word in ("a reload will `ip address add 10.50.0.9/24", "a reload will `ip address delete 10.50.0.2/24", "mtu 1380", ": ListenPort",
                     f"peer {THREE} is not there", f"peer {TWO} runs, and stays", "no mark", "no such route: `ip route replace 10.60.0.0/16",
                     "no `ip -6 rule' says `lookup main", "no table `ip wg-quick-wg0'"):
            assert word in said, f"{word}\n{said}"
        assert PRIVATE not in said, said
        after = machine.must("ip route show table all; wg show wg0 dump | sort; ip -o address; ip link show wg0").replace(" proto 158", "")
        same("adopted as it runs", before, after)
        call(machine, HOLDFAST, "up")
        assert machine.must("ip rule; ip -6 rule").count("suppress") == 2 and "0xca6c" in machine.must("wg show wg0 fwmark")
        assert "10.61.0.0/16" in machine.must("ip route") and "10.50.0.9" in machine.must("nft list table ip wg-quick-wg0")
        said = call(machine, HOLDFAST, "up")
        assert not steps_of(said), said
        call(machine, HOLDFAST, "down")
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        machine.clean("what differs")
    print("what differs is said")


def test_a_lost_journal():
    """Adopting what holdfast made itself, and knows nothing of any more."""
    with Machine() as machine:
        machine.up(INTERFACE + FULL + SECOND)
        before, known = exact(machine), journal(machine)
        machine.must("rm -r /run/holdfast")
        assert not steps_of(call(machine, HOLDFAST, "adopt"))
        same("all there is", before, exact(machine))
        same("journal", known, journal(machine))
        machine.down()
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        machine.clean("a lost journal")
    print("a lost journal")


def steps_of(said):
    return [line for line in said.splitlines() if line.startswith("[#]")]


def refused(machine, verb, word, name="wg0", status=1):
    before = exact(machine)
    said = call(machine, HOLDFAST, verb, name, status)
    assert word in said and not steps_of(said), said
    same(f"{verb} refused: {word}", before, exact(machine))


def test_refused():
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + FULL)
        refused(machine, "adopt", "not a WireGuard interface")
        refused(machine, "release", "not a WireGuard interface")
        refused(machine, "adopt", "does not exist", "wg7")
        refused(machine, "adopt", "usage: ", "--nosuch", 2)
        machine.must("ip link add br0 type bridge; cp /etc/wireguard/wg0.conf /etc/wireguard/br0.conf")
        refused(machine, "adopt", "not a WireGuard interface", "br0")
        machine.must("ip link delete br0; rm /etc/wireguard/br0.conf")
        call(machine, WG_QUICK, "up")
        refused(machine, "release", "not holdfast's")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "Foo = bar\n" + FULL)
        refused(machine, "adopt", "/etc/wireguard/wg0.conf:4:1: ")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + FULL)
        machine.must("ip route add 10.88.0.0/16 dev wg0 proto 157")
        refused(machine, "adopt", "a tunnel of the fleet")
        machine.must("ip route delete 10.88.0.0/16; mount -t tmpfs none /var/lib; mkdir /var/lib/holdfast")
        with open(os.path.join(ROOT, "proto/examples/desired.json"), encoding="utf-8") as file:
            machine.write("/var/lib/holdfast/desired.json", file.read())
        refused(machine, "adopt", "a tunnel of the fleet")
        machine.must("umount /var/lib; ip route append 0.0.0.0/0 dev eth0 table 51820")
        refused(machine, "adopt", "not the only route")
        machine.must("ip route delete 0.0.0.0/0 dev eth0 table 51820")
        call(machine, HOLDFAST, "adopt")
        refused(machine, "adopt", "holdfast's already")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "Table = off\n" + FULL)
        refused(machine, "release", "does not ask for")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + FULL.replace("192.0.2.1:", "198.51.100.1:"))
        machine.write("/etc/wireguard/wg0.yaml", "default_route: halves\nhost_routes: true\n")
        call(machine, HOLDFAST, "up")
        refused(machine, "release", "has host routes to its endpoints")
        machine.must("ip link delete wg0; rm /etc/wireguard/wg0.yaml")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE)
        call(machine, WG_QUICK, "up")
        refused(machine, "adopt", "is another than the one")
    print("refused")


def test_name_servers_go_back():
    """wg-quick knows resolvconf only: what it would not take back goes when the tunnel is released."""
    with Machine(resolvconf=False) as machine:
        machine.must("printf 'nameserver 192.0.2.53\\n' >/run/resolv.conf")
        before = machine.read("/etc/resolv.conf")
        machine.up(INTERFACE + "DNS = 10.50.0.1\n" + SECOND)
        assert "\nnameserver 10.50.0.1" in machine.read("/etc/resolv.conf")
        assert "they go now" in call(machine, HOLDFAST, "release") and machine.read("/etc/resolv.conf") == before
        said = call(machine, HOLDFAST, "adopt")
        assert "resolvconf is not there" in said and machine.read("/etc/resolv.conf") == before
        machine.up()
        assert "nameserver 10.50.0.1" in machine.read("/etc/resolv.conf")
        machine.must("printf '#!/bin/bash\\n{ echo resolvconf $*; [[ $1 != -a ]] || cat; } >>/run/transcript\\n' >/run/bin/resolvconf; chmod 755 /run/bin/resolvconf")
        said = call(machine, HOLDFAST, "release")
        assert "to resolvconf" in said and machine.read("/etc/resolv.conf") == before, said
        assert machine.transcript() == "resolvconf -a wg0 -m 0 -x\nnameserver 10.50.0.1\n"
        machine.must("mkdir -p /run/resolvconf/interface; : >/run/transcript")
        assert "resolvconf knows nothing of it" in call(machine, HOLDFAST, "adopt") and not machine.transcript()
        machine.up()
        assert machine.transcript().count("resolvconf -a wg0") == 1
        machine.must("touch /run/resolvconf/interface/wg0")
        for verb in ("release", "adopt"):
            assert "name servers" not in call(machine, HOLDFAST, verb)
        call(machine, HOLDFAST, "release")
        call(machine, WG_QUICK, "down")
        machine.clean("name servers")
    print("name servers go back")


def test_beyond_the_file():
    """wg-quick does not look at NAME.yaml; its routes are adopted as they are, and ours go back with their metric."""
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + SECOND)
        call(machine, WG_QUICK, "up")
        before = machine.must("ip route; ip -6 route")
        machine.write("/etc/wireguard/wg0.yaml", f"peers: {{ {TWO}: {{ route_metric: 77 }} }}\nforward: {{ clamp_mss: true }}\n")
        said = call(machine, HOLDFAST, "adopt")
        assert "metric 77" in said and "`forward' of /etc/wireguard/wg0.yaml is not in force" in said, said
        same("as they are", before, machine.must("ip route; ip -6 route").replace(" proto 158", ""))
        call(machine, HOLDFAST, "up")
        routes = machine.must("ip route; ip -6 route")
        assert routes.count("metric 77") == 3 == routes.count("proto 158"), routes
        assert "holdfast-wg0" in machine.must("nft list tables") and "= 1" in machine.must("sysctl net.ipv4.ip_forward")
        said = call(machine, HOLDFAST, "release")
        assert "wg0.yaml is nothing to wg-quick" in said and "would leave it for ever" in said, said
        assert not machine.must("nft list tables") and "= 0" in machine.must("sysctl net.ipv4.ip_forward")
        same("released", routes.replace(" proto 158", ""), machine.must("ip route; ip -6 route"))
        call(machine, WG_QUICK, "down")
        machine.clean("beyond the file")
    print("beyond the file")


def test_dry_runs():
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + "DNS = 10.50.0.1\n" + FULL)
        call(machine, WG_QUICK, "up")
        before = exact(machine)
        assert machine.holdfast("adopt", "wg0", "--dry-run") == 0 and any("158" in line for line in steps(machine)), machine.said
        dry = steps(machine)
        same("dry adopt", before, exact(machine))
        assert not machine.must("find /run/holdfast -type f")
        assert steps_of(call(machine, HOLDFAST, "adopt")) == dry
        before = exact(machine)
        assert machine.holdfast("release", "wg0", "--dry-run") == 0
        dry = steps(machine)
        same("dry release", before, exact(machine))
        assert steps_of(call(machine, HOLDFAST, "release")) == dry
    print("dry runs")


# ---- no packet notices ----

FAR = key()
# The other end of the uplink, and of the tunnel, in a network namespace of its own.
PEER = f"""
ip netns add far
ip link set eth0-far netns far
on() {{ ip netns exec far "$@"; }}
on ip link set lo up
on sysctl -qw net.ipv6.conf.eth0-far.disable_ipv6=0
on ip link set eth0-far up
on ip address add 192.0.2.1/24 dev eth0-far
on ip address add 2001:db8::1/64 dev eth0-far nodad
on ip link add peer0 type wireguard 2>/dev/null || on wireguard-go peer0 2>/dev/null
on wg set peer0 listen-port 51820 private-key <(echo {FAR}) peer {public(PRIVATE)} allowed-ips 10.50.0.2/32,fd50::2/128
for address in 10.50.0.1/32 203.0.113.1/32 fd50::1/128 2001:db8:77::1/128; do on ip address add $address dev peer0; done
on ip link set peer0 up
on ip route add 10.50.0.2/32 dev peer0
on ip route add fd50::2/128 dev peer0
on nft 'table inet far {{ chain past_the_tunnel {{ type filter hook input priority 0
    iifname "eth0-far" ip daddr {{ 10.50.0.1, 203.0.113.1 }} drop; iifname "eth0-far" ip6 daddr {{ fd50::1, 2001:db8:77::1 }} drop; }}; }}'
"""
PINGED = INTERFACE.replace("/24", "/32").replace("/64", "/128") + FULL.replace(ONE, public(FAR))
# From the peer into the tunnel; through the tunnel by its rules; and to the LAN past it. Both families.
WAYS = (("far", "10.50.0.2"), ("far", "fd50::2"), ("", "203.0.113.1"), ("", "2001:db8:77::1"), ("", "192.0.2.1"), ("", "2001:db8::1"))


class Connected(Machine):
    """A machine with a tunnel by wg-quick whose peer answers."""

    def __init__(self, text=PINGED):
        super().__init__()
        self.must(PEER)
        self.write("/etc/wireguard/wg0.conf", text)
        self.pings = []

    def up(self):
        call(self, WG_QUICK, "up")
        self.must("ping -qc1 -W5 203.0.113.1; ping -qc1 -W5 2001:db8:77::1")

    def ping(self, interval_s):
        for number, (where, to) in enumerate(WAYS):
            inside = f"ip netns exec {where} " if where else ""
            self.pings.append(self.start("bash", "-c", f"exec {inside}ping -n -i {interval_s} {to} >/run/ping.{number}"))
        for number, _ in enumerate(WAYS):
            self.until("an answer", lambda: "icmp_seq" in self.shell(f"cat /run/ping.{number}")[1])

    def lost(self):
        """(sent, without an answer), without those that are still on their way."""
        self.must("pkill -INT ping")
        sent = missing = 0
        for number, process in enumerate(self.pings):
            process.communicate(timeout=30)
            text = self.read(f"/run/ping.{number}")
            answers = [int(answer) for answer in re.findall(r"bytes from .*icmp_seq=(\d+)", text)]
            assert answers and "DUP!" not in text, (WAYS[number], text)
            sent += max(answers)
            missing += max(answers) - len(answers)
        self.pings = []
        return sent, missing

    def session(self):
        """What must not change: keys, port, mark, peers with where they are and when they shook hands."""
        return self.must("for word in private-key listen-port fwmark peers endpoints latest-handshakes allowed-ips preshared-keys; "
                         "do wg show wg0 $word; done; ip -o link show wg0")


def test_no_packet_notices(interval_s=0.005, rounds=8):
    with Connected() as machine:
        machine.up()
        # It roams, and the file does not know: ours may not put it back.
        machine.must("ip netns exec far wg set peer0 listen-port 51833; ip netns exec far ping -qc1 -W5 10.50.0.2")
        machine.until("roamed", lambda: ":51833" in machine.must("wg show wg0 endpoints"))
        before = machine.session()
        machine.ping(interval_s)
        for _ in range(rounds):
            call(machine, HOLDFAST, "adopt")
            call(machine, HOLDFAST, "up")
            call(machine, HOLDFAST, "release")
        sent, missing = machine.lost()
        same("the session", before, machine.session())
        assert sent > 12 * rounds and not missing, (sent, missing)
        call(machine, WG_QUICK, "down")
    print(f"no packet notices: {missing} of {sent} lost over {rounds} times adopt and release")


# ---- interrupted at each step ----

WORKS = """
way() { [[ $(ip route get $1) == *" dev $2 "* ]] || { echo "$1 not by $2"; ip route get $1; exit 1; }; }
for to in 203.0.113.1 2001:db8:77::1; do way $to wg0; way "$to mark 51820" eth0; done
for to in 192.0.2.1 2001:db8::1; do way $to eth0; done
wg show wg0 endpoints | grep -q 192.0.2.1
"""
STATE = """
ip -4 rule; ip -6 rule; ip -4 route show table all dev wg0; ip -6 route show table all dev wg0
for family in ip ip6; do nft list table $family wg-quick-wg0; done
ip -o link show wg0; ip -o address show dev wg0; wg showconf wg0; cat /run/transcript
for file in $(find /run/holdfast -type f ! -name '*.lock' | sort); do echo $file; cat $file; done
"""


class Interrupted:
    """One of the two commands, interrupted at each of its steps: the tunnel works all the time, and what comes next is right."""

    state, ways = STATE, WORKS

    def __init__(self, verb, machine=None):
        self.verb, self.done = verb, 0
        self.machine = machine or Connected(PINGED.replace("\n\n", "\nDNS = 10.50.0.1\n\n", 1))
        self.begin()

    def begin(self):
        self.machine.must(": >/run/transcript")
        self.machine.up()
        self.theirs = self.machine.must(self.state)
        call(self.machine, HOLDFAST, "adopt")
        self.ours = self.machine.must(self.state)
        self.before, self.after = (self.theirs, self.ours) if self.verb == "adopt" else (self.ours, self.theirs)
        self.back()

    def back(self):
        """To where the command begins."""
        if self.machine.must(self.state) != self.before:
            call(self.machine, HOLDFAST, "release" if self.verb == "adopt" else "adopt")
            same(f"back before {self.verb}", self.before, self.machine.must(self.state))

    def works(self, where):
        status, out, err = self.machine.shell("set -e\n" + self.ways)
        assert status == 0, f"{where}: the tunnel is lost: {out}{err}"

    def goes_on(self, where, verb):
        """After a SIGKILL. Refused, if there is nothing left to do."""
        status, _, said = self.machine.call(HOLDFAST, verb, "wg0")
        where += f", then {verb}"
        assert status in (0, 1), f"{where}: {status}\n{said}"
        self.works(where)
        same(where + "\n" + said, self.theirs if verb == "release" else self.ours, self.machine.must(self.state))

    def goes_down(self, where):
        """After a SIGKILL: nothing is left, whoever's it was."""
        status, _, said = self.machine.call(HOLDFAST, "down", "wg0")
        left = self.machine.must("ip rule; ip -6 rule; nft list ruleset; ip link; find /run/holdfast -type f ! -name '*.lock'")
        assert status == 0 and not re.search("51820|suppress|wg-quick|wg0", left), f"{where}, then down\n{said}\n{left}"
        self.begin()

    def step(self, number, point, mode):
        call_name, count, look = point
        where = f"{self.verb}, {mode} at {call_name} {count}: {look}"
        status, _, said = strike(self.machine, self.verb, call_name, count, mode)
        self.works(where)
        if mode == "KILL" and number % 3 == 2:
            self.goes_down(where)
        elif mode == "KILL":
            self.goes_on(where, ("adopt", "release")[number % 3])
        else:
            same(where + "\n" + said, self.before if status else self.after, self.machine.must(self.state))
        self.back()
        self.done += 1

    def run(self):
        with self.machine:
            found = points(self.machine, self.verb)
            self.back()
            for number, point in enumerate(found):
                for mode in MODES:
                    if (mode, point[0]) != ("fail", "unlink"):  # root cannot be kept from removing a file of its own
                        self.step(number, point, mode)
        return self.done


def test_interrupted_at_each_step():
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda verb: Interrupted(verb).run(), ("adopt", "release")))
    assert min(done) > 20, done
    print(f"interrupted {done[0]} times on the way, {done[1]} times on the way back")


if __name__ == "__main__":
    run_module(globals(), can_run() and shutil.which("strace"))
