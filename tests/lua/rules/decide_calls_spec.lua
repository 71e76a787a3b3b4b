local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts = requests.facts
local number = requests.number
local extension = requests.extension
local park_code = requests.park_code
local retrieve_code = requests.retrieve_code
local group_park_code = requests.group_park_code
local ring_group = requests.ring_group
local park_number = requests.park_number
local park_number_off = requests.park_number_off
local orbit = requests.orbit
local rings = requests.rings
local bob_and_carol = requests.bob_and_carol
local own_and_outside = requests.own_and_outside
local trunk_row = requests.trunk_row
local refused = requests.refused
local held = requests.held

describe("a call of an extension that withholds its number", function()
  for _, host in ipairs({ "anonymous.invalid", kTenant }) do
    local anonymous = { user = "anonymous", host = host }
    it("is challenged in the domain that it calls in, " .. host, function()
      local f = facts({ from = anonymous, has_credentials = false })
      assert.equal("to_tenant", decide.request(f).need)
      f.to_tenant = {}
      assert.same({ action = "challenge", realm = kTenant }, decide.request(f))
      f.to_tenant = false
      refused(403, decide.request(f))
    end)
    it("is its own, " .. host, function()
      local d = decide.request(facts({ from = anonymous, number = extension }))
      assert.equal("to_extension", d.action)
      assert.equal("101@" .. kTenant, d.caller.aor)
      assert.is_true(d.caller.withheld)
      d = decide.request(facts({ from = anonymous, number = retrieve_code }))
      assert.same({ "feature_call", kTenant, "101" }, { d.action, d.tenant, d.user })
    end)
  end
end)

describe("a call of an extension", function()
  it("goes to the extension that was dialled", function()
    local d = decide.request(facts({ number = extension }))
    assert.equal("to_extension", d.action)
    assert.equal("102@" .. kTenant, d.aor)
    assert.same({ kind = "extension", aor = "101@" .. kTenant, display = "Alice" }, d.caller)
    assert.same({ kind = "extension", aor = "102@" .. kTenant, display = "Bob" }, d.callee)
  end)

  it("shows the name that the phone gives before the one in the database", function()
    assert.equal("Al", decide.request(facts({ number = extension, display = "Al" })).caller.display)
  end)

  it("to a park code goes to parkd with the held call", function()
    local d = decide.request(facts({ number = park_code, held_calls = { held }, is_holding = false }))
    assert.same({ action = "feature_call", tenant = kTenant, user = "101",
      dialog = { record = held.record, side = "a" }, marker = { call_id = "h", tag = "ht", floor = 8 },
      other_tag = "ho" }, d)
    d = decide.request(facts({ number = park_code, held_calls = {}, is_holding = false }))
    assert.same({ action = "feature_call", tenant = kTenant, user = "101" }, d)
  end)

  it("to a park code waits while a hold has no answer, though not for ever", function()
    local f = facts({ number = park_code, held_calls = { held }, is_holding = true })
    for waits = 0, 5 do
      f.waits = waits
      local d = decide.request(f)
      assert.same({ "wait_for_hold", 50 * 2 ^ waits, 500 }, { d.action, d.ms, d.otherwise.code })
    end
    f.waits = 6
    assert.equal(held.record, decide.request(f).dialog.record)
    f.waits, f.is_holding = 1, false
    assert.equal(held.record, decide.request(f).dialog.record)
  end)

  it("to a retrieve code does not ask for held calls", function()
    local d = decide.request(facts({ number = retrieve_code }))
    assert.same({ action = "feature_call", tenant = kTenant, user = "101", name = "Alice" }, d)
  end)

  it("to a retrieve code goes with the name in the database where the phone gives none", function()
    assert.is_nil(decide.request(facts({ number = retrieve_code, display = "Al" })).name)
    local nameless = { status = "known", user = "101", display = "" }
    assert.is_nil(decide.request(facts({ number = retrieve_code, identity = nameless })).name)
  end)

  it("to a code that parks in the group, or to a park number, goes to parkd with the held call", function()
    for _, row in ipairs({ group_park_code, park_number }) do
      local d = decide.request(facts({ number = row, held_calls = { held }, is_holding = false }))
      assert.same({ "feature_call", held.record, "a" }, { d.action, d.dialog.record, d.dialog.side })
    end
  end)

  it("to an orbit of a range goes to parkd and does not ask for held calls", function()
    local d = decide.request(facts({ number = orbit }))
    assert.same({ action = "feature_call", tenant = kTenant, user = "101", name = "Alice" }, d)
  end)

  it("to the park number of a range that is switched off is 404", function()
    refused(404, decide.request(facts({ number = park_number_off })))
  end)

  it("to a ring group rings its members, but not the caller", function()
    local d = decide.request(facts({ number = ring_group, ring_group = bob_and_carol }))
    assert.equal("to_ring_group", d.action)
    assert.same({ kind = "extension", aor = "101@" .. kTenant, display = "Alice" }, d.caller)
    assert.same({ kind = "ring_group", number = "600", display = "Sales" }, d.callee)
    assert.equal(1, #d.steps)
    assert.equal("103@" .. kTenant, d.steps[1].parties[2].aor)
    refused(480, decide.request(facts({ number = ring_group, ring_group = { rings(1, "simultaneous", "101") } })))
    refused(480, decide.request(facts({ number = ring_group, ring_group = {} })))
  end)

  it("to a ring group asks for the trunks only for outside members", function()
    local function call(changes)
      local f = facts({ number = ring_group, ring_group = own_and_outside })
      for name, value in pairs(changes) do f[name] = value end
      return decide.request(f)
    end
    assert.same({ need = "trunks_to", about = { tenant = kTenant, numbers = { "+4420" } } }, call({}))
    local d = call({ trunks_to = requests.trunks_to })
    assert.same({ { trunk_row }, 1 }, { d.steps[1].parties[1].trunks, #d.steps })
    refused(480, call({ trunks_to = false }))
    refused(480, call({ trunks_to = requests.no_trunk_to }))
    refused(480, call({ trunks_to = requests.full_trunks_to }))
    refused(503, call({ trunks_to = requests.away }))
    refused(480, call({ trunks_to = requests.trunks_to, has_replaces = true }))
  end)

  it("beginning with a plus goes out by a trunk, whatever the number plan has", function()
    local trunks_to = requests.trunks_to
    local d = decide.request(facts({ dialled = number("+4420"), trunks_to = trunks_to, number = extension }))
    assert.same({ "to_trunk", "+4420", { trunk_row } }, { d.action, d.number, d.trunks })
    refused(404, decide.request(facts({ dialled = number("+4420"), trunks_to = false })))
    refused(404, decide.request(facts({ dialled = number("+4420"), trunks_to = requests.no_trunk_to })))
    refused(503, decide.request(facts({ dialled = number("+4420"), trunks_to = requests.away })))
    d = decide.request(facts({ dialled = number("+4420"), trunks_to = requests.full_trunks_to }))
    assert.same({ 503, "Too Many Calls At All Trunks" }, { d.code, d.reason })
    refused(404, decide.request(facts({ dialled = number("+44x"), trunks_to = trunks_to })))
    refused(403, decide.request(facts({ dialled = number("+4420"), trunks_to = trunks_to, has_replaces = true })))
  end)

  it("to an extension that is switched off is not put through", function()
    local off = { number = "102", kind = "extension", enabled = 0 }
    refused(480, decide.request(facts({ number = off })))
  end)

  it("is not looked at after too many wrong passwords", function()
    local f = facts({ guesses = { 31, 31 } })
    f.identity = nil
    assert.same({ action = "drop" }, decide.request(f))
    f.guesses = { 300, 30 }
    assert.same({ need = "identity", about = kTenant }, decide.request(f))
  end)

  it("in another's name, or to another domain, is refused", function()
    refused(403, decide.request(facts({ identity = { status = "known", user = "102" } })))
    refused(403, decide.request(facts({ ruri = { user = "102", host = "other.callpark" }, registered = false })))
  end)
end)

describe("a call to a Contact", function()
  it("goes to the registered address, and not to that of the caller", function()
    local registered = { number = "102", contact = "sip:102@10.0.0.12:5060", received = "sip:192.0.2.12:4000" }
    local ruri = { user = "102", host = "10.0.0.12", params = "alias=198.51.100.1~5060~1" }
    local d = decide.request(facts({ ruri = ruri, registered = registered }))
    assert.same({ "to_contact", registered.contact, registered.received }, { d.action, d.contact, d.received })
    registered.received = ""
    assert.is_nil(decide.request(facts({ ruri = ruri, registered = registered })).received)
  end)

  it("by parkd leads there too, and to the number if it is not registered", function()
    local registered = { number = "102", contact = "sip:102-0x5f@10.0.0.12:5060", received = "" }
    local function by_parkd(changes)
      local f = facts({ from_parkd = true, inside_tenant = kTenant, ruri = { user = "102", host = "10.0.0.12" } })
      for name, value in pairs(changes) do f[name] = value end
      return decide.request(f)
    end
    assert.same({ need = "registered", about = kTenant }, by_parkd({}))
    local d = by_parkd({ registered = registered })
    assert.same({ "to_contact", registered.contact, "102@" .. kTenant }, { d.action, d.contact, d.callee.aor })
    assert.is_nil(d.caller)
    assert.equal("102@" .. kTenant, by_parkd({ registered = false, number = extension }).aor)
    refused(404, by_parkd({ registered = false, number = false }))
    refused(404, by_parkd({ registered = false, number = park_code }))
    refused(503, by_parkd({ registered = { away = true } }))
    refused(403, by_parkd({ registered = false, to = { user = "102", host = "other.callpark" } }))
  end)
end)

describe("a call to parkd's Contact", function()
  local parkd = { user = "parkd", host = "127.0.0.1", port = 5062, is_parkd = true }
  it("goes there if it is to replace a party", function()
    assert.same({ action = "feature_call", tenant = kTenant, user = "101" },
      decide.request(facts({ ruri = parkd, has_replaces = true })))
  end)

  it("is refused otherwise, and without a password", function()
    refused(403, decide.request(facts({ ruri = parkd, has_replaces = false, registered = false })))
    refused(403, decide.request(facts({ method = "MESSAGE", ruri = parkd, has_replaces = true, registered = false })))
    assert.equal("challenge", decide.request(facts({ ruri = parkd, has_replaces = true,
      identity = { status = "absent" } })).action)
    refused(404, decide.request(facts({ ruri = parkd, has_replaces = true, did = false, orbit_from_trunk = false,
      trunk = { trunk = "t", enabled = 1 } })))
  end)
end)
