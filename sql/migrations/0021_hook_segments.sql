-- The wait for the billing hook is a segment of its own, with the hook's answer or failure.

ALTER TABLE park_segments
  MODIFY kind ENUM('talk_before', 'parked', 'recall', 'talk_after', 'hook') NOT NULL
    COMMENT 'talk_before: caller and parker talk. parked: the caller waits. recall: it waits during one attempt of the recall. talk_after: it talks to the party that got the call. hook: the billing hook is asked, from the question until what it has permitted has come about; after a talk the park, after parked or recall the retrieve',
  MODIFY ended ENUM('parked', 'recalling', 'not_taken', 'retrieved', 'recalled', 'gave_up', 'timed_out', 'hung_up',
                    'allowed', 'allowed_on_error') NOT NULL
    COMMENT 'How it ended. parked: a talk, by a park, or by the question about it. recalling: an attempt begins. not_taken: the target of an attempt has not got the call. retrieved, recalled: another party got it, or retrieved: the question about that. gave_up: the caller hung up waiting. timed_out: at the deadline. hung_up: in any other way. Of hook, its answer. allowed: it allowed. allowed_on_error: it failed, and on_error of the tenant allows',
  ADD COLUMN hook_failure VARCHAR(32) CHARACTER SET ascii NOT NULL DEFAULT ''
    COMMENT 'Of hook that ended allowed_on_error: how the hook failed, as in callpark_billing_questions_total; empty: of all others'
    AFTER ended,
  MODIFY party VARCHAR(255) NOT NULL
    COMMENT 'The other party: of talk_before the parker, of recall the number that is called, of talk_after the party that got the call, of hook the party that parks or retrieves; empty: of parked';

DELIMITER //

-- As before, with hook_failure.
CREATE OR REPLACE PROCEDURE record_segments(its_park_id VARCHAR(32) CHARACTER SET ascii,
                                            its_tenant VARCHAR(64) CHARACTER SET ascii, segments LONGTEXT)
  COMMENT 'Enters the ended segments of a call'
BEGIN
  INSERT INTO park_segments (park_id, segment, kind, recall_target, began_at, ended_at, ended, hook_failure, parked_at,
                             tenant, orbit, parker, caller_number, party, call_id)
    SELECT its_park_id, s.number, s.kind, s.target,
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
    ON DUPLICATE KEY UPDATE park_segments.segment = park_segments.segment;
END//

DELIMITER ;

-- The time of a hook is neither parked nor talked. New columns are the last ones.
CREATE OR REPLACE VIEW billing_calls AS
  SELECT tenant, day, park_id, parked_at, MAX(call_id) AS call_id, MAX(parker) AS parker, MAX(orbit) AS orbit,
      MAX(caller_number) AS caller_number,
      MAX(IF(kind IN ('parked', 'recall') AND ended NOT IN ('recalling', 'not_taken'), ended, NULL)) AS outcome,
      MAX(IF(kind = 'talk_after', party, NULL)) AS answered_by,
      SUM(kind = 'recall') AS recall_attempts,
      SUM(IF(kind = 'talk_before', milliseconds, NULL)) / 1000 AS talk_before_seconds,
      SUM(IF(kind IN ('parked', 'recall'), milliseconds, 0)) / 1000 AS parked_seconds,
      SUM(IF(kind = 'talk_after', milliseconds, 0)) / 1000 AS talk_seconds,
      MAX(ended_at) AS ended_at,
      SUM(IF(kind = 'hook', milliseconds, 0)) / 1000 AS hook_seconds,
      SUM(ended = 'allowed_on_error') AS hook_failures
    FROM park_segments GROUP BY tenant, day, park_id, parked_at;

CREATE OR REPLACE VIEW billing_days AS
  SELECT tenant, day, COUNT(*) AS parks, SUM(outcome = 'retrieved') AS retrieved, SUM(outcome = 'recalled') AS recalled,
      SUM(outcome = 'gave_up') AS gave_up, SUM(outcome = 'timed_out') AS timed_out,
      SUM(outcome = 'hung_up') AS hung_up, SUM(recall_attempts) AS recall_attempts,
      SUM(parked_seconds) AS parked_seconds, SUM(talk_seconds) AS talk_seconds, SUM(hook_seconds) AS hook_seconds,
      SUM(hook_failures) AS hook_failures
    FROM billing_calls GROUP BY tenant, day;

CREATE OR REPLACE VIEW billing_csv AS
  SELECT tenant, day, park_id, parked_at,
      CONCAT_WS(',', csv_field(tenant), csv_field(day), csv_field(parked_at), csv_field(call_id), csv_field(parker),
        csv_field(orbit), csv_field(caller_number), csv_field(outcome), csv_field(answered_by),
        csv_field(recall_attempts), csv_field(parked_seconds), csv_field(talk_seconds), csv_field(hook_seconds),
        csv_field(hook_failures)) AS line
    FROM billing_calls;
