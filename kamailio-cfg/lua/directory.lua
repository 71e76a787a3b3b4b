-- What the database says about tenants, numbers and trunks, asked anew for each call, so that an edit counts at once.
-- Each function returns a row, false when there is none, or nil when the database cannot be asked.
local sip_text = require("sip_text")

local directory = {}

-- Once a question has hung, the next ones are not even asked for this long: a worker that waits serves nobody.
local kAwaySeconds = 2
local kHungSeconds = 0.5

local function quoted(text)
  -- The caller has to ask for a harmless text; this is the wall behind it.
  if text == "" or #text > 255 or text:find("[^%w*#+._:-]") then return nil end
  return "'" .. text .. "'"
end

local function now() return tonumber(KSR.pv.get("$TV(Sn)")) end

--- Runs something that asks the database and returns its result, a negative number for failure.
function directory.watched(question)
  local asked_at = now()
  local result = question()
  if result < 0 and now() - asked_at > kHungSeconds then
    KSR.htable.sht_setxi("database", "away", 1, kAwaySeconds)
  end
  return result
end

function directory.is_away() return KSR.htable.sht_is_null("database", "away") < 0 end

local function first_row(query, columns)
  if directory.is_away() then return nil end
  local status = directory.watched(function() return KSR.sqlops.sql_query("callpark", query, "r") end)
  if status < 0 then return nil end
  local row = false
  if KSR.sqlops.sql_num_rows("r") > 0 then
    row = {}
    for i, name in ipairs(columns) do row[name] = KSR.sqlops.sql_result_get("r", 0, i - 1) end
  end
  KSR.sqlops.sql_result_free("r")
  return row
end

--- Whether the database answers.
function directory.answers() return first_row("SELECT 1", { "one" }) ~= nil end

--- An enabled tenant: {tenant}.
function directory.tenant(domain)
  local name = quoted(domain)
  if not name then return false end
  return first_row("SELECT tenant FROM tenants WHERE enabled AND tenant = " .. name, { "tenant" })
end

local function address_of(host) return host:match("^%[(.*)%]$") or host end

--- Whether an address is a trunk's, of whatever tenant: {enabled}.
function directory.trunk_at(address)
  local text = quoted(address_of(address))
  if not text then return false end
  return first_row("SELECT MAX(enabled) FROM trunks WHERE address = " .. text .. " HAVING COUNT(*) > 0", { "enabled" })
end

--- The trunk by which a tenant calls out: {trunk, address, port, transport}.
function directory.trunk_of(tenant)
  local name = quoted(tenant)
  if not name then return false end
  return first_row("SELECT trunk, address, port, transport FROM trunks WHERE enabled AND tenant = " .. name
    .. " ORDER BY trunk LIMIT 1", { "trunk", "address", "port", "transport" })
end

--- Where an outside number rings that the trunk at `address` brings: {tenant, number, kind, enabled, display_name}.
function directory.did(did, address)
  local number, trunk = quoted(did), quoted(address_of(address))
  if not number or not trunk then return false end
  return first_row("SELECT d.tenant, d.destination, n.kind, COALESCE(e.enabled, 1), COALESCE(e.display_name, '')"
    .. " FROM dids d JOIN trunks t ON t.tenant = d.tenant JOIN tenants o ON o.tenant = d.tenant"
    .. " JOIN numbers n ON n.tenant = d.tenant AND n.number = d.destination"
    .. " LEFT JOIN extensions e ON e.tenant = d.tenant AND e.extension = d.destination"
    .. " WHERE o.enabled AND t.enabled AND t.address = " .. trunk .. " AND d.did = " .. number,
    { "tenant", "number", "kind", "enabled", "display_name" })
end

-- park_codes.code is VARCHAR(10).
local kCodeLengthMax = 10

--- What a dialled number (sip_text.dialled_number) is in a tenant: {number, kind, action, enabled, display_name}. The
--- number itself goes before a code it begins with, and the longest such code before shorter ones.
function directory.number(tenant, dialled)
  local name = quoted(tenant)
  if not name then return false end
  local beginnings = sip_text.beginnings(dialled.beginning, kCodeLengthMax)
  for i, beginning in ipairs(beginnings) do beginnings[i] = quoted(beginning) end
  local whole = dialled.clean and quoted(dialled.text)
  -- No number is empty.
  local is_whole = "n.number = " .. (whole or "''")
  return first_row("SELECT n.number, n.kind, COALESCE(c.action, ''), COALESCE(e.enabled, 1),"
    .. " COALESCE(e.display_name, '') FROM numbers n LEFT JOIN park_codes c ON c.tenant = n.tenant AND c.code = n.number"
    .. " LEFT JOIN extensions e ON e.tenant = n.tenant AND e.extension = n.number"
    .. " WHERE n.tenant = " .. name
    .. " AND n.number IN (" .. (whole and whole .. "," or "") .. table.concat(beginnings, ",") .. ")"
    .. " AND (n.kind = 'park_code' OR " .. is_whole .. ")"
    .. " ORDER BY " .. is_whole .. " DESC, CHAR_LENGTH(n.number) DESC LIMIT 1",
    { "number", "kind", "action", "enabled", "display_name" })
end

--- The extension of a tenant whose phone has registered just this address: {number}. For calls that a phone was told to
--- make to a Contact, as in an attended transfer.
function directory.registered_at(tenant, uri)
  local name, user = quoted(tenant), quoted(uri.user or "")
  local host = quoted(address_of(uri.host))
  if not name or not user or not host then return false end
  local contact = "sip:" .. uri.user .. "@" .. uri.host .. (uri.port and ":" .. uri.port or "")
  return first_row("SELECT username FROM location WHERE expires > NOW() AND domain = " .. name
    .. " AND (contact = '" .. contact .. "' OR LEFT(contact, " .. (#contact + 1) .. ") = '" .. contact .. ";') LIMIT 1",
    { "number" })
end

return directory
