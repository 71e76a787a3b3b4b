-- What happens to a message before a rule decides about it. Pure.
local decision = require("rules.decision")

local need = decision.need

local arrival = {}

--- Whether Kamailio drops it unseen: the inside socket is for parkd, and answers no other sender.
function arrival.is_dropped(f) return f.is_inside and not f.from_parkd end

--- RFC 3261 18.3: how many bytes follow the body in the datagram. They are no part of the message; Kamailio would
--- refuse a request for them, and relay those behind an answer: over TCP they would begin the next message.
function arrival.surplus(f)
  if not f.is_udp or not f.content_length then return 0 end
  return math.max(#f.body - f.content_length, 0)
end

-- All phones of an office send from one address, and after a power cut all at once.
local function is_wanted(f)
  if f.has_phones == nil then return need("has_phones") end
  if f.has_phones then return { action = "admit" } end
  if f.trunk == nil then return need("trunk") end
  return { action = f.trunk and not f.trunk.away and "admit" or "drop" }
end

--- Whether a request is part of a flood: {action = "drop"}, {action = "admit"}, or a fact that is needed.
function arrival.flood(f)
  if not f.settings.flood_control or f.to_tag or f.from_parkd then return { action = "admit" } end
  if f.is_within_rate == nil then return need("is_within_rate") end
  if f.is_within_rate then return { action = "admit" } end
  return is_wanted(f)
end

-- The rules of these change the Contact, where they need to.
local keeps_contact = { REGISTER = true, SUBSCRIBE = true }

--- What the request loses, and what it is given. RFC 3261 16.4 lets a client preload routes; Kamailio's are only good
--- for dialogs.
function arrival.changes(f)
  return {
    drops_route = not f.from_parkd and not f.to_tag,
    sets_alias = not f.from_parkd and not keeps_contact[f.method] and f.is_behind_nat,
  }
end

return arrival
