-- The decision on a REFER within a dialog: it parks, or is an ordinary transfer. Pure.
local authentication = require("rules.authentication")
local decide_features = require("rules.decide_features")
local decision = require("rules.decision")
local destinations = require("rules.destinations")
local dialog_path = require("rules.dialog_path")
local dialog_record = require("rules.dialog_record")
local patience = require("rules.patience")
local ring_steps = require("rules.ring_steps")

local need, refuse = decision.need, decision.refuse

local decide_refer = {}

-- The record with Kamailio's Route as the phone has it.
local function dialog_of(f, side)
  if not f.call or not f.call.confirmed then return nil end
  local record = setmetatable({}, { __index = f.call })
  if f.path.call and f.path.own == 1 then record.route = "<" .. f.path.uri .. ">" end
  return { record = record, side = side }
end

local function to_parkd(f, side, tenant)
  return {
    action = "refer",
    tenant = tenant,
    user = f.identity.user,
    side = side,
    dialog = dialog_of(f, side),
  }
end

local function ordinary(f)
  local wrong, target = dialog_path.not_onward(f)
  if wrong then return wrong end
  return { action = "within_dialog", target = target, first_answer_ms = patience.first_answer(f.method) }
end

-- nil if it is known whether the REFER parks.
local function unknown_number(f, tenant)
  if f.refer_number == nil then return need("refer_number", tenant) end
  if f.refer_number and f.refer_number.away then return decision.database_away end
  return nil
end

local function is_number_of(f, tenant)
  local to = f.refer_to
  return to.user and (to.host == tenant or to.is_ours)
end

local function parks(f)
  local row = f.refer_number
  return row and not decide_features.is_switched_off(row) and decide_features.parks_when_transferred_to(row)
end

-- While parkd refuses parks, those above what it can do end here: before a password is looked at, and counted by the
-- first of a phone's two requests.
local function above_rate(f, tenant)
  if f.has_credentials then return nil end
  if f.park_rate == nil then return need("park_rate") end
  if not f.park_rate or not f.refer_to or not is_number_of(f, tenant) then return nil end
  local wait = unknown_number(f, tenant)
  if wait then return wait end
  if not parks(f) then return nil end
  if f.parks_this_second == nil then return need("parks_this_second") end
  return f.parks_this_second > f.park_rate and decision.too_busy or nil
end

-- `side` is the referrer's and `peer` the other party, both nil without a record of the call.
local function authenticated(f, side, peer, tenant)
  -- The other party is parkd itself, or parkd in its place, and needs no marker to be reached.
  if f.ruri.is_parkd or f.is_other and not f.marker then return to_parkd(f, side, tenant) end
  if not f.refer_to then return refuse(400, "One Refer-To Is Wanted") end
  -- Without a marker parkd's Contact means a retrieved call, in which the other phone is to replace the referrer. A
  -- trunk does not follow a REFER, so parkd refuses it.
  local is_parkds = f.marker or f.refer_to.is_parkd and not (peer and peer.kind == "extension")
  if not is_parkds and is_number_of(f, tenant) then
    local wait = unknown_number(f, tenant)
    if wait then return wait end
    is_parkds = parks(f)
  end
  if is_parkds then
    -- parkd could not adopt the call: it has neither its Contacts nor its descriptions. 404, 480 and 481 would end it
    -- (RFC 5057 5.1).
    if not side and not f.marker then return refuse(603, "Call Cannot Be Parked") end
    local referrer = to_parkd(f, side, tenant)
    referrer.marker = { call_id = f.call_id, tag = f.from_tag, floor = f.cseq }
    referrer.other_tag = f.to_tag
    return referrer
  end
  if peer and peer.kind == "trunk" then return refuse(403, "Trunks Cannot Be Transferred Yet") end
  return ordinary(f)
end

local function in_call(f)
  local side = dialog_record.side_of(f.call, f.from_tag)
  local referrer, peer = f.call[side], f.call[dialog_record.other(side)]
  if referrer.kind ~= "extension" then return refuse(403, "Trunks Cannot Transfer") end
  local user, tenant = referrer.aor:match("^([^@]*)@(.*)$")
  local wait = above_rate(f, tenant) or authentication.of(f, tenant)
  if wait then return wait end
  if f.identity.user ~= user then return decision.unknown_call(f) end
  return authenticated(f, side, peer, tenant)
end

-- nil if the sender may be a party that parkd has called: its From has what was called, the number of a ring group or
-- of a call flow, or the user of its own Contact.
local function not_called_by_parkd(f, tenant)
  if not f.ruri.is_parkd or not f.from.user then return decision.unknown_call(f) end
  -- A party that Kamailio's Route names stays one, whatever is edited during its call.
  local call = f.path.call
  if call and call[call.sender].aor == f.identity.user .. "@" .. tenant then return nil end
  local wait = destinations.unknown_ring_group(f, tenant, f.from.user)
  if wait then return wait end
  if ring_steps.include(f.ring_group, f.identity.user) then return nil end
  if f.may_ring == nil then
    return need("may_ring", { tenant = tenant, number = f.from.user, extension = f.identity.user })
  end
  if f.may_ring then return f.may_ring ~= true and decision.database_away or nil end
  if f.own_contact == nil then return need("own_contact", tenant) end
  if not f.own_contact then return decision.unknown_call(f) end
  return f.own_contact.away and decision.database_away or nil
end

-- Without a record Kamailio's Route has the parties of the call.
local function by_route(f)
  local call = f.path.call
  local referrer, peer = call[call.sender], call[dialog_record.other(call.sender)]
  if referrer.kind == "trunk" then return refuse(403, "Trunks Cannot Transfer") end
  local wait = authentication.of(f, call.tenant)
  if wait then return wait end
  if referrer.aor and referrer.aor ~= f.identity.user .. "@" .. call.tenant then return decision.unknown_call(f) end
  return authenticated(f, nil, peer, call.tenant)
end

-- parkd's own calls have neither: From and To identify the sender, one of them is in the tenant.
local function without_record(f)
  if f.path.call and not f.ruri.is_parkd then return by_route(f) end
  if f.trunk == nil then return need("trunk") end
  if f.trunk and f.trunk.away then return decision.database_away end
  if f.trunk then return refuse(403, "Trunks Cannot Transfer") end
  if f.from_tenant == nil then return need("from_tenant") end
  local wait = authentication.unknown_domain(f, f.from_tenant and "from_tenant" or "to_tenant")
  if wait then return wait end
  local tenant = f.from_tenant and f.from.host or f.to.host
  wait = authentication.of(f, tenant)
  if wait then return wait end
  if f.identity.user ~= f.from.user then
    wait = not_called_by_parkd(f, tenant)
    if wait then return wait end
  end
  return authenticated(f, nil, nil, tenant)
end

function decide_refer.request(f)
  if not f.ruri.is_parkd and f.is_other == nil then return need("is_other") end
  if f.call == nil then return need("call") end
  if f.call then return in_call(f) end
  return without_record(f)
end

return decide_refer
