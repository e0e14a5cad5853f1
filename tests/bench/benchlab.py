# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benches share: the lab's programs, this machine's name, tables."""
import os
import platform
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "integration", "lab"))
from labtest import LabError, expect, programs, run, running_scene, scratch_files, wait_for      # noqa: E402,F401: the path comes first
from lab import wireguard                                                              # noqa: E402


def machine():
    """What the figures were measured on, in a line."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"


def heading(title):
    print(f"\n{title}\n{machine()}", flush=True)


def table(columns, rows):
    """Right-aligned but for the first column; cells are text."""
    rows = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    for number, row in enumerate(rows):
        print("  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))
        if number == 0:
            print("  " + "  ".join("-" * w for w in widths))
    sys.stdout.flush()


def peer_line(name, address):
    """A line of the fleet file: a peer with a key that nobody has."""
    return f'  {name}: {{ public_key: "{wireguard.public_key(wireguard.private_key())}", allowed_ips: [{address}/32] }}\n'


def metric(machine, address, name):
    """A figure of a daemon, by its own /metrics; 0 while it does not say."""
    text = machine.run("curl", "-s", f"http://{address}/metrics", check=False)
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " ")), 0.0)


def agent_metric(gateway, name):
    return metric(gateway.machine, f"{gateway.place.management_address}:9581", name)


class FleetFile:
    """The lab's fleet file, and one peer more at its end that changes from one apply to the next."""

    def __init__(self, scene):
        self._scene = scene
        with open(scene.files.fleet, encoding="utf-8") as file:
            self._text = file.read()

    def change_one_peer(self, address="10.50.0.77"):
        self._scene.files.write("ctl", "etc", "fleet.yaml", text=self._text + peer_line("changing", address))

    def apply(self):
        self._scene.controller.holdfast("apply", self._scene.files.fleet)
