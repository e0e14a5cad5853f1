# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine of the lab: network, mount, process and host name namespaces of its own.

Its first process only holds the namespaces. Killing that process is what a power cut is: the kernel kills every process in
it, and the network namespace with all that its kernel knew is destroyed. Nothing has a name outside, so nothing is left behind.
"""
import ctypes
import os
import signal
import subprocess
import sys

from .wait import LabError, wait_for

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

# /run is the machine's own (WireGuard's sockets, pid files) and shows no systemd; /sys shows its own network devices.
# An ignored SIGCHLD lets the kernel reap what daemons leave to the first process.
_FIRST_PROCESS = """
set -e
read -r pid rest < /proc/self/stat
hostname "$1"
mount -t proc proc /proc
mount -t tmpfs run /run
mkdir -p /run/lock
mount -t sysfs sys /sys
trap '' CHLD
echo "$pid"
exec sleep infinity > /dev/null 2>&1
"""

_LINKS_DOWN = """
import os, time
print(time.time(), flush=True)
os.execvp("ip", ["ip", "link", "set", "group", "default", "down"])
"""


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Machine:
    """A running machine; `outlives` lets it survive the program that made it."""

    def __init__(self, name, outlives=False):
        self.name = name
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--propagation", "private",
             "sh", "-c", _FIRST_PROCESS, "holdfast-lab", name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            preexec_fn=None if outlives else _die_with_parent)
        try:
            self.pid = self._first_words()
        except BaseException:
            self._holder.kill()
            self._holder.wait()
            raise

    def _first_words(self):
        """The first process's pid, as it says when all is set up."""
        words = self._holder.stdout.readline().strip()
        if not words:
            raise LabError(f"cannot make the namespaces of {self.name}: {self._holder.stderr.read().decode().strip()}")
        return int(words)

    @property
    def holder_pid(self):
        """The process outside whose death ends the machine."""
        return self._holder.pid

    def enter(self, *command):
        """The command line that runs a command in this machine."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", "-r", "-w", *command]

    def spawn(self, *command, **options):
        """Starts a program here, out of reach of the terminal's Ctrl-C."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.enter(*command), start_new_session=True, **options)

    def run(self, *command, text=None, check=True):
        """Runs a command here to its end and returns what it printed."""
        done = subprocess.run(self.enter(*command), input=text, capture_output=True, text=True, start_new_session=True,
                              **({} if text is not None else {"stdin": subprocess.DEVNULL}))
        if check and done.returncode:
            raise LabError(f"{self.name}: {' '.join(command)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def run_outside_processes(self, *command):
        """Runs a command in this machine's network only: it sees the process ids of the outside."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-n", *command], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, start_new_session=True)

    def ip(self, *lines):
        """iproute2 commands, in one batch."""
        self.run("ip", "-batch", "-", text="\n".join(lines) + "\n")

    def sysctl(self, **settings):
        """sysctl(net__ipv4__ip_forward=1); a dot in the name is written as two underscores."""
        self.run("sysctl", "-qw", *(f"{name.replace('__', '.')}={value}" for name, value in settings.items()))

    def links_down(self):
        """All links at once: one netlink message for the whole group that every link is born into. Returns when (wall clock)
        that was: entering the machine takes longer."""
        return float(self.run(sys.executable, "-S", "-c", _LINKS_DOWN))      # busybox's date knows no nanoseconds

    def destroy(self):
        """Kills every process here and waits until they are gone; the kernel destroys the rest."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._holder.wait()
        self._holder.stdout.close()
        self._holder.stderr.close()

    def wait_link_gone(self, link, seconds=10):
        """Until a link of this machine no longer exists (its other end's machine was destroyed)."""
        wait_for(f"{self.name}: {link} goes away", seconds,
                 lambda: link not in self.run("ip", "-o", "link", "show").replace("@", ":").split(": "))
