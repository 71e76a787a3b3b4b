-- CDRs of ordinary calls: Kamailio hands over the calls that have ended, and one procedure deletes their rows of
-- `dialog` and enters their CDRs, both or neither (docs/adr/0030).

CREATE TABLE cdrs (
  began_at        DATETIME(3) NOT NULL COMMENT 'UTC; when the call was answered',
  id              BINARY(16) NOT NULL COMMENT 'Name of the dialog: MD5 of its Call-ID, both tags and its numbers in Kamailio',
  ended_at        DATETIME(3) NOT NULL COMMENT 'UTC; when Kamailio knew the end',
  duration_ms     BIGINT AS (TIMESTAMPDIFF(MICROSECOND, began_at, ended_at) DIV 1000) STORED COMMENT 'Duration in milliseconds',
  ended           ENUM('caller', 'callee', 'parked', 'timeout') NOT NULL
                  COMMENT 'How it ended. caller, callee: the party that hung up. parked: parkd has had the call from then on (park_segments). timeout: no BYE came',
  day             DATE AS (CAST(began_at AS DATE)) STORED COMMENT 'UTC; the day of the answer',
  tenant          VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  direction       ENUM('incoming', 'outgoing', 'internal') NOT NULL
                  COMMENT 'As the tenant sees it. incoming: a trunk called, outgoing: an extension called by a trunk, internal: no trunk',
  dialled         VARCHAR(64) NOT NULL COMMENT 'Number that the caller dialled',
  caller_kind     ENUM('extension', 'trunk') NOT NULL COMMENT 'Party that called',
  caller_number   VARCHAR(64) NOT NULL COMMENT 'Its number: of a trunk, what it sent; empty: none, or withheld by a trunk',
  caller_name     VARCHAR(64) NOT NULL COMMENT 'Its display name; empty: none, or withheld',
  caller_withheld BOOLEAN NOT NULL COMMENT 'It withholds its identity',
  caller_trunk    VARCHAR(64) NOT NULL COMMENT 'Name of the trunk that called; empty: none',
  callee_kind     ENUM('extension', 'trunk', 'ring_group') NOT NULL
                  COMMENT 'Party that answered; ring_group: a member that is not known',
  callee_number   VARCHAR(64) NOT NULL COMMENT 'Its number',
  callee_trunk    VARCHAR(64) NOT NULL COMMENT 'Name of the trunk that was called; empty: none',
  call_id         VARCHAR(255) NOT NULL COMMENT 'Call-ID; its first 255 characters, as in park_segments',
  PRIMARY KEY (began_at, id),
  KEY cdrs_by_day (tenant, day),
  KEY cdrs_by_call (call_id),
  KEY cdrs_by_age (ended_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
  COMMENT = 'Answered ordinary calls that have ended, each once; no process deletes any';

DELIMITER //

-- `ended_calls` has {h_entry, h_id, cdr} for each call (lua/rules/call_row.lua); an older Kamailio sends no cdr. A CDR that
-- is there already stays as it is: a write that is repeated enters nothing twice.
CREATE PROCEDURE end_calls(ended_calls LONGTEXT CHARACTER SET utf8mb4)
  COMMENT 'Deletes the rows of calls that have ended and enters their CDRs, both or neither'
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;
  START TRANSACTION;
  INSERT INTO cdrs (began_at, id, ended_at, ended, tenant, direction, dialled, caller_kind, caller_number, caller_name,
                    caller_withheld, caller_trunk, callee_kind, callee_number, callee_trunk, call_id)
    SELECT TIMESTAMPADD(MICROSECOND, c.began_at * 1000, '1970-01-01'), UNHEX(c.id),
        TIMESTAMPADD(MICROSECOND, c.ended_at * 1000, '1970-01-01'), c.ended, LEFT(c.tenant, 64), c.direction,
        LEFT(c.dialled, 64), c.caller_kind, LEFT(c.caller_number, 64), LEFT(c.caller_name, 64), c.caller_withheld,
        LEFT(c.caller_trunk, 64), c.callee_kind, LEFT(c.callee_number, 64), LEFT(c.callee_trunk, 64),
        LEFT(c.call_id, 255)
      FROM JSON_TABLE(ended_calls, '$[*].cdr' COLUMNS (
        began_at BIGINT PATH '$.began_at', id CHAR(32) PATH '$.id', ended_at BIGINT PATH '$.ended_at',
        ended VARCHAR(16) PATH '$.ended', tenant VARCHAR(255) PATH '$.tenant', direction VARCHAR(16) PATH '$.direction',
        dialled VARCHAR(255) PATH '$.dialled', caller_kind VARCHAR(16) PATH '$.caller_kind',
        caller_number VARCHAR(255) PATH '$.caller_number', caller_name VARCHAR(255) PATH '$.caller_name',
        caller_withheld BOOLEAN PATH '$.caller_withheld', caller_trunk VARCHAR(255) PATH '$.caller_trunk',
        callee_kind VARCHAR(16) PATH '$.callee_kind', callee_number VARCHAR(255) PATH '$.callee_number',
        callee_trunk VARCHAR(255) PATH '$.callee_trunk', call_id VARCHAR(1024) PATH '$.call_id')) c
    ON DUPLICATE KEY UPDATE cdrs.id = cdrs.id;
  -- The list goes first: a scan of `dialog` would lock the rows of all calls.
  DELETE d FROM JSON_TABLE(ended_calls, '$[*]' COLUMNS (
      entry INT UNSIGNED PATH '$.h_entry', id INT UNSIGNED PATH '$.h_id')) e
    STRAIGHT_JOIN dialog d ON d.hash_entry = e.entry AND d.hash_id = e.id;
  COMMIT;
END//

DELIMITER ;

-- A spreadsheet reads no field of a line as a formula (csv_field).
CREATE VIEW cdrs_csv AS
  SELECT tenant, day, began_at,
      CONCAT_WS(',', csv_field(tenant), csv_field(day), csv_field(began_at), csv_field(ended_at), csv_field(CAST(duration_ms / 1000 AS DECIMAL(14, 3))),
        csv_field(direction), csv_field(caller_kind), csv_field(caller_number), csv_field(caller_name), csv_field(dialled),
        csv_field(callee_kind), csv_field(callee_number), csv_field(ended), csv_field(call_id)) AS line
    FROM cdrs;

-- What a tenant has talked in a day: its ordinary calls, and the talks of calls that were parked.
CREATE VIEW talk_days AS
  SELECT tenant, day, SUM(calls) AS calls, SUM(call_seconds) AS call_seconds, SUM(retrieved_seconds) AS retrieved_seconds,
      SUM(parked_seconds) AS parked_seconds
    FROM (
      SELECT tenant, day, 1 AS calls, duration_ms / 1000 AS call_seconds, 0 AS retrieved_seconds, 0 AS parked_seconds FROM cdrs
      UNION ALL
      SELECT tenant, day, 0, 0, IF(kind = 'talk_after', milliseconds, 0) / 1000,
          IF(kind IN ('parked', 'recall'), milliseconds, 0) / 1000 FROM park_segments) parts
    GROUP BY tenant, day;
