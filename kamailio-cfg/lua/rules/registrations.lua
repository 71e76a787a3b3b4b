-- A phone that has moved (a mobile network, a lost TCP connection) registers a new Contact, and its last one stays.
-- Once an extension has as many as it may have, the phone's own stale one makes room. Pure.
local registrations = {}

-- usrloc writes it for a phone without a User-Agent.
local kUnknown = "n/a"

--- Which of `known`, a list of {contact, user_agent, modified, ruid}, makes room for `newcomer` {contact, user_agent}:
--- of those of the same kind of phone the one that was refreshed longest ago. nil if there are less than `max`, if the
--- Contact is known, and if there is none of that kind: a desk phone does not give way to a mobile one, and the
--- registrar refuses the newcomer.
function registrations.stale(known, newcomer, max)
  if #known < max then return nil end
  local stalest
  for _, one in ipairs(known) do
    if one.contact == newcomer.contact then return nil end
    local same = newcomer.user_agent and newcomer.user_agent ~= kUnknown and one.user_agent == newcomer.user_agent
    if same and (not stalest or one.modified < stalest.modified) then stalest = one end
  end
  return stalest
end

return registrations
