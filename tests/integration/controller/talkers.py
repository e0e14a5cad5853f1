# SPDX-License-Identifier: GPL-2.0-or-later
"""Many gateways that only talk (tests/load), and their fleet: two tunnels, since one has at most 16 gateways, and every peer in both."""
import subprocess

from bench import BIN, key_text, until

PROGRAM = BIN.parent / "tests/load/holdfast-talker"
POOL_MAX = 16
PATIENCE_S = 60      # forty handshakes of programs under sanitizers, on a busy machine


class Talkers:
    def __init__(self, bench, count):
        self._bench, self._processes = bench, []
        self.names = [f"talker-{number:02}" for number in range(count)]
        self._log = bench.directory / "talkers.log"

    def __enter__(self):
        for name in self.names:
            self._bench.authority.issue("gateway", name)
        return self

    def start(self):
        """Until every one has been heard."""
        url = "https://%s:%d" % self._bench.listen
        for name in self.names:
            self._processes.append(subprocess.Popen([PROGRAM, name, url, self._bench.directory], stderr=open(self._log, "a")))
        until("every talker is connected", lambda: sum(gateway["connected"] for gateway in self._bench.status()["gateways"]) == len(self.names), PATIENCE_S)

    def __exit__(self, *_):
        for process in self._processes:
            process.terminate()
        ends = [process.wait(PATIENCE_S) for process in self._processes]
        text = self._log.read_text() if self._log.exists() else ""
        assert not any(ends) and "Sanitizer" not in text, f"{ends}\n{text[-4000:]}"

    def hold(self, generation):
        gateways = self._bench.status()["gateways"]
        return all(gateway["connected"] and gateway["generation"] == generation for gateway in gateways)

    def fleet_text(self, peers, variant=0):
        """`variant` is seen in the first peer's addresses."""
        text = "fleet: load\ngateways:\n"
        text += "".join(f"  {name}: {{ address: 10.9.1.{number + 1} }}\n" for number, name in enumerate(self.names))
        text += "tunnels:\n"
        for number, pool in enumerate((self.names[:POOL_MAX], self.names[POOL_MAX:])):
            text += (f"  wg{number}: {{ private_key_file: wg0.key, public_key: \"{key_text('wg0')}\", address: [10.64.0.1/14], "
                     f"listen_port: {51820 + number}, gateways: [{', '.join(pool)}] }}\n")
        text += "peers:\n"
        for number in range(peers):
            place = 10 * variant if number == 0 else number + 255
            text += (f"  p{number}: {{ public_key: \"{key_text(f'p{number}')}\", "
                     f"allowed_ips: [10.64.{place >> 8}.{place & 255}/32], tunnels: [wg0, wg1] }}\n")
        return text
