#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""holdfast peer new: what it prints, what it writes and with which modes, what it refuses; codes that hold the file."""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from place import BIN, Place  # noqa: E402
from runner import run_module  # noqa: E402


def dark_modules(conf):
    """As `qrencode` makes them of the same bytes: rows of booleans, no margin."""
    drawn = subprocess.run(["qrencode", "-8", "-l", "L", "-m", "0", "-t", "ASCII", "-o", "-"], input=conf, capture_output=True,
                           check=True).stdout.decode()
    return [[line[i] == "#" for i in range(0, len(line), 2)] for line in drawn.splitlines()]


def modules_of_png(data, scale=8, margin=4):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        size, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == int.from_bytes(data[at + 8 + size:at + 12 + size], "big"), kind
        chunks[kind] = body
        at += size + 12
    side = int.from_bytes(chunks[b"IHDR"][:4], "big")
    rows, stride = zlib.decompress(chunks[b"IDAT"]), 1 + (side + 7) // 8
    assert len(rows) == side * stride

    def dark(x, y):
        return not rows[y * stride + 1 + x // 8] & 0x80 >> x % 8
    width = side // scale - 2 * margin
    assert not any(dark(x, y) for x in range(side) for y in (0, margin * scale - 1, side - 1))
    return [[dark((x + margin) * scale, (y + margin) * scale + scale - 1) for x in range(width)] for y in range(width)]


def modules_of_drawing(text, margin=4):
    rows = []
    for line in text.splitlines():
        rows.append([block in " ▄" for block in line])
        rows.append([block in " ▀" for block in line])
    width = len(rows[0]) - 2 * margin
    return [row[margin:margin + width] for row in rows[margin:margin + width]]


def public_key(conf):
    private = re.search(r"PrivateKey = (\S+)", conf).group(1)
    return subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()


def test_printed():
    with Place() as place:
        before = place.files()
        done = place.holdfast("peer", "new", "carol")
        assert done.returncode == 0 and "Address = 10.50.0.4/32, fd50::3/128\n" in done.stdout, done
        assert "Endpoint = 10.9.0.100:51820\n" in done.stdout and "PresharedKey" not in done.stdout
        entry = re.search(r"^peers:\n(  .*\n)+", done.stderr, re.M).group(0)
        assert public_key(done.stdout) in entry and "PrivateKey" not in done.stderr
        assert place.files() == before
        (place.directory / "carol.conf").write_text(done.stdout)
        subprocess.run(["wg-quick", "strip", place.directory / "carol.conf"], check=True, capture_output=True)


def test_written():
    with Place() as place:
        before = set(place.files())
        done = place.holdfast("peer", "new", "dave", "--into", "peers.d", "--preshared-key", "--png", "dave.png", "--out", "dave.conf",
                              "--address", "10.50.0.77")
        assert done.returncode == 0 and not done.stdout and "include" not in done.stderr, done
        modes = {name: mode for name, mode in place.files().items() if name not in before}
        assert modes == {"peers.d/dave.yaml": 0o644, "psk/dave": 0o600, "dave.png": 0o600, "dave.conf": 0o600}, modes
        conf = (place.directory / "dave.conf").read_text()
        entry = (place.directory / "peers.d/dave.yaml").read_text()
        private = re.search(r"PrivateKey = (\S+)", conf).group(1)
        assert public_key(conf) in entry and private not in entry and "allowed_ips: [10.50.0.77/32]" in entry, entry
        assert f"PresharedKey = {(place.directory / 'psk/dave').read_text().strip()}\n" in conf
        assert modules_of_png((place.directory / "dave.png").read_bytes()) == dark_modules(conf.encode())
        assert "3 peers" in place.holdfast("validate", "fleet.yaml").stdout


def test_on_a_terminal():
    with Place() as place:
        controller, terminal = pty.openpty()
        child = subprocess.Popen([BIN / "holdfast", "peer", "new", "erin"], stdout=terminal, stderr=subprocess.DEVNULL, cwd=place.directory,
                                 env={**os.environ, "NO_COLOR": "1"})
        os.close(terminal)
        seen = b""
        while True:
            try:
                data = os.read(controller, 65536)
            except OSError:  # EIO: the other end is closed
                break
            seen += data
        os.close(controller)
        assert child.wait() == 0
        conf, drawing = seen.decode().replace("\r\n", "\n").split("\n\n█", 1)
        assert "\x1b" not in drawing
        assert modules_of_drawing("█" + drawing) == dark_modules((conf + "\n").encode())


def test_refused():
    with Place() as place:
        (place.directory / "taken").write_text("mine")
        before = place.files()

        def refused(status, needle, *words):
            done = place.holdfast("peer", *words)
            assert done.returncode == status and needle in done.stderr and not done.stdout, done
            assert place.files() == before and (place.directory / "taken").read_text() == "mine"

        refused(2, "needs the word new", "carol")
        refused(2, "a name is made of", "new", "a/b")
        refused(2, "at most one of each family", "new", "carol", "--address", "10.50.0.7", "--address", "10.50.0.8")
        refused(1, "already", "new", "alice")
        refused(1, "belongs to peer alice", "new", "carol", "--address", "10.50.0.2")
        refused(1, 'no tunnel "wg9"', "new", "carol", "--tunnel", "wg9")
        refused(1, "staff", "new", "carol", "--group", "staff")
        refused(1, "taken", "new", "carol", "--preshared-key", "--into", "peers.d", "--out", "taken")
        refused(1, "nosuch.yaml", "new", "carol", "--fleet", "nosuch.yaml")
        left_out = place.holdfast("peer", "new", "frank", "--into", "elsewhere", "--out", "frank.conf")
        assert left_out.returncode == 0 and "no include:" in left_out.stderr, left_out


def test_warned_where_it_helps():
    """Of a doubtful fleet whoever checks, plans or applies it; of a doubtful addition whoever makes it."""
    with Place() as place:
        (place.directory / "peers.d").mkdir()
        entry = place.holdfast("peer", "new", "late").stderr
        entry = re.search(r"^peers:\n(  .*\n)+", entry, re.M).group(0)
        (place.directory / "peers.d/late.yaml").write_text(re.sub(r"\[.*\]", "[10.50.0.65/28]", entry))

        def warned(*words):
            done = place.holdfast(*words)
            assert done.returncode == 0, done
            return [line for line in done.stderr.splitlines() if line.endswith("(warning)")]

        assert len(warned("validate", "fleet.yaml")) == 1
        assert len(warned("plan", "fleet.yaml", "--against", "fleet.yaml")) == 1
        assert warned("export", "gw-a", "wg0") == warned("peer", "new", "carol") == []
        own = warned("peer", "new", "carol", "--address", "192.0.2.7")
        assert len(own) == 1 and own[0].startswith("(the new peer):2:3: peer carol: none of its allowed_ips"), own


run_module(globals(), shutil.which("qrencode") and shutil.which("wg"))
