-- Challenges of trunks (RFC 7616, RFC 2617) and the credentials that answer them. Pure: `md5` hashes a text.
local trunk_challenge = {}

-- The parameters of one challenge, by their names; nil if it cannot be read, or a name comes twice.
local function parameters(text)
  local found, place = {}, 1
  while place <= #text do
    local name, value_place = text:match("^[%s,]*([%w-]+)%s*=%s*()", place)
    if not name then return text:match("^[%s,]*$", place) and found end
    local value, after = text:match('^"([^"\\%c]*)"()', value_place)
    if not value then value, after = text:match("^([^%s,\"]+)()", value_place) end
    if not value or found[name:lower()] then return nil end
    found[name:lower()] = value
    place = after
  end
  return found
end

local function offers_auth(qop)
  for one in qop:gmatch("[^%s,]+") do
    if one:lower() == "auth" then return true end
  end
  return false
end

local function read(value)
  local text = value:match("^%s*[Dd][Ii][Gg][Ee][Ss][Tt]%s+(.*)$")
  local found = text and parameters(text)
  if not found or not found.realm or not found.nonce or found.nonce == "" then return nil end
  if (found.algorithm or "MD5"):upper() ~= "MD5" then return nil end
  if found.qop and not offers_auth(found.qop) then return nil end
  return { realm = found.realm, nonce = found.nonce, opaque = found.opaque, has_qop = found.qop ~= nil }
end

-- How the credentials are named that answer the challenge of a status.
local kAnswers = { [401] = "Authorization", [407] = "Proxy-Authorization" }

--- The name of the header with the challenge of this status; nil if it is none.
function trunk_challenge.header(status)
  return status == 401 and "WWW-Authenticate" or status == 407 and "Proxy-Authenticate" or nil
end

--- The first challenge among the values of that header that can be answered: {status, realm, nonce, opaque, has_qop}.
--- nil if there is none.
function trunk_challenge.read(status, values)
  for _, value in ipairs(values) do
    local challenge = read(value)
    if challenge then
      challenge.status = status
      return challenge
    end
  end
  return nil
end

--- The header with the credentials of `account` {auth_user, password} for a request; `count` is how often the nonce has
--- been used, this time included, and `cnonce` any text.
function trunk_challenge.answer(challenge, account, request, count, cnonce, md5)
  local user = account.auth_user
  local ha1 = md5(table.concat({ user, challenge.realm, account.password }, ":"))
  local ha2 = md5(request.method .. ":" .. request.uri)
  local parts = { ('username="%s"'):format(user), ('realm="%s"'):format(challenge.realm),
    ('nonce="%s"'):format(challenge.nonce), ('uri="%s"'):format(request.uri) }
  local nc = ("%08x"):format(count)
  local response
  if challenge.has_qop then
    response = md5(table.concat({ ha1, challenge.nonce, nc, cnonce, "auth", ha2 }, ":"))
  else
    response = md5(table.concat({ ha1, challenge.nonce, ha2 }, ":"))
  end
  parts[#parts + 1] = ('response="%s"'):format(response)
  parts[#parts + 1] = "algorithm=MD5"
  if challenge.has_qop then parts[#parts + 1] = ('qop=auth, nc=%s, cnonce="%s"'):format(nc, cnonce) end
  if challenge.opaque then parts[#parts + 1] = ('opaque="%s"'):format(challenge.opaque) end
  return kAnswers[challenge.status], "Digest " .. table.concat(parts, ", ")
end

return trunk_challenge
