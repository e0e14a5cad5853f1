# SPDX-License-Identifier: GPL-2.0-or-later
"""The live line: on a terminal the strip is drawn while it happens; elsewhere only finished cycles are printed."""
import sys
import threading
import time

from .table import STRIP

_PENDING = 0.15      # a ping this old without an answer is shown as lost


class Screen:
    def __init__(self, out=sys.stdout):
        self._out, self._live = out, out.isatty()
        self._stop, self._thread = threading.Event(), None

    def say(self, text=""):
        print(text, file=self._out, flush=True)

    def doing(self, text):
        """What is going on now; replaced by whatever comes next."""
        if self._live:
            self._out.write(f"\r\x1b[K{text}")
            self._out.flush()

    def watch(self, label, pings):
        """Draws the latest pings behind the label until `done`."""
        if self._live:
            self._stop.clear()
            self._thread = threading.Thread(target=self._draw, args=(label, pings), daemon=True)
            self._thread.start()

    def done(self, line=None):
        if self._thread:
            self._stop.set()
            self._thread.join()
            self._thread = None
        if self._live:
            self._out.write("\r\x1b[K")
        if line is not None:
            self.say(line)

    def _draw(self, label, pings):
        while not self._stop.wait(0.1):
            end = time.time() - _PENDING
            latest = pings.recent(end, STRIP)
            self._out.write(f"\r\x1b[K{label}{''.join('.' if ok else 'x' for ok in latest)}")
            self._out.flush()
