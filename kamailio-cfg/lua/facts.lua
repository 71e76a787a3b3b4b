-- What is known about the request at hand. facts.read() gives what the message itself says; facts.learn() adds what has
-- to be asked for, only when decide.lua needs it.
local adoption_marker = require("adoption_marker")
local calls = require("calls")
local contact = require("contact")
local directory = require("directory")
local guesses = require("guesses")
local presence_tables = require("presence_tables")
local settings = require("settings")
local sip_text = require("sip_text")

local facts = {}

-- It travels in a dialog variable, beside the other one and two extensions.
local kDisplayBytesMax = 60

local function uri_fact(text)
  local uri = text and sip_text.parse_uri(text)
  if not uri then return { host = "", user = nil } end
  local port = uri.port or 5060
  uri.is_parkd = uri.host == settings.parkd_address and port == settings.parkd_port
  uri.is_ours = not uri.is_parkd and (uri.host == settings.address or uri.host == settings.inside_address)
  return uri
end

local function refer_to_fact()
  -- RFC 3515 2.1: exactly one.
  if KSR.pv.get("$hdrc(Refer-To)") ~= 1 and KSR.pv.get("$hdrc(r)") ~= 1 then return false end
  local value = KSR.pv.get("$hdr(Refer-To)") or KSR.pv.get("$hdr(r)")
  local text = value and sip_text.address_uri(value)
  if not text then return false end
  local number = sip_text.telephone_number(text)
  -- It names no host, so it is a number of the sender's tenant, like one at our own address.
  if number then return { host = "", user = number, is_parkd = false, is_ours = true } end
  return uri_fact(text)
end

-- More than a phone has, each header with however many Contacts.
local kContactHeadersMax = 16

-- Where all Contacts of the message point (contact.places); false when not all can be read.
local function contact_places()
  local all = {}
  for i = 0, kContactHeadersMax do
    local value = KSR.pv.get(("$(hdr(Contact)[%d])"):format(i))
    if not value then return all end
    local places = contact.places(value)
    if not places then return false end
    for _, one in ipairs(places) do all[#all + 1] = one end
  end
  return false
end

local function own_places()
  return {
    { ip = settings.address, port = settings.port },
    { ip = settings.inside_address, port = settings.inside_port },
    { ip = settings.parkd_address, port = settings.parkd_port },
  }
end

--- "udp:127.0.0.11:5060": who sent the message at hand, as far as the network says.
function facts.device()
  return ("%s:%s:%d"):format(KSR.kx.get_proto():lower(), KSR.kx.get_srcip(), KSR.kx.get_srcport())
end

--- The {contact, user_agent} that the REGISTER at hand asks to keep; nil when it takes back, or only asks. Of several
--- Contacts the first, as phones send one.
function facts.registering()
  local value = KSR.pv.get("$hdr(Contact)")
  local uri = value and sip_text.address_uri(value)
  local expires = value and value:match(";%s*[Ee]xpires%s*=%s*(%d+)") or KSR.pv.get("$hdr(Expires)")
  if not uri or tonumber(expires) == 0 then return nil end
  return { contact = uri, user_agent = KSR.pv.get("$ua") }
end

--- What has not expired of an address of record: a list of {contact, user_agent, modified, ruid}.
function facts.registered(aor)
  local list = {}
  if KSR.registrar.reg_fetch_contacts("location", aor, "known") < 0 then return list end
  local now = KSR.pv.get("$Ts")
  for i = 0, KSR.pv.get("$ulc(known=>count)") - 1 do
    local function get(attribute) return KSR.pv.get(("$(ulc(known=>%s)[%d])"):format(attribute, i)) end
    if get("expires") > now then
      list[#list + 1] =
        { contact = get("addr"), user_agent = get("user_agent"), modified = get("modified"), ruid = get("ruid") }
    end
  end
  KSR.registrar.reg_free_contacts("known")
  return list
end

--- A phone has registered from the address of the message at hand.
function facts.note_phones() KSR.htable.sht_seti("phones", KSR.kx.get_srcip(), 1) end

--- Whether one has within the last hour.
function facts.has_phones(ip) return KSR.htable.sht_is_null("phones", ip) < 0 end

--- Whether the message at hand came over the inside socket.
function facts.is_inside()
  return KSR.kx.get_rcvport() == settings.inside_port and KSR.kx.get_rcvip() == settings.inside_address
end

--- Whether the request at hand came over the inside socket, and from parkd. Its Via is asked too, since a Contact of
--- somebody's invention could make Kamailio itself send there, from what may be the same address.
function facts.is_from_parkd()
  if not facts.is_inside() or KSR.kx.get_srcip() ~= settings.parkd_address then return false end
  local sent_by = (KSR.pv.get("$hdr(Via)") or ""):match("^%S+%s+([^;,%s]+)")
  return sent_by == settings.parkd_sent_by
end

--- Whether requests to the sender of the message at hand have to go where it came from and not where its Contact says.
function facts.is_behind_nat()
  if not KSR.is_UDP() then return true end
  return KSR.nathelper.nat_uac_test(1) > 0 and KSR.nathelper.is_rfc1918(KSR.kx.get_srcip()) < 0
end

--- Whether answers to the request at hand have to go to the port that it came from, and not to that of its Via.
function facts.is_via_behind_nat()
  if not KSR.is_UDP() or facts.is_from_parkd() then return false end
  return KSR.nathelper.nat_uac_test(2) > 0 and KSR.nathelper.is_rfc1918(KSR.kx.get_srcip()) < 0
end

local function tenant_from_parkd()
  return facts.is_from_parkd() and KSR.pv.get("$hdr(X-Callpark-Tenant)") or false
end

local function recall_from_parkd()
  return facts.is_from_parkd() and KSR.pv.get("$hdr(X-Callpark-Recall)") or false
end

local function caller_from_parkd()
  return facts.is_from_parkd() and KSR.pv.get("$hdr(X-Callpark-Caller)") or false
end

--- What parkd says in the message at hand of the adoption that it belongs to: "released", "kept", or nil.
function facts.adoption_said() return facts.is_inside() and KSR.pv.get("$hdr(X-Callpark-Adoption)") or nil end

-- What the message says, each piece read when it is first wanted: an ACK needs few of them, and each costs.
local message = {
  method = function() return KSR.kx.get_method() end,
  from_parkd = function() return facts.is_from_parkd() end,
  is_udp = function() return KSR.is_UDP() end,
  source = function() return { ip = KSR.kx.get_srcip(), device = facts.device() } end,
  waits = function() return tonumber(KSR.pv.get("$avp(waits)")) or 0 end,
  call_id = function() return KSR.kx.get_callid() end,
  cseq = function() return tonumber(KSR.pv.gete("$cs")) or 0 end,
  from_tag = function() return KSR.pv.gete("$ft") end,
  to_tag = function()
    local tag = KSR.pv.gete("$tt")
    return tag ~= "" and tag
  end,
  from = function() return uri_fact(KSR.kx.get_furi()) end,
  to = function() return uri_fact(KSR.kx.get_turi()) end,
  ruri = function() return uri_fact(KSR.kx.get_ruri()) end,
  display = function() return sip_text.display_name(KSR.pv.get("$fn"), kDisplayBytesMax) end,
  withheld = function() return sip_text.is_withheld(KSR.pv.get("$hdr(Privacy)")) end,
  dialled = function(f) return sip_text.dialled_number(f.ruri.user) or false end,
  has_credentials = function()
    return KSR.hdr.is_present("Proxy-Authorization") > 0 or KSR.hdr.is_present("Authorization") > 0
  end,
  has_replaces = function() return KSR.hdr.is_present("Replaces") > 0 end,
  contact_places = function() return contact_places() end,
  own_places = function() return own_places() end,
  is_behind_nat = function() return facts.is_behind_nat() end,
  refer_to = function() return refer_to_fact() end,
  inside_tenant = function() return tenant_from_parkd() end,
  recall = function() return recall_from_parkd() end,
  inside_caller = function() return caller_from_parkd() end,
  event = function() return (KSR.pv.get("$hdr(Event)") or KSR.pv.gete("$hdr(o)")):match("^%s*([^;%s]+)") or "" end,
  etag = function() return KSR.pv.get("$hdr(SIP-If-Match)") or false end,
  expires = function() return tonumber(KSR.pv.get("$hdr(Expires)") or "") or false end,
}

local lazily = {
  __index = function(f, name)
    local read = message[name]
    if not read then return nil end
    local value = read(f)
    rawset(f, name, value)
    return value
  end,
}

--- The facts of the request at hand, for decide.request(): what the message says, and what facts.learn() adds.
function facts.read() return setmetatable({}, lazily) end

-- All that somebody says who he is, one header a line.
local function credentials()
  local lines = {}
  for _, name in ipairs({ "Authorization", "Proxy-Authorization" }) do
    for i = 0, KSR.pv.get(("$hdrc(%s)"):format(name)) - 1 do
      lines[#lines + 1] = KSR.pv.get(("$(hdr(%s)[%d])"):format(name, i))
    end
  end
  return table.concat(lines, "\n")
end

local function guess_keys(f, realm) return guesses.keys(f.source.ip, credentials(), realm, KSR.pv.get("$Ts")) end

local function guess_counts(f, realm)
  local counts = {}
  if not settings.flood_control then return counts end
  for i, key in ipairs(guess_keys(f, realm)) do counts[i] = tonumber(KSR.htable.sht_get("auth_failures", key)) or 0 end
  return counts
end

--- One more wrong password in the request at hand.
function facts.count_guess(f, realm)
  for _, key in ipairs(guess_keys(f, realm)) do KSR.htable.sht_inc("auth_failures", key) end
end

-- Digest as auth_db judges it (auth/api.h): what a phone may mend by another try is one case, the database another.
local kNoCredentials, kStaleNonce, kNonceReused, kError = -5, -4, -6, -1

-- The user that a Digest username names in `realm`. auth_db takes "101@other.example" for somebody of that domain,
-- whatever the realm: with the password of one tenant one would be known in another.
local function own_user(username, realm)
  local user, domain = username:match("^([^@]*)@?(.*)$")
  if domain ~= "" and domain ~= realm then return nil end
  return user
end

local function identity(realm)
  local result = KSR.auth_db.auth_check(realm, "subscriber", 0)
  if result > 0 then
    local user = own_user(KSR.pv.gete("$aU"), realm)
    if not user then return { status = "wrong" } end
    return { status = "known", user = user, display = KSR.pv.gete("$avp(display_name)") }
  end
  if result == kNoCredentials then return { status = "absent" } end
  if result == kStaleNonce or result == kNonceReused then return { status = "stale" } end
  if result == kError and not directory.answers() then return { status = "database_away" } end
  -- A nonce that is not ours, or a digest of a wrong shape: no password was tried, and anybody can send it in the name
  -- of another address.
  if result == kError then return { status = "stale" } end
  return { status = "wrong" }
end

-- A row, false, or {away = true}.
local function row(answer)
  if answer == nil then return { away = true } end
  return answer
end

local learn = {
  marker = function(f) return adoption_marker.find(f.call_id, f.from_tag) end,
  given_up = function(f)
    return adoption_marker.is_given_up(f.call_id, f.from_tag) or adoption_marker.is_given_up(f.call_id, f.to_tag)
  end,
  call = function(f) return calls.find(f.call_id, f.from_tag, f.to_tag) end,
  is_known_call = function(f)
    if KSR.dialog.is_known_dlg() > 0 then return true end
    -- Two devices answered at once: the dialog with the second, which its caller has to end, has no record of its own.
    return (calls.find(f.call_id, f.from_tag) or calls.find(f.call_id, f.to_tag)) ~= false
  end,
  trunk = function(f) return row(directory.trunk_at(f.source.ip)) end,
  trunk_among = function(_, addresses) return row(directory.trunk_among(addresses)) end,
  from_tenant = function(f) return row(directory.tenant(f.from.host)) end,
  to_tenant = function(f) return row(directory.tenant(f.to.host)) end,
  guesses = function(f, realm) return guess_counts(f, realm) end,
  identity = function(_, realm) return identity(realm) end,
  did = function(f)
    if not f.dialled or not f.dialled.clean then return false end
    return row(directory.did(f.dialled.text, f.source.ip))
  end,
  orbit_from_trunk = function(f)
    if not f.dialled or not f.dialled.clean then return false end
    return row(directory.orbit_from_trunk(f.dialled.text, f.source.ip))
  end,
  number = function(f, tenant) return f.dialled and row(directory.number(tenant, f.dialled)) or false end,
  refer_number = function(f, tenant)
    local dialled = sip_text.dialled_number(f.refer_to.user)
    return dialled and row(directory.number(tenant, dialled)) or false
  end,
  orbit_number = function(_, orbit)
    local dialled = sip_text.dialled_number(orbit.number)
    return dialled and row(directory.number(orbit.tenant, dialled)) or false
  end,
  subscription = function(f) return row(presence_tables.subscription(f.call_id, f.to_tag, f.from_tag)) end,
  ring_group = function(_, group) return row(directory.ring_group(group.tenant, group.number)) end,
  registered = function(f, tenant) return row(directory.registered_at(tenant, f.ruri)) end,
  own_contact = function(f, tenant) return row(directory.registered_as(tenant, f.identity.user, f.from.user)) end,
  tenant_trunk = function(_, tenant) return row(directory.trunk_of(tenant)) end,
  is_holding = function(_, aor) return calls.is_holding(aor) end,
  held_calls = function(_, aor) return calls.held_by(aor) end,
}

--- Adds f[name]; `about` is what the question is about (a realm, a tenant, an extension, a ring group).
function facts.learn(f, name, about) f[name] = learn[name](f, about) end

return facts
