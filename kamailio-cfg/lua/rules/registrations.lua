-- A phone that has moved (a mobile network, a lost TCP connection) registers a new Contact, and its last one stays.
-- Once an extension has as many as it may have, the phone's own stale one makes room. Pure.
local sip_text = require("rules.sip_text")

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

----- the extensions of a Contact

-- Two accounts of one phone may have the same one.
local kOwnersMax = 4

--- The key of a Contact in a tenant, without its parameters; nil without a user.
function registrations.key_of_uri(tenant, uri)
  if not uri or not uri.user then return nil end
  return ("%s %s@%s:%s"):format(tenant, uri.user, uri.host, uri.port or "")
end

function registrations.key(tenant, contact)
  return registrations.key_of_uri(tenant, sip_text.parse_uri(contact))
end

--- The extensions that have registered a Contact, `known` or nil until now, with one that registers it now: the last
--- ones, each once, separated by spaces.
function registrations.with_owner(known, extension)
  local list = { extension }
  for one in (known or ""):gmatch("%S+") do
    if one ~= extension and #list < kOwnersMax then list[#list + 1] = one end
  end
  return table.concat(list, " ")
end

return registrations
