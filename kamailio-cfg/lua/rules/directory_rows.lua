-- What Kamailio remembers of SQL: a table of texts, and what they mean for tenants, numbers, trunks and passwords.
-- `get` reads the text of a key, nil if there is none. Pure.
--
-- The rows of one key are the lines of its text, and the fields of a row are separated by tabs.
local address = require("rules.address")
local dialled_number = require("rules.dialled_number")
local trunk_choice = require("rules.trunk_choice")

local directory_rows = {}

-- park_codes.code is VARCHAR(10).
local kCodeLengthMax = 10

-- SQL refuses a ring group or a call flow that leads to itself; this is the second wall.
local kRingGroupsMax, kCallFlowsMax = 16, 16

-- Lists of all tenants. Only keys with a blank are rows of the database.
local lists_of_all = { probed = "probed trunks", registrations = "registrations at trunks" }

--- The key of a row: a DID and an address are unique among all tenants, everything else within one.
function directory_rows.key(kind, tenant, name)
  if lists_of_all[kind] then return lists_of_all[kind] end
  if kind == "did" then return "did " .. name end
  if kind == "trunk_at" then return "trunk_at " .. (address.canonical(name) or name) end
  return ("%s %s %s"):format(kind, tenant, name)
end

--- Adds rows of the database, each {key, value}, to `entries`, a table of texts by their key.
function directory_rows.add(entries, kind, tenant, rows)
  for _, row in ipairs(rows) do
    local key = directory_rows.key(kind, tenant, row.key)
    local before = entries[key]
    entries[key] = before and before .. "\n" .. row.value or tostring(row.value)
  end
end

-- The first `count` fields of a line.
local function fields(line, count) return line:match("^([^\t]*)" .. ("\t([^\t]*)"):rep(count - 1)) end

local function lines(text) return (text or ""):gmatch("[^\n]+") end

local function first_line(text) return lines(text)() end

local function is_true(text) return text == "1" end

--- An enabled tenant: {tenant}.
function directory_rows.tenant(get, domain)
  return is_true(get(directory_rows.key("tenant", domain, ""))) and { tenant = domain }
end

--- The hook of a tenant's billing system, if it is asked about calls: {error_permits, budget_ms}.
function directory_rows.billing_hook(get, domain)
  local line = first_line(get(directory_rows.key("billing_hook", domain, "")))
  if not line then return false end
  local on_error, budget_ms = fields(line, 2)
  return { error_permits = on_error == "allow", budget_ms = tonumber(budget_ms) }
end

-- Each trunk at the address `host`: {tenant, trunk, enabled}.
local function trunks_at(get, host)
  local list = {}
  for line in lines(get(directory_rows.key("trunk_at", "", host))) do
    local tenant, trunk, enabled = fields(line, 3)
    list[#list + 1] = { tenant = tenant, trunk = trunk, enabled = is_true(enabled) }
  end
  return list
end

--- Whether an address is a trunk's, of any tenant: {enabled}.
function directory_rows.trunk_at(get, host)
  local trunks = trunks_at(get, host)
  if #trunks == 0 then return false end
  for _, one in ipairs(trunks) do
    if one.enabled then return { enabled = 1 } end
  end
  return { enabled = 0 }
end

--- Whether one of these addresses is a trunk's, of any tenant: {trunk}.
function directory_rows.trunk_among(get, addresses)
  for _, host in ipairs(addresses) do
    local trunks = trunks_at(get, host)
    if #trunks > 0 then return { trunk = trunks[1].trunk } end
  end
  return false
end

-- The enabled trunks of a tenant, as rules/trunk_choice.lua has them.
local function trunks_of(get, domain)
  local list = {}
  for line in lines(get(directory_rows.key("trunk_of", domain, ""))) do
    local trunk, its_address, port, transport, priority, weight, calls_max, probe, takes_all = fields(line, 9)
    list[#list + 1] = { trunk = trunk, address = its_address, port = tonumber(port), transport = transport,
      priority = tonumber(priority), weight = tonumber(weight), calls_max = tonumber(calls_max),
      probe = is_true(probe), takes_all = is_true(takes_all) }
  end
  return list
end

--- The trunk in the place of all of a tenant: the first of those that are enabled.
function directory_rows.trunk_of(get, domain)
  return trunk_choice.order(trunks_of(get, domain), 0)[1] or false
end

--- By which trunks a tenant reaches each of these outside numbers: a table of lists by their number, each as
--- `trunk_choice.order` returns it, or empty. false if the tenant has no enabled trunk. `random` as there.
function directory_rows.trunks_to(get, domain, numbers, random)
  local trunks = trunks_of(get, domain)
  if #trunks == 0 then return false end
  local function with_prefix(prefix)
    local text = get(directory_rows.key("trunk_prefix", domain, prefix))
    if not text then return nil end
    local names = {}
    for name in lines(text) do names[name] = true end
    return names
  end
  local lists = {}
  for _, number in ipairs(numbers) do
    lists[number] = trunk_choice.order(trunk_choice.candidates(trunks, number, with_prefix), random)
  end
  return lists
end

--- Where the trunks of all tenants that are probed are reached, each once: a list of trunk_choice.place.
function directory_rows.probed(get)
  local list, known = {}, {}
  for line in lines(get(directory_rows.key("probed", "", ""))) do
    local its_address, port, transport = fields(line, 3)
    local place = trunk_choice.place({ address = its_address, port = tonumber(port), transport = transport })
    if not known[place] then list[#list + 1] = place end
    known[place] = true
  end
  return list
end

--- The account that a tenant has at a trunk: {user, auth_user, registrar, expires, password}; `registrar` is empty if
--- nothing is registered there.
function directory_rows.trunk_account(get, domain, trunk)
  local line = first_line(get(directory_rows.key("trunk_account", domain, trunk)))
  if not line then return false end
  local user, auth_user, registrar, expires, password = fields(line, 5)
  return { user = user, auth_user = auth_user, registrar = registrar, expires = tonumber(expires), password = password }
end

--- What is registered at trunks, a list of {tenant, trunk, user, auth_user, registrar, expires, address, port,
--- transport, password}, from the text of its rows.
function directory_rows.registrations(text)
  local list = {}
  for line in lines(text) do
    local tenant, trunk, user, auth_user, registrar, expires, its_address, port, transport, password = fields(line, 10)
    list[#list + 1] = { tenant = tenant, trunk = trunk, user = user, auth_user = auth_user, registrar = registrar,
      expires = tonumber(expires), address = its_address, port = tonumber(port), transport = transport,
      password = password }
  end
  return list
end

-- The row of `number` itself: {number, kind, action, enabled, display_name, ha1, ha1_with_domain}.
local function row_of(get, domain, number)
  local line = first_line(get(directory_rows.key("number", domain, number)))
  if not line then return nil end
  local kind, action, enabled, display_name, ha1, ha1_with_domain = fields(line, 6)
  return { number = number, kind = kind, action = action, enabled = tonumber(enabled), display_name = display_name,
    ha1 = ha1, ha1_with_domain = ha1_with_domain }
end

-- As text, orbits of one length are in the order of their numbers.
local function is_between(orbit, first, last) return #first == #orbit and first <= orbit and orbit <= last end

-- The enabled range with this orbit: {from_trunks}; nil if there is none.
local function range_of(get, domain, orbit)
  for line in lines(get(directory_rows.key("range", domain, ""))) do
    local first, last, from_trunks = fields(line, 3)
    if is_between(orbit, first, last) then return { from_trunks = is_true(from_trunks) } end
  end
  return nil
end

-- An orbit of an enabled range as the row of a number, with `from_trunks`.
local function orbit_of(get, domain, number)
  local range = range_of(get, domain, number)
  return range and { number = number, kind = "orbit", action = "", enabled = 1, display_name = "",
    from_trunks = range.from_trunks }
end

-- The row of a destination of SQL that is no outside number.
local function destination_row(get, domain, number)
  return row_of(get, domain, number) or orbit_of(get, domain, number)
end

local kinds_of_menus = { ivr_menu = true, announcement = true }

--- Whether parkd answers a call to the number of `row`, of any caller.
function directory_rows.is_menu(row) return kinds_of_menus[row.kind] == true end

-- The code of a call flow as the key of a phone has it: flow+*30.
local function call_flow_code_of(get, domain, dialled)
  local code = dialled.clean and dialled.text:match("^flow%+(.+)$")
  local row = code and row_of(get, domain, code)
  return row and row.kind == "call_flow_code" and row
end

--- What a dialled number (dialled_number.of_user) is in a tenant: {number, kind, action, enabled, display_name}. The
--- number itself goes before a code that it begins with, and the longest such code before shorter ones.
function directory_rows.number(get, domain, dialled)
  local itself = dialled.clean and row_of(get, domain, dialled.text) or call_flow_code_of(get, domain, dialled)
  if itself then return itself end
  local orbit = dialled_number.may_be_orbit(dialled) and orbit_of(get, domain, dialled.text)
  if orbit then return orbit end
  for _, beginning in ipairs(dialled_number.beginnings(dialled.beginning, kCodeLengthMax)) do
    local row = row_of(get, domain, beginning)
    if row and row.kind == "park_code" then return row end
  end
  return false
end

-- The enabled tenants with an enabled trunk at `host`, each with the first such trunk.
local function tenants_at(get, host)
  local list, known = {}, {}
  for _, one in ipairs(trunks_at(get, host)) do
    if one.enabled and not known[one.tenant] and directory_rows.tenant(get, one.tenant) then
      known[one.tenant] = true
      list[#list + 1] = one
    end
  end
  return list
end

--- Where a call to an outside number from the trunk at `host` rings: {tenant, trunk, number, kind, enabled,
--- display_name}.
function directory_rows.did(get, outside_number, host)
  local line = first_line(get(directory_rows.key("did", "", outside_number)))
  if not line then return false end
  local tenant, destination = fields(line, 2)
  for _, one in ipairs(tenants_at(get, host)) do
    local row = one.tenant == tenant and destination_row(get, tenant, destination)
    if row then
      row.tenant, row.trunk = tenant, one.trunk
      return row
    end
  end
  return false
end

--- The same for a call to the Contact that Kamailio has registered for `user` at that trunk: the outside number is
--- `to_user`, that in To, and also `dialled` of the result.
function directory_rows.did_at_account(get, user, to_user, host)
  for _, one in ipairs(trunks_at(get, host)) do
    local account = one.enabled and directory_rows.trunk_account(get, one.tenant, one.trunk)
    local row = account and account.registrar ~= "" and account.user == user and directory_rows.did(get, to_user, host)
    if row and row.tenant == one.tenant then
      row.trunk, row.dialled = one.trunk, to_user
      return row
    end
  end
  return false
end

--- The tenant and the trunk at `host` that may retrieve from an orbit by dialling it: {tenant, trunk}. false if two
--- tenants share the address.
function directory_rows.orbit_from_trunk(get, orbit, host)
  local found = {}
  for _, one in ipairs(tenants_at(get, host)) do
    local range = range_of(get, one.tenant, orbit)
    if range and range.from_trunks then found[#found + 1] = { tenant = one.tenant, trunk = one.trunk } end
  end
  return #found == 1 and found[1]
end

-- The destination of an enabled call flow by its status, and the other one; nil if there is none.
local function call_flow_of(get, domain, number)
  local line = first_line(get(directory_rows.key("call_flow", domain, number)))
  if not line then return nil end
  return fields(line, 2)
end

-- A destination of SQL: a number of the tenant, +outside number, or hangup:REASON.
local function is_outside(destination) return destination:sub(1, 1) == "+" end
local function hangup_of(destination) return destination:match("^hangup:(.*)$") end

--- Where a call to the main number of a call flow goes, by its status and that of each call flow behind it: {number,
--- row}, {number} for an outside number, or {hangup}. false if one of them is disabled.
function directory_rows.call_flow(get, domain, number)
  for _ = 1, kCallFlowsMax do
    local destination = call_flow_of(get, domain, number)
    if not destination then return false end
    if hangup_of(destination) then return { hangup = hangup_of(destination) } end
    if is_outside(destination) then return { number = destination } end
    local row = destination_row(get, domain, destination)
    if not row then return false end
    if row.kind ~= "call_flow" then return { number = destination, row = row } end
    number = destination
  end
  return false
end

local function ring_group_of(get, domain, number)
  local line = first_line(get(directory_rows.key("ring_group", domain, number)))
  if not line then return nil end
  local strategy, seconds, destination = fields(line, 3)
  if destination == "" then destination = nil end
  return { strategy = strategy, ring_seconds = tonumber(seconds), destination = destination }
end

-- `row` is that of the member's number, nil if it is outside.
local function member(place, group, number, row)
  return { place = place, strategy = group.strategy, ring_seconds = group.ring_seconds, member = number,
    enabled = row and row.enabled or 1, display_name = row and row.display_name or "" }
end

-- Where a ring group leads: as directory_rows.call_flow.
local function destination_of(get, domain, group)
  local number = group.destination
  if not number then return false end
  local row = destination_row(get, domain, number)
  if row and row.kind == "call_flow" then return directory_rows.call_flow(get, domain, number) end
  return { number = number, row = row }
end

--- The members that ring for a ring group, in order, for ring_steps.make: those of the group, those of the ring group
--- that is its destination and so on, and last the destination that is no group. Empty if it is not enabled. A call
--- flow that hangs up ends the list with {hangup}, an enabled menu or announcement with {menu}, its number, and an
--- orbit with {orbit}, its row.
function directory_rows.ring_group(get, domain, number)
  local list = {}
  local group = ring_group_of(get, domain, number)
  for place = 1, kRingGroupsMax do
    if not group then break end
    for one in lines(get(directory_rows.key("members", domain, number))) do
      list[#list + 1] = member(place, group, one, row_of(get, domain, one))
    end
    local to = destination_of(get, domain, group)
    group = nil
    if to and to.hangup then
      list[#list + 1] = { hangup = to.hangup }
    elseif to and to.row and directory_rows.is_menu(to.row) then
      if to.row.enabled == 1 then list[#list + 1] = { menu = to.number } end
    elseif to and to.row and to.row.kind == "orbit" then
      list[#list + 1] = { orbit = to.row }
    elseif to and to.row and to.row.kind == "ring_group" then
      number = to.number
      group = ring_group_of(get, domain, number)
    elseif to and (to.row or is_outside(to.number)) then
      list[#list + 1] = member(place + 1, { strategy = "destination" }, to.number, to.row)
    end
  end
  return list
end

-- What one call flow, or ring group, may ring next, whatever the status is.
local function followers(get, domain, number)
  local group = ring_group_of(get, domain, number)
  local list = group and { group.destination } or { call_flow_of(get, domain, number) }
  for one in lines(group and get(directory_rows.key("members", domain, number))) do list[#list + 1] = one end
  return list
end

--- Whether a call to the main number of a call flow may have rung an extension: the status may have changed since.
function directory_rows.may_ring(get, domain, number, extension)
  local waiting, seen = { number }, {}
  while #waiting > 0 do
    local one = table.remove(waiting)
    if one == extension then return true end
    if not seen[one] then
      seen[one] = true
      for _, follower in ipairs(followers(get, domain, one)) do waiting[#waiting + 1] = follower end
    end
  end
  return false
end

--- What tries the password of a Digest username, which may have the domain behind the extension: {extension, ha1,
--- display}. false if there is no such extension, or it may not call.
function directory_rows.credentials(get, domain, username)
  local extension, at = username:match("^([^@]*)(@?)")
  local row = row_of(get, domain, extension)
  if not row or row.kind ~= "extension" or row.enabled ~= 1 or not directory_rows.tenant(get, domain) then
    return false
  end
  return { extension = extension, ha1 = at == "@" and row.ha1_with_domain or row.ha1, display = row.display_name }
end

return directory_rows
