-- The Contact of a phone: where it points, and how requests reach it. Pure.
local address = require("rules.address")
local seal = require("rules.seal")
local sip_text = require("rules.sip_text")

local contact = {}

local known_transports = { udp = true, tcp = true }

-- The URI parameters that no longer hold once the address is another.
local address_params = { transport = true, maddr = true, alias = true }

local function is_ip(host) return host:match("^%d+%.%d+%.%d+%.%d+$") ~= nil or host:match("^%[.*%]$") ~= nil end

-- What follows the parameters of a header: "" or a text that begins with a comma. nil if they cannot be read.
local function behind_params(text)
  while text:match("^%s*;") do
    local rest = text:match('^%s*;[^;,="<>]*=%s*"[^"\\]*"%s*(.*)$') or text:match('^%s*;[^;,"<>\\]*(.*)$')
    if not rest or rest == text then return nil end
    text = rest
  end
  return text:match("^%s*$") and "" or text:match("^%s*(,.*)$")
end

-- The first Contact of a header's value as the text of its URI, and what follows the comma. Strict: a text that two
-- parsers may read in two ways is no Contact.
local function first_uri(value)
  local bracketed = value:match('^%s*"[^"\\]*"%s*(<.*)$') or value:match('^[^<>",;:@\\]*(<.*)$')
  local uri, rest
  if bracketed then
    uri, rest = bracketed:match("^<([^<>]*)>(.*)$")
  else
    uri, rest = value:match('^%s*([^%s<>",;?]+)(.*)$')
  end
  if not uri or uri:find('[%s%c"<>\\]') then return nil end
  rest = behind_params(rest)
  return rest and uri, rest and rest:match("^,(.*)$")
end

local kPorts = { sip = 5060, sips = 5061 }

local function place(host, port)
  return { host = host, ip = address.canonical(host), port = port }
end

-- Where requests to a URI may go: its host, and what its parameters name instead.
local function places_of(text)
  local uri = sip_text.parse_uri(text)
  local _, ats = text:gsub("@", "")
  if not uri or ats > 1 or text:match("^[^@]*%?.*@") then return nil end
  local port = uri.port or kPorts[uri.scheme]
  local places = { place(uri.host, port) }
  for param in uri.params:gmatch("[^;]+") do
    local name, value = param:match("^%s*([^=%s]*)%s*=?%s*(.-)%s*$")
    name = name:lower()
    if name == "maddr" then places[#places + 1] = place(value, port) end
    if name == "alias" then
      local host, alias_port = value:match("^([^~]*)~(%d+)")
      places[#places + 1] = place(host or value, tonumber(alias_port) or port)
    end
  end
  return places
end

--- Where the Contacts in one header point: a list of {host, ip, port}, `ip` in its one spelling and nil for a name.
--- A "*" points nowhere. nil if a part of it cannot be read.
function contact.places(value)
  if value:match("^%s*%*%s*$") then return {} end
  local all, rest = {}, value
  while rest do
    local uri, others = first_uri(rest)
    local places = uri and places_of(uri)
    if not places then return nil end
    for _, one in ipairs(places) do all[#all + 1] = one end
    rest = others
  end
  return all
end

--- The Contact in a header's value, cut around its URI: the text before it, the URI, and the text behind it.
--- nil if the header has none, or several.
function contact.cut(value)
  local uri, others = first_uri(value)
  if not uri or others then return nil end
  local start = value:find("<" .. uri .. ">", 1, true)
  if start then return value:sub(1, start), uri, value:sub(start + 1 + #uri) end
  start = value:find(uri, 1, true)
  return value:sub(1, start - 1) .. "<", uri, ">" .. value:sub(start + #uri)
end

local kNumbers = { udp = 1, tcp = 2, tls = 3 }

--- The URI with the address of its sender, {proto, ip, port}, as the parameter by which Kamailio finds it behind NAT
--- (module nathelper), in the place of any that the sender has written.
function contact.with_alias(uri, source)
  local host = source.ip:find(":", 1, true) and "[" .. source.ip .. "]" or source.ip
  local alias = (";alias=%s~%d~%d"):format(host, source.port, kNumbers[source.proto] or 1)
  return seal.with_param(contact.without_alias(uri), alias)
end

--- The URI without that parameter.
function contact.without_alias(uri) return seal.without_param(uri, "alias") end

--- The port of a Contact if requests to it go to the address of `source` over the same transport: then its
--- connection, as long as there is one, and its Contact are the same place. nil otherwise.
function contact.port_at_source(value, source)
  local _, text = contact.cut(value)
  local uri = text and sip_text.parse_uri(text)
  local params = uri and uri.params:lower() .. ";"
  if not uri or address.canonical(uri.host) ~= source.ip or params:find("maddr=", 1, true) then return nil end
  local transport = params:match("transport=([^;]*);") or "udp"
  return transport == source.proto and (uri.port or kPorts[uri.scheme]) or nil
end

local function transport_of(params) return (params:lower():match("transport=([^;]*)")) end

local function other_params(params)
  local kept = {}
  for param in params:gmatch("[^;]+") do
    if not address_params[param:match("^[^=]*"):lower()] then kept[#kept + 1] = ";" .. param end
  end
  return table.concat(kept)
end

local function at_source(uri, text, source)
  local userinfo = text:match("^%a+:([^@]*@)") or ""
  local host = source.ip:find(":") and "[" .. source.ip .. "]" or source.ip
  local over = source.proto == "udp" and "" or ";transport=" .. source.proto
  return ("<sip:%s%s:%d%s%s>"):format(userinfo, host, source.port, other_params(uri.params), over)
end

--- The header value with the address that the message came from, {proto, ip, port}; nil if it is no Contact.
function contact.at_source(value, source)
  local text = sip_text.address_uri(value)
  local uri = text and sip_text.parse_uri(text)
  return uri and at_source(uri, text, source)
end

--- The header value for the sender at `source` {proto, ip, port, is_behind_nat}: `value` itself if its address can be
--- used, otherwise one with the address that the request came from. A name is always replaced: one that cannot be
--- resolved would keep the presence module from notifying all other watchers of the lamp. nil if it is no Contact.
function contact.reachable(value, source)
  local text = sip_text.address_uri(value)
  local uri = text and sip_text.parse_uri(text)
  if not uri then return nil end
  local transport = transport_of(uri.params)
  local usable = uri.scheme == "sip" and is_ip(uri.host) and not uri.params:lower():find("maddr=")
    and (not transport or known_transports[transport]) and not source.is_behind_nat
  return usable and value or at_source(uri, text, source)
end

return contact
