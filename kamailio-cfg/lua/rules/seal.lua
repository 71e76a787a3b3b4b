-- What Kamailio writes into its Record-Route and into the Contacts that pass, so that a request within a dialog proves
-- by itself which call it belongs to, which parties that has and where it may go (docs/adr/0019). It cannot be written
-- without the secret, and no restart loses it. Pure: `f.keyed` hashes a text with the secret.
local sip_text = require("rules.sip_text")

local seal = {}

seal.kName = "callpark"

-- 64 bits, which only Kamailio itself can try.
local kDigits = 16

local function mac(f, ...) return f.keyed(table.concat({ ... }, "\n")):sub(1, kDigits) end

-- The part of a URI behind its userinfo, where its parameters are.
local function cut(uri)
  local userinfo, rest = uri:match("^([^@]*@)(.*)$")
  return userinfo or "", rest or uri
end

--- The value of a parameter of a URI as text, the last one of this name; nil without it. The Contact of a call that has
--- come through another site with callpark has a seal of that site in front.
function seal.param(uri, name)
  local _, rest = cut(uri)
  return (rest .. ";"):match("^.*;" .. name .. "=([^;?>]*)[;?>]")
end

--- The URI with `text` (";name=value") behind its parameters.
function seal.with_param(uri, text)
  local userinfo, rest = cut(uri)
  local address, headers = rest:match("^([^?]*)(.*)$")
  return userinfo .. address .. text .. headers
end

--- The URI without parameters of this name.
function seal.without_param(uri, name)
  local userinfo, rest = cut(uri)
  return userinfo .. rest:gsub(";" .. name .. "=[^;?>]*", "")
end

-- The URI without its own seal.
local function without_seal(uri)
  local userinfo, rest = cut(uri)
  local before, after = rest:match("^(.*);" .. seal.kName .. "=[^;?>]*(.*)$")
  return userinfo .. before .. after
end

-- A user without its escapes; the spaces of the canonical text are only between its parts.
local function user_of(parsed) return (parsed.user or ""):gsub("%s", "%%20") end

-- One spelling of what a user agent may write in several: the order of parameters, the case of the host.
local function canonical(uri)
  local parsed = sip_text.parse_uri(uri)
  if not parsed then return uri end
  local params = {}
  for param in parsed.params:gmatch("[^;]+") do params[#params + 1] = param:lower() end
  table.sort(params)
  local user = user_of(parsed)
  return table.concat({ parsed.scheme, user, parsed.user_rest or "", parsed.host, parsed.port or "",
    table.concat(params, ";") }, " ")
end

----- Contacts

local function contact_mac(f, tag, uri, connection)
  return mac(f, "contact", f.call_id, tag, canonical(uri), connection or "")
end

--- The Contact's URI of the party with this tag, sealed; `connection` is the number of the connection that it came by,
--- nil over UDP.
function seal.contact(f, tag, uri, connection)
  local value = contact_mac(f, tag, uri, connection) .. (connection and "." .. connection or "")
  return seal.with_param(uri, (";%s=%s"):format(seal.kName, value))
end

--- A URI without its seal, and the number of its connection, nil without one.
function seal.opened(uri)
  local value = seal.param(uri, seal.kName)
  if not value then return uri, nil end
  return without_seal(uri), tonumber(value:match("%.(%d+)$"))
end

--- Whether Kamailio has sealed this URI for the party with this tag.
function seal.is_contact(f, tag, uri)
  local value = seal.param(uri, seal.kName)
  if not value then return false end
  local digits, connection = value:match("^(%x+)%.?(%d*)$")
  return digits == contact_mac(f, tag, without_seal(uri), connection ~= "" and connection or nil)
end

----- the Record-Route

local kCodes = { trunk = "t", ring_group = "g", extension = "e", parkd = "p" }
local kKinds = { t = "trunk", g = "ring_group", e = "extension", p = "parkd" }

local kUser = "^[%w*+_-]+$"

-- A caller that withholds its number is not named to the other party.
local function code(party)
  if party.kind == "trunk" then return kCodes.trunk .. ((party.trunk or ""):match(kUser) or "") end
  local user = party.number or party.aor and party.aor:match("^([^@]*)@") or ""
  return kCodes[party.kind] .. (not party.withheld and user:match(kUser) or "")
end

local function party(text, tenant)
  local kind, user = kKinds[text:sub(1, 1)], text:sub(2)
  if user == "" then return kind and { kind = kind } end
  if kind == "trunk" then return { kind = kind, trunk = user } end
  if kind == "ring_group" then return { kind = kind, number = user } end
  return kind and { kind = kind, aor = user .. "@" .. tenant }
end

-- Only what leads to the next hop: a user agent may write the rest in another way.
local function hop(uri)
  local parsed = sip_text.parse_uri(uri)
  if not parsed then return uri end
  local params, user = parsed.params:lower() .. ";", user_of(parsed)
  return table.concat({ parsed.scheme, user, parsed.host, parsed.port or "",
    params:match("transport=([^;]*);") or "", params:match("maddr=([^;]*);") or "" }, " ")
end

local function hops_mac(f, caller_tag, hops)
  local list = {}
  for i, uri in ipairs(hops) do list[i] = hop(uri) end
  return mac(f, "hops", f.call_id, caller_tag, unpack(list))
end

--- The parameter for the way to one side, "a" or "b", over the proxies between Kamailio and it; "" without any.
function seal.hops(f, side, caller_tag, hops)
  return #hops > 0 and (";hops_%s=%s"):format(side, hops_mac(f, caller_tag, hops)) or ""
end

local function home_mac(f, caller_tag) return mac(f, "home", f.call_id, caller_tag, f.source.ip) end

local function parties_mac(f, caller_tag, parties) return mac(f, "parties", f.call_id, caller_tag, parties) end

--- The parameters of Kamailio's Record-Route for the call that begins with the request at hand. `caller` and `callee`
--- are {kind, aor, number, trunk, withheld}, `hops` the URIs in the Record-Routes that it has.
function seal.record_route(f, caller, callee, tenant, hops)
  local parties = ("%s.%s.%s"):format(code(caller), code(callee), tenant)
  return (";%s=%s%s.%s"):format(seal.kName, parties_mac(f, f.from_tag, parties), home_mac(f, f.from_tag), parties)
    .. seal.hops(f, "a", f.from_tag, hops)
end

--- What Kamailio's Route has of the call of the request at hand: {a, b, tenant, sender, caller_tag, is_from_home}.
--- `sender` is the side, and `is_from_home` is true if the caller sends from where it called. nil if Kamailio has not
--- written it for this call.
function seal.read_route(f, uri)
  local value, caller_tag = seal.param(uri, seal.kName), seal.param(uri, "ftag")
  if not value or not caller_tag then return nil end
  local digits, parties = value:match("^(%x+)%.(.*)$")
  if not digits or #digits ~= 2 * kDigits or caller_tag ~= f.from_tag and caller_tag ~= f.to_tag then return nil end
  if digits:sub(1, kDigits) ~= parties_mac(f, caller_tag, parties) then return nil end
  local caller, callee, tenant = parties:match("^([^.]+)%.([^.]+)%.(.*)$")
  local sender = caller_tag == f.from_tag and "a" or "b"
  return { a = party(caller, tenant), b = party(callee, tenant), tenant = tenant, caller_tag = caller_tag,
    sender = sender, is_from_home = sender == "a" and digits:sub(kDigits + 1) == home_mac(f, caller_tag) }
end

--- Whether `hops` are those by which the dialog was set up between Kamailio and the receiver of the request at hand.
--- None at all are right: then the request goes to the receiver's Contact.
function seal.are_hops(f, uri, call, hops)
  if #hops == 0 then return true end
  local receiver = call.sender == "a" and "b" or "a"
  return seal.param(uri, "hops_" .. receiver) == hops_mac(f, call.caller_tag, hops)
end

return seal
