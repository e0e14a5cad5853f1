#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real agent in a namespace: a generation applied, drift repaired, restarts that nobody notices, the fence."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import BIN, VIP, VIP6, Bench, run, until  # noqa: E402
from controller import Controller  # noqa: E402
from runner import run_all  # noqa: E402


def test_bad_starts(bench):
    def refused(needle, **changes):
        status, line = bench.start_wrongly(**changes)
        assert status == 1 and needle in line, f"{status}: {line}"

    tls = {"ca": "ca.pem", "certificate": "gw-a.pem", "key": "gw-a.key"}
    refused("nosuch.pem", tls={**tls, "certificate": "nosuch.pem"})
    refused("gw-z.key", tls={**tls, "key": "gw-z.key"})
    refused("gw-z", gateway="gw-z")
    refused("controler", controler="https://10.9.0.1:7443")
    refused("https://", controllers=["10.9.0.1:7443"])
    listener = subprocess.Popen(["ip", "netns", "exec", bench.gateway, sys.executable, "-c",
                                 "import socket; s = socket.create_server(('127.0.0.1', 9581)); print(flush=True); input()"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    listener.stdout.readline()
    refused("127.0.0.1:9581", health={"listen": "127.0.0.1:9581"})
    listener.communicate(b"\n")

    def call(*arguments):
        done = subprocess.run([BIN + "/holdfast-agent", *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    status, said = call("--config", "/nosuch.yaml")
    assert status == 1 and "/nosuch.yaml" in said, said
    assert call()[0] == 2 and call("--nosuch")[0] == 2 and call("--config")[0] == 2 and call("--config", "a", "b")[0] == 2
    assert call("--help")[0] == 0 and call("--version")[0] == 0


def test_refused_stages(bench):
    bench.start()
    desired = bench.desired()
    desired["tunnels"][0]["private_key_file"] = "nosuch.key"
    staged = bench.stage(desired)
    assert not staged["ok"] and "nosuch.key" in staged["error"], staged
    desired = bench.desired()
    desired["tunnels"][0]["public_key"] = bench.peer
    assert "wg.key" in bench.stage(desired)["error"]
    desired = bench.desired()
    desired["endpoints"][0]["dial_interface"] = "eth9"
    assert "eth9" in bench.stage(desired)["error"]
    desired = bench.desired()
    desired["endpoints"][0]["isolation"] = "fence"
    assert "key for grants" in bench.stage(desired)["error"]
    for part in ({"notify": [{"program": "/bin/true", "owner": True, "standby": True, "unfit": True}]},
                 {"checks": [{"kind": "program", "path": "/bin/true", "every_ms": 1000, "timeout_ms": 500, "fall": 3, "rise": 3}]}):
        desired = bench.desired()
        desired["endpoints"][0].update(part)
        error = bench.stage(desired)["error"]
        assert "agent.yaml does not allow the fleet to run /bin/true" in error, error
    desired = bench.desired()
    desired["endpoints"][0]["notify"] = [{"program": bench.dir + "/told", "owner": True, "standby": True, "unfit": True}]
    assert "told cannot be run here: No such file" in bench.stage(desired)["error"]
    for line, needle in (("/bin/true %i", "agent.yaml does not allow the fleet to run /bin/true here: put it into the list"),
                         ("/bin/%i", f"the fleet to run /bin/{bench.tunnel} here"),
                         ("true", "is for a shell"), (bench.dir + "/told; /bin/true", "is for a shell"),
                         (bench.dir + "/told", "told cannot be run here: No such file")):
        desired = bench.desired()
        desired["tunnels"][0]["post_down"] = [line]
        error = bench.stage(desired)["error"]
        assert f"tunnel {bench.tunnel}: post_down: " in error and needle in error, error
    check_what_the_host_has_not(bench)
    assert bench.tunnel not in bench.ip("link") and not bench.nft("list", "ruleset")


def check_what_the_host_has_not(bench):
    """What a commit would run into is told before it."""
    def sysctl(name, value):
        run("ip", "netns", "exec", bench.gateway, "sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6={value}")

    def without_ip6(name, what, prefix, desired):
        sysctl(name, 1)
        error = bench.stage(desired)["error"]
        sysctl(name, 0)
        assert error == (f"{what}: the kernel would refuse {prefix}, IPv6 is disabled there: sysctl -w net/ipv6/conf/{name}/disable_ipv6=0, "
                         "or take what is IPv6 there out of the fleet file"), error

    desired = bench.desired()
    desired["endpoints"][0]["inside"].append({"interface": "eth1", "address": "fd01::1/64"})
    without_ip6("eth1", "interface eth1", "fd01::1/64", desired)
    desired = bench.desired()
    desired["tunnels"][0]["addresses"].append("fd50::1/64")
    without_ip6("default", f"tunnel {bench.tunnel}", "fd50::1/64", desired)
    desired = bench.desired()
    desired["peers"][0]["allowed_ips"].append("fd51::/64")
    without_ip6("default", f"tunnel {bench.tunnel}", "fd51::/64", desired)

    def mount(command):
        run("nsenter", "-t", str(bench.agent.pid), "-m", "sh", "-c", command)
    mount("mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys")
    error = bench.stage(bench.desired())["error"]
    mount("umount /proc/sys")
    assert error.startswith("the kernel parameter net/ipv4/") and error.endswith(
        " cannot be written: Read-only file system: let the agent write /proc/sys (a container needs it mounted so)"), error


def test_apply(bench):
    bench.apply(bench.desired())
    until("the tunnel is up", lambda: "mtu 1420" in bench.ip("link", "show", bench.tunnel, check=False))
    assert bench.has_address(bench.tunnel, "10.50.0.1/24")
    assert bench.has_address("lo", VIP) and not bench.has_address("eth0", VIP)
    assert "proto 157" in bench.ip("route", "show", "192.168.77.0/24")
    assert "172.30" not in bench.ip("route")
    assert run("ip", "netns", "exec", bench.gateway, "sysctl", "-n", "net.ipv4.conf.eth0.arp_ignore").strip() == "1"
    dump = run("ip", "netns", "exec", bench.gateway, "wg", "show", bench.tunnel, "dump").splitlines()
    assert dump[1].split("\t")[7] == "off", "a standby has no keepalive"
    assert bench.get("/healthz/vpn")[0] == 503
    assert bench.get("/healthz/nosuch")[0] == 404
    until("it is ready", lambda: bench.get("/readyz")[0] == 200)


def test_a_key_file_that_changes_is_told(bench):
    """To the controller and in /readyz, long before somebody needs it; the gateway stays fit, since its device has the key."""
    path = bench.dir + "/wg.key"

    def told(needle):
        report = bench.controller.report or {}
        return report.get("fit") and any("wg.key: " + needle in reason for reason in report["reasons"]) \
            and "wg.key: " + needle in bench.get("/readyz")[1]
    with open(path, "w") as file:
        file.write(bench.peer_private)
    until("another key is told", lambda: told(f"its public key is {bench.peer}"))
    assert bench.get("/readyz")[0] == 200
    os.rename(path, path + ".away")
    until("that it is gone is told", lambda: told("cannot open"))
    os.rename(path + ".away", path)
    with open(path, "w") as file:
        file.write(bench.private)
    until("it is good again", lambda: (bench.controller.report or {}).get("reasons") == [] and "wg.key" not in bench.get("/readyz")[1])


def test_serve(bench):
    bench.serve()
    assert bench.has_address("eth0", VIP + "/32")
    assert bench.has_address("eth1", "192.168.1.1/32"), "the interface has an address of its own in the prefix"
    assert "proto 157" in bench.ip("route", "show", "172.30.0.0/16")
    assert bench.get("/healthz/vpn")[0] == 200
    run("ip", "netns", "exec", bench.router, "ping", "-c", "1", "-W", "2", VIP)
    run("ip", "netns", "exec", bench.router, "ping", "-c", "1", "-W", "2", "192.168.1.1")
    until("the keepalive is as configured", lambda: "\t25\n" in run(
        "ip", "netns", "exec", bench.gateway, "wg", "show", bench.tunnel, "persistent-keepalive"))


def test_the_command_line_asks_the_agent(bench):
    """With no controller in reach people still see what this gateway does, and only that."""
    said = run(BIN + "/holdfast", "--controller", f"unix:{bench.dir}/run/agent.sock", "status")
    assert re.search(r"^vpn +serving +\S+ +\d", said, re.M) and "gateway gw-a" in said and "nobody" not in said, said


def test_plan_is_empty(bench):
    """A look that some event caused changes nothing."""
    def settled():
        before = bench.metric("holdfast_plan_operations_total"), bench.metric("holdfast_plan_looks_total")
        bench.ip("link", "set", "eth1", "txqueuelen", str(500 + int(before[1]) % 100))
        until("a look", lambda: bench.metric("holdfast_plan_looks_total") > before[1])
        return bench.metric("holdfast_plan_operations_total") == before[0]
    until("an empty plan", settled)
    assert settled() and settled()


def test_drift_is_repaired(bench):
    bench.ip("route", "del", "172.30.0.0/16")
    bench.ip("addr", "del", "10.50.0.1/24", "dev", bench.tunnel)
    bench.ip("addr", "del", VIP + "/32", "dev", "eth0")
    until("the address is back", lambda: bench.has_address("eth0", VIP + "/32"))
    until("the tunnel's address is back", lambda: bench.has_address(bench.tunnel, "10.50.0.1/24"))
    until("the route is back", lambda: "proto 157" in bench.ip("route", "show", "172.30.0.0/16"))
    netns = ("ip", "netns", "exec", bench.gateway)
    run(*netns, "ethtool", "-K", "eth0", "rx-udp-gro-forwarding", "on")
    until("packets are not joined", lambda: "rx-udp-gro-forwarding: off" in run(*netns, "ethtool", "-k", "eth0"))
    bench.nft("flush", "ruleset")
    until("the fence is back", lambda: "permit4" in bench.nft("list", "ruleset"))
    until("with our permit", lambda: VIP in bench.nft("list", "ruleset"))
    assert bench.seat()["role"] == "serving"


def test_what_others_drop_is_told(bench):
    """Docker, ufw and firewalld have a chain like this; one that knows the tunnel is none of our business."""
    def warnings():
        return bench.get("/readyz")[1]
    assert "FORWARD" not in warnings(), warnings()
    run("ip", "netns", "exec", bench.gateway, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.forwarding=1")
    until("it misses the advertisements", lambda: "accept_ra=1" in warnings())  # the namespace has no IPv6 default route
    bench.ip("-6", "route", "add", "default", "via", "2001:db8::1")
    until("there is a way now", lambda: "accept_ra" not in warnings())
    bench.ip("-6", "route", "del", "default", "via", "2001:db8::1")
    bench.nft("add", "table", "ip", "filter")
    bench.nft("add", "chain", "ip", "filter", "FORWARD", "{ type filter hook forward priority 0; policy drop; }")
    until("it says so", lambda: "ip filter FORWARD" in warnings())
    bench.nft("add", "rule", "ip", "filter", "FORWARD", "iifname", bench.tunnel + "9", "accept")
    assert "ip filter FORWARD" in warnings(), "another tunnel's rule"
    bench.nft("add", "rule", "ip", "filter", "FORWARD", "iifname", bench.tunnel, "accept")
    bench.nft("add", "rule", "ip", "filter", "FORWARD", "oifname", bench.tunnel, "accept")  # where time was short, the way back is looked at, too
    until("both of the tunnel's are seen", lambda: "FORWARD" not in warnings())
    bench.nft("delete", "table", "ip", "filter")


def test_a_dead_tunnel_comes_back(bench):
    bench.ip("link", "del", bench.tunnel)
    until("the tunnel is back", lambda: bench.has_address(bench.tunnel, "10.50.0.1/24"))
    until("its peer too", lambda: bench.peer in run("ip", "netns", "exec", bench.gateway, "wg", "show", bench.tunnel,
                                                    check=False))
    until("it is ready", lambda: bench.get("/readyz")[0] == 200)


def loss_during(bench, act):
    ping = subprocess.Popen(["ip", "netns", "exec", bench.router, "ping", "-i", "0.01", "-q", "-W", "1", VIP],
                            stdout=subprocess.PIPE, text=True)
    act()
    ping.send_signal(signal.SIGINT)
    said = ping.communicate(timeout=5)[0]
    sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", said).groups()
    return int(sent) - int(received), int(sent)


def test_a_killed_agent_is_not_noticed(bench):
    def act():
        reports = bench.controller.reports
        bench.stop(signal.SIGKILL)
        bench.start()
        until("it reports again", lambda: bench.controller.reports > reports + 1)
        assert bench.seat()["role"] == "serving", bench.seat()
        end = time.monotonic() + 3.2  # a whole lease: it is renewed
        until("a lease has passed", lambda: time.monotonic() > end)
    lost, sent = loss_during(bench, act)
    assert lost == 0 and sent > 150, f"{lost} of {sent} lost"


def test_a_restart_without_controller(bench):
    """Not even an ended certificate keeps it from serving; a new one counts without a restart."""
    good = bench.text("gw-a.pem")
    bench.make_old_certificate("gw-a", -48, -1)
    bench.controller.close()
    assert bench.stop() == 0
    bench.start()
    until("it serves without a controller", lambda: bench.get("/healthz/vpn")[0] == 200)
    until("it says what to do", lambda: "gw-a.pem has ended" in bench.get("/readyz")[1] and "'holdfast invite gw-a'" in bench.get("/readyz")[1])
    assert bench.metric("holdfast_certificate_overdue") == 1 and "certificate-ended" in bench.log()
    assert bench.metric("holdfast_authority_end_seconds") > time.time()
    bench.controller = Controller(bench.router, "10.9.0.1", 7443, bench.dir)
    with open(bench.dir + "/gw-a.pem", "w") as file:
        file.write(good)
    until("it reports to the new controller", lambda: bench.seat().get("role") == "serving")


def test_a_lease_that_nobody_renews_takes_the_addresses(bench):
    """An agent that hangs *and* a ruleset that was flushed: the kernel takes the addresses away by itself."""
    for address, device in (VIP + "/32", "eth0"), (VIP6 + "/128", "eth0"), ("192.168.1.1/32", "eth1"):
        shown = bench.ip("addr", "show", "dev", device, "to", address)
        assert re.search(r"valid_lft [23]sec", shown), shown
    assert "valid_lft forever" in bench.ip("addr", "show", "dev", "lo", "to", VIP)
    bench.agent.send_signal(signal.SIGSTOP)
    try:
        bench.nft("flush", "ruleset")
        run("ip", "netns", "exec", bench.router, "ping", "-c", "1", "-W", "1", VIP)
        until("the addresses have gone", lambda: not any(bench.has_address("eth0", address) for address in (VIP, VIP6)) and
              not bench.has_address("eth1", "192.168.1.1/32"), 4.5)
        run("ip", "-n", bench.router, "neigh", "flush", "dev", "wan")
        assert " 0 received" in run("ip", "netns", "exec", bench.router, "ping", "-c", "1", "-W", "0.3", VIP, check=False)
    finally:
        bench.agent.send_signal(signal.SIGCONT)
    until("it knows that it lost its lease", lambda: bench.seat().get("role") == "fenced")
    until("it is fit again", lambda: bench.get("/readyz")[0] == 200)
    bench.serve()


_ANSWER_FOR_ANOTHER = """
import socket, sys, time
interface, address = sys.argv[1:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((interface, 0))
mac, ip = s.getsockname()[4], socket.inet_aton(address)
reply = b"\\xff" * 6 + mac + bytes.fromhex("0806" "0001" "0800" "06" "04" "0002") + mac + ip + b"\\xff" * 6 + ip
print(flush=True)
while True:
    s.send(reply)
    time.sleep(0.02)
"""


def test_an_answer_from_another_segment_is_no_witness(bench):
    """The router falls silent outside, the carrier stays; somebody in the LAN answers for it all the time."""
    liar = subprocess.Popen(["ip", "netns", "exec", bench.router, sys.executable, "-c", _ANSWER_FOR_ANOTHER, "lan", "10.9.0.1"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        liar.stdout.readline()
        run("ip", "-n", bench.router, "link", "set", "wan", "arp", "off")
        until("it has fenced itself", lambda: bench.get("/healthz/vpn")[0] == 503, 2)
    finally:
        liar.kill()
        liar.communicate()
        run("ip", "-n", bench.router, "link", "set", "wan", "arp", "on")
    until("it is fit again", lambda: bench.get("/readyz")[0] == 200)
    bench.serve()


def test_carrier_loss_fences(bench):
    run("ip", "-n", bench.router, "link", "set", "wan", "down")
    until("it has fenced itself", lambda: bench.get("/healthz/vpn")[0] == 503, 2)  # a lease is 3 s
    until("the address has gone", lambda: not bench.has_address("eth0", VIP + "/32"), 1)
    assert VIP not in bench.nft("list", "set", "inet", "holdfast", "permit4")
    run("ip", "-n", bench.router, "link", "set", "wan", "up")
    until("it is heard again", lambda: bench.seat().get("role") in ("fenced", "standby"))
    assert not bench.has_address("eth0", VIP + "/32"), "a cable that comes back does not steal"


def test_release(bench):
    bench.serve()
    assert bench.has_address("eth0", VIP + "/32")
    bench.order("gw-b")
    until("it stands by", lambda: bench.seat().get("role") == "standby")
    assert not bench.has_address("eth0", VIP + "/32")
    assert "172.30" not in bench.ip("route")
    until("the tunnel's routes are back", lambda: "proto 157" in bench.ip("route", "show", "192.168.77.0/24"))


def test_a_busy_port_is_refused(bench):
    holder = subprocess.Popen(["ip", "netns", "exec", bench.gateway, sys.executable, "-c",
                               "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 51999));"
                               "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    desired = bench.desired()
    desired["tunnels"][0]["listen_port"] = 51999
    staged = bench.stage(desired)
    holder.communicate(b"\n")
    assert not staged["ok"] and "51999" in staged["error"], staged


def test_a_wireguard_program_that_hangs(bench):
    """It makes this gateway unfit, and costs it no lease: the loop does not wait for it. What it shall forget it forgets once it can."""
    def wg(*arguments):
        return run("ip", "netns", "exec", bench.gateway, "wg", *arguments)

    def sent():
        return int(wg("show", bench.tunnel, "transfer").split()[2])

    programs = [pid for pid, command in bench.processes() if command.split(b"\0")[0].endswith(b"wireguard-go")]
    if not programs:
        return print("  no wireguard-go here", flush=True)
    until("it is ready", lambda: bench.get("/readyz")[0] == 200)
    if bench.get("/healthz/vpn")[0] != 200:
        bench.serve()
    wg("set", bench.tunnel, "peer", bench.peer, "endpoint", "10.9.0.1:4712", "persistent-keepalive", "off")
    wg("set", bench.tunnel, "peer", bench.peer, "persistent-keepalive", "25")
    until("it has spoken", sent)
    before = os.path.getsize(bench.dir + "/agent.log")
    os.kill(programs[0], signal.SIGSTOP)
    try:
        bench.ip("link", "set", "eth1", "txqueuelen", "700")  # a reason to look
        until("it says so", lambda: f"{bench.tunnel} does not answer" in bench.get("/readyz")[1], 8)
        end = time.monotonic() + 3.2  # a whole lease
        until("a lease has passed", lambda: time.monotonic() > end)
        bench.order("gw-b")
        until("it is a standby", lambda: bench.seat().get("role") == "standby")
    finally:
        os.kill(programs[0], signal.SIGCONT)
    until("it is ready again", lambda: bench.get("/readyz")[0] == 200)
    until("its peer was made anew", lambda: not sent())
    with open(bench.dir + "/agent.log", errors="replace") as log:
        log.seek(before)
        said = log.read()
    stalls = [int(gap) for gap in re.findall(r"stalled gap_ms=(\d+)", said)]
    print(f"  stalls {stalls} ms", flush=True)
    assert all(gap < 2000 for gap in stalls) and "lease ran out" not in said and "ip link add" not in said, said


def test_lost_state_is_no_obstacle(bench):
    """It finds its own tunnel, and takes it over; it serves nothing until it is told."""
    bench.stop()
    shutil.rmtree(bench.dir + "/state")
    bench.start()
    until("it says that it holds nothing", lambda: bench.get("/readyz")[0] == 503)
    bench.apply(bench.desired())
    until("it is a standby", lambda: bench.seat().get("role") == "standby")
    until("what it served has gone", lambda: not bench.has_address("eth0", VIP + "/32"))
    until("it is ready", lambda: bench.get("/readyz")[0] == 200)


def test_an_endpoint_that_leaves_its_owner(bench):
    """Nothing of it speaks any more when the next ruleset, which has no fence for it, is loaded."""
    bench.serve()
    before = os.path.getsize(bench.dir + "/agent.log")
    bench.apply(bench.desired(endpoints=[]))
    until("the dial address has gone", lambda: not bench.has_address("lo", VIP))
    assert not bench.has_address("eth0", VIP + "/32") and "172.30" not in bench.ip("route")
    with open(bench.dir + "/agent.log", errors="replace") as log:
        log.seek(before)
        said = log.read()
    assert "nft load" in said and f"ip address delete {VIP}/32 dev lo" in said, said
    assert f"{VIP}/32 dev eth0" not in said, said  # it went before, in a batch of its own
    bench.apply(bench.desired())
    until("it is there again", lambda: bench.seat().get("role") in ("fenced", "standby"))


def test_what_left_the_fleet_goes(bench):
    bench.apply(bench.desired(tunnels=[], endpoints=[], peers=[]))
    until("the tunnel has gone", lambda: bench.tunnel not in bench.ip("link"))
    assert not bench.has_address("lo", VIP)
    assert "proto 157" not in bench.ip("route", "show", "table", "all")
    assert bench.stop() == 0


TESTS = [test_bad_starts, test_refused_stages, test_apply, test_a_key_file_that_changes_is_told, test_serve,
         test_the_command_line_asks_the_agent, test_plan_is_empty, test_drift_is_repaired, test_what_others_drop_is_told,
         test_a_dead_tunnel_comes_back, test_a_killed_agent_is_not_noticed, test_a_restart_without_controller,
         test_a_lease_that_nobody_renews_takes_the_addresses, test_an_answer_from_another_segment_is_no_witness, test_carrier_loss_fences,
         test_release, test_a_busy_port_is_refused, test_a_wireguard_program_that_hangs, test_lost_state_is_no_obstacle,
         test_an_endpoint_that_leaves_its_owner, test_what_left_the_fleet_goes]


def main():
    """Each stands on what was done before it."""
    bench = Bench()
    run_all(TESTS, bench, log=bench.log)


main()
