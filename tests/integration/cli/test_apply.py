#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""plan and apply before a controller of another version: what it says may not be understood, and still the file that corrects
it can be applied. Costs two seconds."""
import http.server
import json
import os
import pathlib
import pty
import socketserver
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from place import BIN, Place    # noqa: E402
from runner import run_module  # noqa: E402

GENERATION = 7
APPLIED = {"generation": GENERATION + 1, "hash": "0" * 64, "changed": True, "warnings": [], "gateways": []}


class Controller(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Has this fleet in force; its answers are those of docs/openapi.yaml. sessions None: it cannot tell them."""
    daemon_threads = True

    def __init__(self, directory, fleet, sessions=()):
        self.path = str(directory / "controller.sock")
        super().__init__(self.path, Request)
        self.fleet, self.sessions, self.applied = fleet, sessions, []
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        os.unlink(self.path)


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status == 200 else "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/v1/status":
            self.answer({"generation": GENERATION, "apply": None})
        elif self.path == "/v1/fleet":
            self.answer({"generation": GENERATION, "applied_by": "operator bob",
                         "files": [{"name": "fleet.yaml", "text": self.server.fleet}]})
        elif self.server.sessions is None:
            self.answer({"title": "internal error", "status": 500, "detail": "the sessions are lost"}, 500)
        else:
            self.answer({"sessions": list(self.server.sessions), "next": ""})

    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.applied.append((self.headers.get("If-Match"), body["files"][0]["text"]))
        self.answer(APPLIED)


def call(place, *words):
    return place.holdfast("--controller", f"unix:{place.directory}/controller.sock", *words, stdin="")


def on_a_terminal(place, answer, *words):
    """Whoever is there answers the question."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run([BIN / "holdfast", "--controller", f"unix:{place.directory}/controller.sock", *words], stdin=theirs,
                          capture_output=True, text=True, cwd=place.directory)
    os.close(ours)
    os.close(theirs)
    return done


def with_probe(text, probe):
    """site has a prefix, of which printers have the narrower part."""
    keys = [line.split('"')[1] for line in text.splitlines() if "public_key" in line]
    other = ("A" if keys[-1][0] != "A" else "B") + keys[-1][1:]
    return text.replace("\npeers:\n", f"""
peers:
  site: {{ public_key: "{other}", allowed_ips: [{{ prefix: 192.168.77.0/24, probe: {probe} }}] }}
  printers: {{ public_key: "C{other[1:]}", allowed_ips: [192.168.77.0/28] }}
""", 1)


def file_of(place, probe):
    path = place.directory / "fleet.yaml"
    path.write_text(with_probe(path.read_text().replace("include: [ peers.d/*.yaml ]\n", ""), probe))
    return path.read_text()


def test_what_a_check_refuses_can_be_corrected():
    with Place() as place:
        right = file_of(place, "192.168.77.100")
        with Controller(place.directory, right.replace("192.168.77.100", "192.168.77.1")) as controller:
            planned = call(place, "plan", "fleet.yaml")
            assert planned.returncode == 0 and "~ peer site" in planned.stdout and "not known" not in planned.stdout, planned
            done = call(place, "apply", "fleet.yaml")
            assert done.returncode == 0 and "generation 8 is in force" in done.stdout, done
            assert controller.applied == [(f'"{GENERATION}"', right)], controller.applied


def test_what_cannot_be_read_can_be_replaced():
    with Place() as place:
        right = file_of(place, "192.168.77.100")
        with Controller(place.directory, right.replace("listen_port", "listens_at")) as controller:
            why = "what changes is not known: the stored fleet cannot be read by this version: fleet.yaml:"
            planned = call(place, "plan", "fleet.yaml")
            assert planned.returncode == 0 and planned.stdout.startswith(why) and "+ peer site" in planned.stdout, planned
            assert f"holdfast apply fleet.yaml --expect {GENERATION} --yes" in planned.stdout, planned
            said = json.loads(call(place, "plan", "fleet.yaml", "--json").stdout)
            assert said["not_known"] in planned.stdout and said["generation"] == GENERATION and said["changes"], said
            # Nobody is there to be asked; somebody says no; an apply of what is not in force any more.
            refused = call(place, "apply", "fleet.yaml")
            assert refused.returncode == 1 and refused.stdout.startswith(why) and "say --yes" in refused.stderr, refused
            refused = on_a_terminal(place, "n", "apply", "fleet.yaml")
            assert refused.returncode == 1 and "apply? [y/N]" in refused.stderr and "nothing was done" in refused.stderr, refused
            assert "operator bob" in call(place, "apply", "fleet.yaml", "--yes", "--expect", "6").stderr
            assert not controller.applied
            for done in call(place, "apply", "fleet.yaml", "--yes"), on_a_terminal(place, "y", "apply", "fleet.yaml"):
                assert done.returncode == 0 and "generation 8 is in force" in done.stdout, done
            assert controller.applied == 2 * [(f'"{GENERATION}"', right)], controller.applied


def test_sessions_that_cannot_be_had_hinder_nobody():
    with Place() as place:
        right = file_of(place, "192.168.77.100")
        gone = "\n".join(line for line in right.splitlines() if not line.startswith("  printers:")) + "\n"
        (place.directory / "fleet.yaml").write_text(gone)
        with Controller(place.directory, right, sessions=None) as controller:
            planned = call(place, "plan", "fleet.yaml")
            assert planned.returncode == 0 and "sessions not known: " in planned.stderr and "the sessions are lost" in planned.stderr, planned
            assert "whose sessions it costs: 1 peer\n  printers in wg0: removed\n" in planned.stdout, planned
            assert "sessions" not in json.loads(call(place, "plan", "fleet.yaml", "--json").stdout)
            done = call(place, "apply", "fleet.yaml")
            assert done.returncode == 0 and "sessions not known: " in done.stderr and len(controller.applied) == 1, done
            controller.sessions = ()
            assert ", 0 of them connected now" in call(place, "plan", "fleet.yaml").stdout


run_module(globals(), True)
