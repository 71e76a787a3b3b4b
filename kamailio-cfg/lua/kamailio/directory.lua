-- The rows of tenants, numbers and trunks, read anew for each call, so that an edit counts at once. Each function
-- returns a row (ring_group: rows), false if there is none, or nil if the database does not answer.
local number_query = require("rules.number_query")
local sql = require("kamailio.sql")
local sql_text = require("rules.sql_text")

local directory = {}

local quoted, all_rows, first_row = sql_text.quoted, sql.rows, sql.row

--- Whether the database answers.
function directory.answers() return first_row("SELECT 1", { "one" }) ~= nil end

--- An enabled tenant: {tenant}.
function directory.tenant(domain)
  local tenant = quoted(domain)
  if not tenant then return false end
  return first_row(("SELECT tenant FROM tenants WHERE enabled AND tenant = %s"):format(tenant), { "tenant" })
end

local function address_of(host) return host:match("^%[(.*)%]$") or host end

--- Whether an address is a trunk's, of any tenant: {enabled}.
function directory.trunk_at(host)
  local address = quoted(address_of(host))
  if not address then return false end
  local query = "SELECT MAX(enabled) FROM trunks WHERE address = %s HAVING COUNT(*) > 0"
  return first_row(query:format(address), { "enabled" })
end

--- Whether one of these addresses is a trunk's, of any tenant: {trunk}.
function directory.trunk_among(addresses)
  local list = {}
  for _, ip in ipairs(addresses) do
    local address = quoted(ip)
    if address then list[#list + 1] = ("INET6_ATON(%s)"):format(address) end
  end
  if #list == 0 then return false end
  local query = "SELECT trunk FROM trunks WHERE INET6_ATON(address) IN (%s) LIMIT 1"
  return first_row(query:format(table.concat(list, ",")), { "trunk" })
end

--- The trunk by which a tenant calls out: {trunk, address, port, transport}.
function directory.trunk_of(domain)
  local tenant = quoted(domain)
  if not tenant then return false end
  local query = [[SELECT trunk, address, port, transport FROM trunks
    WHERE enabled AND tenant = %s ORDER BY trunk LIMIT 1]]
  return first_row(query:format(tenant), { "trunk", "address", "port", "transport" })
end

--- Where a call to an outside number from the trunk at `host` rings: {tenant, number, kind, enabled, display_name}.
function directory.did(outside_number, host)
  local did, address = quoted(outside_number), quoted(address_of(host))
  if not did or not address then return false end
  local query = [[SELECT d.tenant, d.destination, n.kind, COALESCE(e.enabled, g.enabled, 1),
      COALESCE(e.display_name, g.display_name, '')
    FROM dids d
    JOIN tenants o ON o.tenant = d.tenant AND o.enabled
    JOIN trunks t ON t.tenant = d.tenant AND t.enabled AND t.address = %s
    JOIN numbers n ON n.tenant = d.tenant AND n.number = d.destination
    LEFT JOIN extensions e ON e.tenant = d.tenant AND e.extension = d.destination
    LEFT JOIN ring_groups g ON g.tenant = d.tenant AND g.ring_group = d.destination
    WHERE d.did = %s]]
  return first_row(query:format(address, did), { "tenant", "number", "kind", "enabled", "display_name" })
end

--- The tenant and the trunk at `host` that may retrieve from an orbit by dialling it: {tenant, trunk}. false if two
--- tenants share the address.
function directory.orbit_from_trunk(orbit, host)
  local number, address = quoted(orbit), quoted(address_of(host))
  if not number or not address then return false end
  local query = [[SELECT MIN(r.tenant), MIN(t.trunk) FROM orbit_ranges r
    JOIN tenants o ON o.tenant = r.tenant AND o.enabled
    JOIN trunks t ON t.tenant = r.tenant AND t.enabled AND t.address = %s
    WHERE r.enabled AND r.from_trunks AND CHAR_LENGTH(r.first_orbit) = CHAR_LENGTH(%s)
      AND %s BETWEEN r.first_orbit AND r.last_orbit
    HAVING COUNT(DISTINCT r.tenant) = 1]]
  return first_row(query:format(address, number, number), { "tenant", "trunk" })
end

--- What a dialled number (dialled_number.of_user) is in a tenant: {number, kind, action, enabled, display_name}.
function directory.number(domain, dialled)
  local query = number_query.of(domain, dialled)
  if not query then return false end
  return first_row(query, number_query.kColumns)
end

-- SQL refuses a ring group that leads to itself; this is the second wall.
local kRingGroupsMax = 16

--- The members that ring for a ring group, in order, for ring_steps.make: those of the group, those of the ring group
--- that is its destination and so on, and last the destination that is no group. Empty if it is not enabled.
function directory.ring_group(domain, ring_group)
  local tenant, number = quoted(domain), quoted(ring_group)
  if not tenant or not number then return {} end
  local query = [[WITH RECURSIVE chain AS (
      SELECT 1 AS place, ring_group, strategy, ring_seconds, destination
        FROM ring_groups WHERE enabled AND tenant = %s AND ring_group = %s
      UNION ALL
      SELECT c.place + 1, g.ring_group, g.strategy, g.ring_seconds, g.destination
        FROM chain c JOIN ring_groups g ON g.enabled AND g.tenant = %s AND g.ring_group = c.destination
        WHERE c.place < %d),
    rings AS (
      SELECT c.place, m.position, c.strategy, c.ring_seconds, m.member
        FROM chain c JOIN ring_group_members m ON m.tenant = %s AND m.ring_group = c.ring_group
      UNION ALL
      SELECT c.place + 1, 0, 'destination', NULL, c.destination FROM chain c
        WHERE c.destination IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM ring_groups g WHERE g.tenant = %s AND g.ring_group = c.destination))
    SELECT r.place, r.strategy, r.ring_seconds, r.member, COALESCE(e.enabled, 1), COALESCE(e.display_name, '')
      FROM rings r LEFT JOIN extensions e ON e.tenant = %s AND e.extension = r.member
      ORDER BY r.place, r.position]]
  return all_rows(query:format(tenant, number, tenant, kRingGroupsMax, tenant, tenant, tenant),
    { "place", "strategy", "ring_seconds", "member", "enabled", "display_name" })
end

--- The extension of a tenant that has registered just this address: {number, contact, received}; `received` is
--- where a phone behind NAT is reached, "" if its Contact is reachable. For calls to a Contact that a REFER has named,
--- as in an attended transfer.
function directory.registered_at(domain, uri)
  local tenant = quoted(domain)
  -- quoted() only checks each piece; together they are one text.
  if not tenant or not quoted(uri.user or "") or not quoted(address_of(uri.host)) then return false end
  local contact = "sip:" .. uri.user .. "@" .. uri.host .. (uri.port and ":" .. uri.port or "")
  local query = [[SELECT username, contact, COALESCE(received, '') FROM location
    WHERE expires > NOW() AND domain = %s AND (contact = '%s' OR LEFT(contact, %d) = '%s;') LIMIT 1]]
  return first_row(query:format(tenant, contact, #contact + 1, contact),
    { "number", "contact", "received" })
end

--- A Contact of an extension's with this user, which need not be its number: {contact}.
function directory.registered_as(domain, extension, user)
  local tenant, number = quoted(domain), quoted(extension)
  if not tenant or not number or not quoted(user) then return false end
  local beginning = "sip:" .. user .. "@"
  local query = [[SELECT contact FROM location
    WHERE expires > NOW() AND domain = %s AND username = %s AND LEFT(contact, %d) = '%s' LIMIT 1]]
  return first_row(query:format(tenant, number, #beginning, beginning), { "contact" })
end

return directory
