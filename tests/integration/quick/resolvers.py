# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's own systemd-resolved, openresolv and resolvconf, in a machine of compare.py. Installing them would change the host's
/etc/resolv.conf, and two of them can't be there at once: their packages are unpacked, and lie over /usr and /etc of the machine
only."""
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


def start(host, package, root):
    """On `host`, over which it lies then."""
    host.must(LAY_OVER.format(root=root))
    host.must(START[package])
