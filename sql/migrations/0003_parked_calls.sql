-- The parked calls that live now, each with all that is needed to adopt it again, and the orbits lately released.
-- Times are UTC. A row is written before the parker is told that his call is parked, and deleted when the call is not
-- parked any more: the unique key on (tenant, orbit, slot) decides who gets an orbit, and a conditional UPDATE who
-- retrieves a call.

CREATE TABLE parked_calls (
  park_id          CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Random, 32 hex digits; in every log line',
  tenant           VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                   COMMENT 'Where it is parked: an extension (102) or a random orbit (*7250)',
  slot             TINYINT UNSIGNED NOT NULL COMMENT '1 to calls_per_orbit_max: which of the orbit''s places it has',
  state            ENUM('parking', 'parked', 'retrieving') NOT NULL
                   COMMENT 'parking: orbit held, party not adopted yet. retrieving: a retriever has won it',
  parker           VARCHAR(255) NOT NULL COMMENT 'Extension that parked it',
  parker_uri       VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'SIP URI of the parker, as the parked caller knows it',
  parker_display   VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'Name of the parker',
  parked_uri       VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'SIP URI of the parked caller',
  parked_display   VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'Name of the parked caller',
  parked_kind      ENUM('extension', 'trunk') NOT NULL COMMENT 'Where the parked caller is',
  parked_by        ENUM('blind_transfer', 'attended_transfer', 'held_call') NOT NULL COMMENT 'How it was parked',
  retriever        VARCHAR(255) NULL COMMENT 'Extension that has won it',
  retrieve_id      CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'The attempt that has won it',
  call_id          VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'Call-ID of the adopted dialog',
  local_tag        VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'Tag of our side, once the parker''s',
  remote_tag       VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'Tag of the parked caller',
  local_uri        VARCHAR(1024) NOT NULL COMMENT 'From of our requests, without its tag',
  remote_uri       VARCHAR(1024) NOT NULL COMMENT 'To of our requests, without its tag',
  local_cseq       INT UNSIGNED NOT NULL COMMENT 'CSeq of the last request sent as this side',
  remote_cseq      INT UNSIGNED NULL COMMENT 'CSeq of the last request of the parked caller; NULL: none seen',
  remote_target    VARCHAR(1024) NOT NULL COMMENT 'Contact of the parked caller: R-URI of our requests',
  route_set        TEXT NOT NULL COMMENT 'Route of our requests, empty: none',
  local_sdp        TEXT NOT NULL COMMENT 'Last SDP that our side sent',
  remote_sdp       TEXT NOT NULL COMMENT 'Last SDP that the parked caller sent',
  media_session    VARCHAR(64) CHARACTER SET ascii NOT NULL DEFAULT '' COMMENT 'Name of the session in mediad',
  media_address    VARCHAR(45) CHARACTER SET ascii NOT NULL DEFAULT '' COMMENT 'Our RTP address',
  media_port       SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'Our RTP port, 0: none yet',
  media_ssrc       INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'Our RTP SSRC',
  media_codec      TEXT NOT NULL DEFAULT ('') COMMENT 'Codec in use, JSON as mediad takes it',
  music_class      VARCHAR(64) CHARACTER SET ascii NOT NULL DEFAULT 'default' COMMENT 'Music that is played',
  parked_at        DATETIME(3) NOT NULL COMMENT 'UTC; the oldest call of an orbit is retrieved first',
  deadline         DATETIME(3) NOT NULL COMMENT 'UTC; when the running timer of the call ends',
  owner            VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Node whose parkd holds the dialog',
  epoch            INT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'Counts the owners: who has an older one, has lost the call',
  operation_id     CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                   COMMENT 'The write that made the row what it is: how a write is found again after a lost connection',
  PRIMARY KEY (park_id),
  UNIQUE KEY `an orbit's place holds one call` (tenant, orbit, slot),
  KEY parked_calls_by_owner (owner),
  CONSTRAINT `an orbit has places 1 to 10` CHECK (slot BETWEEN 1 AND 10)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'The calls that are parked now';

CREATE TABLE released_orbits (
  tenant            VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit             VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'The orbit',
  park_id           CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'The call that left it last',
  reason            ENUM('retrieved', 'ended') NOT NULL COMMENT 'Why it left',
  released_at       DATETIME(3) NOT NULL COMMENT 'UTC',
  quarantined_until DATETIME(3) NOT NULL COMMENT 'UTC; a random orbit is not given out again before',
  PRIMARY KEY (tenant, orbit),
  KEY released_orbits_by_end (quarantined_until)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Orbits lately released: why a late retriever finds nothing, and which random orbits wait';

DELIMITER //

-- Everything else of a tenant is held by foreign keys; calls are not, since no setting may refuse a call that is parked.
CREATE TRIGGER tenants_before_delete BEFORE DELETE ON tenants FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM parked_calls WHERE tenant = OLD.tenant) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the tenant has parked calls: disable it and wait until they have ended';
  END IF;
  IF EXISTS (SELECT 1 FROM numbers WHERE tenant = OLD.tenant) OR EXISTS (SELECT 1 FROM trunks WHERE tenant = OLD.tenant) THEN
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
