#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A controller that dies and comes back is the same one, in a higher term, and moves nothing."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import fleet_text, main, until  # noqa: E402


def test_same_store_higher_term(bench):
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    before = bench.status()
    bench.stop()
    bench.start()
    after = bench.status()
    assert after["controller"]["store"] == before["controller"]["store"]
    assert after["controller"]["term"] > before["controller"]["term"]
    assert (after["generation"], after["hash"], after["fleet"]) == (1, before["hash"], "edge")
    kinds = [event["event"] for event in bench.events()]
    assert kinds.count("start") == 2 and "apply" in kinds, kinds
    bench.stop()


def test_killed_and_back(bench):
    gw_a, gw_b = bench.start_pair()
    assert bench.call("POST", "/v1/gateways/gw-b/drain")[0] == 200
    before = bench.endpoint()
    orders = len([order for order in gw_a.orders if order["owner"] != "gw-a"])
    bench.stop(signal.SIGKILL)
    assert gw_a.serves("vpn")
    bench.start()
    until("gw-a is adopted", lambda: bench.owner() == "gw-a")
    after = bench.endpoint()
    assert after["epoch"] == before["epoch"], (before, after)
    assert gw_a.serves("vpn") and not gw_b.serves("vpn")
    assert len([order for order in gw_a.orders if order["owner"] != "gw-a"]) == orders
    until("gw-b is known", lambda: bench.gateway("gw-b")["connected"])
    assert bench.gateway("gw-b")["drained"]
    assert bench.call("POST", "/v1/gateways/gw-b/resume")[0] == 200
    until("gw-b is ready", lambda: bench.endpoint()["ready"] == ["gw-b"])
    gw_a.lose_power()
    until("gw-b serves", lambda: gw_b.serves("vpn"))


def test_who_let_go_unheard(bench):
    """The owner fences itself while there is no controller, and the one that comes back does not hear it. About 3 s."""
    gw_a, gw_b = bench.start_pair()
    assert bench.apply(fleet_text(lease="60s"))[0] == 200      # which is not waited for
    fenced = dict(gw_a.seats["vpn"], role="fenced", permit_left_ms=0)
    bench.stop()
    gw_a.stop()
    bench.start()
    until("gw-a is waited for", lambda: bench.endpoint()["why"] == "waiting for a word from gw-a, or of its death")
    with gw_b.changed:
        gw_b.told = [dict(gateway="gw-a", seat=dict(fenced, role="serving"))]
    told = gw_b.reports
    until("that it serves is told", lambda: gw_b.reports > told + 1)
    assert not gw_b.serves("vpn") and bench.endpoint()["state"] == "recovering", bench.endpoint()
    with gw_b.changed:
        gw_b.told = [dict(gateway="gw-a", seat=fenced)]
    until("gw-b serves", lambda: gw_b.serves("vpn") and bench.owner() == "gw-b")


def test_an_old_database(bench):
    """Restored from a backup: its term is lower than what gateways have seen, and still its orders are taken."""
    gw_a, gw_b = bench.start_pair()
    high = 4000000000
    with gw_a.changed:
        gw_a.seats["vpn"].update(epoch=f"{high}.5", highest=f"{high}.5")
    until("the higher term is topped", lambda: bench.status()["controller"]["term"] > high)
    bench.stop()
    database = sqlite3.connect(bench.directory / "state/controller.db")
    assert database.execute("SELECT term FROM identity").fetchone()[0] > high
    database.execute("UPDATE identity SET term = 7")
    database.commit()
    database.close()
    bench.start()
    until("gw-a is adopted", lambda: bench.owner() == "gw-a" and bench.status()["controller"]["term"] > high)
    gw_a.lose_power()
    until("gw-b serves", lambda: gw_b.serves("vpn"))


def test_a_database_from_before_a_revocation(bench):
    """The gateways know better: they keep what they have, and what is applied next is above it."""
    gw_a, gw_b = bench.start_pair()
    database = bench.directory / "state/controller.db"
    bench.stop()
    shutil.copy(database, bench.directory / "backup.db")
    bench.start()
    until("both are back", lambda: bench.owner() == "gw-a" and bench.endpoint()["ready"] == ["gw-b"])
    assert bench.apply(fleet_text(peers=("bob",)))[1]["generation"] == 2 and bench.status()["floor"] == 2
    until("they have heard of the floor", lambda: gw_a.floor == gw_b.floor == 2)
    bench.stop()
    for file in (bench.directory / "state").glob("controller.db*"):
        file.unlink()
    shutil.copy(bench.directory / "backup.db", database)
    bench.start()
    until("it learns of the floor", lambda: bench.status()["floor"] == 2)
    until("gw-a is adopted", lambda: bench.owner() == "gw-a")
    until("gw-b could take over", lambda: bench.endpoint()["standbys"][0]["could"])
    assert bench.status()["generation"] == 1 and any("below the revocation floor 2" in line for line in bench.status()["warnings"])
    assert any("is an old one" in event["text"] for event in bench.events(kind="alarm"))
    assert gw_a.generation == gw_b.generation == 2, "somebody was taken back"
    answer = bench.apply(fleet_text(peers=("bob",)))[1]
    assert answer["generation"] == 3 and bench.status()["floor"] == 3, answer
    assert gw_a.generation == gw_b.generation == 3
    bench.stop()
    bench.start()
    assert bench.status()["floor"] == 3 and bench.status()["generation"] == 3


def probed_fleet(probe):
    """A probe below .16 is answered by bob, not by alice."""
    text = fleet_text(peers=("alice", "bob")).replace(
        "[10.50.0.2/32]", f"[10.50.0.2/32, {{ prefix: 192.168.77.0/24, probe: {probe} }}]")
    return text.replace("[10.50.0.3/32]", "[10.50.0.3/32, 192.168.77.0/28]")


def test_a_fleet_that_a_newer_check_refuses(bench):
    """It was right when it was applied: it stays in force, and what is wrong with it is told until it is corrected. 3 s."""
    gw_a, _ = bench.start_pair()
    right, wrong = probed_fleet("192.168.77.100"), probed_fleet("192.168.77.1")
    wrong = wrong.replace("192.168.77.0/28", "{ prefix: 192.168.77.0/28, probe: 192.0.2.9 }")
    assert bench.apply(right)[0] == 200
    bench.stop()
    with contextlib.closing(sqlite3.connect(bench.directory / "state/controller.db")) as database, database:
        bundle, = database.execute("SELECT bundle FROM generations WHERE number = 2").fetchone()
        files = json.loads(bundle)
        assert files["files"][0]["text"] == right, files
        files["files"][0]["text"] = wrong
        database.execute("UPDATE generations SET bundle = ? WHERE number = 2", (json.dumps(files),))
    needle = "fleet.yaml:18:134: probe: 192.168.77.1 of peer alice"
    for _ in range(2):      # what it compiles to is new to the first, and known to the second
        since = len(bench.log.read_text())
        bench.start()
        assert bench.status()["generation"] == 3
        assert any(f"an apply of the fleet in force would be refused (the log has more): {needle}" in line for line in bench.status()["warnings"])
        for mistake in needle, "fleet.yaml:19:132: probe: 192.0.2.9 is in no allowed_ips of peer bob":
            assert f"an apply of it would be refused: {mistake}" in bench.log.read_text()[since:]
        until("gw-a serves", lambda: bench.owner() == "gw-a" and gw_a.serves("vpn") and gw_a.generation == 3)
        bench.stop()
    bench.start()
    status, answer = bench.apply(wrong.replace("bob", "carol"))
    assert status == 422 and any(needle in line for line in answer["errors"]), answer
    until("both are back", lambda: all(bench.gateway(name)["connected"] for name in ("gw-a", "gw-b")))
    assert bench.apply(right)[0] == 200
    assert not any("refused" in line for line in bench.status()["warnings"]), bench.status()["warnings"]
    # Back to it, also by a rollback: whoever needs that has no time to correct it first.
    status, answer = bench.call("POST", "/v1/rollback", {"generation": 3})
    assert status == 200 and any(needle in line for line in answer["warnings"]), answer
    bench.stop()


main([test_same_store_higher_term, test_killed_and_back, test_who_let_go_unheard, test_an_old_database, test_a_database_from_before_a_revocation,
      test_a_fleet_that_a_newer_check_refuses])
