# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C and other ends of the demo, at several moments: no process, namespace, socket or file is left."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile

from labtest import DEMO, expect, programs, run, wait_for


class Run:
    """A demo in a process group and with a scratch directory of its own, and what it has printed so far."""

    def __init__(self, *arguments):
        self.scratch = tempfile.mkdtemp(prefix="holdfast-test.")
        self._output = tempfile.TemporaryFile()
        self.demo = subprocess.Popen([DEMO, "--no-install", *arguments],
                                     env={**os.environ, "HOLDFAST_BIN": programs(), "TMPDIR": self.scratch},
                                     stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True)

    def printed(self):
        return os.pread(self._output.fileno(), 1 << 20, 0).decode(errors="replace")

    def left(self):
        return glob.glob(os.path.join(self.scratch, "*"))

    def clear(self):
        if self.demo.poll() is None:
            self.demo.kill()
            self.demo.wait()
        shutil.rmtree(self.scratch)
        self._output.close()


def descendants(pid):
    """All processes below one, machines included."""
    children = {}
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def alive(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}") and b"Z" not in state(pid)]


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return b"Z"


def ends_clean(number, moment, describe):
    run_ = Run("--fault", "power", "--cycles", "3")
    try:
        wait_for(f"the demo gets to {describe}", 60, lambda: moment(run_))
        below = descendants(run_.demo.pid)
        namespaces = {net(pid) for pid in below} - {net(os.getpid()), None}
        os.killpg(run_.demo.pid, number)
        run_.demo.wait(60)
        expect(run_.demo.returncode not in (0, 1), f"{describe}: ends with {run_.demo.returncode}: {run_.printed()}")
        wait_for(f"{describe}: its processes are gone", 10, lambda: not alive(below))
        expect(number == signal.SIGKILL or not run_.left(), f"{describe}: left {run_.left()}")
        wait_for(f"{describe}: its namespaces are empty", 10, lambda: not namespaces & inhabited())
    finally:
        run_.clear()


def inhabited():
    """All network namespaces that somebody is in. The kernel gives a number that is free again to the next one that is made,
    whoever makes it."""
    return {net(int(pid)) for pid in os.listdir("/proc") if pid.isdigit()}


def net(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None


def processes_in_machines(count):
    return lambda run_: len([pid for pid in descendants(run_.demo.pid) if net(pid) not in (None, net(os.getpid()))]) >= count


def a_finished_cycle(run_):
    return "power 1/3" in run_.printed()


def while_the_network_is_made():
    ends_clean(signal.SIGINT, processes_in_machines(3), "three machines")


def while_the_daemons_start():
    ends_clean(signal.SIGINT, processes_in_machines(12), "a dozen processes")


def in_the_middle_of_faults():
    ends_clean(signal.SIGINT, a_finished_cycle, "a cycle done")


def by_terminate():
    ends_clean(signal.SIGTERM, a_finished_cycle, "a cycle done")


def by_kill():
    """Nothing can tidy up then, yet no process and no namespace may survive."""
    ends_clean(signal.SIGKILL, processes_in_machines(12), "a dozen processes")


run(while_the_network_is_made, while_the_daemons_start, in_the_middle_of_faults, by_terminate, by_kill)
