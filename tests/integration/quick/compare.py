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
ip -batch - <<'END'
link set lo up
link add eth0 address 02:00:00:00:00:01 type veth peer name eth0-far address 02:00:00:00:00:02
END
cd /proc/sys/net/ipv6/conf
echo 0 >eth0/addr_gen_mode
echo 1 >eth0-far/disable_ipv6
echo 0 >eth0/accept_dad
cd /
ip -batch - <<'END'
link set eth0-far up
link set eth0 up
address add 192.0.2.2/24 dev eth0
address add 2001:db8::2/64 dev eth0 nodad
route add default via 192.0.2.1
route add default via 2001:db8::1
END
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

# Taken a thousand times: what the shell can read itself is not given to a program.
SNAPSHOT = r"""
export LC_ALL=C
say() { echo "== $*"; "$@" 2>&1; }
show() { # byte for byte
	local part
	while IFS= read -rd '' part; do printf '%s\0' "$part"; done <"$1"
	printf '%s' "$part"
}
has_link() {
	local links
	read -rd '' links </proc/net/dev
	[[ $'\n'$links == *[[:space:]]"$1:"* ]]
}
processes() { # their arguments; one that is only a zombie has none
	local file words
	for file in /proc/[0-9]*/cmdline; do
		words=()
		mapfile -d '' -t words <"$file"
		[[ ${#words[@]} = 0 ]] || echo "${words[*]//$'\n'/ }"
	done 2>/dev/null
}
# wireguard-go needs a moment to notice that its link is gone; what it leaves when it has ended stays.
for socket in /run/wireguard/*.sock; do
	name=${socket##*/} name=${name%.sock}
	for _ in {1..300}; do
		[[ $(processes)$'\n' == *"wireguard-go $name"$'\n'* ]] || break
		if [[ -S $socket ]] && has_link "$name"; then break; fi
		sleep 0.01
	done
done
say ip -d address show
for family in 4 6; do
	echo "== ip -$family rule and route"; ip -$family -force -batch - <<<$'rule show\nroute show table all' 2>&1
done
say nft -n --debug=netlink list ruleset
echo "== sysctls"
for name in conf/all/src_valid_mark conf/all/rp_filter ip_forward; do
	name=net/ipv4/$name
	read -r value <"/proc/sys/$name"
	echo "${name//\//.} = $value"
done
echo "== sysctls of links"; grep -H . /proc/sys/net/ipv[46]/conf/{all,default,wg*}/* /proc/sys/net/ipv6/neigh/wg*/* 2>/dev/null
last=
while IFS=$'\t' read -r name line; do
	[[ $name = "$last" ]] || echo "== wg show $name dump"
	last=$name
	printf '%s\n' "$line"
done < <(wg show all dump 2>&1)
echo "== processes"
while read -r line; do
	[[ ! $line =~ ^[^\ ]*(wireguard-go|bash\ -e|sleep) ]] || printf '%s\n' "$line"
done < <(processes)
echo "== sockets"
for socket in /run/wireguard/*; do
	[[ ! -e $socket ]] || echo "${socket##*/}"
done
echo "== transcript"; show /run/transcript
while read -r mode file; do
	echo "== $file $mode"; show "$file"
done < <(stat -c '%a %n' /etc/wireguard/* 2>/dev/null)
echo "== resolv.conf"; show /etc/resolv.conf
"""


def private(path, flags):
    return os.open(path, flags, 0o600)


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
        with open(f"/proc/{self.pid}/root{path}", "w", newline="", encoding="utf-8", opener=private) as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)

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


def rule_or_route(line):
    """Rules as they are, by their priority; of routes the order says nothing."""
    return (0, "") if re.match(r"(?:N:|\d+:)\s", line) else (1, line)


def sort_section(section):
    """Sections in which the order says nothing."""
    title, _, body = section.partition("\n")
    if " dump" in title:
        body = "".join(sorted(body.splitlines(True)))
    if title.startswith("ip ") and title.endswith("rule and route"):
        body = "".join(sorted(body.splitlines(True), key=rule_or_route))
    if title.startswith("processes"):
        body = "".join(sorted(body.splitlines(True)))
    if title.startswith("nft"):
        body = "".join(sorted(re.split(r"(?m)^(?=table|ip6? |inet |arp |bridge |netdev )", body)))
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
    text = re.sub(r"(?m)^((?:ip6?|inet|arp|bridge|netdev) \S+ \S+)( \d+)+$", r"\1", text)
    text = re.sub(r"(?m)^/proc/sys/\S*(?:valid_mark|stable_secret)\S*\n", "", text)
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
