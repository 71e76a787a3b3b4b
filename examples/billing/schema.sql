-- Tables of the example billing system (SQLite). Money is in cents, as integers. Times are UTC.
PRAGMA journal_mode = WAL;

CREATE TABLE IF NOT EXISTS tariffs (
  tariff                TEXT PRIMARY KEY,
  park_cents_per_minute INTEGER NOT NULL CHECK (park_cents_per_minute >= 0),
  talk_cents_per_minute INTEGER NOT NULL CHECK (talk_cents_per_minute >= 0),
  unit_seconds          INTEGER NOT NULL CHECK (unit_seconds IN (1, 60))  -- 60: each started minute counts; 1: each second
) STRICT;

CREATE TABLE IF NOT EXISTS accounts (
  extension TEXT PRIMARY KEY,
  name      TEXT NOT NULL,
  tariff    TEXT NOT NULL REFERENCES tariffs,
  balance   INTEGER NOT NULL,  -- cents; below 0 if a call was longer than what was left
  blocked   INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1))
) STRICT;

-- Questions of the last day, so that one that is asked twice is answered alike.
CREATE TABLE IF NOT EXISTS questions (
  webhook_id TEXT PRIMARY KEY,
  asked_at   TEXT NOT NULL,
  event      TEXT NOT NULL,
  extension  TEXT NOT NULL,  -- the one that is to pay
  park_id    TEXT NOT NULL,  -- empty: of an incoming call
  answer     TEXT NOT NULL   -- JSON, as it was sent
) STRICT;
CREATE INDEX IF NOT EXISTS questions_by_age ON questions (asked_at);

-- A row is the charge of one segment, and the mark that it is charged.
CREATE TABLE IF NOT EXISTS charges (
  park_id      TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('park', 'talk')),
  parked_at    TEXT NOT NULL,  -- park_id and parked_at name the stay in the orbit
  ended_at     TEXT NOT NULL,
  extension    TEXT NOT NULL,  -- the one that pays; without an account it pays nothing
  milliseconds INTEGER NOT NULL,
  cents        INTEGER NOT NULL,
  PRIMARY KEY (park_id, segment)
) STRICT;
CREATE INDEX IF NOT EXISTS charges_by_age ON charges (ended_at);

-- Segments that ended before this database was made are not charged.
CREATE TABLE IF NOT EXISTS beginning (at TEXT NOT NULL) STRICT;
INSERT INTO beginning SELECT datetime('now') WHERE NOT EXISTS (SELECT 1 FROM beginning);
