# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway that is only talk: speaks the agents' protocol over real TLS and UDP, and does what it is told in memory."""
import hashlib
import http.client
import json
import os
import select
import socket
import ssl
import threading
import time

import datagram

ZERO = "0.0"


def key_of(text):
    return tuple(int(number) for number in text.split("."))


class Agent:
    def __init__(self, site, name, address, certificate=None):
        self.site, self.name, self.address = site, name, address
        self.context = site.client_context(certificate or name)
        self.boot = int.from_bytes(os.urandom(8), "big") | 1
        self.changed = threading.Condition()
        self.reporting = threading.Lock()
        self.stopping = self.silent = False
        self.refusal = None      # the answer to stages, if not yes; "silence": none until tell_staged()
        self.fit, self.reasons = True, []
        self.ahead_ms = 0        # its wall clock
        self.held = self.staged = None
        self.generation = 0
        self.floor = 0           # of revocation, as it tells in beats
        self.seats = {}
        self.orders, self.sessions_heard, self.instructions = [], {}, []
        self.sessions, self.sessions_whole = [], True
        self.takeover = None
        self.reports = 0         # that were answered
        self.told = []           # whom it heard serve last: {"gateway", "seat"}
        self.obedient = True     # serves when ordered to
        self.newer = False       # says more than this version of the protocol knows, wherever that is allowed
        self.seq = 0
        self.heard = None        # boot, time and arrival of the controller's last datagram
        self.run_and_seq = None
        self.open_connections = set()

    # life

    def start(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((self.address, 0))
        for work in (self.poll_for_ever, self.report_for_ever, self.beat_for_ever):
            threading.Thread(target=work, daemon=True).start()
        return self

    def stop(self):
        """As SIGKILL would: its kernel closes the connections."""
        with self.changed:
            self.stopping = self.silent = True
            self.changed.notify_all()
        self.lose_connections()

    def lose_connections(self):
        """By the kernel: whoever is reading from one is told so, as its TLS object is not touched."""
        for connection in list(self.open_connections):
            sock = connection.sock
            if sock:
                try:
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    pass

    def lose_power(self):
        """Not even a FIN leaves, and its address answers nobody."""
        self.silent = True
        self.site.remove_address(self.address)

    # what it holds

    def patch(self, delta):
        state = dict(delta["to"])
        peers = {}
        if delta["base"]:
            assert self.held and self.held["generation"] == delta["base"]
            peers = {(peer["tunnel"], peer["public_key"]): peer for peer in self.held.get("peers", [])}
        for gone in delta.get("removed", []):
            del peers[gone["tunnel"], gone["public_key"]]
        for peer in state.get("peers", []):
            peers[peer["tunnel"], peer["public_key"]] = peer
        import base64
        state["peers"] = sorted(peers.values(), key=lambda p: (p["tunnel"], base64.b64decode(p["public_key"])))
        return state

    def hash(self):
        if not self.held:
            return ""
        text = json.dumps(dict(self.held, version=1), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def pair_key(self):
        for partner in self.held["partners"] if self.held else []:
            if partner.get("is_controller"):
                return partner["name"], bytes.fromhex(partner["pair_key"])
        return None, None

    # instructions

    def obey(self, instruction):
        kind = instruction["kind"]
        self.instructions.append(kind)
        if kind == "stage":
            self.answer_stage(instruction["stage"])
        elif kind == "commit" and self.staged and self.staged["generation"] == instruction["commit"]:
            self.held, self.generation = self.staged, instruction["commit"]
            for endpoint in self.held.get("endpoints", []):
                self.seats.setdefault(endpoint["name"], dict(endpoint=endpoint["name"], role="standby", epoch=ZERO,
                                                             highest=ZERO, released=ZERO, permit_left_ms=0))
        elif kind == "order":
            self.obey_order(instruction["order"])
        elif kind == "sessions":
            for session in instruction["sessions"]:
                self.sessions_heard[session["public_key"]] = session["endpoint"]

    def answer_stage(self, delta):
        staged = self.patch(delta)
        refusal = self.refusal if self.refusal != "silence" else None
        refusal = refusal or ("below the revocation floor" if staged["generation"] < self.floor else None)
        self.staged = None if refusal else staged
        self.answer = dict(version=1, gateway=self.name, boot=f"{self.boot:016x}", generation=staged["generation"],
                           ok=refusal is None, error=refusal or "")
        if self.refusal != "silence":
            self.tell_staged()

    def tell_staged(self):
        self.call("POST", "/v1/agent/staged", self.answer)

    def obey_order(self, order):
        order = dict(order, owner=order.get("owner", ""), at=time.monotonic())
        self.orders.append(order)
        seat = self.seats.get(order["endpoint"])
        if not seat or key_of(order["epoch"]) < key_of(seat["highest"]):
            return
        new = key_of(order["epoch"]) > key_of(seat["highest"])
        seat["highest"] = order["epoch"]
        if order["owner"] == self.name and self.obedient:
            seat.update(role="serving", epoch=order["epoch"], permit_left_ms=3000)
            if new:
                self.takeover = dict(endpoint=order["endpoint"], epoch=order["epoch"], cause=order["cause"],
                                     detect_ms=order.get("detect_ms", 0), sessions=2, back=2, first_ms=5, took_ms=9,
                                     over=True, **{"from": order["from"]} if order.get("from") else {})
        elif seat["role"] == "serving":
            seat.update(role="standby", permit_left_ms=0, released=seat["epoch"])

    # TLS

    def connect(self, timeout=30):
        connection = http.client.HTTPSConnection(*self.site.listen, context=self.context, timeout=timeout,
                                                 source_address=(self.address, 0))
        self.open_connections.add(connection)
        return connection

    def call(self, method, path, body=None):
        """Status and JSON of one request on a connection of its own."""
        connection = self.connect(timeout=5)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"} if body is not None else {})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            self.open_connections.discard(connection)
            connection.close()

    def poll_for_ever(self):
        connection = None
        while not self.stopping:
            try:
                if not connection:
                    connection = self.connect()
                path = f"/v1/agent/orders?boot={self.boot:016x}"
                if self.run_and_seq:
                    path += "&after=%s:%d" % self.run_and_seq
                connection.request("GET", path)
                response = connection.getresponse()
                text = response.read()
                if self.silent:
                    self.wait_until_stopped()
                    return
                if response.status == 200:
                    self.take(json.loads(text))
                else:
                    self.pause(0.1)
            except (OSError, http.client.HTTPException):
                if self.silent and not self.stopping:
                    self.wait_until_stopped()
                self.open_connections.discard(connection)
                connection = None
                self.pause(0.05)

    def take(self, answer):
        self.floor = max(self.floor, answer.get("floor", 0))
        for instruction in answer["instructions"]:
            with self.changed:
                self.obey(instruction)
                self.changed.notify_all()
            self.run_and_seq = answer["run"], instruction["seq"]
        if answer["instructions"]:
            self.report()

    def report(self):
        """One at a time, as a real agent: none overtakes another."""
        with self.reporting:
            answer = self.call("POST", "/v1/agent/report", self.what_it_reports())
            self.reports += 1
            return answer

    def what_it_reports(self):
        with self.changed:
            body = dict(version=1, gateway=self.name, boot=f"{self.boot:016x}", generation=self.generation, hash=self.hash(),
                        fit=self.fit, reasons=self.reasons, wall_ms=int(time.time() * 1000) + self.ahead_ms,
                        seats=[dict(seat) for seat in self.seats.values()], sessions_whole=self.sessions_whole,
                        sessions=self.sessions)
            if self.takeover:
                body["takeover"] = self.takeover
            if self.told:
                body["heard"] = self.told
            if self.newer:
                body["novelty"] = [1, {"x": None}]
                for part in [*body["seats"], *([body["takeover"]] if self.takeover else [])]:
                    part["novelty"] = "more"
        return body

    def report_for_ever(self):
        while not self.silent:
            try:
                self.report()
            except (OSError, http.client.HTTPException):
                pass
            self.pause(0.2)

    def pause(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.stopping, seconds)

    def wait_until_stopped(self):
        with self.changed:
            self.changed.wait_for(lambda: self.stopping)

    # UDP

    def send(self, kind, echo, body=b""):
        controller, key = self.pair_key()
        if not key or self.silent:
            return
        self.seq += 1
        packet = datagram.encode(key, kind, self.name, controller, int(self.held["store"], 16), self.boot, self.seq,
                                 time.monotonic_ns() // 1000, echo, body)
        try:
            self.udp.sendto(packet, self.site.listen)
        except OSError:
            pass

    def echo(self):
        if not self.heard:
            return 0, 0, 0
        boot, sent_us, at = self.heard
        return boot, sent_us, min(time.monotonic_ns() // 1000 - at, 0xffffffff)

    def beat_for_ever(self):
        next_beat = time.monotonic()
        while not self.stopping:
            wait = max(0, next_beat - time.monotonic())
            if select.select([self.udp], [], [], wait)[0]:
                self.receive()
            elif not self.silent:
                next_beat += 0.05
                with self.changed:
                    body = datagram.beat(self.generation, list(self.seats.values()), self.newer, self.floor)
                self.send(datagram.BEAT, self.echo(), body)
            else:
                next_beat += 0.05

    def receive(self):
        try:
            data = self.udp.recv(2048)
        except OSError:
            return
        _, key = self.pair_key()
        got = datagram.decode(key, data) if key else None
        if not got or self.silent:
            return
        kind, boot, time_us = got
        self.heard = boot, time_us, time.monotonic_ns() // 1000
        if kind == datagram.PROBE:
            self.send(datagram.ANSWER, self.echo())

    # what tests ask

    def serves(self, endpoint):
        seat = self.seats.get(endpoint)
        return seat is not None and seat["role"] == "serving"
