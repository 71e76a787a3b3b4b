-- Where requests to a party may go: a trunk trusts Kamailio's address, so no Contact of a phone may lead to one, nor
-- back to Kamailio or parkd. Only an outside number, dialled in a tenant with a trunk, leads to a trunk. Pure.
local address = require("rules.address")
local contact = require("rules.contact")
local decision = require("rules.decision")

local need, refuse = decision.need, decision.refuse

local reachable = {}

-- Whether a request to this place comes back to Kamailio or parkd. A phone on the same machine has a port of its own.
local function leads_back(f, place)
  for _, own in ipairs(f.own_places) do
    if place.ip == own.ip and (place.port == own.port or place.ip ~= f.source.ip) then return true end
  end
  return address.is_loopback(place.ip) and not address.is_loopback(f.source.ip)
end

local function looped(f, places)
  for _, place in ipairs(places) do
    if place.ip and address.is_of_no_host(place.ip) then return refuse(403, "Contact Must Be One Host") end
    if place.ip and leads_back(f, place) then return refuse(403, "Contact Points To This Server") end
  end
  return nil
end

-- nil if no place is a name, of no host, or leads back.
local function wrong_place(f, places)
  for _, place in ipairs(places) do
    -- Behind NAT the name is never resolved; elsewhere a worker would wait for the DNS, and send to its answer.
    if not place.ip and not f.is_behind_nat then return refuse(403, "Contact Must Be An IP Address") end
  end
  return looped(f, places)
end

local function addresses_of(places, apart_from)
  local list = {}
  for _, place in ipairs(places) do
    if place.ip and place.ip ~= apart_from then list[#list + 1] = place.ip end
  end
  return list
end

local function at_trunk(f, addresses)
  if f.trunk_among == nil then return need("trunk_among", addresses) end
  if f.trunk_among and f.trunk_among.away then return decision.database_away end
  if f.trunk_among then return refuse(403, "Contact Points To A Trunk") end
  return nil
end

--- nil if a phone may register these Contacts from where it is.
function reachable.not_to_be_registered(f)
  if not f.contact_places then return refuse(400, "Contact Cannot Be Read") end
  local wrong = wrong_place(f, f.contact_places)
  if wrong then return wrong end
  local addresses = addresses_of(f.contact_places)
  table.insert(addresses, 1, f.source.ip)
  return at_trunk(f, addresses)
end

--- nil if a watcher may be notified at `places`, false if they are unreadable. A name is for the caller to judge.
function reachable.not_to_be_notified(f, places)
  if not places then return refuse(400, "Contact Cannot Be Read") end
  local wrong = looped(f, places)
  if wrong then return wrong end
  local addresses = addresses_of(places)
  table.insert(addresses, 1, f.source.ip)
  return at_trunk(f, addresses)
end

--- nil if requests within the dialog may go where a phone's INVITE, or a later request of it, leads by its Contact
--- and its Record-Routes. The sender's own address is not a trunk's.
function reachable.not_from_phone(f)
  if not f.contact_places then return refuse(400, "Contact Cannot Be Read") end
  for _, places in ipairs({ f.contact_places, f.hop_places }) do
    local wrong = wrong_place(f, places)
    if wrong then return wrong end
  end
  local addresses = addresses_of(f.contact_places, f.source.ip)
  for _, ip in ipairs(addresses_of(f.hop_places, f.source.ip)) do addresses[#addresses + 1] = ip end
  return #addresses > 0 and at_trunk(f, addresses) or nil
end

-- A trunk may be on this machine, and name any of its addresses.
local function is_own_socket(f, places)
  for _, place in ipairs(places) do
    for _, own in ipairs(f.own_places) do
      if place.ip == own.ip and place.port == own.port then return true end
    end
  end
  return false
end

--- nil if requests may go where a trunk's INVITE leads. A carrier has several addresses and names, but none of ours.
function reachable.not_from_trunk(f)
  if not f.contact_places or not is_own_socket(f, f.contact_places) then return nil end
  return refuse(403, "Contact Points To This Server")
end

local function is_elsewhere(f, places)
  for _, place in ipairs(places) do
    if place.ip ~= f.source.ip then return true end
  end
  return false
end

-- These change no Contact.
local keeps_target = { ACK = true, BYE = true, CANCEL = true }

--- nil if a request within a dialog may change where its sender is reached.
function reachable.not_to_be_target(f)
  if keeps_target[f.method] or #f.contact_values == 0 then return nil end
  if f.contact_places and not is_elsewhere(f, f.contact_places) then return looped(f, f.contact_places) end
  if f.trunk == nil then return need("trunk") end
  if f.trunk then return reachable.not_from_trunk(f) end
  return reachable.not_from_phone(f)
end

--- What becomes of the Contact and the Record-Routes of an answer, which cannot be refused: {action = "seal"}, or
--- "leave" if a trunk's cannot be read, or "replace" by the address that the answer came from.
function reachable.contact_of_answer(f)
  if not f.contact_places or #f.contact_values ~= 1 or not contact.cut(f.contact_values[1]) then
    if f.is_at_trunk == nil then return need("is_at_trunk") end
    return { action = f.is_at_trunk and "leave" or "replace" }
  end
  if is_own_socket(f, f.contact_places) or is_own_socket(f, f.hop_places) then return { action = "replace" } end
  if not is_elsewhere(f, f.contact_places) and not is_elsewhere(f, f.hop_places) then return { action = "seal" } end
  if f.is_at_trunk == nil then return need("is_at_trunk") end
  if f.is_at_trunk then return { action = "seal" } end
  if wrong_place(f, f.contact_places) or wrong_place(f, f.hop_places) then return { action = "replace" } end
  local addresses = addresses_of(f.contact_places, f.source.ip)
  for _, ip in ipairs(addresses_of(f.hop_places, f.source.ip)) do addresses[#addresses + 1] = ip end
  if #addresses == 0 then return { action = "seal" } end
  if f.leads_to_trunk == nil then return need("leads_to_trunk", addresses) end
  return { action = f.leads_to_trunk and "replace" or "seal" }
end

return reachable
