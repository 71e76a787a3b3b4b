-- Webhooks: subscribers to the events of parked calls. An event and what is due of it are entered in one transaction, by
-- a trigger of park_events; the sender deletes what has arrived.

CREATE TABLE webhooks (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  webhook     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of the subscriber, for people',
  url         VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Where events are sent to, by POST',
  events      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'all'
              COMMENT 'Which: all, or a list of parked,retrieved,gave_up,recalled,ended without blanks',
  enabled     BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'FALSE: nothing is sent, and no further event becomes due',
  gone_at     DATETIME(3) NULL COMMENT 'UTC; when the subscriber answered 410 Gone, which disables it. NULL: it has not',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, webhook),
  CONSTRAINT `the tenant of a webhook exists` FOREIGN KEY (tenant) REFERENCES tenants (tenant),
  CONSTRAINT `the name of a webhook is letters, digits, _ or -` CHECK (webhook REGEXP '^[A-Za-z0-9_-]{1,64}$'),
  CONSTRAINT `the URL of a webhook is http or https, has a host and no user`
    CHECK (url REGEXP '^https?://([A-Za-z0-9._~%-]+|\\[[0-9A-Fa-f:.]+\\])(:[1-9][0-9]{0,4})?([/?][][A-Za-z0-9._~:/?@!$&''()*+,;=%-]*)?$'),
  CONSTRAINT `events are all, or of parked,retrieved,gave_up,recalled,ended`
    CHECK (events REGEXP '^(all|(parked|retrieved|gave_up|recalled|ended)(,(parked|retrieved|gave_up|recalled|ended))*)$'),
  CONSTRAINT `a webhook is enabled or not: 1 or 0` CHECK (enabled IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Subscribers to the events of parked calls; an edit counts for the next attempt';

-- A table of its own, which an account that edits the other tables need not see.
CREATE TABLE webhook_secrets (
  tenant  VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  webhook VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of the subscriber',
  place   TINYINT UNSIGNED NOT NULL DEFAULT 1 COMMENT '1, or 2 while the secret is exchanged: then both sign each event',
  secret  VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'whsec_ and 24 to 64 bytes in base64',
  PRIMARY KEY (tenant, webhook, place),
  CONSTRAINT `the webhook of a secret exists` FOREIGN KEY (tenant, webhook)
    REFERENCES webhooks (tenant, webhook) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `a webhook has at most two secrets, at place 1 and 2` CHECK (place IN (1, 2)),
  CONSTRAINT `a secret is whsec_ and 24 to 64 bytes in base64 with its padding`
    CHECK (secret REGEXP
           '^whsec_([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$'
           AND (LENGTH(secret) - 6) DIV 4 * 3 - (LENGTH(secret) - LENGTH(TRIM(TRAILING '=' FROM secret)))
             BETWEEN 24 AND 64)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'What the events of a webhook are signed with; never logged';

-- No foreign key to `webhooks`: it would let an open transaction on that table hold up the events of calls.
CREATE TABLE webhook_deliveries (
  delivery  BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'Events of one call are delivered in this sequence',
  tenant    VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  webhook   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of the subscriber',
  park_id   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of the parked call',
  parked_at DATETIME(3) NOT NULL COMMENT 'UTC; with park_id and event the row of park_events',
  event     ENUM('parked', 'retrieved', 'gave_up', 'recalled', 'ended') NOT NULL COMMENT 'As in park_events',
  state     ENUM('due', 'dead') NOT NULL DEFAULT 'due'
            COMMENT 'dead: given up after a day. An UPDATE to due sends it again',
  since     DATETIME(3) NOT NULL COMMENT 'UTC; beginning of its day: when the event was stored, or sent again',
  due_at    DATETIME(3) NOT NULL
            COMMENT 'UTC; no attempt before. A claim and a retry move it, for all that is due of the call',
  attempts  INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'Since the last delivery of the call',
  failure   VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'Of the last attempt: its status, or why there was no answer',
  PRIMARY KEY (delivery),
  KEY webhook_deliveries_by_call (tenant, webhook, park_id, state, delivery),
  KEY webhook_deliveries_by_time (tenant, webhook, state, due_at),
  KEY webhook_deliveries_by_age (state, since),
  KEY webhook_deliveries_by_event (park_id, parked_at, event),
  CONSTRAINT `a delivery ends with its event` FOREIGN KEY (park_id, parked_at, event)
    REFERENCES park_events (park_id, parked_at, event) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COMMENT = 'Events that a subscriber has not got yet, or never got; what has arrived is deleted';

DELIMITER //

-- An event that is stored again changes its row and adds nothing here. Events behind one that waits for its next attempt
-- wait too. A loop and no INSERT ... SELECT, which would wait for the locks of an open transaction on `webhooks`.
CREATE TRIGGER park_events_after_insert AFTER INSERT ON park_events FOR EACH ROW
BEGIN
  DECLARE waits_until DATETIME(3);
  FOR subscriber IN (SELECT webhook FROM webhooks WHERE tenant = NEW.tenant AND enabled
                     AND (events = 'all' OR FIND_IN_SET(NEW.event, events))) DO
    SELECT MAX(due_at) INTO waits_until FROM webhook_deliveries
      WHERE tenant = NEW.tenant AND webhook = subscriber.webhook AND park_id = NEW.park_id AND state = 'due';
    INSERT INTO webhook_deliveries (tenant, webhook, park_id, parked_at, event, since, due_at)
      VALUES (NEW.tenant, subscriber.webhook, NEW.park_id, NEW.parked_at, NEW.event, UTC_TIMESTAMP(3),
              COALESCE(waits_until, UTC_TIMESTAMP(3)));
  END FOR;
END//

CREATE TRIGGER webhook_deliveries_before_update BEFORE UPDATE ON webhook_deliveries FOR EACH ROW
BEGIN
  IF OLD.state = 'dead' AND NEW.state = 'due' THEN
    SET NEW.since = UTC_TIMESTAMP(3), NEW.due_at = UTC_TIMESTAMP(3), NEW.attempts = 0;
  END IF;
END//

CREATE TRIGGER webhooks_before_update BEFORE UPDATE ON webhooks FOR EACH ROW
BEGIN
  IF NEW.enabled AND NOT OLD.enabled THEN
    SET NEW.gone_at = NULL;
  END IF;
END//

CREATE TRIGGER webhooks_after_update AFTER UPDATE ON webhooks FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a webhook cannot move to another tenant: its events are of this one';
  END IF;
  IF NEW.webhook <> OLD.webhook THEN
    UPDATE webhook_deliveries SET webhook = NEW.webhook WHERE tenant = OLD.tenant AND webhook = OLD.webhook;
  END IF;
END//

CREATE TRIGGER webhooks_after_delete AFTER DELETE ON webhooks FOR EACH ROW
  DELETE FROM webhook_deliveries WHERE tenant = OLD.tenant AND webhook = OLD.webhook//

DELIMITER ;

CREATE VIEW webhook_dead_letters AS
  SELECT d.delivery, d.tenant, d.webhook, d.event, e.at, d.park_id, e.orbit, e.parker, d.since, d.failure
    FROM webhook_deliveries d JOIN park_events e USING (park_id, parked_at, event) WHERE d.state = 'dead';
