# SPDX-License-Identifier: GPL-2.0-or-later
"""/etc/netns, which tests side by side share: who goes last takes it away."""
import os


def make_etc(namespace):
    """/etc/netns/NAMESPACE, also where another's end comes between two looks."""
    while True:
        try:
            return os.makedirs(f"/etc/netns/{namespace}", exist_ok=True)
        except FileNotFoundError:
            pass
