#!/usr/bin/python3
"""billing.py of examples/billing with segments out of a SQLite file instead of callpark's database.

Usage: billing_with_fake_segments.py SEGMENTS KILL_AT ARGUMENT... If KILL_AT is not 0, the process kills itself before that
statement within its transactions.
"""

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/billing"))
import accounts  # noqa: E402
import billing  # noqa: E402
import callpark  # noqa: E402


def segments_in(file):
    """A function as accounts.charge_new() calls it."""
    def segments_since(since):
        with contextlib.closing(sqlite3.connect(file)) as db:
            rows = db.execute("SELECT * FROM segments WHERE ended_at >= ? ORDER BY ended_at", (since,)).fetchall()
            return [callpark.Segment(*row) for row in rows]

    return segments_since


def killed_at(statement, transaction):
    """The transaction of accounts.py, of which statements are counted, its COMMIT too."""
    statements = 0

    def count(_):
        nonlocal statements
        statements += 1
        if statements == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def counted(path):
        with transaction(path) as db:
            db.set_trace_callback(count)
            yield db

    return counted


def main():
    fake = segments_in(sys.argv[1])
    callpark.segments_since = lambda _, since: fake(since)
    if sys.argv[2] != "0":
        accounts.transaction = killed_at(int(sys.argv[2]), accounts.transaction)
    del sys.argv[1:3]
    billing.main()


if __name__ == "__main__":
    main()
