-- What may be written to the log about a message: no text of it unescaped, and no more lines than the share of its
-- sender. Pure.
local log_text = {}

-- Messages a second of which Kamailio writes lines: of an address with phones or of a trunk; of all others together.
local kOfKnownMax, kOfOthersMax = 200, 100

local kExcerptBytes = 80

--- At most 80 bytes of `text`, on one line, without control characters.
function log_text.excerpt(text)
  return (text:sub(1, kExcerptBytes):gsub("[^\32-\126]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

--- Whether a message has nothing in its headers that a terminal would obey.
function log_text.is_harmless(text, call_id)
  local head_end = text:find("\n\r?\n") or #text
  -- All but the control characters: nearly every byte is in the first range, which is tried first.
  local control = text:find("[^\32-\126\128-\255\t\r\n]")
  return not (control and control < head_end) and not call_id:find("[^\33-\126]")
end

--- The name under which the lines of an address count in second `now`, and how many there may be.
function log_text.share(ip, is_known, now)
  if is_known then return ("%d %s"):format(now, ip), kOfKnownMax end
  return ("%d"):format(now), kOfOthersMax
end

--- What is written about one message that cannot be read.
function log_text.description(text, device)
  return ("%d bytes from %s: %s"):format(#text, device, log_text.excerpt(text))
end

--- A line about `count` of them; `description` is of one.
function log_text.unreadable(count, description)
  return ("%d messages cannot be read, or be logged; one has %s"):format(count, description)
end

return log_text
