-- Which side has a call on hold after an offer and its answer (RFC 3264 8.4). Pure.
local hold = {}

local silences_the_other = { sendonly = true, inactive = true }

-- Whether the answerer has the call on hold. RFC 3264 6.1: a sendonly offer leaves recvonly or inactive, a recvonly one
-- sendonly or inactive, an inactive one nothing else; so only some answers show what the answerer wants.
local function answerer_holds(before, offer, answer)
  if offer == "sendrecv" then return silences_the_other[answer] == true end
  if offer == "sendonly" then return answer == "inactive" end
  return before
end

--- Whether an offer of this direction puts the other side on hold. `previous` is the direction that the same side
--- described last. By RFC 3264 recvonly is no hold, but some phones can be set to hold so: then they have talked
--- before, and stop talking. A side that only obeys the other's hold was recvonly or inactive before.
function hold.is_asked_by(direction, previous)
  return silences_the_other[direction] == true or direction == "recvonly" and previous == "sendrecv"
end

--- `before` is {a = bool, b = bool}; `offerer` is "a" or "b"; directions are as in SDP, nil without a stream.
--- `previous` as above. Returns the same table for the time after it.
function hold.after(before, offerer, offer, answer, previous)
  local answerer = offerer == "a" and "b" or "a"
  local after = { a = before.a, b = before.b }
  if not offer or not answer then return after end
  -- A hold by recvonly that is described again goes on. While the other side holds, recvonly ends one's own hold.
  local goes_on = before[offerer] and offer == "recvonly" and previous == "recvonly"
  local by_recvonly = goes_on or hold.is_asked_by(offer, previous)
  after[offerer] = hold.is_asked_by(offer) or by_recvonly and not before[answerer]
  after[answerer] = answerer_holds(before[answerer], offer, answer)
  return after
end

--- The same for an answer of `direction` to a request of `requester`, which has brought the offer `offer`, "" without
--- one. RFC 3264 5: then the answer of the request is the offer, and the ACK brings its answer.
function hold.after_answer(before, requester, offer, direction, previous)
  if offer ~= "" then return hold.after(before, requester, offer, direction, previous) end
  return hold.after(before, requester == "a" and "b" or "a", direction, "sendrecv")
end

--- The same when the ACK of `requester` brings the answer `answer` to the other side's `offer`.
function hold.after_ack(before, requester, offer, answer)
  return hold.after(before, requester == "a" and "b" or "a", offer, answer)
end

return hold
