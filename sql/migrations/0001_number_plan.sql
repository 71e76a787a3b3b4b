-- Tenants, their number plan, and the two kinds of numbers there are so far: extensions and park codes.
-- Constraints are named by the sentence that the operator reads when a row is refused. What a CHECK cannot see (other
-- rows) is refused by a trigger, with a sentence of at most 128 characters, since MySQL takes no longer ones.

CREATE TABLE tenants (
  tenant                   VARCHAR(64) CHARACTER SET ascii NOT NULL
                           COMMENT 'SIP domain of the tenant, in lower case: the realm that phones register with',
  enabled                  BOOLEAN NOT NULL DEFAULT TRUE
                           COMMENT 'FALSE: nobody of the tenant can register or call',
  language                 VARCHAR(16) CHARACTER SET ascii NOT NULL DEFAULT 'en'
                           COMMENT 'Language of announcements, as the prompt folders are named: en, es, fr, en_GB',
  music_class              VARCHAR(64) CHARACTER SET ascii NOT NULL DEFAULT 'default'
                           COMMENT 'Music that parked callers hear',
  random_orbit_digits      TINYINT UNSIGNED NOT NULL DEFAULT 4
                           COMMENT 'Digits after the star of a random orbit: 4 gives *7250',
  orbit_quarantine_seconds INT UNSIGNED NOT NULL DEFAULT 600
                           COMMENT 'How long a released random orbit is not given out again',
  calls_per_orbit_max      TINYINT UNSIGNED NOT NULL DEFAULT 1
                           COMMENT 'Calls that may be parked at one orbit; the oldest is retrieved first',
  park_seconds_max         INT UNSIGNED NOT NULL DEFAULT 3600
                           COMMENT 'A call parked for longer than this is given up',
  parked_calls_max         INT UNSIGNED NOT NULL DEFAULT 1000
                           COMMENT 'Calls that may be parked in the tenant at once; 0: no limit',
  description              VARCHAR(255) NOT NULL DEFAULT ''
                           COMMENT 'For people',
  PRIMARY KEY (tenant),
  CONSTRAINT `a tenant is a domain name in lower case`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$'),
  CONSTRAINT `a tenant's language looks like en or en_GB`
    CHECK (language COLLATE ascii_bin REGEXP '^[a-z]{2,3}(_[A-Z]{2})?$'),
  CONSTRAINT `a tenant's music class is letters, digits, _ or -` CHECK (music_class REGEXP '^[A-Za-z0-9_-]+$'),
  CONSTRAINT `random orbits have 3 to 8 digits` CHECK (random_orbit_digits BETWEEN 3 AND 8),
  CONSTRAINT `orbits are kept in quarantine for at most a day` CHECK (orbit_quarantine_seconds <= 86400),
  CONSTRAINT `an orbit takes 1 to 10 calls` CHECK (calls_per_orbit_max BETWEEN 1 AND 10),
  CONSTRAINT `a call is given up after 10 seconds to a day` CHECK (park_seconds_max BETWEEN 10 AND 86400),
  CONSTRAINT `a tenant parks at most 100000 calls` CHECK (parked_calls_max <= 100000)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'One row a customer: a SIP domain and its settings';

CREATE TABLE numbers (
  tenant VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Whose number plan',
  number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'What is dialled',
  kind   VARCHAR(32) CHARACTER SET ascii NOT NULL COMMENT 'Which table it belongs to: extension, park_code',
  PRIMARY KEY (tenant, number),
  CONSTRAINT `a number belongs to a tenant that exists` FOREIGN KEY (tenant) REFERENCES tenants (tenant),
  CONSTRAINT `a number is an extension or a park code` CHECK (kind IN ('extension', 'park_code'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Everything that can be dialled in a tenant, once. Written by the triggers of the other tables, not by hand';

CREATE TABLE extensions (
  tenant       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  extension    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
               COMMENT 'Number of the extension, and the user name that its phones register with',
  password     VARCHAR(64) NOT NULL COMMENT 'Digest password',
  display_name VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'Name that other phones show',
  language     VARCHAR(16) CHARACTER SET ascii NULL COMMENT 'Language of announcements; NULL: as the tenant',
  may_park     BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'May use park codes',
  may_retrieve BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'May use retrieve codes',
  enabled      BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: cannot register or call',
  description  VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, extension),
  CONSTRAINT `an extension stands in the number plan` FOREIGN KEY (tenant, extension)
    REFERENCES numbers (tenant, number),
  CONSTRAINT `an extension has 2 to 20 digits` CHECK (extension REGEXP '^[0-9]{2,20}$'),
  CONSTRAINT `an extension has a password` CHECK (password <> ''),
  CONSTRAINT `an extension's name has no control characters or quotes`
    CHECK (display_name NOT REGEXP '[[:cntrl:]"\\\\]'),
  CONSTRAINT `an extension's language looks like en or en_GB`
    CHECK (language COLLATE ascii_bin REGEXP '^[a-z]{2,3}(_[A-Z]{2})?$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Who can register, call and be called';

CREATE TABLE park_codes (
  tenant        VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  code          VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                COMMENT 'What is dialled, alone or with an orbit behind it: *68, 644. The longest code that fits counts',
  action        VARCHAR(16) CHARACTER SET ascii NOT NULL COMMENT 'park or retrieve',
  bare          VARCHAR(16) CHARACTER SET ascii NOT NULL DEFAULT 'own_extension'
                COMMENT 'What the code means when nothing stands behind it: own_extension or random_orbit',
  retrieve_code VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NULL
                COMMENT 'Of a code that parks: the code that is announced to retrieve with. NULL: the first there is',
  description   VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, code),
  CONSTRAINT `a park code stands in the number plan` FOREIGN KEY (tenant, code) REFERENCES numbers (tenant, number),
  CONSTRAINT `the code that is announced exists` FOREIGN KEY (tenant, retrieve_code) REFERENCES park_codes (tenant, code),
  CONSTRAINT `only a code that parks announces another` CHECK (action = 'park' OR retrieve_code IS NULL),
  CONSTRAINT `a park code is digits, with up to two stars before them` CHECK (code REGEXP '^[*]{0,2}[0-9]{1,8}$'),
  CONSTRAINT `a park code parks or retrieves` CHECK (action IN ('park', 'retrieve')),
  CONSTRAINT `a bare code means own_extension or random_orbit` CHECK (bare IN ('own_extension', 'random_orbit')),
  CONSTRAINT `only a code that parks can mean a random orbit` CHECK (action = 'park' OR bare = 'own_extension')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'What is dialled to park and to retrieve';

DELIMITER //

CREATE TRIGGER numbers_before_insert BEFORE INSERT ON numbers FOR EACH ROW
BEGIN
  DECLARE other VARCHAR(32);
  DECLARE sentence VARCHAR(255);
  SELECT IF(kind = 'extension', 'an extension', 'a park code') INTO other
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
  ELSE
    SELECT MIN(number) INTO other FROM numbers
      WHERE tenant = NEW.tenant AND kind = 'park_code' AND number = LEFT(NEW.number, CHAR_LENGTH(number));
    IF other IS NOT NULL THEN
      SET sentence = CONCAT(NEW.number, ' could not be dialled: it begins with the park code ', other);
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
    END IF;
  END IF;
END//

-- A number is changed by entering the new one before and leaving the old one after, as a row is never without its own.
CREATE TRIGGER extensions_before_insert BEFORE INSERT ON extensions FOR EACH ROW
  INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.extension, 'extension')//

CREATE TRIGGER extensions_before_update BEFORE UPDATE ON extensions FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant OR NEW.extension <> OLD.extension THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.extension, 'extension');
  END IF;
END//

CREATE TRIGGER extensions_after_update AFTER UPDATE ON extensions FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant OR NEW.extension <> OLD.extension THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.extension;
  END IF;
END//

CREATE TRIGGER extensions_after_delete AFTER DELETE ON extensions FOR EACH ROW
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.extension//

CREATE TRIGGER park_codes_before_insert BEFORE INSERT ON park_codes FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM park_codes
             WHERE tenant = NEW.tenant AND code = NEW.retrieve_code AND action <> 'retrieve') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the code that is announced must be one that retrieves';
  END IF;
  INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.code, 'park_code');
END//

CREATE TRIGGER park_codes_before_update BEFORE UPDATE ON park_codes FOR EACH ROW
BEGIN
  IF EXISTS (SELECT 1 FROM park_codes
             WHERE tenant = NEW.tenant AND code = NEW.retrieve_code AND action <> 'retrieve') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the code that is announced must be one that retrieves';
  END IF;
  IF NEW.action <> 'retrieve'
     AND EXISTS (SELECT 1 FROM park_codes WHERE tenant = OLD.tenant AND retrieve_code = OLD.code) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'another code announces this one to retrieve with: it must stay so';
  END IF;
  IF NEW.tenant <> OLD.tenant OR NEW.code <> OLD.code THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.code, 'park_code');
  END IF;
END//

CREATE TRIGGER park_codes_after_update AFTER UPDATE ON park_codes FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant OR NEW.code <> OLD.code THEN
    DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.code;
  END IF;
END//

CREATE TRIGGER park_codes_after_delete AFTER DELETE ON park_codes FOR EACH ROW
  DELETE FROM numbers WHERE tenant = OLD.tenant AND number = OLD.code//

DELIMITER ;
