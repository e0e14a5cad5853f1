# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab's tests share: a built lab, expectations, and how a test ends."""
import glob
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
DEMO = os.path.join(ROOT, "deploy", "lab", "demo")
sys.path.insert(0, os.path.join(ROOT, "deploy", "lab"))

from lab.files import Files                   # noqa: E402: the path comes first
from lab.scene import HoldfastScene           # noqa: E402
from lab.wait import LabError, wait_for       # noqa: E402


class Missed(Exception):
    """An expectation that did not hold."""


def expect(holds, what):
    if not holds:
        raise Missed(what)


def programs():
    return os.environ.get("HOLDFAST_BIN") or os.path.join(ROOT, "build", "release", "bin")


@contextmanager
def scratch_files():
    """A scratch directory with keys, gone afterwards."""
    scratch = tempfile.mkdtemp(prefix="holdfast-test.")
    try:
        yield Files(scratch, programs())
    finally:
        shutil.rmtree(scratch)


@contextmanager
def running_scene(**options):
    """A whole lab with a client that reaches both hosts; every daemon must end well."""
    with scratch_files() as files:
        scene = HoldfastScene(files, programs(), **options)
        try:
            scene.build()
            yield scene
            scene.stop()
        except (LabError, Missed):
            show_logs(files)
            raise
        finally:
            scene.destroy()


def apply_peer(scene, name, line):
    """Applies the lab's fleet file with this peer's line at its end, or without that peer."""
    with open(scene.files.fleet, encoding="utf-8") as file:
        lines = [old for old in file if not old.startswith(f"  {name}:")]
    scene.files.write("ctl", "etc", "fleet.yaml", text="".join(lines) + line)
    scene.controller.holdfast("apply", scene.files.fleet)


def show_logs(files, lines=30):
    for path in sorted(glob.glob(files.path("log", "*"))):
        with open(path, encoding="utf-8", errors="replace") as log:
            print(f"--- log of {os.path.basename(path)}, its end", *log.read().splitlines()[-lines:], sep="\n", file=sys.stderr)


def run(*steps):
    """Runs each step, says which one failed and why; for the end of a test program."""
    for step in steps:
        try:
            step()
        except (LabError, Missed) as error:
            print(f"{step.__name__}: {error}", file=sys.stderr)
            sys.exit(1)
        print(f"{step.__name__}: ok")
