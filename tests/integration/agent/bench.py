# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway in a namespace of its own, a router beside it, the real agent, and a controller that obeys."""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from controller import Controller, in_namespace

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # runner.py

BIN = os.environ.get("HOLDFAST_BIN", "build/dev/bin")
VIP = "10.9.0.100"
VIP6 = "2001:db8::100"
PORT = 51820


def run(*command, check=True, stdin=None):
    done = subprocess.run(command, capture_output=True, text=True, input=stdin)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def until(what, condition, seconds=30.0):
    """Wait for a condition; what it returned last is the answer."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Bench:
    def __init__(self):
        self.tag = f"hf{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix="hf-agent-")
        self.gateway, self.router = self.tag + "a", self.tag + "r"
        self.tunnel = f"w{os.getpid()}"
        self.agent = self.controller = None
        self.generation = 0
        self.epoch = 0
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        self.make_network()
        self.make_certificates()
        self.make_keys()
        self.controller = Controller(self.router, "10.9.0.1", 7443, self.dir)

    # ---- the surroundings ----

    def make_network(self):
        a, r = self.gateway, self.router
        for name in (a, r):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for outer, inner, net in (("wan", "eth0", "10.9.0"), ("lan", "eth1", "192.168.1")):
            run("ip", "link", "add", outer, "netns", r, "type", "veth", "peer", "name", inner, "netns", a)
            run("ip", "-n", r, "link", "set", outer, "up")
            run("ip", "-n", a, "link", "set", inner, "up")
            run("ip", "-n", a, "addr", "add", f"{net}.11/24", "dev", inner)
        run("ip", "netns", "exec", r, "sysctl", "-qw", "net.ipv6.conf.wan.keep_addr_on_down=1")
        run("ip", "-n", a, "addr", "add", "2001:db8::11/64", "dev", "eth0", "nodad")
        run("ip", "-n", r, "addr", "add", "2001:db8::1/64", "dev", "wan", "nodad")
        run("ip", "-n", r, "addr", "add", "10.9.0.1/24", "dev", "wan")
        run("ip", "-n", r, "addr", "add", "192.168.1.254/24", "dev", "lan")

    def make_certificates(self):
        for kind, name in (("controller", "ctl"), ("gateway", "gw-a"), ("gateway", "gw-z")):
            self.make_certificate(kind, name)

    def make_certificate(self, kind, name):
        path = f"{self.dir}/{name}"
        if not os.path.exists(self.dir + "/ca.pem"):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=test", "-keyout", self.dir + "/ca.key", "-out", self.dir + "/ca.pem",
                "-addext", "keyUsage=critical,keyCertSign", "-addext", "basicConstraints=critical,CA:true")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", path + ".key", "-out", path + ".csr")
        with open(path + ".ext", "w") as file:
            file.write(f"subjectAltName=URI:holdfast:{kind}:{name}\nbasicConstraints=critical,CA:false\n"
                       "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n")
        self.sign(path)

    def sign(self, path):
        run("openssl", "x509", "-req", "-in", path + ".csr", "-CA", self.dir + "/ca.pem", "-CAkey", self.dir + "/ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", path + ".ext", "-out", path + ".pem")

    def make_old_certificate(self, name, from_hours, to_hours):
        """Valid from and to so many hours from now, which only `openssl ca` can do."""
        path, work = f"{self.dir}/{name}", tempfile.mkdtemp(dir=self.dir)
        open(work + "/index", "w").close()
        with open(work + "/config", "w") as file:
            file.write(f"[ca]\ndefault_ca=it\n[it]\ndatabase={work}/index\nnew_certs_dir={work}\nrand_serial=yes\n"
                       "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        dates = [time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + hours * 3600)) for hours in (from_hours, to_hours)]
        run("openssl", "ca", "-batch", "-config", work + "/config", "-in", path + ".csr", "-out", path + ".pem", "-notext",
            "-cert", self.dir + "/ca.pem", "-keyfile", self.dir + "/ca.key", "-extfile", path + ".ext",
            "-startdate", dates[0], "-enddate", dates[1])

    def make_keys(self):
        self.private = run("wg", "genkey")
        self.public = run("wg", "pubkey", stdin=self.private).strip()
        with open(self.dir + "/wg.key", "w") as file:
            file.write(self.private)
        os.chmod(self.dir + "/wg.key", 0o600)
        self.peer_private = run("wg", "genkey")
        self.peer = run("wg", "pubkey", stdin=self.peer_private).strip()
        with open(self.dir + "/peer.key", "w") as file:
            file.write(self.peer_private)

    def make_client(self):
        """A stock client beside the router: knows the virtual address, says nothing by itself."""
        name = "c" + self.tunnel
        run("ip", "netns", "exec", self.router, "wireguard-go", name)
        run("ip", "netns", "exec", self.router, "wg", "set", name, "private-key", self.dir + "/peer.key", "listen-port",
            "4711", "peer", self.public, "endpoint", f"{VIP}:{PORT}", "allowed-ips", "10.50.0.0/24")
        run("ip", "-n", self.router, "addr", "add", "10.50.0.2/24", "dev", name)
        run("ip", "-n", self.router, "link", "set", name, "up")
        return name

    # ---- the agent ----

    def write_config(self, **changes):
        config = {"gateway": "gw-a", "controllers": ["https://10.9.0.1:7443"],
                  "tls": {"ca": "ca.pem", "certificate": "gw-a.pem", "key": "gw-a.key"},
                  "health": {"listen": "127.0.0.1:9581"}, "state": "state", "run": "run", "log": "debug",
                  "programs": [self.dir + "/told"]}
        config.update(changes)
        path = self.dir + "/agent.yaml"
        with open(path, "w") as file:
            json.dump(config, file)  # JSON is YAML
        return path

    def text(self, name):
        with open(f"{self.dir}/{name}") as file:
            return file.read()

    def log(self):
        path = self.dir + "/agent.log"
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as file:
            return file.read()

    def stood_still_ms(self):
        """For how long the agent did not get its turn, of all its life: what took longer by that says nothing of it."""
        return sum(int(gap) for gap in re.findall(r" stalled gap_ms=(\d+)", self.log()))

    def start(self, path=None, **changes):
        """path: a directory whose programs come before others of their name."""
        environment = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}") if path else None
        log = open(self.dir + "/agent.log", "ab")
        self.agent = subprocess.Popen(["ip", "netns", "exec", self.gateway, BIN + "/holdfast-agent", "--config",
                                       self.write_config(**changes)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        until("the agent is alive", lambda: self.get("/livez")[0] == 200)

    def begin(self):
        """A standby that could take over."""
        self.start()
        self.apply(self.desired())
        until("it is ready", lambda: self.get("/readyz")[0] == 200)

    def stop(self, number=signal.SIGTERM):
        self.agent.send_signal(number)
        status = self.agent.wait(60)
        self.agent = None
        return status

    def start_wrongly(self, **changes):
        """Exit status and what it said."""
        done = subprocess.run(["ip", "netns", "exec", self.gateway, BIN + "/holdfast-agent", "--config",
                               self.write_config(**changes)], capture_output=True, text=True, timeout=10)
        return done.returncode, done.stderr.strip().splitlines()[-1]

    def processes(self):
        """(pid, command line) of all in the gateway; one may be gone before it is looked at."""
        for pid in run("ip", "netns", "pids", self.gateway).split():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    yield int(pid), file.read()
            except (FileNotFoundError, ProcessLookupError):
                pass

    def running(self):
        return [command for _, command in self.processes()]

    def get(self, path):
        def ask():
            try:
                with urllib.request.urlopen("http://127.0.0.1:9581" + path, timeout=2) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()
            except OSError as error:
                return 0, str(error)
        return in_namespace(self.gateway, ask)

    def metric(self, name):
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                return float(line.rsplit(" ", 1)[1])
        return None

    # ---- what the controller says ----

    def desired(self, **changes):
        self.generation += 1
        desired = {
            "version": 1, "generation": self.generation, "store": "5d41402abc4b2a76", "fleet": "test", "gateway": "gw-a",
            "addresses": ["10.9.0.11", "2001:db8::11"], "liveness_ms": 50,
            "tunnels": [{"name": self.tunnel, "private_key_file": "wg.key", "public_key": self.public,
                         "addresses": ["10.50.0.1/24"], "listen_port": PORT, "fwmark": 1212547072, "mtu": 0,
                         "table": "auto", "forward": {"policy": "accept", "snat": [
                             {"from": "10.50.0.0/24", "interface": "eth1"}]}}],
            "endpoints": [{"name": "vpn", "isolation": "hold", "lease_ms": 3000, "dial_interface": "eth0", "dial": [VIP, VIP6],
                           "witness": ["10.9.0.1"], "inside": [{"interface": "eth1", "address": "192.168.1.1/24"}],
                           "routes": [{"to": "172.30.0.0/16", "via": "192.168.1.254", "interface": "eth1",
                                       "table": 0, "metric": 0}],
                           "tunnels": [self.tunnel], "pool": ["gw-a", "gw-b"]}],
            "partners": [{"name": "ctl", "is_controller": True, "addresses": [], "pair_key": "11" * 32},
                         {"name": "gw-b", "is_controller": False, "addresses": ["10.9.0.12"], "pair_key": "22" * 32}],
            "peers": [{"name": "alice", "tunnel": self.tunnel, "public_key": self.peer, "keepalive_s": 25,
                       "allowed_ips": ["10.50.0.2/32", "192.168.77.0/24"]}],
        }
        desired.update(changes)
        return desired

    def stage(self, desired):
        self.controller.staged = None
        self.controller.post("stage", stage={"base": 0, "to": desired, "removed": []})
        return until("an answer to the stage", lambda: self.controller.staged)

    def apply(self, desired):
        staged = self.stage(desired)
        assert staged["ok"], staged
        self.controller.post("commit", commit=desired["generation"])
        until("the generation is held", lambda: (self.controller.report or {}).get("generation") == desired["generation"])

    def order(self, owner):
        self.epoch += 1
        self.controller.post("order", order={"endpoint": "vpn", "epoch": f"60000001.{self.epoch}", "owner": owner,
                                             "cause": "first", "detect_ms": 0})

    def seat(self):
        return ((self.controller.report or {}).get("seats") or [{}])[0]

    def serve(self):
        self.order("gw-a")
        wanted = {"role": "serving", "epoch": f"60000001.{self.epoch}"}      # what it reported before counts for nothing
        until("it serves", lambda: wanted.items() <= self.seat().items())

    # ---- what the kernel holds ----

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.gateway, *arguments, check=check)

    def nft(self, *arguments, check=True):
        return run("ip", "netns", "exec", self.gateway, "nft", *arguments, check=check)

    def has_address(self, device, address):
        return f" {address}" in self.ip("addr", "show", "dev", device, check=False)

    def close(self):
        if not self.dir:
            return
        if self.agent and self.agent.poll() is None:
            self.agent.kill()
            self.agent.wait()
        if self.controller:
            self.controller.close()
        for name in (self.gateway, self.router):
            for pid in run("ip", "netns", "pids", name, check=False).split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            run("ip", "netns", "del", name, check=False)
        for name in (self.tunnel, "c" + self.tunnel):
            try:
                os.unlink(f"/run/wireguard/{name}.sock")
            except FileNotFoundError:
                pass
        if not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        self.dir = None
