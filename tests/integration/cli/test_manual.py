#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--help of each command, and the manual pages: no complaint of man or mandoc, and all that --help tells is in them."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from runner import run_module  # noqa: E402

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/dev/bin")).resolve()
PAGES = BIN.parent / "deploy/man"
ROOT = HERE.parents[2]
NAMES = ["holdfast.1", "holdfast-agent.8", "holdfast-controller.8", "holdfast-fleet.5", "holdfast-agent.yaml.5",
         "holdfast-controller.yaml.5", "holdfast-client.yaml.5"]
READERS = {"holdfast-agent.yaml.5": "node-agent/io/config/config.c", "holdfast-controller.yaml.5": "controller/io/config.c",
           "holdfast-client.yaml.5": "cli/controller.c"}


def output(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    assert done.returncode == 0, done
    return done.stdout


def shown(name):
    """As a person reads it, hyphens as they are typed."""
    text = output("mandoc", "-T", "utf8", PAGES / name)
    return re.sub(".\b", "", text).replace("\u2010", "-").replace("\u2011", "-").replace("\u2212", "-")


def test_no_complaints():
    for name in NAMES:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", PAGES / name], capture_output=True, text=True)
        # Which pages are installed, and mandoc's index of them, is no mistake of a page; and lines may be long.
        complaints = [line for line in (done.stdout + done.stderr).splitlines()
                      if "referenced manual not found" not in line and "outdated mandoc.db" not in line and "input text line longer than" not in line]
        assert not complaints, complaints
        done = subprocess.run(["man", "--warnings=all", "-l", PAGES / name], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": "1"})
        assert done.returncode == 0 and not done.stderr and len(done.stdout.splitlines()) > 20, (name, done.stderr)


def commands():
    listed = output(BIN / "holdfast", "--help")
    names = [line.split()[0] for line in listed.splitlines() if re.match(r"  \S", line)]
    assert len(names) > 20 and "status" in names, names
    return names


def helped(name):
    """What --help of a command says: its usage, and the options it lists."""
    done = subprocess.run([BIN / "holdfast", name, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: holdfast {name}") and not done.stderr, done
    usage, rest = done.stdout.split("\n\n", 1)
    return usage.removeprefix("usage: holdfast "), re.findall(r"^  (?:-\w, )?(--\S+)", rest, re.M)


def test_everything_is_in():
    """Usage, list of options and page name the same ones."""
    page = " ".join(shown("holdfast.1").split())
    for name in commands():
        usage, options = helped(name)
        assert sorted(set(re.findall(r"--[a-z][a-z-]*", usage))) == sorted(options), (name, usage, options)
        assert " ".join(usage.split()) in page, (name, usage)
        for option in options:
            assert option in page, (name, option)
    for option in ("--controller", "--config", "--help", "--version"):
        assert option in page
    assert output(BIN / "holdfast", "--version").startswith("holdfast ")
    for daemon in ("holdfast-agent", "holdfast-controller"):
        page = shown(f"{daemon}.8")
        assert output(BIN / daemon, "--version")
        for option in re.findall(r"^  (--\S+)", output(BIN / daemon, "--help"), re.M):
            assert option in page, (daemon, option)


def test_keys_of_the_fleet():
    page = shown("holdfast-fleet.5")
    for key in ("virtual_endpoints", "private_key_file", "persistent_keepalive", "tunnels.*.forward", "masquerade"):
        assert key in page, key


def keys_that_are_read(source):
    """The reader's tables: known[] of read_root() or of the whole tree, of read_tls() or known_tls[], and so on."""
    keys = set()
    for function, body in re.findall(r"^static int \w*read_(\w+)\((.*?)^}", (ROOT / source).read_text(), re.M | re.S):
        for part, table in re.findall(r"\bknown(\w*)\[\] = \{([^}]*)\}", body):
            whole = function in ("root", "client_tree")
            prefix = f"{part.lstrip('_')}." if part else "" if whole else f"{function}."
            keys.update(prefix + key for key in re.findall(r'"(\w+)"', table))
    return keys


def test_keys_of_the_other_files():
    """Each key of the reader's tables is told, and nothing that it would refuse."""
    for page, source in READERS.items():
        told = re.findall(r"^\.It Li (\S+)$", (PAGES / page).read_text(), re.M)
        known = keys_that_are_read(source)
        assert {"tls", "tls.ca", "tls.certificate", "tls.key"} < known, known
        assert len(told) == len(set(told)) and set(told) == known, (page, set(told) ^ known)


run_module(globals(), shutil.which("mandoc") and shutil.which("man"))
