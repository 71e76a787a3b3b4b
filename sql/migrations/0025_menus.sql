-- Menus (IVR) and announcements: numbers of the plan that parkd answers. A menu plays a greeting and hears keys, an
-- announcement plays a sound or a text. Callers in them are rows, which a parkd leaves to the next one.

-- ---- tables ----

ALTER TABLE numbers
  DROP CONSTRAINT `a number is of a kind that the number plan has`,
  MODIFY kind VARCHAR(32) CHARACTER SET ascii NOT NULL
    COMMENT 'Which table it belongs to: extension, park_code, ring_group, park_number (of orbit_ranges), call_flow or call_flow_code (of call_flows), ivr_menu, announcement';
ALTER TABLE numbers
  ADD CONSTRAINT `a number is of a kind that the number plan has`
    CHECK (kind IN ('extension', 'park_code', 'ring_group', 'park_number', 'call_flow', 'call_flow_code', 'ivr_menu',
                    'announcement'));

ALTER TABLE call_flows
  MODIFY destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
    COMMENT 'Extension, ring group, call flow, menu, announcement, +outside number, or hangup:REASON with busy, not_found, unavailable, declined';

CREATE TABLE ivr_menus (
  tenant              VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  name                VARCHAR(64) NOT NULL COMMENT 'Name, for people',
  number              VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                      COMMENT 'A call to it is answered with the greeting',
  greeting_sound      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                      COMMENT 'Prompt that is the greeting; empty: greeting_text is',
  greeting_text       VARCHAR(1000) NOT NULL DEFAULT ''
                      COMMENT 'Greeting that is synthesised; empty: greeting_sound is played',
  language            VARCHAR(16) CHARACTER SET ascii NULL
                      COMMENT 'Language of the greeting and of the announcements; NULL: of the caller, else of the tenant',
  first_key_seconds   TINYINT UNSIGNED NOT NULL DEFAULT 8 COMMENT 'Wait for a key after the greeting',
  next_key_seconds    TINYINT UNSIGNED NOT NULL DEFAULT 3 COMMENT 'Wait for a further key, after which the entry is complete',
  tries               TINYINT UNSIGNED NOT NULL DEFAULT 3 COMMENT 'Maximum number of silences and wrong entries, together',
  ring_seconds        SMALLINT UNSIGNED NOT NULL DEFAULT 30 COMMENT 'Ringing time of a destination; then the menu is played again',
  direct_dial         BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'TRUE: an extension of the tenant may be entered',
  timeout_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                      COMMENT 'After the last try, if that was a silence: as the destination of an option, without repeat and back. Empty: goodbye',
  invalid_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                      COMMENT 'The same, if that was a wrong entry',
  enabled             BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: its number has no meaning',
  description         VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, name),
  UNIQUE KEY `a number leads to one menu` (tenant, number),
  KEY ivr_menus_by_timeout_destination (tenant, timeout_destination),
  KEY ivr_menus_by_invalid_destination (tenant, invalid_destination),
  CONSTRAINT `the number of a menu is in the number plan` FOREIGN KEY (tenant, number)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `a menu has a name, with no spaces around it`
    CHECK (name REGEXP '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?\\z'),
  CONSTRAINT `the number of a menu has 2 to 20 digits` CHECK (number REGEXP '^[0-9]{2,20}\\z'),
  CONSTRAINT `a menu's sound is letters, digits, _ or -` CHECK (greeting_sound REGEXP '^[A-Za-z0-9_-]*\\z'),
  CONSTRAINT `a menu's text has no control characters or spaces around it`
    CHECK (greeting_text REGEXP '^([^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?)?\\z'),
  CONSTRAINT `a menu's text has at most 1000 bytes in UTF-8` CHECK (LENGTH(greeting_text) <= 1000),
  CONSTRAINT `a menu has a greeting_sound or a greeting_text, and not both`
    CHECK ((greeting_sound = '') <> (greeting_text = '')),
  CONSTRAINT `a menu's language looks like en or en_GB`
    CHECK (language COLLATE ascii_bin REGEXP '^[a-z]{2,3}(_[A-Z]{2})?\\z'),
  CONSTRAINT `a menu waits 1 to 60 seconds for the first key` CHECK (first_key_seconds BETWEEN 1 AND 60),
  CONSTRAINT `a menu waits 1 to 10 seconds for the next key` CHECK (next_key_seconds BETWEEN 1 AND 10),
  CONSTRAINT `a menu has 1 to 9 tries` CHECK (tries BETWEEN 1 AND 9),
  CONSTRAINT `a menu's destination rings for 5 to 300 seconds` CHECK (ring_seconds BETWEEN 5 AND 300),
  CONSTRAINT `a menu has direct dial (TRUE) or not (FALSE)` CHECK (direct_dial IN (FALSE, TRUE)),
  CONSTRAINT `a menu's outside number is a plus and 3 to 20 digits`
    CHECK ((timeout_destination NOT LIKE '+%' OR timeout_destination REGEXP '^[+][0-9]{3,20}\\z')
           AND (invalid_destination NOT LIKE '+%' OR invalid_destination REGEXP '^[+][0-9]{3,20}\\z')),
  CONSTRAINT `hangup: goes with busy, not_found, unavailable or declined`
    CHECK ((timeout_destination NOT LIKE 'hangup%'
            OR timeout_destination REGEXP '^hangup:(busy|not_found|unavailable|declined)\\z')
           AND (invalid_destination NOT LIKE 'hangup%'
                OR invalid_destination REGEXP '^hangup:(busy|not_found|unavailable|declined)\\z')),
  CONSTRAINT `a menu leads to digits, +digits, hangup: and a reason, or ''`
    CHECK (timeout_destination REGEXP '^([0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+|)\\z'
           AND invalid_destination REGEXP '^([0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+|)\\z'),
  CONSTRAINT `a menu is enabled (TRUE) or not (FALSE)` CHECK (enabled IN (FALSE, TRUE))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Menus (IVR): a greeting, and destinations that the caller chooses by keys';

CREATE TABLE ivr_menu_options (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  menu        VARCHAR(64) NOT NULL COMMENT 'Name of the menu',
  digits      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
              COMMENT 'What the caller enters: digits and stars. One option may begin another',
  destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
              COMMENT 'Extension, ring group, call flow, menu, announcement, +outside number, hangup:REASON, repeat (the menu again) or back (the menu above)',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, menu, digits),
  KEY ivr_menu_options_by_destination (tenant, destination),
  CONSTRAINT `the menu of an option exists` FOREIGN KEY (tenant, menu)
    REFERENCES ivr_menus (tenant, name) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `an option is 1 to 8 digits or stars` CHECK (digits REGEXP '^[0-9*]{1,8}\\z'),
  CONSTRAINT `an option's outside number is a plus and 3 to 20 digits`
    CHECK (destination NOT LIKE '+%' OR destination REGEXP '^[+][0-9]{3,20}\\z'),
  CONSTRAINT `hangup: goes with busy, not_found, unavailable or declined`
    CHECK (destination NOT LIKE 'hangup%' OR destination REGEXP '^hangup:(busy|not_found|unavailable|declined)\\z'),
  CONSTRAINT `an option leads to digits, +digits, hangup:, repeat or back`
    CHECK (destination REGEXP '^([0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+|repeat|back)\\z')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'What a caller in a menu may enter, and where that leads';

CREATE TABLE announcements (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  name        VARCHAR(64) NOT NULL COMMENT 'Name, for people',
  number      VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'A call to it is answered, and hears it',
  sound       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
              COMMENT 'Prompt that is played; empty: the text is',
  text        VARCHAR(1000) NOT NULL DEFAULT '' COMMENT 'Text that is synthesised; empty: the sound is played',
  language    VARCHAR(16) CHARACTER SET ascii NULL COMMENT 'Its language; NULL: of the caller, else of the tenant',
  times       TINYINT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'How often it is played; 0: until the caller hangs up',
  destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
              COMMENT 'What follows: as the destination of an option of a menu, without repeat and back. Empty: the call ends',
  enabled     BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: its number has no meaning',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, name),
  UNIQUE KEY `a number leads to one announcement` (tenant, number),
  KEY announcements_by_destination (tenant, destination),
  CONSTRAINT `the number of an announcement is in the number plan` FOREIGN KEY (tenant, number)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `an announcement has a name, with no spaces around it`
    CHECK (name REGEXP '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?\\z'),
  CONSTRAINT `the number of an announcement has 2 to 20 digits` CHECK (number REGEXP '^[0-9]{2,20}\\z'),
  CONSTRAINT `an announcement's sound is letters, digits, _ or -` CHECK (sound REGEXP '^[A-Za-z0-9_-]*\\z'),
  CONSTRAINT `an announcement has no control characters or spaces around it`
    CHECK (text REGEXP '^([^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?)?\\z'),
  CONSTRAINT `an announcement has a text of at most 1000 bytes in UTF-8` CHECK (LENGTH(text) <= 1000),
  CONSTRAINT `an announcement has a sound or a text, and not both` CHECK ((sound = '') <> (text = '')),
  CONSTRAINT `an announcement's language looks like en or en_GB`
    CHECK (language COLLATE ascii_bin REGEXP '^[a-z]{2,3}(_[A-Z]{2})?\\z'),
  CONSTRAINT `an announcement is played 1 to 100 times, 0: without end` CHECK (times <= 100),
  CONSTRAINT `an announcement without end (times = 0) leads nowhere` CHECK (times > 0 OR destination = ''),
  CONSTRAINT `an announcement's outside number is + and 3 to 20 digits`
    CHECK (destination NOT LIKE '+%' OR destination REGEXP '^[+][0-9]{3,20}\\z'),
  CONSTRAINT `hangup: goes with busy, not_found, unavailable or declined`
    CHECK (destination NOT LIKE 'hangup%' OR destination REGEXP '^hangup:(busy|not_found|unavailable|declined)\\z'),
  CONSTRAINT `an announcement leads to digits, +digits, hangup: or ''`
    CHECK (destination REGEXP '^([0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+|)\\z'),
  CONSTRAINT `an announcement is enabled (TRUE) or not (FALSE)` CHECK (enabled IN (FALSE, TRUE))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Numbers that play a sound or a text, and then hang up or lead on';

CREATE TABLE menu_calls (
  id            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                COMMENT 'Random name of the call: park_id of the row of parked_calls that follows when a destination has answered',
  tenant        VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  numbers       VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                COMMENT 'Numbers of the menus and of the announcement, with commas: the one that was dialled first, the one where the caller is last',
  caller_dialog LONGTEXT NOT NULL COMMENT 'JSON: the dialog with the caller as RFC 3261 12 has it, local = parkd',
  peer_dialog   LONGTEXT NULL COMMENT 'JSON: the dialog with the destination that has answered',
  media         LONGTEXT NULL COMMENT 'JSON: the session in mediad: name, address, port, SSRC, codec, remote address',
  owner         VARCHAR(64) NOT NULL COMMENT 'Node: its parkd holds the dialogs',
  epoch         BIGINT UNSIGNED NOT NULL COMMENT 'When that parkd started, in ms since 1970: writes name owner and epoch',
  since         DATETIME(3) NOT NULL COMMENT 'UTC; when the call was answered',
  PRIMARY KEY (id),
  KEY menu_calls_by_owner (owner),
  CONSTRAINT `a caller in menus is at numbers, with commas between them`
    CHECK (numbers REGEXP '^[0-9]{2,20}(,[0-9]{2,20})*\\z'),
  CONSTRAINT `a caller's dialog is JSON` CHECK (JSON_VALID(caller_dialog)),
  CONSTRAINT `a peer's dialog is JSON` CHECK (JSON_VALID(peer_dialog)),
  CONSTRAINT `a media session is JSON` CHECK (JSON_VALID(media))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin COMMENT = 'The callers that are in menus and announcements now';

DELIMITER //

-- ---- numbers ----

-- A menu that leads to itself is no other row that uses it.
CREATE OR REPLACE PROCEDURE refuse_while_used(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                              its_number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses to let a number go that a DID, a group, a call flow, a menu, an announcement or a recall still leads to'
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
    UNION ALL (SELECT 8, CONCAT('a destination of the menu ', menu.name, ': change it first')
      FROM ivr_menu_options chosen STRAIGHT_JOIN ivr_menus menu
        ON menu.tenant = chosen.tenant AND menu.name = chosen.menu
      WHERE chosen.tenant = its_tenant AND chosen.destination = its_number AND menu.number <> its_number
      LOCK IN SHARE MODE)
    UNION ALL (SELECT 8, CONCAT('a destination of the menu ', name, ': change it first')
      FROM ivr_menus WHERE tenant = its_tenant AND timeout_destination = its_number LOCK IN SHARE MODE)
    UNION ALL (SELECT 8, CONCAT('a destination of the menu ', name, ': change it first')
      FROM ivr_menus WHERE tenant = its_tenant AND invalid_destination = its_number AND number <> its_number
      LOCK IN SHARE MODE)
    UNION ALL (SELECT 9, CONCAT('the destination of the announcement ', name, ': change it first')
      FROM announcements WHERE tenant = its_tenant AND destination = its_number LOCK IN SHARE MODE)
  ) used ORDER BY used.place, used.how LIMIT 1;
  IF sentence IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE PROCEDURE refuse_unless_rung(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                               its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination that is neither outside nor a number of the tenant to which a call may lead'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination NOT LIKE '+%'
     AND NOT EXISTS (SELECT 1 FROM numbers WHERE tenant = its_tenant AND number = its_destination
                     AND kind IN ('extension', 'ring_group', 'call_flow', 'ivr_menu', 'announcement')
                     LOCK IN SHARE MODE) THEN
    SET sentence = CONCAT('the tenant has no extension, ring group, call flow, menu or announcement ', its_destination);
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
                   WHEN 'call_flow_code' THEN 'the code of a call flow' WHEN 'ivr_menu' THEN 'the number of a menu'
                   WHEN 'announcement' THEN 'the number of an announcement' ELSE 'a park number' END INTO other
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

-- ---- circles ----

-- Numbers that wait for their turn, and those that were seen, are lists with commas: number@tenant, or +outside number,
-- which may come back in by a DID of any tenant. What is looked at is locked: it must still be so when the transaction
-- ends. What a caller chooses by a key is not followed: a menu may lead to itself so.
CREATE OR REPLACE FUNCTION leads_to(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                    its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
                                    its_target VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  RETURNS BOOLEAN READS SQL DATA
  COMMENT 'Whether a call to a destination may reach a number or +DID without a key: by ring groups, both destinations of call flows, time-outs of menus, announcements, and DIDs'
BEGIN
  DECLARE waiting, seen, onward LONGTEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
  DECLARE step, target VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE step_number, step_kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE step_tenant VARCHAR(64) CHARACTER SET ascii;
  IF its_destination LIKE 'hangup:%' THEN
    RETURN FALSE;
  END IF;
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
        SET step_kind = (SELECT kind FROM numbers WHERE tenant = step_tenant AND number = step_number
                         LOCK IN SHARE MODE);
        IF step_kind = 'call_flow' THEN
          SET onward = (SELECT CONCAT_WS(',', with_tenant(destination, tenant), with_tenant(alternate_destination, tenant))
                        FROM call_flows WHERE tenant = step_tenant AND number = step_number LOCK IN SHARE MODE);
        ELSEIF step_kind = 'ring_group' THEN
          SET onward = CONCAT_WS(',',
            (SELECT with_tenant(destination, tenant) FROM ring_groups
             WHERE tenant = step_tenant AND ring_group = step_number LOCK IN SHARE MODE),
            (SELECT GROUP_CONCAT(member) FROM ring_group_members
             WHERE tenant = step_tenant AND ring_group = step_number AND member LIKE '+%' LOCK IN SHARE MODE));
        ELSEIF step_kind = 'ivr_menu' THEN
          SET onward = (SELECT with_tenant(NULLIF(timeout_destination, ''), tenant) FROM ivr_menus
                        WHERE tenant = step_tenant AND number = step_number LOCK IN SHARE MODE);
        ELSEIF step_kind = 'announcement' THEN
          SET onward = (SELECT with_tenant(NULLIF(destination, ''), tenant) FROM announcements
                        WHERE tenant = step_tenant AND number = step_number LOCK IN SHARE MODE);
        ELSE
          SET onward = '';
        END IF;
      END IF;
      IF onward <> '' THEN
        SET waiting = CONCAT(waiting, onward, ',');
      END IF;
    END IF;
  END WHILE;
  RETURN FALSE;
END//

-- ---- destinations of call flows, menus and announcements ----

CREATE PROCEDURE check_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                   its_kind VARCHAR(32) CHARACTER SET utf8mb4,
                                   its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination of a menu or the like that is a code, or no number to which a call may lead'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination IN ('repeat', 'back') THEN
    SET sentence = CONCAT('only an option of a menu leads to ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  -- What begins so is left to the constraints.
  IF its_destination NOT LIKE 'hangup%' THEN
    SELECT CONCAT(its_kind, ' cannot lead to ', number, ', which is ',
                  CASE kind WHEN 'park_number' THEN 'a park number' WHEN 'park_code' THEN 'a park code'
                            ELSE 'the code of a call flow' END) INTO sentence
      FROM numbers WHERE tenant = its_tenant AND number = its_destination
        AND kind IN ('park_code', 'park_number', 'call_flow_code');
    IF sentence IS NOT NULL THEN
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    CALL refuse_unless_rung(its_tenant, its_destination);
  END IF;
END//

CREATE OR REPLACE PROCEDURE check_call_flow_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                                        its_name VARCHAR(64) CHARACTER SET utf8mb4,
                                                        its_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                        its_old_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                        its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination of a call flow that does not ring, or leads back to the call flow'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination = '' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
      'a call flow leads to an extension, ring group, call flow, menu, announcement, +outside number or hangup:REASON';
  END IF;
  CALL check_destination(its_tenant, 'a call flow', its_destination);
  IF leads_to(its_tenant, its_destination, its_number) OR leads_to(its_tenant, its_destination, its_old_number) THEN
    SET sentence = CONCAT('the call flow ', its_name, ' would lead to itself, by way of ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

-- ---- menus ----

CREATE PROCEDURE check_menu_destinations(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                         its_name VARCHAR(64) CHARACTER SET utf8mb4,
                                         its_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                         its_old_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                         its_timeout VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
                                         its_invalid VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses destinations of a menu that do not ring, or lead back to the menu without a key'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_timeout <> '' THEN
    CALL check_destination(its_tenant, 'a menu', its_timeout);
    IF leads_to(its_tenant, its_timeout, its_number) OR leads_to(its_tenant, its_timeout, its_old_number) THEN
      SET sentence = CONCAT('the menu ', its_name, ' would lead to itself, by way of ', its_timeout);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
  IF its_invalid <> '' THEN
    CALL check_destination(its_tenant, 'a menu', its_invalid);
  END IF;
END//

CREATE PROCEDURE refuse_second_menu(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                    its_name VARCHAR(64) CHARACTER SET utf8mb4)
  COMMENT 'Refuses a menu with the name of one that is there'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF EXISTS (SELECT 1 FROM ivr_menus WHERE tenant = its_tenant AND name = its_name) THEN
    SET sentence = CONCAT('the tenant already has a menu ', its_name);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER ivr_menus_before_insert BEFORE INSERT ON ivr_menus FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM ivr_menus WHERE tenant = NEW.tenant AND name = NEW.name) AND passes_over_rows()) THEN
    CALL refuse_second_menu(NEW.tenant, NEW.name);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'ivr_menu');
    CALL check_menu_destinations(NEW.tenant, NEW.name, NEW.number, NEW.number, NEW.timeout_destination,
                                 NEW.invalid_destination);
  END IF;
END//

CREATE TRIGGER ivr_menus_before_update BEFORE UPDATE ON ivr_menus FOR EACH ROW
BEGIN
  DECLARE sentence VARCHAR(255);
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a menu stays in its tenant: make another there';
  END IF;
  IF NEW.name <> OLD.name THEN
    CALL refuse_second_menu(NEW.tenant, NEW.name);
  END IF;
  IF NEW.number <> OLD.number THEN
    CALL refuse_while_used(OLD.tenant, OLD.number);
    IF NEW.invalid_destination = OLD.number
       OR EXISTS (SELECT 1 FROM ivr_menu_options WHERE tenant = OLD.tenant AND menu = OLD.name
                  AND destination = OLD.number LOCK IN SHARE MODE) THEN
      SET sentence = CONCAT(OLD.number, ' is still a destination of the menu ', OLD.name, ': change it first');
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'ivr_menu');
  END IF;
  IF NEW.number <> OLD.number OR NEW.timeout_destination <> OLD.timeout_destination
     OR NEW.invalid_destination <> OLD.invalid_destination THEN
    CALL check_menu_destinations(NEW.tenant, NEW.name, NEW.number, OLD.number, NEW.timeout_destination,
                                 NEW.invalid_destination);
  END IF;
END//

CREATE TRIGGER ivr_menus_after_update AFTER UPDATE ON ivr_menus FOR EACH ROW
BEGIN
  IF NEW.number <> OLD.number THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.number;
  END IF;
  CALL raise_revision(NEW.tenant);
END//

CREATE TRIGGER ivr_menus_before_delete BEFORE DELETE ON ivr_menus FOR EACH ROW
  CALL refuse_while_used(OLD.tenant, OLD.number)//

CREATE TRIGGER ivr_menus_after_delete AFTER DELETE ON ivr_menus FOR EACH ROW
BEGIN
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.number;
  CALL raise_revision(OLD.tenant);
END//

CREATE TRIGGER ivr_menus_raise_insert AFTER INSERT ON ivr_menus FOR EACH ROW CALL raise_revision(NEW.tenant)//

-- ---- options of menus ----

CREATE PROCEDURE check_option_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                          its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination of an option that does not ring'
BEGIN
  IF its_destination = '' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
      'an option leads to an extension, ring group, call flow, menu, announcement, +outside number, hangup:REASON, repeat or back';
  END IF;
  IF its_destination NOT IN ('repeat', 'back') THEN
    CALL check_destination(its_tenant, 'an option of a menu', its_destination);
  END IF;
END//

CREATE PROCEDURE refuse_second_option(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                      its_menu VARCHAR(64) CHARACTER SET utf8mb4,
                                      its_digits VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses an option with the digits of one that the menu has'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF EXISTS (SELECT 1 FROM ivr_menu_options WHERE tenant = its_tenant AND menu = its_menu AND digits = its_digits) THEN
    SET sentence = CONCAT('the menu ', its_menu, ' already has an option ', its_digits);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER ivr_menu_options_before_insert BEFORE INSERT ON ivr_menu_options FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM ivr_menu_options WHERE tenant = NEW.tenant AND menu = NEW.menu AND digits = NEW.digits)
          AND passes_over_rows()) THEN
    CALL refuse_second_option(NEW.tenant, NEW.menu, NEW.digits);
    CALL check_option_destination(NEW.tenant, NEW.destination);
  END IF;
END//

CREATE TRIGGER ivr_menu_options_before_update BEFORE UPDATE ON ivr_menu_options FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an option stays in its tenant: make another there';
  END IF;
  IF NEW.menu <> OLD.menu OR NEW.digits <> OLD.digits THEN
    CALL refuse_second_option(NEW.tenant, NEW.menu, NEW.digits);
  END IF;
  CALL check_option_destination(NEW.tenant, NEW.destination);
END//

CREATE TRIGGER ivr_menu_options_raise_insert AFTER INSERT ON ivr_menu_options FOR EACH ROW
  CALL raise_revision(NEW.tenant)//
CREATE TRIGGER ivr_menu_options_raise_update AFTER UPDATE ON ivr_menu_options FOR EACH ROW
  CALL raise_revision(NEW.tenant)//
CREATE TRIGGER ivr_menu_options_raise_delete AFTER DELETE ON ivr_menu_options FOR EACH ROW
  CALL raise_revision(OLD.tenant)//

-- ---- announcements ----

CREATE PROCEDURE check_announcement_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                                its_name VARCHAR(64) CHARACTER SET utf8mb4,
                                                its_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                its_old_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination of an announcement that does not ring, or leads back to the announcement'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination <> '' THEN
    CALL check_destination(its_tenant, 'an announcement', its_destination);
    IF leads_to(its_tenant, its_destination, its_number) OR leads_to(its_tenant, its_destination, its_old_number) THEN
      SET sentence = CONCAT('the announcement ', its_name, ' would lead to itself, by way of ', its_destination);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
END//

CREATE PROCEDURE refuse_second_announcement(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                            its_name VARCHAR(64) CHARACTER SET utf8mb4)
  COMMENT 'Refuses an announcement with the name of one that is there'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF EXISTS (SELECT 1 FROM announcements WHERE tenant = its_tenant AND name = its_name) THEN
    SET sentence = CONCAT('the tenant already has an announcement ', its_name);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER announcements_before_insert BEFORE INSERT ON announcements FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM announcements WHERE tenant = NEW.tenant AND name = NEW.name)
          AND passes_over_rows()) THEN
    CALL refuse_second_announcement(NEW.tenant, NEW.name);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'announcement');
    CALL check_announcement_destination(NEW.tenant, NEW.name, NEW.number, NEW.number, NEW.destination);
  END IF;
END//

CREATE TRIGGER announcements_before_update BEFORE UPDATE ON announcements FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an announcement stays in its tenant: make another there';
  END IF;
  IF NEW.name <> OLD.name THEN
    CALL refuse_second_announcement(NEW.tenant, NEW.name);
  END IF;
  IF NEW.number <> OLD.number THEN
    CALL refuse_while_used(OLD.tenant, OLD.number);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'announcement');
  END IF;
  IF NEW.number <> OLD.number OR NEW.destination <> OLD.destination THEN
    CALL check_announcement_destination(NEW.tenant, NEW.name, NEW.number, OLD.number, NEW.destination);
  END IF;
END//

CREATE TRIGGER announcements_after_update AFTER UPDATE ON announcements FOR EACH ROW
BEGIN
  IF NEW.number <> OLD.number THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.number;
  END IF;
  CALL raise_revision(NEW.tenant);
END//

CREATE TRIGGER announcements_before_delete BEFORE DELETE ON announcements FOR EACH ROW
  CALL refuse_while_used(OLD.tenant, OLD.number)//

CREATE TRIGGER announcements_after_delete AFTER DELETE ON announcements FOR EACH ROW
BEGIN
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.number;
  CALL raise_revision(OLD.tenant);
END//

CREATE TRIGGER announcements_raise_insert AFTER INSERT ON announcements FOR EACH ROW CALL raise_revision(NEW.tenant)//

DELIMITER ;
