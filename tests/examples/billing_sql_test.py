#!/usr/bin/python3
"""The example billing system charges from the records of a real MariaDB with callpark's schema.

Usage: billing_sql_test.py [CLASS[.TEST]...]. Debian's Python has the modules of tools/packages.txt; another one may not.
"""

import os
import pwd
import subprocess
import tempfile
import unittest
from pathlib import Path

import pymysql

from billing_fixture import START_SECONDS, TOP, BillingTest, wait_until


class Mariadb:
    """A private server with the demo tenant, at a socket in its directory."""

    def __init__(self, directory):
        self.directory, self.socket, self.process = directory, directory / "socket", None
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.run("mariadb-install-db", "--no-defaults", f"--user={self.user}", f"--datadir={directory / 'data'}",
                 "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M")
        (directory / "tmp").mkdir()

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--user={self.user}", f"--datadir={self.directory / 'data'}",
                 f"--tmpdir={self.directory / 'tmp'}", f"--socket={self.socket}", f"--pid-file={self.directory / 'pid'}",
                 "--skip-networking", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=OFF",
                 "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--innodb-use-native-aio=0"],
                stdout=log, stderr=log)
        wait_until("MariaDB answers", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError((self.directory / "log").read_text())
        try:
            self.execute("SELECT 1", database=None)
            return True
        except pymysql.MySQLError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(START_SECONDS)

    def execute(self, sql, database="callpark", user="root", password=""):
        connection = pymysql.connect(unix_socket=str(self.socket), user=user, password=password, database=database)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            connection.commit()
            return cursor.fetchall()

    @staticmethod
    def run(*command):
        subprocess.run([str(word) for word in command], check=True, timeout=10 * START_SECONDS, stdout=subprocess.DEVNULL)


class WithRecords(BillingTest):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory(prefix="billing-sql-")
        cls.addClassCleanup(kept.cleanup)
        cls.mariadb = Mariadb(Path(kept.name))
        cls.mariadb.start()
        cls.addClassCleanup(lambda: cls.mariadb.stop())
        Mariadb.run(TOP / "sql/migrate.sh", "--socket", cls.mariadb.socket, "--demo")
        cls.mariadb.execute("CREATE USER 'billing'@'localhost' IDENTIFIED BY 'a long secret'")
        cls.mariadb.execute("GRANT SELECT ON callpark.park_segments TO 'billing'@'localhost'")

    def setUp(self):
        super().setUp()
        (self.directory / "password").write_text("a long secret\n")
        self.records = ["--socket", str(self.mariadb.socket), "--password-file", str(self.directory / "password")]
        self.mariadb.execute("DELETE FROM park_segments")

    def enter(self, segment, kind, seconds, tenant="demo.callpark", parker="101", party="", ended="hung_up"):
        """A segment that ends in five seconds; seconds None: of unknown duration."""
        began_at = "NULL" if seconds is None else f"ended.at - INTERVAL {seconds} SECOND"
        self.mariadb.execute(
            "INSERT INTO park_segments (park_id, segment, kind, recall_target, began_at, ended_at, ended, parked_at, tenant, "
            "orbit, parker, caller_number, party, call_id) "
            f"SELECT '{tenant}', {segment}, '{kind}', '', {began_at}, ended.at, '{ended}', "
            f"'2026-11-30 05:02:36.120', '{tenant}', '102', '{parker}', '', '{party}', 'call' "
            f"FROM (SELECT UTC_TIMESTAMP(3) + INTERVAL 5 SECOND AS at) ended")

    def enter_a_stay(self):
        self.enter(1, "talk_before", None, party="101", ended="parked")
        self.enter(2, "parked", 61.5, ended="recalling")
        self.enter(3, "recall", 10, party="101", ended="not_taken")
        self.enter(4, "parked", 20.25, ended="retrieved")
        self.enter(5, "hook", 3600, party="103", ended="allowed")  # costs nothing
        self.enter(6, "talk_after", 30, party="103")
        self.enter(2, "parked", 600, tenant="other.callpark", ended="gave_up")

    def test_the_segments_of_the_tenant_are_charged_once(self):
        self.enter_a_stay()
        for _ in range(2):
            self.billing("charge", *self.records)
            shown = self.billing("accounts")
            self.assertRegex(shown, r"101 +Alice Anders +minutes +9\.88\n")  # 91 s: two minutes
            self.assertRegex(shown, r"103 +Carol Clark +seconds +9\.94\n")   # 30 s

    def test_a_server_charges_what_ends_while_it_runs_and_after_the_database_was_away(self):
        server = self.start("--every", "0.1", *self.records)
        self.enter_a_stay()
        wait_until("101 is charged", lambda: server.accounts()["101"]["balance_cents"] == 988)
        wait_until("103 is charged", lambda: server.accounts()["103"]["balance_cents"] == 994)
        self.mariadb.stop()
        wait_until("that is logged", lambda: "nothing is charged at present" in (self.directory / "log").read_text())
        self.assertEqual(server.request("GET", "/")[0], 200)
        self.mariadb.start()
        self.enter(7, "parked", 60, parker="102")
        wait_until("102 is charged", lambda: server.accounts()["102"]["balance_cents"] == 994)
        self.assertEqual(server.end(), 0)
        self.assertEqual((self.directory / "log").read_text().count("nothing is charged at present"), 1)

    def test_its_account_reads_nothing_else(self):
        for statement in ["SELECT * FROM parked_calls", "SELECT password FROM extensions", "DELETE FROM park_segments",
                          "CALL end_parked_call('', '', 0, '')"]:
            with self.subTest(statement), self.assertRaises(pymysql.MySQLError):
                self.mariadb.execute(statement, user="billing", password="a long secret")

    def test_a_wrong_password_is_a_complaint_with_exit_code_1(self):
        (self.directory / "password").write_text("wrong\n")
        self.assertIn("Access denied", self.billing("charge", *self.records, expected=1))


if __name__ == "__main__":
    unittest.main()
