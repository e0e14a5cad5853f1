#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wg-quick files become a fleet file, and come back out of it as wg sees them; what cannot be said is told; nothing is replaced."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from runner import run_module  # noqa: E402

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/dev/bin")).resolve()


def wg(*words, stdin=None):
    return subprocess.run(["wg", *words], input=stdin, capture_output=True, text=True, check=True).stdout.strip()


def key():
    private = wg("genkey")
    return private, wg("pubkey", stdin=private)


class Place:
    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-import-"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return name

    def read(self, name):
        return (self.directory / name).read_text()

    def holdfast(self, *words):
        return subprocess.run([BIN / "holdfast", *words], capture_output=True, text=True, cwd=self.directory, umask=0o022)

    def expect(self, *words):
        done = self.holdfast(*words)
        assert done.returncode == 0, done
        return done

    def stripped(self, name):
        """What wg is given, in no particular order: the interface, and peers by key."""
        out = subprocess.run(["wg-quick", "strip", self.directory / name], capture_output=True, text=True, check=True).stdout
        sections = []
        for line in (line.split("#")[0].strip() for line in out.splitlines()):
            if line.startswith("["):
                sections.append([line])
            elif line:
                name, value = (part.strip() for part in line.split("=", 1))
                if name == "AllowedIPs":
                    value = sorted(word.strip() for word in value.split(","))
                sections[-1].append((name, value))
        return sorted(str([section[0], sorted(section[1:])]) for section in sections)


def without_comments(text):
    return "\n".join(line.split(" #")[0] for line in text.splitlines() if not line.startswith("#"))


def plain_conf(private, peers, extra=""):
    return (f"[Interface]\nPrivateKey = {private}\nAddress = 10.50.0.1/24, fd50::1/64\nListenPort = 51820\n{extra}" + "".join(peers))


def peer(public, addresses, name="", rest=""):
    return f"\n{'# ' + name if name else ''}\n[Peer]\nPublicKey = {public}\nAllowedIPs = {addresses}\n{rest}"


def test_there_and_back():
    """export(import(conf)) is conf to wg; import(export(x)) is x."""
    with Place() as place:
        private, _ = key()
        preshared = wg("genpsk")
        alice = key()[1]
        peers = [peer(alice, "10.50.0.2/32, fd50::2/128", "alice"),
                 peer(key()[1], "10.50.0.3/32", "bob", f"PresharedKey = {preshared}\nPersistentKeepalive = 25\n"),
                 peer(key()[1], "192.168.77.0/24, 10.50.0.4/32", "", "Endpoint = site.example.net:4711\n"),
                 peer(key()[1], "0.0.0.0/0, ::/0", "hub", "Endpoint = [2001:db8::7]:51820\n")]
        hooks = ["DNS = 192.168.1.53, fd50::53, corp.example", "PreUp = /usr/local/bin/prepare %i", "PostUp = iptables -A FORWARD -i %i -j ACCEPT; echo \"it's # up\"",
                 f"PostUp = wg set %i peer {alice} persistent-keepalive 0", "PreDown = true", "PostDown = : {a: b}, [c] \\ & é"]
        place.write("gw-a/wg0.conf", plain_conf(private, peers, "MTU = 1400\nTable = off\nFwMark = 0x77\n" + "\n".join(hooks) + "\n"))
        place.expect("import", "gw-a/wg0.conf")
        assert place.expect("validate", "fleet.yaml").stdout.startswith("fleet.yaml: fleet imported is valid: 1 gateway, ")
        modes = {name: (place.directory / name).stat().st_mode & 0o777 for name in ("wg0.key", "psk/bob", "fleet.yaml")}
        assert modes == {"wg0.key": 0o600, "psk/bob": 0o600, "fleet.yaml": 0o644}, modes
        fleet = place.read("fleet.yaml")
        assert private not in fleet and preshared not in fleet and "peer-3:" in fleet, fleet
        (place.directory / "again").mkdir()
        told = place.expect("export", "gw-a", "wg0", "--keys", ".", "--out", "again/wg0.conf").stderr
        assert "post_up number 1: Debian's wg-quick cuts it at its #" in told and told.count("at its #") == 1, told
        assert (place.directory / "again/wg0.conf").stat().st_mode & 0o777 == 0o600
        assert place.stripped("again/wg0.conf") == place.stripped("gw-a/wg0.conf")
        for line in ("Address = 10.50.0.1/24, fd50::1/64", "MTU = 1400", "Table = off"):
            assert line in place.read("again/wg0.conf")
        assert [line for line in place.read("again/wg0.conf").splitlines() if re.match("(Pre|Post)(Up|Down)|DNS", line)] == hooks
        place.expect("import", "gw-a=again/wg0.conf", "--out", "again/fleet.yaml")
        assert without_comments(place.read("again/fleet.yaml")) == without_comments(fleet)
        assert place.read("again/psk/bob") == place.read("psk/bob") and place.read("again/wg0.key") == place.read("wg0.key")


def test_several_gateways():
    with Place() as place:
        private, _ = key()
        alice, bob, carol = key()[1], key()[1], key()[1]
        place.write("gw-a/wg0.conf", plain_conf(private, [peer(alice, "10.50.0.2/32", "alice"), peer(bob, "10.50.0.3/32", "bob")],
                                                f"DNS = 1.1.1.1\nPostUp = /bin/true\nPostUp = wg set %i private-key <(echo {key()[0]})\n"
                                                f"PostUp = x --key={private}\n"))
        place.write("gw-b/wg0.conf", plain_conf(private, [peer(bob, "10.50.0.33/32", "robert"), peer(alice, "10.50.0.2/32"),
                                                          peer(carol, "10.50.0.4/32", "alice")], "MTU = 1380\n"))
        other, _ = key()
        place.write("gw-b/wg1.conf", f"[Interface]\nPrivateKey = {other}\nAddress = 10.60.0.1/24\nListenPort = 51821\n"
                    + peer(key()[1], "10.60.0.2/32", "dave"))
        done = place.expect("import", "gw-a/wg0.conf", "gw-b/wg0.conf", "gw-b/wg1.conf", "--name", "edge")
        fleet = place.read("fleet.yaml")
        assert fleet.count("public_key") == 2 + 4 and "gateways: [gw-a, gw-b]" in fleet and "gw-b: { mtu: 1380, dns: [], post_up: [] }" in fleet and "    dns: [\"1.1.1.1\"]\n" in fleet and "    post_up: [\"/bin/true\"]\n" in fleet, fleet
        assert re.findall(r"^  (\S+):$", fleet.split("\npeers:")[1], re.M) == ["alice", "bob", "alice-2", "dave"], fleet
        assert "allowed_ips: [10.50.0.3/32]" in fleet and "10.50.0.33" not in fleet and fleet.count("tunnels: [wg0]") == 3
        for told in ("gw-a/wg0.conf:5: DNS: kept", "gw-a/wg0.conf:6: PostUp: kept, and runs only where agent.yaml allows it",
                     "gw-a/wg0.conf: PostUp number 2 is left out: there may be a secret key", "gw-a/wg0.conf: PostUp number 3 is left out", "peer bob has another AllowedIPs", "gw-b: its address is not known",
                     "wg0: has one key on 2 gateways", "alice-2: not in the files of all gateways"):
            assert told in done.stderr and told in fleet, (told, done.stderr)
        assert "echo" not in fleet + done.stderr and private not in fleet + done.stderr
        unequal = place.holdfast("export", "gw-a", "wg1")
        assert unequal.returncode == 1 and "wg1 is not on gateway gw-a" in unequal.stderr, unequal


def test_names_that_yaml_takes_for_something_else():
    """null, yes, 1, ... stay names: in what is written, for every reader of YAML, and on the way back."""
    with Place() as place:
        names = ["null", "yes", "1", "0x10", "2027-03-31", "off"]
        peers = [peer(key()[1], f"10.50.0.{number}/32", name, f"PresharedKey = {wg('genpsk')}\n") for number, name in enumerate(names, 2)]
        place.write("confs/on.conf", plain_conf(key()[0], peers))
        place.expect("import", "no=confs/on.conf", "--name", "1")
        fleet = place.read("fleet.yaml")
        assert re.findall(r'^  "(.*)":$', fleet.split("\npeers:")[1], re.M) == names, fleet
        assert 'fleet: "1"' in fleet and '  "no": {' in fleet and '  "on":\n' in fleet and 'gateways: ["no"]' in fleet, fleet
        said = place.expect("validate", "fleet.yaml").stdout
        assert said == "fleet.yaml: fleet 1 is valid: 1 gateway, 0 virtual endpoints, 1 tunnel, 6 peers\n", said
        place.expect("export", "no", "on", "--keys", ".", "--out", "back/on.conf")
        assert place.stripped("back/on.conf") == place.stripped("confs/on.conf")
        assert re.findall(r"^# (.*)\n\[Peer\]", place.read("back/on.conf"), re.M) == names


def test_other_keys_are_other_tunnels():
    with Place() as place:
        for gateway in ("gw-a", "gw-b"):
            place.write(f"{gateway}/wg0.conf", plain_conf(key()[0], []))
        done = place.expect("import", "gw-a/wg0.conf", "gw-b/wg0.conf")
        assert "its interface becomes wg0-2" in done.stderr and "wg0-2.key" in place.read("fleet.yaml"), done
        place.expect("validate", "fleet.yaml")


def test_refused():
    with Place() as place:
        conf = place.write("gw-a/wg0.conf", plain_conf(key()[0], [peer(key()[1], "10.50.0.2/32", "alice", f"PresharedKey = {wg('genpsk')}\n")]))
        place.write("psk/alice", "mine")

        def refused(status, needle, *words):
            before = sorted(place.directory.rglob("*"))
            done = place.holdfast(*words)
            assert done.returncode == status and needle in done.stderr and not done.stdout, done
            assert sorted(place.directory.rglob("*")) == before and place.read("psk/alice") == "mine"

        refused(2, "one or more", "import")
        refused(1, "psk/alice: is already there", "import", conf)
        refused(1, "here twice", "import", conf, conf)
        refused(1, "no name of a gateway", "import", f"a b={conf}")
        refused(1, "nosuch.conf", "import", "nosuch.conf")
        refused(1, "no PrivateKey", "import", place.write("gw-b/wg0.conf", "[Interface]\nAddress = 10.50.0.1/24\n"))
        refused(1, "gw-c/wg0.conf:2", "import", place.write("gw-c/wg0.conf", "[Interface]\nAddres = 10.50.0.1/24\n"))
        place.write("fleet.yaml", "mine")
        (place.directory / "psk/alice").rename(place.directory / "psk/gone")
        place.write("psk/alice", "mine")
        refused(1, "fleet.yaml: is already there", "import", conf)
        refused(2, "--out FILE", "export", "gw-a", "wg0", "--keys", ".")


def test_exported_without_keys():
    """wg reads them where the agent does."""
    with Place() as place:
        private, _ = key()
        place.write("gw-a/wg0.conf", plain_conf(private, [peer(key()[1], "10.50.0.2/32", "alice")]))
        place.expect("import", "gw-a/wg0.conf")
        done = place.expect("export", "gw-a", "wg0")
        assert "PostUp = wg set %i private-key /etc/holdfast/wg0.key\n" in done.stdout and private not in done.stdout, done
        assert "# alice\n[Peer]\n" in done.stdout
        # What a wg-quick file has no word for is told; what is in a path is no command of a shell's.
        fleet = place.read("fleet.yaml")
        text = fleet.replace("    allowed_ips: [10.50.0.2/32]", "    allowed_ips: [10.50.0.2/32]\n    expires: 2999-01-01")
        place.write("expires.yaml", text)
        done = place.expect("export", "gw-a", "wg0", "--fleet", "expires.yaml")
        assert "peer alice: expires: left out: it is let in after" in done.stderr and "# alice" in done.stdout, done
        place.write("expires.yaml", text.replace("2999", "2020"))
        done = place.expect("export", "gw-a", "wg0", "--fleet", "expires.yaml")
        assert "peer alice: left out: it is over since 2020-01-02T00:00:00Z" in done.stderr and "[Peer]" not in done.stdout, done
        for path in ("x; touch y", "$HOME/key", "%i.key", "a#b"):
            place.write("path.yaml", fleet.replace("private_key_file: wg0.key", f"private_key_file: '{path}'"))
            done = place.holdfast("export", "gw-a", "wg0", "--fleet", "path.yaml")
            assert done.returncode == 1 and "--keys" in done.stderr and not done.stdout, done


run_module(globals(), shutil.which("wg") and os.geteuid() == 0)
