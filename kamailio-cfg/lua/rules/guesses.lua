-- How many wrong passwords Kamailio checks before it drops the next request: of one user from one address, and of all
-- users from one address. Pure.
--
-- An office is one address, and a phone with an old password repeats it for ever: it must not lock out the others. Nor
-- must a guest at that address that guesses: of users that are registered from it, only their own counts matter.
local digest = require("rules.digest")

local guesses = {}

local kWindowSeconds = 60
local kOfOneUserMax, kOfOneAddressMax = 30, 300

--- The addresses of record of the users that a request names in `realm`.
function guesses.aors(credentials, realm)
  local aors = digest.users(credentials)
  for i, user in ipairs(aors) do aors[i] = ("%s@%s"):format(user, realm) end
  return aors
end

--- The keys under which the wrong passwords of a request count: its address first, then each user that it names in
--- `realm`. `seconds` is the time; each minute has its own keys, so that a count ends however often it grows.
function guesses.keys(ip, credentials, realm, seconds)
  local from = ("%d %s"):format(math.floor(seconds / kWindowSeconds), ip)
  local keys = { from }
  for _, aor in ipairs(guesses.aors(credentials, realm)) do keys[#keys + 1] = ("%s %s"):format(from, aor) end
  return keys
end

--- Whether one of the users has too many; `counts` are the counts of these keys, in the same order.
function guesses.are_too_many_of_a_user(counts)
  for i = 2, #counts do
    if counts[i] > kOfOneUserMax then return true end
  end
  return false
end

--- Whether the address has.
function guesses.are_too_many_of_the_address(counts) return (counts[1] or 0) > kOfOneAddressMax end

return guesses
