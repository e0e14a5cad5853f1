# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys and stock WireGuard devices."""
import os
import subprocess

from .wait import wait_for


def private_key():
    return subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout.strip()


def public_key(private):
    return subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()


def write_secret(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")


def create(machine, interface, kernel=False):
    """A device made by wireguard-go, or by the kernel; nothing of it is configured yet."""
    if kernel:
        machine.ip(f"link add {interface} type wireguard")
        return
    # It goes into the background holding on to the output it was given.
    machine.run("sh", "-c", f"LOG_LEVEL=error wireguard-go {interface} > /run/wireguard-go.log 2>&1")
    wait_for(f"{machine.name}: {interface} is there", 10, lambda: interface in machine.run("wg", "show", "interfaces").split())


def is_kernel(machine, interface):
    return "wireguard" in machine.run("ip", "-d", "link", "show", interface)
