# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's own systemd-resolved, openresolv and resolvconf, in a machine of compare.py. Installing them would change the host's
/etc/resolv.conf, and two of them can't be there at once: their packages are unpacked into build/resolvers, and lie over /usr
and /etc of the machine only."""
import os
import shutil
import subprocess
import tempfile

from compare import ROOT

CACHE = ROOT + "/build/resolvers"
WITH = {"systemd-resolved": ["libsystemd-shared"]}

LAY_OVER = """
mkdir -p /run/over/etc /run/over/work
mount -t overlay none -o lowerdir={root}/usr:/usr /usr
mount -t overlay none -o lowerdir={root}/etc:/etc,upperdir=/run/over/etc,workdir=/run/over/work /etc
mount -t tmpfs none /etc/wireguard
rm -f /etc/resolv.conf /run/bin/resolvconf
"""

START = {
    "systemd-resolved": r"""
grep -q ^messagebus: /etc/passwd || { echo messagebus:x:991:991::/:/bin/false >>/etc/passwd; echo messagebus:x:991: >>/etc/group; }
echo systemd-resolve:x:990:990::/:/bin/false >>/etc/passwd
echo systemd-resolve:x:990: >>/etc/group
printf '[Resolve]\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\nCache=no\nFallbackDNS=\nDNS=192.0.2.1\n' >/etc/systemd/resolved.conf
sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
mkdir -p /run/dbus
install -d -o systemd-resolve -g systemd-resolve /run/systemd/resolve
dbus-daemon --system --nopidfile --fork
/usr/lib/systemd/systemd-resolved </dev/null >/run/resolved.log 2>&1 &
end=$((SECONDS + 20))
until [ -e /run/systemd/resolve/stub-resolv.conf ] && resolvectl status >/dev/null 2>&1; do
	[ $SECONDS -lt $end ] || { cat /run/resolved.log; exit 1; }
done
""",
    "openresolv": """
mkdir -p /run/resolvconf
echo nameserver 192.0.2.1 | resolvconf -a eth0
""",
    "resolvconf": """
mkdir -p /run/resolvconf/interface
ln -s /run/resolvconf/resolv.conf /etc/resolv.conf
resolvconf --enable-updates
echo nameserver 192.0.2.1 | resolvconf -a eth0.inet
""",
}


def merge(root):
    """As on the host, where /bin, /lib and /sbin lead into /usr."""
    for name in ("bin", "lib", "sbin"):
        if os.path.isdir(f"{root}/{name}"):
            shutil.copytree(f"{root}/{name}", f"{root}/usr/{name}", symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(f"{root}/{name}")
    os.makedirs(root + "/etc", exist_ok=True)


def unpack(package):
    """Where it is, and nothing; or nothing, and why it can't be had."""
    root = f"{CACHE}/{package}"
    if os.path.isdir(root):
        return root, None
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        packages = [package, *WITH.get(package, [])]
        got = subprocess.run(["apt-get", "-q", "download", *packages], cwd=place, capture_output=True, text=True, timeout=120, check=False)
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


def start(host, package, root):
    """On `host`, over which it lies then."""
    host.must(LAY_OVER.format(root=root))
    host.must(START[package])
