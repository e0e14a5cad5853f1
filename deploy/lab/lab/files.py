# SPDX-License-Identifier: GPL-2.0-or-later
"""The files a real deployment would have: certificates, keys, the fleet file, each daemon's configuration."""
import base64
import os
import re
import subprocess

from . import network, wireguard
from .wait import LabError

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "two-gateways.yaml")
_TLS = "tls: {{ ca: ca.pem, certificate: {0}.pem, key: {0}.key }}\n"


class Files:
    """Everything below one scratch directory; a gateway's directory is its disk and survives a power cut."""

    def __init__(self, root, programs):
        self.root, self._programs = root, programs
        self.tunnel_key = wireguard.private_key()
        self.tunnel_public = wireguard.public_key(self.tunnel_key)
        self.fleet = self.path("ctl", "etc", "fleet.yaml")
        self.controller = f"{network.CONTROLLER}:7443"
        os.makedirs(self.path("log"))

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def log(self, name):
        return self.path("log", name)

    def make_plain_host(self, name):
        """A directory for a machine that no daemon of ours runs on."""
        os.makedirs(self.path(name))

    def make_authority(self):
        if not os.path.exists(os.path.join(self._programs, "holdfast")):
            raise LabError(f"there is no program holdfast in {self._programs}: it has not been built")
        self._holdfast("init", "--dir", self.path("authority"))

    def make_gateway(self, name):
        etc = self.make_host(name, "gateway", name)
        wireguard.write_secret(os.path.join(etc, "wg0.key"), self.tunnel_key)
        self.write(name, "etc", "agent.yaml", text=(
            f"gateway: {name}\n"
            f"controllers: [\"https://{self.controller}\"]\n" + _TLS.format(name) +
            f"health: {{ listen: \"{network.PLACES[name].management_address}:9581\" }}\n"
            "wireguard: { implementation: auto }\n"
            f"state: {self.path(name, 'state')}\n"))

    def make_controller(self):
        self.make_host("ctl", "controller", "ctl")
        self._certify("operator", "alice", self.path("ctl", "etc"))
        self.write("ctl", "etc", "controller.yaml", text=(
            f"listen: \"{self.controller}\"\n" + _TLS.format("ctl") +
            f"store: sqlite:{self.path('ctl', 'state', 'controller.db')}\n"
            f"state: {self.path('ctl', 'state')}\n"
            "fleet: fleet.yaml\n"
            "operators: { alice: admin }\n"))
        self.write("ctl", "etc", "client.yaml", text=(
            f"controller: \"https://{self.controller}\"\n" + _TLS.format("alice")))

    def write_fleet(self, client_key, more_peers=0, liveness=None, change=None):
        """The documented example with this lab's keys filled in, and as `change` makes it of that."""
        with open(EXAMPLE, encoding="utf-8") as example:
            text = example.read()
        text = _fill_key(text, "wg0", self.tunnel_public)
        text = _fill_key(text, "alice", client_key)
        if liveness:
            text = re.sub(r"\bliveness: *\w+", f"liveness: {liveness}", text, count=1)
        if change:
            text = change(text)
        self.write("ctl", "etc", "fleet.yaml", text=text + "".join(map(_invented_peer, range(more_peers))))

    def write(self, *parts, text):
        with open(self.path(*parts), "w", encoding="utf-8") as file:
            file.write(text)

    def make_host(self, host, kind, name):
        etc = self.path(host, "etc")
        os.makedirs(etc)
        os.makedirs(self.path(host, "state"))
        with open(self.path("authority", "ca.pem"), "rb") as authority, open(os.path.join(etc, "ca.pem"), "wb") as copy:
            copy.write(authority.read())
        self._certify(kind, name, etc)
        return etc

    def _certify(self, kind, name, out):
        self._holdfast("cert", kind, name, "--dir", self.path("authority"), "--out", out)

    def _holdfast(self, *arguments):
        done = subprocess.run([os.path.join(self._programs, "holdfast"), *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, start_new_session=True)
        if done.returncode:
            raise LabError(f"holdfast {arguments[0]}: {(done.stderr or done.stdout).strip()}")


def _fill_key(text, section, key):
    filled, count = re.subn(rf'(?ms)^(  {section}:.*?public_key: *)"[^"]*"', rf'\g<1>"{key}"', text, count=1)
    if not count:
        raise LabError(f"{EXAMPLE}: no public_key under {section}")
    return filled


def _invented_peer(number):
    """A configured peer that never connects."""
    key = base64.b64encode(os.urandom(32)).decode()
    return f'  spare-{number}: {{ public_key: "{key}", allowed_ips: [10.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}/32] }}\n'
