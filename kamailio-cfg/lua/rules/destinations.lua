-- Where a new call goes: an extension, a ring group, a trunk, a registered Contact, a menu, an announcement or an orbit
-- of parkd's, or through a call flow to one of them. `caller` is the caller as a party of the record of the call, nil
-- if parkd calls. Pure.
local billing = require("rules.billing")
local cdr = require("rules.cdr")
local decide_features = require("rules.decide_features")
local decision = require("rules.decision")
local directory_rows = require("rules.directory_rows")
local patience = require("rules.patience")
local ring_steps = require("rules.ring_steps")
local trunk_choice = require("rules.trunk_choice")

local need, refuse = decision.need, decision.refuse

local destinations = {}

function destinations.extension_party(tenant, number, display)
  return { kind = "extension", aor = number .. "@" .. tenant, display = display or "" }
end

-- What happens to every new call before it is relayed, and to a MESSAGE, which is no call. A call of parkd's is not
-- followed: only calls between phones and trunks can be adopted. It is counted if a trunk may carry it.
local function with_setup(f, tenant, caller, d)
  local is_call = f.method == "INVITE"
  d.caller = caller
  d.setup = {
    is_call = is_call,
    is_followed = is_call and caller ~= nil,
    is_counted = d.is_counted and caller == nil,
    tenant = tenant,
    -- RFC 3325 5: the identity of an extension is not the phone's to assert; 7: a withheld one is not for phones.
    hides_identity = caller ~= nil and (caller.kind == "extension" or caller.withheld == true),
    first_answer_ms = patience.first_answer(f.method),
    -- A parkd that has died may have left phones ringing for the same parked call.
    replaces_recall = is_call and f.recall or nil,
  }
  return d
end

function destinations.to_extension(f, tenant, row, caller)
  if row.kind ~= "extension" then return refuse(404, "Not Found") end
  if tonumber(row.enabled) ~= 1 then return refuse(480, "Temporarily Unavailable") end
  return with_setup(f, tenant, caller, {
    action = "to_extension",
    aor = row.number .. "@" .. tenant,
    callee = destinations.extension_party(tenant, row.number, row.display_name),
  })
end

-- The trunk that parkd learns for a caller of its own that is no extension: the tenant's first one.
local function of_outside_caller(f, tenant, d)
  if f.tenant_trunk == nil then return need("tenant_trunk", tenant) end
  if not f.tenant_trunk then return refuse(404, "No Trunk") end
  if f.tenant_trunk.away then return decision.database_away end
  d.trunk = f.tenant_trunk.trunk
  return d
end

-- Hands the call to parkd as one to the menu or announcement with this number; `trunk` is that of a caller that is a
-- trunk.
local function to_parkd_as_menu(f, tenant, number, caller, trunk)
  local d = { action = "feature_call", tenant = tenant, number = number, replaces_recall = f.recall or nil }
  local dialled = cdr.dialled(f)
  if dialled ~= number then d.dialled = dialled end
  if caller and caller.kind == "trunk" then
    d.trunk = trunk
    return d
  end
  local aor = caller and caller.aor or f.inside_caller
  if not aor then return of_outside_caller(f, tenant, d) end
  d.user = aor:match("^[^@]*")
  -- The parties that the menu calls show it.
  if caller and not caller.withheld and f.display == "" and caller.display ~= "" then d.name = caller.display end
  return d
end

local function to_menu(f, tenant, row, caller)
  if tonumber(row.enabled) ~= 1 then return refuse(404, "Not Found") end
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  return to_parkd_as_menu(f, tenant, row.number, caller, row.trunk)
end

-- The caller retrieves from the orbit of `row`, as if it had dialled that; `trunk` is that of a caller that is a trunk.
-- What parkd calls for another party is 404, as the orbit itself.
local function to_orbit(f, tenant, row, caller, trunk)
  if not caller then return refuse(404, "Not Found") end
  local d
  if caller.kind == "trunk" then
    if not row.from_trunks then return refuse(404, "Not Found") end
    d = { action = "feature_call", tenant = tenant, trunk = trunk }
  else
    d = decide_features.call(f, row, tenant)
  end
  d.number = row.number
  return d
end

--- nil if `f.ring_group` is known.
function destinations.unknown_ring_group(f, tenant, number)
  if f.ring_group == nil then return need("ring_group", { tenant = tenant, number = number }) end
  if f.ring_group.away then return decision.database_away end
  return nil
end

-- nil if `f.trunks_to` is known for these numbers.
local function unknown_trunks(f, tenant, numbers)
  if f.trunks_to == nil then return need("trunks_to", { tenant = tenant, numbers = numbers }) end
  if f.trunks_to and f.trunks_to.away then return decision.database_away end
  return nil
end

-- nil if `f.trunks_to` is known, or not needed: Replaces is never sent to a trunk.
local function unknown_trunks_of_ring_group(f, tenant)
  if f.has_replaces then return nil end
  local numbers = ring_steps.outside_numbers(f.ring_group)
  return #numbers > 0 and unknown_trunks(f, tenant, numbers) or nil
end

-- The trunks of each outside number of the ring group that may have one more call; nil if none of its members rings
-- outside.
local function trunks_of_ring_group(f)
  local lists
  for _, number in ipairs(not f.has_replaces and f.trunks_to and ring_steps.outside_numbers(f.ring_group) or {}) do
    lists = lists or {}
    lists[number] = trunk_choice.with_room(f.trunks_to[number])
  end
  return lists
end

-- The statuses of hangup:REASON in call_flows.
local hangups = {
  busy = refuse(486, "Busy Here"),
  not_found = refuse(404, "Not Found"),
  unavailable = refuse(480, "Temporarily Unavailable"),
  declined = refuse(603, "Decline"),
}

-- The call to the menu, the announcement or the orbit behind a ring group; nil if there is none.
local function behind_ring_group(f, tenant, row, caller)
  local menu, orbit = ring_steps.menu(f.ring_group), ring_steps.orbit(f.ring_group)
  if menu then return to_parkd_as_menu(f, tenant, menu, caller, row.trunk) end
  return orbit and to_orbit(f, tenant, orbit, caller, row.trunk)
end

function destinations.to_ring_group(f, tenant, row, caller)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  local wait = destinations.unknown_ring_group(f, tenant, row.number) or unknown_trunks_of_ring_group(f, tenant)
  if wait then return wait end
  -- A parked caller's own phones do not ring when the recall reaches a group of theirs.
  local caller_aor = caller and caller.aor or f.inside_caller
  local trunks_to = trunks_of_ring_group(f)
  local steps = ring_steps.make(f.ring_group, tenant, caller_aor, trunks_to)
  local hangup = hangups[ring_steps.hangup(f.ring_group)]
  local behind = behind_ring_group(f, tenant, row, caller)
  if behind and behind.need then return behind end
  if #steps == 0 then return behind or hangup or refuse(480, "Temporarily Unavailable") end
  return with_setup(f, tenant, caller, {
    action = "to_ring_group",
    steps = steps,
    is_counted = trunks_to ~= nil,
    behind = behind and behind.action == "feature_call" and behind or nil,
    otherwise = hangup,
    callee = { kind = "ring_group", number = row.number, display = row.display_name },
  })
end

local function to_party(f, tenant, row, caller)
  if directory_rows.is_menu(row) then return to_menu(f, tenant, row, caller) end
  if row.kind == "ring_group" then return destinations.to_ring_group(f, tenant, row, caller) end
  return destinations.to_extension(f, tenant, row, caller)
end

-- parkd itself asks about a retrieve.
local function to_permitted_party(f, tenant, row, caller)
  if row.kind == "orbit" then return to_orbit(f, tenant, row, caller, row.trunk) end
  return billing.permitted(f, tenant, row, caller, to_party(f, tenant, row, caller))
end

function destinations.to_outside_number(f, tenant, number, caller)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  if f.has_replaces then return refuse(403, "Replaces Is Not Sent To Trunks") end
  local wait = unknown_trunks(f, tenant, { number })
  if wait then return wait end
  if not f.trunks_to then return refuse(404, "No Trunk") end
  local trunks = f.trunks_to[number]
  if #trunks == 0 then return refuse(404, "No Trunk For This Number") end
  trunks = trunk_choice.with_room(trunks)
  if #trunks == 0 then return refuse(503, "Too Many Calls At All Trunks") end
  return with_setup(f, tenant, caller, {
    action = "to_trunk",
    number = number,
    trunks = trunks,
    is_counted = true,
    -- Of several trunks it shows in the answer which one it is.
    callee = { kind = "trunk", display = "", trunk = not trunks[2] and trunks[1].trunk or nil },
  })
end

function destinations.to_trunk(f, tenant, caller)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  if not f.dialled.clean or not f.dialled.text:match("^%+%d+$") then return refuse(404, "Not Found") end
  return destinations.to_outside_number(f, tenant, f.dialled.text, caller)
end

-- An outside number that a call flow leads to: for an extension as if it had dialled it; a call of a trunk is
-- forwarded, and an incoming call like any other.
local function forward(f, tenant, row, number, caller)
  local d = destinations.to_outside_number(f, tenant, number, caller)
  if d.callee then d.callee.outside = number end
  if not caller or caller.kind ~= "trunk" then return d end
  return billing.permitted(f, tenant, { number = number, trunk = row.trunk }, caller, d)
end

-- What parkd calls answers under the number of the call flow; parkd learns the extension, or the number outside.
local function reported(f, d)
  if f.from_parkd and (d.action == "to_extension" or d.action == "to_trunk") then d.reports_callee = true end
  return d
end

-- `row` is that of the main number.
local function through_call_flow(f, tenant, row, caller)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  if tonumber(row.enabled) ~= 1 then return refuse(404, "Not Found") end
  if f.call_flow == nil then return need("call_flow", { tenant = tenant, number = row.number }) end
  local to = f.call_flow
  if not to then return refuse(404, "Not Found") end
  if to.away then return decision.database_away end
  if to.hangup then return hangups[to.hangup] or refuse(404, "Not Found") end
  if not to.row then return reported(f, forward(f, tenant, row, to.number, caller)) end
  local target = setmetatable({ trunk = row.trunk }, { __index = to.row })
  return reported(f, to_permitted_party(f, tenant, target, caller))
end

--- A call to a number of the tenant that no feature has, or to the destination of a DID.
function destinations.to_number(f, tenant, row, caller)
  if row.kind == "call_flow" then return through_call_flow(f, tenant, row, caller) end
  return to_permitted_party(f, tenant, row, caller)
end

--- A phone may call a Contact (attended transfer) if it is one of its own tenant. The registration has the address:
--- of the Request-URI only the user and the host are compared.
function destinations.to_contact(f, tenant, caller)
  if f.registered == nil then return need("registered", tenant) end
  if not f.registered then return refuse(403, "Not A Number Of Your Domain") end
  if f.registered.away then return decision.database_away end
  return with_setup(f, tenant, caller, {
    action = "to_contact",
    contact = f.registered.contact,
    received = f.registered.received ~= "" and f.registered.received or nil,
    callee = destinations.extension_party(tenant, f.registered.number, ""),
    -- parkd has the Contact from a transfer, and does not know its extension.
    reports_callee = f.from_parkd,
  })
end

return destinations
