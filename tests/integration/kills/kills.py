#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A controller or agents are killed at random moments while a fleet file is applied: a real controller, two real agents, a network.
After each kill every gateway holds exactly one whole generation, in its kernel and on its disk, too; what was answered is so; the
store is sound, and nothing went back: no generation, term, epoch or revocation floor.

usage: kills.py [--results FILE] [--count N] [--seconds N] [--seed N]

Goes on until N kills are in FILE, where those of earlier calls stay, or the time is over; but for two kills at least. A kill's seed
says which fleet is applied, who dies and when: `--seed N --count 1` plays that kill alone, from the same fleet.
"""
import argparse
import json
import os
import random
import signal
import sys
import time
from contextlib import contextmanager, nullcontext

from segment import GATEWAYS, Apply, Fleet, Site
from labtest import LabError, Missed, expect, scratch_files, show_logs, wait_for

LEAST, PATIENCE_S, SOON_S = 2, 60, 0.02
TARGETS = (("ctl",), ("gw-a",), ("gw-b",), ("gw-a", "gw-b"), ("ctl", "gw-a"), ("ctl", "gw-a", "gw-b"))
UNTIL = 1.1          # of an apply's time
AS_BEFORE, DONE = (409,), (200,)      # what is answered; all other answers, and none, leave it open


class Kill:
    """What a seed means."""

    def __init__(self, seed, public):
        chance = random.Random(seed)
        self.seed, self.fleet, self.targets = seed, Fleet(chance, public), chance.choice(TARGETS)
        moment = chance.uniform(0, UNTIL)
        together = chance.random() < 0.5
        self.moments = sorted((moment if together else chance.uniform(0, UNTIL), name) for name in self.targets)
        self.slow_disk = chance.random() < 0.3
        self.waits_for_owner = chance.random() < 0.25     # the others come while a controller that has started still listens


def epoch(text):
    return tuple(int(number) for number in text.split("."))


class Watch:
    """What never goes back."""

    def __init__(self):
        self._before = {}

    def rises(self, what, value):
        expect(value >= self._before.get(what, value), f"{what} went back from {self._before.get(what)} to {value}")
        self._before[what] = value

    def holds(self, what, value):
        """What is known of it elsewhere."""
        expect(value >= self._before.get(what, value), f"{what} is {self._before.get(what)}, and what is said of it is {value}")


class Trial:
    """One site, and the fleet that is in force there."""

    def __init__(self, site, fleet):
        self.site, self.fleet, self.watch = site, fleet, Watch()
        self.number, self.floor, self.newest, self.apply_s = 0, 0, 0, 0

    # ---- what holds at any moment ----

    def look_at_disks(self, *fleets):
        for name in GATEWAYS:
            number, peers = self.site.on_disk(name)
            expect(any(peers == fleet.peers for fleet in fleets), f"the disk of {name} holds what was never applied: {peers}")
            self.watch.rises(f"the generation on the disk of {name}", number)
            self.look_at_seats(name)

    def look_at_gateways(self):
        """What gateways hold is in the store, and what is on their disks they know."""
        told = {name: self.site.told_by(name) for name in GATEWAYS}
        for name, one in told.items():
            if one.get("generation"):
                self.look_at_store(name, one["generation"])
                self.watch.holds(f"the floor on the disk of {name}", one["floor"])
            for seat in one.get("endpoints", []):
                self.watch.holds(f"the highest epoch on the disk of {name}", epoch(seat["highest"]))
        return told

    def look_at_store(self, name, held):
        """Asked only about what is new: it is somebody's who must not be kept waiting."""
        if held <= self.newest:
            return
        newest = self.site.newest_stored()
        expect(newest is None or held <= newest, f"{name} holds generation {held}, and the newest in the store is {newest}")
        self.newest = newest or self.newest

    def look_until(self, moment):
        """The moment is what was drawn, not a condition."""
        while time.monotonic() < moment - SOON_S:
            self.look_at_gateways()
        time.sleep(max(0, moment - time.monotonic()))

    def look_at_seats(self, name):
        seats = self.site.seats(name)
        self.watch.rises(f"the floor on the disk of {name}", seats["floor"])
        for seat in seats["seats"]:
            self.watch.rises(f"the highest epoch on the disk of {name}", epoch(seat["highest"]))

    # ---- what holds in the end ----

    def at_rest(self, with_owner):
        """All hold what is in force, also on their disks; None while that is not so."""
        told, status = self.look_at_gateways(), self.site.told_by("ctl")
        if not status.get("generation") or with_owner and not status["endpoints"][0]["owner"]:
            return None
        gateways = {gateway["name"]: gateway for gateway in status["gateways"]}
        if not all(gateways[name]["connected"] and gateways[name]["generation"] == status["generation"] for name in GATEWAYS):
            return None
        if not all(one.get("generation") == status["generation"] and one["fit"] and one["floor"] == status["floor"]
                   for one in told.values()):
            return None
        if not all(self.site.on_disk(name)[0] == status["generation"] and self.site.seats(name)["floor"] == status["floor"]
                   for name in GATEWAYS):
            return None
        return status, told

    def judge(self, fleets, with_owner):
        """One of these fleets is in force everywhere, and nothing went back."""
        status, told = wait_for("every gateway holds what is in force", PATIENCE_S, lambda: self.at_rest(with_owner), SOON_S)
        number, floor, term, peers = self.site.stored()
        fleet = next((fleet for fleet in fleets if fleet.peers == peers), None)
        expect(fleet, f"generation {number} is in force, which is not what was answered")
        expect(number == status["generation"], f"generation {status['generation']} is in force, {number} is stored")
        expect(floor == status["floor"], f"the floor is {status['floor']}, {floor} is stored")
        self.check_floor(fleet, number, floor)
        self.watch.rises("the term", term)
        self.look_at_disks(fleet)
        for name, one in told.items():
            self.watch.rises(f"the highest epoch on {name}", epoch(one["endpoints"][0]["highest"]))
            expect(self.site.in_kernel(name) == peers, f"{name} holds generation {number} and lets in {self.site.in_kernel(name)}, not {peers}")
        if status["endpoints"][0]["owner"]:
            self.watch.rises("the epoch", epoch(status["endpoints"][0]["epoch"]))
        self.fleet, self.number, self.floor = fleet, number, floor

    def check_floor(self, fleet, number, floor):
        """It is the last generation that took something away."""
        if fleet is self.fleet:
            expect(number == self.number or not self.number, f"generation {number} is in force, and {self.number} was: nothing was applied")
            expect(floor == self.floor, f"the floor is {floor}, and was {self.floor}: nothing was applied")
        else:
            expect(number > self.number, f"generation {number} comes after {self.number}")
            expect(floor == (number if fleet.takes_from(self.fleet) else self.floor), f"the floor is {floor}, and was {self.floor}")

    # ---- what happens ----

    def apply_undisturbed(self, fleet):
        began = time.monotonic()
        apply = Apply(self.site, fleet)
        apply.join()
        took_s = time.monotonic() - began
        expect(apply.status == 200, f"an apply that nobody disturbed was answered {apply.status}")
        self.judge([fleet], with_owner=False)
        return took_s

    def begin(self):
        """How long does an apply take here?"""
        self.judge([self.fleet], with_owner=True)
        other, start = Fleet(random.Random("other"), self.site.files.tunnel_public), self.fleet
        self.apply_s = min(self.apply_undisturbed(fleet) for fleet in (other, start) * 2)

    def play(self, kill):
        with self.site.busy_store() if kill.slow_disk else nullcontext():
            began, apply = time.monotonic(), Apply(self.site, kill.fleet)
            for moment, name in kill.moments:
                self.look_until(began + moment * self.apply_s)
                self.site.kill(name)
        self.look_at_disks(self.fleet, kill.fleet)
        while apply.is_alive():
            self.look_at_gateways()
            apply.join(SOON_S / 10)
        fleets = [fleet for fleet, excludes in ((self.fleet, DONE), (kill.fleet, AS_BEFORE)) if apply.status not in excludes]
        self.judge(fleets, kill.waits_for_owner)
        return {"seed": kill.seed, "killed": kill.targets, "after_ms": [round(moment * self.apply_s * 1000) for moment, _ in kill.moments],
                "apply_ms": round(self.apply_s * 1000), "slow_disk": kill.slow_disk, "answer": apply.status, "in_force": self.fleet is kill.fleet,
                "rest_ms": round((time.monotonic() - began) * 1000)}


@contextmanager
def running_trial(make_fleet):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with scratch_files() as files:
        site, fleet = Site(files), make_fleet(files.tunnel_public)
        try:
            site.build(fleet)
            trial = Trial(site, fleet)
            trial.begin()
            yield trial
            trial.judge([trial.fleet], with_owner=True)
            site.end()
        except (LabError, Missed):
            show_logs(files)
            raise
        finally:
            site.destroy()


def tell(row):
    moments = " and ".join(f"{ms}" for ms in row["after_ms"])
    answer = f"answered {row['answer']}" if row["answer"] else "not answered"
    print(f"seed {row['seed']}: {' and '.join(row['killed'])} killed {moments} ms into an apply of {row['apply_ms']} ms"
          f"{', the disk slow' if row['slow_disk'] else ''}, {answer}, {'done' if row['in_force'] else 'as before'}: whole after {row['rest_ms']} ms", flush=True)


def done_before(path):
    if not path or not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8") as file:
        return sum(line.endswith("\n") for line in file)


def note(path, row):
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--results")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    before, seed = done_before(options.results), options.seed or int.from_bytes(os.urandom(4), "big") + 1
    kills, end = 0, time.monotonic() + options.seconds
    print(f"{before} of {options.count} kills before", flush=True)
    if before >= options.count:
        return
    try:
        with running_trial(lambda public: Kill(seed - 1, public).fleet) as trial:
            while before + kills < options.count and (kills < LEAST or time.monotonic() < end):
                row = trial.play(Kill(seed + kills, trial.site.files.tunnel_public))
                kills += 1
                note(options.results, row)
                tell(row)
    except (LabError, Missed) as error:
        print(f"{error}\nthat was: kills.py --seed {seed + kills} --count 1", file=sys.stderr)
        sys.exit(1)
    print(f"{kills} kills, {before + kills} in all: every gateway held one whole generation, and nothing went back")


main()
