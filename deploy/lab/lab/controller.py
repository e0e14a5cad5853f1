# SPDX-License-Identifier: GPL-2.0-or-later
"""The controller, and the lab's view of the cluster: what `holdfast` tells an operator, nothing else."""
import json
import os
import subprocess

from .service import Service
from .wait import LabError, wait_for

RESTART_AFTER = 5      # seconds a killed controller stays away
SILENT_S = 10
ASKS_S = 0.2            # between two questions: each takes some 20 ms of a processor, and labs measure milliseconds


class Controller:
    """The operator sits at `machine`; the controller runs there, too, if it is not told another one."""

    def __init__(self, machine, files, programs, endpoint="vpn"):
        self.machine, self._files, self._programs, self.endpoint = machine, files, programs, endpoint
        self.service = self._service_on(machine)

    def _service_on(self, machine):
        return Service(machine, "controller", [os.path.join(self._programs, "holdfast-controller"), "--config",
                                               self._files.path("ctl", "etc", "controller.yaml")],
                       self._files.log("ctl"), restart_after=RESTART_AFTER, realtime=True)

    def start(self, machine=None):
        if machine:
            self.service = self._service_on(machine)
        self.service.start()

    def command(self, *arguments):
        """The command line of `holdfast` as the operator alice."""
        return self.machine.enter(os.path.join(self._programs, "holdfast"), "--config",
                                  self._files.path("ctl", "etc", "client.yaml"), *arguments)

    def try_holdfast(self, *arguments):
        """Exit status, output, errors."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              start_new_session=True)
        return done.returncode, done.stdout, done.stderr

    def holdfast(self, *arguments):
        code, out, errors = self.try_holdfast(*arguments)
        if code:
            raise LabError(f"holdfast {' '.join(arguments)}: {(errors or out).strip()}")
        return out

    def move(self, name):
        """Moves the endpoint, and waits until it is there. On a busy machine a gateway may be late with a beat, and is not moved to at that
        moment: then at the next."""
        wait_for(f"{name} is not silent any more", SILENT_S, lambda: self._is_moved(name))
        self.wait_owner(name)

    def _is_moved(self, name):
        code, out, errors = self.try_holdfast("move", self.endpoint, name)
        if code and "is silent at the moment" not in errors:
            raise LabError(f"holdfast move {self.endpoint} {name}: {(errors or out).strip()}")
        return not code

    def status(self):
        """What `holdfast status --json` says; empty while no controller answers."""
        code, out, _ = self.try_holdfast("status", "--json")
        return json.loads(out) if code == 0 else {"endpoints": [], "gateways": []}

    def view(self):
        """The lab's endpoint as the status shows it."""
        return next((e for e in self.status()["endpoints"] if e["name"] == self.endpoint), {})

    def owner(self):
        return self.view().get("owner")

    def events(self, after=0):
        """Events with a sequence number above `after`, oldest first."""
        lines = self.holdfast("events", "--json").splitlines()
        return [event for event in map(json.loads, lines) if event["seq"] > after]

    def wait_event(self, after, kind, gateway, seconds=20):
        """The first event of a kind above that sequence number that is about the endpoint going to a gateway."""
        def found():
            return next((e for e in self.events(after) if e["event"] == kind and e.get("endpoint") == self.endpoint
                         and e.get("to") == gateway), None)
        return wait_for(f"the event '{kind}' for {gateway}", seconds, found, ASKS_S)

    def last_event(self):
        return max((event["seq"] for event in self.events()), default=0)

    def wait_owner(self, name, seconds=20):
        wait_for(f"{name} owns {self.endpoint}", seconds, lambda: self.owner() == name, ASKS_S)

    def wait_ready(self, names, seconds=30):
        """Until each of these gateways serves or could take over, and reports."""
        def all_ready():
            status = self.status()
            view = next((e for e in status["endpoints"] if e["name"] == self.endpoint), {})
            connected = {gateway["name"] for gateway in status["gateways"] if gateway["connected"]}
            return (view.get("state") == "stable" and set(names) <= {view.get("owner"), *view.get("ready", [])}
                    and set(names) <= connected)
        try:
            wait_for(f"{' and '.join(names)} ready for {self.endpoint}", seconds, all_ready, ASKS_S)
        except LabError as error:
            raise LabError(f"{error}\n{self.try_holdfast('status')[1]}") from None
