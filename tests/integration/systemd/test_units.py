#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our units under the real systemd: holdfast@, the agent's, that of WireGuard in userspace. About 10 s."""
import re
import time

from booted import BUILD, run
from tunnel import CONF, FAR, UPLINK, Tunnel

AGENT = "holdfast-agent.service"
SPACE = "holdfast-userspace@wg0.service"
with open(BUILD + "/bin/holdfast-agent", "rb") as binary:
    SANITIZED = b"__asan_init" in binary.read()


def has_link(machine):
    return machine.call("ip", "link", "show", "dev", "wg0")[0] == 0


def in_userspace(machine):
    return "wireguard" not in machine.run("ip", "-d", "link", "show", "dev", "wg0")


def test_start(machine):
    machine.start("holdfast@wg0")
    assert machine.show("holdfast@wg0", "ActiveState") == "active" and machine.show("holdfast@wg0", "SubState") == "exited"
    machine.until("the tunnel carries packets", machine.tunnel.ping)
    if in_userspace(machine):
        assert machine.show(SPACE, "ActiveState") == "active", "userspace WireGuard has a unit of its own"
    assert machine.tunnel.handshake()


def test_reload(machine):
    """What changed in the file comes, and the session stays."""
    before = machine.tunnel.handshake()
    machine.tunnel.write(", 10.77.0.0/16, fd77::/64")
    machine.run("systemctl", "reload", "holdfast@wg0")
    assert "dev wg0" in machine.ip("route", "show", "10.77.0.0/16") and "dev wg0" in machine.ip("-6", "route", "show", "fd77::/64")
    assert machine.tunnel.handshake() == before and machine.tunnel.ping()
    assert machine.show("holdfast@wg0", "ActiveState") == "active"


def test_stop(machine):
    machine.run("systemctl", "stop", "holdfast@wg0")
    assert not has_link(machine) and machine.show("holdfast@wg0", "ActiveState") == "inactive"
    assert machine.show(SPACE, "ActiveState") == "inactive", "userspace WireGuard has ended with its device"
    assert not machine.run("find", "/run/holdfast", "-type", "f").strip()


def test_a_wrong_file(machine):
    text = machine.run("cat", CONF)
    machine.write(CONF, text.replace("AllowedIPs", "AlowedIPs"))
    assert machine.call("systemctl", "start", "holdfast@wg0")[0] != 0
    assert machine.show("holdfast@wg0", "ActiveState") == "failed" and not has_link(machine)
    assert re.search(r"wg0\.conf:\d+:\d+: ", machine.journal("holdfast@wg0")), machine.journal("holdfast@wg0")
    machine.write(CONF, text)
    machine.start("holdfast@wg0")


def status_of(machine, pid):
    """The kernel's words about a process."""
    return dict(re.findall(r"^(\w+):\s+(.*)$", machine.run("cat", f"/proc/{pid}/status"), re.M))


def test_the_agent_says_that_it_is_ready(machine):
    """Type=notify: `start` has waited for it."""
    machine.write("/etc/holdfast/agent.yaml", "{}\n")
    machine.start(AGENT)
    assert machine.show(AGENT, "SubState") == "running"
    assert machine.run("curl", "-sf", "http://127.0.0.1:9581/livez")
    pid = machine.show(AGENT, "MainPID")
    status = status_of(machine, pid)
    powers = machine.show(AGENT, "CapabilityBoundingSet").split()
    assert len(powers) == 7 and bin(int(status["CapBnd"], 16)).count("1") == 7, (powers, status["CapBnd"])
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    if machine.realtime:
        assert "SCHED_RR" in machine.run("chrt", "-p", pid) and ": 10" in machine.run("chrt", "-p", pid)
    if machine.call("sh", "-c", "echo -900 >/proc/self/oom_score_adj")[0] == 0:  # else nobody here may, nor systemd
        assert machine.run("cat", f"/proc/{pid}/oom_score_adj").strip() == "-900"
    if not SANITIZED:  # AddressSanitizer lets nobody lock memory
        assert int(status["VmLck"].split()[0]) > 0, "it locks its memory"
    assert machine.run("stat", "-c", "%a", "/run/holdfast", "/var/lib/holdfast").split() == ["700", "700"]


def repairs(machine):
    return machine.journal(AGENT).count("repaired ")


def test_it_repairs(machine):
    before = repairs(machine)
    machine.ip("route", "del", "10.77.0.0/16")
    machine.until("the route is back", lambda: "dev wg0" in machine.ip("route", "show", "10.77.0.0/16"))
    machine.until("it says so", lambda: repairs(machine) > before)


def test_it_comes_back(machine):
    """The tunnel knows nothing of the agent's end, however that came."""
    machine.until("a session", machine.tunnel.ping)
    space, handshake = machine.show(SPACE, "MainPID"), machine.tunnel.handshake()

    def kept(pid):
        assert machine.show(AGENT, "MainPID") != pid
        assert machine.show(SPACE, "MainPID") == space and machine.tunnel.handshake() == handshake and machine.tunnel.ping()
    for number in ("KILL", "SEGV"):
        pid, restarts = machine.show(AGENT, "MainPID"), int(machine.show(AGENT, "NRestarts"))
        began = time.monotonic()
        machine.run("kill", "-" + number, pid)
        machine.until("it was started again", lambda n=restarts: int(machine.show(AGENT, "NRestarts")) > n and
                      machine.show(AGENT, "ActiveState") == "active")
        print(f"  killed by SIG{number}, ready again after {(time.monotonic() - began) * 1000:.0f} ms")
        kept(pid)
    pid = machine.show(AGENT, "MainPID")
    machine.run("systemctl", "restart", AGENT)
    kept(pid)
    test_it_repairs(machine)


def test_userspace_ends(machine):
    """And its device with it: nobody makes a link of `holdfast up` anew unasked. The unit does."""
    if not in_userspace(machine):
        return
    pid = machine.show(SPACE, "MainPID")
    machine.run("kill", "-KILL", pid)
    machine.until("the agent says so", lambda: "the link of wg0 is gone" in machine.journal(AGENT))
    machine.run("systemctl", "restart", "holdfast@wg0")
    assert machine.show(SPACE, "ActiveState") == "active" and machine.show(SPACE, "MainPID") != pid
    machine.until("the tunnel carries packets again", machine.tunnel.ping)


def test_the_agent_stops(machine):
    machine.run("systemctl", "stop", AGENT)
    assert machine.show(AGENT, "Result") == "success" and machine.show(AGENT, "ActiveState") == "inactive"
    assert machine.tunnel.ping(), "the tunnel stays"
    machine.run("systemctl", "stop", "holdfast@wg0")
    assert not has_link(machine)


TESTS = [test_start, test_reload, test_stop, test_a_wrong_file, test_the_agent_says_that_it_is_ready, test_it_repairs, test_it_comes_back,
         test_userspace_ends, test_the_agent_stops]


def make_tunnel(machine):
    machine.tunnel = Tunnel(machine, allowed="10.50.0.0/24, fd50::/64, 10.60.0.0/16")


run(TESTS, make_tunnel, prepare=FAR + UPLINK)
