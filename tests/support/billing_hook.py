#!/usr/bin/env python3
"""A billing hook for tests, on a port of 127.0.0.1 that the kernel chooses. Usage: billing_hook.py SECRET [CERTIFICATE KEY CA]

A line of JSON on stdin sets how questions are answered from then on: {"status": 200, "body": "..."}, {"hang": true}, or
{"close": true}; with "event", those of one event alone. With a certificate it speaks TLS, and wants a certificate of CA
from its client. What happens is printed, one line of JSON a fact: {"port": N}, {"set": N} for the Nth line of stdin, and
for each question {"question": its body, "raw": the same as text, "headers": ..., "is_signed": true or false,
"received_at": milliseconds since 1970}.
"""

import base64
import hashlib
import hmac
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ALLOW = {"status": 200, "body": '{"decision": "allow"}'}
answers = {}
printing = threading.Lock()


def fact(**members):
    with printing:
        print(json.dumps(members), flush=True)


def is_signed(headers, body):
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.new(base64.b64decode(sys.argv[1].removeprefix("whsec_")), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}" in (headers["webhook-signature"] or "").split(" ")


class Hook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        received_at = time.time_ns() // 1_000_000
        body = self.rfile.read(int(self.headers["content-length"]))
        question = json.loads(body)
        answer = answers.get(question["event"], answers.get(None, ALLOW))
        fact(question=question, raw=body.decode(), headers=dict(self.headers), is_signed=is_signed(self.headers, body),
             received_at=received_at)
        if answer.get("hang"):
            self.rfile.read(1)  # until the client closes the connection
        if answer.get("hang") or answer.get("close"):
            self.close_connection = True
            return
        text = answer["body"].encode()
        self.send_response(answer["status"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that closes its connection


def main():
    server = Server(("127.0.0.1", 0), Hook)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        context.load_verify_locations(sys.argv[4])
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fact(port=server.server_address[1])
    for number, line in enumerate(sys.stdin, 1):
        answer = json.loads(line)
        event = answer.pop("event", None)
        if event is None:
            answers.clear()
        answers[event] = answer
        fact(set=number)


main()
