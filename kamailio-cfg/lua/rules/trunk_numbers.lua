-- The CSeq of requests to a trunk. Kamailio answers a challenge by sending the request once more with a higher CSeq
-- (RFC 3261 8.1.3.5), of which its sender does not know: from then on the trunk is ahead of the sender, and the next
-- requests of that sender in this dialog are numbered anew. Pure.
--
-- As text, a dialog variable: how far the trunk is ahead, and for the ACKs of the last two INVITEs (that of the first
-- may come once more) what number their sender and what number Kamailio has given each.
local trunk_numbers = {}

--- {ahead, invite, sent, earlier_invite, earlier_sent}, from the text or nil.
function trunk_numbers.parse(text)
  local ahead, invite, sent, earlier_invite, earlier_sent = (text or ""):match("^(%d+) (%d+) (%d+) (%d+) (%d+)$")
  return { ahead = tonumber(ahead) or 0, invite = tonumber(invite) or 0, sent = tonumber(sent) or 0,
    earlier_invite = tonumber(earlier_invite) or 0, earlier_sent = tonumber(earlier_sent) or 0 }
end

--- The text; nil while sender and trunk count alike.
function trunk_numbers.text(numbers)
  if numbers.ahead == 0 then return nil end
  return ("%d %d %d %d %d"):format(numbers.ahead, numbers.invite, numbers.sent, numbers.earlier_invite,
    numbers.earlier_sent)
end

--- The number of a request that its sender has numbered `cseq`.
function trunk_numbers.of_request(numbers, method, cseq)
  if method == "ACK" and cseq == numbers.invite then return numbers.sent end
  if method == "ACK" and cseq == numbers.earlier_invite then return numbers.earlier_sent end
  return cseq + numbers.ahead
end

--- The number of the last request of a sender that counts up to `cseq`. The dialog module does not count an INVITE that
--- has overtaken the ACK before it.
function trunk_numbers.last(numbers, cseq) return math.max(cseq + numbers.ahead, numbers.sent) end

--- The value of a RAck for the trunk; nil if it is right, or none.
function trunk_numbers.rack(numbers, value)
  local response, cseq, method = value:match("^%s*(%d+)%s+(%d+)%s+(%u+)%s*$")
  if method ~= "INVITE" or tonumber(cseq) ~= numbers.invite or numbers.sent == numbers.invite then return nil end
  return ("%s %d INVITE"):format(response, numbers.sent)
end

--- The numbers after a request with this CSeq of its sender's has reached the trunk as `sent`.
function trunk_numbers.after(numbers, method, cseq, sent)
  local new = setmetatable({ ahead = math.max(numbers.ahead, sent - cseq) }, { __index = numbers })
  if method ~= "INVITE" then return new end
  if cseq ~= numbers.invite then new.earlier_invite, new.earlier_sent = numbers.invite, numbers.sent end
  new.invite, new.sent = cseq, sent
  return new
end

return trunk_numbers
