# SPDX-License-Identifier: GPL-2.0-or-later
"""A controller and two agents on one segment, all of them real; what they say, what they hold, and what is on their disks."""
import base64
import http.client
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
from contextlib import closing, contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtest import LabError, Missed, expect, programs  # noqa: E402: the path comes first

from lab import network                    # noqa: E402
from lab.network import Network            # noqa: E402
from lab.service import Service            # noqa: E402

GATEWAYS, PEERS = ("gw-a", "gw-b"), 40
RESTART_S = 0.1      # as systemd
ANSWER_S = 30


def _key(number):
    return base64.b64encode(number.to_bytes(1, "big") * 32).decode()


class Fleet:
    """One apply's fleet file: which peers there are, and what each may use."""

    def __init__(self, chance, public):
        chosen = {number: [f"10.50.1.{number}/32"] + ([f"10.50.2.{number}/32"] if chance.random() < 0.5 else [])
                  for number in range(1, PEERS + 1) if chance.random() < 0.8}
        self.peers = {_key(number): ips for number, ips in chosen.items()}
        self.text = json.dumps({      # JSON is YAML
            "fleet": "kills", "defaults": {"liveness": "200ms"},
            "gateways": {name: {"address": network.PLACES[name].outer_address, "interfaces": {"wan": "eth0"}} for name in GATEWAYS},
            "virtual_endpoints": {"vpn": {"gateways": list(GATEWAYS), "tunnels": ["wg0"],
                                          "dial": {"interface": "wan", "addresses": [network.DIAL]}}},
            "tunnels": {"wg0": {"private_key_file": "wg0.key", "public_key": public, "address": ["10.50.0.1/16"],
                                "listen_port": network.PORT}},
            "peers": {f"p{number}": {"public_key": _key(number), "allowed_ips": ips} for number, ips in chosen.items()}})

    def takes_from(self, other):
        """Is somebody's right gone that the other one gave?"""
        return any(not set(ips) <= set(self.peers.get(key, ())) for key, ips in other.peers.items())


class _Local(http.client.HTTPConnection):
    """HTTP by a socket in the file system."""

    def __init__(self, path):
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(self._path)


class Apply(threading.Thread):
    """Under way. Its status at the end: None, if whoever should have answered died."""

    def __init__(self, site, fleet):
        super().__init__()
        self.status, self._site, self._body = None, site, {"files": [{"name": "fleet.yaml", "text": fleet.text}]}
        self.start()

    def run(self):
        self.status, _ = self._site.ask("ctl", "PUT", "/v1/fleet", self._body)


class Site:
    def __init__(self, files):
        self.files, self.network, self.services = files, Network(), {}

    def build(self, fleet):
        fabric = self.network.add("fabric")
        fabric.ip(f"link add {network.OUTER} type bridge", f"link set {network.OUTER} up")
        self.files.make_authority()
        self.files.make_controller()
        self.files.write("ctl", "etc", "fleet.yaml", text=fleet.text)
        self._start("ctl", "controller", f"{network.CONTROLLER}/24")
        for name in GATEWAYS:
            place = network.PLACES[name]
            self.files.make_gateway(name)
            self._start(name, "agent", f"{place.outer_address}/24", f"{place.management_address}/24")

    def _start(self, name, kind, *addresses):
        machine = self.network.add(name)
        self.network.plug(machine, "eth0", network.OUTER)
        machine.ip(*(f"addr add {address} dev eth0" for address in addresses))
        self.services[name] = Service(machine, kind, [os.path.join(programs(), f"holdfast-{kind}"), "--config",
                                                      self.files.path(name, "etc", f"{kind}.yaml")], self.files.log(name), RESTART_S)
        self.services[name].start()

    def kill(self, name):
        try:
            self.services[name].signal(signal.SIGKILL)
        except LabError:
            pass                       # it is on its way up: killed is killed

    def end(self):
        for name, service in self.services.items():
            expect(service.stop() == 0, f"{name} does not end well")
            service.check_log()

    def destroy(self):
        self.network.destroy()
        for service in self.services.values():
            service.forget()

    # ---- what they say: no program is started for that, which would take longer than what is looked at ----

    def ask(self, name, method, path, body=None):
        """Status and JSON; None and {} of one that is dead or dies."""
        kind = "controller" if name == "ctl" else "agent"
        try:
            with closing(_Local(f"/proc/{self.network.machines[name].pid}/root/run/holdfast/{kind}.sock")) as connection:
                connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"} if body else {})
                response = connection.getresponse()
                return response.status, json.loads(response.read() or "{}")
        except (OSError, http.client.HTTPException, ValueError):
            return None, {}

    def told_by(self, name):
        return self.ask(name, "GET", "/v1/status")[1]

    # ---- what they hold ----

    def in_kernel(self, gateway):
        shown = self.network.machines[gateway].run("wg", "show", "wg0", "allowed-ips", check=False)
        return {key: sorted(ips.split()) for key, ips in (line.split("\t") for line in shown.splitlines())}

    def on_disk(self, gateway):
        """The generation that this gateway would start with, and its peers."""
        desired = self._read(gateway, "desired.json", {"generation": 0})
        return desired["generation"], {peer["public_key"]: sorted(peer["allowed_ips"]) for peer in desired.get("peers", [])}

    def seats(self, gateway):
        return self._read(gateway, "seats.json", {"seats": [], "floor": 0})

    def _read(self, gateway, name, absent):
        try:
            with open(self.files.path(gateway, "state", name), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return absent
        except ValueError as error:
            raise Missed(f"{name} on the disk of {gateway} is not whole: {error}") from None

    def newest_stored(self):
        """The number of the newest generation in the store; None while that cannot be read."""
        try:
            with closing(self._database()) as database:
                return database.execute("SELECT max(number) FROM generations").fetchone()[0]
        except sqlite3.OperationalError:
            return None

    @contextmanager
    def busy_store(self):
        """As on a slow disk: what the controller writes waits for the end of this."""
        with closing(sqlite3.connect(self.files.path("ctl", "state", "controller.db"), timeout=10, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")

    def _database(self):
        return sqlite3.connect(f"file:{self.files.path('ctl', 'state', 'controller.db')}?mode=ro", uri=True, timeout=10)

    def stored(self):
        """The newest generation of the store, with its peers, the floor and the term; the database is whole."""
        with closing(self._database()) as database:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
            expect(found == "ok", f"the store: {found}")
            number, bundle = database.execute("SELECT number, bundle FROM generations ORDER BY number DESC LIMIT 1").fetchone()
            floor, term = database.execute("SELECT floor, term FROM identity").fetchone()
        peers = json.loads(json.loads(bundle)["files"][0]["text"])["peers"].values()
        return number, floor, term, {peer["public_key"]: sorted(peer["allowed_ips"]) for peer in peers}
