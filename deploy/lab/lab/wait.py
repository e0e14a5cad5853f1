# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for conditions, never for time."""
import time


class LabError(Exception):
    """Something in the lab did not happen; the text is for a person."""


def wait_for(what, seconds, condition, every=0.05):
    """Polls condition() until it is true and returns its value; raises LabError after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise LabError(f"{what}: not within {seconds:g} s")
        time.sleep(every)
