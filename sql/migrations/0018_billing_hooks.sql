-- The billing system of a tenant, which parkd asks before it parks or retrieves a call, or before a call comes in. The secrets are in a table of
-- their own, so that an account may edit all else and not read them.

CREATE TABLE billing_hook_secrets (
  tenant VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  place  TINYINT UNSIGNED NOT NULL DEFAULT 1 COMMENT '1, or 2 while the secret is exchanged: then both sign each question',
  secret VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'whsec_ and 24 to 64 bytes in base64',
  PRIMARY KEY (tenant, place),
  CONSTRAINT `the tenant of a webhook secret exists` FOREIGN KEY (tenant)
    REFERENCES tenants (tenant) ON DELETE CASCADE,
  CONSTRAINT `a tenant has at most two webhook secrets, at place 1 and 2` CHECK (place IN (1, 2)),
  CONSTRAINT `a webhook secret begins with whsec_` CHECK (LEFT(secret, 6) = 'whsec_'),
  CONSTRAINT `behind whsec_ a webhook secret is base64 with its padding`
    CHECK (SUBSTRING(secret, 7) REGEXP
           '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$'),
  CONSTRAINT `a webhook secret has 24 to 64 bytes`
    CHECK ((LENGTH(secret) - 6) DIV 4 * 3 - (LENGTH(secret) - LENGTH(TRIM(TRAILING '=' FROM secret))) BETWEEN 24 AND 64)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Keys that sign the questions to billing hooks';

-- Kamailio waits 6 s for the answer to a REFER, of which parkd may wait 4 s for the database: 2 s are left for the hook.
CREATE TABLE billing_hooks (
  tenant                  VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  url                     VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Where questions are sent to',
  enabled                 BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: nothing is asked, and all is permitted',
  ask_incoming_call       BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'Asked before a call rings at an extension or ring group',
  ask_park                BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'Asked before a call is parked',
  ask_retrieve            BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'Asked before a parked call is retrieved',
  budget_ms               INT UNSIGNED NOT NULL DEFAULT 800 COMMENT 'Time of the whole question, its retry included',
  connect_ms              INT UNSIGNED NOT NULL DEFAULT 250 COMMENT 'Time of each attempt until the connection is up',
  first_attempt_ms        INT UNSIGNED NOT NULL DEFAULT 500 COMMENT 'Time of the first attempt',
  retry_least_ms          INT UNSIGNED NOT NULL DEFAULT 50 COMMENT 'With less time left, no retry is begun',
  in_flight_max           INT UNSIGNED NOT NULL DEFAULT 32 COMMENT 'Questions at once; further ones fail',
  breaker_failures_max    INT UNSIGNED NOT NULL DEFAULT 5 COMMENT 'Failures in a row that open the breaker; 0: never',
  breaker_open_ms         INT UNSIGNED NOT NULL DEFAULT 1000 COMMENT 'How long it is open at first',
  breaker_open_max_ms     INT UNSIGNED NOT NULL DEFAULT 60000 COMMENT 'How long it is open at most',
  on_error_incoming_call  VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'allow'
                          COMMENT 'allow or deny: what a failure of the hook means for an incoming call',
  on_error_park           VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'deny'
                          COMMENT 'allow or deny: what a failure of the hook means for a park',
  on_error_retrieve       VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'allow'
                          COMMENT 'allow or deny: what a failure of the hook means for a retrieve',
  ca_file                 VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'PEM file on parkd''s host: the authorities that are trusted; empty: those of the system',
  client_certificate_file VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'PEM file on parkd''s host; empty: no certificate is sent',
  client_key_file         VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'PEM file on parkd''s host: key of that certificate',
  PRIMARY KEY (tenant),
  CONSTRAINT `the tenant of a billing hook exists` FOREIGN KEY (tenant)
    REFERENCES tenants (tenant) ON DELETE CASCADE,
  CONSTRAINT `a billing hook has an http or https URL without user or fragment`
    CHECK (url REGEXP '^https?://([A-Za-z0-9._-]+|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?([/?][]!"$-[^-~]*)?$'),
  CONSTRAINT `a billing hook is enabled or not, and asked or not: 1 or 0`
    CHECK (enabled IN (0, 1) AND ask_incoming_call IN (0, 1) AND ask_park IN (0, 1) AND ask_retrieve IN (0, 1)),
  CONSTRAINT `a question to a billing hook has 100 to 2000 ms` CHECK (budget_ms BETWEEN 100 AND 2000),
  CONSTRAINT `a billing hook is connected to within 10 to 2000 ms` CHECK (connect_ms BETWEEN 10 AND 2000),
  CONSTRAINT `the first attempt of a question has 10 to 2000 ms` CHECK (first_attempt_ms BETWEEN 10 AND 2000),
  CONSTRAINT `the least time of a retry is 10 to 2000 ms` CHECK (retry_least_ms BETWEEN 10 AND 2000),
  CONSTRAINT `a billing hook is asked 1 to 256 questions at once` CHECK (in_flight_max BETWEEN 1 AND 256),
  CONSTRAINT `a breaker opens after 0 to 1000 failures` CHECK (breaker_failures_max <= 1000),
  CONSTRAINT `a breaker is open for 100 ms to an hour`
    CHECK (breaker_open_ms BETWEEN 100 AND 3600000 AND breaker_open_max_ms BETWEEN breaker_open_ms AND 3600000),
  CONSTRAINT `a failure means allow or deny`
    CHECK (on_error_incoming_call IN ('allow', 'deny') AND on_error_park IN ('allow', 'deny')
           AND on_error_retrieve IN ('allow', 'deny')),
  CONSTRAINT `files of a billing hook have absolute paths`
    CHECK (ca_file REGEXP '^(/[^[:cntrl:]]+)?$' AND client_certificate_file REGEXP '^(/[^[:cntrl:]]+)?$'
           AND client_key_file REGEXP '^(/[^[:cntrl:]]+)?$'),
  CONSTRAINT `a client certificate has a key, and a key a certificate`
    CHECK ((client_certificate_file = '') = (client_key_file = ''))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'What parkd asks before it parks or retrieves a call of the tenant, or before one comes in';

DELIMITER //

CREATE PROCEDURE check_billing_hook(its_tenant VARCHAR(64) CHARACTER SET ascii, is_enabled BOOLEAN)
  COMMENT 'Refuses a hook without a secret to sign its questions'
BEGIN
  IF is_enabled AND NOT EXISTS (SELECT 1 FROM billing_hook_secrets WHERE tenant = its_tenant) THEN
    SIGNAL SQLSTATE '45000'
      SET MESSAGE_TEXT = 'questions to a billing hook are signed: add a secret of the tenant to billing_hook_secrets first';
  END IF;
END//

CREATE TRIGGER billing_hooks_before_insert BEFORE INSERT ON billing_hooks FOR EACH ROW
  CALL check_billing_hook(NEW.tenant, NEW.enabled)//
CREATE TRIGGER billing_hooks_before_update BEFORE UPDATE ON billing_hooks FOR EACH ROW
  CALL check_billing_hook(NEW.tenant, NEW.enabled)//

CREATE PROCEDURE check_last_secret(its_tenant VARCHAR(64) CHARACTER SET ascii)
  COMMENT 'Refuses to remove the only secret of a hook that is enabled'
BEGIN
  IF EXISTS (SELECT 1 FROM billing_hooks WHERE tenant = its_tenant AND enabled)
      AND (SELECT COUNT(*) FROM billing_hook_secrets WHERE tenant = its_tenant) < 2 THEN
    SIGNAL SQLSTATE '45000'
      SET MESSAGE_TEXT = 'this is the only secret of a billing hook: add the new one at the other place first';
  END IF;
END//

CREATE TRIGGER billing_hook_secrets_before_delete BEFORE DELETE ON billing_hook_secrets FOR EACH ROW
  CALL check_last_secret(OLD.tenant)//
CREATE TRIGGER billing_hook_secrets_before_update BEFORE UPDATE ON billing_hook_secrets FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    CALL check_last_secret(OLD.tenant);
  END IF;
END//

-- Kamailio asks only for calls of such tenants.
CREATE TRIGGER billing_hooks_raise_insert AFTER INSERT ON billing_hooks FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER billing_hooks_raise_update AFTER UPDATE ON billing_hooks FOR EACH ROW
  CALL raise_revisions(OLD.tenant, NEW.tenant)//
CREATE TRIGGER billing_hooks_raise_delete AFTER DELETE ON billing_hooks FOR EACH ROW CALL raise_revision(OLD.tenant)//

DELIMITER ;
