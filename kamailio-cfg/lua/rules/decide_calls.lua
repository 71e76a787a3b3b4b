-- The decision on a call, or a MESSAGE, outside of dialogs: from a trunk, an extension, or parkd. Pure.
local authentication = require("rules.authentication")
local decide_features = require("rules.decide_features")
local decision = require("rules.decision")
local destinations = require("rules.destinations")
local reachable = require("rules.reachable")
local shares = require("rules.shares")

local need, refuse = decision.need, decision.refuse

local decide_calls = {}

local methods_outside_of_dialogs = { INVITE = true, MESSAGE = true }

function decide_calls.from_trunk(f)
  if tonumber(f.trunk.enabled) ~= 1 then return refuse(403, "Trunk Disabled") end
  if f.method == "REFER" then return refuse(403, "Trunks Cannot Transfer") end
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  local wrong = reachable.not_from_trunk(f)
  if wrong then return wrong end
  if f.did == nil then return need("did") end
  if not f.did then return decide_features.orbit_from_trunk(f) end
  if f.did.away then return decision.database_away end
  local caller = { kind = "trunk", display = f.display, withheld = f.withheld, trunk = f.did.trunk }
  return destinations.to_number(f, f.did.tenant, f.did, caller)
end

-- The first character decides, so that no row of the number plan can shadow the telephone network.
local function is_outside_number(f) return f.dialled and f.dialled.text:sub(1, 1) == "+" end

local function to_number(f, tenant, caller, feature_decision)
  if not f.dialled then return refuse(404, "Not Found") end
  if is_outside_number(f) then return destinations.to_trunk(f, tenant, caller) end
  if f.number == nil then return need("number", tenant) end
  if not f.number then return refuse(404, "Not Found") end
  if f.number.away then return decision.database_away end
  if decide_features.is_switched_off(f.number) then return refuse(404, "Not Found") end
  if decide_features.is_feature(f.number) then return feature_decision(f, f.number, tenant) end
  return destinations.to_number(f, tenant, f.number, caller)
end

function decide_calls.from_extension(f)
  -- RFC 3323 4.1.1.3: a caller that withholds its number has none in From, and often no domain. It calls in its own.
  local is_nameless = f.from.user == "anonymous"
  local tenant = is_nameless and f.to.host or f.from.host
  if not methods_outside_of_dialogs[f.method] then
    if f.method == "REFER" then return refuse(403, "REFER Only Within A Call") end
    return refuse(405, "Method Not Allowed")
  end
  local wait = authentication.in_domain(f, tenant, is_nameless and "to_tenant" or "from_tenant")
  if wait then return wait end
  if not is_nameless and f.identity.user ~= f.from.user then return refuse(403, "Not Your Identity") end
  wait = f.method == "INVITE" and reachable.not_from_phone(f)
  if wait then return wait end
  local display = f.display ~= "" and f.display or f.identity.display
  local caller = destinations.extension_party(tenant, f.identity.user, display)
  caller.withheld = is_nameless or f.withheld
  if f.ruri.host == tenant or f.ruri.is_ours then
    return shares.of_extension(f, to_number(f, tenant, caller, decide_features.call), caller, tenant)
  end
  -- The caller is to replace a party that talks by way of parkd, and knows no more of that call than its Contact.
  if f.ruri.is_parkd and f.has_replaces and f.method == "INVITE" then
    return { action = "feature_call", tenant = tenant, user = f.identity.user }
  end
  return shares.of_extension(f, destinations.to_contact(f, tenant, caller), caller, tenant)
end

-- parkd knows codes and orbits itself; one that came back to it would go round for ever.
local function no_feature() return refuse(404, "Not Found") end

function decide_calls.from_parkd(f)
  local tenant = f.inside_tenant
  if not methods_outside_of_dialogs[f.method] then return refuse(405, "Method Not Allowed") end
  if not tenant then return refuse(403, "No Tenant") end
  if f.ruri.host == tenant or f.ruri.is_ours then return to_number(f, tenant, nil, no_feature) end
  -- What a phone has named in a transfer: the Contact of another one, or, by its To, a number of its own tenant at a
  -- host that the phone confuses with Kamailio's. Kamailio looks for neither anywhere else.
  if f.registered == nil then return need("registered", tenant) end
  if not f.registered and f.to.host == tenant then return to_number(f, tenant, nil, no_feature) end
  return destinations.to_contact(f, tenant, nil)
end

return decide_calls
