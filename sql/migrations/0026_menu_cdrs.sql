-- CDRs of calls through menus and announcements (docs/adr/0034). The time in menus is entered with the end of the row of
-- menu_calls, the talk with the destination by the write of the row of parked_calls that ends it.

ALTER TABLE cdrs
  MODIFY id BINARY(16) NOT NULL
    COMMENT 'Name of the dialog: MD5 of its Call-ID, both tags and its numbers in Kamailio; of a call through a menu: MD5 of its name and of the part that the row is for',
  MODIFY ended_at DATETIME(3) NOT NULL COMMENT 'UTC; when Kamailio, or parkd, knew the end',
  MODIFY ended ENUM('caller', 'callee', 'parked', 'timeout', 'connected') NOT NULL
    COMMENT 'How it ended. caller, callee: the party that hung up. parked: parkd has had the call from then on (park_segments). timeout: no BYE came. connected: of a menu or an announcement, a destination has answered; the next row with the Call-ID is the talk',
  MODIFY callee_kind ENUM('extension', 'trunk', 'ring_group', 'ivr_menu', 'announcement') NOT NULL
    COMMENT 'Party that answered; ring_group: a member that is not known; ivr_menu, announcement: the first of those that the caller was in',
  MODIFY callee_trunk VARCHAR(64) NOT NULL
    COMMENT 'Name of the trunk that was called; empty: none, or the call came through a menu',
  COMMENT = 'Answered calls that have ended, each once; through a menu or an announcement, one row for the time there and one for the talk; no process deletes any';

ALTER TABLE menu_calls
  ADD COLUMN cdr LONGTEXT NULL
    COMMENT 'JSON: what its CDR has besides times and end; NULL: an older parkd wrote the row, which gets none' AFTER media,
  ADD CONSTRAINT `what a CDR has is JSON` CHECK (JSON_VALID(cdr));

ALTER TABLE park_segments
  MODIFY began_at DATETIME(3) NULL
    COMMENT 'UTC; NULL: before parkd knew the call, which is so of each talk_before but that of a call through a menu';

DELIMITER //

-- A CDR that is there already stays as it is: a write that is repeated enters nothing twice.
CREATE PROCEDURE enter_cdrs(its_id VARCHAR(32) CHARACTER SET ascii, its_tenant VARCHAR(64) CHARACTER SET ascii,
                            parts LONGTEXT)
  COMMENT 'Enters the CDRs of those parts of a call that have one'
BEGIN
  INSERT INTO cdrs (began_at, id, ended_at, ended, tenant, direction, dialled, caller_kind, caller_number, caller_name,
                    caller_withheld, caller_trunk, callee_kind, callee_number, callee_trunk, call_id)
    SELECT TIMESTAMPADD(MICROSECOND, p.began_at * 1000, '1970-01-01'), UNHEX(MD5(CONCAT(its_id, ' ', p.number))),
        TIMESTAMPADD(MICROSECOND, GREATEST(p.began_at, p.ended_at) * 1000, '1970-01-01'), p.ended, its_tenant,
        p.direction, LEFT(p.dialled, 64), p.caller_kind, LEFT(p.caller_number, 64), LEFT(p.caller_name, 64),
        p.caller_withheld, LEFT(p.caller_trunk, 64), p.callee_kind, LEFT(p.callee_number, 64), '', LEFT(p.call_id, 255)
      FROM JSON_TABLE(parts, '$[*]' COLUMNS (
        number INT UNSIGNED PATH '$.number', began_at BIGINT PATH '$.began_at', ended_at BIGINT PATH '$.ended_at',
        ended VARCHAR(16) PATH '$.ended', direction VARCHAR(16) PATH '$.cdr.direction',
        dialled VARCHAR(4096) PATH '$.cdr.dialled', caller_kind VARCHAR(16) PATH '$.cdr.caller_kind',
        caller_number VARCHAR(4096) PATH '$.cdr.caller_number', caller_name VARCHAR(4096) PATH '$.cdr.caller_name',
        caller_withheld BOOLEAN PATH '$.cdr.caller_withheld', caller_trunk VARCHAR(4096) PATH '$.cdr.caller_trunk',
        callee_kind VARCHAR(16) PATH '$.cdr.callee_kind', callee_number VARCHAR(4096) PATH '$.cdr.callee_number',
        call_id VARCHAR(4096) PATH '$.cdr.call_id')) p
      WHERE p.direction IS NOT NULL
    ON DUPLICATE KEY UPDATE cdrs.id = cdrs.id;
END//

-- Only the owner of the row ends it. A repeated call finds no row. parkd calls it also within a transaction.
CREATE PROCEDURE end_menu_call(its_id VARCHAR(32) CHARACTER SET ascii, its_owner VARCHAR(64),
                               its_epoch BIGINT UNSIGNED, its_ended_at BIGINT, its_end VARCHAR(16) CHARACTER SET ascii)
  COMMENT 'Removes the row of a caller in menus and enters its CDR, both or neither'
BEGIN
  DECLARE is_part BOOLEAN DEFAULT @@in_transaction;
  DECLARE its_tenant VARCHAR(64) CHARACTER SET ascii;
  DECLARE its_begin BIGINT;
  DECLARE its_cdr LONGTEXT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;
  IF NOT is_part THEN
    START TRANSACTION;
  END IF;
  SELECT tenant, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', since) DIV 1000, cdr INTO its_tenant, its_begin, its_cdr
    FROM menu_calls WHERE id = its_id AND owner = its_owner AND epoch = its_epoch FOR UPDATE;
  IF its_cdr IS NOT NULL THEN
    CALL enter_cdrs(its_id, its_tenant, JSON_ARRAY(JSON_OBJECT('number', 0, 'began_at', its_begin,
      'ended_at', its_ended_at, 'ended', its_end, 'cdr', JSON_EXTRACT(its_cdr, '$'))));
  END IF;
  DELETE FROM menu_calls WHERE id = its_id AND owner = its_owner AND epoch = its_epoch;
  IF NOT is_part THEN
    COMMIT;
  END IF;
END//

-- As before, with the talk of a call from a menu: its CDR, and if it ends by a park also its talk_before.
CREATE OR REPLACE PROCEDURE record_segments(its_park_id VARCHAR(32) CHARACTER SET ascii,
                                            its_tenant VARCHAR(64) CHARACTER SET ascii, segments LONGTEXT)
  COMMENT 'Enters the ended segments of a call, and the CDR of its talk if it came from a menu'
BEGIN
  INSERT INTO park_segments (park_id, segment, kind, recall_target, began_at, ended_at, ended, hook_failure, parked_at,
                             tenant, orbit, parker, caller_number, party, call_id)
    SELECT its_park_id, s.number, IF(s.kind = 'talk', 'talk_before', s.kind), s.target,
        TIMESTAMPADD(MICROSECOND, s.began_at * 1000, '1970-01-01'),
        TIMESTAMPADD(MICROSECOND, s.ended_at * 1000, '1970-01-01'), s.ended, COALESCE(s.hook_failure, ''),
        TIMESTAMPADD(MICROSECOND, s.parked_at * 1000, '1970-01-01'), its_tenant, s.orbit, s.parker,
        LEFT(s.caller_number, 255), LEFT(s.party, 255), LEFT(s.call_id, 255)
      FROM JSON_TABLE(segments, '$[*]' COLUMNS (
        number INT UNSIGNED PATH '$.number', kind VARCHAR(16) PATH '$.kind', target VARCHAR(16) PATH '$.target',
        began_at BIGINT PATH '$.began_at', ended_at BIGINT PATH '$.ended_at', ended VARCHAR(32) PATH '$.ended',
        hook_failure VARCHAR(32) PATH '$.hook_failure',
        parked_at BIGINT PATH '$.parked_at', orbit VARCHAR(32) PATH '$.orbit', parker VARCHAR(32) PATH '$.parker',
        caller_number VARCHAR(4096) PATH '$.caller_number', party VARCHAR(4096) PATH '$.party',
        call_id VARCHAR(4096) PATH '$.call_id')) s
      WHERE s.kind <> 'talk' OR s.ended = 'parked'
    ON DUPLICATE KEY UPDATE park_segments.segment = park_segments.segment;
  -- No other segment has one.
  IF segments LIKE '%"cdr":%' THEN
    CALL enter_cdrs(its_park_id, its_tenant, segments);
  END IF;
END//

DELIMITER ;

-- As before; a call that a menu has connected is one call.
CREATE OR REPLACE VIEW talk_days AS
  SELECT tenant, day, SUM(calls) AS calls, SUM(call_seconds) AS call_seconds, SUM(retrieved_seconds) AS retrieved_seconds,
      SUM(parked_seconds) AS parked_seconds
    FROM (
      SELECT tenant, day, ended <> 'connected' AS calls, duration_ms / 1000 AS call_seconds, 0 AS retrieved_seconds,
          0 AS parked_seconds FROM cdrs
      UNION ALL
      SELECT tenant, day, 0, 0, IF(kind = 'talk_after', milliseconds, 0) / 1000,
          IF(kind IN ('parked', 'recall'), milliseconds, 0) / 1000 FROM park_segments) parts
    GROUP BY tenant, day;
