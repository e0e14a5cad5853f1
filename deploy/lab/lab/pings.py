# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of the client's pings. Times are wall-clock seconds, those of answers as the kernel stamped them."""
import bisect
import os
import subprocess
import sys
import threading
import time

from .wait import LabError

LAN, FAR = 0, 1      # the targets


class Pinger:
    """Runs the program and keeps what it says. Times are wall-clock seconds. `turns`: it watches how long programs wait for theirs, which
    costs as much as the pings do; one of those that ping side by side is enough."""

    def __init__(self, machine, addresses, interval_ms, turns=True):
        self.interval_ms = interval_ms
        self.targets = [_Target() for _ in addresses]
        self._late, self._waits = [], {}      # (when, ms): how late each ping was; waits of programs of lower priorities, by these
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self._process = machine.spawn("env", f"PYTHONPATH={package}", sys.executable, "-B", "-m", "lab.ping",
                                      str(interval_ms), "turns" if turns else "alone", *addresses,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def window(self, begin, end, target=LAN):
        """What became of the pings sent from begin to end."""
        if self._process.poll() is not None:
            raise LabError("the client's pinger ended")
        return self.targets[target].window(begin, end, self.interval_ms)

    def settle(self, end, patience=1.0):
        """Waits until every ping sent before `end` is known and answered, or was given long enough: by what the pinger has told so far,
        not by the clock, since this program may be behind in reading it."""
        while not all(target.settled(end, patience) for target in self.targets):
            if not self._reader.is_alive():
                raise LabError("the client's pinger ended")
            time.sleep(0.01)

    def late_ms(self, begin, end):
        """This machine's delays within a window, worst last."""
        return sorted(_within(self._late, begin, end))

    def waited_ms(self, begin, end):
        """How long programs on this machine waited for their turns within a window, all in all, of the priority that was worst off: what
        is done in several steps waits at each. A wait is told when it is over, which may be after the window that it has made longer: then
        what of it was within."""
        return max(sum(_waits(waits, begin, end)) for waits in (self._late, *self._waits.values()))

    def answered_since(self, begin, target=LAN):
        """The number of answers that came in since then."""
        return self.targets[target].answered_since(begin)

    def recent(self, end, count, target=LAN):
        """Whether each of the last pings sent before `end` was answered."""
        return self.targets[target].recent(end, count)

    def _read(self):
        for line in self._process.stdout:
            kind, target, seq, when, *late = line.split()
            when = int(when) / 1e9
            if kind == "w":
                self._waits.setdefault(target, []).append((when, int(late[0]) / 1e6))
            elif kind == "s":
                self.targets[int(target)].sent(int(seq), when)
                self._late.append((when, int(late[0]) / 1e6))
            else:
                self.targets[int(target)].answered(int(seq), when)


def _within(delays, begin, end):
    return (ms for _, ms in delays[bisect.bisect_left(delays, (begin,)):bisect.bisect_left(delays, (end,))])


def _waits(delays, begin, end):
    """Those that ended since `begin`, as far as they were before `end`."""
    return (max(0.0, ms - max(0.0, when - end) * 1000) for when, ms in delays[bisect.bisect_left(delays, (begin,)):])


class Window:
    """The pings sent within a time: whether each was answered, and the longest time between two answers less the interval;
    `outage` is when that time began and ended."""

    def __init__(self, answered, outage, interval_ms):
        self.answered, self.outage = answered, outage
        self.outage_ms = max(0.0, (outage[1] - outage[0]) * 1000 - interval_ms)

    @property
    def sent(self):
        return len(self.answered)

    @property
    def lost(self):
        return self.answered.count(False)

    @property
    def first_lost(self):
        """Its index, None if nothing was lost."""
        return self.answered.index(False) if self.lost else None


class _Target:
    def __init__(self):
        self._sent_at, self._answered = [], {}      # by number of the ping
        self._arrivals = []

    def sent(self, seq, when):
        assert seq == len(self._sent_at)
        self._sent_at.append(when)

    def answered(self, seq, when):
        if seq not in self._answered:
            self._answered[seq] = when
            bisect.insort(self._arrivals, when)

    def answered_since(self, begin):
        return len(self._arrivals) - bisect.bisect_left(self._arrivals, begin)

    def settled(self, end, patience):
        """What the pinger says takes its time to get here: only one sent after `end` tells that no more are to come, and one sent after a
        ping's patience was over that it was not answered in time."""
        count, told = bisect.bisect_left(self._sent_at, end), self._sent_at[-1] if self._sent_at else 0
        recent = range(bisect.bisect_right(self._sent_at, told - patience), count)
        return told >= end and all(seq in self._answered for seq in recent)

    def recent(self, end, count):
        last = bisect.bisect_left(self._sent_at, end)
        return [seq in self._answered for seq in range(max(0, last - count), last)]

    def window(self, begin, end, interval_ms):
        first, last = bisect.bisect_left(self._sent_at, begin), bisect.bisect_left(self._sent_at, end)
        return Window([seq in self._answered for seq in range(first, last)], self._outage(begin, end), interval_ms)

    def _outage(self, begin, end):
        first, last = bisect.bisect_left(self._arrivals, begin), bisect.bisect_left(self._arrivals, end)
        times = [begin, *self._arrivals[first:last], *([] if last < len(self._arrivals) else [end])]
        times += self._arrivals[last:last + 1]
        return max(zip(times, times[1:]), key=lambda pair: pair[1] - pair[0])
