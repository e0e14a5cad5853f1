#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--help of each command tells of the options that its usage names, and of no others."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runner import run_module  # noqa: E402

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/dev/bin"))


def commands():
    """Name and usage of each command, as --help lists them."""
    text = subprocess.run([BIN / "holdfast", "--help"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ") and not line.startswith("   ")]


def test_help():
    names = commands()
    assert len(names) > 15 and "status" in names, names
    for name in names:
        done = subprocess.run([BIN / "holdfast", name, "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith(f"usage: holdfast {name}") and not done.stderr, done
        usage, listed = done.stdout.splitlines()[0], done.stdout.split("\n\n", 1)[1]
        for word in usage.replace("|", " ").replace("[", " ").replace("]", " ").split():
            assert not word.startswith("-") or word in listed, (name, word)
        for line in listed.splitlines():
            option = next((word for word in line.split()[:2] if word.startswith("--")), None) if line.startswith("  ") else None
            assert option is None or option in usage, (name, option)
    for daemon in ("holdfast-agent", "holdfast-controller", "holdfast"):
        for option in ("--help", "--version"):
            done = subprocess.run([BIN / daemon, option], capture_output=True, text=True)
            assert done.returncode == 0 and done.stdout and not done.stderr, done


run_module(globals(), True)
