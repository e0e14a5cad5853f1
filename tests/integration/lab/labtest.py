# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab's tests share: a built lab, expectations, and how a test ends."""
import glob
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
DEMO = os.path.join(ROOT, "deploy", "lab", "demo")
sys.path.insert(0, os.path.join(ROOT, "deploy", "lab"))

from lab.files import Files                   # noqa: E402: the path comes first
from lab.pings import FAR, LAN                # noqa: E402
from lab.scene import HoldfastScene       # noqa: E402
from lab.wait import LabError, wait_for       # noqa: E402


STILL_MS = 40      # nobody forwards packets while no program runs


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
def running_scene(kind=HoldfastScene, **options):
    """A whole lab with a client that reaches both hosts; every daemon must end well."""
    with scratch_files() as files:
        scene = kind(files, programs(), **options)
        try:
            scene.build()
            yield scene
            scene.stop()
        except (LabError, Missed):
            show_logs(files)
            raise
        finally:
            scene.destroy()


def stood_still(scene):
    """How often an agent, whose priority is real-time, did not get its turn for a tenth of a second."""
    count = 0
    for name in scene.gateways:
        with open(scene.files.log(name), encoding="utf-8", errors="replace") as log:
            count += log.read().count(" stalled gap_ms=")
    return count


@contextmanager
def nothing_lost(scene, what):
    """Not one ping to either host may be lost in this block; where this machine itself stood still, that is said instead."""
    scene.wait_steady()
    stalls, began = stood_still(scene), time.time()
    yield
    end = max(time.time(), began + 1)      # of a shorter time there is little to tell
    scene.pings.settle(end)
    windows = {"the LAN": scene.pings.window(began, end, LAN), "the far host": scene.pings.window(began, end, FAR)}
    if max(scene.pings.late_ms(began, end), default=0) > STILL_MS or stood_still(scene) > stalls:
        print(f"{what}: not judged, this machine stood still")
        return
    for name, window in windows.items():
        expect(window.sent > 100, f"{what}: only {window.sent} pings were sent to {name}")
        expect(not window.lost, f"{what}: {window.lost} of {window.sent} pings to {name} were lost, the first "
               f"{(window.first_lost or 0) * scene.interval_ms} ms after it began")
    print(f"{what}: 0 of {sum(window.sent for window in windows.values())} pings lost")


def change_fleet(scene, change):
    """Applies what change() makes of the lab's fleet file."""
    with open(scene.files.fleet, encoding="utf-8") as file:
        text = file.read()
    changed = change(text)
    expect(changed != text, "the test changes nothing in the fleet file")
    scene.files.write("ctl", "etc", "fleet.yaml", text=changed)
    scene.controller.holdfast("apply", scene.files.fleet)


def apply_peer(scene, name, line):
    """Applies the lab's fleet file with this peer's line at its end, or without that peer."""
    def with_peer(text):
        return "".join(old for old in text.splitlines(True) if not old.startswith(f"  {name}:")) + line
    change_fleet(scene, with_peer)


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
