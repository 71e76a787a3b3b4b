-- Whether Kamailio and parkd may send requests to where a phone's Contact points. Pure.
local address = require("rules.address")
local decision = require("rules.decision")

local need, refuse = decision.need, decision.refuse

local reachability = {}

-- Whether a request to this place comes back to Kamailio or parkd. A phone on the same machine has a port of its own.
local function leads_back(f, place)
  for _, own in ipairs(f.own_places) do
    if place.ip == own.ip and (place.port == own.port or place.ip ~= f.source.ip) then return true end
  end
  return address.is_loopback(place.ip) and not address.is_loopback(f.source.ip)
end

--- nil if requests may go to `places` (contact.places, false if unreadable) and to the sender itself. A trunk trusts
--- Kamailio's address, so no Contact may lead to one: only an outside number, dialled in a tenant with a trunk, does.
--- A name is for the caller to judge.
function reachability.refusal(f, places)
  if not places then return refuse(400, "Contact Cannot Be Read") end
  local addresses = { f.source.ip }
  for _, place in ipairs(places) do
    if place.ip and address.is_of_no_host(place.ip) then return refuse(403, "Contact Must Be One Host") end
    if place.ip and leads_back(f, place) then return refuse(403, "Contact Points To This Server") end
    addresses[#addresses + 1] = place.ip
  end
  if f.trunk_among == nil then return need("trunk_among", addresses) end
  if f.trunk_among and f.trunk_among.away then return decision.database_away end
  if f.trunk_among then return refuse(403, "Contact Points To A Trunk") end
  return nil
end

return reachability
