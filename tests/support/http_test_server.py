#!/usr/bin/env python3
"""HTTP/1.1 servers for tests of a client: the path of a request decides how a server behaves, well or badly.

A line on stdin starts a server, by the options below; it listens on a port of 127.0.0.1 that the kernel chooses. What
happens is printed, one fact a line, with the number of the server, S, from 1:
  S port N
  S opened C              a connection, numbered from 1
  S request C METHOD PATH
  S closed C by client    the client closed or reset it
  S closed C by server
  S refused C REASON      the TLS handshake failed
"""

import argparse
import json
import socket
import ssl
import sys
import threading
import time


class ClosedByClient(Exception):
    pass


class Connection:
    def __init__(self, sock, number, listener):
        self.sock = sock
        self.listener = listener
        self.number = number
        self.unread = b""
        self.requests = 0

    def receive(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise ClosedByClient from error
        if not data:
            raise ClosedByClient
        self.unread += data

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise ClosedByClient from error

    def wait_for_the_end(self):
        while True:
            self.receive()

    def read_request(self):
        while b"\r\n\r\n" not in self.unread:
            self.receive()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = [line.split(": ", 1) if ": " in line else [line.rstrip(":"), ""] for line in lines[1:]]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        while len(self.unread) < length:
            self.receive()
        body, self.unread = self.unread[:length], self.unread[length:]
        self.requests += 1
        return method, target, headers, body

    def answer(self, body, status="200 OK", headers=(), content_type="text/plain"):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"Content-Type: {content_type}", *headers]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def echo(connection, method, target, headers, body):
    seen = {"method": method, "target": target, "headers": headers, "body": body.decode("latin-1")}
    connection.answer(json.dumps(seen).encode(), content_type="application/json")


def count_bytes(connection, method, target, headers, body):
    connection.answer(str(len(body)).encode())


def head_only(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n")


def hang(connection, *_):
    connection.wait_for_the_end()


def hang_after_headers(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    connection.wait_for_the_end()


def drip(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.send(b"x")
        time.sleep(0.01)


def drip_headers(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.send(b"X: y\r\n")
        time.sleep(0.01)


def large(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1000):
        connection.send(b"x" * 1000000)
    fact("sent everything")


def large_chunks(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")


def endless_headers(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.send(b"X: " + b"y" * 100 + b"\r\n")


def endless_header(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.send(b"y" * 10000)


def endless_interim(connection, *_):
    while True:
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")


def close_after(connection, *_):
    connection.answer(b"closed now")
    return "close"


def close_on_second(connection, *_):
    if connection.requests > 1:
        return "close"
    connection.answer(f"answered by {connection.number}".encode())
    return None


def stop_on_second(connection, *_):
    if connection.requests > 1:
        connection.listener.shutdown(socket.SHUT_RDWR)
        return "close"
    connection.answer(b"not much longer")
    return None


def close_early(connection, *_):
    return "close"


def half(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    return "close"


def garbage(connection, *_):
    connection.send(b"\x00\x01\xff\x1b[31m no HTTP\r\n\r\n\r\n")
    return "close"


def chunked(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n")


def bad_chunk(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\nfirst\r\n0\r\n\r\n")
    return "close"


def until_closed(connection, *_):
    connection.send(b"HTTP/1.1 200 OK\r\n\r\nuntil closed")
    return "close"


def interim(connection, *_):
    connection.send(b"HTTP/1.1 103 Early Hints\r\nContent-Type: text/early\r\n\r\n")
    connection.answer(b"final")


def switch(connection, *_):
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
    return "close"


def redirect(connection, *_):
    connection.answer(b"", "302 Found", ["Location: /redirected", "Set-Cookie: crumb=1"])


def compressed(connection, *_):
    connection.answer(b"not really gzip", headers=["Content-Encoding: gzip"])


def busy(connection, method, target, *_):
    value = target.partition("?")[2].replace("+", " ")
    connection.answer(b"later", "503 Service Unavailable", [f"Retry-After: {value}"] if value else [])


def sized(connection, method, target, *_):
    """Exactly as many bytes as the query states, headers included."""
    total = int(target.partition("?")[2])
    head = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    length = total - len(head % total)
    while len(head % length) + length < total:
        length += 1
    connection.send((head % length).encode() + b"x" * length)


BEHAVIOURS = {
    "/bad-chunk": bad_chunk, "/busy": busy, "/chunked": chunked, "/close-after": close_after,
    "/close-early": close_early, "/close-on-second": close_on_second, "/compressed": compressed,
    "/count-bytes": count_bytes, "/drip": drip, "/drip-headers": drip_headers, "/echo": echo,
    "/endless-header": endless_header, "/endless-headers": endless_headers, "/endless-interim": endless_interim,
        "/garbage": garbage, "/half": half, "/hang": hang, "/hang-after-headers": hang_after_headers, "/interim": interim,
    "/large": large, "/large-chunks": large_chunks, "/redirect": redirect, "/sized": sized,
    "/stop-on-second": stop_on_second, "/switch": switch,
    "/until-closed": until_closed,
}


def fact(*words):
    # One write a line, since many threads print.
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def serve(sock, number, listener, context, report):
    report("opened", number)
    if context is not None:
        try:
            sock = context.wrap_socket(sock, server_side=True)
        except OSError as error:
            report("refused", number, error)
            sock.close()
            return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(sock, number, listener)
    by = "server"
    try:
        while True:
            method, target, headers, body = connection.read_request()
            report("request", number, method, target)
            if any(name.lower() == "expect" for name, _ in headers):
                connection.answer(b"", "417 Expectation Failed")
                continue
            behaviour = BEHAVIOURS.get(target.partition("?")[0])
            if behaviour is not None:
                if behaviour(connection, method, target, headers, body) == "close":
                    break
            elif method == "HEAD":
                head_only(connection)
            else:
                connection.answer(b"hello")
    except ClosedByClient:
        by = "client"
    sock.close()
    report("closed", number, "by", by)


def tls_context(options):
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if options.tls_max == "1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    if options.tls_max == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def listen(server, options):
    def report(*words):
        fact(server, *words)

    context = tls_context(options)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    report("port", listener.getsockname()[1])
    number = 0
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        number += 1
        threading.Thread(target=serve, args=(sock, number, listener, context, report), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    parser.add_argument("--tls-max", choices=["1.1", "1.2"])
    server = 0
    for line in sys.stdin:
        server += 1
        threading.Thread(target=listen, args=(server, parser.parse_args(line.split())), daemon=True).start()


if __name__ == "__main__":
    main()
