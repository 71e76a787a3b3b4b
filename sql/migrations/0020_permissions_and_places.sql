-- What a tenant and its extensions may do with call park: the feature as a whole, and orbit ranges. Each parked call has
-- a numbered place in its tenant and in its parker's share, so that maxima hold whatever is parked at once.

ALTER TABLE tenants
  ADD COLUMN parking_enabled BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'FALSE: call park is switched off. Nothing more is parked; what is parked is still retrieved and recalled'
    AFTER enabled,
  ADD CONSTRAINT `call park is enabled (TRUE) or not (FALSE)` CHECK (parking_enabled IN (FALSE, TRUE));

ALTER TABLE orbit_ranges
  ADD COLUMN restricted BOOLEAN NOT NULL DEFAULT FALSE
    COMMENT 'TRUE: only extensions that have a row in orbit_range_extensions park and retrieve in it'
    AFTER from_trunks,
  ADD CONSTRAINT `an orbit range is restricted (TRUE) or not (FALSE)` CHECK (restricted IN (FALSE, TRUE));

CREATE TABLE orbit_range_extensions (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  orbit_range VARCHAR(64) NOT NULL COMMENT 'Name of the range',
  extension   VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'It may park and retrieve there',
  PRIMARY KEY (tenant, orbit_range, extension),
  CONSTRAINT `the orbit range that an extension may use exists` FOREIGN KEY (tenant, orbit_range)
    REFERENCES orbit_ranges (tenant, orbit_range) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `an orbit range is used by an extension of the tenant` FOREIGN KEY (tenant, extension)
    REFERENCES extensions (tenant, extension) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Which extensions use an orbit range that is restricted; of others it means nothing';

-- A call that is parked without a maximum has places beyond every maximum: no two of them are equal.
ALTER TABLE parked_calls
  ADD COLUMN tenant_place BIGINT UNSIGNED NULL
    COMMENT 'Its place among the calls of the tenant: 1 to parked_calls_max, or beyond every maximum; NULL: holds no orbit'
    AFTER slot,
  ADD COLUMN extension_place BIGINT UNSIGNED NULL COMMENT 'The same among the calls of its parker'
    AFTER tenant_place;

UPDATE parked_calls SET tenant_place = UUID_SHORT(), extension_place = UUID_SHORT() WHERE orbit IS NOT NULL;

ALTER TABLE parked_calls
  ADD UNIQUE KEY `a place of a tenant holds one call` (tenant, tenant_place),
  ADD UNIQUE KEY `a place of an extension holds one call` (tenant, parker, extension_place),
  DROP KEY parked_calls_by_parker,
  ADD CONSTRAINT `places count from 1` CHECK (tenant_place > 0 AND extension_place > 0);

DELIMITER //

CREATE TRIGGER parked_calls_before_insert BEFORE INSERT ON parked_calls FOR EACH ROW
  SET NEW.tenant_place = IF(NEW.orbit IS NULL, NULL, COALESCE(NEW.tenant_place, UUID_SHORT())),
      NEW.extension_place = IF(NEW.orbit IS NULL, NULL, COALESCE(NEW.extension_place, UUID_SHORT()))//

-- Whatever frees the orbit frees the places.
CREATE TRIGGER parked_calls_before_update BEFORE UPDATE ON parked_calls FOR EACH ROW
  SET NEW.tenant_place = IF(NEW.orbit IS NULL, NULL, COALESCE(NEW.tenant_place, UUID_SHORT())),
      NEW.extension_place = IF(NEW.orbit IS NULL, NULL, COALESCE(NEW.extension_place, UUID_SHORT()))//

DELIMITER ;
