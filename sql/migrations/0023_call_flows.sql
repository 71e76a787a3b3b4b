-- Call flows: a main number that leads to one of two destinations, and a feature code that toggles between them. Both
-- are numbers of the plan. A code is dialled alone: nothing in the plan begins with it, and it begins with no code.

-- ---- tables ----

ALTER TABLE numbers
  DROP CONSTRAINT `a number is an extension, a code, a ring group or a park number`,
  MODIFY kind VARCHAR(32) CHARACTER SET ascii NOT NULL
    COMMENT 'Which table it belongs to: extension, park_code, ring_group, park_number (of orbit_ranges), call_flow or call_flow_code (of call_flows)',
  ADD CONSTRAINT `a number is of a kind that the number plan has`
    CHECK (kind IN ('extension', 'park_code', 'ring_group', 'park_number', 'call_flow', 'call_flow_code'));

CREATE TABLE call_flows (
  tenant                VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  name                  VARCHAR(64) NOT NULL COMMENT 'Name, for people',
  number                VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                        COMMENT 'Main number: a call to it goes to one of the two destinations',
  feature_code          VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NULL
                        COMMENT 'What an extension dials, and nothing after it, to toggle. NULL: only edits of status do',
  status                VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'on'
                        COMMENT 'on: calls go to destination; off: to alternate_destination. Counts for the next call',
  pin                   VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                        COMMENT 'PIN of the feature code: 1 to 16 digits, or sha256:SALT:HEX with the SHA-256 of the salt and the digits behind it; empty: none',
  destination           VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                        COMMENT 'Extension, ring group, call flow, +outside number, or hangup:REASON with busy, not_found, unavailable, declined',
  destination_label     VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'Name of this mode, for people and displays',
  destination_sound     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                        COMMENT 'Prompt that plays when the status becomes on; empty: "day mode" is spoken',
  alternate_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                        COMMENT 'The same, while the status is off',
  alternate_label       VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'Name of that mode, for people and displays',
  alternate_sound       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                        COMMENT 'Prompt that plays when the status becomes off; empty: "night mode" is spoken',
  enabled               BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: its number and its code have no meaning',
  toggled_at            DATETIME(3) NULL COMMENT 'UTC; last change of the status. NULL: there was none',
  toggled_by            VARCHAR(64) NOT NULL DEFAULT ''
                        COMMENT 'Extension that dialled the code, or sql for an edit; empty: the status never changed',
  toggle_operation      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                        COMMENT 'Last toggle by the code: how it is found again after a lost connection',
  description           VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, name),
  UNIQUE KEY `a number leads to one call flow` (tenant, number),
  UNIQUE KEY `a code toggles one call flow` (tenant, feature_code),
  KEY call_flows_by_destination (tenant, destination),
  KEY call_flows_by_alternate_destination (tenant, alternate_destination),
  CONSTRAINT `the number of a call flow is in the number plan` FOREIGN KEY (tenant, number)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `the code of a call flow is in the number plan` FOREIGN KEY (tenant, feature_code)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `a call flow has a name, with no spaces around it`
    CHECK (name REGEXP '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$'),
  CONSTRAINT `the number of a call flow has 2 to 20 digits` CHECK (number REGEXP '^[0-9]{2,20}\\z'),
  CONSTRAINT `a call flow's code is digits, with up to two stars before them`
    CHECK (feature_code REGEXP '^[*]{0,2}[0-9]{1,8}\\z'),
  CONSTRAINT `the status of a call flow is on or off` CHECK (status IN ('on', 'off')),
  CONSTRAINT `a PIN is 1 to 16 digits, or sha256:SALT:HEX; empty: none`
    CHECK (pin REGEXP '^([0-9]{1,16}|sha256:[A-Za-z0-9]{8,64}:[0-9a-f]{64})?\\z'),
  CONSTRAINT `a call flow's outside number is a plus and 3 to 20 digits`
    CHECK ((destination NOT LIKE '+%' OR destination REGEXP '^[+][0-9]{3,20}\\z')
           AND (alternate_destination NOT LIKE '+%' OR alternate_destination REGEXP '^[+][0-9]{3,20}\\z')),
  CONSTRAINT `hangup: goes with busy, not_found, unavailable or declined`
    CHECK ((destination NOT LIKE 'hangup%' OR destination REGEXP '^hangup:(busy|not_found|unavailable|declined)\\z')
           AND (alternate_destination NOT LIKE 'hangup%'
                OR alternate_destination REGEXP '^hangup:(busy|not_found|unavailable|declined)\\z')),
  CONSTRAINT `a call flow leads to digits, +digits or hangup: and a reason`
    CHECK (destination REGEXP '^([0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+)\\z'
           AND alternate_destination REGEXP '^([0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+)\\z'),
  CONSTRAINT `a label of a call flow has no control characters or quotes`
    CHECK (destination_label NOT REGEXP '[[:cntrl:]"\\\\]' AND alternate_label NOT REGEXP '[[:cntrl:]"\\\\]'),
  CONSTRAINT `a sound of a call flow is letters, digits, _ or -`
    CHECK (destination_sound REGEXP '^[A-Za-z0-9_-]*\\z' AND alternate_sound REGEXP '^[A-Za-z0-9_-]*\\z'),
  CONSTRAINT `a call flow is enabled (TRUE) or not (FALSE)` CHECK (enabled IN (FALSE, TRUE))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Numbers that lead to one of two destinations';

CREATE TABLE call_flow_guesses (
  tenant       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  name         VARCHAR(64) NOT NULL COMMENT 'Name of the call flow',
  extension    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Extension that has entered wrong PINs',
  failures     INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'Wrong PINs in a row',
  locked_until DATETIME(3) NULL COMMENT 'UTC; until then no PIN of this extension is compared. NULL: it is not locked',
  last_at      DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3) COMMENT 'UTC; last wrong PIN: after a day it counts no more',
  PRIMARY KEY (tenant, name, extension),
  KEY call_flow_guesses_by_extension (tenant, extension),
  KEY call_flow_guesses_by_time (last_at),
  CONSTRAINT `PINs are guessed of a call flow that exists` FOREIGN KEY (tenant, name)
    REFERENCES call_flows (tenant, name) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `PINs are guessed by an extension that exists` FOREIGN KEY (tenant, extension)
    REFERENCES extensions (tenant, extension) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Wrong PINs of an extension at a call flow, and its lock. Deleting the row, or failures = 0, locked_until = NULL, ends the lock';

-- No foreign key: what happened stays when a call flow or an extension is deleted.
CREATE TABLE call_flow_events (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'In the sequence of entry',
  at           DATETIME(3) NOT NULL COMMENT 'UTC',
  tenant       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  name         VARCHAR(64) NOT NULL COMMENT 'Name that the call flow had',
  event        ENUM('toggled', 'wrong_pin', 'locked', 'refused_locked') NOT NULL
               COMMENT 'toggled: the status changed. wrong_pin: a wrong PIN. locked: the third one in a row. refused_locked: a call while locked',
  party        VARCHAR(64) NOT NULL COMMENT 'Extension that dialled the code, or sql for an edit',
  status       VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'on or off: status after the event',
  operation_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
               COMMENT 'The operation that caused it, which is entered once; NULL: an edit',
  PRIMARY KEY (id),
  UNIQUE KEY `an operation on a call flow is entered once` (operation_id),
  KEY call_flow_events_by_flow (tenant, name, at),
  KEY call_flow_events_by_time (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Toggles, wrong PINs and locks. A trigger of call_flows enters toggles, parkd the rest; never a digit of a PIN';

-- ---- blanks behind destinations ----

-- To a comparison '105 ' is 105, to a call it is not; and '$' lets a line feed pass. What was entered so is trimmed.
UPDATE dids SET destination = TRIM(destination) WHERE destination LIKE '% ';
UPDATE ring_groups SET destination = REGEXP_REPLACE(destination, '[[:space:]]+$', '')
  WHERE destination REGEXP '[[:space:]]$';
DELETE blank FROM ring_group_members blank
  JOIN ring_group_members other ON other.tenant = blank.tenant AND other.ring_group = blank.ring_group
    AND other.position <> blank.position AND other.member = REGEXP_REPLACE(blank.member, '[[:space:]]+$', '')
  WHERE blank.member REGEXP '[[:space:]]$';
UPDATE ring_group_members SET member = REGEXP_REPLACE(member, '[[:space:]]+$', '') WHERE member REGEXP '[[:space:]]$';
UPDATE tenants SET fallback_destination = REGEXP_REPLACE(fallback_destination, '[[:space:]]+$', '')
  WHERE fallback_destination REGEXP '[[:space:]]$';
UPDATE park_groups SET fallback_destination = REGEXP_REPLACE(fallback_destination, '[[:space:]]+$', '')
  WHERE fallback_destination REGEXP '[[:space:]]$';

ALTER TABLE dids
  ADD CONSTRAINT `a DID leads to digits, with nothing behind them` CHECK (destination REGEXP '^[0-9]{2,20}\\z');
ALTER TABLE ring_groups
  ADD CONSTRAINT `a destination is digits or +digits, with nothing behind them`
    CHECK (destination REGEXP '^([0-9]{2,20}|[+][0-9]{3,20})\\z');
ALTER TABLE ring_group_members
  ADD CONSTRAINT `a member is digits or +digits, with nothing behind them`
    CHECK (member REGEXP '^([0-9]{2,20}|[+][0-9]{3,20})\\z');
ALTER TABLE tenants
  ADD CONSTRAINT `a fallback is digits or +digits, with nothing behind them`
    CHECK (fallback_destination REGEXP '^([0-9]{2,20}|[+][0-9]{3,20})\\z');
ALTER TABLE park_groups
  ADD CONSTRAINT `a fallback is digits or +digits, with nothing behind them`
    CHECK (fallback_destination REGEXP '^([0-9]{2,20}|[+][0-9]{3,20})\\z');

DELIMITER //

-- ---- numbers ----

CREATE OR REPLACE PROCEDURE refuse_while_used(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                              its_number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses to let a number go that a DID, a group, a call flow or a recall still leads to'
BEGIN
  DECLARE sentence VARCHAR(255);
  SELECT CONCAT(its_number, ' is still ', used.how) INTO sentence FROM (
    (SELECT 1 AS place, CONCAT('rung by the DID ', did, ': lead it elsewhere first') AS how
      FROM dids WHERE tenant = its_tenant AND destination = its_number LOCK IN SHARE MODE)
    UNION ALL (SELECT 2, CONCAT('in the park group ', park_group, ': take it out first')
      FROM park_group_members WHERE tenant = its_tenant AND extension = its_number LOCK IN SHARE MODE)
    UNION ALL (SELECT 3, CONCAT('in the ring group ', ring_group, ': take it out first')
      FROM ring_group_members WHERE tenant = its_tenant AND member = its_number LOCK IN SHARE MODE)
    UNION ALL (SELECT 4, CONCAT('the destination of the ring group ', ring_group, ': change it first')
      FROM ring_groups WHERE tenant = its_tenant AND destination = its_number LOCK IN SHARE MODE)
    UNION ALL (SELECT 5, 'called by the tenant''s recalls: change them first'
      FROM tenants WHERE tenant = its_tenant AND its_number IN (ring_group, fallback_destination) LOCK IN SHARE MODE)
    UNION ALL (SELECT 6, CONCAT('called by recalls of the park group ', park_group, ': change it first')
      FROM park_groups WHERE tenant = its_tenant AND its_number IN (ring_group, fallback_destination)
      LOCK IN SHARE MODE)
    UNION ALL (SELECT 7, CONCAT('a destination of the call flow ', name, ': change it first')
      FROM call_flows WHERE tenant = its_tenant AND destination = its_number LOCK IN SHARE MODE)
    UNION ALL (SELECT 7, CONCAT('a destination of the call flow ', name, ': change it first')
      FROM call_flows WHERE tenant = its_tenant AND alternate_destination = its_number LOCK IN SHARE MODE)
  ) used ORDER BY used.place, used.how LIMIT 1;
  IF sentence IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE PROCEDURE refuse_unless_rung(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                               its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination that is no extension, ring group or call flow of the tenant, nor outside'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination NOT LIKE '+%'
     AND NOT EXISTS (SELECT 1 FROM numbers WHERE tenant = its_tenant AND number = its_destination
                     AND kind IN ('extension', 'ring_group', 'call_flow') LOCK IN SHARE MODE) THEN
    SET sentence = CONCAT('the tenant has no extension, ring group or call flow ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE TRIGGER numbers_before_insert BEFORE INSERT ON numbers FOR EACH ROW
BEGIN
  DECLARE other VARCHAR(64);
  DECLARE sentence VARCHAR(255);
  DECLARE its_kind VARCHAR(32) DEFAULT CASE NEW.kind WHEN 'park_code' THEN 'park code' ELSE 'call flow code' END;
  -- The row has its old code until it has the new one.
  DECLARE own_code VARCHAR(64) DEFAULT '. If that is its own old code, set NULL first';
  SELECT CASE kind WHEN 'extension' THEN 'an extension' WHEN 'park_code' THEN 'a park code'
                   WHEN 'ring_group' THEN 'a ring group' WHEN 'call_flow' THEN 'the number of a call flow'
                   WHEN 'call_flow_code' THEN 'the code of a call flow' ELSE 'a park number' END INTO other
    FROM numbers WHERE tenant = NEW.tenant AND number = NEW.number;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(NEW.number, ' is taken: it is already ', other);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  -- A phone that dials 644 must not have to mean "extension 644" and "code 64, orbit 4". Park codes may begin one
  -- another: there the longest wins, as everywhere.
  IF NEW.kind IN ('park_code', 'call_flow_code') THEN
    SELECT MIN(number) INTO other FROM numbers
      WHERE tenant = NEW.tenant AND (kind <> 'park_code' OR NEW.kind <> 'park_code')
        AND LEFT(number, CHAR_LENGTH(NEW.number)) = NEW.number;
    IF other IS NOT NULL THEN
      SET sentence = CONCAT(its_kind, ' ', NEW.number, ' would hide ', other, ', which begins with it',
        IF(NEW.kind = 'call_flow_code' AND EXISTS (SELECT 1 FROM numbers WHERE tenant = NEW.tenant AND number = other
                                                   AND kind = 'call_flow_code'), own_code, ''));
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    SELECT MIN(orbit_range) INTO other FROM orbit_ranges
      WHERE tenant = NEW.tenant AND CHAR_LENGTH(first_orbit) >= CHAR_LENGTH(NEW.number)
        AND NEW.number BETWEEN LEFT(first_orbit, CHAR_LENGTH(NEW.number)) AND LEFT(last_orbit, CHAR_LENGTH(NEW.number))
      LOCK IN SHARE MODE;
    IF other IS NOT NULL THEN
      SET sentence = CONCAT(its_kind, ' ', NEW.number, ' would hide orbits of the range ', other);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
  SELECT CONCAT(IF(kind = 'park_code', 'park code ', 'call flow code '), number) INTO other FROM numbers
    WHERE tenant = NEW.tenant AND kind IN ('park_code', 'call_flow_code')
      AND (kind <> 'park_code' OR NEW.kind <> 'park_code') AND number = LEFT(NEW.number, CHAR_LENGTH(number))
    ORDER BY number LIMIT 1;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(NEW.number, ' could not be dialled: it begins with the ', other,
      IF(NEW.kind = 'call_flow_code' AND other LIKE 'call flow code %', own_code, ''));
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  IF NEW.kind NOT IN ('park_code', 'call_flow_code') THEN
    SELECT MIN(orbit_range) INTO other FROM orbit_ranges
      WHERE tenant = NEW.tenant AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(NEW.number)
        AND NEW.number BETWEEN first_orbit AND last_orbit LOCK IN SHARE MODE;
    IF other IS NOT NULL THEN
      SET sentence = CONCAT(NEW.number, ' is taken: it is an orbit of the range ', other);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
END//

CREATE OR REPLACE PROCEDURE check_orbit_range(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                              its_old_name VARCHAR(64) CHARACTER SET utf8mb4,
                                              its_name VARCHAR(64) CHARACTER SET utf8mb4,
                                              its_first VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
                                              its_last VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a range, of that name until now, that meets another or any number of the plan'
BEGIN
  DECLARE other VARCHAR(64);
  DECLARE sentence VARCHAR(255);
  IF EXISTS (SELECT 1 FROM orbit_ranges
             WHERE tenant = its_tenant AND orbit_range = its_name AND NOT orbit_range <=> its_old_name) THEN
    SET sentence = CONCAT('the tenant already has an orbit range ', its_name);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  -- Orbits of one length, with their star, are in order as text.
  SELECT MIN(orbit_range) INTO other FROM orbit_ranges
    WHERE tenant = its_tenant AND NOT orbit_range <=> its_old_name AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(its_first)
      AND first_orbit <= its_last AND last_orbit >= its_first LOCK IN SHARE MODE;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(its_first, ' to ', its_last, ' overlaps the range ', other);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  SELECT MIN(number) INTO other FROM numbers
    WHERE tenant = its_tenant AND kind NOT IN ('park_code', 'call_flow_code')
      AND CHAR_LENGTH(number) = CHAR_LENGTH(its_first) AND number BETWEEN its_first AND its_last LOCK IN SHARE MODE;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(its_first, ' to ', its_last, ' would take ', other, ', which is a number of the tenant');
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  SELECT CONCAT(IF(kind = 'park_code', 'park code ', 'call flow code '), number) INTO other FROM numbers
    WHERE tenant = its_tenant AND kind IN ('park_code', 'call_flow_code')
      AND CHAR_LENGTH(number) <= CHAR_LENGTH(its_first)
      AND number BETWEEN LEFT(its_first, CHAR_LENGTH(number)) AND LEFT(its_last, CHAR_LENGTH(number))
    ORDER BY number LIMIT 1 LOCK IN SHARE MODE;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(its_first, ' to ', its_last, ' could not be dialled: some begin with the ', other);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

-- ---- circles ----

CREATE FUNCTION with_tenant(its_number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
                            its_tenant VARCHAR(64) CHARACTER SET ascii)
  RETURNS VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin DETERMINISTIC NO SQL
  COMMENT 'number@tenant; an outside number is the same for all tenants'
  RETURN IF(its_number LIKE '+%', its_number, CONCAT(its_number, '@', its_tenant))//

-- Numbers that wait for their turn, and those that were seen, are lists with commas: number@tenant, or +outside number,
-- which may come back in by a DID of any tenant. What is looked at is locked: it must still be so when the transaction
-- ends.
CREATE FUNCTION leads_to(its_tenant VARCHAR(64) CHARACTER SET ascii,
                         its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
                         its_target VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin) RETURNS BOOLEAN READS SQL DATA
  COMMENT 'Whether a call to a destination may reach a number or +DID: by ring groups, both destinations of call flows, and DIDs'
BEGIN
  DECLARE waiting, seen, onward LONGTEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
  DECLARE step, target VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE step_number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE step_tenant VARCHAR(64) CHARACTER SET ascii;
  SET waiting = CONCAT(COALESCE(with_tenant(its_destination, its_tenant), ''), ',');
  SET target = with_tenant(its_target, its_tenant);
  WHILE waiting <> '' DO
    SET step = SUBSTRING_INDEX(waiting, ',', 1);
    SET waiting = SUBSTRING(waiting, CHAR_LENGTH(step) + 2);
    IF step <> '' AND step = target THEN
      RETURN TRUE;
    END IF;
    IF step <> '' AND NOT FIND_IN_SET(step, seen) THEN
      SET seen = CONCAT_WS(',', seen, step);
      IF step LIKE '+%' THEN
        SET onward = (SELECT GROUP_CONCAT(with_tenant(destination, tenant)) FROM dids
                      WHERE did IN (step, SUBSTRING(step, 2)) LOCK IN SHARE MODE);
      ELSE
        SET step_number = SUBSTRING_INDEX(step, '@', 1), step_tenant = SUBSTRING_INDEX(step, '@', -1);
        SET onward = (SELECT CONCAT_WS(',', with_tenant(destination, tenant), with_tenant(alternate_destination, tenant))
                      FROM call_flows WHERE tenant = step_tenant AND number = step_number LOCK IN SHARE MODE);
        IF onward IS NULL THEN
          SET onward = CONCAT_WS(',',
            (SELECT with_tenant(destination, tenant) FROM ring_groups
             WHERE tenant = step_tenant AND ring_group = step_number LOCK IN SHARE MODE),
            (SELECT GROUP_CONCAT(member) FROM ring_group_members
             WHERE tenant = step_tenant AND ring_group = step_number AND member LIKE '+%' LOCK IN SHARE MODE));
        END IF;
      END IF;
      IF onward <> '' THEN
        SET waiting = CONCAT(waiting, onward, ',');
      END IF;
    END IF;
  END WHILE;
  RETURN FALSE;
END//

CREATE OR REPLACE PROCEDURE check_did(its_did VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
                                      its_tenant VARCHAR(64) CHARACTER SET ascii,
                                      its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a DID that leads back to itself, or to a number which parks, retrieves or toggles'
BEGIN
  DECLARE sentence VARCHAR(255);
  SELECT CASE kind
           WHEN 'park_code' THEN 'a DID cannot lead to a park code: a trunk can neither park nor retrieve'
           WHEN 'park_number' THEN 'a DID cannot lead to a park number: a trunk can neither park nor retrieve'
           ELSE 'a DID cannot lead to the code of a call flow: a trunk cannot toggle it' END INTO sentence
    FROM numbers WHERE tenant = its_tenant AND number = its_destination
      AND kind IN ('park_code', 'park_number', 'call_flow_code');
  IF sentence IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  IF leads_to(its_tenant, its_destination, CONCAT('+', TRIM(LEADING '+' FROM its_did))) THEN
    SET sentence = CONCAT('the DID ', its_did, ' would lead to itself, by way of ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE TRIGGER dids_before_insert BEFORE INSERT ON dids FOR EACH ROW
  CALL check_did(NEW.did, NEW.tenant, NEW.destination)//

CREATE OR REPLACE TRIGGER dids_before_update BEFORE UPDATE ON dids FOR EACH ROW
  CALL check_did(NEW.did, NEW.tenant, NEW.destination)//

-- ---- ring groups ----

CREATE OR REPLACE PROCEDURE check_ring_group(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                             its_ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                             its_old_ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                             its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a ring group that leads nowhere, or by others, call flows or DIDs to itself'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF leads_to(its_tenant, its_destination, its_ring_group)
     OR (its_old_ring_group <> its_ring_group AND leads_to(its_tenant, its_destination, its_old_ring_group)) THEN
    SET sentence = CONCAT('the ring group ', its_ring_group, ' would lead to itself, by way of ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  CALL refuse_unless_rung(its_tenant, its_destination);
END//

CREATE OR REPLACE TRIGGER ring_groups_before_insert BEFORE INSERT ON ring_groups FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM ring_groups WHERE tenant = NEW.tenant AND ring_group = NEW.ring_group)
          AND passes_over_rows()) THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.ring_group, 'ring_group');
    CALL check_ring_group(NEW.tenant, NEW.ring_group, NEW.ring_group, NEW.destination);
  END IF;
END//

CREATE OR REPLACE TRIGGER ring_groups_before_update BEFORE UPDATE ON ring_groups FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a ring group stays in its tenant: make another there';
  END IF;
  IF NEW.ring_group <> OLD.ring_group THEN
    CALL refuse_while_used(OLD.tenant, OLD.ring_group);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.ring_group, 'ring_group');
  END IF;
  CALL check_ring_group(NEW.tenant, NEW.ring_group, OLD.ring_group, NEW.destination);
END//

CREATE OR REPLACE PROCEDURE check_ring_group_member(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                                    its_ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                    its_member VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a member that is no extension of the tenant, nor outside, or that leads back by a DID'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_member NOT LIKE '+%'
     AND NOT EXISTS (SELECT 1 FROM extensions WHERE tenant = its_tenant AND extension = its_member
                     LOCK IN SHARE MODE) THEN
    SET sentence = CONCAT('a ring group rings extensions and outside numbers; the tenant has no extension ',
                          its_member);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  IF its_member LIKE '+%' AND leads_to(its_tenant, its_member, its_ring_group) THEN
    SET sentence = CONCAT('the ring group ', its_ring_group, ' would lead to itself, by way of ', its_member);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE TRIGGER ring_group_members_before_insert BEFORE INSERT ON ring_group_members FOR EACH ROW
  CALL check_ring_group_member(NEW.tenant, NEW.ring_group, NEW.member)//

CREATE OR REPLACE TRIGGER ring_group_members_before_update BEFORE UPDATE ON ring_group_members FOR EACH ROW
  CALL check_ring_group_member(NEW.tenant, NEW.ring_group, NEW.member)//

-- ---- call flows ----

CREATE PROCEDURE check_call_flow_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                             its_name VARCHAR(64) CHARACTER SET utf8mb4,
                                             its_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                             its_old_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                             its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination of a call flow that does not ring, or leads back to the call flow'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination = '' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
      'a call flow leads to an extension, ring group, call flow, +outside number or hangup:REASON';
  END IF;
  -- What begins so is left to the constraints.
  IF its_destination NOT LIKE 'hangup%' THEN
    SELECT CONCAT('a call flow cannot lead to ', number, ', which is ',
                  CASE kind WHEN 'park_number' THEN 'a park number' WHEN 'park_code' THEN 'a park code'
                            ELSE 'the code of a call flow' END) INTO sentence
      FROM numbers WHERE tenant = its_tenant AND number = its_destination
        AND kind IN ('park_code', 'park_number', 'call_flow_code');
    IF sentence IS NOT NULL THEN
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    IF leads_to(its_tenant, its_destination, its_number) OR leads_to(its_tenant, its_destination, its_old_number) THEN
      SET sentence = CONCAT('the call flow ', its_name, ' would lead to itself, by way of ', its_destination);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    CALL refuse_unless_rung(its_tenant, its_destination);
  END IF;
END//

CREATE PROCEDURE refuse_second_call_flow(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                         its_name VARCHAR(64) CHARACTER SET utf8mb4)
  COMMENT 'Refuses a call flow with the name of one that is there'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF EXISTS (SELECT 1 FROM call_flows WHERE tenant = its_tenant AND name = its_name) THEN
    SET sentence = CONCAT('the tenant already has a call flow ', its_name);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER call_flows_before_insert BEFORE INSERT ON call_flows FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM call_flows WHERE tenant = NEW.tenant AND name = NEW.name) AND passes_over_rows()) THEN
    CALL refuse_second_call_flow(NEW.tenant, NEW.name);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'call_flow');
    IF NEW.feature_code IS NOT NULL THEN
      INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.feature_code, 'call_flow_code');
    END IF;
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, NEW.number, NEW.destination);
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, NEW.number, NEW.alternate_destination);
  END IF;
END//

CREATE TRIGGER call_flows_before_update BEFORE UPDATE ON call_flows FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a call flow stays in its tenant: make another there';
  END IF;
  IF NEW.name <> OLD.name THEN
    CALL refuse_second_call_flow(NEW.tenant, NEW.name);
  END IF;
  IF NEW.number <> OLD.number THEN
    CALL refuse_while_used(OLD.tenant, OLD.number);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'call_flow');
  END IF;
  IF NOT NEW.feature_code <=> OLD.feature_code AND NEW.feature_code IS NOT NULL THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.feature_code, 'call_flow_code');
  END IF;
  -- A toggle looks at no other row.
  IF NEW.number <> OLD.number OR NEW.destination <> OLD.destination
     OR NEW.alternate_destination <> OLD.alternate_destination THEN
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, OLD.number, NEW.destination);
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, OLD.number, NEW.alternate_destination);
  END IF;
  IF NEW.status <> OLD.status THEN
    IF NEW.toggled_at IS NULL OR NEW.toggled_at <=> OLD.toggled_at THEN
      SET NEW.toggled_at = UTC_TIMESTAMP(3);
    END IF;
    IF NEW.toggle_operation = OLD.toggle_operation AND NEW.toggled_by = OLD.toggled_by THEN
      SET NEW.toggled_by = 'sql';
    END IF;
  END IF;
END//

CREATE TRIGGER call_flows_after_update AFTER UPDATE ON call_flows FOR EACH ROW
BEGIN
  IF NEW.number <> OLD.number THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.number;
  END IF;
  IF NOT NEW.feature_code <=> OLD.feature_code AND OLD.feature_code IS NOT NULL THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.feature_code;
  END IF;
  -- In the transaction of the toggle: an operation that is repeated after a lost connection toggles once.
  IF NEW.status <> OLD.status THEN
    INSERT INTO call_flow_events (at, tenant, name, event, party, status, operation_id) VALUES
      (NEW.toggled_at, NEW.tenant, NEW.name, 'toggled', NEW.toggled_by, NEW.status,
       IF(NEW.toggle_operation = OLD.toggle_operation, NULL, NEW.toggle_operation));
  END IF;
  CALL raise_revision(NEW.tenant);
END//

CREATE TRIGGER call_flows_before_delete BEFORE DELETE ON call_flows FOR EACH ROW
  CALL refuse_while_used(OLD.tenant, OLD.number)//

CREATE TRIGGER call_flows_after_delete AFTER DELETE ON call_flows FOR EACH ROW
BEGIN
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number IN (OLD.number, OLD.feature_code);
  CALL raise_revision(OLD.tenant);
END//

CREATE TRIGGER call_flows_raise_insert AFTER INSERT ON call_flows FOR EACH ROW CALL raise_revision(NEW.tenant)//

DELIMITER ;
