-- Trunks known by their address, and the outside numbers that ring in a tenant.

CREATE TABLE trunks (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Who calls out by it, and whose DIDs come in by it',
  trunk       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Name; a tenant with several calls out by the first in order of names',
  address     VARCHAR(45) CHARACTER SET ascii NOT NULL
              COMMENT 'IP address: calls from it are the trunk''s, whatever their port. Several tenants may share it',
  port        SMALLINT UNSIGNED NOT NULL DEFAULT 5060 COMMENT 'Port that calls are sent to',
  transport   VARCHAR(3) CHARACTER SET ascii NOT NULL DEFAULT 'udp' COMMENT 'udp or tcp: how calls are sent to it',
  enabled     BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: calls to and from it are refused',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, trunk),
  UNIQUE KEY `a tenant has one trunk an address` (tenant, address),
  KEY trunks_by_address (address),
  CONSTRAINT `a trunk belongs to a tenant that exists` FOREIGN KEY (tenant) REFERENCES tenants (tenant),
  CONSTRAINT `a trunk's name is letters, digits, _ or -` CHECK (trunk REGEXP '^[A-Za-z0-9_-]+$'),
  CONSTRAINT `a trunk's address is an IP address` CHECK (IS_IPV4(address) OR IS_IPV6(address)),
  CONSTRAINT `a trunk's port is not 0` CHECK (port > 0),
  CONSTRAINT `a trunk is reached by udp or tcp` CHECK (transport IN ('udp', 'tcp'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'The telephone network, tenant by tenant';

CREATE TABLE dids (
  did         VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
              COMMENT 'Outside number as the trunk sends it, usually E.164 with its plus',
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Whose number it is',
  destination VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Number of the tenant that rings',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (did),
  KEY dids_by_destination (tenant, destination),
  CONSTRAINT `a DID rings a number of its tenant` FOREIGN KEY (tenant, destination) REFERENCES numbers (tenant, number),
  CONSTRAINT `a DID is 3 to 20 digits, with or without a plus` CHECK (did REGEXP '^[+]?[0-9]{3,20}$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Outside numbers and where they ring';

DELIMITER //

CREATE TRIGGER dids_before_insert BEFORE INSERT ON dids FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM park_codes WHERE tenant = NEW.tenant AND code = NEW.destination) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a DID cannot lead to a park code: a trunk can neither park nor retrieve';
  END IF;
END//

CREATE TRIGGER dids_before_update BEFORE UPDATE ON dids FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM park_codes WHERE tenant = NEW.tenant AND code = NEW.destination) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a DID cannot lead to a park code: a trunk can neither park nor retrieve';
  END IF;
END//

CREATE TRIGGER numbers_before_delete BEFORE DELETE ON numbers FOR EACH ROW
BEGIN
  DECLARE sentence VARCHAR(255);
  SELECT CONCAT(OLD.number, ' is still rung by the DID ', MIN(did), ': lead it elsewhere first') INTO sentence
    FROM dids WHERE tenant = OLD.tenant AND destination = OLD.number HAVING MIN(did) IS NOT NULL;
  IF sentence IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

DELIMITER ;
