-- The facts in a SIP message: derived from its raw texts, each when a rule first asks for it. An ACK needs few
-- of them, and each costs. Pure.
local contact = require("rules.contact")
local dialled_number = require("rules.dialled_number")
local dialog_path = require("rules.dialog_path")
local event_header = require("rules.event_header")
local protocol = require("rules.protocol")
local sip_text = require("rules.sip_text")

local message = {}

-- A dialog variable holds it, beside the other party's and two extensions.
local kDisplayBytesMax = 60

local kDefaultPort = 5060

-- {user, number, host, port, params, ..., is_parkd, is_ours}; `number` is what a phone dials with it. A URI that cannot
-- be read is of no host. One that names no host is a number of the sender's tenant, like one at Kamailio's own address.
local function uri_fact(text, settings)
  local number, needs_host = sip_text.bare_number(text or "")
  if number then
    return { host = "", user = number, number = number, is_bare = true, needs_host = needs_host, is_parkd = false,
      is_ours = true }
  end
  local uri = text and sip_text.parse_uri(text)
  if not uri then return { host = "", user = nil } end
  local port = uri.port or kDefaultPort
  uri.number = sip_text.dialled_user(uri)
  uri.is_parkd = uri.host == settings.parkd_address and port == settings.parkd_port
  uri.is_ours = not uri.is_parkd and (uri.host == settings.address or uri.host == settings.advertised_address
    or uri.host == settings.inside_address)
  return uri
end

-- From or To: a number alone is no party.
local function party_fact(text, settings)
  local uri = uri_fact(text, settings)
  return uri.is_bare and { host = "", user = nil } or uri
end

local function refer_to(f)
  -- RFC 3515 2.1: exactly one.
  local raw = f.refer_to_raw
  if raw.count ~= 1 and raw.compact_count ~= 1 then return false end
  local text = raw.value and sip_text.address_uri(raw.value)
  if not text then return false end
  return uri_fact(text, f.settings)
end

--- More headers than a phone has, each with any number of Contacts.
message.kContactHeadersMax = 16

-- Where all URIs of these headers point (contact.places); false if one cannot be read.
local function places_of(values)
  local all = {}
  if #values > message.kContactHeadersMax then return false end
  for _, value in ipairs(values) do
    local places = contact.places(value)
    if not places then return false end
    for _, one in ipairs(places) do all[#all + 1] = one end
  end
  return all
end

-- The Contact by which a watcher is notified (contact.reachable), as the value of a header; false if it is none.
local function reachable_contact(f)
  local value = f.contact_values[1]
  return value and contact.reachable(value, {
    proto = f.source.proto, ip = f.source.ip, port = f.source.port, is_behind_nat = f.is_behind_nat,
  }) or false
end

-- Where the Record-Routes of the message point; one that cannot be read is a name.
local function hop_places(f)
  local all = {}
  for _, uri in ipairs(f.foreign_hops) do
    for _, one in ipairs(contact.places("<" .. uri .. ">") or { { host = uri } }) do all[#all + 1] = one end
  end
  return all
end

local function own_sockets(settings)
  return {
    { ip = settings.address, port = settings.port },
    { ip = settings.advertised_address, port = settings.port },
    { ip = settings.inside_address, port = settings.inside_port },
  }
end

local function own_places(settings)
  local places = own_sockets(settings)
  places[#places + 1] = { ip = settings.parkd_address, port = settings.parkd_port }
  return places
end

-- Whether requests to the sender have to go where the message came from, and not to its Contact. A connection may end:
-- then only a Contact at the same address, over the same transport, leads there.
local function is_behind_nat(f)
  if f.contact_is_private and not f.source_is_private then return true end
  return not f.is_udp and not f.contact_port_at_source
end

-- The {contact, user_agent} that a REGISTER adds; false if it removes, or only asks. Of several Contacts the first:
-- phones send one.
local function newcomer(f)
  local value = f.contact_values[1]
  local uri = value and sip_text.address_uri(value)
  local expires = value and value:match(";%s*[Ee]xpires%s*=%s*(%d+)") or f.expires_text
  if not uri or tonumber(expires) == 0 then return false end
  return { contact = uri, user_agent = f.user_agent }
end

-- Whether it came over the inside socket.
local function is_inside(f)
  return f.received_at.port == f.settings.inside_port and f.received_at.ip == f.settings.inside_address
end

-- Whether parkd sent it. Its Via counts too, since an invented Contact could make Kamailio itself send there, from what
-- may be the same address.
local function from_parkd(f)
  if not f.is_inside or f.source.ip ~= f.settings.parkd_address then return false end
  return (f.via or ""):match("^%S+%s+([^;,%s]+)") == f.settings.parkd_sent_by
end

local function inside_header(name)
  return function(f) return f.from_parkd and f.header(name) or false end
end

local derived = {
  is_inside = is_inside,
  from_parkd = from_parkd,
  from = function(f) return party_fact(f.from_text, f.settings) end,
  to = function(f) return party_fact(f.to_text, f.settings) end,
  ruri = function(f) return uri_fact(f.ruri_text, f.settings) end,
  display = function(f) return sip_text.display_name(f.display_text, kDisplayBytesMax) end,
  withheld = function(f) return sip_text.is_withheld(f.header("Privacy")) end,
  dialled = function(f) return dialled_number.of_user(f.ruri.number or f.ruri.user) or false end,
  contact_places = function(f) return places_of(f.contact_values) end,
  -- Requests to the sender of a SUBSCRIBE pass these first.
  route_places = function(f) return places_of(f.record_route_values) end,
  reachable_contact = reachable_contact,
  reachable_places = function(f) return f.reachable_contact and contact.places(f.reachable_contact) or false end,
  own_places = function(f) return own_places(f.settings) end,
  newcomer = newcomer,
  refer_to = refer_to,
  event_header = function(f) return event_header.parse(f.event_text or "") or { name = "", id = false } end,
  event = function(f) return f.event_header.name end,
  etag = function(f) return f.header("SIP-If-Match") or false end,
  expires_text = function(f) return f.header("Expires") end,
  expires = function(f) return tonumber(f.expires_text or "") or false end,
  foreign_hops = dialog_path.foreign_hops,
  hop_places = hop_places,
  own_sockets = function(f) return own_sockets(f.settings) end,
  path = function(f) return dialog_path.read(f) end,
  contact_port_at_source = function(f)
    local value = f.contact_values[1]
    return value and contact.port_at_source(value, f.source) or false
  end,
  is_behind_nat = is_behind_nat,
  -- The same for answers, and the Via.
  is_via_behind_nat = function(f)
    return f.is_udp and not f.from_parkd and f.via_is_other and not f.source_is_private
  end,
  inside_tenant = inside_header(protocol.kTenant),
  recall = inside_header(protocol.kRecall),
  inside_caller = inside_header(protocol.kCaller),
  -- "released", "kept" or false: what parkd reports in an answer about the adoption that it belongs to.
  adoption = function(f) return f.is_inside and f.header(protocol.kAdoption) or false end,
  -- The verdict on a call that Kamailio has asked about.
  verdict_said = function(f) return f.is_inside and f.header(protocol.kVerdict) or false end,
  -- The parks a second that parkd can do, in an answer that refuses one.
  park_rate_said = function(f) return f.is_inside and tonumber(f.header(protocol.kParkRate)) or false end,
}

--- A function that makes the facts of a message; `raw` is a table of functions that read one of its texts each. A fact
--- that kamailio/facts.lua has not learned yet is nil.
function message.facts_from(raw)
  local readers = {}
  for name, read in pairs(derived) do readers[name] = read end
  for name, read in pairs(raw) do readers[name] = read end
  local facts = {
    __index = function(f, name)
      local read = readers[name]
      if not read then return nil end
      local value = read(f)
      f[name] = value
      return value
    end,
  }
  return function() return setmetatable({}, facts) end
end

return message
