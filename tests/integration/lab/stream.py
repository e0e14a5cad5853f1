# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP transfer that says how it goes: one end sends a little every 10 ms, the other takes it in.

As a program: stream.py listen PORT (sends to the first who comes), or stream.py connect ADDRESS PORT (takes in, and prints for every
piece the milliseconds since the one before; "ended: WHY" when it is over). Either ends with its standard input.
"""
import os
import socket
import subprocess
import sys
import threading
import time

PIECE, INTERVAL_S = b"x" * 500, 0.01


def listen(port):
    with socket.create_server(("", port)) as server:
        print("listening", flush=True)
        peer = server.accept()[0]
        while True:
            peer.sendall(PIECE)
            time.sleep(INTERVAL_S)


def connect(address, port):
    with socket.create_connection((address, port)) as peer:
        last = time.monotonic()
        try:
            while peer.recv(65536):
                now = time.monotonic()
                print(round((now - last) * 1000), flush=True)
                last = now
            print("ended: closed", flush=True)
        except OSError as error:
            print(f"ended: {error.strerror}", flush=True)


class Stream:
    """A transfer from one machine to another that came for it."""

    def __init__(self, sender, receiver, address, port):
        self.ended, self.pieces, self._worst_ms = None, 0, 0
        self._sender = self._program(sender, "listen", str(port))
        self._sender.stdout.readline()
        self._receiver = self._program(receiver, "connect", address, str(port))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def worst_ms(self):
        """The longest wait for a piece since this was asked last."""
        worst, self._worst_ms = self._worst_ms, 0
        return worst

    def stop(self):
        for process in (self._sender, self._receiver):
            process.stdin.close()
            process.wait()
        self._reader.join()
        for process in (self._sender, self._receiver):
            process.stdout.close()

    def _program(self, machine, *arguments):
        return machine.spawn(sys.executable, "-B", os.path.abspath(__file__), *arguments,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _read(self):
        for line in self._receiver.stdout:
            if line.startswith("ended"):
                self.ended = line.strip()
                return
            self.pieces += 1
            self._worst_ms = max(self._worst_ms, int(line))


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    if sys.argv[1] == "listen":
        listen(int(sys.argv[2]))
    else:
        connect(sys.argv[2], int(sys.argv[3]))
