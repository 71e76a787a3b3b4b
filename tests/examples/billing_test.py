#!/usr/bin/python3
"""The example billing system, asked over HTTP as callpark asks it, with segments out of a file (see also billing_sql_test.py).

Usage: billing_test.py [CLASS[.TEST]...]. Debian's Python has the modules of tools/packages.txt; another one may not.
"""

import base64
import concurrent.futures
import contextlib
import datetime
import json
import signal
import sqlite3
import subprocess
import sys
import unittest
from unittest import mock

import jsonschema

from billing_fixture import EXAMPLE, OTHER_SECRET, SECRET, TOP, BillingTest, accounts, callpark, wait_until
from billing_with_fake_segments import segments_in

HOOK = TOP / "docs/billing"
REQUESTS = TOP / "tests/data/hook/requests"
ANSWER = jsonschema.Draft202012Validator(json.loads((HOOK / "hook_answer.schema.json").read_text()))
FAKE = str(TOP / "tests/examples/billing_with_fake_segments.py")


def request(name, **members):
    return json.loads((REQUESTS / f"{name}.json").read_text()) | members


def park_by(extension):
    return request("park", parker={"number": extension})


def retrieve_by(extension):
    return request("retrieve", retriever={"number": extension})


def call_for(extension):
    return request("incoming_call", called_extension={"number": extension})


class Questions(BillingTest):
    def setUp(self):
        super().setUp()
        self.server = self.start()

    def balance(self, extension, amount):
        accounts.set_balance(self.database, extension, accounts.cents_of(amount))

    def test_every_golden_question_has_a_valid_answer(self):
        for path in sorted(REQUESTS.glob("*.json")):
            with self.subTest(path.name):
                status, text = self.server.post(path.read_bytes(), f"q_{path.stem}"[:64])
                self.assertEqual(status, 200, text)
                ANSWER.validate(json.loads(text))
                self.assertEqual(json.loads(text)["decision"], "allow")

    def test_members_of_a_later_version_are_ignored(self):
        self.assertEqual(self.decision(self.server, park_by("101") | {"mood": [None]})["decision"], "allow")

    def test_a_park_lasts_as_long_as_the_balance_buys(self):
        for extension, amount, seconds in [
                ("101", "0.06", 60), ("101", "0.11", 60), ("101", "0.12", 120), ("101", "90.00", 86400),
                ("102", "0.01", 10), ("102", "0.06", 60), ("102", "0.07", 70)]:
            with self.subTest(extension=extension, amount=amount):
                self.balance(extension, amount)
                answer = self.decision(self.server, park_by(extension))
                ANSWER.validate(answer)
                self.assertEqual(answer, {"decision": "allow", "max_park_seconds": seconds})

    def test_too_small_a_balance_is_denied_with_its_amount(self):
        for amount in ["0.05", "0", "-3.20"]:
            self.balance("101", amount)
            for question in [park_by("101"), retrieve_by("101"), call_for("101")]:
                with self.subTest(amount=amount, event=question["event"]):
                    answer = self.decision(self.server, question)
                    ANSWER.validate(answer)
                    self.assertEqual(answer["reason"], "insufficient_funds")
                    self.assertIn({"0": "0.00"}.get(amount, amount), answer["text"])

    def test_a_talk_needs_the_price_of_its_first_minute(self):
        for event in [retrieve_by, call_for]:
            self.balance("101", "0.11")
            self.assertEqual(self.decision(self.server, event("101"))["decision"], "deny")
            self.balance("101", "0.12")
            self.assertEqual(self.decision(self.server, event("101")), {"decision": "allow"})

    def test_a_blocked_account_is_denied(self):
        accounts.set_blocked(self.database, "106", True)
        for question in [park_by("106"), retrieve_by("106"), call_for("106")]:
            answer = self.decision(self.server, question)
            ANSWER.validate(answer)
            self.assertEqual(answer, {"decision": "deny", "reason": "blocked"})

    def test_an_extension_without_account_is_denied(self):
        for question in [park_by("999"), retrieve_by("999"), call_for("999"), park_by("101") | {"tenant": "other.callpark"}]:
            answer = self.decision(self.server, question)
            ANSWER.validate(answer)
            self.assertEqual(answer, {"decision": "deny", "reason": "unknown_caller"})

    def test_the_parker_pays_for_a_retrieve_by_a_trunk(self):
        question = request("retrieve", parker={"number": "106"})
        del question["retriever"]
        self.balance("106", "0")
        self.assertEqual(self.decision(self.server, question)["reason"], "insufficient_funds")

    def test_free_time_has_no_limit(self):
        script = self.directory / "free.sql"
        script.write_text("INSERT INTO tariffs VALUES ('free', 0, 0, 60);"
                          "UPDATE accounts SET tariff = 'free', balance = -5 WHERE extension = '101';")
        self.billing("load", str(script))
        self.assertEqual(self.decision(self.server, park_by("101")), {"decision": "allow"})

    def test_a_repeated_question_is_answered_as_before(self):
        first = self.decision(self.server, park_by("101"), webhook_id="q_same")
        self.balance("101", "0.00")
        retry = self.decision(self.server, park_by("101") | {"attempt": 2}, webhook_id="q_same")
        self.assertEqual(first, retry)
        self.server.end()
        self.server = self.start()
        self.assertEqual(self.decision(self.server, park_by("101"), webhook_id="q_same"), first)
        self.assertEqual(self.decision(self.server, park_by("101"), webhook_id="q_other")["decision"], "deny")

    def test_questions_at_once_are_each_answered_and_the_same_one_alike(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: self.decision(self.server, park_by("101"), webhook_id=f"q_{n % 5}"), range(40)))
        self.assertEqual(len(answers), 40)
        self.assertEqual(self.billing("report").count("abcdefghijklmnopqrstuvwxyz"), 5)


class Signatures(BillingTest):
    body = json.dumps(park_by("101")).encode()

    def assert_status(self, server, expected, webhook_id="q_1", **options):
        status, text = server.post(self.body, webhook_id, **options)
        self.assertEqual(status, expected, text)

    def test_only_a_right_signature_is_accepted(self):
        server = self.start()
        self.assert_status(server, 200)
        self.assert_status(server, 200, secrets=[OTHER_SECRET, SECRET])
        self.assert_status(server, 401, secrets=[OTHER_SECRET])
        for name, value in [("signature", ""), ("signature", "v1,"), ("signature", "v1,\xfc"), ("signature", "v2,AAAA"),
                            ("id", ""), ("id", "q_2"), ("id", "q 1"), ("timestamp", ""), ("timestamp", "now"),
                            ("timestamp", "9" * 30), ("timestamp", "-1")]:
            with self.subTest(**{name: value}):
                self.assert_status(server, 401, **{name: value})
        self.assertEqual(server.request("POST", "/hook", self.body)[0], 401)

    def test_the_golden_signatures_of_callpark_are_right(self):
        rows = json.loads((TOP / "tests/data/hook/signatures.json").read_text())
        self.assertGreater(len(rows), 3)
        for row in rows:
            keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in row["secrets"]]
            sent = row["id"], str(row["timestamp"]), row["signature"]
            with self.subTest(row["about"]), mock.patch("time.time", return_value=row["timestamp"] + 1):
                for key in keys:
                    self.assertTrue(callpark.is_signed([key], *sent, row["body"].encode()))
                self.assertFalse(callpark.is_signed(keys, *sent, row["body"].encode() + b" "))

    def test_a_question_of_minutes_ago_or_from_the_future_is_refused(self):
        server = self.start()
        self.assert_status(server, 200, seconds_ago=240)
        self.assert_status(server, 401, seconds_ago=360)
        self.assert_status(server, 200, seconds_ago=-240)
        self.assert_status(server, 401, seconds_ago=-360)

    def test_both_secrets_of_the_file_are_accepted(self):
        (self.directory / "secret").write_text(f"{OTHER_SECRET}\n{SECRET}\n")
        server = self.start()
        self.assert_status(server, 200, secrets=[SECRET])
        self.assert_status(server, 200, secrets=[OTHER_SECRET])

    def test_a_wrong_secret_file_is_refused_at_the_start(self):
        for text in ["", "secret", "whsec_AAAA", "whsec_" + "A" * 200, "whsec_?" + "A" * 39]:
            (self.directory / "secret").write_text(text)
            with self.subTest(text):
                self.billing("serve", "--port", "0", "--secret-file", str(self.directory / "secret"), expected=1)


class Garbage(BillingTest):
    def setUp(self):
        super().setUp()
        self.server = self.start()

    def test_what_is_no_question_is_a_400(self):
        good = park_by("101")
        bodies = [b"", b"{", b"\xff", b"null", b"[]", b"7", b"[" * 8000, b'{"event":' * 1500, b"1" * 6000, b'"park"',
                  json.dumps(good).encode("utf-16")]
        wrong = [{"event": "dance"}, {"event": None}, {"tenant": 7}, {"tenant": ""}, {"tenant": "x" * 256}, {"park_id": None},
                 {"parker": None}, {"parker": "101"}, {"parker": {}}, {"parker": {"number": 101}}, {"parker": {"number": ""}},
                 {"parker": {"number": "1\n01"}}, {"parker": {"number": "\ud800"}}, {"parker": {"number": "1" * 65}}]
        bodies += [json.dumps(good | members).encode() for members in wrong]
        bodies += [json.dumps({name: value for name, value in good.items() if name != gone}).encode()
                   for gone in ["event", "tenant", "parker", "park_id"]]
        for number, body in enumerate(bodies):
            with self.subTest(body[:80]):
                status, text = self.server.post(body, f"q_{number}")
                self.assertEqual(status, 400, text)
        self.assertEqual(self.decision(self.server, good, webhook_id="q_0")["decision"], "allow")

    def test_a_long_body_and_other_paths_are_refused(self):
        self.assertEqual(self.server.request("POST", "/hook", None, {"Content-Length": "16385"})[0], 400)
        self.assertEqual(self.server.request("POST", "/hook", None, {"Content-Length": "many"})[0], 400)
        self.assertEqual(self.server.request("POST", "/", b"x")[0], 404)
        self.assertEqual(self.server.request("GET", "/hook")[0], 404)

    def test_the_page_shows_texts_and_not_markup(self):
        name = "<b>&\"1'</b>"
        self.decision(self.server, park_by(name))
        page = self.server.request("GET", "/")[1]
        self.assertNotIn("<b>", page)
        self.assertIn("&lt;b&gt;&amp;&quot;1&#x27;&lt;/b&gt;", page)
        self.assertIn("unknown_caller", page)
        self.assertIn("Alice Anders", page)


class Commands(BillingTest):
    def test_sigterm_ends_the_server_with_0(self):
        server = self.start()
        self.assertEqual(server.request("GET", "/")[0], 200)
        self.assertEqual(server.end(signal.SIGTERM), 0)

    def test_a_balance_is_set_in_whole_cents(self):
        for text, shown in [("5.00", "5.00"), ("5", "5.00"), ("0.1", "0.10"), ("-7.05", "-7.05")]:
            self.billing("set-balance", "101", text)
            self.assertRegex(self.billing("accounts"), rf"101 +Alice Anders +minutes +{shown}\n")
        for text in ["", "1.005", "1e3", "five", "1,00", "\u0661"]:
            self.billing("set-balance", "101", text, expected=1)
        self.billing("set-balance", "999", "5.00", expected=1)

    def test_an_account_is_blocked_and_unblocked(self):
        self.billing("block", "101")
        self.assertIn("10.00    blocked\n", self.billing("accounts"))
        self.billing("unblock", "101")
        self.assertNotIn("blocked", self.billing("accounts"))
        self.billing("block", "999", expected=1)

    def test_accounts_that_are_loaded_again_keep_their_balance(self):
        self.billing("set-balance", "101", "1.23")
        self.billing("load", str(EXAMPLE / "demo.sql"))
        self.assertIn(" 1.23\n", self.billing("accounts"))


class Charges(BillingTest):
    """Segments out of a file; they end in the future, so that none is older than the accounts."""

    def setUp(self):
        super().setUp()
        self.file = self.directory / "segments.db"
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            db.execute("CREATE TABLE segments (park_id, number, kind, parker, party, parked_at, ended_at, milliseconds)")
        self.began = datetime.datetime.utcnow() + datetime.timedelta(seconds=5)

    def segment(self, park_id, number, kind, milliseconds, parker="101", party="", parked_at="2026-11-30 05:02:36.120",
                ended_after=0):
        ended_at = (self.began + datetime.timedelta(seconds=ended_after)).isoformat(" ", "milliseconds")
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       (park_id, number, kind, parker, party, parked_at, ended_at, milliseconds))
            db.commit()

    def charge(self):
        accounts.charge_new(self.database, segments_in(self.file))

    def charge_and_die(self, statement):
        """The exit code of a process of its own; 0 if it has had no such statement."""
        return subprocess.run([sys.executable, "-B", FAKE, self.file, str(statement), "--file", self.database, "charge",
                               "--socket", "none"], check=False).returncode

    def paid(self):
        """Cents, of the extensions that have paid."""
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            now = dict(db.execute("SELECT extension, balance FROM accounts"))
            charged = dict(db.execute("SELECT extension, SUM(cents) FROM charges GROUP BY extension HAVING SUM(cents) > 0"))
        paid = {extension: 1000 - balance for extension, balance in now.items() if balance != 1000}
        self.assertEqual(paid, charged)
        return paid

    def test_parked_time_is_the_parkers_and_talked_time_that_of_the_party(self):
        self.segment("a", 2, "park", 61_000, parker="101")
        self.segment("a", 3, "talk", 10_000, parker="101", party="103")
        self.charge()
        self.assertEqual(self.paid(), {"101": 12, "103": 2})

    def test_the_parker_pays_a_talk_with_an_outside_number(self):
        self.segment("a", 4, "talk", 1_000, parker="101", party="+442030000999")
        self.charge()
        self.assertEqual(self.paid(), {"101": 12})

    def test_started_units_count_and_parts_of_a_second_behind_whole_ones_do_not(self):
        for milliseconds, minutes, seconds in [(0, 0, 0), (1, 6, 1), (999, 6, 1), (1_999, 6, 1), (60_000, 6, 6), (60_999, 6, 6),
                                               (61_000, 12, 7), (3_600_000, 360, 360)]:
            with self.subTest(milliseconds):
                before = self.paid()
                self.segment(f"m{milliseconds}", 2, "park", milliseconds, parker="101")
                self.segment(f"s{milliseconds}", 2, "park", milliseconds, parker="102")
                self.charge()
                paid = self.paid()
                self.assertEqual(paid.get("101", 0) - before.get("101", 0), minutes)
                self.assertEqual(paid.get("102", 0) - before.get("102", 0), seconds)

    def test_a_stay_with_recall_attempts_is_rounded_up_once(self):
        for number in range(2, 7):
            self.segment("a", number, "park", 20_000, ended_after=number)
            self.charge()
        self.assertEqual(self.paid(), {"101": 12})
        self.segment("a", 9, "park", 20_000, parked_at="2026-11-30 06:00:00.000")
        self.charge()
        self.assertEqual(self.paid(), {"101": 18})

    def test_an_extension_without_account_pays_nothing(self):
        self.segment("a", 2, "park", 61_000, parker="999")
        self.charge()
        self.assertEqual(self.paid(), {})
        self.assertRegex(self.billing("report"), r"park +999 +61\.0 +0\.00 +a +2\n")

    def test_a_segment_that_is_recorded_late_is_charged(self):
        self.segment("a", 2, "park", 1_000, ended_after=3600)
        self.charge()
        self.segment("b", 2, "park", 1_000, ended_after=0)
        self.charge()
        self.assertEqual(self.paid(), {"101": 12})

    def test_segments_from_before_the_first_run_are_not_charged(self):
        self.segment("a", 2, "park", 1_000, ended_after=-3600)
        self.charge()
        self.assertEqual(self.paid(), {})

    def test_each_is_charged_once_by_whoever_comes_first(self):
        for number in range(40):
            self.segment(f"p{number}", 2, "park", 60_000)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.charge(), range(4)))
        self.assertEqual(self.paid(), {"101": 240})

    def test_a_kill_before_any_statement_charges_nothing_twice_and_leaves_nothing_out(self):
        for number in range(3):
            self.segment(f"p{number}", 2, "park", 60_000, ended_after=number)
            self.segment(f"p{number}", 3, "talk", 60_000, party="103", ended_after=number)
        statement = 1
        while (code := self.charge_and_die(statement)) != 0:
            self.assertEqual(code, -signal.SIGKILL)
            self.assertEqual(sum(self.paid().values()), sum(self.charged()))
            statement += 1
        self.assertGreater(statement, 8)
        self.assertEqual(self.paid(), {"101": 18, "103": 36})

    def charged(self):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            return [cents for cents, in db.execute("SELECT cents FROM charges")]

    def test_a_server_that_is_killed_while_it_charges_goes_on_where_it_was(self):
        ended_at = self.began.isoformat(" ", "milliseconds")
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            db.executemany("INSERT INTO segments VALUES (?, 2, 'park', '101', '', '2026-11-30 05:02:36.120', ?, 60000)",
                           [(f"p{number}", ended_at) for number in range(500)])
            db.commit()
        for _ in range(3):
            server = self.start("--socket", "none", "--every", "0.01", program=(FAKE, str(self.file), "0"))
            had = len(self.charged())
            wait_until("the server charges", lambda: len(self.charged()) > had or had == 500)
            self.assertEqual(server.end(signal.SIGKILL), -signal.SIGKILL)
        server = self.start("--socket", "none", "--every", "0.01", program=(FAKE, str(self.file), "0"))
        wait_until("all is charged", lambda: len(self.charged()) == 500)
        self.assertEqual(self.decision(server, park_by("101"))["reason"], "insufficient_funds")
        self.assertEqual(server.end(), 0)
        self.assertEqual(self.paid(), {"101": 3000})


if __name__ == "__main__":
    unittest.main()
