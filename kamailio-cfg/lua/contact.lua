-- The Contact of a phone as an address that requests to it reach. Pure.
local sip_text = require("sip_text")

local contact = {}

local known_transports = { udp = true, tcp = true }

-- What a URI parameter says that no longer holds when the address is another.
local address_params = { transport = true, maddr = true }

local function is_ip(host) return host:match("^%d+%.%d+%.%d+%.%d+$") ~= nil or host:match("^%[.*%]$") ~= nil end

local function transport_of(params) return (params:lower():match("transport=([^;]*)")) end

local function other_params(params)
  local kept = {}
  for param in params:gmatch("[^;]+") do
    if not address_params[param:match("^[^=]*"):lower()] then kept[#kept + 1] = ";" .. param end
  end
  return table.concat(kept)
end

--- The header value for the sender at `source` {proto, ip, port, is_behind_nat}: `value` itself where its address can
--- be used, otherwise one with the address that the request came from. A name is never kept: one that cannot be
--- resolved would keep all other watchers of the same lamp from being told. nil when it is no Contact.
function contact.reachable(value, source)
  local text = sip_text.address_uri(value)
  local uri = text and sip_text.parse_uri(text)
  if not uri then return nil end
  local transport = transport_of(uri.params)
  local usable = uri.scheme == "sip" and is_ip(uri.host) and not uri.params:lower():find("maddr=")
    and (not transport or known_transports[transport]) and not source.is_behind_nat
  if usable then return value end
  local userinfo = text:match("^%a+:([^@]*@)") or ""
  local host = source.ip:find(":") and "[" .. source.ip .. "]" or source.ip
  local over = source.proto == "udp" and "" or ";transport=" .. source.proto
  return ("<sip:%s%s:%d%s%s>"):format(userinfo, host, source.port, other_params(uri.params), over)
end

return contact
