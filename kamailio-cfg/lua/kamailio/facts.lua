-- What is known about the message at hand. facts.read() gives the facts in the message itself; facts.decide() asks a
-- rule, and learns what the rule needs until it decides.
local adoption_marker = require("kamailio.adoption_marker")
local address = require("rules.address")
local cjson = require("cjson")
local authentication = require("rules.authentication")
local calls = require("kamailio.calls")
local dialled_number = require("rules.dialled_number")
local digest = require("rules.digest")
local directory = require("kamailio.directory")
local identity_headers = require("kamailio.identity_headers")
local keyed = require("kamailio.keyed")
local message = require("rules.message")
local park_rate = require("kamailio.park_rate")
local presence_tables = require("kamailio.presence_tables")
local registered = require("kamailio.registered")
local settings = require("kamailio.settings")
local shares = require("kamailio.shares")
local sip_text = require("rules.sip_text")
local trunk_probes = require("kamailio.trunk_probes")
local watching = require("kamailio.watching")

local facts = {}

local function source()
  local proto, ip, port = KSR.kx.get_proto():lower(), KSR.kx.get_srcip(), KSR.kx.get_srcport()
  return { proto = proto, ip = ip, port = port, device = ("%s:%s:%d"):format(proto, ip, port) }
end

-- All values of a header, one header each.
local function values_of(name)
  local values = {}
  for i = 0, KSR.pv.get(("$hdrc(%s)"):format(name)) - 1 do
    values[#values + 1] = KSR.pv.get(("$(hdr(%s)[%d])"):format(name, i))
  end
  return values
end

local function refer_to_raw()
  return {
    count = KSR.pv.get("$hdrc(Refer-To)"),
    compact_count = KSR.pv.get("$hdrc(r)"),
    value = KSR.pv.get("$hdr(Refer-To)") or KSR.pv.get("$hdr(r)"),
  }
end

-- All headers of these names, one a line.
local function header_lines(names)
  local lines = {}
  for _, name in ipairs(names) do
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
  -- Of a call that has waited for it; false before.
  verdict = function()
    local kept = KSR.pv.get("$avp(verdict)")
    return kept ~= nil and cjson.decode(kept)
  end,
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
  keyed = function() return keyed end,
  -- The number of the connection, false over UDP.
  connection = function() return tonumber(KSR.pv.get("$conid") or "") or false end,
  status = function() return tonumber(KSR.pv.get("$rs") or "") or false end,
  cseq_method = function() return KSR.pv.gete("$rm") end,
  via_is_other = function() return KSR.nathelper.nat_uac_test(2) > 0 end,
  contact_is_private = function() return KSR.nathelper.nat_uac_test(1) > 0 end,
  source_is_private = function() return KSR.nathelper.is_rfc1918(KSR.kx.get_srcip()) >= 0 end,
  contact_values = function() return values_of("Contact") end,
  record_route_values = function() return values_of("Record-Route") end,
  contacts_max = function() return tonumber(KSR.pv.get("$sel(cfg_get.registrar.max_contacts)")) end,
  has_credentials = function()
    return KSR.hdr.is_present("Proxy-Authorization") > 0 or KSR.hdr.is_present("Authorization") > 0
  end,
  credentials = function() return header_lines({ "Authorization", "Proxy-Authorization" }) end,
  asserts_identity = function() return asserts_identity() end,
  has_replaces = function() return KSR.hdr.is_present("Replaces") > 0 end,
  refer_to_raw = function() return refer_to_raw() end,
  event_text = function() return header("Event") or KSR.pv.gete("$hdr(o)") end,
}

--- The facts of the message at hand, for a rule: those in the message, and those that facts.decide() learns.
facts.read = message.facts_from(raw)

local function add_addresses(list, aor)
  if KSR.registrar.reg_fetch_contacts("location", "sip:" .. aor, "own") < 0 then return end
  for i = 0, KSR.pv.get("$ulc(own=>count)") - 1 do
    for _, attribute in ipairs({ "addr", "received" }) do
      local uri = sip_text.parse_uri(KSR.pv.gete(("$(ulc(own=>%s)[%d])"):format(attribute, i)))
      local ip = uri and address.canonical(uri.host)
      if ip then list[ip] = true end
    end
  end
  KSR.registrar.reg_free_contacts("own")
end

-- The addresses from which these extensions are registered, and those of their Contacts.
local function own_addresses(aors)
  local list = {}
  for _, aor in ipairs(aors) do add_addresses(list, aor) end
  return list
end

-- Whether all of these extensions, and at least one, are registered from an address.
local function are_registered_at(ip, aors)
  for _, aor in ipairs(aors) do
    if not own_addresses({ aor })[ip] then return false end
  end
  return #aors > 0
end

local function guess_counts(keys)
  local counts = {}
  for i, key in ipairs(keys) do counts[i] = tonumber(KSR.htable.sht_get("auth_failures", key)) or 0 end
  return counts
end

-- Of 32 characters like every other; no password has it.
local kNobodysHa1 = ("-"):rep(32)
local kPasswordIsHa1, kNoOtherChecks = 1, 0

-- The credentials that the module auth tries for this request.
local function tried_credentials(f, realm)
  local name = f.method == "REGISTER" and "Authorization" or "Proxy-Authorization"
  return digest.of_realm(header_lines({ name }), realm) or { username = "", uri = "" }
end

local function checked_identity(f, realm)
  local tried = tried_credentials(f, realm)
  local known = directory.credentials(realm, tried.username)
  -- Also without an extension, since an old nonce is no guess.
  local result = KSR.auth.pv_auth_check(realm, known and known.ha1 or kNobodysHa1, kPasswordIsHa1, kNoOtherChecks)
  return authentication.identity({
    result = result,
    method = f.method,
    ruri = f.ruri_text,
    credentials = f.credentials,
    username = tried.username,
    uri = tried.uri,
    extension = known and known.extension or nil,
    display = known and known.display or nil,
    is_unread = known == nil,
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

-- A row, false, or {away = true} if the database does not answer, or has not been read.
local function row(answer)
  if answer == nil then return { away = true } end
  return answer
end

local function number(tenant, dialled) return dialled and row(directory.number(tenant, dialled)) or false end

-- At least 0 and less than 1. Of Kamailio: Lua's own numbers are the same in each process.
local function random() return KSR.pv.get("$RANDOM") % 2 ^ 31 / 2 ^ 31 end

-- Each with the calls that it has, if there is a maximum of them, and whether it is dead.
local function trunks_to(tenant, numbers)
  local lists = directory.trunks_to(tenant, numbers, random())
  for _, trunks in pairs(lists or {}) do
    for _, one in ipairs(trunks) do
      one.calls = one.calls_max > 0 and shares.calls_of_trunk(tenant, one.trunk) or 0
      one.is_dead = one.probe and trunk_probes.is_dead(one)
    end
  end
  return row(lists)
end

--- Whether an address is a trunk's.
function facts.is_at_trunk(ip) return directory.trunk_at(ip) and true or false end

local learn = {
  is_within_rate = function() return KSR.pike.pike_check_req() > 0 end,
  has_phones = function(f) return KSR.htable.sht_is_null("phones", f.source.ip) < 0 end,
  requests_this_second = function(f)
    return KSR.htable.sht_inc("requests", ("%d %s"):format(f.now, f.source.ip))
  end,
  marker = function(f) return adoption_marker.find(f.call_id, f.from_tag) end,
  is_other = function(f) return adoption_marker.is_other(f.call_id, f.from_tag) end,
  given_up = function(f)
    return adoption_marker.is_given_up(f.call_id, f.from_tag) or adoption_marker.is_given_up(f.call_id, f.to_tag)
  end,
  park_rate = function() return park_rate.get() end,
  parks_this_second = function(f) return park_rate.count(f.now) end,
  was_cancelled = function(f)
    return KSR.htable.sht_is_null("cancelled", adoption_marker.key(f.call_id, f.from_tag)) < 0
  end,
  call = function(f) return calls.find(f.call_id, f.from_tag, f.to_tag) end,
  trunk = function(f) return row(directory.trunk_at(f.source.ip)) end,
  is_at_trunk = function(f) return facts.is_at_trunk(f.source.ip) end,
  leads_to_trunk = function(_, addresses)
    for _, ip in ipairs(addresses) do
      if facts.is_at_trunk(ip) then return true end
    end
    return false
  end,
  own_addresses = function(_, aors) return own_addresses(aors) end,
  trunk_among = function(_, addresses) return row(directory.trunk_among(addresses)) end,
  from_tenant = function(f) return row(directory.tenant(f.from.host)) end,
  to_tenant = function(f) return row(directory.tenant(f.to.host)) end,
  guesses = function(_, keys) return guess_counts(keys) end,
  are_registered_here = function(f, aors) return are_registered_at(f.source.ip, aors) end,
  identity = function(f, realm) return identity(f, realm) end,
  registered_contacts = function(_, aor) return registered.contacts(aor) end,
  did = function(f)
    local found = f.dialled and f.dialled.clean and row(directory.did(f.dialled.text, f.source.ip))
    return found or row(directory.did_at_account(f.ruri.user, f.to.user or "", f.source.ip))
  end,
  orbit_from_trunk = function(f)
    if not f.dialled or not f.dialled.clean then return false end
    return row(directory.orbit_from_trunk(f.dialled.text, f.source.ip))
  end,
  number = function(f, tenant) return number(tenant, f.dialled) end,
  refer_number = function(f, tenant) return number(tenant, dialled_number.of_user(f.refer_to.number)) end,
  orbit_number = function(_, orbit) return number(orbit.tenant, dialled_number.of_user(orbit.number)) end,
  calls_under_way = function(_, about) return shares.calls_under_way(about) end,
  recent_requests = function(_, about) return shares.recent(about) end,
  recent_texts = function(_, about) return shares.recent(about) end,
  recent_registrations = function(_, about) return shares.recent(about) end,
  subscriptions = function(_, about) return row(watching.subscriptions(about.uri, about.watcher, about.tenant)) end,
  waiting_notifies = function(_, about) return watching.waiting(about.watcher, about.tenant) end,
  subscription = function(f) return row(presence_tables.subscription(f.call_id, f.to_tag, f.from_tag)) end,
  ring_group = function(_, group) return row(directory.ring_group(group.tenant, group.number)) end,
  call_flow = function(_, flow) return row(directory.call_flow(flow.tenant, flow.number)) end,
  may_ring = function(_, about) return row(directory.may_ring(about.tenant, about.number, about.extension)) end,
  billing_hook = function(_, tenant) return directory.billing_hook(tenant) or false end,
  registered = function(f, tenant) return registered.at(tenant, f.ruri) end,
  own_contact = function(f, tenant) return registered.as(tenant, f.identity.user, f.from.user) end,
  tenant_trunk = function(_, tenant) return row(directory.trunk_of(tenant)) end,
  trunks_to = function(_, about) return trunks_to(about.tenant, about.numbers) end,
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
