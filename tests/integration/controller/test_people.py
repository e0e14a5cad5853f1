#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What people see: who is connected, a status that is drawn again, a line for monitoring. Real commands, real controller."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import BIN, fleet_text, key_text, main, until  # noqa: E402

PEERS = [f"peer-{number:03}" for number in range(25)]


def call(bench, *words, socket="run/controller.sock"):
    command = [BIN / "holdfast", "--controller", f"unix:{bench.directory}/{socket}", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def session_of(peer, number):
    return dict(tunnel="wg0", public_key=key_text(peer), endpoint=f"192.0.2.{number + 1}:4500", age_ms=1000 * number,
                rx_bytes=2048 * number, tx_bytes=number)


def check_filters(bench):
    """24 sessions on gw-a, in wg0 of vpn."""
    def peers(*words):
        done = call(bench, "sessions", "--json", *words)
        assert done.returncode == 0, done
        return [session["peer"] for session in json.loads(done.stdout)["sessions"]]

    def refused(*words):
        done = call(bench, "sessions", *words)
        assert done.returncode == 1 and not done.stdout, done
        return done.stderr

    assert peers("--peer", "peer-003") == peers("--peer", "peer-003", "--gateway", "gw-a", "--tunnel", "wg0", "--endpoint", "vpn") == ["peer-003"]
    assert len(peers("--gateway", "gw-a")) == len(peers("--tunnel", "wg0")) == len(peers("--endpoint", "vpn")) == 24
    assert peers("--gateway", "gw-b") == [] and call(bench, "sessions", "--peer", "peer-007").stdout == "nobody of those is connected\n"
    assert 'no peer "peer 3&limit=0"' in refused("--peer", "peer 3&limit=0") and 'no gateway "gw-z" in the fleet' in refused("--gateway", "gw-z")
    assert 'no tunnel "wg9" in the fleet' in refused("--tunnel", "wg9") and 'no endpoint "web" in the fleet' in refused("--endpoint", "web")
    assert call(bench, "sessions", "--peer").returncode == 2
    # One look is enough for a name among many; so is a page of one, and what comes behind it is asked for.
    status, page = bench.call("GET", "/v1/sessions?limit=1&peer=peer-003")
    assert status == 200 and len(page["sessions"]) == 1 and page["next"] == "", page
    status, page = bench.call("GET", "/v1/sessions?limit=1&gateway=gw-a")
    assert status == 200 and len(page["sessions"]) == 1 and page["next"], page


def test_sessions(bench):
    gw_a, _ = bench.start_pair()
    assert call(bench, "sessions").stdout == "nobody is connected\n"
    assert bench.apply(fleet_text(peers=PEERS))[0] == 200
    with gw_a.changed:
        gw_a.sessions = [session_of(peer, number) for number, peer in enumerate(PEERS) if number != 7]
    until("all are known", lambda: bench.endpoint()["sessions"] == 24)
    told = json.loads(call(bench, "sessions", "--json").stdout)["sessions"]
    assert sorted(session["peer"] for session in told) == [peer for peer in PEERS if peer != "peer-007"], told
    one = next(session for session in told if session["peer"] == "peer-003")
    assert (one["gateway"], one["virtual_endpoint"], one["endpoint"]) == ("gw-a", "vpn", "192.0.2.4:4500"), one
    assert (one["rx_bytes"], one["tx_bytes"]) == (6144, 3) and one["age_ms"] >= 3000, one
    lines = call(bench, "sessions").stdout.splitlines()
    assert lines[0].split() == ["PEER", "TUNNEL", "GATEWAY", "ADDRESS", "HANDSHAKE", "RX", "TX"] and len(lines) == 25
    assert any(line.split()[:4] == ["peer-003", "wg0", "gw-a", "192.0.2.4:4500"] and line.split()[-4:] == ["6.00", "KiB", "3", "B"]
               for line in lines)
    check_filters(bench)
    pages, after = [], ""
    while True:
        status, page = bench.call("GET", f"/v1/sessions?limit=10&after={after}", who="dashboard")
        assert status == 200 and len(page["sessions"]) <= 10, page
        pages.append(len(page["sessions"]))
        after = page["next"]
        if not after:
            break
    assert pages == [10, 10, 4], pages
    assert bench.call("GET", "/v1/sessions?limit=0")[0] == 400 and bench.call("GET", "/v1/sessions?limit=1001")[0] == 400
    assert bench.call("GET", "/v1/sessions?limit=1000")[0] == 200 and bench.call("GET", "/v1/sessions?after=wg0:12")[0] == 400
    assert bench.call("GET", "/v1/sessions?after=wg9:" + 64 * "0")[0] == 409
    assert bench.call("GET", "/v1/sessions", who="mallory")[0] == 403


def test_sessions_in_no_endpoint(bench):
    """Each gateway has its own sessions in such a tunnel, also of the same peer; nobody else is told of them."""
    tunnel = (f"  wg1: {{ private_key_file: wg1.key, public_key: \"{key_text('wg1')}\", address: [10.51.0.1/24], listen_port: 51821,\n"
              "         gateways: [gw-a, gw-b] }\n")
    peers = "".join(f"  {peer}: {{ public_key: \"{key_text(peer)}\", allowed_ips: [10.5{of[-1]}.0.{number}/32], tunnels: [{of}] }}\n"
                    for number, (peer, of) in enumerate((("alice", "wg0"), ("bob", "wg1"), ("carol", "wg1")), 2))
    gw_a, gw_b = bench.start_pair()

    def tell_early(sessions, whole):
        with gw_a.changed:
            gw_a.sessions, gw_a.sessions_whole = sessions, whole
        before = gw_a.reports
        until("it is told", lambda: gw_a.reports > before + 1)

    # Of a tunnel that the fleet has not yet nothing is kept.
    tell_early([{**session_of("bob", 1), "tunnel": "wg1"}], True)
    tell_early([], False)
    status, said = bench.apply(fleet_text(peers=()) + tunnel + "peers:\n" + peers)
    assert status == 200, said
    assert call(bench, "sessions").stdout == "nobody is connected\n"
    with gw_a.changed:
        gw_a.sessions_whole = True
        gw_a.sessions = [session_of("alice", 1), *({**session_of(peer, 2), "tunnel": "wg1"} for peer in ("bob", "carol"))]
    with gw_b.changed:
        gw_b.sessions = [{**session_of("bob", 3), "tunnel": "wg1"}]

    def told(*words):
        return [(one["peer"], one["gateway"], one.get("virtual_endpoint"))
                for one in json.loads(call(bench, "sessions", "--json", *words).stdout)["sessions"]]

    alone = {("bob", "gw-a", None), ("carol", "gw-a", None), ("bob", "gw-b", None)}
    until("all are known", lambda: set(told()) == {("alice", "gw-a", "vpn")} | alone and len(told()) == 4)
    assert set(told("--tunnel", "wg1")) == alone and told("--endpoint", "vpn") == [("alice", "gw-a", "vpn")]
    assert told("--gateway", "gw-b") == [("bob", "gw-b", None)] and set(told("--peer", "bob")) == {("bob", "gw-a", None), ("bob", "gw-b", None)}
    until("the standby knows of alice", lambda: key_text("alice") in gw_b.sessions_heard)
    assert set(gw_b.sessions_heard) == {key_text("alice")} and not gw_a.sessions_heard, (gw_a.sessions_heard, gw_b.sessions_heard)
    found, after = [], ""
    while after or not found:
        status, page = bench.call("GET", f"/v1/sessions?limit=1&after={after}")
        assert status == 200 and len(page["sessions"]) <= 1, page
        found += [(one["peer"], one["gateway"], one.get("virtual_endpoint")) for one in page["sessions"]]
        after = page["next"]
    assert sorted(found, key=str) == sorted(told(), key=str), found
    none = 64 * "0"
    assert bench.call("GET", f"/v1/sessions?after=gw-a/wg0:{none}")[0] == bench.call("GET", f"/v1/sessions?after=wg1:{none}")[0] == 409
    assert bench.call("GET", f"/v1/sessions?after=/wg1:{none}")[0] == bench.call("GET", f"/v1/sessions?after={64 * 'g'}/wg1:{none}")[0] == 400
    assert bench.call("GET", f"/v1/sessions?after={63 * 'g'}/wg1:{none}")[0] == 409
    with gw_b.changed:
        gw_b.sessions = []
    until("bob has left gw-b", lambda: set(told()) == {("alice", "gw-a", "vpn"), ("bob", "gw-a", None), ("carol", "gw-a", None)})


def test_answers_as_json(bench):
    bench.start_pair()

    def answer(*words):
        done = call(bench, *words, "--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    assert answer("freeze") == {"frozen": True} and answer("thaw") == {"frozen": False}
    assert answer("move", "vpn", "gw-b")["owner"] == "gw-b"
    assert answer("drain", "gw-a") == {"gateway": "gw-a", "drained": True, "endpoints": []}
    assert answer("resume", "gw-a") == {"gateway": "gw-a", "drained": False, "endpoints": []}
    assert call(bench, "resume", "gw-a").stdout == "gw-a may own endpoints again\n"
    assert call(bench, "drain", "gw-a", "--nosuch").returncode == 2


def test_check(bench):
    for words in (["--check", "--nosuch"], ["--nosuch", "--check"], ["--json", "--check"], ["--check", "--watch"], ["vpn", "--check"]):
        wrong = call(bench, "status", *words)
        assert wrong.returncode == 3 and "usage: holdfast status" in wrong.stderr, wrong  # 2 would be CRITICAL
    assert call(bench, "status", "--nosuch").returncode == 2 and call(bench, "staus", "--check").returncode == 3
    assert call(bench, "--nosuch", "status", "--check").returncode == 3
    nobody = call(bench, "status", "--check")
    bench.authority.issue("controller", "ctl", days=400)  # one that ends soon is warned of
    assert nobody.returncode == 3 and nobody.stdout.startswith("UNKNOWN: ") and nobody.stdout.count("\n") == 1, nobody
    bench.start()
    empty = call(bench, "status", "--check")
    assert empty.returncode == 3 and "no fleet" in empty.stdout, empty
    assert bench.apply(fleet_text())[0] == 200
    unowned = call(bench, "status", "--check")
    assert unowned.returncode == 2 and unowned.stdout.startswith("CRITICAL: vpn has no owner"), unowned
    gw_a, gw_b = bench.agent("gw-a").start(), bench.agent("gw-b").start()
    until("gw-a owns vpn", bench.settle)
    until("all is well", lambda: call(bench, "status", "--check").returncode == 0)
    assert call(bench, "status", "--check").stdout.startswith("OK: fleet edge, generation 1 | endpoints=1 unowned=0 ")
    gw_b.lose_power()
    until("gw-b is missed", lambda: bench.gateway("gw-b")["verdict"] == "dead")
    alone = call(bench, "status", "--check")
    assert alone.returncode == 1 and "nobody could take over vpn from gw-a" in alone.stdout, alone


class Terminal:
    """A command on a terminal of 8 lines of 60 columns."""

    def __init__(self, *command):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 8, 60, 0, 0))
            os.execv(command[0], [str(word) for word in command])

    def read(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:  # EIO: nobody has it open any more
                return self.seen
            self.seen += data
        return self.seen

    def end(self):
        status = os.waitpid(self.pid, 0)[1]
        self.read()
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def watch(bench):
    return Terminal(BIN / "holdfast", "--controller", f"unix:{bench.directory}/run/controller.sock", "status", "--watch")


def test_watch(bench):
    bench.start()
    refused = call(bench, "status", "--watch")
    assert refused.returncode == 2 and "needs a terminal" in refused.stderr and not refused.stdout
    for ending in ("Ctrl-C", "SIGTERM"):
        terminal = watch(bench)
        until("it draws", lambda: b"fleet" in terminal.read())
        assert terminal.seen.startswith(b"\x1b[?1049h\x1b[?25l"), terminal.seen
        if ending == "Ctrl-C":
            assert bench.apply(fleet_text())[0] == 200
            until("it draws again", lambda: b"fleet edge, generation 1" in terminal.read())
            os.write(terminal.fd, b"\x03")  # as a person types it
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.end() == 0
        assert terminal.seen.endswith(b"\x1b[?25h\x1b[?1049l"), terminal.seen[-200:]
        frame = terminal.seen.split(b"\x1b[H")[-1].split(b"\x1b[J")[0]
        lines = frame.replace(b"\x1b[K", b"").split(b"\r\n")
        assert len(lines) <= 8 and all(len(line) <= 60 for line in lines), lines


main([test_sessions, test_sessions_in_no_endpoint, test_answers_as_json, test_check, test_watch])
