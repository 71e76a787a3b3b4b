-- A parked call names its park group, and so does the parkd that holds it: a member of the group under another name could
-- not retrieve it.
DELIMITER //

CREATE TRIGGER park_groups_in_use BEFORE UPDATE ON park_groups FOR EACH ROW FOLLOWS park_groups_before_update
BEGIN
  IF NEW.park_group <> OLD.park_group
     AND EXISTS (SELECT 1 FROM parked_calls WHERE tenant = OLD.tenant AND park_group = OLD.park_group) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'calls are parked in this park group: rename it when they have ended';
  END IF;
END//

DELIMITER ;
