#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/openapi.yaml is what the controller does: every path is walked, and every route is in it. 20 s, of
which a drill takes 10."""
import concurrent.futures
import contextlib
import os
import pathlib
import re
import sys

import jsonschema
import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import fleet_text, main, until  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENT = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
METHODS = ("get", "put", "post", "delete", "patch")


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations():
    return {(method, path): item[method] for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item}


def check_shape(schema, value, what):
    """The components come along, so that references inside of the schema are found."""
    validator = jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    errors = [f"{what}: {'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(value)]
    assert not errors, "\n".join(errors)


def schema_of(response, kind):
    return response.get("content", {}).get(kind, {}).get("schema")


class Walk:
    def __init__(self, bench):
        self.bench, self.seen = bench, set()

    def __call__(self, method, path, expected=200, body=None, who="alice", query="", headers=(), **names):
        """One request of a documented operation, and its answer, which must look as documented."""
        operation, what = operations()[method, path], f"{method} {path}"
        if expected < 400:
            self.seen.add((method, path))
            if body is not None:
                check_shape(resolve(operation["requestBody"])["content"]["application/json"]["schema"], body, what)
        status, answer = self.bench.call(method.upper(), path.format(**names) + query, body, who=who, headers=headers)
        assert status == expected, f"{what}: {status} {answer}"
        response = resolve(operation["responses"]["default" if status >= 400 else str(status)])
        kind = "application/problem+json" if status >= 400 else "application/json"
        schema = schema_of(response, kind)
        if schema:
            check_shape(schema, answer, what)
        else:
            assert answer == "", f"{what}: {answer}"
        return answer


def routes():
    """What the sources register: (method, path); a path that ends with / stands for all below."""
    found = set()
    for source in (ROOT / "controller/io").rglob("*.c"):
        for methods, path in re.findall(r'\.methods = ([A-Z_| ]+),\s*\.path = "([^"]+)"', source.read_text()):
            found |= {(method.strip().removeprefix("HTTP_").lower(), path) for method in methods.split("|")}
    return found


def check_that_every_route_is_documented():
    documented, found = set(operations()), routes()
    assert len(found) > 20, found
    for method, path in found:
        below = [named for other, named in documented if other == method and named.startswith(path)]
        assert (method, path) in documented or path.endswith("/") and below, f"{method} {path} is not in docs/openapi.yaml"
    for method, path in documented:
        assert any(other == method and (path == route or route.endswith("/") and path.startswith(route))
                   for other, route in found), f"{method} {path} is documented, and no route"


@contextlib.contextmanager
def aside(call):
    """It takes its time."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        called = pool.submit(call)
        yield
        called.result()


def answer_stage(walk, agent):
    """In its place: it prepares, and says nothing."""
    until(f"{agent.name} has prepared", lambda: getattr(agent, "answer", {}).get("generation") == 2)
    agent.refusal = None
    walk("post", "/v1/agent/staged", 204, body=agent.answer, who=agent.name)


def check_drill(walk):
    """On a busy machine gw-a may be late to take it: that is an answer, too."""
    answer = walk("post", "/v1/endpoints/{endpoint}/drill", body={"to": "gw-a"}, endpoint="vpn")
    assert answer["returned"] and [move["from"] for move in answer["moves"]] == ["gw-b", "gw-a"][:len(answer["moves"])], answer
    assert len(answer["moves"]) == 2 or answer["moves"][0]["failure"], answer


def what_moves_nothing(walk, csr):
    walk("get", "/v1/report", query="?event=vpn")
    walk("get", "/v1/report", 404, query="?event=vpm@1.1")
    secret = walk("post", "/v1/invitations", body={"gateway": "gw-c", "valid_ms": 60000})["secret"]
    walk("get", "/v1/invitations")
    walk("post", "/v1/join", 403, body={"secret": "0" * 64, "request": csr}, who=None)
    walk("post", "/v1/join", body={"secret": secret, "request": csr}, who=None)
    walk("post", "/v1/agent/certificate", body={"request": csr}, who="gw-a")
    walk("post", "/v1/revocations", body={"kind": "operator", "name": "mallory"})
    walk("get", "/v1/revocations")
    # Nobody else may: the same answer's shape everywhere.
    for method, path in operations():
        if path != "/v1/join":
            walk(method, path, 403, who="dashboard" if method != "get" and "/agent/" not in path else "mallory",
                 endpoint="vpn", gateway="gw-a", generation=1)


def test_every_path(bench):
    check_that_every_route_is_documented()
    bench.write_config(authority="{ certificate: ca.pem, key: ca.key }", fleet="fleet.yaml")
    (bench.directory / "fleet.yaml").write_text(fleet_text())
    bench.start()
    pair = bench.agent("gw-a").start(), bench.agent("gw-b").start()
    until("gw-a owns vpn", bench.settle)
    until("gw-b is ready", lambda: bench.endpoint()["ready"] == ["gw-b"])
    pair[1].refusal = "silence"
    walk, alice = Walk(bench), {"name": "fleet.yaml", "text": fleet_text()}
    csr = (bench.directory / "gw-a.csr").read_text()
    walk("get", "/v1/status", who="dashboard")
    walk("get", "/v1/sessions", query="?limit=10&peer=alice&gateway=gw-a&tunnel=wg0&virtual_endpoint=vpn")
    walk("get", "/v1/sessions", 404, query="?gateway=gw-z")
    walk("get", "/v1/fleet")
    with aside(lambda: walk("put", "/v1/fleet", body={"files": [{"name": "fleet.yaml", "text": fleet_text(peers=("alice", "bob"))}]},
                            query="?confirm_ms=60000", headers={"If-Match": '"1"'})):
        answer_stage(walk, pair[1])
    walk("get", "/v1/status")
    walk("put", "/v1/fleet", 412, body={"files": [alice]}, headers={"If-Match": '"1"'})
    walk("post", "/v1/confirm", body={"generation": 2})
    walk("post", "/v1/confirm", 409)
    walk("put", "/v1/fleet", 422, body={"files": [{"name": "fleet.yaml", "text": "fleet: 1\ngateway: 2\n"}]})
    walk("post", "/v1/rollback", body={"generation": 1})
    walk("post", "/v1/rollback", 404, body={"generation": 99})
    assert len(walk("get", "/v1/history", query="?limit=2")["generations"]) == 2
    walk("get", "/v1/history/{generation}", generation=2)
    walk("get", "/v1/history/{generation}", 404, generation=99)
    until("gw-b is ready again", lambda: bench.endpoint()["ready"] == ["gw-b"])
    walk("post", "/v1/endpoints/{endpoint}/move", body={"to": "gw-b"}, endpoint="vpn")
    walk("post", "/v1/endpoints/{endpoint}/move", 404, body={"to": "gw-z"}, endpoint="vpn")
    walk("post", "/v1/endpoints/{endpoint}/drill", 404, body={}, endpoint="vpm")
    until("gw-a is ready", lambda: bench.endpoint()["ready"] == ["gw-a"])
    with aside(lambda: check_drill(walk)):
        what_moves_nothing(walk, csr)
    until("gw-a is ready again", lambda: bench.endpoint()["ready"] == ["gw-a"])
    walk("post", "/v1/gateways/{gateway}/drain", gateway="gw-b")
    walk("post", "/v1/gateways/{gateway}/drain", 404, gateway="gw-z")
    walk("post", "/v1/gateways/{gateway}/resume", gateway="gw-b")
    assert walk("post", "/v1/freeze")["frozen"] and not walk("post", "/v1/thaw")["frozen"]
    for agent in pair:
        agent.stop()
    walk("get", "/v1/agent/orders", who="gw-a", query="?boot=1")  # answered when contact is taken up: a stage
    walk("get", "/v1/agent/orders", 400, who="gw-a", query="?boot=zz")
    agent = bench.agent("gw-a")
    assert agent.report()[0] == 204
    walk.seen |= {("post", "/v1/agent/report")}
    walk("post", "/v1/agent/report", 400, body={}, who="gw-a")
    walk("post", "/v1/agent/staged", 400, body={}, who="gw-a")
    assert walk("get", "/v1/events", query="?after=-5&wait=0")["events"]
    until("the audit is written", lambda: len(walk("get", "/v1/audit", query="?limit=5")["audit"]) == 5)
    left = set(operations()) - walk.seen
    assert not left, left


main([test_every_path])
