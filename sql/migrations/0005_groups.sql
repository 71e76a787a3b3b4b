-- Park groups, recalls, ring groups and orbit ranges. A ring group and the park number of a range are numbers of the
-- plan like extensions; the orbits of a range are none, but no other number may lie among them.

-- ---- tables ----

ALTER TABLE numbers
  DROP CONSTRAINT `a number is an extension or a park code`,
  MODIFY kind VARCHAR(32) CHARACTER SET ascii NOT NULL
    COMMENT 'Which table it belongs to: extension, park_code, ring_group, park_number (of orbit_ranges)',
  ADD CONSTRAINT `a number is an extension, a code, a ring group or a park number`
    CHECK (kind IN ('extension', 'park_code', 'ring_group', 'park_number'));

ALTER TABLE extensions
  ADD COLUMN may_group_park BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'May park in its park group' AFTER may_retrieve;

ALTER TABLE park_codes
  DROP CONSTRAINT `only a code that parks announces another`,
  DROP CONSTRAINT `a park code parks or retrieves`,
  DROP CONSTRAINT `only a code that parks can mean a random orbit`,
  MODIFY action VARCHAR(16) CHARACTER SET ascii NOT NULL
    COMMENT 'park, group_park (at the first free member of the parker''s park group) or retrieve',
  ADD CONSTRAINT `only a code that parks announces another` CHECK (action <> 'retrieve' OR retrieve_code IS NULL),
  ADD CONSTRAINT `a park code parks or retrieves` CHECK (action IN ('park', 'group_park', 'retrieve')),
  ADD CONSTRAINT `only a code that parks can mean a random orbit`
    CHECK (action <> 'retrieve' OR bare = 'own_extension'),
  ADD CONSTRAINT `a code that parks in the group cannot mean a random orbit`
    CHECK (action <> 'group_park' OR bare = 'own_extension');

CREATE TABLE ring_groups (
  tenant       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  ring_group   VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Number that is dialled to ring them',
  display_name VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'For people',
  strategy     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'simultaneous'
               COMMENT 'simultaneous: all at once; sequential: one after the other',
  ring_seconds INT UNSIGNED NOT NULL DEFAULT 30 COMMENT 'How long they ring; of a sequential group: each of them',
  destination  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
               COMMENT 'Who gets the call when nobody answers: extension, ring group, +outside number; NULL: nobody',
  enabled      BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: cannot be called',
  description  VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, ring_group),
  KEY ring_groups_by_destination (tenant, destination),
  CONSTRAINT `a ring group stands in the number plan` FOREIGN KEY (tenant, ring_group)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `a ring group has 2 to 20 digits` CHECK (ring_group REGEXP '^[0-9]{2,20}$'),
  CONSTRAINT `a ring group's name has no control characters or quotes`
    CHECK (display_name NOT REGEXP '[[:cntrl:]"\\\\]'),
  CONSTRAINT `a ring group rings simultaneous or sequential` CHECK (strategy IN ('simultaneous', 'sequential')),
  CONSTRAINT `a ring group rings for 5 to 300 seconds` CHECK (ring_seconds BETWEEN 5 AND 300),
  CONSTRAINT `an outside destination is a plus and 3 to 20 digits`
    CHECK (destination NOT LIKE '+%' OR destination REGEXP '^[+][0-9]{3,20}$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Numbers that ring several phones';

CREATE TABLE ring_group_members (
  tenant     VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Number of the ring group',
  position   INT UNSIGNED NOT NULL COMMENT 'Lower ones ring first in a sequential group; gaps do no harm',
  member     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
             COMMENT 'Extension of the tenant, or +outside number',
  PRIMARY KEY (tenant, ring_group, position),
  UNIQUE KEY `a ring group has a member once` (tenant, ring_group, member),
  KEY ring_group_members_by_member (tenant, member),
  CONSTRAINT `the ring group of a member exists` FOREIGN KEY (tenant, ring_group)
    REFERENCES ring_groups (tenant, ring_group) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `an outside member is a plus and 3 to 20 digits`
    CHECK (member NOT LIKE '+%' OR member REGEXP '^[+][0-9]{3,20}$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Who rings when a ring group is called; goes with its ring group';

ALTER TABLE tenants
  ADD COLUMN music_on BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'FALSE: parked callers hear ringback' AFTER music_class,
  ADD COLUMN recall_mode VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'parker_only'
    COMMENT 'Who is called when nobody retrieves: off, parker_only, parker_then_ring_group, ring_group_only'
    AFTER parked_calls_max,
  ADD COLUMN recall_after_seconds INT UNSIGNED NOT NULL DEFAULT 90
    COMMENT 'How long a call is parked before the recall' AFTER recall_mode,
  ADD COLUMN ring_seconds INT UNSIGNED NOT NULL DEFAULT 30
    COMMENT 'How long a recalled phone rings' AFTER recall_after_seconds,
  ADD COLUMN recall_retry_seconds INT UNSIGNED NOT NULL DEFAULT 10
    COMMENT 'Pause before the parker is called again' AFTER ring_seconds,
  ADD COLUMN recall_attempts_max INT UNSIGNED NOT NULL DEFAULT 3
    COMMENT 'How often the parker is called; 0: without end' AFTER recall_retry_seconds,
  ADD COLUMN alert_ring_group_wait_seconds INT UNSIGNED NOT NULL DEFAULT 30
    COMMENT 'Of parker_then_ring_group: how long it is the parker''s turn' AFTER recall_attempts_max,
  ADD COLUMN ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL
    COMMENT 'Ring group of the recall' AFTER alert_ring_group_wait_seconds,
  ADD COLUMN fallback_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
    COMMENT 'Who gets the call after the last attempt: extension, ring group, +outside number; NULL: it is ended'
    AFTER ring_group,
  ADD CONSTRAINT `off, parker_only, parker_then_ring_group or ring_group_only`
    CHECK (recall_mode IN ('off', 'parker_only', 'parker_then_ring_group', 'ring_group_only')),
  ADD CONSTRAINT `a recall comes after 10 to 3600 seconds` CHECK (recall_after_seconds BETWEEN 10 AND 3600),
  ADD CONSTRAINT `a recalled phone rings for 10 to 3600 seconds` CHECK (ring_seconds BETWEEN 10 AND 3600),
  ADD CONSTRAINT `a recall is tried again after 1 to 3600 seconds` CHECK (recall_retry_seconds BETWEEN 1 AND 3600),
  ADD CONSTRAINT `a recall is tried at most 10 times, 0: without end` CHECK (recall_attempts_max <= 10),
  ADD CONSTRAINT `the ring group is called after 10 to 3600 seconds`
    CHECK (alert_ring_group_wait_seconds BETWEEN 10 AND 3600),
  ADD CONSTRAINT `a recall to a ring group needs a ring group`
    CHECK (recall_mode NOT IN ('parker_then_ring_group', 'ring_group_only') OR ring_group IS NOT NULL),
  ADD CONSTRAINT `an outside fallback is a plus and 3 to 20 digits`
    CHECK (fallback_destination NOT LIKE '+%' OR fallback_destination REGEXP '^[+][0-9]{3,20}$'),
  ADD CONSTRAINT `the ring group of a recall exists` FOREIGN KEY (tenant, ring_group)
    REFERENCES ring_groups (tenant, ring_group);

CREATE TABLE park_groups (
  tenant                        VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  park_group                    VARCHAR(64) NOT NULL COMMENT 'Name',
  notify_parker                 BOOLEAN NOT NULL DEFAULT FALSE
                                COMMENT 'TRUE: the parker too is told of calls that he parks in the group',
  music_class                   VARCHAR(64) CHARACTER SET ascii NULL COMMENT 'NULL, here and below: as the tenant',
  music_on                      BOOLEAN NULL COMMENT 'FALSE: parked callers hear ringback',
  recall_mode                   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
                                COMMENT 'off, parker_only, parker_then_ring_group, ring_group_only',
  recall_after_seconds          INT UNSIGNED NULL COMMENT 'How long a call is parked before the recall',
  ring_seconds                  INT UNSIGNED NULL COMMENT 'How long a recalled phone rings',
  recall_retry_seconds          INT UNSIGNED NULL COMMENT 'Pause before the parker is called again',
  recall_attempts_max           INT UNSIGNED NULL COMMENT 'How often the parker is called; 0: without end',
  alert_ring_group_wait_seconds INT UNSIGNED NULL
                                COMMENT 'Of parker_then_ring_group: how long it is the parker''s turn',
  ring_group                    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL
                                COMMENT 'Ring group of the recall',
  fallback_destination          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
                                COMMENT 'Who gets the call after the last attempt',
  description                   VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, park_group),
  CONSTRAINT `a park group belongs to a tenant that exists` FOREIGN KEY (tenant) REFERENCES tenants (tenant),
  CONSTRAINT `the ring group of a park group's recall exists` FOREIGN KEY (tenant, ring_group)
    REFERENCES ring_groups (tenant, ring_group),
  CONSTRAINT `a park group has a name, with no spaces around it`
    CHECK (park_group REGEXP '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$'),
  CONSTRAINT `a park group's music class is letters, digits, _ or -` CHECK (music_class REGEXP '^[A-Za-z0-9_-]+$'),
  CONSTRAINT `off, parker_only, parker_then_ring_group or ring_group_only`
    CHECK (recall_mode IN ('off', 'parker_only', 'parker_then_ring_group', 'ring_group_only')),
  CONSTRAINT `a recall comes after 10 to 3600 seconds` CHECK (recall_after_seconds BETWEEN 10 AND 3600),
  CONSTRAINT `a recalled phone rings for 10 to 3600 seconds` CHECK (ring_seconds BETWEEN 10 AND 3600),
  CONSTRAINT `a recall is tried again after 1 to 3600 seconds` CHECK (recall_retry_seconds BETWEEN 1 AND 3600),
  CONSTRAINT `a recall is tried at most 10 times, 0: without end` CHECK (recall_attempts_max <= 10),
  CONSTRAINT `the ring group is called after 10 to 3600 seconds`
    CHECK (alert_ring_group_wait_seconds BETWEEN 10 AND 3600),
  CONSTRAINT `an outside fallback is a plus and 3 to 20 digits`
    CHECK (fallback_destination NOT LIKE '+%' OR fallback_destination REGEXP '^[+][0-9]{3,20}$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Users who park for one another, and what differs for them';

CREATE TABLE park_group_members (
  tenant     VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  park_group VARCHAR(64) NOT NULL COMMENT 'Name of the park group',
  position   INT UNSIGNED NOT NULL COMMENT 'Lower ones are tried first; gaps do no harm',
  extension  VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
             COMMENT 'Where calls are parked, and who may retrieve',
  PRIMARY KEY (tenant, park_group, position),
  UNIQUE KEY `an extension is in one park group` (tenant, extension),
  CONSTRAINT `the park group of a member exists` FOREIGN KEY (tenant, park_group)
    REFERENCES park_groups (tenant, park_group) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `a park group's member is an extension of the tenant` FOREIGN KEY (tenant, extension)
    REFERENCES extensions (tenant, extension)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Who is in a park group; goes with its park group';

CREATE TABLE orbit_ranges (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit_range VARCHAR(64) NOT NULL COMMENT 'Name',
  park_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
              COMMENT 'Dialled or transferred to: parks at the next free orbit of the range',
  first_orbit VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
              COMMENT 'Transferred to: parks there; dialled: retrieves. A star may lead',
  last_orbit  VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'As long as the first',
  from_trunks BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'TRUE: a trunk of the tenant may retrieve',
  enabled     BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: nothing is parked in it',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, orbit_range),
  CONSTRAINT `a park number stands in the number plan` FOREIGN KEY (tenant, park_number)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `an orbit range has a name, with no spaces around it`
    CHECK (orbit_range REGEXP '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$'),
  CONSTRAINT `a park number has 2 to 19 digits; a star may lead` CHECK (park_number REGEXP '^[*]?[0-9]{2,19}$'),
  CONSTRAINT `an orbit has 2 to 15 digits; a star may lead`
    CHECK (first_orbit REGEXP '^[*]?[0-9]{2,15}$' AND last_orbit REGEXP '^[*]?[0-9]{2,15}$'),
  CONSTRAINT `the first and the last orbit have equal length, and star`
    CHECK (CHAR_LENGTH(first_orbit) = CHAR_LENGTH(last_orbit)
           AND (LEFT(first_orbit, 1) = '*') = (LEFT(last_orbit, 1) = '*')),
  CONSTRAINT `the first orbit is not after the last` CHECK (first_orbit <= last_orbit),
  CONSTRAINT `an orbit range has at most 10000 orbits`
    CHECK (TRIM(LEADING '*' FROM last_orbit) - TRIM(LEADING '*' FROM first_orbit) < 10000)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Numbers to park at that belong to nobody';

ALTER TABLE parked_calls
  ADD COLUMN park_group VARCHAR(64) NULL COMMENT 'The park group it was parked in' AFTER music_class,
  ADD COLUMN recall_deadline DATETIME(3) NULL
    COMMENT 'UTC; when the next step of the recall is due; NULL: none is' AFTER deadline,
  ADD COLUMN recall_attempts INT UNSIGNED NOT NULL DEFAULT 0
    COMMENT 'How often the parker has been called' AFTER recall_deadline,
  ADD COLUMN recall LONGTEXT NULL COMMENT 'JSON: the settings of the recall, and how far it is' AFTER recall_attempts,
  ADD CONSTRAINT `a recall is JSON` CHECK (JSON_VALID(recall));

DELIMITER //

-- ---- numbers ----

-- What a trigger looks at in other rows it locks: it must still be so when the transaction ends.
CREATE PROCEDURE refuse_while_used(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                   its_number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses to let a number go that a DID, a group or a recall still leads to'
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
  ) used ORDER BY used.place, used.how LIMIT 1;
  IF sentence IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE PROCEDURE refuse_unless_rung(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                    its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination that is no extension or ring group of the tenant, nor outside'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination NOT LIKE '+%'
     AND NOT EXISTS (SELECT 1 FROM numbers WHERE tenant = its_tenant AND number = its_destination
                     AND kind IN ('extension', 'ring_group') LOCK IN SHARE MODE) THEN
    SET sentence = CONCAT('the tenant has no extension or ring group ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE TRIGGER numbers_before_insert BEFORE INSERT ON numbers FOR EACH ROW
BEGIN
  DECLARE other VARCHAR(64);
  DECLARE sentence VARCHAR(255);
  SELECT CASE kind WHEN 'extension' THEN 'an extension' WHEN 'park_code' THEN 'a park code'
                   WHEN 'ring_group' THEN 'a ring group' ELSE 'a park number' END INTO other
    FROM numbers WHERE tenant = NEW.tenant AND number = NEW.number;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(NEW.number, ' is taken: it is already ', other);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  -- A phone that dials 644 must not have to mean "extension 644" and "code 64, orbit 4". Codes may begin one another:
  -- there the longest wins, as everywhere.
  IF NEW.kind = 'park_code' THEN
    SELECT MIN(number) INTO other FROM numbers
      WHERE tenant = NEW.tenant AND kind <> 'park_code' AND LEFT(number, CHAR_LENGTH(NEW.number)) = NEW.number;
    IF other IS NOT NULL THEN
      SET sentence = CONCAT('park code ', NEW.number, ' would hide ', other, ', which begins with it');
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    SELECT MIN(orbit_range) INTO other FROM orbit_ranges
      WHERE tenant = NEW.tenant AND CHAR_LENGTH(first_orbit) >= CHAR_LENGTH(NEW.number)
        AND NEW.number BETWEEN LEFT(first_orbit, CHAR_LENGTH(NEW.number)) AND LEFT(last_orbit, CHAR_LENGTH(NEW.number))
      LOCK IN SHARE MODE;
    IF other IS NOT NULL THEN
      SET sentence = CONCAT('park code ', NEW.number, ' would hide orbits of the range ', other);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  ELSE
    SELECT MIN(number) INTO other FROM numbers
      WHERE tenant = NEW.tenant AND kind = 'park_code' AND number = LEFT(NEW.number, CHAR_LENGTH(number));
    IF other IS NOT NULL THEN
      SET sentence = CONCAT(NEW.number, ' could not be dialled: it begins with the park code ', other);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    SELECT MIN(orbit_range) INTO other FROM orbit_ranges
      WHERE tenant = NEW.tenant AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(NEW.number)
        AND NEW.number BETWEEN first_orbit AND last_orbit LOCK IN SHARE MODE;
    IF other IS NOT NULL THEN
      SET sentence = CONCAT(NEW.number, ' is taken: it is an orbit of the range ', other);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
END//

-- Its work is done before, where extensions and ring groups go.
DROP TRIGGER numbers_before_delete//

-- ---- extensions ----

CREATE OR REPLACE TRIGGER extensions_before_update BEFORE UPDATE ON extensions FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant OR NEW.extension <> OLD.extension THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.extension, 'extension');
    CALL refuse_while_used(OLD.tenant, OLD.extension);
  END IF;
END//

-- Before the foreign keys look, whose words are longer.
CREATE TRIGGER extensions_before_delete BEFORE DELETE ON extensions FOR EACH ROW
  CALL refuse_while_used(OLD.tenant, OLD.extension)//

-- ---- DIDs ----

CREATE PROCEDURE check_did(its_tenant VARCHAR(64) CHARACTER SET ascii,
                           its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a DID that leads to a number which parks or retrieves'
BEGIN
  DECLARE sentence VARCHAR(255);
  SELECT CONCAT('a DID cannot lead to a ', IF(kind = 'park_code', 'park code', 'park number'),
                ': a trunk can neither park nor retrieve') INTO sentence
    FROM numbers WHERE tenant = its_tenant AND number = its_destination AND kind IN ('park_code', 'park_number');
  IF sentence IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE OR REPLACE TRIGGER dids_before_insert BEFORE INSERT ON dids FOR EACH ROW
  CALL check_did(NEW.tenant, NEW.destination)//

CREATE OR REPLACE TRIGGER dids_before_update BEFORE UPDATE ON dids FOR EACH ROW
  CALL check_did(NEW.tenant, NEW.destination)//

-- ---- ring groups ----

CREATE PROCEDURE check_ring_group(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                  its_ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                  its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a ring group that leads nowhere, or by others to itself'
BEGIN
  DECLARE step VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT its_destination;
  DECLARE sentence VARCHAR(255);
  -- Those that exist lead to an end, so that this ends too.
  WHILE step IS NOT NULL DO
    IF step = its_ring_group THEN
      SET sentence = CONCAT('the ring group ', its_ring_group, ' would lead to itself, by way of ', its_destination);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
    SET step = (SELECT destination FROM ring_groups WHERE tenant = its_tenant AND ring_group = step LOCK IN SHARE MODE);
  END WHILE;
  CALL refuse_unless_rung(its_tenant, its_destination);
END//

CREATE TRIGGER ring_groups_before_insert BEFORE INSERT ON ring_groups FOR EACH ROW
BEGIN
  INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.ring_group, 'ring_group');
  CALL check_ring_group(NEW.tenant, NEW.ring_group, NEW.destination);
END//

CREATE TRIGGER ring_groups_before_update BEFORE UPDATE ON ring_groups FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a ring group stays in its tenant: make another there';
  END IF;
  IF NEW.ring_group <> OLD.ring_group THEN
    CALL refuse_while_used(OLD.tenant, OLD.ring_group);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.ring_group, 'ring_group');
  END IF;
  CALL check_ring_group(NEW.tenant, NEW.ring_group, NEW.destination);
END//

CREATE TRIGGER ring_groups_after_update AFTER UPDATE ON ring_groups FOR EACH ROW
BEGIN
  IF NEW.ring_group <> OLD.ring_group THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.ring_group;
  END IF;
END//

CREATE TRIGGER ring_groups_before_delete BEFORE DELETE ON ring_groups FOR EACH ROW
  CALL refuse_while_used(OLD.tenant, OLD.ring_group)//

CREATE TRIGGER ring_groups_after_delete AFTER DELETE ON ring_groups FOR EACH ROW
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.ring_group//

CREATE PROCEDURE check_ring_group_member(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                         its_member VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a member that is no extension of the tenant, nor outside'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_member NOT LIKE '+%'
     AND NOT EXISTS (SELECT 1 FROM extensions WHERE tenant = its_tenant AND extension = its_member
                     LOCK IN SHARE MODE) THEN
    SET sentence = CONCAT('a ring group rings extensions and outside numbers; the tenant has no extension ',
                          its_member);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER ring_group_members_before_insert BEFORE INSERT ON ring_group_members FOR EACH ROW
  CALL check_ring_group_member(NEW.tenant, NEW.member)//

CREATE TRIGGER ring_group_members_before_update BEFORE UPDATE ON ring_group_members FOR EACH ROW
  CALL check_ring_group_member(NEW.tenant, NEW.member)//

-- ---- park groups and recalls ----

CREATE PROCEDURE check_park_group(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                  its_recall_mode VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
                                  its_ring_group VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                  its_fallback VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a park group whose recall, its own with its tenant''s, leads nowhere'
BEGIN
  IF its_recall_mode IN ('parker_then_ring_group', 'ring_group_only') AND its_ring_group IS NULL
     AND EXISTS (SELECT 1 FROM tenants WHERE tenant = its_tenant AND ring_group IS NULL LOCK IN SHARE MODE) THEN
    SIGNAL SQLSTATE '45000'
      SET MESSAGE_TEXT = 'the park group recalls to a ring group: name one, in the park group or in the tenant';
  END IF;
  CALL refuse_unless_rung(its_tenant, its_fallback);
END//

CREATE TRIGGER park_groups_before_insert BEFORE INSERT ON park_groups FOR EACH ROW
BEGIN
  DECLARE sentence VARCHAR(255);
  CALL check_park_group(NEW.tenant, NEW.recall_mode, NEW.ring_group, NEW.fallback_destination);
  IF EXISTS (SELECT 1 FROM park_groups WHERE tenant = NEW.tenant AND park_group = NEW.park_group) THEN
    SET sentence = CONCAT('the tenant already has a park group ', NEW.park_group);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER park_groups_before_update BEFORE UPDATE ON park_groups FOR EACH ROW
BEGIN
  DECLARE sentence VARCHAR(255);
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a park group stays in its tenant: make another there';
  END IF;
  CALL check_park_group(NEW.tenant, NEW.recall_mode, NEW.ring_group, NEW.fallback_destination);
  IF NEW.park_group <> OLD.park_group
     AND EXISTS (SELECT 1 FROM park_groups WHERE tenant = NEW.tenant AND park_group = NEW.park_group) THEN
    SET sentence = CONCAT('the tenant already has a park group ', NEW.park_group);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER tenants_before_insert BEFORE INSERT ON tenants FOR EACH ROW
  CALL refuse_unless_rung(NEW.tenant, NEW.fallback_destination)//

CREATE OR REPLACE TRIGGER tenants_before_update BEFORE UPDATE ON tenants FOR EACH ROW
BEGIN
  DECLARE sentence VARCHAR(255);
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tenant cannot be renamed: phones and passwords belong to its domain';
  END IF;
  IF NEW.ring_group IS NULL AND OLD.ring_group IS NOT NULL THEN
    SELECT CONCAT('the park group ', MIN(park_group), ' recalls to the tenant''s ring group: change it first')
      INTO sentence FROM park_groups
      WHERE tenant = NEW.tenant AND ring_group IS NULL AND recall_mode IN ('parker_then_ring_group', 'ring_group_only')
      HAVING MIN(park_group) IS NOT NULL LOCK IN SHARE MODE;
    IF sentence IS NOT NULL THEN
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
  CALL refuse_unless_rung(NEW.tenant, NEW.fallback_destination);
END//

CREATE OR REPLACE TRIGGER tenants_before_delete BEFORE DELETE ON tenants FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM parked_calls WHERE tenant = OLD.tenant) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the tenant has parked calls: disable it and wait until they have ended';
  END IF;
  IF EXISTS (SELECT 1 FROM numbers WHERE tenant = OLD.tenant) OR EXISTS (SELECT 1 FROM trunks WHERE tenant = OLD.tenant)
  THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the tenant still has extensions, codes or trunks: delete them first';
  END IF;
  IF EXISTS (SELECT 1 FROM park_groups WHERE tenant = OLD.tenant) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the tenant still has park groups: delete them first';
  END IF;
END//

-- ---- orbit ranges ----

CREATE PROCEDURE check_orbit_range(its_tenant VARCHAR(64) CHARACTER SET ascii,
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
    WHERE tenant = its_tenant AND kind <> 'park_code' AND CHAR_LENGTH(number) = CHAR_LENGTH(its_first)
      AND number BETWEEN its_first AND its_last LOCK IN SHARE MODE;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(its_first, ' to ', its_last, ' would take ', other, ', which is a number of the tenant');
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
  SELECT MIN(number) INTO other FROM numbers
    WHERE tenant = its_tenant AND kind = 'park_code' AND CHAR_LENGTH(number) <= CHAR_LENGTH(its_first)
      AND number BETWEEN LEFT(its_first, CHAR_LENGTH(number)) AND LEFT(its_last, CHAR_LENGTH(number))
    LOCK IN SHARE MODE;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT(its_first, ' to ', its_last, ' could not be dialled: some begin with the park code ', other);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER orbit_ranges_before_insert BEFORE INSERT ON orbit_ranges FOR EACH ROW
BEGIN
  INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.park_number, 'park_number');
  CALL check_orbit_range(NEW.tenant, NULL, NEW.orbit_range, NEW.first_orbit, NEW.last_orbit);
END//

CREATE TRIGGER orbit_ranges_before_update BEFORE UPDATE ON orbit_ranges FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an orbit range stays in its tenant: make another there';
  END IF;
  IF NEW.park_number <> OLD.park_number THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.park_number, 'park_number');
  END IF;
  CALL check_orbit_range(NEW.tenant, OLD.orbit_range, NEW.orbit_range, NEW.first_orbit, NEW.last_orbit);
END//

CREATE TRIGGER orbit_ranges_after_update AFTER UPDATE ON orbit_ranges FOR EACH ROW
BEGIN
  IF NEW.park_number <> OLD.park_number THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.park_number;
  END IF;
END//

CREATE TRIGGER orbit_ranges_after_delete AFTER DELETE ON orbit_ranges FOR EACH ROW
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.park_number//

DELIMITER ;
