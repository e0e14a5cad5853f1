# SPDX-License-Identifier: GPL-2.0-or-later
"""A controller that does what a test tells it: the agents' paths of docs/protocol.md, and no more."""
import ctypes
import http.server
import json
import os
import socket
import ssl
import threading
import urllib.parse

CLONE_NEWNET = 0x40000000


def in_namespace(name, make):
    """make() in a thread inside the network namespace; sockets made there stay there."""
    result = []

    def run():
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)
        result.append(make())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


class Controller:
    """instructions: queued by the test; reports and staged: what the agent said."""

    def __init__(self, namespace, address, port, tls):
        self.changed = threading.Condition()
        self.run = os.urandom(8).hex()
        self.seq = 0
        self.queue = []
        self.report = None
        self.on_report = lambda body: None
        self.reports = 0
        self.staged = None
        self.store = "5d41402abc4b2a76"  # its generations' ...
        self.floor = 0           # ... and what it says of them
        self.closing = False
        self.broken = False      # it has nothing but 500 for anybody
        self.refused = 0         # answers that say so
        self.stranger_to = None  # the store of a controller whose fleet knows this gateway not

        def listen():
            listener = socket.create_server((address, port))
            return listener

        self.listener = in_namespace(namespace, listen)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls + "/ctl.pem", tls + "/ctl.key")
        context.load_verify_locations(tls + "/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer(("", 0), self.handler(), bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = context.wrap_socket(self.listener, server_side=True, do_handshake_on_connect=False)
        self.server.server_address = (address, port)
        self.server.server_name, self.server.server_port = address, port
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.server.handle_error = lambda request, client: None  # the agent is killed in mid-sentence
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def post(self, kind, **members):
        with self.changed:
            self.seq += 1
            self.queue.append({"seq": self.seq, "kind": kind, **members})
            self.changed.notify_all()

    def handler(controller):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, body=b""):
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Holdfast-Store", controller.stranger_to or controller.store)
                self.end_headers()
                self.wfile.write(body)

            def refuse(self):
                controller.refused += 1
                self.answer(404, json.dumps({"version": 1, "type": "urn:holdfast:problem:no-gateway", "title": "Not Found",
                                             "status": 404, "gateway": "gw-a", "store": controller.stranger_to}).encode())

            def refuse_broken(self):
                self.answer(500, json.dumps({"version": 1, "type": "about:blank", "title": "Internal Server Error", "status": 500,
                                             "detail": "disk full"}).encode())

            def do_GET(self):
                if controller.broken:
                    return self.refuse_broken()
                if controller.stranger_to:
                    return self.refuse()
                query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                run, seq = (query.get("after", ["x:0"])[0].split(":") + ["0"])[:2]
                after = int(seq) if run == controller.run else 0
                with controller.changed:
                    controller.queue = [i for i in controller.queue if i["seq"] > after]
                    controller.changed.wait_for(lambda: controller.closing or
                                                any(i["seq"] > after for i in controller.queue), 20)
                    if controller.closing:
                        self.close_connection = True
                        return
                    body = {"version": 1, "run": controller.run, "store": controller.store, "instructions": controller.queue}
                    if controller.floor:
                        body["floor"] = controller.floor
                if controller.broken:
                    return self.refuse_broken()
                self.answer(200, json.dumps(body).encode())

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if controller.broken:
                    return self.refuse_broken()
                if controller.stranger_to:
                    return self.refuse()
                if self.path == "/v1/agent/certificate":
                    pem = controller.certify(body["request"])
                    return self.answer(200, json.dumps({"gateway": "gw-a", "certificate": pem}).encode())
                with controller.changed:
                    if self.path == "/v1/agent/report":
                        controller.report = body
                        controller.reports += 1
                        controller.on_report(body)
                    else:
                        controller.staged = body
                    controller.changed.notify_all()
                self.answer(204)

        return Handler
