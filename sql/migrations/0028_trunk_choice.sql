-- Several trunks of a tenant: which of them carry a call to an outside number, and which is tried first.

ALTER TABLE trunks
  MODIFY trunk VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Name',
  ADD COLUMN priority SMALLINT UNSIGNED NOT NULL DEFAULT 100
    COMMENT 'Trunks with a lower number are tried first, the others if those fail' AFTER transport,
  ADD COLUMN weight SMALLINT UNSIGNED NOT NULL DEFAULT 0
    COMMENT 'Share of the calls among trunks of the same priority; those with 0 follow all others, in the order of their names'
    AFTER priority,
  ADD COLUMN calls_max SMALLINT UNSIGNED NOT NULL DEFAULT 0
    COMMENT 'Calls that the trunk has at once, in and out; at the maximum calls out go by the next trunk. 0: no limit' AFTER weight,
  ADD COLUMN probe BOOLEAN NOT NULL DEFAULT FALSE
    COMMENT 'TRUE: it is sent OPTIONS, and tried last while it answers none' AFTER calls_max,
  ADD CONSTRAINT `a trunk's priority is 0 to 1000` CHECK (priority <= 1000),
  ADD CONSTRAINT `a trunk's weight is 0 to 1000` CHECK (weight <= 1000),
  ADD CONSTRAINT `a trunk is probed (TRUE) or not (FALSE)` CHECK (probe IN (FALSE, TRUE));

CREATE TABLE trunk_prefixes (
  tenant VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  trunk  VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Name of the trunk',
  prefix VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
         COMMENT 'Beginning of outside numbers, with its plus. Of all prefixes of a number the longest decides: the trunks that have it carry the call, and no others',
  PRIMARY KEY (tenant, trunk, prefix),
  CONSTRAINT `a prefix belongs to a trunk that exists` FOREIGN KEY (tenant, trunk)
    REFERENCES trunks (tenant, trunk) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `a trunk's prefix is a plus and 1 to 19 digits` CHECK (prefix REGEXP '^[+][0-9]{1,19}\\z')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Which outside numbers a trunk carries; a trunk without a row carries those that no prefix of the tenant matches';

DELIMITER //

-- What follows a trunk by its foreign key raises the revision with the trunk.
CREATE TRIGGER trunk_prefixes_raise_insert AFTER INSERT ON trunk_prefixes FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER trunk_prefixes_raise_update AFTER UPDATE ON trunk_prefixes FOR EACH ROW
  CALL raise_revisions(OLD.tenant, NEW.tenant)//
CREATE TRIGGER trunk_prefixes_raise_delete AFTER DELETE ON trunk_prefixes FOR EACH ROW
  CALL raise_revision(OLD.tenant)//

DELIMITER ;
