#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Generations: two phases, all or nothing, the difference only, and whoever was away gets what it lacks."""
import json
import os
import signal
import sys
import threading
import time
from itertools import islice

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import fleet_text, key_text, main, run, until  # noqa: E402
from talkers import PATIENCE_S, Talkers  # noqa: E402


def holds(agent, generation):
    until(f"{agent.name} holds {generation}", lambda: agent.generation == generation)


def test_a_newcomer_gets_what_it_lacks(bench):
    gw_a, gw_b = bench.start_pair()
    assert gw_a.generation == gw_b.generation == 1
    assert gw_a.instructions[:2] == ["stage", "commit"], gw_a.instructions
    assert bench.gateway("gw-a")["generation"] == 1 and bench.gateway("gw-a")["connected"]
    assert [peer["name"] for peer in gw_a.held["peers"]] == ["alice"]
    assert gw_a.held["tunnels"][0]["private_key_file"] == "wg0.key"
    assert gw_a.instructions.count("stage") == 1


def test_the_first_apply_finds_who_waits(bench):
    """Gateways that came before there was a fleet are asked like any other, and may refuse."""
    bench.start()
    gw_a, gw_b = bench.agent("gw-a").start(), bench.agent("gw-b").start()
    until("both wait", lambda: {gateway["name"] for gateway in bench.status()["gateways"] if gateway["connected"]} == {"gw-a", "gw-b"})
    gw_b.refusal = "/etc/holdfast/wg0.key: no such file"
    status, answer = bench.apply(fleet_text())
    assert status == 409 and answer["errors"] == ["gw-b: /etc/holdfast/wg0.key: no such file"], answer
    gw_b.refusal = None
    status, answer = bench.apply(fleet_text())
    assert status == 200 and [gateway["result"] for gateway in answer["gateways"]] == ["committed", "committed"], answer
    assert gw_a.generation == gw_b.generation == answer["generation"]


def test_a_change_reaches_everybody(bench):
    gw_a, gw_b = bench.start_pair()
    status, answer = bench.apply(fleet_text(peers=("alice", "bob")))
    assert status == 200 and answer["generation"] == 2 and answer["changed"], answer
    assert answer["gateways"] == [{"gateway": "gw-a", "result": "committed"}, {"gateway": "gw-b", "result": "committed"}]
    assert gw_a.generation == gw_b.generation == 2
    assert {peer["name"] for peer in gw_b.held["peers"]} == {"alice", "bob"}
    assert bench.owner() == "gw-a"
    status, answer = bench.apply(fleet_text(peers=("alice", "bob")))
    assert status == 200 and answer["generation"] == 2 and not answer["changed"], answer
    status, fleet = bench.call("GET", "/v1/fleet")
    assert fleet["generation"] == 2 and "bob" in fleet["files"][0]["text"] and fleet["applied_by"] == "operator alice"
    status, answer = bench.apply(fleet_text(peers=("bob",)))
    assert [peer["name"] for peer in gw_a.held["peers"]] == ["bob"]


def test_only_the_difference_travels(bench):
    gw_a, _ = bench.start_pair()
    seen = []
    patch = gw_a.patch
    gw_a.patch = lambda delta: seen.append(delta) or patch(delta)
    assert bench.apply(fleet_text(peers=("alice", "bob")))[0] == 200
    assert seen[0]["base"] == 1 and [peer["name"] for peer in seen[0]["to"]["peers"]] == ["bob"], seen


def test_a_refusal_changes_nothing(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.refusal = "/etc/holdfast/wg0.key: no such file"
    status, answer = bench.apply(fleet_text(peers=("alice", "bob")))
    assert status == 409 and answer["errors"] == ["gw-b: /etc/holdfast/wg0.key: no such file"], answer
    assert gw_a.generation == gw_b.generation == 1 and bench.status()["generation"] == 1
    assert bench.owner() == "gw-a"
    gw_b.refusal = None
    assert bench.apply(fleet_text(peers=("alice", "carol")))[0] == 200
    assert {peer["name"] for peer in gw_b.held["peers"]} == {"alice", "carol"}


def test_mistakes_are_all_told(bench):
    gw_a, _ = bench.start_pair()
    text = fleet_text().replace("listen_port", "listen_prot").replace("gw-b, ", "").replace("tunnels: [wg0]", "tunnels: [wg9]")
    status, answer = bench.apply(text)
    assert status == 422 and any("listen_prot" in line for line in answer["errors"]), answer
    assert any("wg9" in line for line in answer["errors"]), answer
    assert all(line.startswith("fleet.yaml:") for line in answer["errors"]), answer
    assert gw_a.instructions.count("stage") == 1 and bench.status()["generation"] == 1


def test_if_match(bench):
    bench.start()
    assert bench.apply(fleet_text(), headers={"If-Match": "\"0\""})[0] == 200
    status, answer = bench.apply(fleet_text(peers=()), headers={"If-Match": "\"7\""})
    assert status == 412 and "generation 1" in answer["detail"], answer
    assert bench.apply(fleet_text(peers=()), headers={"If-Match": "W/\"1\""})[0] == 412
    assert bench.apply(fleet_text(peers=()), headers={"If-Match": "\"1\""})[1]["generation"] == 2


def test_one_that_was_away_catches_up(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.stop()
    until("gw-b is gone", lambda: not bench.gateway("gw-b")["connected"])
    status, answer = bench.apply(fleet_text(peers=("alice", "bob")))
    assert status == 200 and answer["gateways"][1] == {"gateway": "gw-b", "result": "unreachable"}, answer
    again = bench.agent("gw-b").start()
    holds(again, 2)
    until("gw-b is ready", lambda: bench.endpoint()["ready"] == ["gw-b"])


def come_back(bench, gone, held):
    """The next life of a gateway that holds that, and the changes that it is sent."""
    again, seen = bench.agent(gone.name), []
    again.held, again.generation = held, gone.generation
    again.seats = {name: dict(seat, role="standby", permit_left_ms=0) for name, seat in gone.seats.items()}
    patch = again.patch
    again.patch = lambda delta: seen.append(delta) or patch(delta)
    return again.start(), seen


def test_one_that_was_away_gets_only_the_difference(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.stop()
    until("gw-b is gone", lambda: not bench.gateway("gw-b")["connected"])
    assert bench.apply(fleet_text(peers=("alice", "bob")))[0] == bench.apply(fleet_text(peers=("alice", "bob", "carol")))[0] == 200
    again, seen = come_back(bench, gw_b, gw_b.held)
    holds(again, 3)
    assert [delta["base"] for delta in seen] == [1], seen
    assert {peer["name"] for peer in seen[0]["to"]["peers"]} == {"bob", "carol"}, seen
    until("gw-b is not behind", lambda: not bench.gateway("gw-b")["behind"])
    # What it holds is not what the store knows of that number: then all of it.
    again.stop()
    until("gw-b is gone again", lambda: not bench.gateway("gw-b")["connected"])
    assert bench.apply(fleet_text(peers=("alice",)))[0] == 200
    last, seen = come_back(bench, again, dict(again.held, liveness_ms=77))
    holds(last, 4)
    assert [delta["base"] for delta in seen] == [0], seen


def test_one_that_refuses_when_it_comes_is_not_ready(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.stop()
    again = bench.agent("gw-b")
    again.refusal = "wg0.key: no such file"
    again.start()
    until("it says why", lambda: "wg0.key: no such file" in str(bench.endpoint()["standbys"]))
    assert "wg0.key: no such file" in bench.gateway("gw-b")["reasons"]
    assert any("gw-b refuses generation 1" in warning for warning in bench.health("/readyz")[1]["warnings"])


def test_nothing_moves_below_the_revocation_floor(bench):
    """It was away when a peer was removed, and cannot take the newest generation up."""
    gw_a, gw_b = bench.start_pair()
    assert bench.apply(fleet_text(peers=("alice", "bob")))[0] == 200 and bench.status()["floor"] == 0
    gw_b.stop()
    until("gw-b is gone", lambda: not bench.gateway("gw-b")["connected"])
    assert bench.apply(fleet_text(peers=("bob",)))[0] == 200 and bench.status()["floor"] == 3
    again = bench.agent("gw-b")
    again.held, again.generation, again.refusal = gw_b.held, gw_b.generation, "wg0.key: no such file"
    again.start()
    why = "gw-b holds generation 2, below the revocation floor 3"
    until("it says why", lambda: why in str(bench.endpoint()["standbys"]))
    status, answer = bench.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-b"})
    assert status == 409 and answer["detail"] == why, (status, answer)


def test_one_lost_while_preparing_fails_the_apply(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.refusal = "silence"
    answers = []
    thread = threading.Thread(target=lambda: answers.append(bench.apply(fleet_text(peers=("alice", "bob")))))
    thread.start()
    until("gw-b was asked", lambda: gw_b.instructions.count("stage") == 2)
    status, answer = bench.apply(fleet_text(peers=()))
    assert status == 409 and "under way" in answer["detail"], answer
    gw_b.stop()
    thread.join(20)
    status, answer = answers[0]
    assert status == 409 and answer["detail"].startswith("gw-b: the connection was lost"), answer
    assert bench.status()["generation"] == 1 and gw_a.generation == 1


def test_one_that_is_back_at_once_while_preparing_is_not_lost(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.refusal = "silence"
    answers = []
    thread = threading.Thread(target=lambda: answers.append(bench.apply(fleet_text(peers=("alice", "bob")))))
    thread.start()
    until("gw-b was asked", lambda: gw_b.instructions.count("stage") == 2)
    for name, agent in (("gw-a", gw_a), ("gw-b", gw_b)):
        until(f"{name} was lost", lambda: agent.lose_connections() or any(event["gateway"] == name for event in bench.events(kind="disconnected")))
        until(f"{name} is back", lambda: bench.gateway(name)["connected"])
    # The fleet file that somebody asks for meanwhile waits for the end of it.
    (bench.directory / "fleet.yaml").write_text(fleet_text(peers=("carol",)))
    bench.process.send_signal(signal.SIGHUP)
    until("that was heard", lambda: "operators-reloaded" in bench.log.read_text())
    assert not answers and bench.status()["apply"]["generation"] == 2, answers
    gw_b.refusal = None
    gw_b.tell_staged()
    thread.join(20)
    status, answer = answers[0]
    assert status == 200 and answer["generation"] == 2, answer
    for agent in (gw_a, gw_b):
        holds(agent, 3)
        assert [peer["name"] for peer in agent.held["peers"]] == ["carol"]
    assert bench.call("GET", "/v1/fleet")[1]["applied_by"] == "the fleet file, by SIGHUP"


def test_a_gateway_joins_and_leaves(bench):
    gw_a, gw_b = bench.start_pair()
    gw_c = bench.agent("gw-c").start()
    assert bench.apply(fleet_text(gateways=("gw-a", "gw-b", "gw-c")))[0] == 200
    holds(gw_c, 2)
    until("gw-c is ready", lambda: "gw-c" in bench.endpoint()["ready"])
    assert bench.apply(fleet_text(gateways=("gw-b", "gw-c")))[0] == 200
    until("vpn has left gw-a", lambda: bench.owner() in ("gw-b", "gw-c"))
    until("gw-a was told", lambda: not gw_a.serves("vpn"))
    assert "gw-a" not in [gateway["name"] for gateway in bench.status()["gateways"]]


def test_a_gateway_leaves_unreached(bench):
    """Its lease is waited for; and when it comes back, it is told that it is no gateway any more."""
    gw_a, gw_b = bench.start_pair()
    began = time.monotonic()
    gw_a.stop()
    until("the verdict", lambda: bench.gateway("gw-a")["verdict"] == "agent-down")
    assert bench.apply(fleet_text(gateways=("gw-b",)))[0] == 200
    endpoint = bench.endpoint()
    assert not endpoint.get("owner") and "gw-a has left the pool" in json.dumps(endpoint), endpoint
    until("gw-b serves", lambda: bench.owner() == "gw-b" and gw_b.serves("vpn"))
    assert next(order for order in gw_b.orders if order["owner"] == "gw-b")["at"] - began > 3.0
    status, problem = gw_a.call("GET", f"/v1/agent/orders?boot={gw_a.boot:016x}")
    assert status == 404 and problem["type"] == "urn:holdfast:problem:no-gateway", problem
    assert problem["store"] == gw_a.held["store"] and problem["gateway"] == "gw-a", problem


def test_many_peers(bench):
    gw_a, gw_b = bench.start_pair()
    peers = "".join(f"  p{i}: {{ public_key: \"{key_text(f'p{i}')}\", allowed_ips: [10.{60 + i // 65536}.{i // 256 % 256}.{i % 256}/32] }}\n"
                    for i in range(5000))
    status, answer = bench.apply(fleet_text() + peers)
    assert status == 200, answer
    assert len(gw_a.held["peers"]) == len(gw_b.held["peers"]) == 5001
    assert bench.owner() == "gw-a" and not bench.events(kind="orphan")


COUNTED, CHANGES_MAX = 3, 9
LARGE_B = 600      # larger than an answer to a report, or a commit; a stage is 2.5 KB
COUNTER = f"table inet load {{ chain out {{ type filter hook output priority 0; tcp sport 7443 meta length > {LARGE_B} counter; }}; }}"


def bytes_of_changes(bench, talkers, peers):
    """Of the stages that take one changed peer to every gateway, a figure for each change. One that did not come to every gateway at once,
    on a busy machine, says nothing."""
    for variant in range(1, CHANGES_MAX + 1):
        run("nft", "-f", "-", input=COUNTER)
        status, answer = bench.apply(talkers.fleet_text(peers, variant), timeout=PATIENCE_S)
        counter = run("nft", "list", "table", "inet", "load").split()
        run("nft", "delete", "table", "inet", "load")
        if status == 200 and {gateway["result"] for gateway in answer["gateways"]} == {"committed"}:
            yield int(counter[counter.index("bytes") + 1])
        until("every talker is there", lambda: talkers.hold(bench.status()["generation"]), PATIENCE_S)


def hold_a_fleet(bench, talkers, peers):
    status, answer = bench.apply(talkers.fleet_text(peers), timeout=PATIENCE_S)
    assert status == 200, answer
    until(f"all hold {peers} peers", lambda: talkers.hold(answer["generation"]), PATIENCE_S)


def test_one_changed_peer_costs_as_much_in_a_large_fleet(bench):
    """A segment that is sent again, or a gateway that had to connect anew, costs more: one change that costs as little is enough."""
    with Talkers(bench, 20) as talkers:
        bench.start()
        talkers.start()
        hold_a_fleet(bench, talkers, 100)
        small = min(islice(bytes_of_changes(bench, talkers, 100), COUNTED))
        hold_a_fleet(bench, talkers, 3000)
        large = []
        for figure in bytes_of_changes(bench, talkers, 3000):
            large.append(figure)
            if figure <= small * 1.05:
                break
        print(f"        one changed peer, 20 gateways: {small} bytes with 100 peers, {large} with 3000", flush=True)
        assert small > 20 * LARGE_B and min(large) <= small * 1.05


main([test_a_newcomer_gets_what_it_lacks, test_the_first_apply_finds_who_waits, test_a_change_reaches_everybody, test_only_the_difference_travels,
      test_a_refusal_changes_nothing, test_mistakes_are_all_told, test_if_match, test_one_that_was_away_catches_up, test_one_that_was_away_gets_only_the_difference,
      test_one_that_refuses_when_it_comes_is_not_ready, test_nothing_moves_below_the_revocation_floor, test_one_lost_while_preparing_fails_the_apply,
      test_one_that_is_back_at_once_while_preparing_is_not_lost,
      test_a_gateway_joins_and_leaves, test_a_gateway_leaves_unreached, test_many_peers,
      test_one_changed_peer_costs_as_much_in_a_large_fleet])
