-- What a call needs to know of SQL: tenants, numbers, trunks, passwords, as they are remembered in shared memory
-- (directory_loader.lua). Each function returns a row (ring_group: rows), or false if there is none; nil until the
-- database has been read for the first time.
local directory_rows = require("rules.directory_rows")

local directory = {}

local function get(key) return KSR.htable.sht_get("directory", key) end

--- Whether the database has been read.
function directory.is_read() return get("sum") ~= nil end

--- Whether the process that reads it has found no database (database.lua).
function directory.is_database_away() return get("away") ~= nil end

-- A row that there is was read. What is not there may be unread.
local function asked(name)
  return function(...)
    local answer = directory_rows[name](get, ...)
    if not answer and not directory.is_read() then return nil end
    return answer
  end
end

directory.tenant = asked("tenant")
directory.billing_hook = asked("billing_hook")
directory.trunk_at = asked("trunk_at")
directory.trunk_among = asked("trunk_among")
directory.trunk_of = asked("trunk_of")
directory.trunks_to = asked("trunks_to")
directory.probed = asked("probed")
directory.trunk_account = asked("trunk_account")
directory.did = asked("did")
directory.did_at_account = asked("did_at_account")
directory.orbit_from_trunk = asked("orbit_from_trunk")
directory.number = asked("number")
directory.ring_group = asked("ring_group")
directory.call_flow = asked("call_flow")
directory.may_ring = asked("may_ring")
directory.credentials = asked("credentials")

--- The text of the registrations at trunks (directory_rows.registrations), "" without any; nil if it is not known.
function directory.registrations_text()
  local text = get(directory_rows.key("registrations", "", ""))
  return text or directory.is_read() and "" or nil
end

return directory
