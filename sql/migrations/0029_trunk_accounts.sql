-- The account that a tenant has at a trunk: Kamailio registers with it, and answers the trunk's challenges.

CREATE TABLE trunk_accounts (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain that the trunk belongs to',
  trunk       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Name of the trunk',
  user        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'The user that is registered, before the @',
  auth_user   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL
              COMMENT 'The user in credentials (Digest), if it is another one',
  registrar   VARCHAR(255) CHARACTER SET ascii NULL
              COMMENT 'The domain behind the @; NULL: nothing is registered, and challenges are answered all the same',
  expires     SMALLINT UNSIGNED NOT NULL DEFAULT 600 COMMENT 'Seconds that a registration is asked for',
  enabled     BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: the registration is given up, and no challenge is answered',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, trunk),
  CONSTRAINT `an account belongs to a trunk that exists` FOREIGN KEY (tenant, trunk) REFERENCES trunks (tenant, trunk)
    ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `the user of an account is letters, digits and +-_.!*` CHECK (user REGEXP '^[A-Za-z0-9+._!*-]+\\z'),
  CONSTRAINT `the user in credentials has no quote and no backslash`
    CHECK (auth_user IS NULL OR auth_user REGEXP '^[!#-\\[\\]-~]+\\z'),
  CONSTRAINT `a registrar is a domain or an IP address` CHECK (registrar IS NULL OR registrar REGEXP '^[A-Za-z0-9.:-]+\\z'),
  CONSTRAINT `a registration lasts 60 to 7200 seconds` CHECK (expires BETWEEN 60 AND 7200),
  CONSTRAINT `an account is enabled (TRUE) or not (FALSE)` CHECK (enabled IN (FALSE, TRUE))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Accounts at trunks that want a registration, or credentials';

-- A table of its own: only Kamailio has to read it.
CREATE TABLE trunk_passwords (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'As in trunk_accounts',
  trunk       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'As in trunk_accounts',
  password    VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Of the account',
  PRIMARY KEY (tenant, trunk),
  CONSTRAINT `a password belongs to an account that exists` FOREIGN KEY (tenant, trunk)
    REFERENCES trunk_accounts (tenant, trunk) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `the password of an account is printable` CHECK (password REGEXP '^[ -~]+\\z')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'The passwords of the accounts at trunks';

CREATE TABLE trunk_registrations (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'As in trunk_accounts',
  trunk       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'As in trunk_accounts',
  state       VARCHAR(16) CHARACTER SET ascii NOT NULL
              COMMENT 'registered; refused: the last attempt was; unreachable: it had no answer; trying: the first is under way',
  status      SMALLINT UNSIGNED NULL COMMENT 'Of the last answer that counts; NULL: none came',
  until       DATETIME NULL COMMENT 'UTC: when the registration ends, if nothing extends it; NULL: there is none',
  next_try    DATETIME NOT NULL COMMENT 'UTC: when Kamailio sends the next REGISTER',
  changed_at  DATETIME NOT NULL COMMENT 'UTC: when the state has changed',
  PRIMARY KEY (tenant, trunk),
  CONSTRAINT `a registration belongs to an account that exists` FOREIGN KEY (tenant, trunk)
    REFERENCES trunk_accounts (tenant, trunk) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'What has become of registrations. Written by Kamailio';

CREATE VIEW trunks_status AS
  SELECT t.tenant, t.trunk, t.address, t.enabled, a.user, a.registrar,
         CASE WHEN a.registrar IS NULL THEN 'by address'
              WHEN NOT (t.enabled AND a.enabled AND n.enabled) THEN 'off'
              WHEN p.password IS NULL THEN 'no password'
              WHEN r.state IS NULL THEN 'trying'
              WHEN r.until < UTC_TIMESTAMP() THEN 'expired'
              ELSE r.state END AS state,
         r.status, r.until, r.next_try, r.changed_at
  FROM trunks t
  JOIN tenants n ON n.tenant = t.tenant
  LEFT JOIN trunk_accounts a ON a.tenant = t.tenant AND a.trunk = t.trunk
  LEFT JOIN trunk_passwords p ON p.tenant = t.tenant AND p.trunk = t.trunk
  LEFT JOIN trunk_registrations r ON r.tenant = t.tenant AND r.trunk = t.trunk AND t.enabled AND a.enabled AND n.enabled;

-- "*": registrations are a list of all tenants.
CREATE TRIGGER trunk_accounts_raise_insert AFTER INSERT ON trunk_accounts FOR EACH ROW
  CALL raise_revisions('*', NEW.tenant);
CREATE TRIGGER trunk_accounts_raise_delete AFTER DELETE ON trunk_accounts FOR EACH ROW
  CALL raise_revisions('*', OLD.tenant);
CREATE TRIGGER trunk_passwords_raise_insert AFTER INSERT ON trunk_passwords FOR EACH ROW
  CALL raise_revisions('*', NEW.tenant);
CREATE TRIGGER trunk_passwords_raise_delete AFTER DELETE ON trunk_passwords FOR EACH ROW
  CALL raise_revisions('*', OLD.tenant);

DELIMITER //

-- A disabled tenant registers nothing.
CREATE TRIGGER tenants_registrations_update AFTER UPDATE ON tenants FOR EACH ROW
  IF NEW.enabled <> OLD.enabled THEN CALL raise_revision('*'); END IF//
CREATE TRIGGER trunk_accounts_raise_update AFTER UPDATE ON trunk_accounts FOR EACH ROW
BEGIN
  CALL raise_revisions('*', NEW.tenant);
  CALL raise_revision(OLD.tenant);
END//
CREATE TRIGGER trunk_passwords_raise_update AFTER UPDATE ON trunk_passwords FOR EACH ROW
BEGIN
  CALL raise_revisions('*', NEW.tenant);
  CALL raise_revision(OLD.tenant);
END//

DELIMITER ;
