#!/usr/bin/env python3
"""A subscriber to webhooks in a process of its own, well or badly behaved as stdin demands.

webhook_receiver.py [--port N] FILE SECRET...: listens on 127.0.0.1, at a port that the kernel chooses or at N, and prints one
fact a line:
  port N
  got PATH ID TYPE PARK_ID VERDICT ANSWER
Each request is a line of JSON of FILE, too: id, timestamp, signature and body as they came.
VERDICT is "genuine" if webhook-signature has, for each SECRET, the HMAC that Standard Webhooks demands, made here by
Python's own, and nothing else; or else "forged". ANSWER is the status that is sent, "hang" or "close".
A line on stdin, "PATH ANSWER [COUNT]", sets the answer to requests of a path, or of each path ("*"): a status, "hang" or
"close"; of the next COUNT requests alone, if there is one. It is 200 until then. A "503+7" has Retry-After: 7.
"""

import base64
import hashlib
import hmac
import json
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
ANSWERS = {}  # path -> list of [answer, how often, None: for ever]


def fact(*words):
    with LOCK:
        print(*words, flush=True)


def answer_to(path):
    with LOCK:
        for key in (path, "*"):
            rules = ANSWERS.get(key, [])
            if not rules:
                continue
            answer, count = rules[0]
            if count is not None:
                rules[0][1] -= 1
                if rules[0][1] == 0:
                    rules.pop(0)
            return answer
    return "200"


def is_genuine(headers, body, secrets):
    """Standard Webhooks 1.0: "v1," and the HMAC-SHA256 of id.timestamp.body, one for each secret."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        wanted.append("v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode())
    return headers["webhook-signature"].split(" ") == wanted


class Subscriber(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802, the name is http.server's
        body = self.rfile.read(int(self.headers["content-length"]))
        event = json.loads(body)
        verdict = "genuine" if is_genuine(self.headers, body, self.server.secrets) else "forged"
        self.store(body.decode())
        answer = answer_to(self.path)
        fact("got", self.path, self.headers["webhook-id"], event["type"], event["data"]["park_id"], verdict, answer)
        if answer == "hang":
            self.connection.recv(1)  # until the client closes
        if answer in ("hang", "close"):
            self.close_connection = True
            return
        status, _, retry_after = answer.partition("+")
        self.send_response(int(status))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def store(self, body):
        line = json.dumps({"path": self.path, "id": self.headers["webhook-id"], "body": body,
                           "timestamp": int(self.headers["webhook-timestamp"]),
                           "signature": self.headers["webhook-signature"]})
        with LOCK, open(self.server.file, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    file = ""
    secrets = ()

    def server_bind(self):  # without http.server's look-up of the host's name
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address

    def handle_error(self, *_):
        pass


def main(arguments):
    port = 0
    if arguments[:1] == ["--port"]:
        port, arguments = int(arguments[1]), arguments[2:]
    server = Server(("127.0.0.1", port), Subscriber)
    server.file, server.secrets = arguments[0], arguments[1:]
    fact("port", server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:
        path, answer, *count = line.split()
        with LOCK:
            if not count:
                ANSWERS[path] = []
            ANSWERS.setdefault(path, []).append([answer, int(count[0]) if count else None])
        fact("set", path, answer, *count)


if __name__ == "__main__":
    main(sys.argv[1:])
