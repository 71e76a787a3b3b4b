-- How many wrong passwords Kamailio checks before it drops the next request: of one user from one address, and of all
-- users from one address. Pure.
--
-- An office is one address, and a phone with an old password repeats it for ever: it must not lock out the others.
local digest = require("rules.digest")

local guesses = {}

local kWindowSeconds = 60
local kOfOneUserMax, kOfOneAddressMax = 30, 300

--- The keys under which the wrong passwords of a request count: its address first, then each user that it names in
--- `realm`. `seconds` is the time; each minute has its own keys, so that a count ends however often it grows.
function guesses.keys(ip, credentials, realm, seconds)
  local from = ("%d %s"):format(math.floor(seconds / kWindowSeconds), ip)
  local keys = { from }
  for _, user in ipairs(digest.users(credentials)) do keys[#keys + 1] = ("%s %s@%s"):format(from, user, realm) end
  return keys
end

--- `counts` are the counts of these keys, in the same order.
function guesses.are_too_many(counts)
  for i, count in ipairs(counts) do
    if count > (i == 1 and kOfOneAddressMax or kOfOneUserMax) then return true end
  end
  return false
end

return guesses
