#!/usr/bin/python3
"""A billing system to begin with: it answers callpark's billing hook, and charges for parked and talked time.

One process with one SQLite file bills one tenant. README.md has the commands, and what to replace by a system of yours.
"""

import argparse
import functools
import html
import json
import logging
import re
import signal
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable

import pymysql

import accounts
import callpark

QUESTION_BYTES_MAX = 16 * 1024  # callpark sends less than 8 KiB
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

SegmentsSince = Callable[[str], list[callpark.Segment]]


# ---- reports as text ----

def page(tables: list[accounts.Table]) -> str:
    """HTML."""
    def line(tag: str, cells: tuple[str, ...]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"

    body = "".join(f"<h2>{table.title}</h2>\n<table>\n{line('th', table.headings)}"
                   f"{''.join(line('td', row) for row in table.rows)}</table>\n" for table in tables)
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Billing</title>\n"
            "<style>body{font-family:sans-serif} th,td{text-align:left;padding:0 1em 0 0}</style></head>\n"
            f"<body><h1>Billing</h1>\n{body}</body></html>\n")


def print_tables(tables: list[accounts.Table]) -> None:
    for table in tables:
        lines = [table.headings, *table.rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        print(table.title)
        for cells in lines:
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())


# ---- HTTP ----

class BillingServer(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, port: int, path: Path, tenant: str, keys: list[bytes]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.path, self.tenant, self.keys = path, tenant, keys


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # callpark keeps connections open
    timeout = 60                   # seconds, of a connection without a request
    wbufsize = -1                  # head and body leave in one packet
    server: BillingServer

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > QUESTION_BYTES_MAX:
            self.close_connection = True  # what follows is not read
            return self.reply(400, "a question has a Content-Length of at most 16384")
        body = self.rfile.read(int(length))
        if self.path != "/hook":
            return self.reply(404, "questions go to /hook")
        webhook_id, timestamp, signatures = (
            self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not callpark.is_signed(self.server.keys, webhook_id, timestamp, signatures, body):
            return self.reply(401, "the signature is wrong, or old")
        try:
            question = callpark.read_question(body)
            answer = accounts.answer(self.server.path, self.server.tenant, webhook_id, question)
            logging.info("%s by %s: %s", question.event, question.extension, answer)
            self.reply(200, answer, "application/json")
        except ValueError as error:
            self.reply(400, f"this is no question: {error}")
        except sqlite3.Error as error:
            # A failure, and not a decision: callpark asks again, and then does as on_error of the tenant has it.
            logging.error("a question has no answer: %s", error)
            self.reply(503, "the database is not available")

    def do_GET(self) -> None:
        if self.path == "/":
            self.reply(200, page(accounts.report(self.server.path)), "text/html")
        elif self.path == "/accounts.json":
            self.reply(200, json.dumps(accounts.balances(self.server.path)), "application/json")
        else:
            self.reply(404, "there are / and /accounts.json")

    def reply(self, status: int, text: str, content_type: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Questions are logged with their answers, and pages are not."""


def charge_until_stopped(path: Path, segments_since: SegmentsSince | None, seconds: float) -> None:
    complaint = ""
    while signal.sigtimedwait(STOP_SIGNALS, seconds) is None:
        try:
            if segments_since:
                accounts.charge_new(path, segments_since)
            complaint = ""
        except (pymysql.MySQLError, sqlite3.Error) as error:
            if str(error) != complaint:
                complaint = str(error)
                logging.error("nothing is charged at present: %s", complaint)


def serve(server: BillingServer, segments_since: SegmentsSince | None, seconds: float) -> None:
    """Until SIGTERM or Ctrl-C. Charges in this thread; each connection has a thread of its own."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"billing is at http://127.0.0.1:{server.server_port}/", flush=True)
        charge_until_stopped(server.path, segments_since, seconds)
        server.shutdown()


# ---- commands ----

def segments_of(arguments: argparse.Namespace) -> SegmentsSince | None:
    """None without --socket."""
    if arguments.socket is None:
        return None
    password = arguments.password_file.read_text(encoding="utf-8").strip() if arguments.password_file else ""
    return functools.partial(callpark.segments_since, callpark.Records(
        arguments.socket, arguments.user, password, arguments.database, arguments.tenant))


def arguments_of(line: list[str]) -> argparse.Namespace:
    records = argparse.ArgumentParser(add_help=False)
    records.add_argument("--tenant", default="demo.callpark", help="SIP domain of the tenant")
    records.add_argument("--socket", help="of callpark's MariaDB; without it nothing is charged")
    records.add_argument("--user", default="billing", help="account that may read park_segments")
    records.add_argument("--password-file", type=Path, help="password of that account")
    records.add_argument("--database", default="callpark")

    parser = argparse.ArgumentParser(description="A billing system to begin with, for callpark")
    parser.add_argument("--file", type=Path, default=Path("billing.db"), help="SQLite file; it is made if it is missing")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", parents=[records], help="answer questions, and charge, until SIGTERM")
    command.add_argument("--port", type=int, default=8080, help="of 127.0.0.1; 0: the system chooses one")
    command.add_argument("--secret-file", type=Path, required=True, help="a whsec_ secret in each line")
    command.add_argument("--every", type=float, default=2, metavar="SECONDS", help="how often to look for ended segments")
    commands.add_parser("charge", parents=[records], help="charge ended segments now, also beside a server")
    command = commands.add_parser("load", help="add tariffs and accounts")
    command.add_argument("script", type=Path, help="such as demo.sql")
    command = commands.add_parser("set-balance")
    command.add_argument("extension")
    command.add_argument("amount", help="such as 5.00")
    for name in ["block", "unblock"]:
        commands.add_parser(name).add_argument("extension")
    commands.add_parser("accounts", help="print the accounts")
    commands.add_parser("report", help="print the accounts, the last questions, and the last charges")
    return parser.parse_args(line)


def run(arguments: argparse.Namespace) -> None:
    accounts.run_script(arguments.file, Path(__file__).with_name("schema.sql"))
    match arguments.command:
        case "serve":
            keys = callpark.read_secrets(arguments.secret_file)
            server = BillingServer(arguments.port, arguments.file, arguments.tenant, keys)
            serve(server, segments_of(arguments), arguments.every)
        case "charge":
            segments_since = segments_of(arguments)
            if segments_since is None:
                raise ValueError("charge needs --socket")
            accounts.charge_new(arguments.file, segments_since)
        case "load":
            accounts.run_script(arguments.file, arguments.script)
        case "set-balance":
            accounts.set_balance(arguments.file, arguments.extension, accounts.cents_of(arguments.amount))
        case "block" | "unblock":
            accounts.set_blocked(arguments.file, arguments.extension, arguments.command == "block")
        case "accounts":
            print_tables(accounts.report(arguments.file)[:1])
        case "report":
            print_tables(accounts.report(arguments.file))


def main() -> None:
    try:
        run(arguments_of(sys.argv[1:]))
    except (OSError, ValueError, sqlite3.Error, pymysql.MySQLError) as error:
        sys.exit(f"billing.py: {error}")


if __name__ == "__main__":
    main()
