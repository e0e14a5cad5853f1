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
        for name in ("fleet one.yaml", "x1.conf", "x2.conf"):
            (self.directory / name).touch()
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


def test_what_is_on_the_line():
    """Files that are given are not offered again, and values of options are no operands: quoted, cut short, behind '='."""
    with Place() as place:
        gateways, files = ["gw-a", "gw-b"], ["x1.conf", "x2.conf"]
        assert place.offered("holdfast import x") == place.offered("holdfast import gw-a=x") == files
        assert place.offered("holdfast import x1.conf x") == place.offered("holdfast import gw-a=x1.conf gw-b=x") == ["x2.conf"]
        assert place.offered("holdfast import --out x1.conf --name edge x2.conf x") == []
        assert place.offered("holdfast plan --against x1.conf x") == files  # an operand that may be any
        assert place.offered("holdfast validate x1.conf x") == [] and place.offered("holdfast key install wg0 - x") == []
        assert place.offered("holdfast join - x") == [] and place.offered("holdfast move -- vpn gw") == gateways
        for value in ("fleet\\ one.yaml", "'fleet one.yaml'", '"fleet one.yaml"', "fl\"eet o\"ne.yaml"):
            assert place.offered(f"holdfast export --fleet {value} gw") == gateways, value
            assert place.offered(f"holdfast export --fleet={value} gw") == gateways, value
            assert place.offered(f"holdfast export gw-a wg0 --fleet {value} gw") == [], value
        assert place.offered("holdfast export --fl x1.conf gw") == gateways and place.offered("holdfast export 'gw") == gateways
        assert place.offered("holdfast drill --to=") == gateways and place.offered("holdfast drill --to=gw-b") == ["gw-b"]
        assert place.offered("holdfast drill --json=") == place.offered("holdfast drill --nosuch=x") == []
        assert place.offered("holdfast export --fleet=x") == files and place.offered("holdfast export --fleet 'fleet o") == ["fleet one.yaml"]
        place.environment["HOLDFAST_CONTROLLER"] = f"unix:{place.directory}/nobody"
        assert place.offered(f"holdfast --controller=unix:{place.directory}/socket drain ") == gateways
        assert place.offered(f"holdfast --contr unix:{place.directory}/socket drain ") == gateways


def press_tab(command, place, setup, lines):
    """A shell on a terminal, and lines typed there, each with Tab and what is then to be seen, and taken back."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(place.directory)
        os.execvpe(command[0], command, place.environment)

    def await_text(text):
        seen, deadline = b"", time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < deadline, (text, seen)
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536)

    os.write(terminal, setup.encode() + b"\necho re''ady\n")
    await_text(b"ready")
    for line, shown in lines:
        os.write(terminal, line.encode() + b"\t")
        await_text(shown)
        os.write(terminal, b"\x15")
    os.close(terminal)
    os.waitpid(pid, 0)


def test_bash_on_a_terminal():
    with Place() as place:
        press_tab(["bash", "--norc", "--noprofile", "-i"], place, f"source {SCRIPTS}/holdfast.bash", (
            ("holdfast move vp", b"holdfast move vpn "), ("holdfast validate fl", rb"fleet\ one.yaml"),
            ('holdfast validate "fle', b'"fleet one.yaml"'), (r"holdfast validate fleet\ o", rb"validate fleet\ one.yaml"),
            ("holdfast drill --to=gw-a --js", b"--to=gw-a --json"), ("holdfast report --json vp", b"--json vpn"),
            ("holdfast export --fleet=fl", rb"--fleet=fleet\ one.yaml"), ("holdfast import gw-a=x1.conf gw-b=x", b"gw-b=x2.conf")))


def test_zsh_on_a_terminal():
    if not shutil.which("zsh"):
        print("no zsh here", flush=True)
        return
    with Place() as place:
        press_tab(["zsh", "-f", "-i"], place, f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -D -u", (
            ("holdfast move vp", b"move vpn"), ("holdfast sess", b"sessions"), ("holdfast import x1.conf x", b"x1.conf x2.conf"),
            ("holdfast import gw-a=x1.conf gw-b=x", b"gw-b=x2.conf"), (r"holdfast export --fleet fleet\ one.yaml gw-a wg0 --js", b"wg0 --json"),
            ("holdfast drill --to=g", b"--to=gw-"), ("holdfast report --json vp", b"--json vpn"),
            ("holdfast export --fleet=fl", rb"--fleet=fleet\ one.yaml"), ("holdfast --controller='unix:socket' move vp", b"move vpn")))


run_module(globals(), True)
