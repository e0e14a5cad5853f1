# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program of the lab says, and when: lines begin with the time of day."""
import re
import time

_STAMP = re.compile(r"^(\d\d):(\d\d):(\d\d\.\d+) ")


class Log:
    """What a program says from now on."""

    def __init__(self, path):
        self._path = path
        with open(path, "rb") as file:
            self._skip = len(file.read())

    def lines(self, words):
        with open(self._path, "rb") as file:
            file.seek(self._skip)
            return [line for line in file.read().decode(errors="replace").splitlines() if words in line and _STAMP.match(line)]

    def count(self, words):
        return len(self.lines(words))

    def when(self, words):
        """The time of day, in seconds, of the last line with these words; None: it has not been said."""
        lines = self.lines(words)
        return time_of_day(lines[-1]) if lines else None


def time_of_day(line):
    hours, minutes, seconds = _STAMP.match(line).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def now():
    """The time of day as a log would write it, in seconds."""
    wall = time.time()
    local = time.localtime(wall)
    return local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + wall % 1


def ms_between(begin, end):
    """Midnight may lie between them."""
    return (end - begin) % 86400 * 1000
