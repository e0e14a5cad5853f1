# SPDX-License-Identifier: GPL-2.0-or-later
"""The same thing under Debian's wg-quick and under holdfast, in two fresh machines that are alike, and what differs.

    with Pair({"wg0": conf}) as pair:
        pair.setup("ip route add 10.9.0.0/16 via 192.0.2.1")
        assert pair.run("up", "wg0") == (0, 0)
        assert not pair.differences()

A Host is a network, mount and process namespace with file systems of its own where tunnels leave things: what a run
leaves behind is seen, and dies with it. A list of what is made alike before comparing is in normalise(): each entry is a
deliberate difference of docs/wg-quick.md, or chance.
"""
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # runner.py

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
BIN = os.environ.get("HOLDFAST_BIN", ROOT + "/build/release/bin")
HOLDFAST = BIN + "/holdfast"
WG_QUICK = "/usr/bin/wg-quick"
TIMEOUT_S = 60

# What a machine has before the tunnel: an uplink on which nobody answers, with a default route of both families.
UPLINK = """
ip link set lo up
ip link add eth0 address 02:00:00:00:00:01 type veth peer name eth0-far address 02:00:00:00:00:02
sysctl -qw net.ipv6.conf.eth0.addr_gen_mode=0 net.ipv6.conf.eth0-far.disable_ipv6=1 net.ipv6.conf.eth0.accept_dad=0
ip link set eth0-far up
ip link set eth0 up
ip address add 192.0.2.2/24 dev eth0
ip address add 2001:db8::2/64 dev eth0 nodad
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8::1
for link in eth0 eth0-far; do until [[ $(ip -o link show $link) == *"state UP"* ]]; do :; done; done
until [[ $(ip -6 route show table local dev eth0) == *"local 2001:db8::2 "*"local fe80::"* ]]; do :; done
"""

PREPARE = """
mount -t tmpfs none /run
mkdir -p /run/wireguard /run/bin /etc/wireguard
mount -t tmpfs none /etc/wireguard
cp /etc/resolv.conf /run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
printf '#!/bin/bash\\n{ echo "resolvconf $*"; [[ $1 != -a ]] || cat; } >>/run/transcript\\n' >/run/bin/resolvconf
chmod 755 /run/bin/resolvconf
: >/run/transcript
"""

SNAPSHOT = r"""
export LC_ALL=C
say() { echo "== $*"; "$@" 2>&1; }
# wireguard-go needs a moment to notice that its link is gone: what is there after two seconds stays.
for socket in /run/wireguard/*.sock; do
	name=${socket##*/} name=${name%.sock}
	for _ in {1..200}; do
		if [[ -S $socket ]] && ! ip link show "$name" >/dev/null 2>&1; then sleep 0.01; else break; fi
	done
	for _ in {1..200}; do
		[[ ! -S $socket && $(ps -e -o stat=,args=) == *[RSD]*"wireguard-go $name"$'\n'* ]] || break
		sleep 0.01
	done
done
say ip -d link show
say ip -d address show
say ip -4 rule show
say ip -6 rule show
say ip -4 route show table all
say ip -6 route show table all
say nft -n list ruleset
say nft --debug=netlink list ruleset | grep -E '^(== |ip|  \[)'
say sysctl net.ipv4.conf.all.src_valid_mark net.ipv4.conf.all.rp_filter net.ipv4.ip_forward
echo "== sysctls of links"; grep -H . /proc/sys/net/ipv[46]/conf/{all,default,wg*}/* /proc/sys/net/ipv6/neigh/wg*/* 2>/dev/null | grep -vE 'valid_mark|stable_secret'
for name in $(wg show interfaces); do
	say wg showconf $name
	say wg show $name dump
done
echo "== processes"; ps -e -o args= | grep -v defunct | grep -E '^[^ ]*(wireguard-go|bash -e|sleep)' | sort
echo "== sockets"; ls /run/wireguard
echo "== transcript"; cat /run/transcript
for file in /etc/wireguard/*; do
	echo "== $file $(stat -c %a "$file")"; cat "$file"
done
echo "== resolv.conf"; cat /etc/resolv.conf
"""


class Host:
    """A machine of its own. `path` is searched first for programs; a fake resolvconf is there by default."""

    def __init__(self, resolvconf=True):
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
             "sh", "-c", "mount --make-rprivate /; echo ready; read end"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            self.pid = int(children.read().split()[0])
        self.must(PREPARE)
        if not resolvconf:
            self.must("rm /run/bin/resolvconf")

    def enter(self, *argv):
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "-r", "--", *argv]

    def environment(self, extra=None):
        kept = {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return {"PATH": "/run/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **kept, **(extra or {})}

    def start(self, *argv, env=None, stdin=subprocess.DEVNULL):
        return subprocess.Popen(self.enter(*argv), stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment(env), cwd="/")

    def call(self, *argv, env=None, timeout=TIMEOUT_S):
        """Status, stdout, stderr."""
        process = self.start(*argv, env=env)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err

    def shell(self, script):
        return self.call("bash", "-c", script)

    def must(self, script):
        status, out, err = self.shell("set -e\n" + script)
        assert status == 0, f"{script}\n{out}{err}"
        return out

    def write(self, path, text, mode=0o600):
        subprocess.run(self.enter("sh", "-c", f"umask 077; cat >'{path}'; chmod {mode:o} '{path}'"),
                       input=text, text=True, check=True)

    def read(self, path):
        return self.must(f"cat '{path}'")

    def snapshot(self):
        return self.shell(SNAPSHOT)[1]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def sort_peers(text):
    """Peers come in no particular order: sections of showconf, lines of dump."""
    head, *peers = re.split(r"(?m)^(?=\[Peer\])", text)
    return head + "".join(sorted(peer.rstrip("\n") + "\n" for peer in peers))


def sort_allowed(match):
    return match.group(1) + ", ".join(sorted(match.group(2).split(", ")))


def sort_section(section):
    """Sections in which the order says nothing."""
    title, _, body = section.partition("\n")
    if title.startswith("ip -4 route") or title.startswith("ip -6 route") or " dump" in title:
        body = "".join(sorted(body.splitlines(True)))
    if title.startswith("wg showconf"):
        body = sort_peers(re.sub(r"(?m)^(AllowedIPs = )(.*)$", sort_allowed, body))
    if title.startswith("processes"):
        body = "".join(sorted(body.splitlines(True)))
    if title.startswith("nft"):
        body = "".join(sorted(re.split(r"(?m)^(?=table|ip6? )", body)))
    if " dump" in title:
        body = "".join("\t".join(sort_field(field) for field in line.split("\t")) for line in body.splitlines(True))
    return title + "\n" + body


def sort_field(field):
    return ",".join(sorted(field.split(","))) if "/" in field and "," in field else field


def without_deliberate(text):
    """docs/wg-quick.md: our protocol number on routes and rules, the comment on our tables, src_valid_mark given back."""
    text = re.sub(r" proto 158\b", "", text)
    text = re.sub(r'(?m)^\tcomment "holdfast up [^"]*"\n', "", text)
    return re.sub(r"(?m)^net.ipv4.conf.all.src_valid_mark = .*\n", "", text)


def normalise(text, random_port=True, deliberate=True):
    """Chance made alike: interface numbers, wireguard-go's link-local address and when it is ready, handles, counters, a random port; and, unless the
    caller looks at them himself, deliberate differences."""
    text = re.sub(r"(?m)^\d+: ", "N: ", text)
    text = re.sub(r"if\d+|@if\w+|link-netnsid \d+", "", text)
    text = re.sub(r"(fe80:)(:[0-9a-f]+){1,4}", "fe80::X", text)
    text = re.sub(r"0x000080fe 0x00000000 0x\w+ 0x\w+", "fe80::X", text)
    text = re.sub(r"(?m)^(ip6? \S+ \S+)( \d+)+$", r"\1", text)
    text = re.sub(r"valid_lft \d+sec|preferred_lft \d+sec", "", text)
    text = re.sub(r"(?m)^local fe80::X dev (?!eth).*\n", "", text.replace(" tentative", ""))
    text = re.sub(r"(?m)\t\d+\t\d+(\t(?:off|\d+))$", r"\tRX\tTX\1", text)
    text = re.sub(r"(?m)^/usr/bin/wireguard-go ", "wireguard-go ", text)
    if deliberate:
        text = without_deliberate(text)
    if random_port:
        text = re.sub(r"(?m)^ListenPort = \d+", "ListenPort = P", text)
        text = re.sub(r"(?m)^([^\t\n]+\t[^\t\n]+\t)\d+(\t[^\t\n]+)$", r"\1P\2", text)
    sections = re.split(r"(?m)^== ", text)
    return "== ".join(sort_section(section) for section in sections)


def diff(left, right):
    return list(difflib.unified_diff(left.splitlines(), right.splitlines(), "wg-quick", "holdfast", "", "", 2, ""))


class Pair:
    """Two hosts alike: wg-quick works on one, holdfast on the other."""

    def __init__(self, files, resolvconf=True, uplink=True):
        self.wg_quick, self.holdfast = Host(resolvconf), Host(resolvconf)
        self.hosts = (self.wg_quick, self.holdfast)
        self.said = ("", "")
        for name, text in files.items():
            self.write(name, text)
        if uplink:
            self.setup(UPLINK)

    def write(self, name, text):
        for host in self.hosts:
            host.write(f"/etc/wireguard/{name}.conf", text)

    def setup(self, script):
        for host in self.hosts:
            host.must(script)

    def run(self, verb, argument, env=None):
        """The two exit statuses; what was said is in self.said, stdout in self.out."""
        results = [self.wg_quick.call(WG_QUICK, verb, argument, env=env),
                   self.holdfast.call(HOLDFAST, verb, argument, env=env)]
        self.out = tuple(result[1] for result in results)
        self.said = tuple(result[2] for result in results)
        for said in self.said:
            assert "ERROR: AddressSanitizer" not in said and "runtime error:" not in said, said
        return results[0][0], results[1][0]

    def snapshots(self, random_port=True):
        return tuple(normalise(host.snapshot(), random_port) for host in self.hosts)

    def differences(self, random_port=True):
        """Lines of a unified diff; none: alike."""
        left, right = self.snapshots(random_port)
        return diff(left, right)

    def close(self):
        for host in self.hosts:
            host.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def key():
    return subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout.strip()


def public(private):
    return subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()


def can_run():
    """Root, wg-quick and wireguard-go (or a kernel that has WireGuard)."""
    return os.geteuid() == 0 and all(shutil.which(program) for program in ("wg-quick", "wireguard-go", "unshare"))


def scratch():
    return tempfile.TemporaryDirectory(prefix="hfquick")
