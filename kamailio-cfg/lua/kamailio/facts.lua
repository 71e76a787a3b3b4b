-- What is known about the message at hand. facts.read() gives the facts in the message itself; facts.decide() asks a
-- rule, and learns what the rule needs until it decides.
local adoption_marker = require("kamailio.adoption_marker")
local address = require("rules.address")
local cjson = require("cjson")
local authentication = require("rules.authentication")
local calls = require("kamailio.calls")
local dialled_number = require("rules.dialled_number")
local directory = require("kamailio.directory")
local identity_headers = require("kamailio.identity_headers")
local message = require("rules.message")
local presence_tables = require("kamailio.presence_tables")
local settings = require("kamailio.settings")
local sip_text = require("rules.sip_text")

local facts = {}

local function source()
  local proto, ip, port = KSR.kx.get_proto():lower(), KSR.kx.get_srcip(), KSR.kx.get_srcport()
  return { proto = proto, ip = ip, port = port, device = ("%s:%s:%d"):format(proto, ip, port) }
end

-- One more than a rule reads, so that the rule sees that there are more.
local function contact_values()
  local values = {}
  for i = 0, message.kContactHeadersMax do
    local value = KSR.pv.get(("$(hdr(Contact)[%d])"):format(i))
    if not value then break end
    values[#values + 1] = value
  end
  return values
end

-- All values of a header, one header each.
local function values_of(name)
  local values = {}
  for i = 0, KSR.pv.get(("$hdrc(%s)"):format(name)) - 1 do
    values[#values + 1] = KSR.pv.get(("$(hdr(%s)[%d])"):format(name, i))
  end
  return values
end

-- With the secret on both sides, as in RFC 2104. Each node has seals of its own: a call may pass two.
local function keyed(text)
  KSR.pv.sets("$var(keyed)", table.concat({ settings.secret, settings.outside_socket, text, settings.secret }, "\n"))
  return KSR.pv.get("$(var(keyed){s.sha256})")
end

local function refer_to_raw()
  return {
    count = KSR.pv.get("$hdrc(Refer-To)"),
    compact_count = KSR.pv.get("$hdrc(r)"),
    value = KSR.pv.get("$hdr(Refer-To)") or KSR.pv.get("$hdr(r)"),
  }
end

-- All credentials of the request, one header a line.
local function credentials()
  local lines = {}
  for _, name in ipairs({ "Authorization", "Proxy-Authorization" }) do
    for i = 0, KSR.pv.get(("$hdrc(%s)"):format(name)) - 1 do
      lines[#lines + 1] = KSR.pv.get(("$(hdr(%s)[%d])"):format(name, i))
    end
  end
  return table.concat(lines, "\n")
end

local function asserts_identity()
  for _, name in ipairs(identity_headers.kNames) do
    if KSR.hdr.is_present(name) > 0 then return true end
  end
  return false
end

local function header(name) return KSR.pv.get("$hdr(" .. name .. ")") end

local raw = {
  settings = function() return settings end,
  now = function() return KSR.pv.get("$Ts") end,
  header = function() return header end,
  method = function() return KSR.kx.get_method() end,
  is_udp = function() return KSR.is_UDP() end,
  source = function() return source() end,
  received_at = function() return { ip = KSR.kx.get_rcvip(), port = KSR.kx.get_rcvport() } end,
  content_length = function() return tonumber(KSR.pv.get("$cl")) or false end,
  body = function() return KSR.kx.gete_body() end,
  waits = function() return tonumber(KSR.pv.get("$avp(waits)")) or 0 end,
  call_id = function() return KSR.kx.get_callid() end,
  cseq = function() return tonumber(KSR.pv.gete("$cs")) or 0 end,
  from_tag = function() return KSR.pv.gete("$ft") end,
  to_tag = function()
    local tag = KSR.pv.gete("$tt")
    return tag ~= "" and tag
  end,
  from_text = function() return KSR.kx.get_furi() end,
  to_text = function() return KSR.kx.get_turi() end,
  ruri_text = function() return KSR.kx.get_ruri() end,
  display_text = function() return KSR.pv.get("$fn") end,
  user_agent = function() return KSR.pv.get("$ua") end,
  via = function() return header("Via") end,
  route_values = function() return values_of("Route") end,
  record_route_values = function() return values_of("Record-Route") end,
  keyed = function() return keyed end,
  -- The number of the connection, false over UDP.
  connection = function() return tonumber(KSR.pv.get("$conid") or "") or false end,
  status = function() return tonumber(KSR.pv.get("$rs") or "") or false end,
  cseq_method = function() return KSR.pv.gete("$rm") end,
  via_is_other = function() return KSR.nathelper.nat_uac_test(2) > 0 end,
  contact_is_private = function() return KSR.nathelper.nat_uac_test(1) > 0 end,
  source_is_private = function() return KSR.nathelper.is_rfc1918(KSR.kx.get_srcip()) >= 0 end,
  contact_values = function() return contact_values() end,
  contacts_max = function() return tonumber(KSR.pv.get("$sel(cfg_get.registrar.max_contacts)")) end,
  has_credentials = function()
    return KSR.hdr.is_present("Proxy-Authorization") > 0 or KSR.hdr.is_present("Authorization") > 0
  end,
  credentials = function() return credentials() end,
  asserts_identity = function() return asserts_identity() end,
  has_replaces = function() return KSR.hdr.is_present("Replaces") > 0 end,
  refer_to_raw = function() return refer_to_raw() end,
  event_text = function() return header("Event") or KSR.pv.gete("$hdr(o)") end,
}

--- The facts of the message at hand, for a rule: those in the message, and those that facts.decide() learns.
function facts.read() return message.facts(raw) end

-- What has not expired of an address of record: a list of {contact, user_agent, modified, ruid}.
local function registered_contacts(aor)
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

-- The addresses from which an extension is registered, and those of its Contacts.
local function own_addresses(aor)
  local list = {}
  if KSR.registrar.reg_fetch_contacts("location", "sip:" .. aor, "own") < 0 then return list end
  for i = 0, KSR.pv.get("$ulc(own=>count)") - 1 do
    for _, attribute in ipairs({ "addr", "received" }) do
      local uri = sip_text.parse_uri(KSR.pv.gete(("$(ulc(own=>%s)[%d])"):format(attribute, i)))
      local ip = uri and address.canonical(uri.host)
      if ip then list[ip] = true end
    end
  end
  KSR.registrar.reg_free_contacts("own")
  return list
end

local function guess_counts(keys)
  local counts = {}
  for i, key in ipairs(keys) do counts[i] = tonumber(KSR.htable.sht_get("auth_failures", key)) or 0 end
  return counts
end

local function checked_identity(f, realm)
  KSR.pv.unset("$avp(extension)")
  local result = KSR.auth_db.auth_check(realm, "subscriber", 0)
  return authentication.identity({
    result = result,
    method = f.method,
    ruri = f.ruri_text,
    credentials = f.credentials,
    username = KSR.pv.gete("$aU"),
    uri = KSR.pv.gete("$adu"),
    extension = KSR.pv.gete("$avp(extension)"),
    display = KSR.pv.gete("$avp(display_name)"),
    database_answers = authentication.is_unclear(result) and directory.answers(),
  }, realm)
end

-- Credentials are good for one look: a request that has waited keeps what they were found to be.
local function identity(f, realm)
  local kept = KSR.pv.get("$avp(identity)")
  local known = kept and cjson.decode(kept)
  if known and known.realm == realm then return known.identity end
  local found = checked_identity(f, realm)
  if found.status == "known" then
    KSR.pv.sets("$avp(identity)", cjson.encode({ realm = realm, identity = found }))
  end
  return found
end

-- A row, false, or {away = true} if the database does not answer.
local function row(answer)
  if answer == nil then return { away = true } end
  return answer
end

local function number(tenant, dialled) return dialled and row(directory.number(tenant, dialled)) or false end

-- Whether an address is a trunk's, as of some seconds ago: a flood must not make as many queries. False while the
-- database is away, too.
local function is_at_trunk(ip)
  local remembered = KSR.htable.sht_get("trunk_addresses", ip)
  if remembered then return remembered == 1 end
  local is_trunk = directory.trunk_at(ip) and true or false
  KSR.htable.sht_seti("trunk_addresses", ip, is_trunk and 1 or 0)
  return is_trunk
end

local learn = {
  is_within_rate = function() return KSR.pike.pike_check_req() > 0 end,
  has_phones = function(f) return KSR.htable.sht_is_null("phones", f.source.ip) < 0 end,
  marker = function(f) return adoption_marker.find(f.call_id, f.from_tag) end,
  is_other = function(f) return adoption_marker.is_other(f.call_id, f.from_tag) end,
  given_up = function(f)
    return adoption_marker.is_given_up(f.call_id, f.from_tag) or adoption_marker.is_given_up(f.call_id, f.to_tag)
  end,
  call = function(f) return calls.find(f.call_id, f.from_tag, f.to_tag) end,
  trunk = function(f) return row(directory.trunk_at(f.source.ip)) end,
  is_at_trunk = function(f) return is_at_trunk(f.source.ip) end,
  leads_to_trunk = function(_, addresses)
    for _, ip in ipairs(addresses) do
      if is_at_trunk(ip) then return true end
    end
    return false
  end,
  own_addresses = function(_, aor) return own_addresses(aor) end,
  trunk_among = function(_, addresses) return row(directory.trunk_among(addresses)) end,
  from_tenant = function(f) return row(directory.tenant(f.from.host)) end,
  to_tenant = function(f) return row(directory.tenant(f.to.host)) end,
  guesses = function(_, keys) return guess_counts(keys) end,
  identity = function(f, realm) return identity(f, realm) end,
  registered_contacts = function(_, aor) return registered_contacts(aor) end,
  did = function(f)
    if not f.dialled or not f.dialled.clean then return false end
    return row(directory.did(f.dialled.text, f.source.ip))
  end,
  orbit_from_trunk = function(f)
    if not f.dialled or not f.dialled.clean then return false end
    return row(directory.orbit_from_trunk(f.dialled.text, f.source.ip))
  end,
  number = function(f, tenant) return number(tenant, f.dialled) end,
  refer_number = function(f, tenant) return number(tenant, dialled_number.of_user(f.refer_to.user)) end,
  orbit_number = function(_, orbit) return number(orbit.tenant, dialled_number.of_user(orbit.number)) end,
  subscription = function(f) return row(presence_tables.subscription(f.call_id, f.to_tag, f.from_tag)) end,
  ring_group = function(_, group) return row(directory.ring_group(group.tenant, group.number)) end,
  registered = function(f, tenant) return row(directory.registered_at(tenant, f.ruri)) end,
  own_contact = function(f, tenant) return row(directory.registered_as(tenant, f.identity.user, f.from.user)) end,
  tenant_trunk = function(_, tenant) return row(directory.trunk_of(tenant)) end,
  is_holding = function(_, aor) return calls.is_holding(aor) end,
  held_calls = function(_, aor) return calls.held_by(aor) end,
}

--- The decision of `rule` (a function of facts) on `f`.
function facts.decide(rule, f)
  local decision = rule(f)
  while decision.need do
    f[decision.need] = learn[decision.need](f, decision.about)
    decision = rule(f)
  end
  return decision
end

return facts
