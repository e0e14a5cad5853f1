# SPDX-License-Identifier: GPL-2.0-or-later
"""A program kept running in a machine, as systemd would with Restart=always."""
import os
import re
import signal
import subprocess
import sys

from .wait import LabError, wait_for

# Three files under /run/NAME: the keeper's pid, the program's pid, and how the program ended when it was asked to.
# TERM may come in any line: "$!" is what was started last, also where no line has taken note of that yet; and as long as that is
# this shell's own copy, TERM would be lost on it.
_KEEPER = """
files=/run/$1 pause=$2; shift 2
trap 'trap "" TERM; while [ "/proc/$!/exe" -ef "/proc/$$/exe" ]; do :; done; kill -TERM "$!" 2>/dev/null; wait "$!"; echo $? > "$files.status"; exit' TERM
echo $$ > "$files.keeper"
while :; do
  "$@" &
  echo $! > "$files.pid"
  wait $!
  echo "(the lab: ended with status $?, restarted in $pause s)"
  sleep "$pause" & wait $!
done
"""

_SIGNAL = """
import os, sys, time
with open(sys.argv[1]) as file:
    pid = int(file.read())
print(time.time())
os.kill(pid, int(sys.argv[2]))
"""

# What the keeper says of any end but by SIGKILL, which is the lab's own, and what sanitizers say.
_TROUBLE = re.compile(r"^\(the lab: ended with status (?!137)|Sanitizer|runtime error:")


class Service:
    """`restart_after` is systemd's RestartSec, in seconds; the log collects what the program says."""

    def __init__(self, machine, name, command, log, restart_after=0.1, realtime=False):
        self.machine, self.name, self.log = machine, name, log
        self._files = f"/run/{name}"
        self._command = [*(["chrt", "--reset-on-fork", "--rr", "10"] if realtime and may_be_realtime() else []), *command]
        self._restart_after = restart_after
        self._keeper = None

    def start(self):
        with open(self.log, "ab") as log:
            self._keeper = self.machine.spawn("sh", "-c", _KEEPER, "keeper", self.name, str(self._restart_after),
                                              *self._command, stdout=log, stderr=log)
        wait_for(f"{self.machine.name}: {self.name} is started", 10, self.program)

    def signal(self, number):
        """To the program itself, not to its keeper. Returns when (wall clock) that was: entering the machine takes longer."""
        return float(self.machine.run(sys.executable, "-S", "-c", _SIGNAL, f"{self._files}.pid", str(int(number))))

    def program(self):
        """The program's pid inside its machine, None while there is none."""
        pid = self.machine.run("cat", f"{self._files}.pid", check=False).strip()
        alive = pid and self.machine.run("sh", "-c", f"kill -0 {pid} && echo yes", check=False)
        return int(pid) if alive else None

    def kill(self):
        """SIGKILL; the keeper starts it again."""
        self.signal(signal.SIGKILL)

    def stop(self, seconds=15):
        """Asks the program to end, returns its exit status."""
        self.machine.run("sh", "-c", f'kill -TERM "$(cat {self._files}.keeper)"')
        try:
            self._keeper.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.machine.name}: {self.name} does not end on SIGTERM") from None
        return int(self.machine.run("cat", f"{self._files}.status").strip())

    def check_log(self):
        """A crash that was mended by a restart, or what a sanitizer found, is a failure all the same."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            found = [line.strip() for line in log if _TROUBLE.search(line)]
        if found:
            raise LabError(f"{self.name} on {self.machine.name}: {found[0]}")

    def forget(self):
        """Reaps the keeper of a machine that was destroyed."""
        if self._keeper:
            self._keeper.wait()
            self._keeper = None


def may_be_realtime():
    """Whether this host lets us use SCHED_RR, as the units do."""
    child = os.fork()
    if child == 0:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
