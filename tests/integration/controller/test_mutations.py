#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hundreds of broken fleet files, applied to a running controller with three gateways. Each is refused, and nothing has changed, or it is a whole
new generation that every gateway of it holds. Now and then one of the gateways cannot take it: then none has it. APPLY_MUTATIONS says how many
(300), FLEET_SEED begins elsewhere (1); what fails names both, and the file. About 12 s."""
import http.client
import json
import os
import sys
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import main, until  # noqa: E402
from mutation import RIGHT, Mutations  # noqa: E402

COUNT, SEED = (int(os.environ.get(name, default)) for name, default in (("APPLY_MUTATIONS", 300), ("FLEET_SEED", 1)))
GATEWAYS = ("gw-a", "gw-b", "gw-c")
LONGEST_S = 60       # an apply, on a busy machine
REFUSES_EVERY = 3    # files
WHY = "/etc/holdfast/wg0.key: no such file"


class Operator:
    """One who stays connected."""

    def __init__(self, bench):
        self._connection = http.client.HTTPSConnection(*bench.listen, context=bench.client_context("alice"), timeout=LONGEST_S)

    def ask(self, method, path, body=None):
        """Status, kind of content, and what was answered."""
        self._connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        return response.status, response.headers.get("Content-Type"), json.loads(text)

    def fleet(self):
        status, _, fleet = self.ask("GET", "/v1/fleet")
        assert status == 200, fleet
        return fleet

    def apply(self, text):
        return self.ask("PUT", "/v1/fleet", {"files": [{"name": "fleet.yaml", "text": text}]})


def holdings(agents):
    return {agent.name: (agent.generation, agent.hash()) for agent in agents}


def is_held(bench, agents, generation):
    """By every agent that is in the fleet, whole: the controller compares hashes with it."""
    gateways = {gateway["name"]: gateway for gateway in bench.status()["gateways"]}
    members = [agent for agent in agents if agent.name in gateways]
    return all(agent.generation == generation for agent in members) and all(
        gateways[agent.name]["connected"] and gateways[agent.name]["generation"] == generation and not gateways[agent.name]["behind"]
        for agent in members)


def check_refused(answered, before, after):
    status, kind, problem = answered
    assert 400 <= status < 500 and kind == "application/problem+json", answered
    assert problem["status"] == status and problem["type"] and problem["title"] and (problem.get("detail") or problem.get("errors")), problem
    assert after == before, f"it was refused, and this is not as it was: {before} -> {after}"


def check_applied(bench, agents, answer, text, before, fleet):
    """`fleet` is what is in force now; whoever was asked and said yes has it already, others get it when they come."""
    (old, held), number = before, answer["generation"]
    assert number == fleet["generation"] and answer["hash"] == fleet["hash"], answer
    assert number > old["generation"] if answer["changed"] else number == old["generation"], answer     # one that failed may have had the next
    assert fleet["files"][0]["text"] == text if answer["changed"] else fleet["hash"] == old["hash"], fleet
    results = {gateway["gateway"]: gateway["result"] for gateway in answer["gateways"]}
    for agent in agents:
        if results.get(agent.name) == "committed":
            assert agent.generation == number, f"{agent.name} has committed, and holds {agent.generation}"
        elif agent.name not in results and answer["changed"]:
            assert (agent.generation, agent.hash()) == held[agent.name], f"{agent.name} has left the fleet, and was changed"
    until(f"all hold {number}", lambda: is_held(bench, agents, number), LONGEST_S)


def apply(operator, text, refuser):
    """What was answered; this gateway, if any, says no if it is asked, and whether it was."""
    if not refuser:
        return operator.apply(text), False
    asked, refuser.refusal = refuser.instructions.count("stage"), WHY
    answered = operator.apply(text)
    refuser.refusal = None
    return answered, refuser.instructions.count("stage") > asked


def try_one(bench, operator, agents, text, before, refuser):
    """What is in force now, and held; and what became of it."""
    answered, was_asked = apply(operator, text, refuser)
    assert bench.process.poll() is None, "the controller has ended"
    fleet = operator.fleet()
    assert not was_asked or answered[0] == 409, f"{refuser.name} has refused it: {answered}"
    if answered[0] != 200:
        check_refused(answered, before, (fleet, holdings(agents)))
        return before, "not by a gateway" if was_asked else "refused"
    check_applied(bench, agents, answered[2], text, before, fleet)
    return (fleet, holdings(agents)), "taken"


def start(bench, operator):
    """All gateways hold a first fleet."""
    agents = [bench.agent(name).start() for name in GATEWAYS]
    until("all wait", lambda: sum(gateway["connected"] for gateway in bench.status()["gateways"]) == len(agents))
    status, _, answer = operator.apply((RIGHT / "three-gateways.yaml").read_text())
    assert status == 200, answer
    until("all hold it", lambda: is_held(bench, agents, 1))
    return agents


def test_whatever_is_broken_is_refused_whole_or_taken_whole(bench):
    print(f"        APPLY_MUTATIONS={COUNT} FLEET_SEED={SEED}", flush=True)
    bench.start()
    operator, mutations, ends = Operator(bench), Mutations(SEED), Counter()
    agents = start(bench, operator)
    before = operator.fleet(), holdings(agents)
    for number in range(1, COUNT + 1):
        text, refuser = mutations.next(), mutations.pick(agents) if number % REFUSES_EVERY == 0 else None
        try:
            before, end = try_one(bench, operator, agents, text, before, refuser)
        except Exception as error:
            raise AssertionError(f"APPLY_MUTATIONS={number} FLEET_SEED={SEED}: {error}\n-- of --\n{ascii(text)}") from error
        ends[end] += 1
    print(f"        of {COUNT} files {ends['refused']} were refused, {ends['not by a gateway']} no gateway has since one of them said no, "
          f"{ends['taken']} were taken", flush=True)
    assert COUNT < 100 or min(ends["refused"], ends["taken"]) > COUNT / 100, "either all or none: that says nothing"
    # The store is as whole.
    bench.stop()
    bench.start()
    assert Operator(bench).fleet() == before[0]
    until("all hold it after a restart", lambda: is_held(bench, agents, before[0]["generation"]), LONGEST_S)
    assert holdings(agents) == before[1]


if __name__ == "__main__":
    main([test_whatever_is_broken_is_refused_whole_or_taken_whole])
