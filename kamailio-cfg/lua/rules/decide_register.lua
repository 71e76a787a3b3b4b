-- The decision on a REGISTER. Pure.
local address = require("rules.address")
local authentication = require("rules.authentication")
local decision = require("rules.decision")
local registrations = require("rules.registrations")
local sip_text = require("rules.sip_text")

local need, refuse = decision.need, decision.refuse

local decide_register = {}

-- Whether a request to this place comes back to Kamailio or parkd. A phone on the same machine has a port of its own.
local function leads_back(f, place)
  for _, own in ipairs(f.own_places) do
    if place.ip == own.ip and (place.port == own.port or place.ip ~= f.source.ip) then return true end
  end
  return address.is_loopback(place.ip) and not address.is_loopback(f.source.ip)
end

-- nil if requests may go where the Contacts point. A trunk trusts Kamailio's address, so no Contact may lead to one:
-- only an outside number, dialled in a tenant with a trunk, does.
local function unreachable_contact(f)
  if not f.contact_places then return refuse(400, "Contact Cannot Be Read") end
  local addresses = { f.source.ip }
  for _, place in ipairs(f.contact_places) do
    -- Behind NAT the name is never resolved; elsewhere a worker would wait for the DNS, and send to its answer.
    if not place.ip and not f.is_behind_nat then return refuse(403, "Contact Must Be An IP Address") end
    if place.ip and leads_back(f, place) then return refuse(403, "Contact Points To This Server") end
    addresses[#addresses + 1] = place.ip
  end
  if f.trunk_among == nil then return need("trunk_among", addresses) end
  if f.trunk_among and f.trunk_among.away then return decision.database_away end
  if f.trunk_among then return refuse(403, "Contact Points To A Trunk") end
  return nil
end

--- `removes` of the decision is a stale Contact that has to make room, {aor, ruid}; nil if none has to.
function decide_register.request(f)
  local wait = authentication.in_domain(f, f.to.host, "to_tenant")
  if wait then return wait end
  -- To Kamailio's registrar the parameters of a user are a part of it: each would have Contacts of its own.
  if f.identity.user ~= f.to.user or f.to.user_rest then return refuse(403, "Not Your Identity") end
  wait = unreachable_contact(f)
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
