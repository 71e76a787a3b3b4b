local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts = requests.facts
local away = requests.away
local refused = requests.refused

describe("a REGISTER", function()
  local function register(changes)
    local f = facts({ method = "REGISTER", to = { user = "101", host = kTenant }, trunk_among = false })
    for name, value in pairs(changes) do f[name] = value ~= "unknown" and value or nil end
    return decide.request(f)
  end
  local function place(ip, port) return { host = ip, ip = ip, port = port or 5060 } end
  local kElsewhere = { ip = "192.0.2.11", device = "udp:192.0.2.11:5060" }

  it("is for the own identity only", function()
    assert.equal("register", register({}).action)
    refused(403, register({ to = { user = "102", host = kTenant } }))
    refused(403, register({ to = { user = "101", user_rest = ";x1", host = kTenant } }))
    assert.equal("challenge", register({ has_credentials = false, to_tenant = { tenant = kTenant } }).action)
  end)

  it("with a Contact at a trunk, of any tenant, is refused, and so is one that comes from there", function()
    local contacts = { place("192.0.2.11"), place("198.51.100.1") }
    local d = register({ source = kElsewhere, contact_places = contacts, trunk_among = "unknown" })
    assert.same({ need = "trunk_among", about = { "192.0.2.11", "192.0.2.11", "198.51.100.1" } }, d)
    refused(403, register({ trunk_among = { trunk = "demo" } }))
    refused(503, register({ trunk_among = away }))
  end)

  it("asks about trunks also for a phone behind NAT with a name in its Contact", function()
    local named = { { host = "phone.example", port = 5060 } }
    refused(403, register({ contact_places = named }))
    assert.equal("register", register({ contact_places = named, is_behind_nat = true }).action)
    refused(403, register({ contact_places = named, is_behind_nat = true, trunk_among = { trunk = "demo" } }))
  end)

  it("with a Contact at one of our own sockets is refused", function()
    local here = { ip = "192.0.2.1", device = "udp:192.0.2.1:5070" }
    refused(403, register({ contact_places = { place("192.0.2.1") } }))
    refused(403, register({ contact_places = { place("192.0.2.1", 5070) } }))
    refused(403, register({ source = here, contact_places = { place("192.0.2.1") } }))
    assert.equal("register", register({ source = here, contact_places = { place("192.0.2.1", 5070) } }).action)
    refused(403, register({ source = kElsewhere, contact_places = { place("127.0.0.9") } }))
    refused(403, register({ contact_places = { place("192.0.2.11"), place("127.0.0.1", 5061) } }))
  end)

  it("that removes all Contacts needs none, and one that cannot be read is refused", function()
    assert.equal("register", register({ contact_places = {} }).action)
    refused(400, register({ contact_places = "unknown" }))
  end)
end)

describe("the Contact of a REGISTER", function()
  local function register(changes)
    local f = facts({ method = "REGISTER", to = { user = "101", host = kTenant }, trunk_among = false })
    for name, value in pairs(changes) do f[name] = value end
    return f
  end
  local newcomer = { contact = "sip:101@192.0.2.2", user_agent = "Desk 1" }

  it("is compared with the registered ones only if it adds one", function()
    assert.is_nil(decide.request(register({})).removes)
    local f = register({ newcomer = newcomer })
    f.registered_contacts = nil
    assert.same({ need = "registered_contacts", about = "sip:101@" .. kTenant }, decide.request(f))
  end)

  it("replaces a stale one of the same kind of phone once there are too many", function()
    local stale = { contact = "sip:101@192.0.2.1", user_agent = "Desk 1", modified = 5, ruid = "r1" }
    local f = register({ newcomer = newcomer, registered_contacts = { stale }, contacts_max = 1 })
    assert.same({ aor = "sip:101@" .. kTenant, ruid = "r1" }, decide.request(f).removes)
    f.contacts_max = 2
    assert.is_nil(decide.request(f).removes)
  end)

  it("is changed behind NAT", function()
    assert.is_false(decide.request(register({})).is_behind_nat)
    assert.is_true(decide.request(register({ is_behind_nat = true })).is_behind_nat)
  end)
end)
