-- Who has a call on hold after an offer and its answer (RFC 3264 8.4). Pure.
local hold = {}

local silences_the_other = { sendonly = true, inactive = true }

--- Whether the answerer has the call on hold. RFC 3264 6.1: a sendonly offer leaves recvonly or inactive, a recvonly
-- one sendonly or inactive, an inactive one nothing else; so only some answers say what the answerer wants.
local function answerer_holds(before, offer, answer)
  if offer == "sendrecv" then return silences_the_other[answer] == true end
  if offer == "sendonly" then return answer == "inactive" end
  return before
end

--- Whether an offer of this direction puts the other side on hold.
function hold.is_asked_by(direction) return silences_the_other[direction] == true end

--- before: {a = bool, b = bool}; offerer: "a" or "b"; directions as in SDP, nil for a stream that is not there.
--- Returns the same table for after it.
function hold.after(before, offerer, offer, answer)
  local answerer = offerer == "a" and "b" or "a"
  local after = { a = before.a, b = before.b }
  if not offer or not answer then return after end
  after[offerer] = hold.is_asked_by(offer)
  after[answerer] = answerer_holds(before[answerer], offer, answer)
  return after
end

return hold
