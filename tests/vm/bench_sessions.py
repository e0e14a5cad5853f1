#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner, which is this host's, loses power under many live sessions, and a gateway with a kernel of its own takes over: kernel WireGuard, in a
machine that is emulated. When its clients are back, by the clients, and what it costs the emulated processor and theirs.

usage: bench_sessions.py KERNEL IMAGE [SESSIONS...], or `tests/vm/run --build build/release --bench SESSIONS...`. 1,000 take two minutes."""
import os
import re
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(_HERE, "..", "bench"), os.path.join(_HERE, "..", "integration", "lab")]
from benchlab import expect, heading, run, running_scene, table, wait_for  # noqa: E402
from lab.scene import HOME  # noqa: E402
from swarm import Swarm, cut_power, known_everywhere  # noqa: E402
from vm_gateway import VmScene  # noqa: E402

(KERNEL, IMAGE), SIZES = sys.argv[1:3], sys.argv[3:]
SIZES = [int(size) for size in SIZES] or [1000]
TAKER, LIVENESS, PINGS_A_SECOND = "gw-b", "500ms", 100
COLUMNS = ("noticed", "first", "half", "99 %", "all", "the kernel's work", "interrupts", "agent", "clients", "helped themselves", "cookies")


def noticed_ms(scene):
    with open(scene.files.log(TAKER), encoding="utf-8", errors="replace") as log:
        return int((re.findall(r" takeover endpoint=.*cause=host-dead detect_ms=(\d+)", log.read()) or ["-1"])[-1])


def measure(count):
    swarm = Swarm(count, ping_ms=max(1000, 1000 * count // PINGS_A_SECOND))
    kind = lambda files, programs, **options: VmScene(files, programs, KERNEL, IMAGE, virtual=TAKER, **options)
    with running_scene(kind, liveness=LIVENESS, patience_s=120 + count // 20, change=lambda text: text + swarm.peer_lines()) as scene:
        scene.pings.stop()
        scene.pings = None
        try:
            swarm.connect(scene, 60 + count // 20)
            wait_for("both gateways know all sessions", 120, lambda: known_everywhere(scene, count))
            before = scene.gateways[TAKER].processor_ms()
            result = cut_power(scene, swarm, 60 + count // 10)
            after = scene.gateways[TAKER].processor_ms(60)
            result.update({name: after[name] - before[name] for name in before}, noticed_ms=noticed_ms(scene))
        finally:
            swarm.stop()
        scene.gateways[HOME].power_on()
        return result


def row(count, result):
    kernel_ms = result["busy"] - result["agent"]
    times = [result[name] for name in ("noticed_ms", "first_ms", "p50_ms", "p99_ms", "all_ms")]
    return [f"{count:,}", result["back"], *(f"{value:.0f}" for value in (*times, kernel_ms, result["interrupts"], result["agent"], result["cpu_ms"])),
            result["handshakes_made"], result["cookies"]]


def a_power_cut_before_kernel_wireguard():
    rows = [(count, measure(count)) for count in SIZES]
    heading("The owner loses power, kernel WireGuard takes over, emulated; ms from the cut, by the clients, and processor time in ms")
    table(["live sessions", "back", *COLUMNS], [row(count, result) for count, result in rows])
    for count, result in rows:
        expect(result["back"] == count, f"{count - result['back']} of {count} clients are not back")


run(a_power_cut_before_kernel_wireguard)
