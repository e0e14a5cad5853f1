# SPDX-License-Identifier: GPL-2.0-or-later
"""One controller with its certificates and files, in a network namespace that ends with the test.

A test program calls main(), which starts it again inside a namespace without a name: nobody else sees it, and nothing
of it is left."""
import base64
import contextlib
import functools
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

from agent import Agent

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/dev/bin"))
LISTEN = "10.8.0.20"
ADDRESSES = {"gw-a": "10.9.0.11", "gw-b": "10.9.0.12", "gw-c": "10.9.0.13"}
PATIENCE_S = 20


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


def until(what, condition, patience_s=PATIENCE_S):
    end = time.monotonic() + patience_s
    while not (result := condition()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)
    return result


def key_text(seed):
    return base64.b64encode(seed.encode().ljust(32, b"=")).decode()


def fleet_text(gateways=("gw-a", "gw-b"), peers=("alice",), lease="3s"):
    text = f"fleet: edge\ndefaults: {{ lease: {lease} }}\ngateways:\n"
    for gateway in gateways:
        text += f"  {gateway}: {{ address: {ADDRESSES[gateway]}, interfaces: {{ wan: eth0 }} }}\n"
    text += ("virtual_endpoints:\n  vpn:\n    gateways: [" + ", ".join(gateways) + "]\n    tunnels: [wg0]\n"
             "    dial: { interface: wan, addresses: [10.9.0.100] }\n"
             "tunnels:\n  wg0:\n    private_key_file: wg0.key\n"
             f"    public_key: \"{key_text('wg0')}\"\n    address: [10.50.0.1/24]\n    listen_port: 51820\n")
    if peers:
        text += "peers:\n"
    for number, peer in enumerate(peers):
        text += f"  {peer}: {{ public_key: \"{key_text(peer)}\", allowed_ips: [10.50.0.{number + 2}/32] }}\n"
    return text


class Authority:
    """Certificates, made with openssl."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        if (directory / f"{name}.key").exists():
            return
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem")

    def issue(self, kind, name, file=None, days=2):
        path = self.directory / (file or name)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{path}.key", "-out", f"{path}.csr")
        extensions = pathlib.Path(f"{path}.ext")
        extensions.write_text(f"subjectAltName=URI:holdfast:{kind}:{name}\nbasicConstraints=critical,CA:false\n")
        run("openssl", "x509", "-req", "-in", f"{path}.csr", "-CA", self.directory / f"{self.name}.pem", "-CAkey",
            self.directory / f"{self.name}.key", "-days", days, "-extfile", extensions, "-out", f"{path}.pem")

    def issue_dated(self, kind, name, from_days, to_days):
        """Valid from and to so many days from now, which only `openssl ca` can do."""
        self.issue(kind, name)
        path = self.directory / name
        self.sign_dated(f"{path}.csr", f"{path}.pem", f"{path}.ext", from_days, to_days, "-cert", self.directory / f"{self.name}.pem")

    def redate(self, from_days, to_days):
        """Its own certificate likewise, of the same key: what it has signed stays as good."""
        path = self.directory / self.name
        pathlib.Path(f"{path}.ext").write_text("basicConstraints=critical,CA:true\n")
        run("openssl", "req", "-new", "-key", f"{path}.key", "-subj", f"/CN={self.name}", "-out", f"{path}.csr")
        self.sign_dated(f"{path}.csr", f"{path}.pem", f"{path}.ext", from_days, to_days, "-selfsign")

    def sign_dated(self, request, certificate, extensions, from_days, to_days, *how):
        work = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        (work / "index").touch()
        (work / "config").write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={work}/index\nnew_certs_dir={work}\nrand_serial=yes\n"
                                     "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        dates = [time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400)) for days in (from_days, to_days)]
        run("openssl", "ca", "-batch", "-config", work / "config", "-in", request, "-out", certificate, "-notext", "-keyfile",
            self.directory / f"{self.name}.key", "-extfile", extensions, "-startdate", dates[0], "-enddate", dates[1], *how)


def metric(bench, name):
    """0 for one that is not there yet."""
    lines = [line for line in bench.health("/metrics")[1].splitlines() if line.startswith(name + " ")]
    return float(lines[0].split()[1]) if lines else 0


def said(bench, line, since=0):
    """How often the log says just this, from that character on; SOMEWHERE: an address and a port."""
    pattern = re.compile(r"\S+ (notice|warning) +" + re.escape(line).replace("SOMEWHERE", r"[\d.]+:\d+"))
    return sum(bool(pattern.fullmatch(each)) for each in bench.log.read_text()[since:].splitlines())


@contextlib.contextmanager
def counted(bench, name, line):
    """Once more in that counter, and said once in the log."""
    before, since = metric(bench, name), len(bench.log.read_text())
    yield
    until(f"{name} counts", lambda: metric(bench, name) == before + 1)
    until(f"the log says {line}", lambda: said(bench, line, since) == 1)


@functools.cache
def certificates():
    """The directory of those that every test has a copy of: made once, they take a fifth of a second."""
    made = tempfile.TemporaryDirectory(prefix="holdfast-controller-")
    authority = Authority(pathlib.Path(made.name))
    authority.issue("controller", "ctl")
    for name in ADDRESSES:
        authority.issue("gateway", name)
    for name in ("alice", "dashboard", "mallory"):
        authority.issue("operator", name)
    return made


class Bench:
    listen = (LISTEN, 7443)

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-controller-"))
        self.process, self.agents = None, []
        self.log = self.directory / "log"
        self.log.touch()
        shutil.copytree(certificates().name, self.directory, dirs_exist_ok=True)
        self.authority = Authority(self.directory)
        self.write_config()

    def close(self):
        for agent in self.agents:
            agent.stop()
        if self.process and self.process.poll() is None:
            self.stop()
        for address in ADDRESSES.values():
            self.add_address(address)
        shutil.rmtree(self.directory)

    # the daemon

    def write_config(self, extra="", without=(), **changes):
        config = {"listen": "%s:%d" % self.listen, "tls": "{ ca: ca.pem, certificate: ctl.pem, key: ctl.key }",
                  "store": "sqlite:state/controller.db", "state": "state", "run": "run",
                  "operators": "{ alice: admin, dashboard: viewer }", "log": "info", **changes}
        text = "".join(f"{key}: {value}\n" for key, value in config.items() if key not in without)
        (self.directory / "controller.yaml").write_text(text + extra)

    def command(self):
        return [str(BIN / "holdfast-controller"), "--config", str(self.directory / "controller.yaml")]

    def start(self, notify=None):
        environment = dict(os.environ, NOTIFY_SOCKET=notify) if notify else None
        self.process = subprocess.Popen(self.command(), stderr=open(self.log, "a"), env=environment)
        until("the controller lives", self.is_up)
        return self

    def is_up(self):
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError):
            return self.health("/livez")[0] == 200

    def stop(self, number=signal.SIGTERM):
        """Ends it; a sanitizer's complaint or another end than was asked for is an error."""
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        text = self.log.read_text()
        assert status == (0 if number != signal.SIGKILL else -number), f"{status}\n{text}"
        assert "Sanitizer" not in text, text

    def start_wrongly(self):
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=PATIENCE_S)
        return done.returncode, done.stderr.strip()

    # its API

    def client_context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.directory / "ca.pem")
        if name:
            context.load_cert_chain(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        return context

    def call(self, method, path, body=None, who="alice", headers=(), timeout=30):
        connection = http.client.HTTPSConnection(*self.listen, context=self.client_context(who), timeout=timeout)
        return self.finish(connection, method, path, body, headers)

    def call_locally(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.directory / "run/controller.sock"))
        return self.finish(connection, method, path, body, ())

    def holdfast(self, *words):
        """The command line, as root does it on the controller's host."""
        return run(BIN / "holdfast", "--controller", f"unix:{self.directory}/run/controller.sock", *words)

    def health(self, path):
        return self.finish(http.client.HTTPConnection("127.0.0.1", 9580, timeout=10), "GET", path, None, ())

    @staticmethod
    def finish(connection, method, path, body, headers):
        with contextlib.closing(connection):
            headers = dict(headers)
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read().decode()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(text) if text and is_json else text

    def status(self):
        status, answer = self.call_locally("GET", "/v1/status")
        assert status == 200, answer
        return answer

    def endpoint(self, name="vpn"):
        return next((endpoint for endpoint in self.status()["endpoints"] if endpoint["name"] == name), None)

    def gateway(self, name):
        return next(gateway for gateway in self.status()["gateways"] if gateway["name"] == name)

    def owner(self, name="vpn"):
        endpoint = self.endpoint(name)
        return endpoint["owner"] if endpoint and endpoint["state"] == "stable" else None

    def events(self, after=0, kind=None):
        status, answer = self.call_locally("GET", f"/v1/events?after={after}")
        assert status == 200, answer
        return [event for event in answer["events"] if kind in (None, event["event"])]

    def apply(self, text, **options):
        return self.call("PUT", "/v1/fleet", {"files": [{"name": "fleet.yaml", "text": text}]}, **options)

    # gateways

    @staticmethod
    def add_address(address):
        run("ip", "address", "replace", f"{address}/32", "dev", "lo")

    @staticmethod
    def remove_address(address):
        run("ip", "address", "delete", f"{address}/32", "dev", "lo")

    def agent(self, name, **options):
        self.add_address(ADDRESSES[name])
        agent = Agent(self, name, ADDRESSES[name], **options)
        self.agents.append(agent)
        return agent

    def start_pair(self):
        """Two gateways in a fleet, the first of them the owner."""
        self.write_config(fleet="fleet.yaml")
        (self.directory / "fleet.yaml").write_text(fleet_text())
        self.start()
        pair = self.agent("gw-a").start(), self.agent("gw-b").start()
        until("gw-a owns vpn", self.settle, patience_s=60)      # one that was late to take it is asked again after 5 s only
        until("gw-b is ready", lambda: self.endpoint()["ready"] == ["gw-b"])
        return pair

    def settle(self):
        """On a busy machine gw-b may be the first that is fit: then it is moved."""
        if self.owner() == "gw-b":
            self.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-a"})
        return self.owner() == "gw-a"


def run_tests(tests):
    failed = 0
    for test in tests:
        began = time.monotonic()
        bench = Bench()
        try:
            test(bench)
            bench.close()
            print(f"ok      {test.__name__}  {time.monotonic() - began:.1f} s", flush=True)
        except Exception:
            failed += 1
            print(f"failed  {test.__name__}", flush=True)
            traceback.print_exc()
            print(bench.log.read_text()[-8000:], flush=True)
            with contextlib.suppress(Exception):
                bench.close()
    return 1 if failed else 0


def main(tests):
    if os.environ.get("HOLDFAST_IN_NAMESPACE") != "1":
        os.environ["HOLDFAST_IN_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--kill-child", "--fork", "--pid", "--mount-proc", sys.executable, "-B"] + sys.argv)
    run("ip", "link", "set", "lo", "up")
    for address in [LISTEN, *ADDRESSES.values()]:
        Bench.add_address(address)
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests if not wanted or test.__name__ in wanted]))
