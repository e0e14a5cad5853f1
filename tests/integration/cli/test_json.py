#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--json of the commands that make files and tunnels: what is where, and nothing that is secret. Costs some four seconds."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "quick"), str(HERE)]
from place import Place         # noqa: E402
from runner import run_module  # noqa: E402


def test_certificates():
    with Place() as place:
        said, told = place.said("init", "--dir", "pki", "--json")
        assert said == {"authority": "pki/ca.pem", "key": "pki/ca.key", "days": 3650} and not told
        said, told = place.said("cert", "operator", "alice", "--dir", "pki", "--out", "alice", "--days", "7", "--json")
        assert said == {"kind": "operator", "name": "alice", "certificate": "alice/alice.pem", "key": "alice/alice.key", "days": 7}, said
        assert not told
        place.holds("pki/ca.key", 0o600)
        place.holds("alice/alice.key", 0o600)
        again = place.holdfast("init", "--dir", "pki", "--json")
        assert again.returncode == 1 and not again.stdout and "already" in again.stderr, again


def test_keys():
    with Place() as place:
        made, told = place.said("key", "new", "wg0", "--json")
        public = subprocess.run(["wg", "pubkey"], input=(place.directory / "wg0.key").read_text(), capture_output=True, text=True,
                                check=True).stdout.strip()
        assert made == {"tunnel": "wg0", "file": "wg0.key", "public_key": public} and not told
        installed, told = place.said("key", "install", "wg0", "-", "--out", "there.key", "--json",
                                     stdin=(place.directory / "wg0.key").read_text())
        assert installed == {"tunnel": "wg0", "file": "there.key", "public_key": public} and not told


def test_validate():
    with Place() as place:
        said, told = place.said("validate", "fleet.yaml", "--json")
        assert not told and said["valid"] and said["errors"] == [] and said["error_count"] == 0, said
        assert (said["file"], said["fleet"], said["gateways"], said["virtual_endpoints"], said["tunnels"], said["peers"]) == (
            "fleet.yaml", "edge", 2, 1, 1, 2), said
        text = (place.directory / "fleet.yaml").read_text()
        (place.directory / "wrong.yaml").write_text(text.replace("listen_port", "listen_prot") + "\npeer: {}\n")
        said, told = place.said("validate", "--json", "wrong.yaml", status=1)
        assert not told and not said["valid"] and said["error_count"] == len(said["errors"]) >= 2 and "fleet" not in said, said
        line = next(i for i, line in enumerate(text.splitlines(), 1) if "listen_port" in line)
        wrong = next(error for error in said["errors"] if "listen_prot" in error["message"])
        assert wrong["file"] == "wrong.yaml" and wrong["line"] == line and wrong["column"] > 1 and 'did you mean "listen_port"' in wrong["message"]
        plain = place.holdfast("validate", "wrong.yaml")
        assert plain.stderr.splitlines() == ["{file}:{line}:{column}: {message}".format(**error) for error in said["errors"]], plain
        missing = place.holdfast("validate", "--json", "nosuch.yaml")
        assert missing.returncode == 1 and not missing.stdout and "nosuch.yaml" in missing.stderr


def test_warnings_are_no_errors():
    with Place() as place:
        (place.directory / "peers.d").mkdir()
        (place.directory / "peers.d/late.yaml").write_text(
            f'peers:\n  late:\n    public_key: "{"B" * 42}A="\n    allowed_ips: [10.50.0.9/32]\n    expires: 2020-01-01\n')
        said, _ = place.said("validate", "fleet.yaml", "--json")
        assert said["valid"] and said["warning_count"] == len(said["warnings"]) == 1, said
        assert said["warnings"][0]["file"].endswith("peers.d/late.yaml") and said["warnings"][0]["line"] == 5, said


def test_peer():
    with Place() as place:
        refused = place.holdfast("peer", "new", "carol", "--json")
        assert refused.returncode == 2 and not refused.stdout and "--out FILE or --png FILE" in refused.stderr, refused
        said, told = place.said("peer", "new", "carol", "--json", "--out", "carol.conf", "--png", "carol.png", "--preshared-key",
                                "--into", "peers.d")
        assert not told and said["included"] is True and said["entry_file"] == "peers.d/carol.yaml", (said, told)
        assert said["addresses"] == ["10.50.0.4/32", "fd50::3/128"] and said["name"] == "carol", said
        assert (said["file"], said["png"], said["preshared_key_file"]) == ("carol.conf", "carol.png", "psk/carol")
        assert said["entry"] == (place.directory / "peers.d/carol.yaml").read_text() and said["public_key"] in said["entry"]
        place.holds("carol.conf", 0o600)
        place.holds("psk/carol", 0o600)
        said, _ = place.said("peer", "new", "dave", "--json", "--out", "dave.conf", "--into", "elsewhere")
        assert said["included"] is False and "preshared_key_file" not in said, said


def test_import_and_export():
    with Place() as place:
        keys = [subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout.strip() for _ in range(3)]
        public = subprocess.run(["wg", "pubkey"], input=keys[1], capture_output=True, text=True, check=True).stdout.strip()
        (place.directory / "wg0.conf").write_text(f"[Interface]\nPrivateKey = {keys[0]}\nAddress = 10.50.0.1/24\nListenPort = 51820\nDNS = 1.1.1.1\n"
                                                  f"# alice\n[Peer]\nPublicKey = {public}\nPresharedKey = {keys[2]}\nAllowedIPs = 10.50.0.2/32\n")
        said, told = place.said("import", "gw-a=wg0.conf", "--out", "made/fleet.yaml", "--json")
        assert not told and said["valid"] and said["fleet"] == "made/fleet.yaml", (said, told)
        assert sorted(said["keys"]) == ["made/psk/alice", "made/wg0.key"] and any("DNS" in note for note in said["notes"]), said
        shown, told = place.said("export", "gw-a", "wg0", "--fleet", "made/fleet.yaml", "--json")
        plain = place.holdfast("export", "gw-a", "wg0", "--fleet", "made/fleet.yaml")
        assert shown["text"] == plain.stdout and shown["gateway"] == "gw-a" and shown["tunnel"] == "wg0" and not told, shown
        written, _ = place.said("export", "gw-a", "wg0", "--fleet", "made/fleet.yaml", "--keys", "made", "--out", "back.conf", "--json")
        assert written == {"gateway": "gw-a", "tunnel": "wg0", "file": "back.conf", "notes": []}, written
        assert keys[0] in (place.directory / "back.conf").read_text()
        place.holds("back.conf", 0o600)


def test_tunnels():
    """An object on standard output, whatever hooks print there; the keys of the file, of its comments and of its hooks are not in it."""
    from compare import can_run
    from machine import FULL, INTERFACE, PRIVATE, Machine, steps
    if not can_run():
        print("no namespaces here", flush=True)
        return
    preshared, hidden, token = (subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout.strip() for _ in range(3))
    text = (INTERFACE + f"# PrivateKey = {hidden}\nPostUp = echo {token}\nPreDown = echo {token}\nDNS = 10.50.0.1\n" + FULL + f"PresharedKey = {preshared}\n")
    with Machine() as machine:
        def told(verb, *options):
            assert machine.holdfast(verb, "wg0", "--json", *options) == 0, machine.said
            assert not any(secret in machine.out for secret in (PRIVATE, preshared, hidden, token)), machine.out
            said = json.loads(machine.out)
            assert (said["interface"], said["file"]) == ("wg0", "/etc/wireguard/wg0.conf") and said["dry_run"] == ("--dry-run" in options), said
            return said

        machine.write("/etc/wireguard/wg0.conf", text)
        said = told("strip")
        assert "AllowedIPs = 0.0.0.0/0, ::/0" in said["text"] and "Address" not in said["text"] and said["steps"] == said["warnings"] == [], said
        would = told("up", "--dry-run")["steps"]
        assert "PostUp" in would and any(step.startswith("ip link add dev wg0") or "wireguard-go" in step for step in would), would
        assert "does not exist" in machine.call("ip", "link", "show", "wg0")[2]
        did = told("up")["steps"]
        assert len(did) == len(steps(machine)) and "PostUp" in did and f"\n{token}\n" in machine.said, (did, machine.said)
        machine.must("wg set wg0 fwmark 0x77")
        would = told("save", "--dry-run")["text"]
        assert "FwMark = 0x77" in would and "Address" in would and "PostUp" not in would and "0x77" not in machine.read("/etc/wireguard/wg0.conf"), would
        assert told("save")["steps"] == ["save /etc/wireguard/wg0.conf"]
        kept = machine.read("/etc/wireguard/wg0.conf")
        assert "FwMark = 0x77" in kept and all(secret in kept for secret in (PRIVATE, preshared, hidden, token)), kept
        released = told("release")
        assert any("src_valid_mark" in warning for warning in released["warnings"]) and released["steps"], released
        assert told("adopt")["steps"]
        assert "PreDown" in told("down")["steps"]
        assert machine.holdfast("down", "wg0", "--json") == 1 and not machine.out and "is not" in machine.said, machine.said
        assert machine.holdfast("up", "wg9", "--json") == 1 and not machine.out and "does not exist" in machine.said, machine.said


run_module(globals(), shutil.which("wg") and os.geteuid() == 0)
