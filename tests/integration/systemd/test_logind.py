#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's unit and the real systemd-logind: a host that is told to go down asks the agent first, and one that only starts its
agent anew does not; nor is it needed where systemd itself says so. What moves meanwhile is lab/test_reboot.py's. About 10 s."""

from booted import BUS, run

AGENT = "holdfast-agent.service"
LOG = "/usr/local/agent.log"      # which is in the machine's directory outside, too
LOGIND = ["systemd-logind.service", "systemd-poweroff.service", "user.slice"]
CONFIG = """
gateway: gw-a
controllers: ["https://127.0.0.1:7443"]
tls: { ca: ca.pem, certificate: gw-a.pem, key: gw-a.key }
"""


def locks(machine):
    """The delay locks of our agent that logind knows."""
    return [line for line in machine.run("systemd-inhibit", "--list", "--no-pager", "--no-legend").splitlines()
            if "holdfast-agent" in line and "shutdown" in line and "delay" in line]


def told(machine):
    """The agent's log: a journal does not tell what came last before its own end."""
    with open(machine.dir + "/stage" + LOG, encoding="utf-8") as file:
        return file.read()


def set_up(machine):
    machine.run("holdfast", "init")
    machine.run("holdfast", "cert", "gateway", "gw-a", "--out", "/etc/holdfast")
    machine.write("/etc/holdfast/agent.yaml", CONFIG)
    machine.write(f"/etc/systemd/system/{AGENT}.d/log.conf", f"[Service]\nStandardError=append:{LOG}\n")
    machine.run("systemctl", "daemon-reload")
    machine.start(AGENT)


def ends_with_leaving(machine):
    """The host goes down, and that is the order of the agent's last words."""
    machine.process.wait(60)
    said = told(machine)
    words = [line.split()[2] for line in said.splitlines()]      # time, level, event
    assert [word for word in words if word in ("leaving", "left", "stopped")][-3:] == ["leaving", "left", "stopped"], said


def test_it_holds_a_lock(machine):
    machine.start("systemd-logind")
    set_up(machine)
    machine.until("logind knows its lock", lambda: len(locks(machine)) == 1)


def test_a_restart_is_no_farewell(machine):
    before = machine.show(AGENT, "MainPID")
    machine.run("systemctl", "restart", AGENT)
    assert machine.show(AGENT, "MainPID") != before
    machine.until("the new one has it", lambda: len(locks(machine)) == 1)
    machine.until("the journal says that it was stopped", lambda: "stopped gateway=gw-a" in told(machine))
    assert "leaving" not in told(machine), told(machine)


def test_logind_asks_before_the_host_goes_down(machine):
    machine.run("busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PowerOff", "b",
                "false")
    ends_with_leaving(machine)


def test_the_stop_of_the_unit_asks_whether_the_host_goes_down(machine):
    """Nobody asks logind, which is not even there."""
    set_up(machine)
    machine.until("the agent is on the bus", lambda: "holdfast-agent" in machine.run("busctl", "--no-legend", "list"))
    machine.run("systemctl", "--no-block", "start", "poweroff.target")
    ends_with_leaving(machine)


WITH_LOGIND = [test_it_holds_a_lock, test_a_restart_is_no_farewell, test_logind_asks_before_the_host_goes_down]
WITHOUT = [test_the_stop_of_the_unit_asks_whether_the_host_goes_down]


run(WITH_LOGIND, units=BUS + LOGIND)
run(WITHOUT, units=[*BUS, "systemd-poweroff.service"])
