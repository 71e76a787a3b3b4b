-- Tariffs and accounts of the demo tenant. Loading the file again adds missing rows and keeps edited ones.
INSERT OR IGNORE INTO tariffs (tariff, park_cents_per_minute, talk_cents_per_minute, unit_seconds) VALUES
  ('minutes', 6, 12, 60),
  ('seconds', 6, 12, 1);

INSERT OR IGNORE INTO accounts (extension, name, tariff, balance) VALUES
  ('101', 'Alice Anders', 'minutes', 1000),
  ('102', 'Bob Brown', 'seconds', 1000),
  ('103', 'Carol Clark', 'seconds', 1000),
  ('104', 'Dave Dunn', 'minutes', 1000),
  ('105', 'Erin Ellis', 'minutes', 1000),
  ('106', 'Frank Ford', 'minutes', 1000),
  ('601', 'All of support', 'minutes', 1000),
  ('602', 'One of support', 'minutes', 1000);
