"""What callpark and a billing system exchange: signed questions, and the segments of parked calls. Copy it as it is.

docs/billing.md of callpark describes the questions, and sql/README.md the segments.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import NamedTuple

import pymysql

TIMESTAMP_TOLERANCE_SECONDS = 5 * 60
# The member of a question with the extension that is to pay. A retrieve by a trunk has no retriever.
PAYERS = {"incoming_call": ("called_extension",), "park": ("parker",), "retrieve": ("retriever", "parker")}


# ---- questions ----

class Question(NamedTuple):
    event: str      # incoming_call, park, retrieve
    tenant: str
    extension: str  # the one that is to pay
    park_id: str    # empty: of an incoming call


def read_secrets(path: Path) -> list[bytes]:
    """The keys of a file with one secret in each line; two while a secret is being exchanged. Raises ValueError."""
    keys = []
    for line in path.read_text(encoding="ascii").split():
        key = base64.b64decode(line.removeprefix("whsec_"), validate=True)
        if not line.startswith("whsec_") or not 24 <= len(key) <= 64:
            raise ValueError(f"{path}: a secret is whsec_ and 24 to 64 bytes in base64")
        keys.append(key)
    if not keys:
        raise ValueError(f"{path} has no secret")
    return keys


def is_signed(keys: list[bytes], webhook_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Standard Webhooks 1.0: one right signature of several suffices."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", webhook_id) or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > TIMESTAMP_TOLERANCE_SECONDS:
        return False
    content = f"{webhook_id}.{timestamp}.".encode() + body
    right = [b"v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()) for key in keys]
    return any(hmac.compare_digest(one, sent.encode()) for one in right for sent in signatures.split(" "))


def text_of(value: object, name: str, characters_max: int) -> str:
    """A member of an object, as hook_request.schema.json has it. Raises ValueError."""
    text = value.get(name) if isinstance(value, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= characters_max:
        raise ValueError(f"{name} is not a text of 1 to {characters_max} characters")
    if re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
        raise ValueError(f"{name} has a control character")
    return text


def read_question(body: bytes) -> Question:
    """Reads what the decision needs, and ignores all else. Raises ValueError if that is not there."""
    try:
        value = json.loads(body.decode("utf-8"))
    except RecursionError:
        raise ValueError("too deep") from None
    event = text_of(value, "event", 64)
    if event not in PAYERS:
        raise ValueError(f"{event} is no event of this version")
    payer = next((name for name in PAYERS[event] if name in value), PAYERS[event][0])
    return Question(event, text_of(value, "tenant", 255), text_of(value.get(payer), "number", 64),
                    "" if event == "incoming_call" else text_of(value, "park_id", 64))


# ---- records ----

class Records(NamedTuple):
    """Where callpark's records are, and the account that may read them."""
    socket: str
    user: str
    password: str
    database: str
    tenant: str


class Segment(NamedTuple):
    park_id: str
    number: int
    kind: str       # park or talk
    parker: str
    party: str      # of a talk: the party that got the call
    parked_at: str
    ended_at: str
    milliseconds: int


def segments_since(records: Records, since: str) -> list[Segment]:
    """The ended segments of callpark that are charged, from that time on.

    The talk before a park is your CDRs'. The time in which the hook is asked is not charged.
    """
    with contextlib.closing(pymysql.connect(
            unix_socket=records.socket, user=records.user, password=records.password, database=records.database,
            charset="utf8mb4", connect_timeout=5, read_timeout=5, write_timeout=5)) as connection:
        cursor = connection.cursor()
        cursor.execute("""SELECT park_id, segment, IF(kind = 'talk_after', 'talk', 'park'), parker, party,
                            CAST(parked_at AS CHAR), CAST(ended_at AS CHAR), GREATEST(milliseconds, 0)
                          FROM park_segments
                          WHERE tenant = %s AND ended_at >= %s AND kind NOT IN ('talk_before', 'hook')
                            AND milliseconds IS NOT NULL
                          ORDER BY ended_at""", (records.tenant, since))
        return [Segment(*row) for row in cursor.fetchall()]
