"""Accounts with a balance, the decision about a call, and the charges, in one SQLite file. Replace it by your system's.

Money is in cents, as integers. schema.sql has the tables.
"""

import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Callable, Iterable, Iterator, NamedTuple

from callpark import Question, Segment

PARK_SECONDS_MIN, PARK_SECONDS_MAX = 10, 86400  # of max_park_seconds, in hook_answer.schema.json


@contextlib.contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction that no other one runs beside; if it is left by an exception or a crash, nothing is changed."""
    connection = sqlite3.connect(path, timeout=5, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def run_script(path: Path, script: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))


def set_balance(path: Path, extension: str, cents: int) -> None:
    """Raises ValueError if there is no such account."""
    change(path, extension, "UPDATE accounts SET balance = ? WHERE extension = ?", cents)


def set_blocked(path: Path, extension: str, is_blocked: bool) -> None:
    """Raises ValueError if there is no such account."""
    change(path, extension, "UPDATE accounts SET blocked = ? WHERE extension = ?", is_blocked)


def change(path: Path, extension: str, statement: str, value: int) -> None:
    with transaction(path) as db:
        if db.execute(statement, (value, extension)).rowcount == 0:
            raise ValueError(f"there is no account of extension {extension}")


def account_of(db: sqlite3.Connection, extension: str) -> sqlite3.Row | None:
    """The account with its tariff."""
    return db.execute("SELECT * FROM accounts JOIN tariffs USING (tariff) WHERE extension = ?", (extension,)).fetchone()


# ---- money: cents, and integers only ----

def price(milliseconds: int, cents_per_minute: int, unit_seconds: int) -> int:
    """Cents for that time. Each started unit counts, and a part of a cent is a whole one.

    Parts of a second count only if there is no whole one: a call that is ended at max_park_seconds is some ms longer.
    """
    seconds = max(milliseconds // 1000, min(milliseconds, 1))
    units = -(-seconds // unit_seconds)
    return -(-units * unit_seconds * cents_per_minute // 60)


def seconds_bought(cents: int, cents_per_minute: int, unit_seconds: int) -> int | None:
    """The longest time in whole units whose price is no more than that; None if time is free."""
    if cents_per_minute == 0:
        return None
    return max(0, cents) * 60 // (cents_per_minute * unit_seconds) * unit_seconds


def cents_of(text: str) -> int:
    """-5, 5.0 and 5.00 are amounts. Raises ValueError."""
    match = re.fullmatch(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,2}))?", text)
    if not match:
        raise ValueError(f"{text!r} is not an amount such as 5.00")
    cents = int(match[2]) * 100 + int((match[3] or "0").ljust(2, "0"))
    return -cents if match[1] else cents


def amount(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def tenths(milliseconds: int) -> str:
    """Seconds, as 61.5."""
    return f"{milliseconds // 1000}.{milliseconds % 1000 // 100}"


# ---- decisions ----

def decide(db: sqlite3.Connection, tenant: str, question: Question) -> dict[str, object]:
    """The answer, as hook_answer.schema.json has it: this is the place for the rules of a system of yours."""
    account = account_of(db, question.extension)
    if question.tenant != tenant or account is None:
        return {"decision": "deny", "reason": "unknown_caller"}
    if account["blocked"]:
        return {"decision": "deny", "reason": "blocked"}
    rate = "park_cents_per_minute" if question.event == "park" else "talk_cents_per_minute"
    seconds = seconds_bought(account["balance"], account[rate], account["unit_seconds"])
    if seconds is None:
        return {"decision": "allow"}
    if seconds < PARK_SECONDS_MIN:
        return {"decision": "deny", "reason": "insufficient_funds", "text": f"Your balance is {amount(account['balance'])}."}
    if question.event != "park":
        return {"decision": "allow"}
    return {"decision": "allow", "max_park_seconds": min(seconds, PARK_SECONDS_MAX)}


def answer(path: Path, tenant: str, webhook_id: str, question: Question) -> str:
    """JSON. A question whose id is known has the answer that it had."""
    with transaction(path) as db:
        known = db.execute("SELECT answer FROM questions WHERE webhook_id = ?", (webhook_id,)).fetchone()
        if known:
            return known["answer"]
        decision = json.dumps(decide(db, tenant, question))
        db.execute("INSERT INTO questions (webhook_id, asked_at, event, extension, park_id, answer) "
                   "VALUES (?, datetime('now'), ?, ?, ?, ?)",
                   (webhook_id, question.event, question.extension, question.park_id, decision))
        return decision


# ---- charges ----

def charge(path: Path, segment: Segment) -> None:
    """Charges a segment once: the row of charges and the new balance are one transaction."""
    with transaction(path) as db:
        has_paid = "SELECT 1 FROM charges WHERE park_id = ? AND segment = ?"
        if db.execute(has_paid, (segment.park_id, segment.number)).fetchone():
            return
        # The party of a talk pays for it; the parker, if that is an outside number.
        talks = segment.kind == "talk" and account_of(db, segment.party) is not None
        extension = segment.party if talks else segment.parker
        account = account_of(db, extension)
        cents = 0
        if account is not None:
            # A wait that recall attempts divide is rounded up once: the price of the sum, less what is paid of it.
            before = db.execute("SELECT COALESCE(SUM(milliseconds), 0) FROM charges WHERE park_id = ? AND parked_at = ? "
                                "AND kind = ? AND extension = ?",
                                (segment.park_id, segment.parked_at, segment.kind, extension)).fetchone()[0]
            tariff = (account[f"{segment.kind}_cents_per_minute"], account["unit_seconds"])
            cents = price(before + segment.milliseconds, *tariff) - price(before, *tariff)
        db.execute("INSERT INTO charges (park_id, segment, kind, parked_at, ended_at, extension, milliseconds, cents) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   (segment.park_id, segment.number, segment.kind, segment.parked_at, segment.ended_at, extension,
                    segment.milliseconds, cents))
        db.execute("UPDATE accounts SET balance = balance - ? WHERE extension = ?", (cents, extension))


def charge_new(path: Path, segments_since: Callable[[str], Iterable[Segment]]) -> None:
    """Charges what has ended. A segment may be recorded late, if callpark's database was away: a day is read again."""
    with transaction(path) as db:
        db.execute("DELETE FROM questions WHERE asked_at < datetime('now', '-1 day')")
        since = db.execute("SELECT MAX(at, COALESCE((SELECT datetime(MIN(MAX(ended_at), datetime('now')), '-1 day') "
                           "FROM charges), '')) FROM beginning").fetchone()[0]
        charged = {tuple(row) for row in db.execute("SELECT park_id, segment FROM charges WHERE ended_at >= ?", (since,))}
    for segment in segments_since(since):
        if (segment.park_id, segment.number) not in charged:
            charge(path, segment)


# ---- reports ----

class Table(NamedTuple):
    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def report(path: Path) -> list[Table]:
    with transaction(path) as db:
        accounts = db.execute("SELECT * FROM accounts ORDER BY extension").fetchall()
        questions = db.execute("SELECT * FROM questions ORDER BY asked_at DESC, rowid DESC LIMIT 50").fetchall()
        charges = db.execute("SELECT * FROM charges ORDER BY ended_at DESC, park_id, segment DESC LIMIT 50").fetchall()
    return [
        Table("Accounts", ("extension", "name", "tariff", "balance", "state"),
              [(row["extension"], row["name"], row["tariff"], amount(row["balance"]), "blocked" if row["blocked"] else "")
               for row in accounts]),
        Table("Last questions", ("asked at (UTC)", "event", "extension", "answer", "parked call"),
              [(row["asked_at"], row["event"], row["extension"], row["answer"], row["park_id"]) for row in questions]),
        Table("Last charges", ("ended at (UTC)", "for", "extension", "seconds", "amount", "parked call", "segment"),
              [(row["ended_at"], row["kind"], row["extension"], tenths(row["milliseconds"]), amount(row["cents"]),
                row["park_id"], str(row["segment"])) for row in charges]),
    ]


def balances(path: Path) -> list[dict[str, object]]:
    """The accounts for programs: balances in cents."""
    with transaction(path) as db:
        return [{"extension": row["extension"], "name": row["name"], "tariff": row["tariff"],
                 "balance_cents": row["balance"], "blocked": bool(row["blocked"])}
                for row in db.execute("SELECT * FROM accounts ORDER BY extension")]
