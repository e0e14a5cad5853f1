#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels in network namespaces, with real packets through them. Takes about half a minute, much of it a second each for
wireguard-go to find out that its device is up."""
import json
import os
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import HOLDFAST, Host, can_run, key, normalise, public  # noqa: E402
from machine import Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402

PRIVATE, FAR, SECOND = key(), key(), key()
INTERFACE = f"[Interface]\nPrivateKey = {PRIVATE}\nAddress = 10.50.0.2/24, fd50::2/64\n"
PEER = f"\n[Peer]\nPublicKey = {public(FAR)}\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.1:51820\n"
OTHER = f"[Interface]\nPrivateKey = {SECOND}\nAddress = 10.51.0.2/24, fd51::2/64\n"
OTHER_PEER = f"\n[Peer]\nPublicKey = {public(FAR)}\nAllowedIPs = 10.50.0.0/24\nEndpoint = [2001:db8::1]:51820\n"

# The far end of the uplink, with a stock WireGuard that has an inside, and a bit of the internet behind it. What is
# written into /etc is this machine's own, without what others write there, which comes and goes:
# /etc/netns, and files beside a resolv.conf that becomes another.
FAR_END = f"""
mkdir /run/etc
GLOBIGNORE='/etc/netns:/etc/resolv.conf*'
cp -a /etc/* /run/etc/
unset GLOBIGNORE
mount --bind /run/etc /etc
cp /run/resolv.conf /etc/resolv.conf
ip netns add far
ip link set eth0-far netns far
sysctl -qw net.ipv6.conf.eth0.accept_dad=0
ip netns exec far sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0-far.disable_ipv6=0 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip -n far -batch - <<'END'
link set lo up
link set eth0-far up
address add 192.0.2.1/24 dev eth0-far
address add 2001:db8::1/64 dev eth0-far nodad
address add 203.0.113.9/32 dev lo
address add 2001:db8:9::9/128 dev lo
END
ip -n far link add far0 type wireguard 2>/dev/null || program=wireguard-go
ip netns exec far bash -ec "mount -t tmpfs none /run/wireguard
${{program:+$program far0 >/dev/null 2>&1; until wg show far0 >/dev/null 2>&1; do :; done}}
wg set far0 listen-port 51820 private-key <(echo {FAR}) \\
	peer {public(PRIVATE)} allowed-ips 10.50.0.2/32,fd50::2/128 peer {public(SECOND)} allowed-ips 10.51.0.2/32,fd51::2/128"
ip -n far -batch - <<'END'
address add 10.50.0.1/24 dev far0
address add fd50::1/64 dev far0 nodad
link set far0 up
route add 10.51.0.0/24 dev far0
route add fd51::/64 dev far0
END
for link in eth0; do until [[ $(ip -o link show $link) == *"state UP"* ]]; do :; done; done
until ping -c1 -W1 192.0.2.1 >/dev/null && ping -c1 -W1 2001:db8::1 >/dev/null; do :; done
"""

LOOK_INSIDE = r"""
for name in $(ip netns list | cut -d' ' -f1 | sort); do
	echo "== namespace $name"
	[[ $name != far ]] || continue
	ip -n $name address show; ip -n $name -4 rule; ip -n $name -6 rule
	ip -n $name -4 route show table all; ip -n $name -6 route show table all; ip netns exec $name nft -n list ruleset
done
echo "== /etc/netns"; [[ ! -e /etc/netns ]] || { find /etc/netns | sort; find /etc/netns -type f | sort | xargs -r head -n 99; }
echo "== /run/netns"; ls /run/netns
"""

# One whose loopback was up before: it keeps its addresses, which the kernel gives it then.
VPN = "ip netns add vpn; ip -n vpn link set lo up; ip -n vpn link set lo down"

HOOK = ("echo {hook} %i $INTERFACE $PWD; ls -d /sys/class/net/* | grep -v -e tunl -e sit -e ip6 -e gre -e vti -e erspan; cat /etc/resolv.conf; "
        "readlink /proc/self/ns/net; } >>/run/hooks")


def hooks():
    return "".join(f"{hook} = {{ " + HOOK.replace("{hook}", hook) + "\n" for hook in ("PreUp", "PostUp", "PreDown", "PostDown"))


class Netns(Machine):
    """A machine with a far end, and a tunnel that may be elsewhere."""

    def __init__(self, setup="true"):
        Host.__init__(self)
        from compare import UPLINK
        self.must(UPLINK)
        self.must(FAR_END)
        self.must(setup)
        self.fresh = self.state()

    def state(self):
        text = "".join(line for line in super().state().splitlines(True) if " far0" not in line and "wireguard-go" not in line)
        # What packets of the test left: neighbours, and routes that the kernel learned.
        return text + normalise(self.must(LOOK_INSIDE))

    def yaml(self, text, name="wg0"):
        self.write(f"/etc/wireguard/{name}.yaml", text)

    def conf(self, text=INTERFACE + PEER, name="wg0"):
        self.write(f"/etc/wireguard/{name}.conf", text)

    def reaches(self, *addresses, namespace=None):
        enter = f"ip netns exec {namespace} " if namespace else ""
        for address in addresses:
            status, out, err = self.shell(f"{enter}ping -n -c 3 -i 0.2 -w 5 {address}")
            assert status == 0, f"{address}: {out}{err}" + self.shell(f"{enter}ip route; {enter}wg")[1]

    def programs(self):
        return self.must("ps -e -o args= | grep -v defunct | grep -c '^[^ ]*wireguard-go wg' || true").strip()


def links(machine, namespace):
    names = re.findall(r"(?m)^\d+: ([^:@]+)", machine.must(f"ip -n {namespace} link"))
    return [name for name in names if not re.match(r"tunl|sit|ip6|gre|vti|erspan|ip_vti|gretap", name)]


def test_interface_in_a_namespace():
    with Netns(VPN) as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1, lan\nSaveConfig = true\n" + hooks() + PEER)
        before = machine.must("ip rule; ip -6 rule; ip route show table all; nft list ruleset; sysctl net.ipv4.conf.all.src_valid_mark; ip -o link")
        assert machine.holdfast("up", "wg0", "--dry-run") == 0
        assert any("netns vpn" in step for step in steps(machine)) and not any("suppress" in step for step in steps(machine))
        machine.clean("dry up")
        machine.up()
        machine.reaches("10.50.0.1", "fd50::1", "203.0.113.9", "2001:db8:9::9", namespace="vpn")
        assert links(machine, "vpn") == ["lo", "wg0"]
        assert machine.must("ip -n vpn route get 192.0.2.1").split()[2] == "wg0" and "dev wg0" in machine.must("ip -n vpn -6 route get 2001:db8::1")
        assert machine.shell("ip netns exec vpn ping -n -c1 -W1 -I eth0 192.0.2.1")[0] != 0
        assert before == machine.must("ip rule; ip -6 rule; ip route show table all; nft list ruleset; sysctl net.ipv4.conf.all.src_valid_mark; ip -o link")
        assert machine.shell("ip -n vpn rule | grep -v lookup.local | grep -v lookup.main | grep -v lookup.default")[1] == ""
        # Nobody may send to its address from outside of it; of marks there is nothing.
        ruleset = machine.must("ip netns exec vpn nft list ruleset")
        assert 'iifname != "wg0" ip daddr 10.50.0.2' in ruleset and "mark" not in ruleset, ruleset
        assert "LOOPBACK,UP" in machine.must("ip -n vpn link show lo") and "mtu 1420" in machine.must("ip -n vpn link show wg0")
        inside = machine.must("ip netns exec vpn cat /etc/resolv.conf")
        assert inside.startswith("# holdfast wg0 begins\nnameserver 10.50.0.1\nsearch lan\n"), inside
        assert machine.read("/etc/resolv.conf") == machine.read("/run/resolv.conf") and not machine.transcript()
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        assert machine.holdfast("save") == 0 and not steps(machine), machine.said
        machine.must("ip netns exec vpn wg set wg0 peer " + public(SECOND) + " allowed-ips 10.77.0.0/16")
        machine.conf(machine.read("/etc/wireguard/wg0.conf").replace("10.50.0.1, lan", "10.50.0.1, fd50::1"))
        machine.up()
        assert "nameserver fd50::1\n# holdfast" in machine.must("ip netns exec vpn cat /etc/resolv.conf")
        assert "10.77.0.0/16 dev wg0" in machine.must("ip -n vpn route")
        machine.down()
        assert f"PublicKey = {public(SECOND)}" in machine.read("/etc/wireguard/wg0.conf")
        machine.clean("down")
        check_hooks(machine, inside)
        assert machine.programs() == "0"
    print("an interface in a namespace")


def check_hooks(machine, inside):
    said = machine.read("/run/hooks")
    number = machine.must("ip netns exec vpn readlink /proc/self/ns/net")
    parts = re.split(r"(?m)^(?=P\w+ wg0 wg0 /$)", said)[1:]
    assert [part.split()[0] for part in parts] == ["PreUp", "PostUp", "PreDown", "PostDown"], said
    for part in parts:
        assert part.endswith(number) and "/sys/class/net/lo\n" in part and "eth0" not in part, part
    assert "/sys/class/net/wg0\n" in parts[0] and inside in parts[1] and "nameserver 10.50.0.1" in parts[2], said
    assert "nameserver 10.50.0.1" not in parts[3] and "/wg0\n" not in parts[3], said


def test_a_namespace_is_made_and_removed():
    with Netns() as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\nPostDown = ip link show lo >/run/after\n" + PEER)
        assert machine.holdfast("up", "wg0", "--dry-run") == 0
        assert "[#] ip netns add vpn" in steps(machine) and any("default" in step for step in steps(machine)), machine.said
        machine.clean("dry up")
        machine.up()
        machine.reaches("203.0.113.9", "2001:db8:9::9", namespace="vpn")
        machine.up()
        machine.down()
        machine.clean("made and removed")
        assert "lo: <LOOPBACK,UP" not in machine.read("/run/after")
        machine.up()
        machine.must("ip netns exec vpn sleep 300 >/dev/null 2>&1 & until ip netns pids vpn | grep -q .; do :; done")
        machine.down()
        assert "kept" in machine.said and "sleep" in machine.said, machine.said
        machine.must("pkill sleep; ip netns delete vpn")
        machine.clean("kept")
        machine.conf(INTERFACE + "PostUp = exit 9\n" + PEER)
        assert machine.holdfast("up") == 9
        machine.clean("undone")
    print("a namespace is made and removed")


def test_socket_in_a_namespace():
    """The physical world is in there, and this is all that the rest has of it."""
    setup = """ip netns add phys; ip link set eth0 netns phys; ip netns exec phys sysctl -qw net.ipv6.conf.eth0.accept_dad=0
ip -n phys link set lo up; ip -n phys link set eth0 up; ip -n phys address add 192.0.2.2/24 dev eth0
ip -n phys address add 2001:db8::2/64 dev eth0 nodad
mkdir -p /etc/netns/phys; echo '192.0.2.1 vpn.example' >/etc/netns/phys/hosts
until ip netns exec phys ping -c1 -W1 192.0.2.1 >/dev/null; do :; done"""
    with Netns(setup) as machine:
        machine.yaml("socket_namespace: phys\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\nPostUp = ip route >>/run/hooks\n" +
                     PEER.replace("192.0.2.1:51820", "vpn.example:51820"))
        machine.up()
        machine.reaches("10.50.0.1", "fd50::1", "203.0.113.9", "2001:db8:9::9")
        assert machine.must("ip route") == "default dev wg0 proto 158 scope link \n10.50.0.0/24 dev wg0 proto kernel scope link src 10.50.0.2 \n"
        assert "suppress" not in machine.must("ip rule; ip -6 rule") and "mark" not in machine.must("nft list ruleset")
        assert "default dev wg0" in machine.read("/run/hooks") and "resolvconf -a wg0" in machine.transcript()
        assert "wg0" not in links(machine, "phys")
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        machine.down()
        machine.clean("socket elsewhere")
        machine.yaml("socket_namespace: phys\nnamespace: phys\n")
        machine.up()
        assert "suppress" in machine.must("ip -n phys rule") and "wg0" in links(machine, "phys")
        assert "wg-quick-wg0" in machine.must("ip netns exec phys nft list ruleset")
        machine.reaches("203.0.113.9", "2001:db8:9::9", namespace="phys")
        assert "/etc/netns/phys/resolv.conf" in machine.said
        machine.down()
        machine.clean("both there")
    print("the socket in a namespace")


def test_two_tunnels():
    for order in (("wg0", "wg1"), ("wg1", "wg0")):
        with Netns() as machine:
            machine.conf(INTERFACE + "DNS = 10.50.0.1\n" + PEER)
            machine.conf(OTHER + "DNS = 10.51.0.1\n" + OTHER_PEER.replace("10.50.0.0/24", "10.50.0.1/32"), "wg1")
            for name in ("wg0", "wg1"):
                machine.yaml("namespace: vpn\n", name)
                machine.up(name=name)
            machine.reaches("10.50.0.1", "203.0.113.9", namespace="vpn")
            servers = re.findall(r"(?m)^nameserver (.*)", machine.must("ip netns exec vpn cat /etc/resolv.conf"))
            assert servers == ["10.51.0.1"], servers
            machine.down(order[0])
            assert links(machine, "vpn") == ["lo", order[1]] and "kept" not in machine.said, machine.said
            assert "LOOPBACK,UP" in machine.must("ip -n vpn link show lo")
            machine.down(order[1])
            machine.clean("two tunnels, " + order[0] + " first")
    with Netns() as machine:
        machine.conf(INTERFACE + "DNS = 10.50.0.1\n" + PEER)
        machine.conf(OTHER + "DNS = 10.51.0.1\n" + OTHER_PEER, "wg1")
        machine.yaml("namespace: a\n")
        machine.yaml("namespace: b\n", "wg1")
        machine.up()
        machine.up(name="wg1")
        assert machine.must("ip netns exec b cat /etc/resolv.conf").startswith("# holdfast wg1 begins\nnameserver 10.51.0.1\n")
        machine.reaches("203.0.113.9", namespace="a")
        machine.reaches("10.50.0.1", namespace="b")
        machine.down()
        machine.down("wg1")
        machine.clean("two namespaces")
    print("two tunnels")


def test_the_namespace_is_deleted():
    with Netns(VPN) as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\nPostDown = touch /run/wrong\n" + PEER)
        machine.up()
        machine.must("ip netns delete vpn")
        machine.down()
        assert "PostDown is not run" in machine.said and machine.shell("test -e /run/wrong")[0] == 1, machine.said
        machine.must(VPN)
        machine.clean("deleted")
        machine.up()
        machine.must("ip netns delete vpn; " + VPN)
        machine.up()
        machine.reaches("10.50.0.1", namespace="vpn")
        machine.down()
        machine.must("rm /run/wrong")
        machine.clean("another of its name, up and down")
        # Nobody can name it any more, but its link lives: a process is in there.
        machine.up()
        machine.must("ip netns exec vpn sleep 300 >/dev/null 2>&1 & until ip netns pids vpn | grep -q .; do :; done")
        machine.must("ip netns delete vpn; " + VPN)
        machine.down()
        assert machine.programs() == "0" and "PostDown is not run" not in machine.said, machine.said
        machine.must("rm /run/wrong; pkill sleep")
        machine.clean("deleted with a process in it")
    print("the namespace is deleted")


def test_killed_anywhere():
    """After each line that up says; then it is up or down that cleans."""
    with Netns() as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\nPreUp = true\nPostUp = true\n" + PEER)
        for line in range(1, 40):
            process = machine.start(HOLDFAST, "up", "wg0")
            seen = [process.stderr.readline() for _ in range(line)]
            pid = machine.shell("pgrep -f 'holdfast up'")[1].split()
            if pid:
                machine.shell(f"kill -9 {pid[0]}")
            process.communicate(timeout=30)
            machine.said = "".join(seen)
            if line % 4 == 1:
                machine.up()
                machine.down()
            else:
                machine.holdfast("down")
            machine.clean(f"killed after line {line}: {''.join(seen)}")
            if not seen[-1]:
                break
        assert 10 < line < 39, line
    print("killed anywhere, cleaned up")


def test_the_rest_of_it_stays():
    """What is left of the name cannot be removed: `down` says so, and the next one tries again."""
    with Netns() as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + PEER)
        machine.up()
        machine.must("ip netns delete vpn; touch /run/netns/vpn")
        assert machine.holdfast("down", "wg0", "--dry-run") == 0, machine.said
        machine.must("rm /run/netns/vpn; mkdir /run/netns/vpn")
        assert machine.holdfast("down") == 1 and "/netns/vpn: Is a directory" in machine.said, machine.said
        machine.must("rmdir /run/netns/vpn; touch /run/netns/vpn")
        machine.down()
        machine.clean("the rest of it")
    print("the rest of it stays")


def journal_of(machine):
    path = machine.must("ls /run/holdfast/quick/net-*/wg0.json").strip()
    return path, json.loads(machine.read(path))


def test_killed_before_it_was_noted():
    """The namespace is made, and the journal does not say yet which it is; then the file asks for none."""
    with Netns() as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + PEER)
        machine.up()
        path, journal = journal_of(machine)
        journal["namespace"].update(inode=0, cookie=0)
        machine.write(path, json.dumps(dict(journal, stage="making")))
        machine.yaml("")
        # What it writes first is that it removes; then it lets the lock of routes go.
        machine.call("strace", "-qq", "-o", "/dev/null", "-e", "trace=unlink", "-e", "inject=unlink:signal=KILL:when=1", HOLDFAST, "down", "wg0",
                     env={"ASAN_OPTIONS": "detect_leaks=0"})
        journal = journal_of(machine)[1]
        assert journal["stage"] == "removing" and journal["namespace"]["where"] == "vpn" and journal["namespace"]["inode"], journal
        machine.down()
        machine.clean("killed before it was noted")
    print("killed before it was noted")


def test_handed_over_meanwhile():
    """Another tunnel goes, and hands over what it did to the namespace, when `down` has read its journal."""
    with Netns(VPN) as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "PreDown = sed -i 's/\"loopback\": *false/\"loopback\":true/' /run/holdfast/quick/net-*/wg0.json\n" + PEER)
        machine.up()
        path, journal = journal_of(machine)
        assert journal["loopback"]
        machine.write(path, json.dumps(dict(journal, loopback=False)))
        machine.down()
        machine.clean("handed over meanwhile")
        # /etc/netns was there, and the last tunnel of another namespace took it away in that moment.
        machine.conf(INTERFACE + "DNS = 10.50.0.1\n" + PEER)
        status, _, machine.said = machine.call("strace", "-qq", "-o", "/dev/null", "-P", "/etc/netns", "-e", "inject=mkdir:error=EEXIST:when=1",
                                               HOLDFAST, "up", "wg0", env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert status == 0 and "nameserver 10.50.0.1" in machine.read("/etc/netns/vpn/resolv.conf"), machine.said
        machine.down()
        machine.clean("/etc/netns went meanwhile")
    print("handed over meanwhile")


def test_signals():
    with Netns() as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\nPostUp = echo $BASHPID >>/run/reached; sleep 300\n" + PEER)
        process = machine.start(HOLDFAST, "up", "wg0")
        machine.until("reached PostUp", lambda: machine.shell("test -s /run/reached")[0] == 0)
        machine.must(f"kill -{int(signal.SIGTERM)} {machine.pid_of('holdfast up')}")
        _, machine.said = process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM, machine.said
        machine.clean("SIGTERM")
    print("signals are undone")


def test_a_path():
    """A container's namespace has no name, so it has no resolv.conf of ours."""
    with Netns() as machine:
        machine.must("unshare --net sleep 300 >/dev/null 2>&1 & echo $! >/run/container")
        pid = machine.read("/run/container").strip()
        machine.until("a namespace", lambda: machine.must(f"readlink /proc/{pid}/ns/net") != machine.must("readlink /proc/self/ns/net"))
        machine.yaml(f"namespace: /proc/{pid}/ns/net\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\nPostUp = cat /etc/resolv.conf >/run/hooks; ls /sys/class/net >>/run/hooks\n" + PEER)
        machine.up()
        assert "name servers are left out" in machine.said and not machine.transcript()
        assert machine.read("/run/hooks").startswith(machine.read("/run/resolv.conf")) and "wg0\n" in machine.read("/run/hooks")
        inside = f"nsenter -t {pid} -n "
        assert machine.shell(inside + "ping -n -c 3 -i 0.2 -w 5 203.0.113.9")[0] == 0
        machine.down()
        assert "wg0" not in machine.must(inside + "ip link") and "LOOPBACK,UP" not in machine.must(inside + "ip link show lo")
        machine.up()
        machine.must(f"kill {pid}")
        machine.down()
        machine.clean("a container that ended")
    print("a path")


def test_errors():
    with Netns(VPN + "; ip netns add other") as machine:
        machine.conf(INTERFACE + "PreUp = touch /run/wrong\n" + PEER)
        for yaml, words in (("namespace: /nosuch\n", "/etc/wireguard/wg0.yaml: namespace: there is no network namespace /nosuch"),
                            ("namespace: /proc/self/ns/uts\n", "this is not a network namespace"),
                            ("socket_namespace: nosuch\n", "there is no network namespace nosuch: `ip netns add`"),
                            ("namespace: a/b\n", "/etc/wireguard/wg0.yaml:1:12: namespace: expected a name")):
            machine.yaml(yaml)
            assert machine.holdfast("up") == 1 and words in machine.said and not steps(machine), machine.said
            machine.clean(yaml)
        machine.yaml("namespace: vpn\n")
        machine.must("ip -n vpn link add wg0 type veth peer name x0")
        assert machine.holdfast("up") == 1 and "already exists" in machine.said and not steps(machine), machine.said
        assert machine.holdfast("down") == 1 and "not a WireGuard interface" in machine.said
        machine.must("ip -n vpn link delete wg0")
        machine.must("ip link add wg0 type veth peer name x0")
        assert machine.holdfast("up") == 1 and "wg0: an interface of that name exists already" in machine.said, machine.said
        machine.must("ip link show wg0; ip link delete wg0")
        machine.must("ip -n vpn route add default dev lo 2>/dev/null || { ip -n vpn link set lo up; ip -n vpn route add default dev lo; }")
        machine.conf(INTERFACE + PEER)
        assert machine.holdfast("up") == 1 and "there is: default dev lo" in machine.said, machine.said
        machine.must("ip -n vpn route delete default; ip -n vpn link set lo down")
        machine.clean("busy")
        machine.up()
        machine.yaml("namespace: other\n")
        assert machine.holdfast("up") == 1 and "is up with vpn, not with other" in machine.said and not steps(machine), machine.said
        machine.must("mv /etc/wireguard/wg0.yaml /run/")
        assert machine.holdfast("up") == 1 and "is up with vpn, not with none" in machine.said, machine.said
        machine.down()
        machine.up()
        machine.must("mv /run/wg0.yaml /etc/wireguard/")
        assert machine.holdfast("up") == 1 and "is up with none, not with other" in machine.said, machine.said
        machine.must("rm -r /run/holdfast /etc/wireguard/wg0.yaml")
        machine.down()
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        machine.clean("another namespace")
        machine.yaml("namespace: vpn\n")
        machine.conf(INTERFACE + "DNS = 10.50.0.1\n" + PEER)
        machine.up()
        machine.must("rm -r /run/holdfast")
        machine.down()
        machine.must("ip -n vpn link set lo down")
        machine.clean("a lost journal")
        unprivileged = "setpriv --bounding-set -sys_admin --inh-caps -sys_admin " + HOLDFAST
        status, _, machine.said = machine.shell(unprivileged + " up wg0")
        assert status == 1 and "/vpn: cannot enter the network namespace: Operation not permitted" in machine.said, machine.said
        machine.clean("no permission")
        machine.must("rm /etc/wireguard/wg0.yaml")
        machine.conf(INTERFACE + PEER)
        for verb in "up", "up", "down":
            status, _, machine.said = machine.shell(f"{unprivileged} {verb} wg0")
            assert status == 0, machine.said
        machine.clean("no need of it")
    print("errors")


if __name__ == "__main__":
    run_module(globals(), can_run() and shutil.which("strace"))
