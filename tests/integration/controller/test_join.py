#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A newcomer adds a gateway in two commands, and nobody else gets in that way."""
import http.client
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import BIN, counted, main, metric, run, until  # noqa: E402

USED = "this token has been used: each lets one gateway in, once"
UNKNOWN = "no invitation has this token: it has ended, a newer one took its place, or it was of another controller"
AUTHORITY = "{ certificate: ca.pem, key: ca.key }"


def start(bench):
    bench.write_config(authority=AUTHORITY)
    return bench.start()


def join(bench, token, place="gw-d", *options):
    done = subprocess.run([BIN / "holdfast", "join", "-", "--directory", bench.directory / place, *options], input=token,
                          capture_output=True, text=True, timeout=60)
    assert token.strip() not in done.stdout + done.stderr
    return done


def joined(bench, *arguments):
    done = join(bench, *arguments)
    assert done.returncode == 0, done
    return done


def refused(bench, needle, *arguments):
    done = join(bench, *arguments)
    assert done.returncode == 1 and needle in done.stderr and len(done.stderr.splitlines()) == 1, done


def trail(bench):
    return [(row["who"], row["what"], row["target"], row["status"]) for row in bench.call_locally("GET", "/v1/audit")[1]["audit"]]


def open_invitations(bench):
    return [item["gateway"] for item in bench.call_locally("GET", "/v1/invitations")[1]["invitations"]]


def test_two_commands(bench):
    start(bench)
    told = json.loads(bench.holdfast("invite", "gw-d", "--json"))
    assert told["gateway"] == "gw-d" and told["valid_ms"] == 3600000, told
    token = bench.holdfast("invite", "gw-d")
    assert token.startswith("hf1_") and len(token.splitlines()) == 1
    assert metric(bench, "holdfast_invitations_open") == 1
    place = bench.directory / "gw-d"
    said = joined(bench, token).stdout
    assert f"next: holdfast-agent --config {place}/agent.yaml;" in said and "names gw-d already" in said, said
    assert sorted(path.name for path in place.iterdir()) == ["agent.yaml", "ca.pem", "gw-d.key", "gw-d.pem"]
    assert {path.name: path.stat().st_mode & 0o777 for path in place.iterdir()}["gw-d.key"] == 0o600
    assert 'controllers: ["https://10.8.0.20:7443"]' in (place / "agent.yaml").read_text()
    assert "URI:holdfast:gateway:gw-d" in run("openssl", "x509", "-in", place / "gw-d.pem", "-noout", "-ext", "subjectAltName")
    # The controller knows it now, and as nobody else.
    status, answer = bench.call("POST", "/v1/agent/report", {}, who="gw-d/gw-d")
    assert status == 400, answer
    assert bench.call("GET", "/v1/status", who="gw-d/gw-d")[0] == 403
    assert metric(bench, "holdfast_joined_total") == 1 and metric(bench, "holdfast_invitations_open") == 0
    assert [event["gateway"] for event in bench.events(kind="joined")] == ["gw-d"]
    assert token.strip() not in bench.log.read_text()
    for row in ("root", "invite", "gw-d", 200), ("somebody without a certificate", "join", "gw-d", 200):
        until(f"{row} is in the trail", lambda row=row: row in trail(bench))
    # The token counted once, and the older one not at all.
    for why, used in ((USED, token), (UNKNOWN, told["token"])):
        with counted(bench, "holdfast_join_refused_total", f'refused from=SOMEWHERE why="{why}"'):
            refused(bench, why, used, "again")
    assert metric(bench, "holdfast_join_refused_total") == 2
    assert not list((bench.directory / "again").iterdir())
    # After a restart nobody waits for anybody, and the handshake says so.
    bench.stop()
    bench.start()
    with counted(bench, "holdfast_api_handshakes_refused_total", 'tls-refused from=SOMEWHERE reason="peer did not return a certificate"'):
        refused(bench, "no invitation is open", token, "again")
    # One of that name would put its certificate where the authority's is.
    refused(bench, "called ca", bench.holdfast("invite", "ca"), "again")


def test_tokens_end(bench):
    start(bench)
    bench.holdfast("invite", "gw-c")
    token = bench.holdfast("invite", "gw-d", "--valid", "1s")
    until("it has ended", lambda: "gw-d" not in open_invitations(bench), 60)
    with counted(bench, "holdfast_join_refused_total", f'refused from=SOMEWHERE why="{UNKNOWN}"'):
        refused(bench, UNKNOWN, token)
    # A newer one takes the place of an older, and outlives a restart.
    old, new = bench.holdfast("invite", "gw-d"), bench.holdfast("invite", "gw-d")
    bench.stop()
    bench.start()
    assert sorted(open_invitations(bench)) == ["gw-c", "gw-d"]
    refused(bench, "no invitation has this token", old)
    joined(bench, new)
    # What is there is not overwritten.
    key = (bench.directory / "gw-d/gw-d.key").read_text()
    token = bench.holdfast("invite", "gw-d")
    refused(bench, "--force", token)
    assert (bench.directory / "gw-d/gw-d.key").read_text() == key
    said = json.loads(joined(bench, token, "gw-d", "--force", "--json").stdout)
    place = bench.directory / "gw-d"
    assert said.pop("controller").startswith("https://") and said == {
        "gateway": "gw-d", "config": f"{place}/agent.yaml", "ca": f"{place}/ca.pem", "certificate": f"{place}/gw-d.pem",
        "key": f"{place}/gw-d.key"}, said
    assert (bench.directory / "gw-d/gw-d.key").read_text() != key


def block(path):
    """Nothing takes its place, as on a full disk or after a kill at that moment."""
    path.mkdir(parents=True)
    (path / "x").touch()


def free(path):
    (path / "x").unlink()
    path.rmdir()


def test_the_same_token_goes_on_where_it_stopped(bench):
    """Whatever keeps the files from their places, the token that was used for them is enough; another one begins anew. 5 s."""
    start(bench)
    for number, name in enumerate(("ca.pem", "gw-d.pem", "gw-d.key", "agent.yaml")):
        token, place = bench.holdfast("invite", "gw-d"), bench.directory / f"stopped{number}"
        block(place / name)
        for attempt in range(2):
            refused(bench, "with the same token goes on with it", token, place.name, "--force")
        assert metric(bench, "holdfast_joined_total") == number + 1
        assert (place / "gw-d.joining").stat().st_mode & 0o777 == 0o600
        assert token.strip() not in (place / "gw-d.joining").read_text()
        if name == "ca.pem":  # without its authority in place nothing is prepared that an agent's start would put in force
            assert sorted(path.name for path in place.iterdir()) == ["ca.pem", "gw-d.joining"]
        free(place / name)
        joined(bench, token, place.name)
        assert sorted(path.name for path in place.iterdir()) == ["agent.yaml", "ca.pem", "gw-d.key", "gw-d.pem"]
        assert (place / "gw-d.key").stat().st_mode & 0o777 == 0o600
        assert bench.call("POST", "/v1/agent/report", {}, who=f"{place.name}/gw-d")[0] == 400
    # Killed with the key in its place, and the certificate not: the key in force is that of what came.
    token, place = bench.holdfast("invite", "gw-d"), bench.directory / "killed"
    block(place / "agent.yaml")
    refused(bench, "goes on with it", token, place.name, "--force")
    (place / "gw-d.pem").unlink()
    free(place / "agent.yaml")
    joined(bench, token, place.name)
    # What does not belong together is not put in force; what came stays while others are tried, until another answer comes.
    token, place = bench.holdfast("invite", "gw-d"), bench.directory / "other"
    block(place / "ca.pem")
    refused(bench, "goes on with it", token, place.name, "--force")
    free(place / "ca.pem")
    key, answer = (bench.directory / "gw-a.key").read_text(), (place / "gw-d.joining").read_text()
    (place / "gw-d.joining").write_text(key + answer[answer.index("{"):])
    refused(bench, "is not the key of the certificate", token, place.name)
    assert not list(place.iterdir()), list(place.iterdir())
    refused(bench, "'holdfast invite gw-d' on the controller makes another", token, place.name)
    block(place / "ca.pem")
    token = bench.holdfast("invite", "gw-d")
    refused(bench, "goes on with it", token, place.name, "--force")
    worthless, newer = bench.holdfast("invite", "gw-d"), bench.holdfast("invite", "gw-d")
    kept = (place / "gw-d.joining").read_bytes()
    refused(bench, "no invitation has this token", worthless, place.name, "--force")
    assert (place / "gw-d.joining").read_bytes() == kept
    free(place / "ca.pem")
    before = metric(bench, "holdfast_joined_total")
    joined(bench, newer, place.name, "--force")
    assert metric(bench, "holdfast_joined_total") == before + 1
    assert sorted(path.name for path in place.iterdir()) == ["agent.yaml", "ca.pem", "gw-d.key", "gw-d.pem"]
    # Whose answer does not come cannot know whether the token was taken.
    token = bench.holdfast("invite", "gw-d")
    bench.process.send_signal(signal.SIGSTOP)
    try:
        refused(bench, "if the token is refused from now on, 'holdfast invite gw-d' on the controller makes another", token, "late")
    finally:
        bench.process.send_signal(signal.SIGCONT)
    assert not list((bench.directory / "late").iterdir())
    joined(bench, token, "late")


def test_another_controller_gets_no_secret(bench):
    """The token names an authority: one who listens at the address with another does not even hear the secret."""
    bench.write_config(authority=AUTHORITY)
    (bench.directory / "ca.pem").rename(bench.directory / "kept.pem")
    (bench.directory / "ca.key").rename(bench.directory / "kept.key")
    run(BIN / "holdfast", "init", "--dir", bench.directory)
    (bench.directory / "ctl.pem").unlink()
    (bench.directory / "ctl.key").unlink()
    run(BIN / "holdfast", "cert", "controller", "ctl", "--dir", bench.directory)
    bench.start()
    token = bench.holdfast("invite", "gw-d")
    bench.stop()
    for name in ("pem", "key"):
        (bench.directory / f"kept.{name}").rename(bench.directory / f"ca.{name}")
    bench.authority.issue("controller", "ctl")
    bench.start()
    refused(bench, "not of a controller of the authority", token)
    assert metric(bench, "holdfast_invitations_open") == 1 and metric(bench, "holdfast_join_refused_total") == 0


def test_newcomers_may_do_nothing_else(bench):
    start(bench)
    for attempt in range(2):
        if attempt:
            bench.holdfast("invite", "gw-d")
        for method, path, body in (("GET", "/v1/status", None), ("PUT", "/v1/fleet", {"files": []}),
                                   ("POST", "/v1/agent/report", {}), ("GET", "/v1/invitations", None)):
            try:
                status, answer = bench.call(method, path, body, who=None)
                assert attempt == 1 and status == 403 and "certificate" in answer["detail"], (attempt, status, answer)
            except (ssl.SSLError, ConnectionError):
                assert attempt == 0, path
    assert bench.call("POST", "/v1/join", {}, who="gw-a")[0] == 403
    assert bench.call("POST", "/v1/invitations", {"gateway": "gw-d"}, who="dashboard")[0] == 403
    assert bench.call("POST", "/v1/invitations", {"gateway": "gw-d"}, who="gw-a")[0] == 403
    # Nor does anybody who is refused write into the trail what he likes.
    assert bench.call("POST", "/v1/endpoints/%1b[2J/move", {"to": "gw-a"}, who="gw-a")[0] == 403
    until("that is in the trail", lambda: ("gateway gw-a", "endpoints", "", 403) in trail(bench))
    # What they send has limits.
    token = bench.holdfast("invite", "gw-d")
    for body, expected in (({}, 400), ({"secret": "0" * 64, "request": "x" * 8192}, 403),
                           ({"secret": "0" * 64, "request": "x" * 8193}, 400), ({"secret": "0" * 62, "request": "x"}, 400),
                           ({"request": "x" * 12288}, 413)):
        assert bench.call("POST", "/v1/join", body, who=None)[0] == expected, (len(str(body)), expected)
    answers = [bench.call("POST", "/v1/join", {}, who=None)[0]]
    while answers[-1] == 400 and len(answers) < 200:      # one is forgiven every two seconds
        answers.append(bench.call("POST", "/v1/join", {}, who=None)[0])
    assert answers[0] == 400 and answers[-1] == 429, answers
    # And they keep nobody out who has a token, though they take every place there is.
    strangers = [http.client.HTTPSConnection(*bench.listen, context=bench.client_context(None)) for _ in range(24)]
    for stranger in strangers:
        stranger.connect()
    joined(bench, token)
    for stranger in strangers:
        stranger.close()
    assert metric(bench, "holdfast_invitations_open") == 0


def test_an_end_while_the_disk_is_slow(bench):
    """What is written while the controller ends is told to nobody who has gone."""
    for path, body in (("/v1/invitations", {"gateway": "gw-d"}), ("/v1/revocations", {"kind": "gateway", "name": "gw-a"})):
        start(bench)
        database = sqlite3.connect(bench.directory / "state/controller.db", isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        asker = threading.Thread(target=ask_in_vain, args=(bench, path, body))
        asker.start()
        until("it waits for the disk", lambda: metric(bench, "holdfast_controller_connections") == 1)
        bench.status(), bench.status()  # each takes a turn of the loop, which has seen that request then
        bench.process.send_signal(signal.SIGTERM)
        until("it is ending", lambda: "stopping signal=SIGTERM" in bench.log.read_text())
        database.execute("ROLLBACK")
        database.close()
        asker.join()
        assert bench.process.wait(30) == 0 and "Sanitizer" not in bench.log.read_text(), bench.log.read_text()
        bench.log.write_text("")


def ask_in_vain(bench, path, body):
    try:
        answer = bench.call_locally("POST", path, body)
        raise AssertionError(answer)
    except (ConnectionError, http.client.HTTPException):
        pass


def check_the_key_of_a_tunnel(bench):
    def key(*words, expected=0, given=None):
        done = subprocess.run([BIN / "holdfast", "key", *words], cwd=bench.directory, input=given, capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == expected, done
        private = bench.directory / "wg0.key"
        assert not private.exists() or private.read_text().strip() not in done.stdout + done.stderr
        return done.stdout + done.stderr

    public = key("new", "wg0").split('"')[1]
    made = bench.directory / "wg0.key"
    assert made.stat().st_mode & 0o777 == 0o600 and run("wg", "pubkey", input=made.read_text()).strip() == public
    assert "already" in key("new", "wg0", expected=1)
    there = bench.directory / "there.key"
    assert public in key("install", "wg0", "-", "--out", there, "--public-key", public, given=made.read_text())
    assert there.read_text() == made.read_text() and there.stat().st_mode & 0o777 == 0o600
    assert "already" in key("install", "wg0", made, "--out", there, expected=1)
    key("install", "wg0", made, "--out", there, "--force")
    other = run("wg", "pubkey", input=run("wg", "genkey")).strip()
    assert "another public key" in key("install", "wg0", made, "--out", there, "--force", "--public-key", other, expected=1)
    assert "no WireGuard key" in key("install", "wg0", "-", "--out", there, "--force", given="x" * 44 + "\n", expected=1)
    assert there.read_text() == made.read_text()
    key("install", "wg0", expected=2)
    key("new", "wg1", "--public-key", public, expected=2)
    key("new", "../wg0", expected=2)


def test_what_needs_no_authority(bench):
    check_the_key_of_a_tunnel(bench)
    bench.start()
    done = subprocess.run([BIN / "holdfast", "--controller", f"unix:{bench.directory}/run/controller.sock", "invite", "gw-d"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "has no authority: { certificate, key }" in done.stderr, done
    bench.stop()
    bench.write_config(authority="{ certificate: gw-a.pem, key: gw-a.key }")
    status, line = bench.start_wrongly()
    assert status == 1 and "gw-a.pem" in line and "not among the authorities" in line, line


def test_what_is_next(bench):
    """The unit reads one file: it is told of whatever way leads there."""
    start(bench)

    def next_of(*options):
        within = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc && exec "$@"', "sh"]
        done = subprocess.run([*within, BIN / "holdfast", "join", "-", *options], input=bench.holdfast("invite", "gw-d"),
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
        return done.stdout.split("next: ")[1].split(";")[0]

    for options in ([], ["--directory", "/etc/holdfast/"], ["--directory", "/etc//../etc/holdfast"]):
        assert next_of(*options) == "systemctl enable --now holdfast-agent", options
    assert next_of("--directory", "/etc/other/") == "holdfast-agent --config /etc/other//agent.yaml"


main([test_two_commands, test_what_is_next, test_tokens_end, test_the_same_token_goes_on_where_it_stopped, test_another_controller_gets_no_secret,
      test_newcomers_may_do_nothing_else,
      test_an_end_while_the_disk_is_slow, test_what_needs_no_authority])
