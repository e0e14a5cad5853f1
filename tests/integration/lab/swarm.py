# SPDX-License-Identifier: GPL-2.0-or-later
"""Many live sessions in the lab: holdfast-swarm on a client machine of its own, behind the NAT; a source port for each."""
import ipaddress
import json
import math
import os
import subprocess

from labtest import ROOT, wait_for
from lab import network
from lab.scene import HOME

FIRST, TARGET = "10.52.0.1", "10.50.0.1"
SELDOM = 1e-6
GIVEN_S = 12      # longer than most of what a new owner tries, shorter than the 15 s after which a stock client helps itself


def program():
    built = os.path.dirname(os.environ.get("HOLDFAST_BIN") or os.path.join(ROOT, "build", "release", "bin"))
    return os.path.join(built, "tests", "swarm", "holdfast-swarm")


class Swarm:
    """`count` clients; peer_lines() go into the fleet file, then connect()."""

    def __init__(self, count, ping_ms=1000, name="swarm", index=9, first=FIRST):
        self.count, self._ping_ms, self._seed, self._process = count, ping_ms, os.urandom(16).hex(), None
        self._name, self._index, self._first = name, index, first

    def peer_lines(self):
        keys = subprocess.run([program(), "keys", self._seed, str(self.count)], capture_output=True, text=True, check=True).stdout.split()
        first = ipaddress.ip_address(self._first)
        return "".join(f'  {self._name}-{n}: {{ public_key: "{key}", allowed_ips: [{first + n}/32] }}\n' for n, key in enumerate(keys))

    def connect(self, scene, seconds=60, every=0.2):
        """Until each client has an answer from the gateway."""
        machine = scene.network.add_client(self._name, self._index)
        self._process = machine.spawn(program(), "run", self._seed, str(self.count), scene.files.tunnel_public, network.DIAL, str(network.PORT),
                                      self._first, TARGET, str(self._ping_ms), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait_answered(seconds, every)

    def wait_answered(self, seconds=60, every=0.2):
        wait_for(f"{self.count} clients have answers", seconds, lambda: self.state()["answered"] == self.count, every=every)

    def state(self):
        return self._ask("state")

    def begin(self):
        """From now on answers count; returns when that was."""
        return self._ask("begin")["begun"] / 1000

    def cross(self):
        """The new owner's first initiation to each will cross with the client's own. Waits until each may initiate."""
        wait_for(f"{self.count} clients may initiate", 10, lambda: self.state()["may_initiate"] == self.count)
        self._ask("cross")

    def result(self, seconds):
        """When they had their first answer since begin(), in ms; waits for the last as long."""
        return self._ask(f"result {seconds}")

    def stop(self):
        if self._process:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()

    def _ask(self, question):
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def known_everywhere(scene, count):
    """Whether each gateway knows so many sessions, by its own metrics."""
    def sessions(gateway):
        text = scene.network.machines["ctl"].run("curl", "-s", f"http://{gateway.place.management_address}:9581/metrics", check=False)
        return next((float(line.split()[1]) for line in text.splitlines() if line.startswith("holdfast_sessions ")), 0)
    return all(sessions(gateway) >= count for gateway in scene.gateways.values())


def lose(scene, percent):
    """On the router, of all that clients and gateways send each other, each way; 0 ends it."""
    rules = "" if not percent else f"""
        table inet loss {{
          chain forward {{
            type filter hook forward priority 0;
            numgen random mod 100 < {percent} drop
          }}
        }}"""
    scene.network.machines["nat"].run("nft", "-f", "-", text="table inet loss\ndelete table inet loss\n" + rules)


def cut_power(scene, swarm, seconds=GIVEN_S, others=()):
    """The owner's power; what the clients saw of it, times in ms from the cut. Answers count once all its links are down, and `hundreds`
    (how many in the first 100 ms, in the second ...) are from there, a few ms later. Of `others` the caller asks for the result."""
    owner = scene.gateways[HOME]
    cut = owner.machine.links_down()
    begun = swarm.begin()
    for other in others:
        other.begin()
    owner.power_off()
    result = swarm.result(seconds)
    for name in ("first_ms", "p50_ms", "p99_ms", "all_ms"):
        result[name] += (begun - cut) * 1000 if result[name] >= 0 else 0
    return result


def say(what, result):
    print(f"{what}: {result['back']} of {result['clients']} back, half after {result['p50_ms']:.0f} ms, 99 % after {result['p99_ms']:.0f}, "
          f"all after {result['all_ms']:.0f}; {result['after_a_second']} after more than a second", flush=True)


def later_than(result, bound_ms):
    """How many came back, rounded to 100 ms in their favour."""
    return sum(result["hundreds"][round(bound_ms / 100):])


def distribution(results):
    """Over all of them: `3 in 300, 150 in 400, ... ms`."""
    longest = max(len(result["hundreds"]) for result in results)
    counts = [sum(result["hundreds"][n] for result in results if n < len(result["hundreds"])) for n in range(longest)]
    return ", ".join(f"{count} in {(n + 1) * 100}" for n, count in enumerate(counts) if count) + " ms"


def fails(loss_percent):
    """How likely a try fails: its response is lost, or all three copies of its initiation, or of its confirmation."""
    loss = loss_percent / 100
    return 1 - (1 - loss) * (1 - loss ** 3) ** 2


def expected_tries(loss_percent, sessions):
    """Sessions that need a second, third, fourth and fifth try."""
    return [round(sessions * fails(loss_percent) ** tries, 3) for tries in range(1, 5)]


def late_by_chance(loss_percent, sessions):
    """More of them than this are late less than once in a million runs. A fifth try is too late for a second, and the fourth is where the ping
    that would show it, or its answer, is lost. They are few of many, so Poisson's distribution has it."""
    failing = fails(loss_percent)
    expected = sessions * (failing ** 4 + failing ** 3 * (1 - (1 - loss_percent / 100) ** 2))
    count, chance = 0, math.exp(-expected)
    beyond = 1 - chance
    while beyond > SELDOM:
        count += 1
        chance *= expected / count
        beyond -= chance
    return count


def all_together(results, loss_percent):
    """Whether the power cuts hold what is promised of all of them, and a sentence: what each may have by chance, all together may not. `late` of
    each: how many were, None where its times are not judged; `excused`: how many more came after a second, no later than a late half explains."""
    judged = [result for result in results if result["late"] is not None]
    late, excused, sessions = (sum(result[name] for result in judged) for name in ("late", "excused", "clients"))
    late_max = late_by_chance(loss_percent, sessions)
    return late <= late_max, (f"{late} of {sessions} sessions in {len(judged)} power cuts were late, {late_max} may be by chance; {excused} more "
                              f"came after a second, excused since half of their cut were late; {len(results) - len(judged)} cuts are not "
                              f"judged, this machine stood still")
