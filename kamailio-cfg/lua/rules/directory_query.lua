-- How Kamailio asks the database for what it remembers of a tenant (rules/directory_rows.lua). Pure.
local sql_text = require("rules.sql_text")

local directory_query = {}

directory_query.kColumns = { "place", "key", "value" }

-- Kamailio keeps an answer in the private memory of a process, which is small.
directory_query.kRowsMax = 500

-- Each has the columns `place`, by which the next page begins, `key` and `value`. Fields of a value are separated by
-- tabs, which no column may have. %s are the tenant and the last place.
local queries = {
  tenant = [[SELECT tenant AS place, '' AS `key`, enabled AS value FROM tenants WHERE tenant = %s HAVING place > %s]],
  billing_hook = [[SELECT tenant AS place, '' AS `key`, CONCAT_WS('\t', on_error_incoming_call, budget_ms) AS value
    FROM billing_hooks WHERE enabled AND ask_incoming_call AND tenant = %s AND tenant > %s]],
  number = [[SELECT n.number AS place, n.number AS `key`,
      CONCAT_WS('\t', n.kind, COALESCE(c.action, ''),
        COALESCE(e.enabled, g.enabled, o.enabled, f.enabled, t.enabled, m.enabled, a.enabled, 1),
        COALESCE(e.display_name, g.display_name, ''),
        COALESCE(MD5(CONCAT(e.extension, ':', e.tenant, ':', e.password)), ''),
        COALESCE(MD5(CONCAT(e.extension, '@', e.tenant, ':', e.tenant, ':', e.password)), '')) AS value
    FROM numbers n
    LEFT JOIN park_codes c ON c.tenant = n.tenant AND c.code = n.number
    LEFT JOIN extensions e ON e.tenant = n.tenant AND e.extension = n.number
    LEFT JOIN ring_groups g ON g.tenant = n.tenant AND g.ring_group = n.number
    LEFT JOIN orbit_ranges o ON o.tenant = n.tenant AND o.park_number = n.number
    LEFT JOIN call_flows f ON f.tenant = n.tenant AND f.number = n.number
    LEFT JOIN call_flows t ON t.tenant = n.tenant AND t.feature_code = n.number
    LEFT JOIN ivr_menus m ON m.tenant = n.tenant AND m.number = n.number
    LEFT JOIN announcements a ON a.tenant = n.tenant AND a.number = n.number
    WHERE n.tenant = %s AND n.number > %s]],
  range = [[SELECT first_orbit AS place, '' AS `key`, CONCAT_WS('\t', first_orbit, last_orbit, from_trunks) AS value
    FROM orbit_ranges WHERE enabled AND tenant = %s AND first_orbit > %s]],
  ring_group = [[SELECT ring_group AS place, ring_group AS `key`,
      CONCAT_WS('\t', strategy, ring_seconds, COALESCE(destination, '')) AS value
    FROM ring_groups WHERE enabled AND tenant = %s AND ring_group > %s]],
  members = [[SELECT CONCAT(ring_group, ' ', LPAD(position, 10, '0')) AS place, ring_group AS `key`, member AS value
    FROM ring_group_members WHERE tenant = %s HAVING place > %s]],
  call_flow = [[SELECT number AS place, number AS `key`,
      CONCAT_WS('\t', IF(status = 'on', destination, alternate_destination),
        IF(status = 'on', alternate_destination, destination)) AS value
    FROM call_flows WHERE enabled AND tenant = %s AND number > %s]],
  trunk_of = [[SELECT trunk AS place, '' AS `key`,
      CONCAT_WS('\t', trunk, address, port, transport, priority, weight, calls_max, probe,
        NOT EXISTS (SELECT 1 FROM trunk_prefixes p WHERE p.tenant = trunks.tenant AND p.trunk = trunks.trunk)) AS value
    FROM trunks WHERE enabled AND tenant = %s AND trunk > %s]],
  trunk_prefix = [[SELECT CONCAT(p.prefix, ' ', t.trunk) AS place, p.prefix AS `key`, t.trunk AS value
    FROM trunk_prefixes p JOIN trunks t ON t.tenant = p.tenant AND t.trunk = p.trunk AND t.enabled
    WHERE p.tenant = %s HAVING place > %s]],
  trunk_account = [[SELECT a.trunk AS place, a.trunk AS `key`,
      CONCAT_WS('\t', a.user, COALESCE(a.auth_user, a.user), COALESCE(a.registrar, ''), a.expires, p.password) AS value
    FROM trunk_accounts a JOIN trunk_passwords p ON p.tenant = a.tenant AND p.trunk = a.trunk
    WHERE a.enabled AND a.tenant = %s AND a.trunk > %s]],
  did = [[SELECT did AS place, did AS `key`, CONCAT_WS('\t', tenant, destination) AS value
    FROM dids WHERE tenant = %s AND did > %s]],
}

-- Of all tenants: an address is looked up before its tenant is known.
local of_all_tenants = {
  trunk_at = [[SELECT CONCAT(tenant, ' ', trunk) AS place, address AS `key`,
      CONCAT_WS('\t', tenant, trunk, enabled) AS value
    FROM trunks HAVING place > %s]],
  probed = [[SELECT CONCAT(tenant, ' ', trunk) AS place, '' AS `key`, CONCAT_WS('\t', address, port, transport) AS value
    FROM trunks WHERE enabled AND probe HAVING place > %s]],
  registrations = [[SELECT CONCAT(a.tenant, ' ', a.trunk) AS place, '' AS `key`,
      CONCAT_WS('\t', a.tenant, a.trunk, a.user, COALESCE(a.auth_user, a.user), a.registrar, a.expires, t.address,
        t.port, t.transport, p.password) AS value
    FROM trunk_accounts a JOIN trunk_passwords p ON p.tenant = a.tenant AND p.trunk = a.trunk
    JOIN trunks t ON t.tenant = a.tenant AND t.trunk = a.trunk
    JOIN tenants n ON n.tenant = a.tenant
    WHERE a.enabled AND t.enabled AND n.enabled AND a.registrar IS NOT NULL HAVING place > %s]],
}

--- The name of all tenants in `tenant_revisions`.
directory_query.kAllTenants = "*"

directory_query.kKinds = { "tenant", "billing_hook", "number", "range", "ring_group", "members", "call_flow",
  "trunk_of", "trunk_prefix", "trunk_account", "did" }
directory_query.kKindsOfAllTenants = { "trunk_at", "probed", "registrations" }

--- The query for the rows of `kind` that follow `place`, "" for the first ones; at most kRowsMax. `tenant` does not
--- matter for a kind of all tenants.
function directory_query.of(kind, tenant, place)
  local last = sql_text.literal(place)
  local query = of_all_tenants[kind] and of_all_tenants[kind]:format(last)
    or queries[kind]:format(sql_text.literal(tenant), last)
  return ("%s ORDER BY place LIMIT %d"):format(query, directory_query.kRowsMax)
end

--- The query for one number that changes with each edit.
directory_query.kSum = "SELECT CAST(SUM(revision) AS CHAR) FROM tenant_revisions"

-- A tenant without a revision, as after a TRUNCATE of their table, has 0: Kamailio knows it all the same.
-- A tenant that is deleted has nothing but its revision.
local kRevisions = [[SELECT t.tenant AS tenant, COALESCE(r.revision, 0) AS revision
  FROM (SELECT '*' AS tenant UNION SELECT tenant FROM tenants UNION SELECT tenant FROM tenant_revisions) t
  LEFT JOIN tenant_revisions r ON r.tenant = t.tenant WHERE t.tenant > %s ORDER BY tenant LIMIT %d]]

--- The query for the revisions of the tenants that follow `tenant`, at most kRowsMax.
function directory_query.revisions(tenant)
  return kRevisions:format(sql_text.literal(tenant), directory_query.kRowsMax)
end

return directory_query
