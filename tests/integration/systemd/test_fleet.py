#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet of one under the real systemd: controller and agent by their units on one machine, and a tunnel whose WireGuard runs in
userspace where the kernel has none: that has a unit of its own, and ends with neither. About 10 s."""
import time

from booted import run
from tunnel import FAR, FAR_END, UPLINK, genkey, public

AGENT, CONTROLLER, SPACE = "holdfast-agent.service", "holdfast-controller.service", "holdfast-userspace@wg0.service"
TLS = "tls: {{ ca: ca.pem, certificate: {0}.pem, key: {0}.key }}\n"


def fleet(near, far):
    return ("fleet: edge\ngateways:\n  gw-a: { address: 192.0.2.2, interfaces: { wan: eth0 } }\n"
            "tunnels:\n  wg0:\n    gateways: [gw-a]\n    private_key_file: wg0.key\n"
            f"    public_key: \"{public(near)}\"\n    address: [10.50.0.2/24, \"fd50::2/64\"]\n    listen_port: 51820\n"
            f"peers:\n  far: {{ public_key: \"{public(far)}\", allowed_ips: [10.50.0.1/32, \"fd50::1/128\"], endpoint: \"192.0.2.1:4712\" }}\n")


def set_up(machine):
    near, far = genkey(), genkey()
    machine.write("/etc/holdfast/wg0.key", near)
    machine.write("/etc/holdfast/fleet.yaml", fleet(near, far))
    machine.run("holdfast", "init")
    for kind, name in (("controller", "ctl"), ("gateway", "gw-a")):
        machine.run("holdfast", "cert", kind, name)
    machine.write("/etc/holdfast/controller.yaml", "listen: \"192.0.2.3:7443\"\nfleet: fleet.yaml\n" + TLS.format("ctl"))
    machine.write("/etc/holdfast/agent.yaml", "gateway: gw-a\ncontrollers: [\"https://192.0.2.3:7443\"]\n" + TLS.format("gw-a"))
    machine.run("sh", "-c", FAR_END.format(far=far, near=public(near)))


def ping(machine):
    return all(machine.call("ping", "-n", "-c", "1", "-W", "1", address)[0] == 0 for address in ("10.50.0.1", "fd50::1"))


def in_userspace(machine):
    return "wireguard" not in machine.ip("-d", "link", "show", "dev", "wg0")


def handshake(machine):
    return int(machine.run("wg", "show", "wg0", "latest-handshakes").split()[-1])


def test_they_start(machine):
    set_up(machine)
    machine.start(CONTROLLER)
    machine.start(AGENT)
    machine.until("the tunnel carries packets", lambda: ping(machine))
    assert machine.show(CONTROLLER, "SubState") == "running" and machine.show(AGENT, "SubState") == "running"
    assert machine.run("curl", "-sf", "http://127.0.0.1:9580/readyz") is not None
    assert "gw-a" in machine.run("holdfast", "status")
    if in_userspace(machine):
        assert machine.show(SPACE, "ActiveState") == "active"


def test_they_come_back(machine):
    """Neither end of the two, nor both at once, costs the session."""
    space, before = machine.show(SPACE, "MainPID"), handshake(machine)
    for units in ([CONTROLLER], [AGENT], [CONTROLLER, AGENT]):
        pids = [machine.show(unit, "MainPID") for unit in units]
        began = time.monotonic()
        machine.run("kill", "-KILL", *pids)
        machine.until("they were started again", lambda u=units, p=pids: all(
            machine.show(unit, "ActiveState") == "active" and machine.show(unit, "MainPID") not in ("0", pid) for unit, pid in zip(u, p)))
        print(f"  {' and '.join(units)} killed, ready again after {(time.monotonic() - began) * 1000:.0f} ms")
        assert machine.show(SPACE, "MainPID") == space and handshake(machine) == before and ping(machine)
    machine.run("systemctl", "restart", AGENT, CONTROLLER)
    assert machine.show(SPACE, "MainPID") == space and handshake(machine) == before and ping(machine)


def test_userspace_ends(machine):
    """The agent sees its device go, starts its unit anew and configures it."""
    if not in_userspace(machine):
        return
    pid = machine.show(SPACE, "MainPID")
    began = time.monotonic()
    machine.run("kill", "-KILL", pid)
    machine.until("its unit was started again", lambda: machine.show(SPACE, "ActiveState") == "active" and
                  machine.show(SPACE, "MainPID") not in ("0", pid))
    machine.until("the tunnel carries packets again", lambda: ping(machine))
    print(f"  the tunnel carries packets {(time.monotonic() - began) * 1000:.0f} ms after WireGuard was killed")


def test_reload(machine):
    """SIGHUP, as the unit sends it: the controller applies the fleet file again."""
    text = machine.run("cat", "/etc/holdfast/fleet.yaml")
    machine.write("/etc/holdfast/fleet.yaml", text.replace("10.50.0.1/32", "10.50.0.1/32, 10.88.0.0/16"))
    machine.run("systemctl", "reload", CONTROLLER)
    machine.until("the route has come", lambda: "dev wg0" in machine.ip("route", "show", "10.88.0.0/16"))
    machine.until("the tunnel carries packets", lambda: ping(machine))


def test_they_stop(machine):
    for unit in (CONTROLLER, AGENT):
        machine.run("systemctl", "stop", unit)
        assert machine.show(unit, "Result") == "success" and machine.show(unit, "ActiveState") == "inactive"
        assert ping(machine), "the tunnel stays"


TESTS = [test_they_start, test_they_come_back, test_userspace_ends, test_reload, test_they_stop]


run(TESTS, prepare=FAR + UPLINK + "ip addr add 192.0.2.3/24 dev eth0\n")
