#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/tutorial.md, typed line by line as it stands on four machines under Debian's systemd, with what it says coming of it.

usage: test_tutorial.py [--write]     writes into the page what is answered, for who changes it, instead of comparing
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "systemd")]
import page  # noqa: E402
from booted import CannotBoot, Machine, ROOT, skip  # noqa: E402

PAGE = ROOT + "/docs/tutorial.md"
OUTER, LAN = "outer", "lan"
HOSTS = {"ctl": {OUTER: "10.9.0.20/24"}, "gw-a": {OUTER: "10.9.0.11/24", LAN: "192.168.1.11/24"},
         "gw-b": {OUTER: "10.9.0.12/24", LAN: "192.168.1.12/24"}, "laptop": {OUTER: "10.9.0.50/24"}}
UNITS = ["wg-quick@.service", "wg-quick.target"]
LAN_HOST = "192.168.1.10/24"
PATIENCE_S = 30
JOURNAL_SHOWN = 3000  # characters
DEVICES = {OUTER: "eth0", LAN: "eth1"}


class Segments:
    """The networks between the machines, in a namespace of their own, with the host of the LAN."""

    def __init__(self):
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.ports = 0
        for name in DEVICES:
            self.ip("link", "add", name, "type", "bridge")
            self.ip("link", "set", name, "up")
        self.ip("address", "add", LAN_HOST, "dev", LAN)

    def ip(self, *arguments):
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", "ip", *arguments], check=True)

    def plug(self, machine, segment, address):
        port, device = f"port{self.ports}", DEVICES[segment]
        self.ports += 1
        self.ip("link", "add", port, "type", "veth", "peer", "name", device, "netns", machine.init)
        self.ip("link", "set", port, "master", segment, "up")
        machine.ip("address", "add", address, "dev", device)
        machine.ip("link", "set", device, "up")

    def close(self):
        self.process.kill()
        self.process.wait()


class Shell:
    """One that root has open on a machine, in /root."""

    def __init__(self, machine):
        self.machine = machine

    def run(self, text, stdin=None):
        """What a terminal would show of it."""
        script = f"cd /root && umask 022 && {{ {text}\n}} 2>&1"
        _, out, said = self.machine.call("bash", "-c", script, stdin=stdin)
        return out + said


class Site:
    def __init__(self):
        self.machines, self.segments = {}, None
        try:
            for name in HOSTS:
                self.machines[name] = Machine(units=UNITS, prepare=f"hostname {name}\nmount -t tmpfs none /root\n")
            self.segments = Segments()
            for name, addresses in HOSTS.items():
                for segment, address in addresses.items():
                    self.segments.plug(self.machines[name], segment, address)
        except BaseException:
            self.close()
            raise
        self.shells = {name: Shell(machine) for name, machine in self.machines.items()}

    def close(self):
        for machine in self.machines.values():
            machine.close()
        if self.segments:
            self.segments.close()

    def copy(self, host, text):
        """scp, without a server for it."""
        *_, source, target = text.split()
        name, _, path = target.partition(":")
        if path.endswith("/"):
            path += os.path.basename(source)
        self.machines[name].write(path, self.machines[host].run("cat", os.path.join("/root", source)))
        return ""

    def ask(self, host, text):
        """ssh HOST COMMAND <FILE, without a server for it."""
        _, name, rest = text.split(maxsplit=2)
        command, _, source = rest.partition("<")
        return self.shells[name].run(command, stdin=self.machines[host].run("cat", os.path.join("/root", source.strip())))

    def do(self, command, text):
        if text.startswith("scp "):
            return self.copy(command.host, text)
        return self.ask(command.host, text) if text.startswith("ssh ") else self.shells[command.host].run(text)


def is_look(text):
    """It changes nothing: a person is slower to type it than the site is to get there, a test has to ask again."""
    return text.split()[:2] in (["holdfast", "status"], ["holdfast", "sessions"])


def answer(site, step, text):
    end = time.monotonic() + PATIENCE_S
    while True:
        got = site.do(step, text)
        if not is_look(text) or page.comparable(got) == page.comparable(step.answer) or time.monotonic() > end:
            return got
        time.sleep(0.2)


def replay(site, learnt):
    """Commands and their answers, in the page's order."""
    for step in page.read(PAGE):
        text = page.with_learnt(step.text, learnt)
        if isinstance(step, page.File):
            site.machines[step.host].write(step.path, text)
            continue
        got = answer(site, step, text)
        page.learn(step.answer, got, learnt)
        yield step, got


def compare(site):
    different = [f"docs/tutorial.md:{step.line}: {step.host}# {step.text}\n--- the page says\n{step.answer}--- it said\n{got}"
                 for step, got in replay(site, {}) if page.comparable(got) != page.comparable(step.answer)]
    if different:
        for name in ("ctl", "gw-a", "gw-b"):
            print(f"== {name}\n{site.machines[name].journal()[-JOURNAL_SHOWN:]}")
    print("\n".join(different))
    return 1 if different else 0


def write(site):
    learnt = {}
    answers = {step.line: got for step, got in replay(site, learnt)}
    page.rewrite(PAGE, answers, learnt)
    return 0


def main():
    try:
        site = Site()
    except CannotBoot as why:
        skip(str(why))
    try:
        return write(site) if "--write" in sys.argv[1:] else compare(site)
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(main())
