#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong at a start: one line that names what and where, and exit 1. What is right: ready, and gone without a trace."""
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
from bench import BIN, Authority, fleet_text, key_text, main, until  # noqa: E402


def refused(bench, *needles):
    status, line = bench.start_wrongly()
    assert status == 1, f"{status}: {line}"
    assert len(line.splitlines()) == 1 and all(needle in line for needle in needles), f"{needles} not in: {line}"
    assert "Sanitizer" not in line, line


def test_usage(bench):
    def ends(status, needle, *arguments):
        done = subprocess.run([BIN / "holdfast-controller", *arguments], capture_output=True, text=True)
        assert done.returncode == status and needle in done.stdout + done.stderr, done

    ends(0, "Usage: holdfast-controller --config FILE", "--help")
    ends(0, "holdfast-controller 0.", "--version")
    ends(2, "needs --config FILE")
    ends(2, "--help", "--confg", "x")
    ends(2, "nothing else", "--config", "a", "b")
    ends(1, "/nosuch.yaml", "--config", "/nosuch.yaml")


def test_configuration(bench):
    bench.write_config(extra="lisen: 1\n")
    refused(bench, "controller.yaml:8:1: unknown key \"lisen\"; did you mean \"listen\"?")
    bench.write_config(store="etcd:https://10.8.0.31:2379")
    refused(bench, "controller.yaml:", "etcd is not there yet")
    bench.write_config(log="loud")
    refused(bench, "controller.yaml", "loud")


def test_certificates(bench):
    tls = "{{ ca: ca.pem, certificate: {0}.pem, key: {0}.key }}"
    bench.write_config(tls=tls.format("nosuch"))
    refused(bench, "nosuch.pem")
    bench.write_config(tls="{ ca: ca.pem, certificate: ctl.pem, key: gw-a.key }")
    refused(bench, "gw-a.key")
    bench.write_config(tls=tls.format("gw-a"))
    refused(bench, "gw-a.pem", "gateway \"gw-a\"", "not of a controller")
    Authority(bench.directory, "other").issue("controller", "ctl", file="foreign")
    bench.write_config(tls=tls.format("foreign"))
    refused(bench, "foreign.pem")


def test_fleet_file(bench):
    bench.write_config(fleet="fleet.yaml")
    refused(bench, "fleet.yaml")
    (bench.directory / "fleet.yaml").write_text(fleet_text().replace("listen_port", "listen_prot"))
    refused(bench, "fleet.yaml:13:5: missing \"listen_port\" (and 1 more: 'holdfast validate' shows all)")
    (bench.directory / "fleet.yaml").write_text(fleet_text())
    bench.start()
    assert bench.status()["generation"] == 1


def test_places_that_are_taken(bench):
    with socket.create_server(("10.8.0.20", 7443)):
        refused(bench, "10.8.0.20:7443", "in use")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("10.8.0.20", 7443))
        refused(bench, "10.8.0.20", "7443", "in use")
    with socket.create_server(("127.0.0.1", 9580)):
        refused(bench, "127.0.0.1:9580", "in use")
    bench.write_config(listen="10.8.0.99:7443")
    refused(bench, "10.8.0.99")
    bench.write_config(state="ca.pem/state", store="sqlite:ca.pem/state/controller.db")
    refused(bench, "ca.pem", "not a directory")
    bench.write_config(store="sqlite:ca.key")
    refused(bench, "ca.key", "not a store of Holdfast")


def test_a_second_controller(bench):
    bench.start()
    bench.write_config(listen="127.0.0.1:7443", health="{ listen: 127.0.0.1:9590 }", run="run2")
    refused(bench, "controller.db", "another controller")
    # It leaves what is the other's alone: a certificate that is due, and what a renewal of it has begun.
    bench.authority.issue_dated("controller", "ctl", -9, 1)
    (bench.directory / "ctl.key.next").write_text("half")
    kept = (bench.directory / "ctl.pem").read_text()
    bench.write_config(listen="127.0.0.1:7443", health="{ listen: 127.0.0.1:9590 }", run="run2",
                       authority="{ certificate: ca.pem, key: ca.key }")
    refused(bench, "controller.db", "another controller")
    assert (bench.directory / "ctl.pem").read_text() == kept and (bench.directory / "ctl.key.next").exists()
    bench.stop()


def test_ready(bench):
    notify = str(bench.directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(notify)
        listener.settimeout(20)
        bench.start(notify=notify)
        assert listener.recv(100) == b"READY=1"
        status, answer = bench.health("/readyz")
        assert status == 503 and "there is no fleet yet" in answer["reasons"][0], answer
        for private in ("state/controller.db", "state/controller.db-wal", "run/controller.sock"):
            assert (bench.directory / private).stat().st_mode & 0o077 == 0, private
        bench.stop(signal.SIGINT)
        assert listener.recv(100) == b"STOPPING=1"
    assert not (bench.directory / "run/controller.sock").exists()


def test_hangup_reads_the_fleet_again(bench):
    bench.write_config(fleet="fleet.yaml")
    (bench.directory / "fleet.yaml").write_text(fleet_text())
    bench.start()
    (bench.directory / "fleet.yaml").write_text(fleet_text(peers=("alice", "bob")))
    bench.process.send_signal(signal.SIGHUP)
    until("generation 2", lambda: bench.status()["generation"] == 2)
    (bench.directory / "fleet.yaml").write_text("fleet: [\n")
    bench.process.send_signal(signal.SIGHUP)
    until("the complaint", lambda: "not-applied" in bench.log.read_text())
    assert bench.status()["generation"] == 2
    # Who may do what is read again, too; a file that is wrong changes nothing.
    bench.write_config(fleet="fleet.yaml", operators="{ mallory: admin }")
    bench.process.send_signal(signal.SIGHUP)
    until("mallory may", lambda: bench.call("POST", "/v1/thaw", who="mallory")[0] == 200)
    assert bench.call("GET", "/v1/status", who="alice")[0] == 403
    bench.write_config(fleet="fleet.yaml", operators="{ alice: king }")
    bench.process.send_signal(signal.SIGHUP)
    until("the complaint", lambda: "operators-not-reloaded" in bench.log.read_text() and "king" in bench.log.read_text())
    assert bench.call("POST", "/v1/thaw", who="mallory")[0] == 200


def peers_text(*peers):
    return "peers:\n" + "".join(f"  {peer}: {{ public_key: \"{key_text(peer)}\", allowed_ips: [10.50.0.{number}/32] }}\n"
                                for number, peer in enumerate(peers, 2))


def test_a_fleet_file_that_is_watched(bench):
    """Whatever way it is changed; then it alone counts. 5 s."""
    fleet, peers = bench.directory / "site/fleet.yaml", bench.directory / "site/peers.d"
    bench.write_config(fleet="site/fleet.yaml", watch="true")
    for name in ("first", "next"):
        (bench.directory / "site" / name).mkdir(parents=True)
    peers.symlink_to("first")
    fleet.write_text("include: [peers.d/*.yaml]\n" + fleet_text(peers=()))
    bench.start()
    at = lambda number: until(f"generation {number}", lambda: bench.status()["generation"] == number)  # noqa: E731
    at(1)
    # A new file of a glob; one put in the place of another; a link that leads elsewhere, as deployments do it.
    (peers / "a.yaml").write_text(peers_text("alice"))
    at(2)
    (peers / "a.new").write_text(peers_text("alice", "bob"))
    (peers / "a.new").rename(peers / "a.yaml")
    at(3)
    (bench.directory / "site/next/b.yaml").write_text(peers_text("carol"))
    (bench.directory / "site/link").symlink_to("next")
    (bench.directory / "site/link").rename(peers)
    at(4)
    # Half a file is no fleet, and is not read, whatever its mode.
    with open(peers / "b.yaml", "w") as file:
        file.write(peers_text("carol", "dave"))
        file.flush()
        os.fchmod(file.fileno(), 0o600)
        time.sleep(1)
        assert bench.status()["generation"] == 4
        file.write(peers_text("erin").removeprefix("peers:\n").replace("10.50.0.2", "10.50.0.9"))
    at(5)
    assert "erin" in json.dumps(bench.call("GET", "/v1/fleet")[1])
    # What is wrong changes nothing and is told, as a file that is gone, until one is right again.
    (peers / "b.yaml").write_text(peers_text("carol").replace("public_key", "publik_key"))
    until("the warning", lambda: warned(bench, "peers.d/b.yaml:2:10: missing"))
    assert "not-applied" in bench.log.read_text() and bench.status()["generation"] == 5
    text = fleet.read_text()
    fleet.unlink()
    until("the other warning", lambda: warned(bench, "site/fleet.yaml: No such file"))
    (peers / "b.yaml").write_text(peers_text("carol"))
    fleet.write_text(text)
    at(6)
    assert not warned(bench, "not applied")
    # From elsewhere nobody changes it.
    for status, answer in (bench.apply(fleet_text()), bench.call("POST", "/v1/rollback", {"generation": 1})):
        assert status == 409 and "site/fleet.yaml is the fleet" in answer["detail"] and "controller.yaml" in answer["detail"], answer
    assert bench.status()["generation"] == 6
    # What has changed while there was no controller counts, too.
    bench.stop()
    (peers / "b.yaml").write_text(peers_text("carol", "dave"))
    bench.start()
    at(7)
    bench.stop()


def test_what_hinders_a_watched_fleet_file(bench):
    """A confirmation that is awaited, a gateway that refuses: when that is over it is applied, and nobody has touched it. 8 s."""
    bench.start()
    assert bench.apply(fleet_text())[0] == 200
    body = {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=("alice", "bob"))}]}
    assert bench.call("PUT", "/v1/fleet?confirm_ms=600000", body)[0] == 200
    bench.stop()
    bench.write_config(fleet="fleet.yaml", watch="true")
    (bench.directory / "fleet.yaml").write_text(fleet_text(peers=("carol",)))
    bench.start()
    until("the warning", lambda: warned(bench, "awaits a confirmation") and warned(bench, "(it is tried again)"))
    gw_a = bench.agent("gw-a").start()
    until("gw-a has come", lambda: bench.gateway("gw-a")["connected"])
    gw_a.refusal = "/etc/holdfast/wg0.key: no such file"
    assert bench.call("POST", "/v1/confirm")[0] == 200
    until("the refusal", lambda: warned(bench, "not applied: gw-a: /etc/holdfast/wg0.key: no such file (it is tried again)"))
    until("it has been tried again", lambda: gw_a.instructions.count("stage") > 1)
    told = [line for line in bench.log.read_text().splitlines() if "not-applied" in line and "wg0.key" in line]
    assert len(told) == 1, told
    gw_a.refusal = None
    until("it is in force", lambda: gw_a.held and [peer["name"] for peer in gw_a.held["peers"]] == ["carol"])
    until("nothing is told any more", lambda: not warned(bench, "not applied"))
    bench.stop()


def served_certificate(bench):
    with socket.create_connection(bench.listen) as plain, bench.client_context("alice").wrap_socket(plain) as tls:
        return tls.getpeercert(binary_form=True)


def test_hangup_renews_the_certificate(bench):
    bench.start()
    old = served_certificate(bench)
    (bench.directory / "ctl.pem").rename(bench.directory / "kept.pem")
    bench.process.send_signal(signal.SIGHUP)
    until("the complaint", lambda: "certificate-not-renewed" in bench.log.read_text())
    assert served_certificate(bench) == old
    bench.authority.issue("controller", "ctl")
    bench.process.send_signal(signal.SIGHUP)
    until("the new one", lambda: served_certificate(bench) != old)
    bench.stop()


def warned(bench, needle):
    return any(needle in warning for warning in bench.status()["warnings"])


def metric(bench, name):
    return next(float(line.split()[1]) for line in bench.health("/metrics")[1].splitlines() if line.startswith(name + " "))


def is_refused_as_ended(bench):
    try:
        bench.call("GET", "/v1/status")
    except ssl.SSLCertVerificationError as problem:
        return "expired" in str(problem)
    return False


def test_one_that_has_ended(bench):
    """Of one's own PKI: whoever checks it refuses the controller, root is told why, and another counts without a word. 10 s: it looks
    every ten, and another test may run meanwhile."""
    bench.authority.issue_dated("controller", "ctl", -9, -1)
    bench.write_config(fleet="fleet.yaml")
    (bench.directory / "fleet.yaml").write_text(fleet_text())
    bench.start()
    assert "certificate-ended" in bench.log.read_text() and "ctl.pem: expired on" in bench.log.read_text()
    assert is_refused_as_ended(bench) and metric(bench, "holdfast_certificate_overdue") == 1
    assert metric(bench, "holdfast_certificate_end_seconds") < time.time()
    status, answer = bench.health("/readyz")
    assert status == 503 and any("the certificate has ended" in reason for reason in answer["reasons"]), answer
    assert "the certificate has ended" in bench.holdfast("status")
    # One that will not do is told, and changes nothing: the key of another, and somebody else's.
    fine = (bench.directory / "ctl.key").read_text()
    shutil.copy(bench.directory / "gw-a.key", bench.directory / "ctl.key")
    bench.process.send_signal(signal.SIGHUP)
    until("the wrong key is told", lambda: warned(bench, "is not taken: ") and warned(bench, "ctl.key: is not the key of"))
    shutil.copy(bench.directory / "gw-a.pem", bench.directory / "ctl.pem")
    bench.process.send_signal(signal.SIGHUP)
    until("the wrong name is told", lambda: warned(bench, "it is of gateway gw-a, and this is controller ctl"))
    assert is_refused_as_ended(bench)
    # Nobody tells it of the next one.
    (bench.directory / "ctl.key").write_text(fine)
    bench.authority.issue_dated("controller", "ctl", -1, 1.9)
    until("it is taken", lambda: not is_refused_as_ended(bench))
    assert bench.call("GET", "/v1/status")[0] == 200 and "certificate-taken" in bench.log.read_text()
    until("nothing is told any more", lambda: not warned(bench, "ctl."))
    assert bench.health("/readyz")[0] == 200 and metric(bench, "holdfast_certificate_end_seconds") > time.time()


main([test_usage, test_configuration, test_certificates, test_fleet_file, test_places_that_are_taken, test_a_second_controller,
      test_ready, test_hangup_reads_the_fleet_again, test_a_fleet_file_that_is_watched,
      test_what_hinders_a_watched_fleet_file, test_hangup_renews_the_certificate,
      test_one_that_has_ended])
