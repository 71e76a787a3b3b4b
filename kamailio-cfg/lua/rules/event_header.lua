-- The Event header of a SUBSCRIBE. Kamailio's presence module knows a package by its name alone, and has no place for
-- the id of a subscription: it waits in the Contact, as a parameter of its URI, for the NOTIFYs, which have that URI as
-- their Request-URI. Pure.
local sip_text = require("rules.sip_text")

local event_header = {}

local kToken = "([%w%-.!%%*_+`'~]+)%s*"
local kParameter = "callpark-event-id"
local kIdBytesMax = 64

--- {name, id} of the value of an Event header, `id` false if it has none; nil if it cannot be read. RFC 4235 3.2: other
--- parameters of the dialog package narrow what a watcher sees, which a notifier need not do.
function event_header.parse(text)
  local name, rest = text:match("^%s*" .. kToken .. "(.*)$")
  if not name then return nil end
  local id = false
  while rest ~= "" do
    local key, value, others = rest:match("^;%s*" .. kToken .. '=%s*("[^"]*")%s*(.*)$')
    if not key then key, value, others = rest:match("^;%s*" .. kToken .. '=%s*([^;"%s]*)%s*(.*)$') end
    if not key then key, others = rest:match("^;%s*" .. kToken .. "(.*)$") end
    if not key then return nil end
    if key:lower() == "id" then
      id = (value or ""):match("^" .. kToken .. "$")
      if not id or #id > kIdBytesMax then return nil end
    end
    rest = others
  end
  return { name = name, id = id }
end

--- The value of a Contact header with `id` in it.
function event_header.into_contact(value, id)
  local uri, headers = sip_text.address_uri(value):match("^([^?]*)(.*)$")
  local hex = id:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return ("<%s;%s=%s%s>"):format(uri, kParameter, hex, headers)
end

--- The id in the URI of such a Contact, and that URI without it; nil if it has none.
function event_header.from_uri(uri)
  local before, hex, after = uri:match("^(.*);" .. kParameter:gsub("%-", "%%-") .. "=(%x+)(.*)$")
  if not before or #hex % 2 == 1 then return nil end
  local id = hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
  return event_header.parse("dialog;id=" .. id) and id, before .. after
end

return event_header
