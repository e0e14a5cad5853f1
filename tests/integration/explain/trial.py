# SPDX-License-Identifier: GPL-2.0-or-later
"""What explain says on a machine of scene.py, and what becomes of a real packet."""
import sys

from scene import FAR, FAR6

LISTENER = """
import socket
listener = socket.create_server(("", 8080))
print("listening", flush=True)
while True:
    listener.accept()[0].close()
"""

CALLER = f"""
import socket, sys
socket.create_connection(("{FAR}", 8080), float(sys.argv[1])).close()
"""


def listen(site):
    """Somebody at the far end's port 8080, and the tunnel is up."""
    listener = site.far.start(sys.executable, "-c", LISTENER)
    assert listener.stdout.readline() == "listening\n"
    assert site.ping() and site.ping(address=FAR6) and site.ping(host=site.lan)
    return listener


def ask(site, how):
    if how.get("forwarded"):
        return site.forwarded()
    if "tcp" in how:
        return site.explain("--tcp", str(how["tcp"]))
    return site.explain(address=how.get("address", FAR))


def happens(site, how, expected):
    if "tcp" in how:
        return site.machine.call(sys.executable, "-c", CALLER, "5" if expected else "0.25")[0] == 0
    return site.arrives(expected, host=site.lan if how.get("forwarded") else site.machine, address=how.get("address", FAR))


def compare(site, name, ruleset, how):
    """Of what is loaded: True, or None if it says that it cannot tell."""
    answer = ask(site, how)
    if not answer.noes and answer.doubts:
        return None
    expected = not answer.noes
    got = happens(site, how, expected)
    assert got == expected, f"{name}: explained {answer.noes or 'no no'}, and the packet {'came' if got else 'did not come'} through:\n{ruleset}"
    return True
