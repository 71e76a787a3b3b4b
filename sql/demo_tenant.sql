-- The demo tenant, and a second one beside it for isolation. Tests rely on these rows. Loading the file again adds missing
-- rows and keeps edited ones; only the trunk's port follows @sip_port (default 5060).

-- The recall times are short for a demonstration. The fallback is set below, after the extensions.
SET @is_new = NOT EXISTS (SELECT 1 FROM tenants WHERE tenant = 'demo.callpark');
INSERT IGNORE INTO tenants (tenant, recall_after_seconds, ring_seconds, recall_attempts_max, description) VALUES
  ('demo.callpark', 20, 10, 2, 'The demo tenant'),
  ('other.callpark', DEFAULT, DEFAULT, DEFAULT, 'A second tenant: nothing of the first may be seen here');

-- Passwords are demo-101, other-101 and so on.
INSERT INTO extensions (tenant, extension, password, display_name)
  SELECT d.tenant, d.extension, CONCAT(SUBSTRING_INDEX(d.tenant, '.', 1), '-', d.extension), d.display_name
  FROM (
    SELECT 'demo.callpark' AS tenant, '101' AS extension, 'Alice Anders' AS display_name
    UNION ALL SELECT 'demo.callpark', '102', 'Bob Brown'
    UNION ALL SELECT 'demo.callpark', '103', 'Carol Clark'
    UNION ALL SELECT 'demo.callpark', '104', 'Dave Dunn'
    UNION ALL SELECT 'demo.callpark', '105', 'Erin Ellis'
    UNION ALL SELECT 'demo.callpark', '106', 'Frank Ford'
    UNION ALL SELECT 'other.callpark', '101', 'Olga Other'
    UNION ALL SELECT 'other.callpark', '102', 'Oscar Other'
  ) d
  WHERE NOT EXISTS (SELECT 1 FROM extensions e WHERE e.tenant = d.tenant AND e.extension = d.extension);

UPDATE tenants SET fallback_destination = '103' WHERE tenant = 'demo.callpark' AND @is_new;

-- Codes that retrieve come first, since the others announce them.
INSERT INTO park_codes (tenant, code, action, bare, retrieve_code, description)
  SELECT t.tenant, d.code, d.action, d.bare, d.retrieve_code, d.description
  FROM (
    SELECT 1 AS row_order, '*88' AS code, 'retrieve' AS action, 'own_extension' AS bare, NULL AS retrieve_code,
      'Retrieve from the own extension, *88102 from 102' AS description
    UNION ALL SELECT 2, '*71', 'retrieve', 'own_extension', NULL,
      'Retrieve from the own extension, *71102 from 102, *71*7250 from a random orbit'
    UNION ALL SELECT 3, '*68', 'park', 'own_extension', '*88', 'Park at the own extension, *68102 at 102'
    UNION ALL SELECT 4, '*70', 'park', 'random_orbit', '*71', 'Park at a random orbit, *70102 at 102'
    UNION ALL SELECT 5, '*58', 'group_park', 'own_extension', '*88', 'Park at the first free member of the own group'
  ) d
  JOIN tenants t ON t.tenant IN ('demo.callpark', 'other.callpark')
  WHERE (d.action <> 'group_park' OR t.tenant = 'demo.callpark')
    AND NOT EXISTS (SELECT 1 FROM park_codes c WHERE c.tenant = t.tenant AND c.code = d.code)
  ORDER BY t.tenant, d.row_order;

INSERT INTO trunks (tenant, trunk, address, port, description) VALUES
  ('demo.callpark', 'demo', '127.0.0.50', COALESCE(@sip_port, 5060), 'The demo trunk, identified by its address')
  ON DUPLICATE KEY UPDATE port = VALUES(port);

INSERT IGNORE INTO dids (did, tenant, destination) VALUES
  ('+442030000101', 'demo.callpark', '101'),
  ('+442030000102', 'demo.callpark', '102'),
  ('+442030000103', 'demo.callpark', '103'),
  ('+442030000104', 'demo.callpark', '104'),
  ('+442030000105', 'demo.callpark', '105'),
  ('+442030000106', 'demo.callpark', '106');

INSERT INTO ring_groups (tenant, ring_group, display_name, strategy)
  SELECT d.* FROM (
    SELECT 'demo.callpark' AS tenant, '601' AS ring_group, 'All of support' AS display_name, 'simultaneous' AS strategy
    UNION ALL SELECT 'demo.callpark', '602', 'One of support', 'sequential'
  ) d
  WHERE NOT EXISTS (SELECT 1 FROM ring_groups g WHERE g.tenant = d.tenant AND g.ring_group = d.ring_group);

INSERT IGNORE INTO ring_group_members (tenant, ring_group, position, member) VALUES
  ('demo.callpark', '601', 1, '104'),
  ('demo.callpark', '601', 2, '105'),
  ('demo.callpark', '601', 3, '106'),
  ('demo.callpark', '602', 1, '105'),
  ('demo.callpark', '602', 2, '106');

INSERT INTO call_flows (tenant, name, number, feature_code, pin, destination, destination_label, alternate_destination,
                        alternate_label, description)
  SELECT d.* FROM (
    SELECT 'demo.callpark' AS tenant, 'day-night' AS name, '300' AS number, '*30' AS feature_code, '1234' AS pin,
      '105' AS destination, 'Day' AS destination_label, '106' AS alternate_destination, 'Night' AS alternate_label,
      'Calls to 300 go to 105 by day, and to 106 by night' AS description
  ) d
  WHERE NOT EXISTS (SELECT 1 FROM call_flows f WHERE f.tenant = d.tenant AND f.name = d.name);

INSERT IGNORE INTO dids (did, tenant, destination) VALUES ('+442030000300', 'demo.callpark', '300');

INSERT INTO ivr_menus (tenant, name, number, greeting_text, direct_dial, description)
  SELECT d.* FROM (
    SELECT 'demo.callpark' AS tenant, 'main' AS name, '400' AS number,
      'Welcome to the demo tenant. For Alice press 1, for Bob press 2, or enter an extension.' AS greeting_text,
      TRUE AS direct_dial, '101, 102, or an extension that the caller enters' AS description
  ) d
  WHERE NOT EXISTS (SELECT 1 FROM ivr_menus m WHERE m.tenant = d.tenant AND m.name = d.name);

INSERT IGNORE INTO ivr_menu_options (tenant, menu, digits, destination, description) VALUES
  ('demo.callpark', 'main', '1', '101', 'Alice'),
  ('demo.callpark', 'main', '2', '102', 'Bob');

INSERT INTO park_groups (tenant, park_group, recall_mode, ring_group, description)
  SELECT d.* FROM (
    SELECT 'demo.callpark' AS tenant, 'sales' AS park_group, 'parker_only' AS recall_mode, NULL AS ring_group,
      'Extensions that park for one another' AS description
    UNION ALL SELECT 'demo.callpark', 'support', 'parker_then_ring_group', '601', 'A recall rings the whole group'
  ) d
  WHERE NOT EXISTS (SELECT 1 FROM park_groups p WHERE p.tenant = d.tenant AND p.park_group = d.park_group);

INSERT IGNORE INTO park_group_members (tenant, park_group, position, extension) VALUES
  ('demo.callpark', 'sales', 1, '101'),
  ('demo.callpark', 'sales', 2, '102'),
  ('demo.callpark', 'sales', 3, '103'),
  ('demo.callpark', 'support', 1, '104'),
  ('demo.callpark', 'support', 2, '105');

INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit, description)
  SELECT d.* FROM (
    SELECT 'demo.callpark' AS tenant, 'lobby' AS orbit_range, '7000', '7001', '7010', 'Transfer to 7000'
  ) d
  WHERE NOT EXISTS (SELECT 1 FROM orbit_ranges r WHERE r.tenant = d.tenant AND r.orbit_range = d.orbit_range);
