-- An orbit of a range as a destination of call flows, ring groups and DIDs: a caller that is led there retrieves, as if
-- it had dialled the orbit.

-- ---- tables ----

ALTER TABLE call_flows
  DROP CONSTRAINT `a call flow leads to digits, +digits or hangup: and a reason`,
  MODIFY destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
    COMMENT 'Extension, ring group, call flow, menu, announcement, orbit of a range, +outside number, or hangup:REASON with busy, not_found, unavailable, declined',
  ADD CONSTRAINT `a call flow leads to digits, *digits, +digits or hangup:REASON`
    CHECK (destination REGEXP '^([*]?[0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+)\\z'
           AND alternate_destination REGEXP '^([*]?[0-9]{2,20}|[+][0-9]+|hangup:[a-z_]+)\\z');

ALTER TABLE ring_groups
  DROP CONSTRAINT `a destination is digits or +digits, with nothing behind them`,
  MODIFY destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
    COMMENT 'Where the call goes if no member answers: extension, ring group, call flow, menu, announcement, orbit of a range, +outside number; NULL: it ends',
  ADD CONSTRAINT `a destination is digits, *digits or +digits, nothing behind them`
    CHECK (destination REGEXP '^([*]?[0-9]{2,20}|[+][0-9]{3,20})\\z');

-- An orbit is no row of numbers. Triggers refuse what the foreign key did.
ALTER TABLE dids
  DROP FOREIGN KEY `a DID rings a number of its tenant`,
  DROP CONSTRAINT `a DID leads to digits, with nothing behind them`,
  MODIFY destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
    COMMENT 'Where the call goes: extension, ring group, call flow, menu, announcement or orbit of a range',
  ADD CONSTRAINT `a DID leads to digits or *digits, with nothing behind them`
    CHECK (destination REGEXP '^[*]?[0-9]{2,20}\\z');

DELIMITER //

-- ---- destinations ----

CREATE FUNCTION is_orbit(its_tenant VARCHAR(64) CHARACTER SET ascii,
                         its_number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin) RETURNS BOOLEAN READS SQL DATA
  COMMENT 'Whether a number is an orbit of a range of the tenant'
  RETURN EXISTS (SELECT 1 FROM orbit_ranges
                 WHERE tenant = its_tenant AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(its_number)
                   AND its_number BETWEEN first_orbit AND last_orbit LOCK IN SHARE MODE)//

CREATE FUNCTION is_rung(its_tenant VARCHAR(64) CHARACTER SET ascii,
                        its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  RETURNS BOOLEAN READS SQL DATA
  COMMENT 'Whether a destination is outside, or a number of the tenant to which a call may lead; NULL: there is none'
  RETURN its_destination LIKE '+%'
         OR EXISTS (SELECT 1 FROM numbers WHERE tenant = its_tenant AND number = its_destination
                    AND kind IN ('extension', 'ring_group', 'call_flow', 'ivr_menu', 'announcement')
                    LOCK IN SHARE MODE)//

CREATE OR REPLACE PROCEDURE refuse_unless_rung(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                               its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination that is neither outside nor a number of the tenant to which a call may lead'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF NOT is_rung(its_tenant, its_destination) THEN
    SET sentence = CONCAT('the tenant has no extension, ring group, call flow, menu or announcement ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE PROCEDURE refuse_unless_rung_or_orbit(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                             its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination that is neither outside, nor a number to which a call may lead, nor an orbit'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF NOT is_rung(its_tenant, its_destination) AND NOT is_orbit(its_tenant, its_destination) THEN
    SET sentence = CONCAT('the tenant has no extension, ring group, call flow, menu, announcement or orbit ',
                          its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

-- A caller in a menu or an announcement is parkd's, and does not retrieve: only a call flow leads to an orbit.
CREATE OR REPLACE PROCEDURE check_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
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
    IF its_kind = 'a call flow' THEN
      CALL refuse_unless_rung_or_orbit(its_tenant, its_destination);
    ELSE
      CALL refuse_unless_rung(its_tenant, its_destination);
    END IF;
  END IF;
END//

CREATE OR REPLACE PROCEDURE check_call_flow_destination(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                                        its_name VARCHAR(64) CHARACTER SET utf8mb4,
                                                        its_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                        its_old_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
                                                        its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a destination of a call flow that leads nowhere, or back to the call flow'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF its_destination = '' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
      'a call flow leads to an extension, ring group, call flow, menu, announcement, orbit, +outside number or hangup:REASON';
  END IF;
  CALL check_destination(its_tenant, 'a call flow', its_destination);
  IF leads_to(its_tenant, its_destination, its_number) OR leads_to(its_tenant, its_destination, its_old_number) THEN
    SET sentence = CONCAT('the call flow ', its_name, ' would lead to itself, by way of ', its_destination);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

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
  CALL refuse_unless_rung_or_orbit(its_tenant, its_destination);
END//

-- ---- DIDs ----

CREATE OR REPLACE PROCEDURE check_did(its_did VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
                                      its_tenant VARCHAR(64) CHARACTER SET ascii,
                                      its_destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses a DID that leads nowhere, back to itself, or to a number which parks or toggles'
BEGIN
  DECLARE sentence VARCHAR(255);
  SELECT CASE kind
           WHEN 'park_code'
             THEN 'a DID cannot lead to a park code: a trunk cannot park, and retrieves from orbits of ranges only'
           WHEN 'park_number' THEN 'a DID cannot lead to a park number: a trunk cannot park'
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
  CALL refuse_unless_rung_or_orbit(its_tenant, its_destination);
END//

CREATE OR REPLACE TRIGGER dids_before_insert BEFORE INSERT ON dids FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM dids WHERE did = NEW.did) AND passes_over_rows()) THEN
    CALL check_did(NEW.did, NEW.tenant, NEW.destination);
  END IF;
END//

-- ---- orbit ranges ----

CREATE PROCEDURE refuse_while_orbits_used(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                          its_first VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
                                          its_last VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
                                          new_first VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
                                          new_last VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin)
  COMMENT 'Refuses to let orbits go that a range will not have, and a DID, a ring group or a call flow still leads to'
BEGIN
  DECLARE its_orbit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin;
  SELECT MIN(used.destination) INTO its_orbit FROM (
    (SELECT destination FROM dids
      WHERE tenant = its_tenant AND destination BETWEEN its_first AND its_last LOCK IN SHARE MODE)
    UNION ALL (SELECT destination FROM ring_groups
      WHERE tenant = its_tenant AND destination BETWEEN its_first AND its_last LOCK IN SHARE MODE)
    UNION ALL (SELECT destination FROM call_flows
      WHERE tenant = its_tenant AND destination BETWEEN its_first AND its_last LOCK IN SHARE MODE)
    UNION ALL (SELECT alternate_destination FROM call_flows
      WHERE tenant = its_tenant AND alternate_destination BETWEEN its_first AND its_last LOCK IN SHARE MODE)
  ) used
    WHERE CHAR_LENGTH(used.destination) = CHAR_LENGTH(its_first)
      AND NOT (CHAR_LENGTH(used.destination) = CHAR_LENGTH(new_first)
               AND used.destination BETWEEN new_first AND new_last);
  IF its_orbit IS NOT NULL THEN
    CALL refuse_while_used(its_tenant, its_orbit);
  END IF;
END//

CREATE OR REPLACE TRIGGER orbit_ranges_before_update BEFORE UPDATE ON orbit_ranges FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an orbit range stays in its tenant: make another there';
  END IF;
  IF NEW.park_number <> OLD.park_number THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.park_number, 'park_number');
  END IF;
  CALL check_orbit_range(NEW.tenant, OLD.orbit_range, NEW.orbit_range, NEW.first_orbit, NEW.last_orbit);
  CALL refuse_while_orbits_used(OLD.tenant, OLD.first_orbit, OLD.last_orbit, NEW.first_orbit, NEW.last_orbit);
END//

CREATE TRIGGER orbit_ranges_before_delete BEFORE DELETE ON orbit_ranges FOR EACH ROW
  CALL refuse_while_orbits_used(OLD.tenant, OLD.first_orbit, OLD.last_orbit, '', '')//

DELIMITER ;
