-- The decision on a REGISTER. Pure.
local authentication = require("rules.authentication")
local decision = require("rules.decision")
local reachable = require("rules.reachable")
local registrations = require("rules.registrations")
local shares = require("rules.shares")
local sip_text = require("rules.sip_text")

local need, refuse = decision.need, decision.refuse

local decide_register = {}

--- `removes` of the decision is a stale Contact that has to make room, {aor, ruid}; nil if none has to.
function decide_register.request(f)
  local wait = authentication.in_domain(f, f.to.host, "to_tenant")
  if wait then return wait end
  -- To Kamailio's registrar the parameters of a user are a part of it: each would have Contacts of its own.
  if f.identity.user ~= f.to.user or f.to.user_rest then return refuse(403, "Not Your Identity") end
  wait = reachable.not_to_be_registered(f) or shares.registrations(f, f.to.user .. "@" .. f.to.host)
  if wait then return wait end
  local register = { action = "register", is_behind_nat = f.is_behind_nat }
  if not f.newcomer then return register end
  local aor = sip_text.uri(f.to.user, f.to.host)
  if f.registered_contacts == nil then return need("registered_contacts", aor) end
  local stale = registrations.stale(f.registered_contacts, f.newcomer, f.contacts_max)
  register.removes = stale and { aor = aor, ruid = stale.ruid }
  return register
end

return decide_register
