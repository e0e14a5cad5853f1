#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who comes with the wrong certificate, or with one that does not allow it, is refused, logged and counted."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import BIN, Authority, counted, fleet_text, main, metric, said, until  # noqa: E402


def fails_to_connect(bench, who):
    try:
        answer = bench.call("GET", "/v1/status", who=who)
        raise AssertionError(f"{who} was answered: {answer}")
    except (ssl.SSLError, ConnectionError):
        pass


def forbids(bench, line, detail, ask):
    """One answer, one line, one more in the counter."""
    with counted(bench, 'holdfast_api_replies_total{code="403"}', line):
        status, answer = ask()
        assert (status, answer["detail"]) == (403, detail), answer


def test_the_wrong_ones(bench):
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    Authority(bench.directory, "other").issue("operator", "alice", file="forged")
    bench.authority.issue("operator", "alice", file="expired", days=-1)
    for who, reason in ((None, "peer did not return a certificate"), ("expired", "certificate has expired"),
                        ("forged", "unable to get local issuer certificate")):
        with counted(bench, "holdfast_api_handshakes_refused_total", f'tls-refused from=SOMEWHERE reason="{reason}"'):
            fails_to_connect(bench, who)
    forbids(bench, "refused kind=gateway name=gw-a", 'gateway "gw-a" is not among the operators: of the controller\'s configuration',
            lambda: bench.call("GET", "/v1/status", who="gw-a"))
    forbids(bench, "refused kind=operator name=mallory", 'operator "mallory" is not among the operators: of the controller\'s configuration',
            lambda: bench.call("GET", "/v1/status", who="mallory"))
    forbids(bench, 'refused kind=operator name=dashboard why="a viewer, and this needs an admin" path=/v1/fleet',
            'operator "dashboard" is a viewer, this needs an admin',
            lambda: bench.apply(fleet_text(peers=("alice", "bob")), who="dashboard"))
    forbids(bench, 'refused kind=operator name=alice why="not a gateway"',
            "only a gateway's certificate (holdfast:gateway:NAME) may do this",
            lambda: bench.call("GET", "/v1/agent/orders?boot=1", who="alice"))
    forbids(bench, "refused gateway=gw-b speaks-for=gw-a", "the certificate is gateway gw-b's, the message gw-a's",
            lambda: bench.agent("gw-a", certificate="gw-b").report())
    assert bench.status()["generation"] == 1


def revoke(bench, *words):
    return bench.holdfast("revoke", *words)


def trail(bench):
    return {(row["what"], row["target"]) for row in bench.call_locally("GET", "/v1/audit")[1]["audit"]}


def test_revoked(bench):
    bench.write_config(authority="{ certificate: ca.pem, key: ca.key }", fleet="fleet.yaml",
                       operators="{ alice: admin, bob: admin, dashboard: viewer }")
    (bench.directory / "fleet.yaml").write_text(fleet_text())
    bench.start()
    agent = bench.agent("gw-b").start()
    until("gw-b is connected", lambda: bench.gateway("gw-b")["connected"])
    revoked = "holdfast_api_revoked_refused_total"
    # The one connection of the agent's that is open, with its held request, ends at once, and no other gets anywhere.
    with socket.create_connection(bench.listen) as plain, bench.client_context("gw-b").wrap_socket(plain) as idle:
        bench.holdfast("invite", "gw-b")
        assert "still in the fleet" in revoke(bench, "gateway", "gw-b")
        idle.settimeout(30)
        assert idle.recv(100) == b""
    until("gw-b is not connected", lambda: not bench.gateway("gw-b")["connected"])
    assert bench.call_locally("GET", "/v1/invitations")[1]["invitations"] == []
    agent.stop()
    # By its agent that tried again, or by this: one line for both.
    why = "this certificate has been revoked: another must be made for that name"
    status, answer = bench.call("GET", "/v1/agent/orders?boot=1", who="gw-b")
    assert (status, answer["detail"]) == (403, why), answer
    assert metric(bench, revoked) >= 1 and said(bench, f'refused kind=gateway name=gw-b from=SOMEWHERE why="{why}"') >= 1
    assert bench.call("POST", "/v1/agent/report", {}, who="gw-a")[0] == 400

    assert bench.call("POST", "/v1/revocations", {"kind": "operator", "name": "alice"})[0] == 409
    assert bench.call("POST", "/v1/revocations", {"kind": "controller", "name": "ctl"})[0] == 400
    assert bench.call("POST", "/v1/revocations", {"kind": "operator", "name": "alice"}, who="dashboard")[0] == 403
    assert json.loads(revoke(bench, "operator", "alice", "--json"))["name"] == "alice"
    until("whose they were is in the trail", lambda: {("revoke", "gateway gw-b"), ("revoke", "operator alice")} <= trail(bench))
    for again in range(2):
        assert bench.call("GET", "/v1/status")[0] == 403
        listed = bench.call_locally("GET", "/v1/revocations")[1]["revocations"]
        assert [(item["kind"], item["name"]) for item in listed] == [("gateway", "gw-b"), ("operator", "alice")]
        assert bench.call_locally("GET", "/v1/invitations")[1]["invitations"] == []      # nor does it come back
        bench.stop()
        bench.start()
    # Both come back with new certificates.
    until("a gateway of that name may join", lambda: join(bench, "gw-b"))
    assert bench.call("POST", "/v1/agent/report", {}, who="new/gw-b")[0] == 400
    until("a fresh certificate counts", lambda: fresh(bench) == 200)


def join(bench, name):
    """Not within the second in which it was revoked."""
    token = bench.holdfast("invite", name)
    done = subprocess.run([BIN / "holdfast", "join", "-", "--directory", bench.directory / "new", "--force"], input=token,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 or "revoked just now" in done.stderr, done
    return done.returncode == 0


def fresh(bench):
    (bench.directory / "new/alice.pem").unlink(missing_ok=True)
    (bench.directory / "new/alice.key").unlink(missing_ok=True)
    subprocess.run([BIN / "holdfast", "cert", "operator", "alice", "--dir", bench.directory, "--out", bench.directory / "new",
                    "--fresh"], check=True, capture_output=True)
    return bench.call("GET", "/v1/status", who="new/alice")[0]


def test_a_gateway_renews_its_own(bench):
    bench.write_config(authority="{ certificate: ca.pem, key: ca.key, days: 7 }")
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    request = (bench.directory / "gw-b.csr").read_text()
    for who, expected in (("gw-c", 404), ("alice", 403), ("dashboard", 403)):
        assert bench.call("POST", "/v1/agent/certificate", {"request": request}, who=who)[0] == expected, who
        assert f"name={who} why=" in bench.log.read_text()
    assert bench.call("POST", "/v1/agent/certificate", {"request": "x"}, who="gw-a")[0] == 400
    # Of the request, which is gw-b's, only the key counts: the certificate names who asks.
    status, answer = bench.call("POST", "/v1/agent/certificate", {"request": request}, who="gw-a")
    assert status == 200 and answer["gateway"] == "gw-a", answer
    (bench.directory / "renewed.pem").write_text(answer["certificate"])
    (bench.directory / "renewed.key").write_bytes((bench.directory / "gw-b.key").read_bytes())
    assert bench.agent("gw-a", certificate="renewed").report()[0] == 204
    assert bench.agent("gw-b", certificate="renewed").report()[0] == 403
    assert metric(bench, "holdfast_certificates_renewed_total") == 1
    end = metric(bench, 'holdfast_gateway_certificate_end_seconds{gateway="gw-a"}')
    assert 6.9 * 86400 < end - time.time() < 7.1 * 86400, end
    # One that is about to end is told to people.
    bench.authority.issue_dated("gateway", "gw-b", -9, 1)
    assert bench.agent("gw-b").report()[0] == 204
    assert any("gw-b: its certificate expires in" in warning for warning in bench.status()["warnings"]), bench.status()
    # A clock that stood at 1970 when the certificate was made is no reason to call it revoked.
    bench.authority.issue_dated("operator", "dashboard", -time.time() / 86400, 1)
    assert bench.call("GET", "/v1/status", who="dashboard")[0] == 200
    bench.stop()
    bench.write_config()
    bench.start()
    assert bench.call("POST", "/v1/agent/certificate", {"request": request}, who="gw-a")[0] == 409


def served_end(bench):
    """When the certificate ends that is shown, in days from now."""
    with socket.create_connection(bench.listen) as plain, bench.client_context("alice").wrap_socket(plain) as tls:
        return (ssl.cert_time_to_seconds(tls.getpeercert()["notAfter"]) - time.time()) / 86400


def warned(bench, needle):
    return any(needle in warning for warning in bench.status()["warnings"])


def test_the_controller_renews_its_own(bench):
    key = bench.directory / "ctl.key"
    bench.write_config(authority="{ certificate: ca.pem, key: ca.key, days: 7 }")
    # One that ended while nobody was there; half of a renewal of an earlier life is finished or dropped.
    bench.authority.issue_dated("controller", "ctl", -9, -1)
    (bench.directory / "ctl.key.next").write_text("half")
    old = key.read_text()
    bench.start()
    assert 6.9 < served_end(bench) < 7.1 and metric(bench, "holdfast_certificate_overdue") == 0
    assert key.read_text() != old and key.stat().st_mode & 0o777 == 0o600 and not list(bench.directory.glob("*.next"))
    # One that becomes due while it runs; what keeps it from being renewed is told, and tried again.
    (bench.directory / "ctl.key.next").mkdir()      # before it is due: it looks every 10 s
    (bench.directory / "ctl.key.next/x").touch()
    bench.authority.issue_dated("controller", "ctl", -9, 1)
    bench.process.send_signal(signal.SIGHUP)
    until("the failure is told", lambda: warned(bench, "ctl.pem: the certificate expires in 0 days, and could not be renewed"))
    assert metric(bench, "holdfast_certificate_overdue") == 1 and served_end(bench) < 1.1
    shutil.rmtree(bench.directory / "ctl.key.next")
    bench.process.send_signal(signal.SIGHUP)
    until("it is renewed", lambda: served_end(bench) > 6.9)
    assert not warned(bench, "ctl.pem") and bench.events(kind="renewed")
    # Of somebody else's authority it is not renewed, but told.
    bench.stop()
    bench.write_config()
    bench.authority.issue_dated("controller", "ctl", -9, 1)
    bench.authority.redate(-9, 1.5)
    kept = (bench.directory / "ctl.pem").read_text()
    bench.start()
    assert warned(bench, "ctl.pem: the certificate expires in 0 days, and nothing renews it")
    assert warned(bench, "ca.pem: the authority ends in 1 days") and metric(bench, "holdfast_certificate_overdue") == 1
    assert abs(metric(bench, "holdfast_authority_end_seconds") - time.time() - 1.5 * 86400) < 600
    assert (bench.directory / "ctl.pem").read_text() == kept


main([test_the_wrong_ones, test_revoked, test_a_gateway_renews_its_own, test_the_controller_renews_its_own])
