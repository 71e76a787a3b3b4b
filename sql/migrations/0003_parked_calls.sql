-- The calls that parkd has now, each with all that is needed to adopt it again, and the orbits lately released. Times are
-- UTC. A row is written before the parker is told that his call is parked and deleted when the call has ended: the unique
-- key on (tenant, orbit, slot) decides who gets an orbit, and a conditional UPDATE who retrieves a call.

CREATE TABLE parked_calls (
  park_id        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Random name of the parked call',
  tenant         VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL
                 COMMENT 'Where it is parked: an extension (102) or a random orbit (*7250); NULL: retrieved, holds none',
  slot           TINYINT UNSIGNED NULL COMMENT '1 to calls_per_orbit_max: its place in the orbit',
  state          ENUM('adopting', 'parked', 'retrieving', 'retrieved') NOT NULL
                 COMMENT 'adopting: the orbit is held, the caller not yet. retrieving: a retriever has won it',
  parker         VARCHAR(32) NOT NULL COMMENT 'Extension that parked it',
  retriever      VARCHAR(32) NOT NULL DEFAULT '' COMMENT 'Extension that won it last',
  retrieve_id    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                 COMMENT 'The attempt that won it: how it is found again after a lost connection',
  music_class    VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Music that the caller hears',
  caller_dialog  LONGTEXT NOT NULL COMMENT 'JSON: the dialog with the parked caller as RFC 3261 12 has it, local = parkd',
  peer_dialog    LONGTEXT NULL COMMENT 'JSON: the dialog with the parker, or of a retrieved call with the retriever',
  media          LONGTEXT NULL COMMENT 'JSON: the session in mediad: name, address, port, SSRC, codec, remote address',
  call_id        VARCHAR(255) AS (JSON_VALUE(caller_dialog, '$.call_id')) VIRTUAL COMMENT 'Call-ID of the parked caller',
  caller_uri     VARCHAR(255) AS (JSON_VALUE(caller_dialog, '$.remote_uri')) VIRTUAL COMMENT 'URI of the parked caller',
  caller_display VARCHAR(255) AS (JSON_VALUE(caller_dialog, '$.remote_display')) VIRTUAL COMMENT 'Name of the parked caller',
  parked_at      DATETIME(3) NOT NULL COMMENT 'UTC; the oldest call of an orbit is retrieved first',
  deadline       DATETIME(3) NOT NULL COMMENT 'UTC; when the call is given up if nobody retrieves it',
  owner          VARCHAR(64) NOT NULL COMMENT 'Node whose parkd holds the dialogs',
  epoch          BIGINT UNSIGNED NOT NULL
                 COMMENT 'When that parkd started, in ms since 1970. Only who is named by owner and epoch may write',
  operation_id   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                 COMMENT 'The write that made the row what it is: how it is found again after a lost connection',
  PRIMARY KEY (park_id),
  UNIQUE KEY `a place of an orbit holds one call` (tenant, orbit, slot),
  KEY parked_calls_by_owner (owner),
  CONSTRAINT `an orbit has places 1 to 10` CHECK (slot BETWEEN 1 AND 10),
  CONSTRAINT `a call holds an orbit and a place in it until it is retrieved`
    CHECK ((state = 'retrieved') = (orbit IS NULL) AND (orbit IS NULL) = (slot IS NULL)),
  CONSTRAINT `a caller's dialog is JSON` CHECK (JSON_VALID(caller_dialog)),
  CONSTRAINT `a peer's dialog is JSON` CHECK (JSON_VALID(peer_dialog)),
  CONSTRAINT `a media session is JSON` CHECK (JSON_VALID(media))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin COMMENT = 'The calls that parkd has now';

CREATE TABLE released_orbits (
  tenant            VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit             VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'The orbit',
  was_retrieved     BOOLEAN NOT NULL COMMENT 'FALSE: the call ended, or was given up',
  released_at       DATETIME(3) NOT NULL COMMENT 'UTC',
  quarantined_until DATETIME(3) NOT NULL COMMENT 'UTC; the orbit is not given out again before',
  PRIMARY KEY (tenant, orbit),
  KEY released_orbits_by_end (quarantined_until)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
  COMMENT = 'Orbits lately released: which random ones must wait, and why a late retriever finds nothing';

DELIMITER //

-- Whatever frees an orbit, be it a hand at the prompt, it is released by the same statement.
CREATE PROCEDURE release_orbit(its_tenant VARCHAR(64), its_orbit VARCHAR(32), retrieved BOOLEAN)
  COMMENT 'Notes that an orbit is free, and for how long a random one is not given out again'
BEGIN
  DECLARE seconds INT UNSIGNED DEFAULT 0;
  IF LEFT(its_orbit, 1) = '*' THEN
    SELECT COALESCE(MAX(orbit_quarantine_seconds), 0) INTO seconds FROM tenants WHERE tenant = its_tenant;
  END IF;
  REPLACE INTO released_orbits (tenant, orbit, was_retrieved, released_at, quarantined_until)
    VALUES (its_tenant, its_orbit, retrieved, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL seconds SECOND);
END//

CREATE TRIGGER parked_calls_after_update AFTER UPDATE ON parked_calls FOR EACH ROW
BEGIN
  IF OLD.orbit IS NOT NULL AND NOT (NEW.tenant <=> OLD.tenant AND NEW.orbit <=> OLD.orbit) THEN
    CALL release_orbit(OLD.tenant, OLD.orbit, OLD.state = 'retrieving');
  END IF;
END//

CREATE TRIGGER parked_calls_after_delete AFTER DELETE ON parked_calls FOR EACH ROW
BEGIN
  IF OLD.orbit IS NOT NULL THEN
    CALL release_orbit(OLD.tenant, OLD.orbit, OLD.state = 'retrieving');
  END IF;
END//

-- Everything else of a tenant is held by foreign keys; calls are not, since no setting may refuse a call that is parked.
CREATE TRIGGER tenants_before_delete BEFORE DELETE ON tenants FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM parked_calls WHERE tenant = OLD.tenant) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the tenant has parked calls: disable it and wait until they have ended';
  END IF;
  IF EXISTS (SELECT 1 FROM numbers WHERE tenant = OLD.tenant) OR EXISTS (SELECT 1 FROM trunks WHERE tenant = OLD.tenant)
  THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the tenant still has extensions, codes or trunks: delete them first';
  END IF;
END//

CREATE TRIGGER tenants_before_update BEFORE UPDATE ON tenants FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tenant cannot be renamed: phones and passwords belong to its domain';
  END IF;
END//

DELIMITER ;
