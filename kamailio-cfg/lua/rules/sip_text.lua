-- Pieces of SIP text: URIs and header values. Pure; nil for what cannot be read.
local sip_text = {}

function sip_text.unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- "sip:102@demo.callpark".
function sip_text.uri(user, host) return ("sip:%s@%s"):format(user, host) end

--- The parts of a sip: or sips: URI: {user, user_rest, host, port, params, headers}; user is unescaped, host in lower
--- case. `user_rest` is what the userinfo has behind the user, a password or parameters; nil if nothing.
function sip_text.parse_uri(text)
  local scheme, rest = text:match("^%s*(%a+):(.*)$")
  if not scheme then return nil end
  scheme = scheme:lower()
  if scheme ~= "sip" and scheme ~= "sips" then return nil end
  local uri = { scheme = scheme }
  -- RFC 3261 25.1: a user may contain "?" unescaped, so the userinfo is cut off first.
  local userinfo, after = rest:match("^([^@]*)@(.*)$")
  if userinfo then
    uri.user = sip_text.unescape(userinfo:match("^[^:;]*"))
    uri.user_rest = userinfo:match("^[^:;]*([:;].*)$")
    rest = after
  end
  local address, headers = rest:match("^([^?]*)%??(.*)$")
  uri.headers = headers
  local hostport, params = address:match("^([^;]*);?(.*)$")
  uri.params = params
  local host, port = hostport:match("^(%[[%x:.]+%]):?(%d*)$")
  if not host then host, port = hostport:match("^([%w._-]+):?(%d*)$") end
  if not host then return nil end
  uri.host = host:lower()
  uri.port = tonumber(port)
  return uri
end

-- RFC 3966 3: without its visual separators. Of a name, as of any text but one of digits, "*", "#" and "+", they are a
-- part.
local function without_separators(number)
  local bare = number:gsub("[-.()]", "")
  return bare:match("^[%d*#+]+$") and bare or number
end

--- The number of a tel: URI (RFC 3966) as a phone dials it, without visual separators and parameters.
function sip_text.telephone_number(text)
  local number = text:match("^%s*[Tt][Ee][Ll]:([^;?]+)")
  return number and (sip_text.unescape(number):gsub("[-.()]", ""))
end

-- A phone that turns tel:*68;phone-context=x into a sip: URI may leave out the host, and no host looks like a number.
local function number_without_host(text)
  local number, rest = text:match("^%s*[Ss][Ii][Pp][Ss]?:([^;?@]+)(.*)$")
  if not number or rest:find("@", 1, true) then return nil end
  if number:match("^%d+%.%d+%.%d+%.%d+$") then return nil end
  return without_separators(sip_text.unescape(number)):match("^[%d*#+]+$")
end

--- The number in a URI that names no host, so that it is one of the sender's tenant, and whether the URI is a sip: URI
--- that needs one. nil for any other URI.
function sip_text.bare_number(text)
  local number = sip_text.telephone_number(text)
  if number then return number, false end
  number = number_without_host(text)
  return number, number ~= nil
end

--- What a phone dials with a sip: URI of parse_uri(). RFC 3261 19.1.6: with user=phone, or with the parameters of a
--- number, the user is one, and may have visual separators.
function sip_text.dialled_user(uri)
  local is_number = (uri.params or ""):lower():find("user=phone", 1, true) or (uri.user_rest or ""):sub(1, 1) == ";"
  return is_number and uri.user and without_separators(uri.user) or uri.user
end

--- The URI inside a name-addr or addr-spec ("Bob" <sip:b@x>;p=1), as text.
function sip_text.address_uri(value)
  local unquoted = value:gsub('"[^"]*"', "")
  local bracketed = unquoted:match("<([^>]*)>")
  if bracketed then return bracketed end
  -- RFC 3261 20.10: without brackets the parameters belong to the header, not to the URI.
  return unquoted:match("^%s*([^%s;,]+)")
end

--- At most `bytes_max` bytes of a name, not cut within a UTF-8 character.
function sip_text.shortened(name, bytes_max)
  if #name <= bytes_max then return name end
  local stop = bytes_max
  while stop > 0 and name:byte(stop + 1) >= 0x80 and name:byte(stop + 1) < 0xC0 do stop = stop - 1 end
  return name:sub(1, stop)
end

--- A display name without its quotes, shortened.
function sip_text.display_name(value, bytes_max)
  if not value then return "" end
  local name = value:match('^%s*"(.*)"%s*$') or value:match("^%s*(.-)%s*$")
  return sip_text.shortened(name:gsub("\\(.)", "%1"):gsub("%c", " "), bytes_max)
end

local withholding = { id = true, user = true, header = true }

--- Whether a Privacy header asks that the called party does not learn the caller's identity (RFC 3323 4.2, RFC 3325
--- 9.3).
function sip_text.is_withheld(privacy)
  for value in (privacy or ""):lower():gmatch("[%w-]+") do
    if withholding[value] then return true end
  end
  return false
end

return sip_text
