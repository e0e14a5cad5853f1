# SPDX-License-Identifier: GPL-2.0-or-later
"""One program of the lab, seen from outside its machine: memory, wakeups, processor time."""
import os
import re
import time

from benchlab import LabError


class Process:
    def __init__(self, service):
        self.pid = _pid_outside(service)

    def memory_kib(self):
        """Resident, its share of it when pages are divided among those who map them, and what is its own alone."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="utf-8") as file:
            sizes = {words[0]: int(words[1]) for words in map(str.split, file) if words[-1] == "kB"}
        return sizes["Rss:"], sizes["Pss:"], sizes["Private_Clean:"] + sizes["Private_Dirty:"]

    def sample(self):
        return Sample(self.pid)


class Sample:
    """Counters now, all threads together."""

    def __init__(self, pid):
        self.at, self.wakeups, self.preempted = time.monotonic(), 0, 0
        for task in os.listdir(f"/proc/{pid}/task"):
            status = _read(f"/proc/{pid}/task/{task}/status")
            self.wakeups += _number(status, "voluntary_ctxt_switches")
            self.preempted += _number(status, "nonvoluntary_ctxt_switches")
        fields = _read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        self.processor_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def since(self, before):
        """Wakeups a second, and the part of a processor that was used."""
        seconds = self.at - before.at
        return (self.wakeups - before.wakeups) / seconds, (self.processor_s - before.processor_s) / seconds


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _number(text, name):
    return int(re.search(rf"(?m)^{name}:\s*(\d+)", text).group(1))


def _pid_outside(service):
    """The service knows its pid inside its machine; the one in the same namespace with that number is it."""
    inside, namespace = service.program(), os.readlink(f"/proc/{service.machine.pid}/ns/pid")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            numbers = re.search(r"(?m)^NSpid:(.*)", _read(f"/proc/{pid}/status")).group(1).split()
            if int(numbers[-1]) == inside and os.readlink(f"/proc/{pid}/ns/pid") == namespace:
                return int(pid)
        except (OSError, AttributeError):
            pass      # it ended meanwhile
    raise LabError(f"{service.name} of {service.machine.name} is not running")
