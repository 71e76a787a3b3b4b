-- What is known about the request at hand. facts.read() gives what the message itself says; facts.learn() adds what has
-- to be asked for, only when decide.lua needs it.
local adoption_marker = require("adoption_marker")
local calls = require("calls")
local directory = require("directory")
local settings = require("settings")
local sip_text = require("sip_text")

local facts = {}

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
  return text and uri_fact(text) or false
end

local function source_fact()
  local source = { ip = KSR.kx.get_srcip(), port = KSR.kx.get_srcport(), proto = KSR.kx.get_proto() }
  source.device = facts.device()
  return source
end

--- "udp:127.0.0.11:5060": who sent the message at hand, as far as the network says.
function facts.device()
  return ("%s:%s:%d"):format(KSR.kx.get_proto():lower(), KSR.kx.get_srcip(), KSR.kx.get_srcport())
end

--- Whether the message at hand came over the inside socket, and from parkd.
function facts.is_from_parkd()
  return KSR.kx.get_rcvip() == settings.inside_address and KSR.kx.get_rcvport() == settings.inside_port
    and KSR.kx.get_srcip() == settings.parkd_address
end

--- Whether it came over the inside socket at all.
function facts.is_inside()
  return KSR.kx.get_rcvip() == settings.inside_address and KSR.kx.get_rcvport() == settings.inside_port
end

--- Whether requests to the sender of the message at hand have to go where it came from and not where its Contact says.
function facts.is_behind_nat()
  if not KSR.is_UDP() then return true end
  return KSR.nathelper.nat_uac_test(1) > 0 and KSR.nathelper.is_rfc1918(KSR.kx.get_srcip()) < 0
end

function facts.read()
  local method = KSR.kx.get_method()
  local to_tag = KSR.pv.get("$tt")
  local f = {
    method = method,
    from_parkd = facts.is_from_parkd(),
    source = source_fact(),
    call_id = KSR.kx.get_callid(),
    cseq = tonumber(KSR.pv.gete("$cs")) or 0,
    from_tag = KSR.pv.gete("$ft"),
    to_tag = to_tag ~= "" and to_tag or nil,
    from = uri_fact(KSR.kx.get_furi()),
    to = uri_fact(KSR.kx.get_turi()),
    ruri = uri_fact(KSR.kx.get_ruri()),
    display = sip_text.display_name(KSR.pv.get("$fn"), 60),
    has_credentials = KSR.hdr.is_present("Proxy-Authorization") > 0 or KSR.hdr.is_present("Authorization") > 0,
    has_replaces = KSR.hdr.is_present("Replaces") > 0,
  }
  f.dialled = sip_text.dialled_number(f.ruri.user) or false
  if method == "REFER" then f.refer_to = refer_to_fact() end
  if f.from_parkd then
    f.inside_tenant = KSR.pv.get("$hdr(X-Callpark-Tenant)")
    f.adoption_released = KSR.pv.get("$hdr(X-Callpark-Adoption)") == "released"
  end
  return f
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
  return { status = "wrong" }
end

-- A row, false, or {away = true}.
local function row(answer)
  if answer == nil then return { away = true } end
  return answer
end

local learn = {
  marker = function(f) return adoption_marker.find(f.call_id, f.from_tag) end,
  call = function(f) return calls.find(f.call_id, f.from_tag, f.to_tag) end,
  is_known_call = function() return KSR.dialog.is_known_dlg() > 0 end,
  trunk = function(f) return row(directory.trunk_at(f.source.ip)) end,
  from_tenant = function(f) return row(directory.tenant(f.from.host)) end,
  to_tenant = function(f) return row(directory.tenant(f.to.host)) end,
  identity = function(_, realm) return identity(realm) end,
  did = function(f)
    if not f.dialled or not f.dialled.clean then return false end
    return row(directory.did(f.dialled.text, f.source.ip))
  end,
  number = function(f, tenant) return f.dialled and row(directory.number(tenant, f.dialled)) or false end,
  refer_number = function(f, tenant)
    local dialled = sip_text.dialled_number(f.refer_to.user)
    return dialled and row(directory.number(tenant, dialled)) or false
  end,
  registered = function(f, tenant) return row(directory.registered_at(tenant, f.ruri)) end,
  tenant_trunk = function(_, tenant) return row(directory.trunk_of(tenant)) end,
  held_calls = function(_, aor) return calls.held_by(aor) end,
}

--- Adds f[name]; `about` is what the question is about (a realm, a tenant, an extension).
function facts.learn(f, name, about) f[name] = learn[name](f, about) end

return facts
