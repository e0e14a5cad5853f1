#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in a real bash and zsh: commands, options, files, and names that a controller (here a pretended one) knows."""
import http.server
import json
import os
import pathlib
import pty
import select
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from runner import run_module  # noqa: E402

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/dev/bin")).resolve()
SCRIPTS = HERE.parents[2] / "deploy/completion"
STATUS = {"endpoints": [{"name": "vpn"}, {"name": "web"}], "gateways": [{"name": "gw-a"}, {"name": "gw-b"}]}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(STATUS).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Controller(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Place:
    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-complete-"))
        (self.directory / "fleet one.yaml").touch()
        self.server = Controller(str(self.directory / "socket"), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(self.directory), "TERM": "dumb", "PS1": "> ",
                            "HOLDFAST_CONTROLLER": f"unix:{self.directory}/socket", "LC_ALL": "C.UTF-8"}
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.directory)

    def offered(self, line):
        """What bash's function offers for the line, with the cursor at its end."""
        script = (f"source {SCRIPTS}/holdfast.bash && complete -p holdfast >/dev/null && COMP_LINE=$1 COMP_POINT=${{#1}} "
                  "&& _holdfast && printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", line], capture_output=True, text=True, env=self.environment,
                              cwd=self.directory)
        assert not done.stderr, done
        return sorted(filter(None, done.stdout.splitlines()))


def test_bash():
    with Place() as place:
        commands = place.offered("holdfast ")
        assert {"status", "sessions", "peer", "apply", "import"} <= set(commands), commands
        listed = subprocess.run([BIN / "holdfast", "--help"], capture_output=True, text=True).stdout
        assert commands == sorted(line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " ")
        assert place.offered("holdfast st") == ["status", "strip"]
        assert place.offered("holdfast --con") == ["--config", "--controller"]
        assert place.offered("holdfast status --") == ["--check", "--help", "--json", "--watch"]
        assert place.offered("holdfast move ") == ["vpn", "web"] and place.offered("holdfast move v") == ["vpn"]
        assert place.offered("holdfast move vpn gw") == ["gw-a", "gw-b"] and place.offered("holdfast move vpn gw-a ") == []
        assert place.offered("holdfast drill --json --to ") == ["gw-a", "gw-b"]
        assert place.offered("holdfast cert ") == ["controller", "gateway", "operator"]
        assert place.offered("holdfast validate fl") == ["fleet one.yaml"]
        assert place.offered("holdfast nosuch ") == []
        place.environment["HOLDFAST_CONTROLLER"] = f"unix:{place.directory}/nobody"
        assert place.offered("holdfast drain ") == []
        assert place.offered(f"holdfast --controller unix:{place.directory}/socket drain ") == ["gw-a", "gw-b"]


def press_tab(command, environment, directory, setup, line, expected):
    """A shell on a terminal, a line typed, and Tab."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execvpe(command[0], command, environment)
    os.write(terminal, setup.encode() + b"\necho re''ady\n")
    seen, typed, deadline = b"", False, time.monotonic() + 60
    while expected not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536)
        if not typed and b"ready" in seen:
            typed, seen = True, b""
            os.write(terminal, line.encode() + b"\t")
    os.close(terminal)
    os.waitpid(pid, 0)


def test_bash_on_a_terminal():
    with Place() as place:
        press_tab(["bash", "--norc", "--noprofile", "-i"], place.environment, place.directory, f"source {SCRIPTS}/holdfast.bash",
                  "holdfast move vp", b"holdfast move vpn ")
        press_tab(["bash", "--norc", "--noprofile", "-i"], place.environment, place.directory, f"source {SCRIPTS}/holdfast.bash",
                  "holdfast validate fl", rb"fleet\ one.yaml")


def test_zsh_on_a_terminal():
    if not shutil.which("zsh"):
        print("no zsh here", flush=True)
        return
    with Place() as place:
        setup = f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -D -u"
        press_tab(["zsh", "-f", "-i"], place.environment, place.directory, setup, "holdfast move vp", b"vpn")
        press_tab(["zsh", "-f", "-i"], place.environment, place.directory, setup, "holdfast sess", b"sessions")


run_module(globals(), True)
