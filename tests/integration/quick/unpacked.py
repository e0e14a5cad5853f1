# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's packages in a directory of their own: installing some would change the machine that the tests run on, or stop others."""
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
CACHE = ROOT + "/build/unpacked"


def merge(root):
    """As on the host, where /bin, /lib and /sbin lead into /usr."""
    for name in ("bin", "lib", "sbin"):
        if os.path.isdir(f"{root}/{name}"):
            shutil.copytree(f"{root}/{name}", f"{root}/usr/{name}", symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(f"{root}/{name}")
    os.makedirs(root + "/etc", exist_ok=True)


def missing(package):
    """The package, and what it depends on that is not installed. None: apt-get knows no such package."""
    got = subprocess.run(["apt-get", "-s", "--no-install-recommends", "install", package], capture_output=True, text=True, timeout=120, check=False)
    return [line.split()[1] for line in got.stdout.splitlines() if line.startswith("Inst ")] if got.returncode == 0 else None


def unpack(package, *others):
    """Where they are, and nothing; or nothing, and why they can't be had."""
    root = f"{CACHE}/{package}"
    if os.path.isdir(root):
        return root, None
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        got = subprocess.run(["apt-get", "-q", "download", package, *others], cwd=place, capture_output=True, text=True, timeout=120, check=False)
        if got.returncode:
            return None, got.stderr.strip()
        for file in [name for name in os.listdir(place) if name.endswith(".deb")]:
            subprocess.run(["dpkg", "-x", f"{place}/{file}", place + "/root"], check=True)
        merge(place + "/root")
        try:
            os.rename(place + "/root", root)
        except OSError:  # another run was first
            assert os.path.isdir(root)
    return root, None
