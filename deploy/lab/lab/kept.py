# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab's scratch directory, what lets a person look inside a kept lab, and the end of kept labs."""
import glob
import json
import os
import shutil
import signal
import tempfile

_PREFIX = "holdfast-lab."
_RECORD = "machines.json"
_OWNER = "owner"

_ENTER = """#!/bin/sh
# enter MACHINE [COMMAND...]: runs a command, or a shell, in a machine of this lab.
case "$1" in
{cases}*) echo "usage: $0 {names} [COMMAND...]" >&2; exit 2 ;;
esac
shift
exec nsenter -t "$pid" -n -m -u -p -r -w "${{@:-sh}}"
"""

_HOLDFAST = """#!/bin/sh
# holdfast ARGUMENTS...: as the operator alice.
exec {command} "$@"
"""


def new_scratch():
    """A directory of this run's own; one whose run was killed is taken away."""
    _sweep()
    scratch = tempfile.mkdtemp(prefix=_PREFIX)
    with open(os.path.join(scratch, _OWNER), "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))
    return scratch


def _sweep():
    for path in glob.glob(os.path.join(tempfile.gettempdir(), _PREFIX + "*", _OWNER)):
        scratch = os.path.dirname(path)
        with open(path, encoding="utf-8") as file:
            owner = file.read()
        if owner and not os.path.exists(f"/proc/{owner}") and not os.path.exists(os.path.join(scratch, _RECORD)):
            shutil.rmtree(scratch, ignore_errors=True)


def record(scratch, machines):
    """Notes which machines there are, so that `--stop` can end them whatever happens to the demo."""
    with open(os.path.join(scratch, _RECORD), "w", encoding="utf-8") as file:
        json.dump({"holders": [machine.holder_pid for machine in machines.values()]}, file)


def write_tools(scratch, scene):
    """Two commands for a person: `enter`, `holdfast`; returns how to use them."""
    machines = scene.network.machines
    cases = "".join(f"{name}) pid={machine.pid} ;;\n" for name, machine in machines.items())
    _script(scratch, "enter", _ENTER.format(cases=cases, names="|".join(machines)).replace('"${@:-sh}"', '"${@-sh}"'))
    _script(scratch, "holdfast", _HOLDFAST.format(command=" ".join(scene.controller.command())))
    return (f"The lab stays up. Look around:\n"
            f"  {scratch}/enter client ping 192.168.1.10      also: {', '.join(name for name in machines if name != 'client')}\n"
            f"  {scratch}/holdfast status\n"
            f"  less {scratch}/log/gw-a\n"
            f"End it: deploy/lab/demo --stop")


def stop_all():
    """Ends every kept lab; returns how many there were."""
    records = glob.glob(os.path.join(tempfile.gettempdir(), _PREFIX + "*", _RECORD))
    for path in records:
        with open(path, encoding="utf-8") as file:
            for pid in json.load(file)["holders"]:
                _end(pid)
        shutil.rmtree(os.path.dirname(path))
    return len(records)


def _end(pid):
    """Ends a machine, if that process still is one: numbers are used again."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"holdfast-lab" in file.read().split(b"\0"):
                os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        pass


def _script(scratch, name, text):
    path = os.path.join(scratch, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w") as file:
        file.write(text)
