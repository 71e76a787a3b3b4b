-- Schedules of call flows: hours of weekdays and of dates, by the clock of the tenant. While one of them lasts, the call
-- flows with the schedule are on. Each edge counts until the next one, unless there is a toggle by hand in between.

-- ---- time zones ----

CREATE TABLE time_zones (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'Name of a time zone, as tzdata has it: Europe/Rome',
  PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Which time zones there are: migrate.sh adds those of tzdata';

INSERT INTO time_zones (name) VALUES ('UTC');

ALTER TABLE tenants
  ADD COLUMN time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'UTC'
    COMMENT 'Clock of its schedules: a name of time_zones',
  ADD CONSTRAINT `a time zone is letters, digits, _, /, + or -, as Europe/Rome`
    CHECK (time_zone REGEXP '^[A-Za-z0-9_/+-]+\\z'),
  ADD CONSTRAINT `the time zone of a tenant is a name of tzdata, as Europe/Rome` FOREIGN KEY (time_zone)
    REFERENCES time_zones (name);

-- ---- tables ----

CREATE TABLE schedules (
  tenant      VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  schedule    VARCHAR(64) NOT NULL COMMENT 'Name, for people',
  description VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'For people',
  PRIMARY KEY (tenant, schedule),
  CONSTRAINT `a schedule belongs to a tenant that exists` FOREIGN KEY (tenant) REFERENCES tenants (tenant),
  CONSTRAINT `a schedule has a name, with no spaces around it`
    CHECK (schedule REGEXP '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'When call flows are on: in the hours of schedule_hours and schedule_dates';

-- Hours may overlap or touch: they are one then.
CREATE TABLE schedule_hours (
  tenant   VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  schedule VARCHAR(64) NOT NULL COMMENT 'Name of the schedule',
  weekday  TINYINT UNSIGNED NOT NULL COMMENT '1: Monday, to 7: Sunday',
  begins   TIME NOT NULL COMMENT 'By the clock of the tenant',
  ends     TIME NOT NULL COMMENT 'The same; 24:00:00: midnight',
  PRIMARY KEY (tenant, schedule, weekday, begins, ends),
  CONSTRAINT `the schedule of these hours exists` FOREIGN KEY (tenant, schedule)
    REFERENCES schedules (tenant, schedule) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `a weekday is 1 (Monday) to 7 (Sunday)` CHECK (weekday BETWEEN 1 AND 7),
  CONSTRAINT `hours end later than they begin, by 24:00:00; a night: two rows`
    CHECK (begins >= '00:00:00' AND begins < ends AND ends <= '24:00:00')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Hours of a schedule, each week';

CREATE TABLE schedule_dates (
  tenant   VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'SIP domain',
  schedule VARCHAR(64) NOT NULL COMMENT 'Name of the schedule',
  date     DATE NOT NULL COMMENT 'Its rows count instead of those of its weekday',
  begins   TIME NOT NULL DEFAULT '00:00:00' COMMENT 'By the clock of the tenant',
  ends     TIME NOT NULL DEFAULT '00:00:00' COMMENT 'The same; 24:00:00: midnight. As begins: no hours at all',
  PRIMARY KEY (tenant, schedule, date, begins, ends),
  CONSTRAINT `the schedule of this date exists` FOREIGN KEY (tenant, schedule)
    REFERENCES schedules (tenant, schedule) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `hours of a date end by 24:00:00, not before they begin`
    CHECK (begins >= '00:00:00' AND begins <= ends AND ends <= '24:00:00'),
  CONSTRAINT `a date of a schedule has a year, a month and a day`
    CHECK (YEAR(date) >= 1970 AND MONTH(date) > 0 AND DAY(date) > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Holidays and other dates of a schedule with hours of their own';

ALTER TABLE call_flows
  MODIFY toggled_by VARCHAR(64) NOT NULL DEFAULT ''
    COMMENT 'Extension that dialled the code, schedule, or sql for an edit; empty: the status never changed',
  ADD COLUMN schedule VARCHAR(64) NULL
    COMMENT 'Schedule that switches it: on in its hours, else off. NULL: it is toggled by hand only' AFTER status,
  ADD COLUMN schedule_edited_at DATETIME(3) NULL
    COMMENT 'UTC, by triggers; last edit of the schedule: of its rows, the time zone, or which one it is. NULL: none'
    AFTER schedule,
  ADD CONSTRAINT `the schedule of a call flow exists` FOREIGN KEY (tenant, schedule)
    REFERENCES schedules (tenant, schedule) ON UPDATE CASCADE;

ALTER TABLE call_flow_events
  MODIFY party VARCHAR(64) NOT NULL COMMENT 'Extension that dialled the code, schedule, or sql for an edit';

DELIMITER //

-- ---- call flows ----

CREATE OR REPLACE TRIGGER call_flows_before_insert BEFORE INSERT ON call_flows FOR EACH ROW
BEGIN
  IF NOT (EXISTS (SELECT 1 FROM call_flows WHERE tenant = NEW.tenant AND name = NEW.name) AND passes_over_rows()) THEN
    CALL refuse_second_call_flow(NEW.tenant, NEW.name);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'call_flow');
    IF NEW.feature_code IS NOT NULL THEN
      INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.feature_code, 'call_flow_code');
    END IF;
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, NEW.number, NEW.destination);
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, NEW.number, NEW.alternate_destination);
  END IF;
  SET NEW.schedule_edited_at = IF(NEW.schedule IS NULL, NULL, UTC_TIMESTAMP(3));
END//

CREATE OR REPLACE TRIGGER call_flows_before_update BEFORE UPDATE ON call_flows FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a call flow stays in its tenant: make another there';
  END IF;
  IF NEW.name <> OLD.name THEN
    CALL refuse_second_call_flow(NEW.tenant, NEW.name);
  END IF;
  IF NEW.number <> OLD.number THEN
    CALL refuse_while_used(OLD.tenant, OLD.number);
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.number, 'call_flow');
  END IF;
  IF NOT NEW.feature_code <=> OLD.feature_code AND NEW.feature_code IS NOT NULL THEN
    INSERT INTO numbers (tenant, number, kind) VALUES (NEW.tenant, NEW.feature_code, 'call_flow_code');
  END IF;
  -- A toggle looks at no other row.
  IF NEW.number <> OLD.number OR NEW.destination <> OLD.destination
     OR NEW.alternate_destination <> OLD.alternate_destination THEN
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, OLD.number, NEW.destination);
    CALL check_call_flow_destination(NEW.tenant, NEW.name, NEW.number, OLD.number, NEW.alternate_destination);
  END IF;
  IF NOT NEW.schedule <=> OLD.schedule THEN
    SET NEW.schedule_edited_at = IF(NEW.schedule IS NULL, NULL, UTC_TIMESTAMP(3));
  END IF;
  IF NEW.status <> OLD.status THEN
    -- A schedule switches many times in a row, and always names the time: an edge.
    IF NEW.toggle_operation = OLD.toggle_operation AND NEW.toggled_by = OLD.toggled_by
       AND NOT (NEW.toggled_by = 'schedule' AND NEW.toggled_at IS NOT NULL AND NOT NEW.toggled_at <=> OLD.toggled_at) THEN
      SET NEW.toggled_by = 'sql';
    END IF;
    IF NEW.toggled_at IS NULL OR NEW.toggled_at <=> OLD.toggled_at THEN
      SET NEW.toggled_at = UTC_TIMESTAMP(3);
    END IF;
  END IF;
END//

-- ---- schedules ----

CREATE PROCEDURE note_schedule_edit(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                    its_schedule VARCHAR(64) CHARACTER SET utf8mb4)
  COMMENT 'The schedule has changed: what was decided before does not count'
BEGIN
  UPDATE call_flows SET schedule_edited_at = UTC_TIMESTAMP(3) WHERE tenant = its_tenant AND schedule = its_schedule;
  CALL raise_revision(its_tenant);
END//

CREATE PROCEDURE refuse_second_schedule(its_tenant VARCHAR(64) CHARACTER SET ascii,
                                        its_schedule VARCHAR(64) CHARACTER SET utf8mb4)
  COMMENT 'Refuses a schedule with the name of one that is there'
BEGIN
  DECLARE sentence VARCHAR(255);
  IF EXISTS (SELECT 1 FROM schedules WHERE tenant = its_tenant AND schedule = its_schedule) THEN
    SET sentence = CONCAT('the tenant already has a schedule ', its_schedule);
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER schedules_before_insert BEFORE INSERT ON schedules FOR EACH ROW
BEGIN
  IF NOT passes_over_rows() THEN
    CALL refuse_second_schedule(NEW.tenant, NEW.schedule);
  END IF;
END//

CREATE TRIGGER schedules_before_update BEFORE UPDATE ON schedules FOR EACH ROW
BEGIN
  IF NEW.tenant <> OLD.tenant THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a schedule stays in its tenant: make another there';
  END IF;
  IF NEW.schedule <> OLD.schedule THEN
    CALL refuse_second_schedule(NEW.tenant, NEW.schedule);
  END IF;
END//

CREATE TRIGGER schedules_before_delete BEFORE DELETE ON schedules FOR EACH ROW
BEGIN
  DECLARE other VARCHAR(64);
  DECLARE sentence VARCHAR(255);
  SELECT MIN(name) INTO other FROM call_flows
    WHERE tenant = OLD.tenant AND schedule = OLD.schedule LOCK IN SHARE MODE;
  IF other IS NOT NULL THEN
    SET sentence = CONCAT('the schedule ', OLD.schedule, ' still switches the call flow ', other, ': change it first');
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = sentence;
  END IF;
END//

CREATE TRIGGER schedules_raise_insert AFTER INSERT ON schedules FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER schedules_raise_update AFTER UPDATE ON schedules FOR EACH ROW CALL raise_revision(NEW.tenant)//
CREATE TRIGGER schedules_raise_delete AFTER DELETE ON schedules FOR EACH ROW CALL raise_revision(OLD.tenant)//

CREATE TRIGGER schedule_hours_after_insert AFTER INSERT ON schedule_hours FOR EACH ROW
  CALL note_schedule_edit(NEW.tenant, NEW.schedule)//
CREATE TRIGGER schedule_hours_after_delete AFTER DELETE ON schedule_hours FOR EACH ROW
  CALL note_schedule_edit(OLD.tenant, OLD.schedule)//
CREATE TRIGGER schedule_hours_after_update AFTER UPDATE ON schedule_hours FOR EACH ROW
BEGIN
  CALL note_schedule_edit(OLD.tenant, OLD.schedule);
  CALL note_schedule_edit(NEW.tenant, NEW.schedule);
END//

CREATE TRIGGER schedule_dates_after_insert AFTER INSERT ON schedule_dates FOR EACH ROW
  CALL note_schedule_edit(NEW.tenant, NEW.schedule)//
CREATE TRIGGER schedule_dates_after_delete AFTER DELETE ON schedule_dates FOR EACH ROW
  CALL note_schedule_edit(OLD.tenant, OLD.schedule)//
CREATE TRIGGER schedule_dates_after_update AFTER UPDATE ON schedule_dates FOR EACH ROW
BEGIN
  CALL note_schedule_edit(OLD.tenant, OLD.schedule);
  CALL note_schedule_edit(NEW.tenant, NEW.schedule);
END//

CREATE TRIGGER tenants_time_zone_update AFTER UPDATE ON tenants FOR EACH ROW
BEGIN
  IF NEW.time_zone <> OLD.time_zone THEN
    UPDATE call_flows SET schedule_edited_at = UTC_TIMESTAMP(3) WHERE tenant = NEW.tenant AND schedule IS NOT NULL;
  END IF;
END//

DELIMITER ;
