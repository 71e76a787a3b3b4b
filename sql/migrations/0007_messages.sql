-- Texts to phones, what happened to parked calls, and who a parked caller is to people.

ALTER TABLE tenants
  ADD COLUMN message_parked BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'A text (SIP MESSAGE) to the extension where a call is parked; of a group park to its members',
  ADD COLUMN message_orbit BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'A text to the parker with the orbit that was chosen for him: a random one, or one of a range',
  ADD COLUMN message_retrieved BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'A text to the parker: who has picked his call up',
  ADD COLUMN message_gave_up BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'A text to the parker: the caller hung up waiting',
  ADD COLUMN message_recalled BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'A text to the parker: nobody picked up, and who has the call now, or that it was ended',
  ADD CONSTRAINT `a text is switched on or off: 1 or 0`
    CHECK (message_parked IN (0, 1) AND message_orbit IN (0, 1) AND message_retrieved IN (0, 1)
           AND message_gave_up IN (0, 1) AND message_recalled IN (0, 1));

-- What people see of a caller is not always what stands in his From: he may withhold it, and an extension that was
-- reached by another number has its own.
ALTER TABLE parked_calls
  DROP COLUMN caller_display,
  ADD COLUMN caller_display VARCHAR(255)
    AS (COALESCE(JSON_VALUE(caller_dialog, '$.remote_name'), JSON_VALUE(caller_dialog, '$.remote_display'))) VIRTUAL
    COMMENT 'Name of the parked caller; empty: none, or withheld' AFTER caller_uri,
  ADD COLUMN caller_number VARCHAR(255)
    AS (COALESCE(JSON_VALUE(caller_dialog, '$.remote_number'), '')) VIRTUAL
    COMMENT 'Number of the parked caller; empty: none, or withheld' AFTER caller_display;

CREATE TABLE park_events (
  park_id       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of the parked call',
  parked_at     DATETIME(3) NOT NULL COMMENT 'UTC; a call that is parked again has another',
  event         ENUM('parked', 'retrieved', 'gave_up', 'recalled', 'ended') NOT NULL
                COMMENT 'gave_up: the caller hung up waiting. recalled: whom a recall called has him. ended: in any other way',
  at            DATETIME(3) NOT NULL COMMENT 'UTC; when it happened',
  tenant        VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                COMMENT 'Where it was parked; empty when a call ends that was retrieved before',
  park_group    VARCHAR(64) NOT NULL COMMENT 'Park group that it was parked in; empty: none',
  parker        VARCHAR(32) NOT NULL COMMENT 'Extension that parked it',
  caller_name   VARCHAR(255) NOT NULL COMMENT 'Name of the parked caller; empty: none, or withheld',
  caller_number VARCHAR(255) NOT NULL COMMENT 'Number of the parked caller; empty: none, or withheld',
  call_id       VARCHAR(255) NOT NULL COMMENT 'Call-ID of the parked caller',
  taken_by      VARCHAR(64) NOT NULL COMMENT 'Of retrieved and recalled: the number of who has him',
  how           VARCHAR(16) CHARACTER SET ascii NOT NULL
                COMMENT 'Of recalled: parker, ring_group, fallback. Of ended: timed_out, or hung_up after a talk',
  PRIMARY KEY (park_id, parked_at, event),
  KEY park_events_by_age (at),
  KEY park_events_by_tenant (tenant, at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
  COMMENT = 'What happened to parked calls, each once; kept for as many days as parkd.yaml says';
