#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A controller or agents are killed at random moments while a fleet file is applied: a real controller, two real agents, a network.
After each kill every gateway holds exactly one whole generation, in its kernel, too, the store is sound, and nothing went back: no
generation, term, epoch or revocation floor.

usage: kills.py [--results FILE] [--count N] [--seconds N] [--seed N]

Goes on until N kills are in FILE, where those of earlier calls stay, or the time is over; but for two kills at least.
"""
import argparse
import base64
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtest import LabError, Missed, expect, programs, scratch_files, show_logs, wait_for  # noqa: E402: the path comes first

from lab import network                    # noqa: E402
from lab.controller import Controller      # noqa: E402
from lab.network import Network            # noqa: E402
from lab.service import Service            # noqa: E402

GATEWAYS, PEERS, LEAST = ("gw-a", "gw-b"), 12, 2
LONGEST_S = 0.4      # into an apply, which takes half of that on a quiet machine
RESTART_S = 0.1
PATIENCE_S = 60
TARGETS = (("ctl",), ("gw-a",), ("gw-b",), ("gw-a", "gw-b"), ("ctl", "gw-a"), ("ctl", "gw-a", "gw-b"))


def key_of(number):
    return base64.b64encode(number.to_bytes(1, "big") * 32).decode()


class Fleet:
    """One apply's fleet file: which peers there are, and what each may use."""

    def __init__(self, chance, public):
        self.peers = {number: [f"10.50.1.{number}/32"] + ([f"10.50.2.{number}/32"] if chance.random() < 0.5 else [])
                      for number in range(1, PEERS + 1) if chance.random() < 0.8}
        self.text = json.dumps({      # JSON is YAML
            "fleet": "kills", "defaults": {"liveness": "200ms"},
            "gateways": {name: {"address": network.PLACES[name].outer_address, "interfaces": {"wan": "eth0"}} for name in GATEWAYS},
            "virtual_endpoints": {"vpn": {"gateways": list(GATEWAYS), "tunnels": ["wg0"],
                                          "dial": {"interface": "wan", "addresses": [network.DIAL]}}},
            "tunnels": {"wg0": {"private_key_file": "wg0.key", "public_key": public, "address": ["10.50.0.1/16"],
                                "listen_port": network.PORT}},
            "peers": {f"p{number}": {"public_key": key_of(number), "allowed_ips": ips} for number, ips in self.peers.items()}})


class Site:
    """One segment with all three on it."""

    def __init__(self, files):
        self.files, self.network = files, Network()
        self.services, self.controller = {}, None

    def build(self, fleet):
        fabric = self.network.add("fabric")
        fabric.ip(f"link add {network.OUTER} type bridge", f"link set {network.OUTER} up")
        self.files.make_authority()
        self.files.make_controller()
        self.write(fleet)
        controller = self.machine("ctl", f"{network.CONTROLLER}/24")
        self.controller = Controller(controller, self.files, programs())
        self.controller.service = self.services["ctl"] = Service(
            controller, "controller", [os.path.join(programs(), "holdfast-controller"), "--config",
                                       self.files.path("ctl", "etc", "controller.yaml")], self.files.log("ctl"), RESTART_S)
        self.services["ctl"].start()
        for name in GATEWAYS:
            place = network.PLACES[name]
            self.files.make_gateway(name)
            machine = self.machine(name, f"{place.outer_address}/24", f"{place.management_address}/24")
            self.services[name] = Service(
                machine, "agent", [os.path.join(programs(), "holdfast-agent"), "--config",
                                   self.files.path(name, "etc", "agent.yaml")], self.files.log(name), RESTART_S)
            self.services[name].start()

    def machine(self, name, *addresses):
        machine = self.network.add(name)
        self.network.plug(machine, "eth0", network.OUTER)
        machine.ip(*(f"addr add {address} dev eth0" for address in addresses))
        return machine

    def write(self, fleet):
        self.files.write("ctl", "etc", "fleet.yaml", text=fleet.text)

    def apply(self):
        """Under way; what comes of it is to be seen."""
        return subprocess.Popen(self.controller.command("apply", self.files.fleet), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self, names):
        for name in names:
            try:
                self.services[name].signal(signal.SIGKILL)
            except LabError:
                pass                       # it is on its way up: killed is killed

    # ---- what they say ----

    def told_by(self, gateway):
        out = self.network.machines[gateway].run(os.path.join(programs(), "holdfast"), "status", "--json", check=False)
        try:
            return json.loads(out)
        except ValueError:
            return {}

    def in_kernel(self, gateway):
        shown = self.network.machines[gateway].run("wg", "show", "wg0", "allowed-ips", check=False)
        return {key: sorted(ips.split()) for key, ips in (line.split("\t") for line in shown.splitlines())}

    def stored(self):
        """The newest generation of the store, and its floor; the database is whole."""
        database = sqlite3.connect(f"file:{self.files.path('ctl', 'state', 'controller.db')}?mode=ro", uri=True, timeout=10)
        try:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
            expect(found == "ok", f"the store: {found}")
            number, bundle = database.execute("SELECT number, bundle FROM generations ORDER BY number DESC LIMIT 1").fetchone()
            floor, term = database.execute("SELECT floor, term FROM identity").fetchone()
        finally:
            database.close()
        peers = json.loads(json.loads(bundle)["files"][0]["text"])["peers"].values()
        return number, floor, term, {peer["public_key"]: sorted(peer["allowed_ips"]) for peer in peers}

    def at_rest(self):
        """All hold what is in force; None while that is not so."""
        status = self.controller.status()
        gateways = {gateway["name"]: gateway for gateway in status["gateways"]}
        if set(gateways) != set(GATEWAYS) or not status.get("generation"):
            return None
        if not all(gateway["connected"] and gateway["generation"] == status["generation"] for gateway in gateways.values()):
            return None
        told = {name: self.told_by(name) for name in GATEWAYS}
        if not all(one.get("generation") == status["generation"] and one.get("fit") for one in told.values()):
            return None
        return (status, told) if status["endpoints"][0]["owner"] else None

    def destroy(self):
        self.network.destroy()
        for service in self.services.values():
            service.forget()


def epoch(text):
    return tuple(int(number) for number in text.split("."))


class Watch:
    """What never goes back."""

    def __init__(self):
        self._before = {}

    def rises(self, what, value):
        expect(value >= self._before.get(what, value), f"{what} went back from {self._before.get(what)} to {value}")
        self._before[what] = value


def judge(site, watch):
    status, told = wait_for("every gateway holds what is in force", PATIENCE_S, site.at_rest)
    number, floor, term, peers = site.stored()
    expect(number == status["generation"], f"generation {status['generation']} is in force, {number} is stored")
    expect(floor == status["floor"] and floor <= number, f"the floor is {status['floor']}, {floor} is stored, of generation {number}")
    for what, value in (("the generation", number), ("the floor", floor), ("the term", term)):
        watch.rises(what, value)
    for name, one in told.items():
        endpoint = one["endpoints"][0]
        wait_for(f"{name} knows of the floor {floor}", PATIENCE_S, lambda: site.told_by(name).get("floor") == floor)
        watch.rises(f"the highest epoch on {name}", epoch(endpoint["highest"]))
        watch.rises(f"the floor on {name}", one["floor"])
        expect(site.in_kernel(name) == peers, f"{name} holds generation {number} and lets in {site.in_kernel(name)}, not {peers}")


def one_kill(site, watch, chance):
    targets, after_s = chance.choice(TARGETS), chance.uniform(0, LONGEST_S)
    site.write(Fleet(chance, site.files.tunnel_public))
    began = time.monotonic()
    applying = site.apply()
    time.sleep(after_s)
    site.kill(targets)
    applying.wait(PATIENCE_S)
    judge(site, watch)
    return {"killed": targets, "after_ms": round(after_s * 1000), "rest_ms": round((time.monotonic() - began) * 1000),
            "applied": applying.returncode == 0}


@contextmanager
def running_site(fleet):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with scratch_files() as files:
        site = Site(files)
        try:
            site.build(fleet(files.tunnel_public))
            yield site
            for name, service in site.services.items():
                expect(service.stop() == 0, f"{name} does not end well")
                service.check_log()
        except (LabError, Missed):
            show_logs(files)
            raise
        finally:
            site.destroy()


def done_before(path):
    if not path or not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8") as file:
        return sum(line.endswith("\n") for line in file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--results")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    before, seed = done_before(options.results), options.seed or int.from_bytes(os.urandom(4), "big")
    chance, watch, kills, end = random.Random(seed), Watch(), 0, time.monotonic() + options.seconds
    print(f"seed {seed}, {before} of {options.count} kills before", flush=True)
    if before >= options.count:
        return
    try:
        with running_site(lambda public: Fleet(chance, public)) as site:
            judge(site, watch)
            while before + kills < options.count and (kills < LEAST or time.monotonic() < end):
                row = one_kill(site, watch, chance)
                kills += 1
                if options.results:
                    with open(options.results, "a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
                print(f"{' and '.join(row['killed'])} killed {row['after_ms']} ms into an apply: whole after {row['rest_ms']} ms"
                      f"{'' if row['applied'] else ', the apply failed'}", flush=True)
    except (LabError, Missed) as error:
        print(f"seed {seed}, kill {kills + 1}: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"{kills} kills, {before + kills} in all: every gateway held one whole generation, and nothing went back")


main()
