#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""explain beside an agent: names of peers, a standby, the lease's fence. About 2 s."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "agent"))
sys.dont_write_bytecode = True
from bench import BIN, Bench, run, until  # noqa: E402

ADDRESS = "10.50.0.2"


def explain(bench, peer, socket=None):
    done = subprocess.run(["ip", "netns", "exec", bench.gateway, BIN + "/holdfast", "--controller",
                           "unix:" + (socket or bench.dir + "/run/agent.sock"), "explain", "--json", peer, ADDRESS],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode in (0, 1) and done.stdout and "Sanitizer" not in done.stderr, done.stderr
    answer = json.loads(done.stdout)
    steps = {finding["step"]: finding for finding in reversed(answer["findings"])}
    assert (done.returncode == 1) == ("first_no" in answer), answer
    return answer.get("first_no"), steps


def test_names(bench):
    first, steps = explain(bench, "bob")
    assert first == "peer" and "the agent knows no peer named bob" in steps["peer"]["text"], steps
    assert "`disabled`" in steps["peer"]["todo"], steps
    for peer in ("alice", bench.peer):
        assert explain(bench, peer)[1]["peer"]["text"] == f"alice, {bench.peer} on {bench.tunnel}"


def test_standby(bench):
    first, steps = explain(bench, "alice")
    assert first == "owner" and "this gateway is standby for vpn: its owner is elsewhere" in steps["owner"]["text"], steps
    assert "inet holdfast fence_out" in steps["outer-firewall"]["text"] and "lease" in steps["outer-firewall"]["todo"], steps
    first, steps = explain(bench, bench.peer, socket="/nosuch")  # nobody to ask: the kernel knows all the same
    assert first == "outer-firewall" and "inet holdfast fence_out" in steps["outer-firewall"]["text"], steps


def test_owner(bench):
    bench.serve()
    until("the client answers", lambda: explain(bench, "alice")[0] is None)
    first, steps = explain(bench, "alice")
    assert first is None and steps["owner"]["text"] == "vpn is serving here" and steps["handshake"]["says"] == "ok", steps


def main():
    if os.geteuid():
        sys.exit(77)
    bench = Bench()
    bench.start()
    bench.apply(bench.desired())
    client = bench.make_client()
    bench.order("gw-b")
    until("it stands by", lambda: bench.seat().get("role") == "standby")
    run("ip", "netns", "exec", bench.gateway, "wg", "set", bench.tunnel, "peer", bench.peer, "endpoint", "10.9.0.1:4711")
    for test in (test_names, test_standby, test_owner):
        print(test.__name__, flush=True)
        test(bench)
        if test is test_standby:
            run("ip", "netns", "exec", bench.router, "ping", "-c", "1", "-W", "0.1", "-I", client, "10.50.0.1", check=False)


main()
