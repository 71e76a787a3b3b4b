-- How Kamailio asks the database for a dialled number. Pure.
local dialled_number = require("rules.dialled_number")
local sql_text = require("rules.sql_text")

local quoted = sql_text.quoted

local number_query = {}

-- park_codes.code is VARCHAR(10).
local kCodeLengthMax = 10

-- No table has an orbit but the range it belongs to; as text, orbits of one length are in the order of their numbers.
local function or_orbit(tenant, dialled)
  if not dialled_number.may_be_orbit(dialled) then return "" end
  local orbit = quoted(dialled.text)
  return ([[UNION ALL SELECT %s, 'orbit', '', 1, '' FROM orbit_ranges
    WHERE enabled AND tenant = %s AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(%s)
      AND %s BETWEEN first_orbit AND last_orbit]]):format(orbit, tenant, orbit, orbit)
end

number_query.kColumns = { "number", "kind", "action", "enabled", "display_name" }

--- The query for at most one row with these columns: what a dialled number (dialled_number.of_user) is in a tenant. The
--- number itself goes before a code that it begins with, and the longest such code before shorter ones. false if no row
--- can match.
function number_query.of(domain, dialled)
  local tenant = quoted(domain)
  if not tenant then return false end
  -- No number is empty: a dialled text with other characters is none as a whole, and may still begin with a code.
  local whole = dialled.clean and quoted(dialled.text) or "''"
  local candidates = { whole }
  for _, beginning in ipairs(dialled_number.beginnings(dialled.beginning, kCodeLengthMax)) do
    candidates[#candidates + 1] = quoted(beginning)
  end
  local query = [[SELECT n.number AS number, n.kind, COALESCE(c.action, ''),
      COALESCE(e.enabled, g.enabled, o.enabled, 1), COALESCE(e.display_name, g.display_name, '')
    FROM numbers n
    LEFT JOIN park_codes c ON c.tenant = n.tenant AND c.code = n.number
    LEFT JOIN extensions e ON e.tenant = n.tenant AND e.extension = n.number
    LEFT JOIN ring_groups g ON g.tenant = n.tenant AND g.ring_group = n.number
    LEFT JOIN orbit_ranges o ON o.tenant = n.tenant AND o.park_number = n.number
    WHERE n.tenant = %s AND n.number IN (%s) AND (n.kind = 'park_code' OR n.number = %s)
    %s
    ORDER BY number = %s DESC, CHAR_LENGTH(number) DESC LIMIT 1]]
  return query:format(tenant, table.concat(candidates, ","), whole, or_orbit(tenant, dialled), whole)
end

return number_query
