# SPDX-License-Identifier: GPL-2.0-or-later
"""tcpdump on a machine, into a file that is read while it grows."""
import os
import re
import subprocess

from sites import expect, wait_for


class Capture:
    """Everything that passes an interface, from the moment this returns."""

    def __init__(self, machine, interface, path):
        self._path, self._name = path, f"{machine.name}: tcpdump on {interface}"
        self._machine, self._pid = machine, f"/run/tcpdump-{os.path.basename(path)}.pid"
        self._process = machine.spawn(
            "sh", "-c", 'echo $$ > "$1"; exec tcpdump -Z root -n -U -i "$2" -w "$3"', "sh", self._pid, interface, path,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            if "listening on" in line:
                return
        expect(False, f"{self._name} did not begin")

    def bytes(self):
        with open(self._path, "rb") as file:
            return file.read()

    def wait_for(self, pattern, seconds=10):
        """Until the bytes have passed, and with them everything that passed before."""
        wait_for(f"{self._name} shows {pattern}", seconds, lambda: pattern in self.bytes())

    def stop(self):
        """Ends it and returns what it saw; the kernel must not have dropped any of it."""
        self._machine.run("sh", "-c", f'kill "$(cat {self._pid})"')
        report = self._process.communicate(timeout=10)[1]
        expect(re.search(r"\b0 packets dropped by kernel", report), f"{self._name}: {report}")
        return self.bytes()

    def forget(self):
        """Reaps it after its machine was destroyed."""
        self._process.wait()
        self._process.stderr.close()
