"""The example billing system of examples/billing as a process of its own, for its tests."""

import base64
import hashlib
import hmac
import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "examples/billing"
sys.dont_write_bytecode = True
sys.path.insert(0, str(EXAMPLE))
import accounts  # noqa: E402
import callpark  # noqa: E402
START_SECONDS = 60  # a deadline, also for a busy machine
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret, as long as").decode()


def wait_until(what, fact):
    """The value of fact() once it is true."""
    deadline = time.monotonic() + START_SECONDS
    while not (value := fact()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {START_SECONDS} s: {what}")
        time.sleep(0.02)
    return value


def signature_of(secret, webhook_id, timestamp, body):
    content = f"{webhook_id}.{timestamp}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


class Server:
    """A running server. Arguments follow `serve`; the program may be another than billing.py."""

    def __init__(self, directory, *arguments, program=(str(EXAMPLE / "billing.py"),)):
        command = [sys.executable, "-B", *program, "--file", str(directory / "billing.db"), "serve", "--port", "0",
                   "--secret-file", str(directory / "secret"), *arguments]
        with open(directory / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("billing is at http://127.0.0.1:"):
            raise AssertionError(f"the server does not start: {line}{(directory / 'log').read_text()}")
        self.port = int(line.rstrip("/\n").rsplit(":", 1)[1])

    def request(self, method, path, body=None, headers=None):
        """Status and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def post(self, body, webhook_id, secrets=(SECRET,), seconds_ago=0, **headers):
        """Asks as callpark does. A header that is given replaces that which would be sent."""
        timestamp = int(time.time()) - seconds_ago
        signatures = " ".join(signature_of(secret, webhook_id, timestamp, body) for secret in secrets)
        sent = {"id": webhook_id, "timestamp": str(timestamp), "signature": signatures} | headers
        return self.request("POST", "/hook", body, {f"webhook-{name}": value for name, value in sent.items()})

    def accounts(self):
        return {row["extension"]: row for row in json.loads(self.request("GET", "/accounts.json")[1])}

    def end(self, how=signal.SIGTERM):
        """The exit code."""
        self.process.send_signal(how)
        code = self.process.wait(START_SECONDS)
        self.process.stdout.close()
        return code


class BillingTest(unittest.TestCase):
    """A directory with a secret and the accounts of demo.sql, and no server yet."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory(prefix="billing-test-")
        self.addCleanup(kept.cleanup)
        self.directory = Path(kept.name)
        (self.directory / "secret").write_text(SECRET + "\n")
        self.database = self.directory / "billing.db"
        for script in ["schema.sql", "demo.sql"]:
            accounts.run_script(self.database, EXAMPLE / script)
        self.questions_asked = 0

    def billing(self, *arguments, program=(str(EXAMPLE / "billing.py"),), expected=0):
        """Runs a command; its output."""
        run = subprocess.run([sys.executable, "-B", *program, "--file", str(self.database), *arguments],
                             capture_output=True, text=True, timeout=START_SECONDS, check=False)
        self.assertEqual(run.returncode, expected, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def start(self, *arguments, **options):
        server = Server(self.directory, *arguments, **options)
        self.addCleanup(lambda: server.process.poll() is None and server.end(signal.SIGKILL))
        return server

    def decision(self, server, question, **options):
        """The answer to a new question."""
        self.questions_asked += 1
        options = {"webhook_id": f"q_{self.questions_asked}"} | options
        status, text = server.post(json.dumps(question).encode(), **options)
        self.assertEqual(status, 200, text)
        return json.loads(text)
