-- The credentials of Digest (RFC 7616) in a request: what they are good for, and which users they name. Pure.
local address = require("rules.address")
local sip_text = require("rules.sip_text")

local digest = {}

local function host_of(uri) return address.canonical(uri.host) or uri.host end

local function have_one_port(a, b) return not a.port or not b.port or a.port == b.port end

--- RFC 7616 3.4.6: whether the `uri` of credentials names the same resource as the Request-URI of their request.
--- Parameters and headers do not count, and a port only if both have one: phones write the one with and the other
--- without. The Request-URI of a REGISTER is a domain.
function digest.is_for(uri_text, ruri_text, method)
  local uri, ruri = sip_text.parse_uri(uri_text), sip_text.parse_uri(ruri_text)
  if not uri or not ruri then return uri_text == ruri_text end
  if host_of(uri) ~= host_of(ruri) or not have_one_port(uri, ruri) then return false end
  return method == "REGISTER" or uri.user == ruri.user
end

-- The values that one header has for a parameter, without their quotes.
local function values(header, name)
  local list = {}
  for key, value in header:gsub('"([^"]*)"', function(text) return (text:gsub("[,%s=]", "_")) end)
      :gmatch("([%w-]+)%s*=%s*([^,%s]*)") do
    if key:lower() == name then list[#list + 1] = value end
  end
  return list
end

--- Whether each `nc` in `credentials`, one header a line, is covered by the response. RFC 2617 3.2.2.1: without qop the
--- response is made without it, and any sender may count on.
function digest.counts_are_covered(credentials)
  for header in credentials:gmatch("[^\n]+") do
    local qops = values(header, "qop")
    if #values(header, "nc") > 0 and (#qops ~= 1 or qops[1]:lower() ~= "auth") then return false end
  end
  return true
end

--- The users that `credentials` name, each once, as the Digest has them but for case and spaces around. All of several
--- credentials count, whichever is tried.
function digest.users(credentials)
  local list, known = {}, {}
  for name in credentials:lower():gmatch('username%s*=%s*"?%s*([^",@]*)') do
    name = name:gsub("%s+$", "")
    if not known[name] then list[#list + 1] = name end
    known[name] = true
  end
  return list
end

-- The parameters of one header. nil if one comes twice: then each reader might believe another one.
local function parameters(header)
  local found, place = {}, header:match("^%s*%a+%s+()") or 1
  while place <= #header do
    local name, value_place = header:match("^[%s,]*([%w-]+)%s*=%s*()", place)
    if not name or found[name:lower()] then return nil end
    local value, after = header:match('^"([^"]*)"[%s,]*()', value_place)
    if not value then value, after = header:match('^([^%s,"]*)[%s,]*()', value_place) end
    found[name:lower()] = value
    place = after
  end
  return found
end

--- The {username, uri} of those credentials, one header a line, that are for `realm`. nil if none are, if several are,
--- or if some cannot be read: what is compared has to be what was tried.
function digest.of_realm(credentials, realm)
  local found
  for header in credentials:gmatch("[^\n]+") do
    local values_of = parameters(header)
    if not values_of then return nil end
    if (values_of.realm or ""):lower() == realm then
      if found then return nil end
      found = { username = values_of.username or "", uri = values_of.uri or "" }
    end
  end
  return found
end

return digest
