-- How lamps show a parked call, and who has subscribed to the calls parked at an extension (Event: call-info).

ALTER TABLE tenants
  ADD COLUMN lamp_state ENUM('early', 'confirmed') NOT NULL DEFAULT 'early'
    COMMENT 'What a lamp says of a parked call: phones blink at early, shine at confirmed; some pick up only what is early'
    AFTER parked_calls_max;

CREATE TABLE call_info_subscriptions (
  subscription_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Random name of the subscription',
  tenant          VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  extension       VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Whose parked calls are told',
  watcher         VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Extension that asked',
  event_id        VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'The parameter id of the Event header; empty: none',
  dialog          LONGTEXT NOT NULL
                  COMMENT 'JSON: the dialog as RFC 3261 12 has it, local = parkd; no NOTIFY has had a CSeq above local_cseq',
  expires_at      DATETIME(3) NOT NULL COMMENT 'UTC; when it ends unless it is refreshed',
  owner           VARCHAR(64) NOT NULL COMMENT 'Node whose parkd notifies',
  PRIMARY KEY (subscription_id),
  KEY call_info_subscriptions_by_owner (owner),
  CONSTRAINT `calls are told of an extension that exists` FOREIGN KEY (tenant, extension)
    REFERENCES extensions (tenant, extension) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `calls are told to an extension that exists` FOREIGN KEY (tenant, watcher)
    REFERENCES extensions (tenant, extension) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `a subscription's dialog is JSON` CHECK (JSON_VALID(dialog))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
  COMMENT = 'Phones that are told of calls parked at an extension; a parkd that starts goes on with them';
