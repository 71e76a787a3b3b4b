-- Records for billing: the segments of parked calls. A write of a row of parked_calls carries the segments that have
-- ended since the last one, and a trigger records them in the same transaction; the open segment waits in the row.

CREATE TABLE park_segments (
  park_id        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of the parked call',
  segment        INT UNSIGNED NOT NULL COMMENT 'Number within the call, from 1, without gaps: each begins when the one before ends',
  kind           ENUM('talk_before', 'parked', 'recall', 'talk_after') NOT NULL
                 COMMENT 'talk_before: caller and parker talk. parked: the caller waits. recall: it waits during one attempt of the recall. talk_after: it talks to the party that got the call',
  recall_target  ENUM('', 'parker', 'ring_group', 'fallback') NOT NULL COMMENT 'Of recall: the target; empty: of all others',
  began_at       DATETIME(3) NULL COMMENT 'UTC; NULL: before parkd knew the call, which is so of each talk_before',
  ended_at       DATETIME(3) NOT NULL COMMENT 'UTC',
  milliseconds   BIGINT AS (TIMESTAMPDIFF(MICROSECOND, began_at, ended_at) DIV 1000) STORED COMMENT 'Duration; NULL: unknown',
  ended          ENUM('parked', 'recalling', 'not_taken', 'retrieved', 'recalled', 'gave_up', 'timed_out', 'hung_up') NOT NULL
                 COMMENT 'How it ended. parked: a talk, by a park. recalling: an attempt begins. not_taken: the target of an attempt has not got the call. retrieved, recalled: another party got it. gave_up: the caller hung up waiting. timed_out: at the deadline. hung_up: in any other way',
  parked_at      DATETIME(3) NOT NULL COMMENT 'UTC; with park_id the stay in the orbit, as in park_events',
  day            DATE AS (CAST(parked_at AS DATE)) STORED COMMENT 'UTC; the day of the stay, for all its segments',
  tenant         VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Where it was parked',
  parker         VARCHAR(32) NOT NULL COMMENT 'Extension that parked the call',
  caller_number  VARCHAR(255) NOT NULL COMMENT 'Number of the parked caller; empty: none, or withheld',
  party          VARCHAR(255) NOT NULL
                 COMMENT 'The other party: of talk_before the parker, of recall the number that is called, of talk_after the party that got the call; empty: of parked',
  call_id        VARCHAR(255) NOT NULL COMMENT 'Original Call-ID, of the parked caller; its first 255 characters',
  PRIMARY KEY (park_id, segment),
  KEY park_segments_by_day (tenant, day),
  KEY park_segments_by_call (call_id),
  KEY park_segments_by_age (ended_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
  COMMENT = 'What parked calls consist of, each segment once, when it has ended; parkd deletes none';

ALTER TABLE parked_calls
  ADD COLUMN segment LONGTEXT NULL COMMENT 'JSON: the open segment; NULL: an older parkd wrote the row',
  ADD COLUMN ended_segments LONGTEXT NULL COMMENT 'JSON: segments that the last write has recorded',
  ADD CONSTRAINT `an open segment is JSON` CHECK (JSON_VALID(segment)),
  ADD CONSTRAINT `ended segments are JSON` CHECK (JSON_VALID(ended_segments));

DELIMITER //

-- A segment that is there already stays as it is: a write that is repeated records nothing twice.
CREATE PROCEDURE record_segments(its_park_id VARCHAR(32) CHARACTER SET ascii, its_tenant VARCHAR(64) CHARACTER SET ascii,
                                 segments LONGTEXT)
  COMMENT 'Enters the ended segments of a call'
BEGIN
  INSERT INTO park_segments (park_id, segment, kind, recall_target, began_at, ended_at, ended, parked_at, tenant, orbit,
                             parker, caller_number, party, call_id)
    SELECT its_park_id, s.number, s.kind, s.target,
        TIMESTAMPADD(MICROSECOND, s.began_at * 1000, '1970-01-01'),
        TIMESTAMPADD(MICROSECOND, s.ended_at * 1000, '1970-01-01'), s.ended,
        TIMESTAMPADD(MICROSECOND, s.parked_at * 1000, '1970-01-01'), its_tenant, s.orbit, s.parker,
        LEFT(s.caller_number, 255), LEFT(s.party, 255), LEFT(s.call_id, 255)
      FROM JSON_TABLE(segments, '$[*]' COLUMNS (
        number INT UNSIGNED PATH '$.number', kind VARCHAR(16) PATH '$.kind', target VARCHAR(16) PATH '$.target',
        began_at BIGINT PATH '$.began_at', ended_at BIGINT PATH '$.ended_at', ended VARCHAR(16) PATH '$.ended',
        parked_at BIGINT PATH '$.parked_at', orbit VARCHAR(32) PATH '$.orbit', parker VARCHAR(32) PATH '$.parker',
        caller_number VARCHAR(4096) PATH '$.caller_number', party VARCHAR(4096) PATH '$.party',
        call_id VARCHAR(4096) PATH '$.call_id')) s
    ON DUPLICATE KEY UPDATE park_segments.segment = park_segments.segment;
END//

CREATE TRIGGER parked_calls_after_insert AFTER INSERT ON parked_calls FOR EACH ROW
BEGIN
  IF NEW.ended_segments IS NOT NULL THEN
    CALL record_segments(NEW.park_id, NEW.tenant, NEW.ended_segments);
  END IF;
END//

CREATE OR REPLACE TRIGGER parked_calls_after_update AFTER UPDATE ON parked_calls FOR EACH ROW
BEGIN
  IF OLD.orbit IS NOT NULL AND NOT (NEW.tenant <=> OLD.tenant AND NEW.orbit <=> OLD.orbit) THEN
    CALL release_orbit(OLD.tenant, OLD.orbit, OLD.state = 'retrieving');
  END IF;
  IF NEW.ended_segments IS NOT NULL AND NOT (NEW.ended_segments <=> OLD.ended_segments) THEN
    CALL record_segments(NEW.park_id, NEW.tenant, NEW.ended_segments);
  END IF;
END//

-- Only the owner of the row records what it ended with. A repeated call finds no row.
CREATE PROCEDURE end_parked_call(its_park_id VARCHAR(32) CHARACTER SET ascii, its_owner VARCHAR(64),
                                 its_epoch BIGINT UNSIGNED, segments LONGTEXT)
  COMMENT 'Records the last segments of a call and removes its row, both or neither'
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;
  START TRANSACTION;
  UPDATE parked_calls SET segment = NULL, ended_segments = segments
    WHERE park_id = its_park_id AND owner = its_owner AND epoch = its_epoch;
  DELETE FROM parked_calls WHERE park_id = its_park_id AND owner = its_owner AND epoch = its_epoch;
  COMMIT;
END//

-- A spreadsheet reads a field that begins so as a formula, also in quotes.
CREATE FUNCTION csv_field(field TEXT) RETURNS TEXT DETERMINISTIC NO SQL
  COMMENT 'The field in quotes; an apostrophe comes before a first character that begins a formula'
  RETURN CONCAT('"', IF(field REGEXP '^[-=+@\t\r\n]', '''', ''), REPLACE(COALESCE(field, ''), '"', '""'), '"')//

DELIMITER ;

-- One row a stay. Its sums are those of the segments that have ended.
CREATE VIEW billing_calls AS
  SELECT tenant, day, park_id, parked_at, MAX(call_id) AS call_id, MAX(parker) AS parker, MAX(orbit) AS orbit,
      MAX(caller_number) AS caller_number,
      MAX(IF(kind IN ('parked', 'recall') AND ended NOT IN ('recalling', 'not_taken'), ended, NULL)) AS outcome,
      MAX(IF(kind = 'talk_after', party, NULL)) AS answered_by,
      SUM(kind = 'recall') AS recall_attempts,
      SUM(IF(kind = 'talk_before', milliseconds, NULL)) / 1000 AS talk_before_seconds,
      SUM(IF(kind IN ('parked', 'recall'), milliseconds, 0)) / 1000 AS parked_seconds,
      SUM(IF(kind = 'talk_after', milliseconds, 0)) / 1000 AS talk_seconds,
      MAX(ended_at) AS ended_at
    FROM park_segments GROUP BY tenant, day, park_id, parked_at;

CREATE VIEW billing_days AS
  SELECT tenant, day, COUNT(*) AS parks, SUM(outcome = 'retrieved') AS retrieved, SUM(outcome = 'recalled') AS recalled,
      SUM(outcome = 'gave_up') AS gave_up, SUM(outcome = 'timed_out') AS timed_out,
      SUM(outcome = 'hung_up') AS hung_up, SUM(recall_attempts) AS recall_attempts,
      SUM(parked_seconds) AS parked_seconds, SUM(talk_seconds) AS talk_seconds
    FROM billing_calls GROUP BY tenant, day;

CREATE VIEW billing_csv AS
  SELECT tenant, day, park_id, parked_at,
      CONCAT_WS(',', csv_field(tenant), csv_field(day), csv_field(parked_at), csv_field(call_id), csv_field(parker),
        csv_field(orbit), csv_field(caller_number), csv_field(outcome), csv_field(answered_by),
        csv_field(recall_attempts), csv_field(parked_seconds), csv_field(talk_seconds)) AS line
    FROM billing_calls;
