#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real agent and who may order it: its own controller, one of another store, one behind a name, none; and its certificate. 20 s."""
import os
import shutil
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import VIP, Bench, until  # noqa: E402
from controller import Controller, in_namespace  # noqa: E402
from runner import run_all  # noqa: E402


def test_removed_while_it_could_not_be_reached(bench):
    """Nobody told it; its own controller's word that it is no gateway of the fleet does. Another store's does not."""
    bench.serve()
    # Nor is an order of another's anything to it: a controller of another fleet, or one that has lost its store.
    until("that order is heard", lambda: not bench.controller.queue)
    kept, bench.controller.store = bench.controller.store, "00000000feedbeef"
    bench.order("gw-b")
    until("it is refused", lambda: bench.metric("holdfast_foreign_instructions_total") == 1)
    bench.controller.post("commit", commit=bench.generation + 1)
    until("whatever it is", lambda: bench.metric("holdfast_foreign_instructions_total") == 2)
    assert bench.get("/healthz/vpn")[0] == 200 and "00000000feedbeef" in bench.get("/readyz")[1]
    assert open(bench.dir + "/agent.log", errors="replace").read().count("foreign-store") == 1
    bench.controller.store = kept
    bench.order("gw-b")
    until("its own releases it", lambda: bench.seat().get("role") == "standby")
    assert "feedbeef" not in bench.get("/readyz")[1]
    bench.serve()
    bench.controller.stranger_to = "00000000deadbeef"
    failures = lambda: open(bench.dir + "/agent.log", errors="replace").read().count("deadbeef")  # noqa: E731
    until("it was told so by a stranger", failures)
    assert bench.get("/healthz/vpn")[0] == 200
    bench.controller.stranger_to = "5d41402abc4b2a76"
    until("it serves no more", lambda: bench.get("/healthz/vpn")[0] == 503, 5)
    assert not bench.has_address("eth0", VIP + "/32")
    assert VIP not in bench.nft("list", "set", "inet", "holdfast", "permit4")
    bench.controller.stranger_to = None
    until("it is heard again", lambda: bench.seat().get("role") == "standby")
    bench.serve()


def has_leader(beat):
    """What a beat says of the sender's contact with a controller (docs/protocol.md)."""
    at = 5
    for _ in range(2):
        at += 1 + beat[at]
    return beat[3] == 1 and beat[at + 60] & 1 == 1


def answers_count_for_nothing(listener, whose, answers):
    before = answers()
    until(f"what was heard before {whose} counts no more", lambda: not has_leader(listener.recv(2000)) and answers() > before, 20)
    before = answers()
    while answers() < before + 2:
        assert not has_leader(listener.recv(2000)), whose


def test_a_controller_by_name_is_beaten_to(bench):
    """The address is the one that the name led to over TLS. One that has nothing but errors for anybody lives all the same: it
    may order in the next moment."""
    def listen():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 7443))
        listener.settimeout(10)
        return listener
    bench.stop()
    controller = Controller(bench.gateway, "127.0.0.1", 7443, bench.dir)
    with in_namespace(bench.gateway, listen) as listener:
        bench.start(controllers=["https://localhost:7443"])
        assert listener.recv(2000)[:2] == b"HF"
        controller.broken = True
        until("an answer from before counts no more", lambda: not has_leader(listener.recv(2000)))
        until("an error counts", lambda: has_leader(listener.recv(2000)), 20)
        controller.stranger_to, controller.broken = "00000000deadbeef", False
        answers_count_for_nothing(listener, "another fleet's, whatever it says", lambda: controller.refused)
        controller.stranger_to = None
        until("its own counts", lambda: has_leader(listener.recv(2000)), 20)
        controller.store = "00000000feedbeef"  # and the poll is not answered yet
        answers_count_for_nothing(listener, "one with another store", lambda: controller.reports)
    controller.close()
    bench.stop()
    bench.start()
    until("it reports to the other again", lambda: bench.get("/metrics") and bench.metric("holdfast_controller_connected") == 1)


def test_the_certificate_renews_itself(bench):
    def certify(request):
        with open(bench.dir + "/renewed.csr", "w") as file:
            file.write(request)
        shutil.copy(bench.dir + "/gw-a.ext", bench.dir + "/renewed.ext")
        bench.sign(bench.dir + "/renewed")
        return bench.text("renewed.pem")

    assert bench.stop() == 0
    bench.controller.certify = certify
    bench.make_old_certificate("gw-a", -30, 12)  # beyond two thirds
    old = {name: bench.text(name) for name in ("gw-a.pem", "gw-a.key")}
    before = time.time()
    bench.start()
    until("a certificate was asked for and has come", lambda: bench.text("gw-a.pem") != old["gw-a.pem"])
    until("the metric tells", lambda: (bench.metric("holdfast_certificate_end_seconds") or 0) > before + 47 * 3600)
    assert bench.text("gw-a.pem") == bench.text("renewed.pem")
    assert bench.text("gw-a.key") != old["gw-a.key"]
    assert os.stat(bench.dir + "/gw-a.key").st_mode & 0o777 == 0o600
    assert not [name for name in os.listdir(bench.dir) if name.endswith(".next")]
    assert bench.stop() == 0
    # One that cannot be renewed, since what came is of another key, is told; what works stays.
    bench.make_certificate("gateway", "gw-a")
    bench.controller.certify = lambda request: bench.text("gw-z.pem")
    bench.make_old_certificate("gw-a", -30, 6)
    kept = bench.text("gw-a.pem")
    bench.start()
    until("it is told", lambda: "could not be renewed" in bench.get("/readyz")[1])
    assert bench.text("gw-a.pem") == kept and not os.path.exists(bench.dir + "/gw-a.key.next")
    assert bench.stop() == 0


TESTS = [test_removed_while_it_could_not_be_reached, test_a_controller_by_name_is_beaten_to, test_the_certificate_renews_itself]


def main():
    """Each stands on what was done before it."""
    bench = Bench()
    bench.begin()
    run_all(TESTS, bench, log=bench.log)


main()
