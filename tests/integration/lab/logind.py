# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway whose machine has a system bus and, on it, what an agent asks of systemd: see fake_logind.c."""
import os
import subprocess
import threading

from labtest import expect, programs, wait_for
from lab.gateway import HoldfastGateway
from lab.scene import HoldfastScene

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
"""


class Logind:
    """The bus and the fake in one machine; both end with it."""

    def __init__(self, machine):
        machine.run("mkdir", "-p", "/run/dbus")
        machine.run("sh", "-c", "cat > /run/dbus/bus.conf", text=_BUS)
        self._bus = machine.spawn("dbus-daemon", "--config-file=/run/dbus/bus.conf", "--nofork", "--nopidfile",
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(f"{machine.name}: the bus is there", 10,
                 lambda: machine.run("sh", "-c", "test -S /run/dbus/system_bus_socket && echo yes", check=False))
        self._fake = machine.spawn(os.path.join(programs(), "..", "tests", "integration", "lab", "fake-logind"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._said = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(f"{machine.name}: systemd is there", 10, lambda: "ready" in self._said)

    def _read(self):
        for line in self._fake.stdout:
            self._said.append(line.strip())

    def tell(self, line):
        self._fake.stdin.write(line + "\n")
        self._fake.stdin.flush()

    def holds(self):
        """Whether the agent keeps the host from going down."""
        locks = [word for word in self._said if word in ("held", "released")]
        return bool(locks) and locks[-1] == "held"

    def wait_released(self, seconds):
        wait_for("the host may go down", seconds, lambda: not self.holds(), every=0.005)

    def forget(self):
        self._fake.wait()
        self._bus.wait()
        self._reader.join()
        self._fake.stdin.close()
        self._fake.stdout.close()


class LogindGateway(HoldfastGateway):
    logind = None

    def start(self):
        self.logind = Logind(self.machine)
        super().start()
        wait_for(f"{self.name} is told before its host goes down", 10, self.logind.holds)

    def forget(self):
        super().forget()
        if self.logind:
            self.logind.forget()
            self.logind = None

    def reboot(self):
        """What happens after the lock was given up: the unit is stopped, which takes no time, then all is gone; and is back."""
        self.logind.tell("state stopping")
        expect(self.agent.stop(1) == 0, f"the agent of {self.name} did not end well")
        self.power_off()
        self.power_on()


class RebootScene(HoldfastScene):
    gateway_kind = LogindGateway
