#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what, and what the answers look like."""
import os
import ssl
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import Authority, fleet_text, main, until  # noqa: E402


def problem(answer, expected, needle=""):
    status, body = answer
    assert status == expected, answer
    assert body["status"] == expected and body["title"] and needle in body["detail"], answer


def test_roles(bench):
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    assert bench.call("GET", "/v1/status", who="dashboard")[0] == 200
    assert bench.call("HEAD", "/v1/status", who="dashboard")[0] == 200
    problem(bench.apply(fleet_text(), who="dashboard"), 403, "viewer")
    problem(bench.call("POST", "/v1/gateways/gw-a/drain", who="dashboard"), 403, "viewer")
    problem(bench.call("GET", "/v1/status", who="mallory"), 403, "mallory")
    problem(bench.call("GET", "/v1/status", who="gw-a"), 403, "gateway")
    problem(bench.call("GET", "/v1/agent/orders?boot=1", who="alice"), 403, "gateway")
    problem(bench.call_locally("GET", "/v1/agent/orders?boot=1"), 403)
    problem(bench.call("GET", "/v1/agent/orders?boot=1", who="gw-c"), 404, "gw-c")
    problem(bench.call("GET", "/v1/agent/orders?boot=zz", who="gw-a"), 400)
    assert bench.call_locally("GET", "/v1/status")[1]["generation"] == 1


def test_a_gateway_speaks_for_itself_only(bench):
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    impostor = bench.agent("gw-a", certificate="gw-b")
    problem(impostor.report(), 403, "gw-b")
    status, _ = bench.agent("gw-a").report()
    assert status == 204


def test_certificates(bench):
    bench.start()
    Authority(bench.directory, "other").issue("operator", "alice", file="forged")
    for who in (None, "forged"):
        try:
            answer = bench.call("GET", "/v1/status", who=who)
            raise AssertionError(f"{who} was answered: {answer}")
        except (ssl.SSLError, ConnectionError):
            pass
    assert bench.call("GET", "/v1/status")[0] == 200


def test_paths_and_bodies(bench):
    bench.start()
    problem(bench.call("GET", "/v1/fleet"), 404, "no fleet yet")
    problem(bench.call("GET", "/v1/nosuch"), 404)
    problem(bench.call("DELETE", "/v1/status"), 405)
    problem(bench.call("PUT", "/v1/fleet", {"file": 1}), 400, "files")
    assert bench.apply(fleet_text())[0] == 200
    problem(bench.call("POST", "/v1/endpoints/vpm/move", {"to": "gw-b"}), 404, "vpm")
    problem(bench.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-z"}), 404, "gw-z")
    problem(bench.call("POST", "/v1/endpoints/vpn/move", {}), 400, "to")
    problem(bench.call("POST", "/v1/endpoints/vpn", {"to": "gw-b"}), 404)
    problem(bench.call("POST", "/v1/gateways/gw-z/drain"), 404, "gw-z")
    problem(bench.call("POST", "/v1/gateways/gw-a/paint"), 404)
    problem(bench.call("GET", "/v1/events?after=x"), 400)
    problem(bench.call("GET", "/v1/events?wait=31"), 400)


def test_status_and_health(bench):
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    status = bench.status()
    assert status["fleet"] == "edge" and status["generation"] == 1 and len(status["hash"]) == 64
    assert status["controller"]["name"] == "ctl" and status["controller"]["term"] > 0
    assert [gateway["name"] for gateway in status["gateways"]] == ["gw-a", "gw-b"]
    gateway = status["gateways"][0]
    assert gateway["connected"] is False and gateway["fit"] is None and gateway["addresses"] == ["10.9.0.11"]
    endpoint = status["endpoints"][0]
    assert endpoint["name"] == "vpn" and endpoint["owner"] is None and endpoint["sessions"] == 0
    code, ready = bench.health("/readyz")
    assert code == 200 and "gw-a is not connected" in ready["warnings"], ready
    code, metrics = bench.health("/metrics")
    assert code == 200 and "holdfast_controller_generation 1\n" in metrics
    assert "holdfast_gateway_connected{gateway=\"gw-a\"} 0\n" in metrics
    for line in metrics.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ", "holdfast_", "process_")), line


def test_events_can_be_followed(bench):
    bench.start()
    newest = bench.events()[-1]["seq"]
    answers = []
    follower = threading.Thread(target=lambda: answers.append(
        bench.call("GET", f"/v1/events?after={newest}&wait=30", who="dashboard", timeout=40)))
    follower.start()
    assert bench.apply(fleet_text())[0] == 200
    follower.join(20)
    status, answer = answers[0]
    assert status == 200 and answer["events"][0]["event"] == "apply" and answer["events"][0]["generation"] == 1, answer
    assert answer["next"] == answer["events"][-1]["seq"] > newest
    assert bench.call("GET", "/v1/events?after=-1")[1]["events"][-1] == answer["events"][-1]
    # One who waits while the controller ends gets an end, not a hang.
    waiting = threading.Thread(target=lambda: answers.append(try_to_follow(bench, answer["next"])))
    waiting.start()
    until("the second follower waits", lambda: "holdfast_controller_connections 1\n" in bench.health("/metrics")[1])
    bench.stop()
    waiting.join(20)
    assert len(answers) == 2


def try_to_follow(bench, after):
    try:
        return bench.call("GET", f"/v1/events?after={after}&wait=30", timeout=40)
    except (OSError, Exception) as error:
        return error


main([test_roles, test_a_gateway_speaks_for_itself_only, test_certificates, test_paths_and_bodies, test_status_and_health,
      test_events_can_be_followed])
