-- The session timer that the two ends of a call agree to (RFC 4028), as parkd has to keep it in a parker's place. Pure.
local session_timer = {}

--- What a 2xx to the INVITE or UPDATE of `requester` ("a" or "b") agrees to, as the value of a variable: the seconds
--- and the side that refreshes. nil if its Session-Expires is none.
function session_timer.agreed(session_expires, requester)
  local seconds, parameters = (session_expires or ""):lower():match("^%s*(%d+)%s*(.*)$")
  if not seconds or #seconds > 8 or tonumber(seconds) == 0 then return nil end
  local other = requester == "a" and "b" or "a"
  -- RFC 4028 9: the answer names the refresher. Where it does not, the requester is the one that can.
  local is_other = parameters:match(";%s*refresher%s*=%s*(%a+)") == "uas"
  return ("%d %s"):format(seconds, is_other and other or requester)
end

--- Back from there: {seconds, refresher}, or nil.
function session_timer.parse(value)
  local seconds, refresher = (value or ""):match("^(%d+) ([ab])$")
  return seconds and { seconds = tonumber(seconds), refresher = refresher } or nil
end

return session_timer
