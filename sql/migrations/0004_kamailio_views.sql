-- Kamailio's auth_db reads `subscriber`: here the enabled extensions of the enabled tenants. Its own table of that
-- name is never made, its row in `version` (Kamailio's, made by Kamailio's script) is. The hashes are MD5 because RFC
-- 2617 says so; with them auth_db works with calculate_ha1 0 as well as 1.

CREATE VIEW subscriber AS
  SELECT
    e.extension AS username,
    e.tenant AS domain,
    e.password AS password,
    MD5(CONCAT(e.extension, ':', e.tenant, ':', e.password)) AS ha1,
    MD5(CONCAT(e.extension, '@', e.tenant, ':', e.tenant, ':', e.password)) AS ha1b,
    e.display_name AS display_name
  FROM extensions e
  JOIN tenants t ON t.tenant = e.tenant
  WHERE e.enabled AND t.enabled;

INSERT INTO version (table_name, table_version) VALUES ('subscriber', 7);
