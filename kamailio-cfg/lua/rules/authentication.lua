-- Whether the sender of a request is an extension of a tenant, by Digest. Pure.
local decision = require("rules.decision")
local digest = require("rules.digest")
local guesses = require("rules.guesses")

local need, refuse = decision.need, decision.refuse

local authentication = {}

--- nil if the domain that `fact` was asked about is a tenant.
function authentication.unknown_domain(f, fact)
  if f[fact] == nil then return need(fact) end
  if not f[fact] then return refuse(403, "Unknown Domain") end
  if f[fact].away then return decision.database_away end
  return nil
end

local function guess_keys(f, realm) return guesses.keys(f.source.ip, f.credentials, realm, f.now) end

-- nil if the password may be looked at.
local function dropped_as_guess(f, realm)
  -- A trunk sends no password, so a phone that guesses in its name does not shut it out.
  if f.guesses == nil then return need("guesses", guess_keys(f, realm)) end
  if guesses.are_too_many_of_a_user(f.guesses) then return { action = "drop" } end
  if not guesses.are_too_many_of_the_address(f.guesses) then return nil end
  if f.are_registered_here == nil then return need("are_registered_here", guesses.aors(f.credentials, realm)) end
  return not f.are_registered_here and { action = "drop" } or nil
end

--- nil if `f.identity` is known. To module auth a PRACK is authenticated, whatever its credentials are.
function authentication.of(f, realm)
  if f.method == "PRACK" then return refuse(403, "Not A Party Of This Call") end
  local challenge = { action = "challenge", realm = realm }
  if not f.has_credentials then return challenge end
  local first = f.settings.flood_control and dropped_as_guess(f, realm)
  if first then return first end
  if f.identity == nil then return need("identity", realm) end
  local status = f.identity.status
  if status == "known" then return nil end
  if status == "database_away" then return decision.database_away end
  challenge.stale = status == "stale"
  challenge.guess_keys = status == "wrong" and guess_keys(f, realm) or nil
  return challenge
end

--- The same for a realm that the sender may have made up. Credentials exist only for tenants, so they need no look-up.
function authentication.in_domain(f, realm, fact)
  return not f.has_credentials and authentication.unknown_domain(f, fact) or authentication.of(f, realm)
end

----- the result of the module auth

-- auth/api.h: another try by the phone mends some of these.
local kNoCredentials, kStaleNonce, kNonceReused, kError = -5, -4, -6, -1

-- The user that a Digest username names in `realm`. "101@other.example" is no user of this realm: the password of one
-- tenant would identify an extension of another.
local function own_user(username, realm, extension)
  local user, domain = username:match("^([^@]*)@?(.*)$")
  if domain ~= "" and domain ~= realm then return nil end
  return user == extension and user or nil
end

-- What the right password is good for: {status, user, display}.
local function proven(checked, realm)
  local user = own_user(checked.username, realm, checked.extension)
  if not user then return { status = "wrong" } end
  if not digest.counts_are_covered(checked.credentials) then return { status = "stale" } end
  -- A challenge, since a phone may have kept credentials from an earlier request; but they are no good again.
  if not digest.is_for(checked.uri, checked.ruri, checked.method) then return { status = "for_another_uri" } end
  return { status = "known", user = user, display = checked.display }
end

--- {status, user, display}; `checked` is {result, method, ruri, credentials, username, uri, extension, display,
--- is_unread}: `username` and `uri` are those of the credentials that were tried, `extension` has the password
--- that they were tried with, nil if none has. `is_unread` is true while passwords are not known yet.
function authentication.identity(checked, realm)
  if checked.is_unread then return { status = "database_away" } end
  local result = checked.result
  if result > 0 then return proven(checked, realm) end
  if result == kNoCredentials then return { status = "absent" } end
  if result == kStaleNonce or result == kNonceReused then return { status = "stale" } end
  -- A nonce of another origin, or a digest of a wrong shape: no password was tried, and any device can send it with
  -- the address of another.
  if result == kError then return { status = "stale" } end
  return { status = "wrong" }
end

return authentication
