# SPDX-License-Identifier: GPL-2.0-or-later
"""What a daemon that cannot start says: one line on standard error with what and where, exit status 1."""
import os
import re
import shutil
import subprocess
import sys

from labtest import expect, programs, run, scratch_files
from lab import network, wireguard
from lab.machine import Machine

_HOLD_PORT = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()
print("bound", flush=True); time.sleep(600)
"""


class Host:
    """One machine with the files of one daemon, which is started again and again with something wrong."""

    def __init__(self, files, name, program, address):
        self.files, self.name, self.program = files, name, program
        self.config = "agent.yaml" if program == "holdfast-agent" else "controller.yaml"
        self.machine = Machine(name)
        self.machine.ip("link set lo up", f"addr add {address}/32 dev lo")

    def edit(self, old, new, file=None):
        path = self.files.path(self.name, "etc", file or self.config)
        with open(path, encoding="utf-8") as original:
            text = original.read()
        expect(old in text, f"{path} does not contain {old!r}")
        with open(path, "w", encoding="utf-8") as changed:
            changed.write(text.replace(old, new))

    def refuses(self, what, *words):
        """Starts the daemon, which must say these words (regular expressions) in one line and end with 1."""
        done = subprocess.run(self.machine.enter(os.path.join(programs(), self.program), "--config",
                                                 self.files.path(self.name, "etc", self.config)),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
        lines = done.stderr.strip().splitlines()
        expect(done.returncode == 1, f"{what}: exit status {done.returncode}: {done.stderr}")
        expect(len(lines) == 1, f"{what}: {len(lines)} lines instead of one: {done.stderr}")
        for word in words:
            expect(re.search(word, lines[0]), f"{what}: the line does not say {word!r}: {lines[0]}")

    def with_busy_port(self, what, address, port, *words):
        holder = self.machine.spawn(sys.executable, "-c", _HOLD_PORT, address, str(port), stdout=subprocess.PIPE, text=True)
        expect(holder.stdout.readline(), "the test cannot hold a port")
        self.refuses(what, *words)
        self.machine.run("sh", "-c", f"kill $(pgrep -f '{address} {port}$')", check=False)
        holder.wait()
        holder.stdout.close()

    def wrongly(self, what, old, new, *words, file=None):
        """One change to a file, and back."""
        self.edit(old, new, file)
        self.refuses(what, *words)
        self.edit(new, old, file)


def the_agent():
    with scratch_files() as files:
        files.make_authority()
        files.make_gateway("gw-a")
        files.make_gateway("gw-b")
        host = Host(files, "gw-a", "holdfast-agent", network.PLACES["gw-a"].management_address)
        try:
            host.wrongly("an unknown key", "health:", "helth:", r"agent\.yaml:\d+:\d+: ", "health")
            host.wrongly("a missing certificate", "gw-a.pem", "gw-x.pem", r"gw-x\.pem")
            shutil.copy(files.path("gw-b", "etc", "gw-b.pem"), files.path("gw-a", "etc"))
            shutil.copy(files.path("gw-b", "etc", "gw-b.key"), files.path("gw-a", "etc"))
            host.wrongly("another gateway's certificate", "certificate: gw-a.pem, key: gw-a.key",
                         "certificate: gw-b.pem, key: gw-b.key", r"gw-b\.pem", "gw-a")
            host.wrongly("another's key", "key: gw-a.key", "key: gw-b.key", r"gw-[ab]\.(key|pem)")
            host.wrongly("a missing WireGuard", "implementation: auto", "implementation: no-such-wireguard", "no-such-wireguard")
            host.with_busy_port("a busy health port", network.PLACES["gw-a"].management_address, 9581, "9581")
        finally:
            host.machine.destroy()


def the_controller():
    with scratch_files() as files:
        files.make_authority()
        files.make_controller()
        files.make_gateway("gw-a")
        files.write_fleet(wireguard.public_key(wireguard.private_key()))
        host = Host(files, "ctl", "holdfast-controller", network.CONTROLLER)
        try:
            host.wrongly("a broken fleet file", "    witness:", "    witnes:", r"fleet\.yaml:\d+:\d+: ", "witness", file="fleet.yaml")
            host.wrongly("a missing fleet file", "fleet: fleet.yaml", "fleet: nowhere.yaml", r"nowhere\.yaml")
            host.wrongly("an unknown key", "operators:", "operator:", r"controller\.yaml:\d+:\d+: ", "operators")
            shutil.copy(files.path("gw-a", "etc", "gw-a.pem"), files.path("ctl", "etc"))
            shutil.copy(files.path("gw-a", "etc", "gw-a.key"), files.path("ctl", "etc"))
            host.wrongly("a gateway's certificate", "certificate: ctl.pem, key: ctl.key", "certificate: gw-a.pem, key: gw-a.key",
                         r"gw-a\.pem")
            host.with_busy_port("a busy port", network.CONTROLLER, 7443, "7443")
        finally:
            host.machine.destroy()


run(the_agent, the_controller)
