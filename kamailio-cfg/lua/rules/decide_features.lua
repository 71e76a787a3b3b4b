-- The decision on a call to a park code, a park number, an orbit, or the code of a call flow. Pure.
local decision = require("rules.decision")
local dialog_record = require("rules.dialog_record")
local held_calls = require("rules.held_calls")
local patience = require("rules.patience")

local need, refuse = decision.need, decision.refuse

local decide_features = {}

local parking_actions = { park = true, group_park = true }

function decide_features.is_feature(row)
  return row.kind == "park_code" or row.kind == "park_number" or row.kind == "orbit" or row.kind == "call_flow_code"
end

--- Whether a call to it parks the held call. A call to an orbit retrieves.
function decide_features.parks_held_call(row)
  return row.kind == "park_number" or row.kind == "park_code" and parking_actions[row.action] == true
end

function decide_features.parks_when_transferred_to(row)
  return decide_features.parks_held_call(row) or row.kind == "orbit"
end

local kinds_of_switches = { park_number = true, call_flow = true, call_flow_code = true }

--- A range that is switched off has neither a park number nor orbits, and a call flow neither a number nor a code.
function decide_features.is_switched_off(row)
  return kinds_of_switches[row.kind] == true and tonumber(row.enabled) ~= 1
end

-- What the parker has sent so far in the held call belongs to the call as it was.
local function marker_of(held)
  local side = held.record[held.side]
  return { call_id = held.record.call_id, tag = side.tag, floor = side.cseq + 1 }
end

-- `held` is nil without a held call: parkd refuses then, and the parker hears why.
local function park(call, held)
  if not held then return call end
  call.dialog = { record = held.record, side = held.side }
  call.marker = marker_of(held)
  call.other_tag = held.record[dialog_record.other(held.side)].tag
  return call
end

function decide_features.call(f, row, tenant)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  local call = { action = "feature_call", tenant = tenant, user = f.identity.user }
  if not decide_features.parks_held_call(row) then
    -- The party that talks to the retriever then may park it, and other phones show its name.
    if f.display == "" and f.identity.display ~= "" then call.name = f.identity.display end
    -- parkd gets the code alone, however the key of the phone has it.
    if row.kind == "call_flow_code" then call.number = row.number end
    return call
  end
  local aor = f.identity.user .. "@" .. tenant
  -- Phones hold and dial by one key, and the far party's answer to the hold may be late.
  if f.waits < patience.kHoldWaitsMax then
    if f.is_holding == nil then return need("is_holding", aor) end
    if f.is_holding then
      return { action = "wait_for_hold", ms = patience.of_hold(f.waits),
        otherwise = refuse(500, "Server Internal Error") }
    end
  end
  if f.held_calls == nil then return need("held_calls", aor) end
  return park(call, held_calls.choose(f.held_calls, f.source.device))
end

--- An orbit that a trunk dials: another site of the same tenant retrieves, if the range allows it.
function decide_features.orbit_from_trunk(f)
  if f.orbit_from_trunk == nil then return need("orbit_from_trunk") end
  if not f.orbit_from_trunk then return refuse(404, "Not Found") end
  if f.orbit_from_trunk.away then return decision.database_away end
  return { action = "feature_call", tenant = f.orbit_from_trunk.tenant, trunk = f.orbit_from_trunk.trunk }
end

return decide_features
