-- How many wrong passwords are let through before nobody looks at the next one: of one user from one address, and of
-- all users from one address. Pure.
--
-- An office is one address, and a phone with an old password tries it again and again: it must not lock out the others.
local guesses = {}

local kWindowSeconds = 60
local kOfOneUserMax, kOfOneAddressMax = 30, 300

-- As the digest has it. Of several credentials each counts, since which one is tried is not known here.
local function users(credentials)
  local list, known = {}, {}
  for name in credentials:lower():gmatch('username%s*=%s*"?([^",@]*)') do
    if not known[name] then list[#list + 1] = name end
    known[name] = true
  end
  return list
end

--- Under which keys the wrong passwords of a request are counted: its address first, then each user that it names in
--- `realm`. `seconds` is the time; another minute has other keys, so that a count ends however often it grows.
function guesses.keys(ip, credentials, realm, seconds)
  local from = ("%d %s"):format(math.floor(seconds / kWindowSeconds), ip)
  local keys = { from }
  for _, user in ipairs(users(credentials)) do keys[#keys + 1] = ("%s %s@%s"):format(from, user, realm) end
  return keys
end

--- `counts` are those of these keys, in the same order.
function guesses.are_too_many(counts)
  for i, count in ipairs(counts) do
    if count > (i == 1 and kOfOneAddressMax or kOfOneUserMax) then return true end
  end
  return false
end

return guesses
