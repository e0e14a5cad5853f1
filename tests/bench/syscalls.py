# SPDX-License-Identifier: GPL-2.0-or-later
"""The system calls of a running program, as strace sees them."""
import collections
import re
import shutil
import subprocess
import tempfile

from benchlab import wait_for

# "THREAD TIME call(arguments) = result", or its two halves when another thread's call came between.
_CALL = re.compile(r"^(\d+)\s+(\d+\.\d+) (\w+)\((.*)$")
_RESUMED = re.compile(r"^(\d+)\s+\d+\.\d+ <\.\.\. \w+ resumed>(.*)$")


def available():
    return shutil.which("strace") is not None


class Call:
    def __init__(self, at, name, rest):
        self.at, self.name, self.rest = float(at), name, rest

    @property
    def kind(self):
        return _kind(self.name, self.rest)

    def result(self):
        """The number it returned, 0 if that was cut off or no number."""
        found = re.search(r"= (\d+)\s*(<[\d.]+>)?$", self.rest)
        return int(found.group(1)) if found else 0


class Trace:
    """with Trace(pid) as trace: ...; afterwards trace.calls, in order. `shown` is how much of a text strace shows."""

    def __init__(self, pid, shown=64):
        self._pid, self._shown, self.calls = pid, shown, []

    def __enter__(self):
        self._file = tempfile.TemporaryFile("r+", encoding="utf-8", errors="replace")      # without a name: nothing can be left of it
        output = self._file.fileno()
        self._strace = subprocess.Popen(
            ["strace", "-f", "-ttt", "-yy", "-s", str(self._shown), "-o", f"/dev/fd/{output}", "-p", str(self._pid)],
            pass_fds=[output], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("strace sees the program", 10, lambda: self._file.read(1))
        return self

    def __exit__(self, *_):
        self._strace.terminate()
        self._strace.wait()
        with self._file:
            self._file.seek(0)
            self.calls = list(read(self._file))

    def between(self, begin, end):
        return [call for call in self.calls if begin <= call.at <= end]


def read(lines):
    """The calls in what strace -f -ttt -yy wrote."""
    latest = {}      # of each thread
    for line in lines:
        if found := _CALL.match(line):
            thread, *words = found.groups()
            latest[thread] = Call(*words)
            yield latest[thread]
        elif (found := _RESUMED.match(line)) and found.group(1) in latest:
            latest[found.group(1)].rest += found.group(2)


def counts(calls):
    return collections.Counter(call.kind for call in calls)


def _kind(name, rest):
    """What a call is for, told from its name and the descriptor that strace names."""
    descriptor = re.match(r"\d+<([^>]*)", rest)
    what = descriptor.group(1) if descriptor else ""
    if name in ("epoll_wait", "epoll_ctl", "timerfd_settime", "poll"):
        return "waiting and timers"
    if what.startswith(("UDP", "udp")):
        return "liveness datagrams"
    if what.startswith("NETLINK"):
        return "netlink requests" if name.startswith("send") else "netlink answers"
    if what.startswith("UNIX-STREAM") or "wireguard/" in rest:
        return "WireGuard"
    if what.startswith("TCP") or name == "rt_sigaction":
        return "controller (TLS)"
    if name in ("brk", "mmap", "munmap", "madvise", "mremap"):
        return "memory"
    return "the rest"
