# SPDX-License-Identifier: GPL-2.0-or-later
"""What was done to a machine, how long it stayed so, and what the agent said: a row each, and all of them at the end."""
import re
import time

ROWS = []


def record(trouble, took_ms, said):
    ROWS.append((trouble, took_ms, said))


def print_table(title):
    print(f"\n{title}\n{'trouble':<58} {'mended':>9}  what the agent says")
    for trouble, took_ms, said in ROWS:
        print(f"{trouble:<58} {took_ms:6.0f} ms  {said[:110]}")


def mend(trouble, act, mended, said, until, seconds=90):
    """Do harm, wait until it is undone. said(): the lines of the agent's log so far that tell of it."""
    before = len(said())
    act()
    began = time.monotonic()
    until(f"{trouble} is repaired", mended, seconds)
    took_ms = (time.monotonic() - began) * 1000
    lines = until(f"a line about {trouble}", lambda: said()[before:])
    record(trouble, took_ms, re.sub(r"^(repaired|underlay-changed) ", "", lines[0]))
    return took_ms, lines
