# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP in one direction through the tunnel, and when it did not arrive. Times are wall-clock seconds, as the kernel stamped them."""
import bisect
import os
import subprocess
import sys
import threading

from .pings import Window
from .wait import LabError


class Stream:
    """From one machine to an address of another, a datagram every so often; nothing ever goes the other way."""

    def __init__(self, sender, receiver, address, port, interval_ms):
        self.interval_ms, self._numbers, self._arrivals = interval_ms, [], []
        self._receiver = _program(receiver, "receive", port, stdout=subprocess.PIPE)
        if self._receiver.stdout.readline() != "ready\n":
            raise LabError(f"{receiver.name}: nothing receives on port {port}")
        self._sender = _program(sender, "send", interval_ms, address, port)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._receiver.stdout:
            number, when = line.split()
            self._numbers.append(int(number))
            self._arrivals.append(int(when) / 1e9)

    def arrived(self):
        return len(self._arrivals)

    def flows(self, since):
        """Whether something has arrived since then."""
        return bool(self._arrivals) and self._arrivals[-1] > since

    def outage(self, begin, end):
        """When the longest time between two arrivals began and ended."""
        arrivals = list(self._arrivals)
        times = [begin, *arrivals[bisect.bisect_left(arrivals, begin):bisect.bisect_left(arrivals, end)], end]
        return max(zip(times, times[1:]), key=lambda pair: pair[1] - pair[0])

    def window(self, begin, end):
        """What became of the datagrams from the first to the last that arrived within that time."""
        first, last = (bisect.bisect_left(self._arrivals, when) for when in (begin, end))
        came = set(self._numbers[first:last])
        return Window([number in came for number in range(min(came, default=0), max(came, default=-1) + 1)], self.outage(begin, end),
                      self.interval_ms)

    def stop(self):
        for process in (self._sender, self._receiver):
            process.stdin.close()
            process.wait()
        self._reader.join()
        self._receiver.stdout.close()


def _program(machine, *arguments, **options):
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return machine.spawn("env", f"PYTHONPATH={package}", sys.executable, "-B", "-m", "lab.stream", *map(str, arguments),
                         stdin=subprocess.PIPE, text=True, **options)
