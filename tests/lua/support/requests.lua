-- Requests as facts, and the rows that the database may answer, for the specs of rules/decide*.lua.
local assert = require("luassert")
local seal = require("rules.seal")

local requests = {}

requests.kTenant = "demo.callpark"
requests.kDevice = "udp:127.0.0.11:5060"
requests.settings = { flood_control = true, subscriptions_of_extension_max = 500, subscriptions_of_tenant_max = 10000,
  calls_of_extension_max = 50, calls_of_tenant_max = 1000 }

--- In the place of Kamailio's hash with the secret.
function requests.keyed(text)
  local a, b = 5381, 52711
  for i = 1, #text do
    a = (a * 33 + text:byte(i)) % 2 ^ 32
    b = (b * 31 + text:byte(i)) % 2 ^ 32
  end
  return ("%08x%08x"):format(a, b):rep(4)
end

requests.kContact = "sip:102@127.0.0.12:5060"

--- Makes a request of side `sender` of a call of 101 to 102 one that Kamailio's Route and the seal of the other party's
--- Contact lead there.
function requests.seal(f, sender, is_from_home)
  f.path = { own = 1, hops = {}, uri = "sip:127.0.0.1;lr", call = { sender = sender, tenant = requests.kTenant,
    is_from_home = is_from_home, caller_tag = "ft", a = { kind = "extension", aor = "101@" .. requests.kTenant },
    b = { kind = "extension", aor = "102@" .. requests.kTenant } } }
  f.ruri_text = seal.contact(f, f.to_tag, requests.kContact)
  return f
end

-- A request of 101 from outside, to which the test adds its subject.
function requests.facts(changes)
  local f = {
    method = "INVITE", from_parkd = false, call_id = "c", cseq = 2, from_tag = "ft", display = "",
    source = { ip = "127.0.0.11", device = requests.kDevice },
    from = { user = "101", host = requests.kTenant }, to = { user = "102", host = requests.kTenant },
    ruri = { user = "102", host = requests.kTenant }, dialled = { text = "102", beginning = "102", clean = true },
    has_credentials = true, credentials = 'Digest username="101"', now = 60, guesses = {},
    settings = requests.settings, newcomer = false, registered_contacts = {}, contacts_max = 10,
    body = "", has_replaces = false, trunk = false, event = "", waits = 0,
    identity = { status = "known", user = "101", display = "Alice" },
    own_places = { { ip = "192.0.2.1", port = 5060 }, { ip = "127.0.0.1", port = 5061 } }, is_behind_nat = false,
    reachable_contact = "<sip:101@127.0.0.11:5060>",
    reachable_places = { { host = "127.0.0.11", ip = "127.0.0.11", port = 5060 } }, trunk_among = false,
    route_places = {}, billing_hook = false, verdict = false,
    calls_under_way = { 0, 0 }, recent_texts = { 1, 1 }, recent_registrations = { 1 },
    waiting_notifies = { of_extension = 0, of_tenant = 0, of_all = 0 },
    subscriptions = { of_lamp = {}, of_extension = 0, of_tenant = 0 },
    may_ring = false,
    contact_places = { { host = "127.0.0.11", ip = "127.0.0.11", port = 5060 } }, hop_places = {},
    contact_values = { "<sip:101@127.0.0.11>" }, keyed = requests.keyed,
  }
  for name, value in pairs(changes) do f[name] = value end
  return f
end

function requests.number(text) return { text = text, beginning = text, clean = true } end

requests.extension = { number = "102", kind = "extension", action = "", enabled = 1, display_name = "Bob" }
requests.park_code = { number = "*70", kind = "park_code", action = "park", enabled = 1, display_name = "" }
requests.retrieve_code = { number = "*71", kind = "park_code", action = "retrieve", enabled = 1, display_name = "" }
requests.group_park_code = { number = "*58", kind = "park_code", action = "group_park", enabled = 1, display_name = "" }
requests.ring_group = { number = "600", kind = "ring_group", action = "", enabled = 1, display_name = "Sales" }
requests.park_number = { number = "7000", kind = "park_number", action = "", enabled = 1, display_name = "" }
requests.park_number_off = { number = "7000", kind = "park_number", action = "", enabled = 0, display_name = "" }
requests.orbit = { number = "7001", kind = "orbit", action = "", enabled = 1, display_name = "", from_trunks = false }
requests.orbit_of_trunks = { number = "7101", kind = "orbit", action = "", enabled = 1, display_name = "",
  from_trunks = true }
requests.call_flow = { number = "300", kind = "call_flow", action = "", enabled = 1, display_name = "" }
requests.call_flow_off = { number = "300", kind = "call_flow", action = "", enabled = 0, display_name = "" }
requests.call_flow_code = { number = "*30", kind = "call_flow_code", action = "", enabled = 1, display_name = "" }
requests.menu = { number = "500", kind = "ivr_menu", action = "", enabled = 1, display_name = "" }
requests.menu_off = { number = "500", kind = "ivr_menu", action = "", enabled = 0, display_name = "" }
requests.announcement = { number = "510", kind = "announcement", action = "", enabled = 1, display_name = "" }
requests.announcement_off = { number = "510", kind = "announcement", action = "", enabled = 0, display_name = "" }
requests.away = { away = true }
requests.held = {
  record = { call_id = "h", a = { tag = "ht", cseq = 7 }, b = { tag = "ho", cseq = 2 } },
  side = "a", device = requests.kDevice, since = 1,
}

function requests.rings(place, strategy, member)
  return { place = place, strategy = strategy, ring_seconds = 30, member = member, enabled = 1, display_name = "" }
end
requests.bob_and_carol = { requests.rings(1, "simultaneous", "102"), requests.rings(1, "simultaneous", "103") }
requests.own_and_outside = { requests.rings(1, "simultaneous", "101"), requests.rings(2, "destination", "+4420") }
requests.trunk_row = { trunk = "t", address = "127.0.0.50", port = 5060, transport = "udp", calls_max = 2, calls = 1 }
-- Each outside number is reached by these trunks.
local function trunks_to(trunks)
  return setmetatable({}, { __index = function(_, key) return key:sub(1, 1) == "+" and trunks or nil end })
end
requests.trunks_to = trunks_to({ requests.trunk_row })
requests.no_trunk_to = trunks_to({})
requests.full_trunks_to = trunks_to({ { trunk = "t", calls_max = 1, calls = 1 },
  { trunk = "u", calls_max = 2, calls = 3 } })

function requests.call(a_kind, b_kind, b_aor)
  return {
    call_id = "c", confirmed = true,
    a = { tag = "ft", cseq = 1, kind = a_kind,
      aor = a_kind == "extension" and "101@" .. requests.kTenant or nil },
    b = { tag = "tt", cseq = 4, kind = b_kind,
      aor = b_aor or b_kind == "extension" and "102@" .. requests.kTenant or nil },
  }
end

function requests.refused(code, decision)
  assert.equal("refuse", decision.action)
  assert.equal(code, decision.code)
end

function requests.subscription(user)
  return { uri = "sip:*88102@" .. requests.kTenant, user = user, domain = requests.kTenant, event = "dialog" }
end

return requests
