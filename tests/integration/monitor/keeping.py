# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a fleet: a namespace with `holdfast up` and an agent alone, a router, a name server and the far end of a tunnel."""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "agent"))
from bench import BIN, run, until  # noqa: E402
from etc_netns import make_etc  # noqa: E402
from runner import run_all  # noqa: E402
from trouble import mend, print_table  # noqa: E402

FAR_PORT = 4712
HOLDFAST = os.path.abspath(BIN) + "/holdfast"
AGENT = os.path.abspath(BIN) + "/holdfast-agent"


def with_its_powers(more):
    """What its unit leaves it of root's, and what a drop-in adds."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../deploy/systemd/holdfast-agent.service"), encoding="ascii") as unit:
        powers = next(line for line in unit if line.startswith("CapabilityBoundingSet=")).split("=")[1].split()
        powers += more
    return ["setpriv", "--no-new-privs", "--bounding-set", "-all," + ",".join("+" + power.removeprefix("CAP_").lower() for power in powers)]


class Machine:
    def __init__(self):
        self.host, self.router = f"hk{os.getpid()}a", f"hk{os.getpid()}r"
        self.dir = tempfile.mkdtemp(prefix="hf-keep-")
        self.agent = self.dnsmasq = None
        self.devices = []
        self.spaces = []
        self.enter = ["ip", "netns", "exec", self.host]
        self.far_private = run("wg", "genkey").strip()
        self.far = run("wg", "pubkey", stdin=self.far_private).strip()
        self.private = run("wg", "genkey").strip()
        self.public = run("wg", "pubkey", stdin=self.private).strip()
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        self.make_network()
        self.put_foreign()

    def make_network(self):
        for name in (self.host, self.router):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.make_link("wan", "eth0")
        run("ip", "netns", "exec", self.router, "sysctl", "-qw", "net.ipv6.conf.wan.keep_addr_on_down=1")
        for address in ("10.9.0.1/24", "10.9.0.21/24", "10.9.0.22/24"):
            run("ip", "-n", self.router, "addr", "add", address, "dev", "wan")
        run("ip", "-n", self.router, "addr", "add", "2001:db8::1/64", "dev", "wan", "nodad")
        self.ip("addr", "add", "10.9.0.11/24", "dev", "eth0")
        self.ip("addr", "add", "2001:db8::11/64", "dev", "eth0", "nodad")
        self.ways()
        make_etc(self.host)  # ip netns exec puts what is in there over /etc
        self.resolv = f"/etc/netns/{self.host}/resolv.conf"
        self.resolv_conf("nameserver 10.9.0.1\noptions timeout:1 attempts:1\n")

    def ways(self):
        self.ip("route", "replace", "default", "via", "10.9.0.1")
        self.ip("-6", "route", "replace", "default", "via", "2001:db8::1")

    def make_link(self, outer, inner):
        run("ip", "link", "add", outer, "netns", self.router, "type", "veth", "peer", "name", inner, "netns", self.host)
        run("ip", "-n", self.router, "link", "set", outer, "up")
        self.ip("link", "set", inner, "up")

    def resolv_conf(self, text):
        with open(self.resolv, "w") as file:
            file.write(text)

    # ---- what others have ----

    def put_foreign(self):
        for family in ("-4", "-6"):
            self.ip(family, "rule", "add", "priority", "100", "fwmark", "7", "table", "77")
        self.ip("route", "add", "10.99.0.0/16", "via", "10.9.0.1", "proto", "static")
        self.ip("route", "add", "10.98.0.0/16", "via", "10.9.0.1", "table", "77")
        self.ip("addr", "add", "10.9.0.55/24", "dev", "eth0")
        self.inside("nft", "add table inet other; add chain inet other c; add rule inet other c counter accept")

    def put_rules_back(self):
        for family in ("-4", "-6"):
            for rule in ("priority 100 fwmark 7 table 77", "priority 32766 table main", "priority 32767 table default"):
                run("ip", "-n", self.host, family, "rule", "del", *rule.split(), check=False)
                if family == "-4" or "default" not in rule:
                    self.ip(family, "rule", "add", *rule.split())

    def foreign(self):
        def lines(*what):
            return [line for line in self.ip(*what).splitlines()
                    if "158" not in line and not any(device in line for device in self.devices)]
        rules = [line for family in ("-4", "-6") for line in lines(family, "rule")]
        return rules, lines("route", "show", "table", "all", "type", "unicast"), \
            lines("-6", "route", "show", "table", "77"), \
            [line for line in lines("-o", "addr", "show", "dev", "eth0") if "inet " in line], \
            re.sub(r"packets \d+ bytes \d+", "", self.inside("nft", "list", "table", "inet", "other"))

    # ---- the far end, and who knows where it is ----

    def make_far(self):
        device = f"y{os.getpid()}"
        self.devices.append(device)
        with open(self.dir + "/far.key", "w") as file:
            file.write(self.far_private)

        def there(*command):
            return run("ip", "netns", "exec", self.router, *command)
        there("wireguard-go", device)
        there("wg", "set", device, "private-key", self.dir + "/far.key", "listen-port", str(FAR_PORT), "peer", self.public,
              "allowed-ips", "10.60.0.0/24")
        there("ip", "addr", "add", "10.60.0.2/24", "dev", device)
        there("ip", "link", "set", device, "up")
        return device

    def dns(self, *addresses):
        with open(self.dir + "/hosts", "w") as file:
            file.writelines(f"{address} site1.example.test\n" for address in addresses)
        if self.dnsmasq:
            self.dnsmasq.send_signal(signal.SIGHUP)
            return
        self.dnsmasq = subprocess.Popen(
            ["ip", "netns", "exec", self.router, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
             "--no-hosts", "--addn-hosts=" + self.dir + "/hosts", "--listen-address=10.9.0.1", "--bind-interfaces",
             "--user=root", "--pid-file=", "--local=/test/", "--log-queries", "--log-facility=" + self.dir + "/dnsmasq.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # ---- tunnels ----

    def write(self, letter, interface, peer):
        """DIR/NAME.conf; the name."""
        name = f"{letter}{os.getpid()}"
        if name not in self.devices:
            self.devices.append(name)
        with open(f"{self.dir}/{name}.conf", "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"[Interface]\nPrivateKey = {self.private}\n{interface}\n[Peer]\nPublicKey = {self.far}\n{peer}\n")
        return name

    def start_holdfast(self, verb, name, **options):
        return subprocess.Popen([*self.enter, HOLDFAST, verb, "--run", self.dir + "/run",
                                 f"{self.dir}/{name}.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **options)

    def holdfast(self, verb, name, status=0):
        child = self.start_holdfast(verb, name)
        said = child.communicate(timeout=90)[0]
        assert child.returncode == status, f"{verb} {name}: {said}"
        return said

    def inside(self, *command, check=True):
        return run("ip", "netns", "exec", self.host, *command, check=check)

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.host, *arguments, check=check)

    # ---- the agent ----

    def launch(self, port=9581, powers=(), **environment):
        """An agent; it need not answer yet."""
        path = f"{self.dir}/agent-{port}.yaml"
        with open(path, "w") as file:
            json.dump({"health": {"listen": f"127.0.0.1:{port}"}, "run": "run", "log": "debug"}, file)  # JSON is YAML
        with open(self.dir + "/agent.log", "ab") as log:
            return subprocess.Popen(["ip", "netns", "exec", self.host, *with_its_powers(powers), AGENT, "--config", path],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment})

    def start(self, **options):
        self.agent = self.launch(**options)
        until("the agent answers", lambda: self.ask("/v1/status"))

    def stop(self, number=signal.SIGTERM):
        self.agent.send_signal(number)
        status = self.agent.wait(60)
        self.agent = None
        return status

    def ask(self, path):
        text = run("curl", "-s", "--unix-socket", self.dir + "/run/agent.sock", "http://localhost" + path, check=False)
        return json.loads(text) if text else None

    def ready(self):
        return json.loads(self.inside("curl", "-s", "http://127.0.0.1:9581/readyz"))

    def metric(self, name):
        for line in self.inside("curl", "-s", "http://127.0.0.1:9581/metrics").splitlines():
            if line.startswith(name + " "):
                return int(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no metric {name}")

    def log(self):
        return open(self.dir + "/agent.log", errors="replace").read()

    def said(self, pattern=r"repaired what=.+ why=.+ took_ms=\d+"):
        return re.findall(pattern, self.log())

    def is_kept(self, name):
        return any(tunnel == {"name": name, "state": "up", "failure": ""} for tunnel in self.ask("/v1/status")["tunnels"])

    def up(self, name):
        said = self.holdfast("up", name)
        until(f"{name} is kept", lambda: self.is_kept(name))
        return said

    def quiet(self, name):
        """The looks after the last change are over, and the next one finds nothing."""
        def settled():
            looks, operations = self.metric("holdfast_plan_looks_total"), self.metric("holdfast_plan_operations_total")
            self.nudge(name)
            until("a look", lambda: self.metric("holdfast_plan_looks_total") > looks)
            return self.metric("holdfast_plan_operations_total") == operations
        until("a look that finds nothing", settled)

    def nudge(self, name):
        """An event that means nothing: a look, now."""
        self.queue = 500 + (getattr(self, "queue", 0) + 1) % 100
        self.ip("link", "set", name, "txqueuelen", str(self.queue))

    def trouble(self, what, act, mended, said=None, seconds=90):
        if self.agent and self.ask("/v1/status")["tunnels"]:
            self.quiet(self.devices[0])
        return mend(what, act, mended, said or self.said, until, seconds)

    def close(self):
        if not self.dir:
            return
        for child in (self.agent, self.dnsmasq):
            if child and child.poll() is None:
                child.kill()
                child.wait()
        for name in (self.host, self.router, *self.spaces):
            for pid in run("ip", "netns", "pids", name, check=False).split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            run("ip", "netns", "del", name, check=False)
        for device in self.devices:
            for directory in ("/run/wireguard", "/var/run/wireguard"):
                if os.path.exists(f"{directory}/{device}.sock"):
                    os.unlink(f"{directory}/{device}.sock")
        for name in (self.host, *self.spaces):
            shutil.rmtree(f"/etc/netns/{name}", ignore_errors=True)
        try:
            os.rmdir("/etc/netns")
        except OSError:
            pass  # somebody else's are in there
        if not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        self.dir = None


def main(tests, machine, title):
    run_all(tests, machine, log=machine.log)
    print_table(title)
