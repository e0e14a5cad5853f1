# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner loses power under very many live sessions of real handshakes: when they are back, by the clients, and what it costs.

usage: many_sessions.py [SESSIONS...]"""
import os
import re
import sys

from benchlab import agent_metric, expect, heading, run, running_scene, table, wait_for
from lab.scene import HOME
from swarm import Swarm, cut_power, known_everywhere

SIZES = [int(size) for size in sys.argv[1:]] or [100, 1000]
GIVEN_S = 60


class Gateway:
    """Processor time of a gateway's programs, in ms."""

    def __init__(self, gateway):
        pids = gateway.machine.run("pgrep", "-x", "wireguard-go|holdfast-agent").split()
        self._files = {name: [pid for pid in pids if _name(gateway, pid) == name] for name in ("wireguard-go", "holdfast-agent")}
        self._gateway = gateway

    def cpu_ms(self, program):
        tick = os.sysconf("SC_CLK_TCK")
        return sum(_ticks(self._gateway, pid) for pid in self._files[program]) * 1000 // tick


def _name(gateway, pid):
    return gateway.machine.run("cat", f"/proc/{pid}/comm").strip()


def _ticks(gateway, pid):
    fields = gateway.machine.run("cat", f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def measure(count):
    swarm = Swarm(count, ping_ms=max(1000, count))      # 1,000 pings a second
    with running_scene(change=lambda text: text + swarm.peer_lines()) as scene:
        scene.pings.stop()
        scene.pings = None
        try:
            swarm.connect(scene, 60 + count // 50)
            wait_for("both gateways know all sessions", 120, lambda: known_everywhere(scene, count))
            lag_ms = 1000 * agent_metric(scene.gateways[HOME], "holdfast_loop_lag_seconds")
            taker = Gateway(scene.other(HOME))
            before = {name: taker.cpu_ms(name) for name in ("wireguard-go", "holdfast-agent")}
            result = cut_power(scene, swarm, GIVEN_S)
            result.update({name: taker.cpu_ms(name) - spent for name, spent in before.items()}, lag_ms=lag_ms)
            with open(scene.files.log(scene.other(HOME).name), encoding="utf-8", errors="replace") as log:
                result["detect_ms"] = int((re.findall(r" takeover endpoint=.*cause=host-dead detect_ms=(\d+)", log.read()) or ["0"])[-1])
        finally:
            swarm.stop()
        scene.gateways[HOME].power_on()
        return result


def a_power_cut_under_many_sessions():
    rows = [(count, measure(count)) for count in SIZES]
    heading("The owner loses power; ms from the cut, by the clients, and processor time in ms")
    table(["live sessions", "back", "first", "half", "99 %", "all", "wireguard-go", "agent", "clients", "cookies", "owner's loop late"],
          [[count, r["back"], *(f"{r[name]:.0f}" for name in ("first_ms", "p50_ms", "p99_ms", "all_ms", "wireguard-go", "holdfast-agent",
                                                            "cpu_ms", "cookies", "lag_ms"))] for count, r in rows])
    for count, result in rows:
        expect(result["back"] == count, f"{count - result['back']} of {count} clients are not back after {GIVEN_S} s")


run(a_power_cut_under_many_sessions)
