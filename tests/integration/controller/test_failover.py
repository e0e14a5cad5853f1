#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""From a gateway's end to the order at another; planned moves; drains; sessions for the standby."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from agent import key_of  # noqa: E402
from bench import key_text, main, until  # noqa: E402


def moved_to(agent, cause):
    order = until(f"an order for {agent.name}", lambda: next(
        (order for order in agent.orders if order["owner"] == agent.name and order["cause"] == cause), None))
    until(f"{agent.name} serves", lambda: agent.serves("vpn"))
    return order


def test_power(bench):
    gw_a, gw_b = bench.start_pair()
    before = key_of(bench.endpoint()["epoch"])
    began = time.monotonic()
    gw_a.lose_power()
    order = moved_to(gw_b, "host-dead")
    gap_ms = (order["at"] - began) * 1000
    assert gap_ms < 2900 and 100 <= order["detect_ms"] < 2900, (gap_ms, order)  # less than a lease, on a busy machine too
    assert key_of(order["epoch"]) > before and order["from"] == "gw-a"
    until("gw-b owns it", lambda: bench.owner() == "gw-b")
    endpoint = bench.endpoint()
    assert endpoint["cause"] == "host-dead" and endpoint["lease_left_ms"] > 0 and not endpoint["ready"], endpoint
    assert bench.gateway("gw-a")["verdict"] == "dead"
    event = until("the result is told", lambda: next(
        (event for event in bench.events(kind="takeover") if event["to"] == "gw-b"), None))
    assert event["cause"] == "host-dead" and event["from"] == "gw-a" and event["detect_ms"] == order["detect_ms"], event
    assert (event["sessions"], event["back"], event["took_ms"], event["first_ms"]) == (2, 2, 9, 5), event
    assert f"takeover endpoint=vpn epoch={order['epoch']} from=gw-a to=gw-b cause=host-dead" in bench.log.read_text()
    print(f"        order on the wire {gap_ms:.0f} ms after the power was cut", flush=True)


def test_gateways_of_a_newer_version(bench):
    """While a fleet is upgraded: what they say beyond what is known is passed over, the rest counts. About 2 s."""
    gw_a, gw_b = bench.start_pair()
    gw_a.newer = gw_b.newer = True
    time.sleep(0.5)                      # so long they are heard like that only
    assert bench.gateway("gw-a")["verdict"] == "alive" and bench.endpoint()["ready"] == ["gw-b"], bench.status()
    gw_a.lose_power()
    moved_to(gw_b, "host-dead")
    until("the result is told", lambda: [event for event in bench.events(kind="takeover") if event["to"] == "gw-b"])
    assert "bad-message" not in bench.log.read_text()


def test_a_killed_agent_keeps_its_lease(bench):
    bench.start_pair()
    gw_a, gw_b = bench.agents
    began = time.monotonic()
    gw_a.stop()
    until("the verdict", lambda: bench.gateway("gw-a")["verdict"] == "agent-down")
    assert bench.endpoint()["owner"] == "gw-a"
    order = moved_to(gw_b, "agent-down")
    assert order["at"] - began > 3.0, order


def test_a_restarted_agent_moves_nothing(bench):
    gw_a, gw_b = bench.start_pair()
    epoch = bench.endpoint()["epoch"]
    gw_a.stop()
    again = bench.agent("gw-a")
    again.held, again.generation, again.seats = gw_a.held, gw_a.generation, gw_a.seats
    again.start()
    until("it is back", lambda: "order" in again.instructions and bench.gateway("gw-a")["verdict"] == "alive")
    assert bench.owner() == "gw-a" and bench.endpoint()["epoch"] == epoch
    assert "stage" not in again.instructions, again.instructions


def test_fenced(bench):
    gw_a, gw_b = bench.start_pair()
    with gw_a.changed:
        gw_a.seats["vpn"].update(role="fenced", permit_left_ms=0)
    moved_to(gw_b, "fenced")


def test_move(bench):
    gw_a, gw_b = bench.start_pair()
    status, answer = bench.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-b"})
    assert status == 200 and answer["owner"] == "gw-b" and answer["from"] == "gw-a" and answer["took_ms"] < 5000, answer
    assert gw_b.serves("vpn") and not gw_a.serves("vpn")
    releases = [order for order in gw_a.orders if order["owner"] == ""]
    assert len(releases) >= 1 and key_of(releases[0]["epoch"]) < key_of(answer["epoch"])
    status, answer = bench.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-b"})
    assert status == 200 and answer["took_ms"] == 0, answer
    gw_a.fit, gw_a.reasons = False, ["no carrier on eth0"]
    until("gw-a is unfit", lambda: not bench.endpoint()["ready"])
    status, answer = bench.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-a"})
    assert status == 409 and "no carrier on eth0" in answer["detail"], answer


def test_drain_and_resume(bench):
    gw_a, gw_b = bench.start_pair()
    status, answer = bench.call("POST", "/v1/gateways/gw-a/drain")
    assert status == 200 and answer == {"gateway": "gw-a", "drained": True,
                                        "endpoints": [{"endpoint": "vpn", "owner": "gw-b"}]}, answer
    assert bench.gateway("gw-a")["drained"] and "drained" in str(bench.endpoint()["standbys"])
    status, answer = bench.call("POST", "/v1/gateways/gw-b/drain")
    assert status == 409 and "vpn" in answer["detail"], answer
    assert bench.call("POST", "/v1/gateways/gw-b/resume")[0] == 200
    assert bench.call("POST", "/v1/gateways/gw-a/resume")[1] == {"gateway": "gw-a", "drained": False, "endpoints": []}
    until("gw-a could have it", lambda: bench.endpoint()["ready"] == ["gw-a"])
    assert {"drain", "resume"} <= {event["event"] for event in bench.events()}


def test_freeze(bench):
    gw_a, gw_b = bench.start_pair()
    assert "until 'holdfast thaw'" in bench.holdfast("freeze")
    assert bench.call("POST", "/v1/freeze")[1] == {"frozen": True}
    gw_a.lose_power()
    until("the death is known", lambda: bench.gateway("gw-a")["verdict"] == "dead")
    until("it is frozen", lambda: bench.endpoint()["state"] == "frozen")
    assert not gw_b.serves("vpn")
    assert "thawed" in bench.holdfast("thaw")
    until("gw-b serves", lambda: gw_b.serves("vpn"))
    assert bench.call("POST", "/v1/thaw")[1] == {"frozen": False}


def test_a_clock_that_is_ahead(bench):
    """It would poison the clients for everybody else: it does not take over."""
    _, gw_b = bench.start_pair()
    gw_b.ahead_ms = 60000
    until("it is not ready", lambda: "gw-b" not in bench.endpoint()["ready"])
    assert "its clock is 60 s ahead of gw-a's" in str(bench.endpoint()["standbys"]) or \
        "its clock is 59 s ahead of gw-a's" in str(bench.endpoint()["standbys"]), bench.endpoint()
    gw_b.ahead_ms = 3000
    until("it is ready", lambda: "gw-b" in bench.endpoint()["ready"])


def test_sessions_reach_the_standby(bench):
    gw_a, gw_b = bench.start_pair()
    session = dict(tunnel="wg0", public_key=key_text("alice"), endpoint="192.0.2.7:4500", age_ms=1000)
    with gw_a.changed:
        gw_a.sessions = [session]
    until("gw-b knows", lambda: gw_b.sessions_heard.get(key_text("alice")) == "192.0.2.7:4500")
    assert bench.endpoint()["sessions"] == 1
    with gw_a.changed:
        gw_a.sessions = [dict(session, endpoint="192.0.2.8:4500")]
    until("gw-b knows where it went", lambda: gw_b.sessions_heard[key_text("alice")] == "192.0.2.8:4500")
    assert not gw_a.sessions_heard
    late = bench.agent("gw-b")
    gw_b.stop()
    late.start()
    until("a newcomer is told", lambda: late.sessions_heard.get(key_text("alice")) == "192.0.2.8:4500")


def test_a_standby_that_was_away_hears_what_it_missed(bench):
    """The same life of it, and the same generation; about 8 s."""
    gw_a, gw_b = bench.start_pair()
    gw_b.lose_power()
    until("gw-b is missed", lambda: not bench.gateway("gw-b")["connected"])
    with gw_a.changed:
        gw_a.sessions = [dict(tunnel="wg0", public_key=key_text("alice"), endpoint="192.0.2.7:4500", age_ms=1000)]
    until("the controller knows", lambda: bench.endpoint()["sessions"] == 1)
    with gw_a.changed:
        gw_a.sessions, gw_a.sessions_whole = [], False       # as an agent does: what has not changed is told once
    assert not gw_b.sessions_heard
    bench.add_address(gw_b.address)
    gw_b.silent = False
    until("gw-b knows", lambda: gw_b.sessions_heard.get(key_text("alice")) == "192.0.2.7:4500")
    until("gw-b is ready", lambda: bench.endpoint()["ready"] == ["gw-b"])


def test_nobody_left(bench):
    gw_a, gw_b = bench.start_pair()
    gw_b.fit, gw_b.reasons = False, ["no carrier on eth0"]
    until("gw-b is unfit", lambda: not bench.endpoint()["ready"])
    assert any("nobody could take over vpn" in warning for warning in bench.health("/readyz")[1]["warnings"])
    gw_a.lose_power()
    event = until("the orphan is told", lambda: next(iter(bench.events(kind="orphan")), None))
    assert event["endpoint"] == "vpn" and "no carrier on eth0" in event["text"], event
    assert bench.endpoint()["state"] == "orphan"
    assert any("vpn has no owner" in warning for warning in bench.health("/readyz")[1]["warnings"])
    gw_b.fit, gw_b.reasons = True, []
    until("gw-b serves", lambda: gw_b.serves("vpn"))


main([test_power, test_gateways_of_a_newer_version, test_a_killed_agent_keeps_its_lease, test_a_restarted_agent_moves_nothing, test_fenced, test_move,
      test_drain_and_resume, test_freeze, test_a_clock_that_is_ahead, test_sessions_reach_the_standby,
      test_a_standby_that_was_away_hears_what_it_missed, test_nobody_left])
