-- Kamailio remembers what a call needs to know of SQL, and reads again what has another revision. Calls reach the
-- table `dialog` in one row each. A script that adds rows may run twice.

-- ---- revisions ----

CREATE TABLE tenant_revisions (
  tenant   VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain, or "*" for the trunks of all tenants',
  revision BIGINT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'Raised by each edit of what a call needs to know of the tenant',
  PRIMARY KEY (tenant)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Written by triggers. A tenant that is deleted keeps its row: so Kamailio learns that it is gone';

INSERT INTO tenant_revisions (tenant) SELECT tenant FROM tenants UNION SELECT '*';

DELIMITER //

CREATE PROCEDURE raise_revision(its_tenant VARCHAR(64) CHARACTER SET ascii)
  COMMENT 'Makes Kamailio read again what a call needs to know of the tenant'
  INSERT INTO tenant_revisions (tenant) VALUES (its_tenant) ON DUPLICATE KEY UPDATE revision = revision + 1//

CREATE PROCEDURE raise_revisions(one VARCHAR(64) CHARACTER SET ascii, other VARCHAR(64) CHARACTER SET ascii)
  COMMENT 'The same for a row that may have moved from one tenant to another'
BEGIN
  CALL raise_revision(one);
  IF other <> one THEN
    CALL raise_revision(other);
  END IF;
END//

CREATE TRIGGER tenants_raise_insert AFTER INSERT ON tenants FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER tenants_raise_update AFTER UPDATE ON tenants FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER tenants_raise_delete AFTER DELETE ON tenants FOR EACH ROW CALL raise_revision(OLD.tenant)//

CREATE TRIGGER extensions_raise_insert AFTER INSERT ON extensions FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER extensions_raise_update AFTER UPDATE ON extensions FOR EACH ROW
  CALL raise_revisions(OLD.tenant, NEW.tenant)//
CREATE TRIGGER extensions_raise_delete AFTER DELETE ON extensions FOR EACH ROW CALL raise_revision(OLD.tenant)//

CREATE TRIGGER park_codes_raise_insert AFTER INSERT ON park_codes FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER park_codes_raise_update AFTER UPDATE ON park_codes FOR EACH ROW
  CALL raise_revisions(OLD.tenant, NEW.tenant)//
CREATE TRIGGER park_codes_raise_delete AFTER DELETE ON park_codes FOR EACH ROW CALL raise_revision(OLD.tenant)//

CREATE TRIGGER ring_groups_raise_insert AFTER INSERT ON ring_groups FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER ring_groups_raise_update AFTER UPDATE ON ring_groups FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER ring_groups_raise_delete AFTER DELETE ON ring_groups FOR EACH ROW CALL raise_revision(OLD.tenant)//

CREATE TRIGGER ring_group_members_raise_insert AFTER INSERT ON ring_group_members FOR EACH ROW
  CALL raise_revision(NEW.tenant)//
CREATE TRIGGER ring_group_members_raise_update AFTER UPDATE ON ring_group_members FOR EACH ROW
  CALL raise_revisions(OLD.tenant, NEW.tenant)//
CREATE TRIGGER ring_group_members_raise_delete AFTER DELETE ON ring_group_members FOR EACH ROW
  CALL raise_revision(OLD.tenant)//

CREATE TRIGGER orbit_ranges_raise_insert AFTER INSERT ON orbit_ranges FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER orbit_ranges_raise_update AFTER UPDATE ON orbit_ranges FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER orbit_ranges_raise_delete AFTER DELETE ON orbit_ranges FOR EACH ROW CALL raise_revision(OLD.tenant)//

CREATE TRIGGER dids_raise_insert AFTER INSERT ON dids FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER dids_raise_update AFTER UPDATE ON dids FOR EACH ROW CALL raise_revisions(OLD.tenant, NEW.tenant)//
CREATE TRIGGER dids_raise_delete AFTER DELETE ON dids FOR EACH ROW CALL raise_revision(OLD.tenant)//

-- The address of a trunk is looked up before its tenant is known.
CREATE TRIGGER trunks_raise_insert AFTER INSERT ON trunks FOR EACH ROW CALL raise_revisions('*', NEW.tenant)//
CREATE TRIGGER trunks_raise_delete AFTER DELETE ON trunks FOR EACH ROW CALL raise_revisions('*', OLD.tenant)//
CREATE TRIGGER trunks_raise_update AFTER UPDATE ON trunks FOR EACH ROW
BEGIN
  CALL raise_revisions('*', OLD.tenant);
  IF NEW.tenant <> OLD.tenant THEN
    CALL raise_revision(NEW.tenant);
  END IF;
END//

DELIMITER ;

-- ---- calls ----

-- One row is a whole call, with its variables. Bytes, as they were on the wire, and long enough for what a phone sends.
ALTER TABLE dialog
  MODIFY callid VARBINARY(1024) NOT NULL,
  MODIFY from_uri VARBINARY(2048) NOT NULL,
  MODIFY to_uri VARBINARY(2048) NOT NULL,
  MODIFY req_uri VARBINARY(2048) NOT NULL,
  MODIFY from_tag VARBINARY(1024) NOT NULL,
  MODIFY to_tag VARBINARY(1024) NOT NULL,
  MODIFY caller_route_set VARBINARY(8192) NULL,
  MODIFY callee_route_set VARBINARY(8192) NULL,
  MODIFY caller_contact VARBINARY(2048) NOT NULL,
  MODIFY callee_contact VARBINARY(2048) NOT NULL,
  ADD COLUMN variables BLOB NULL COMMENT 'JSON: the parties, their last session descriptions, and holds';
UPDATE dialog d SET d.variables = (SELECT JSON_OBJECTAGG(v.dialog_key, v.dialog_value) FROM dialog_vars v
  WHERE v.hash_entry = d.hash_entry AND v.hash_id = d.hash_id);
DELETE FROM dialog_vars;
DELETE later FROM dialog later JOIN dialog d USING (hash_entry, hash_id) WHERE d.id < later.id;
ALTER TABLE dialog DROP KEY hash_idx, ADD UNIQUE KEY `a call has one row` (hash_entry, hash_id);

CREATE TABLE unwritten_calls (
  key_name   VARBINARY(255) NOT NULL COMMENT 'The call, or "-" for the row that is always there',
  key_type   INT NOT NULL DEFAULT 0 COMMENT 'Of Kamailio''s module htable',
  value_type INT NOT NULL DEFAULT 0 COMMENT 'Of Kamailio''s module htable',
  key_value  BLOB NOT NULL COMMENT 'JSON: what has become of the call',
  PRIMARY KEY (key_name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'What a Kamailio that was stopped had not yet written to the table dialog; it does so when it starts';

-- The module writes the table back only if it has read a row of it.
INSERT INTO unwritten_calls (key_name, key_value) VALUES ('-', '-');

-- ---- scripts that may run twice ----

DELIMITER //

CREATE FUNCTION passes_over_rows() RETURNS BOOLEAN READS SQL DATA
  COMMENT 'Whether the statement at hand leaves the rows alone that are there (IGNORE), or changes them (ON DUPLICATE KEY)'
  RETURN (SELECT
      UPPER(info) REGEXP '^[[:space:]]*(/[*].*[*]/[[:space:]]*)?INSERT[[:space:]]+([A-Z_]+[[:space:]]+)?IGNORE[[:space:]]'
      OR UPPER(info) REGEXP '[[:space:]]ON[[:space:]]+DUPLICATE[[:space:]]+KEY[[:space:]]+UPDATE[[:space:]]'
    FROM information_schema.processlist WHERE id = CONNECTION_ID())//

-- A row that is there has its number: a trigger that entered it again would refuse what the statement passes over.
CREATE OR REPLACE TRIGGER extensions_before_insert BEFORE INSERT ON extensions FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM extensions WHERE tenant = NEW.tenant AND extension = NEW.extension)
          AND passes_over_rows()) THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.extension, 'extension');
  END IF;
END//

CREATE OR REPLACE TRIGGER park_codes_before_insert BEFORE INSERT ON park_codes FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM park_codes
             WHERE tenant = NEW.tenant AND code = NEW.retrieve_code AND action <> 'retrieve') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the code that is announced must be one that retrieves';
  END IF;
  IF NOT (EXISTS (SELECT 1 FROM park_codes WHERE tenant = NEW.tenant AND code = NEW.code) AND passes_over_rows()) THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.code, 'park_code');
  END IF;
END//

CREATE OR REPLACE TRIGGER ring_groups_before_insert BEFORE INSERT ON ring_groups FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM ring_groups WHERE tenant = NEW.tenant AND ring_group = NEW.ring_group)
          AND passes_over_rows()) THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.ring_group, 'ring_group');
    CALL check_ring_group(NEW.tenant, NEW.ring_group, NEW.destination);
  END IF;
END//

CREATE OR REPLACE TRIGGER orbit_ranges_before_insert BEFORE INSERT ON orbit_ranges FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM orbit_ranges WHERE tenant = NEW.tenant AND orbit_range = NEW.orbit_range)
          AND passes_over_rows()) THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.park_number, 'park_number');
    CALL check_orbit_range(NEW.tenant, NULL, NEW.orbit_range, NEW.first_orbit, NEW.last_orbit);
  END IF;
END//

CREATE OR REPLACE TRIGGER park_groups_before_insert BEFORE INSERT ON park_groups FOR EACH ROW
BEGIN
  DECLARE sentence VARCHAR(255);
  DECLARE is_there BOOLEAN DEFAULT EXISTS (SELECT 1 FROM park_groups
    WHERE tenant = NEW.tenant AND park_group = NEW.park_group);
  IF NOT (is_there AND passes_over_rows()) THEN
    CALL check_park_group(NEW.tenant, NEW.recall_mode, NEW.ring_group, NEW.fallback_destination);
    IF is_there THEN
      SET sentence = CONCAT('the tenant already has a park group ', NEW.park_group);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
END//

DELIMITER ;
