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

-- All phones of an office send from one address, and after a power cut all at once: so many requests within a second.
-- RFC 3261 17.1.2.2 repeats the dropped ones for 32 s.
local kOfOfficeMax = 500

local function is_wanted_of_office(f)
  if f.requests_this_second == nil then return need("requests_this_second") end
  return { action = f.requests_this_second > kOfOfficeMax and "drop" or "admit" }
end

local function is_wanted(f)
  if f.has_phones == nil then return need("has_phones") end
  if f.has_phones then return is_wanted_of_office(f) end
  if f.is_at_trunk == nil then return need("is_at_trunk") end
  return { action = f.is_at_trunk and "admit" or "drop" }
end

-- An ACK costs no transaction, SUBSCRIBEs have limits of their own.
local uncounted = { ACK = true, SUBSCRIBE = true }

-- What ends a request or a call is counted by itself, and an address with phones keeps the share of an office in each
-- second: a call that cannot end is worse.
local ends = { BYE = true, PRACK = true }

-- Requests of a call, and of an address in all its calls, within a minute.
local kOfCallMax, kOfAddressMax = 120, 3000

local function is_wanted_end(f)
  if f.recent_requests == nil then return need("recent_requests", { kind = "ends", of = { f.source.ip } }) end
  if f.recent_requests[1] <= kOfAddressMax then return { action = "admit" } end
  return is_wanted(f)
end

local function is_wanted_in_a_call(f)
  if uncounted[f.method] then return { action = "admit" } end
  if ends[f.method] then return is_wanted_end(f) end
  if f.recent_requests == nil then
    return need("recent_requests", { kind = "requests", of = { f.call_id, f.source.ip } })
  end
  if f.recent_requests[1] > kOfCallMax then return { action = "drop" } end
  if f.recent_requests[2] <= kOfAddressMax then return { action = "admit" } end
  if f.is_at_trunk == nil then return need("is_at_trunk") end
  return { action = f.is_at_trunk and "admit" or "drop" }
end

--- Whether a request is part of a flood: {action = "drop"}, {action = "admit"}, or a fact that is needed.
function arrival.flood(f)
  if not f.settings.flood_control or f.from_parkd then return { action = "admit" } end
  if f.to_tag then return is_wanted_in_a_call(f) end
  if f.is_within_rate == nil then return need("is_within_rate") end
  if f.is_within_rate then return { action = "admit" } end
  return is_wanted(f)
end

--- RFC 3325 5: whether a message keeps the identity that it asserts, {action = "keep"}, or loses it, {action = "drop"},
--- or a fact that is needed. Only parkd and trunks may assert one.
function arrival.identity(f)
  if f.is_inside or not f.asserts_identity then return { action = "keep" } end
  if f.is_at_trunk == nil then return need("is_at_trunk") end
  return { action = f.is_at_trunk and "keep" or "drop" }
end

--- RFC 3261 25.1 has no line end without a line feed. Kamailio does not see one in a bare CR, but the next receiver
--- may, and would find headers there that Kamailio has not looked at. The text of the message with spaces instead; nil
--- if it has none.
function arrival.without_bare_returns(text)
  -- Nearly no message has one.
  if not text:find("\r[^\n]") and text:sub(-1) ~= "\r" then return nil end
  local head_end = text:find("\r?\n\r?\n") or #text + 1
  local head = text:sub(1, head_end - 1)
  local mended = head:gsub("\r+\n?", function(returns)
    if returns:sub(-1) == "\n" then return (" "):rep(#returns - 2) .. "\r\n" end
    return (" "):rep(#returns)
  end)
  return mended ~= head and mended .. text:sub(head_end) or nil
end

--- Whether the request loses its Routes. RFC 3261 16.4 lets a client preload routes; Kamailio's are only good for
--- dialogs.
function arrival.drops_route(f) return not f.from_parkd and not f.to_tag end

-- What is relayed to a party that will send requests to the Contact.
local is_relayed_to_party = {
  to_extension = true, to_contact = true, to_trunk = true, to_ring_group = true, feature_call = true, refer = true,
  adopted = true, to_parkd = true, within_dialog = true, wait_for_hold = true, ask_billing = true,
}

--- Whether the request is decided about again later.
function arrival.will_wait(d) return d.ms ~= nil or d.question ~= nil end

-- Requests to the sender of these do not come from their Contact, or their transaction is all.
local leaves_contact = { ACK = true, BYE = true, CANCEL = true }

--- Whether the Contact of a request, about which `d` is the decision, is sealed before it is relayed.
function arrival.seals_contact(f, d)
  if f.from_parkd or not is_relayed_to_party[d.action] or leaves_contact[f.method] or #f.contact_values == 0 then
    return false
  end
  -- A subscription at parkd (d.user) is no call.
  return f.method == "INVITE" or f.to_tag ~= false and f.to_tag ~= nil and (not d.user or d.action == "refer")
end

--- Whether an answer loses its Retry-After: it is about the server that sent it, and a phone would leave Kamailio alone
--- for so long (RFC 3261 16.7). A 503 without it counts as a 500 (21.5.4).
function arrival.loses_retry_after(f) return not f.is_inside and f.status == 503 end

-- Their Contacts are not where requests within a dialog go; NOTIFYs are many, and mostly Kamailio's own.
local answers_keep_contact =
  { REGISTER = true, OPTIONS = true, MESSAGE = true, BYE = true, CANCEL = true, NOTIFY = true }

--- The same for an answer.
function arrival.seals_contact_of_answer(f)
  return not f.is_inside and f.to_tag ~= false and f.status > 100 and f.status < 300
    and not answers_keep_contact[f.cseq_method] and #f.contact_values > 0
end

return arrival
