local decide = require("decide")

local kTenant = "demo.callpark"
local kDevice = "udp:127.0.0.11:5060"

-- A request of 101 from outside, to which the test adds what it is about.
local function facts(changes)
  local f = {
    method = "INVITE", from_parkd = false, call_id = "c", cseq = 2, from_tag = "ft", display = "",
    source = { ip = "127.0.0.11", device = kDevice },
    from = { user = "101", host = kTenant }, to = { user = "102", host = kTenant },
    ruri = { user = "102", host = kTenant }, dialled = { text = "102", beginning = "102", clean = true },
    has_credentials = true, guesses = {}, has_replaces = false, trunk = false, event = "", waits = 0,
    identity = { status = "known", user = "101", display = "Alice" },
    own_places = { { ip = "192.0.2.1", port = 5060 }, { ip = "127.0.0.1", port = 5061 } }, is_behind_nat = false,
    contact_places = { { host = "127.0.0.11", ip = "127.0.0.11", port = 5060 } },
  }
  for name, value in pairs(changes) do f[name] = value end
  return f
end

local function number(text) return { text = text, beginning = text, clean = true } end

local extension = { number = "102", kind = "extension", action = "", enabled = 1, display_name = "Bob" }
local park_code = { number = "*70", kind = "park_code", action = "park", enabled = 1, display_name = "" }
local retrieve_code = { number = "*71", kind = "park_code", action = "retrieve", enabled = 1, display_name = "" }
local group_park_code = { number = "*58", kind = "park_code", action = "group_park", enabled = 1, display_name = "" }
local ring_group = { number = "600", kind = "ring_group", action = "", enabled = 1, display_name = "Sales" }
local park_number = { number = "7000", kind = "park_number", action = "", enabled = 1, display_name = "" }
local park_number_off = { number = "7000", kind = "park_number", action = "", enabled = 0, display_name = "" }
local orbit = { number = "7001", kind = "orbit", action = "", enabled = 1, display_name = "" }
local away = { away = true }

local function rings(place, strategy, member)
  return { place = place, strategy = strategy, ring_seconds = 30, member = member, enabled = 1, display_name = "" }
end
local bob_and_carol = { rings(1, "simultaneous", "102"), rings(1, "simultaneous", "103") }
local own_and_outside = { rings(1, "simultaneous", "101"), rings(2, "destination", "+4420") }
local trunk_row = { trunk = "t", address = "127.0.0.50", port = 5060, transport = "udp" }

local function call(a_kind, b_kind, b_aor)
  return {
    call_id = "c", confirmed = true,
    a = { tag = "ft", kind = a_kind, aor = a_kind == "extension" and "101@" .. kTenant or nil },
    b = { tag = "tt", kind = b_kind, aor = b_aor or b_kind == "extension" and "102@" .. kTenant or nil },
  }
end

local function refused(code, decision)
  assert.equal("refuse", decision.action)
  assert.equal(code, decision.code)
end

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
    local held = { record = { call_id = "h" }, side = "a", device = kDevice, since = 1 }
    local d = decide.request(facts({ number = park_code, held_calls = { held }, is_holding = false }))
    assert.same({ action = "feature_call", tenant = kTenant, user = "101", held = held }, d)
    assert.is_nil(decide.request(facts({ number = park_code, held_calls = {}, is_holding = false })).held)
  end)

  it("to a park code waits while a hold has no answer, though not for ever", function()
    local held = { record = { call_id = "h" }, side = "a", device = kDevice, since = 1 }
    local f = facts({ number = park_code, held_calls = { held }, is_holding = true })
    for waits = 0, 5 do
      f.waits = waits
      assert.same({ action = "wait_for_hold" }, decide.request(f))
    end
    f.waits = 6
    assert.equal(held, decide.request(f).held)
    f.waits, f.is_holding = 1, false
    assert.equal(held, decide.request(f).held)
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
    local held = { record = { call_id = "h" }, side = "a", device = kDevice, since = 1 }
    for _, row in ipairs({ group_park_code, park_number }) do
      local d = decide.request(facts({ number = row, held_calls = { held }, is_holding = false }))
      assert.same({ action = "feature_call", tenant = kTenant, user = "101", held = held }, d)
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
    assert.same({ kind = "ring_group", display = "Sales" }, d.callee)
    assert.equal(1, #d.steps)
    assert.equal("103@" .. kTenant, d.steps[1].parties[2].aor)
    assert.is_nil(d.trunk)
    refused(480, decide.request(facts({ number = ring_group, ring_group = { rings(1, "simultaneous", "101") } })))
    refused(480, decide.request(facts({ number = ring_group, ring_group = {} })))
  end)

  it("to a ring group asks for the trunk only when somebody outside is to be rung", function()
    local d = decide.request(facts({ number = ring_group, ring_group = own_and_outside, tenant_trunk = trunk_row }))
    assert.same({ trunk_row, 1 }, { d.trunk, #d.steps })
    refused(480, decide.request(facts({ number = ring_group, ring_group = own_and_outside, tenant_trunk = false })))
    refused(480, decide.request(facts({ number = ring_group, ring_group = own_and_outside, tenant_trunk = trunk_row,
      has_replaces = true })))
  end)

  it("beginning with a plus goes out by the trunk, whatever the number plan says", function()
    local trunk = { trunk = "demo", address = "127.0.0.50", port = 5060, transport = "udp" }
    local d = decide.request(facts({ dialled = number("+4420"), tenant_trunk = trunk, number = extension }))
    assert.same({ "to_trunk", "+4420", trunk }, { d.action, d.number, d.trunk })
    refused(404, decide.request(facts({ dialled = number("+4420"), tenant_trunk = false })))
    refused(404, decide.request(facts({ dialled = number("+44x"), tenant_trunk = trunk })))
    refused(403, decide.request(facts({ dialled = number("+4420"), tenant_trunk = trunk, has_replaces = true })))
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
  it("goes where the registration says, and not where the caller says", function()
    local registered = { number = "102", contact = "sip:102@10.0.0.12:5060", received = "sip:192.0.2.12:4000" }
    local ruri = { user = "102", host = "10.0.0.12", params = "alias=198.51.100.1~5060~1" }
    local d = decide.request(facts({ ruri = ruri, registered = registered }))
    assert.same({ "to_contact", registered.contact, registered.received }, { d.action, d.contact, d.received })
    registered.received = ""
    assert.is_nil(decide.request(facts({ ruri = ruri, registered = registered })).received)
  end)

  it("by parkd leads there too, and where nobody has registered it to the number", function()
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
  it("goes there when it is to take somebody's place", function()
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
    assert.equal("challenge", register({ has_credentials = false, to_tenant = { tenant = kTenant } }).action)
  end)

  it("with a Contact at a trunk, of whatever tenant, is refused, and so is one that comes from there", function()
    local contacts = { place("192.0.2.11"), place("198.51.100.1") }
    local d = register({ source = kElsewhere, contact_places = contacts, trunk_among = "unknown" })
    assert.same({ need = "trunk_among", about = { "192.0.2.11", "192.0.2.11", "198.51.100.1" } }, d)
    refused(403, register({ trunk_among = { trunk = "demo" } }))
    refused(503, register({ trunk_among = away }))
  end)

  it("asks about trunks also for a phone behind NAT, whose Contact may have a name", function()
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

  it("that takes all Contacts back needs none, and one that cannot be read is refused", function()
    assert.equal("register", register({ contact_places = {} }).action)
    refused(400, register({ contact_places = "unknown" }))
  end)
end)

describe("a REFER", function()
  local function refer(changes)
    local f = facts({ method = "REFER", to_tag = "tt", marker = false, call = call("extension", "extension"),
      refer_to = { user = "*70", host = kTenant }, refer_number = park_code, is_known_call = true })
    for name, value in pairs(changes or {}) do f[name] = value end
    return f
  end

  it("to a park code goes to parkd with a marker", function()
    local d = decide.request(refer())
    assert.same({ action = "refer", tenant = kTenant, user = "101", side = "a", marker = true }, d)
  end)

  it("to parkd itself (an attended transfer names its Contact) too", function()
    local to_parkd = { user = "parkd", host = "127.0.0.1", is_parkd = true }
    local d = decide.request(refer({ refer_to = to_parkd, marker = { floor = 0 } }))
    assert.same({ "refer", true }, { d.action, d.marker })
    d = decide.request(refer({ refer_to = to_parkd, call = call("extension", "trunk") }))
    assert.same({ "refer", true }, { d.action, d.marker })
  end)

  it("to parkd itself in a call that parkd does not have is for the other phone to follow", function()
    local to_parkd = { user = "parkd", host = "127.0.0.1", is_parkd = true }
    assert.equal("within_dialog", decide.request(refer({ refer_to = to_parkd })).action)
  end)

  it("in a call with parkd needs no marker", function()
    local own = { host = "127.0.0.1", is_parkd = true }
    local d = decide.request(refer({ call = false, from_tenant = { tenant = kTenant }, ruri = own }))
    assert.same({ "refer", nil }, { d.action, d.marker })
  end)

  it("works without a record of the call", function()
    local d = decide.request(refer({ call = false, from_tenant = { tenant = kTenant } }))
    assert.same({ "refer", true, nil }, { d.action, d.marker, d.side })
    d = decide.request(refer({ call = false, from_tenant = false, to_tenant = { tenant = kTenant },
      from = { user = "101", host = "127.0.0.1" } }))
    assert.equal(kTenant, d.tenant)
  end)

  it("to a code that parks in the group, a park number or an orbit does too", function()
    for _, row in ipairs({ group_park_code, park_number, orbit }) do
      local d = decide.request(refer({ refer_number = row }))
      assert.same({ "refer", true }, { d.action, d.marker })
    end
  end)

  it("in a call of parkd to a ring group is known by its members", function()
    local own = { host = "127.0.0.1", is_parkd = true }
    local function as(user)
      return decide.request(refer({ call = false, from_tenant = { tenant = kTenant }, ruri = own,
        from = { user = "600", host = kTenant }, identity = { status = "known", user = user },
        ring_group = bob_and_carol, own_contact = false }))
    end
    assert.same({ "refer", "102" }, { as("102").action, as("102").user })
    refused(481, as("104"))
    refused(481, decide.request(refer({ call = false, from_tenant = { tenant = kTenant },
      from = { user = "600", host = kTenant }, identity = { status = "known", user = "102" } })))
  end)

  it("in a call of parkd to a Contact is known by whose that is", function()
    local own = { host = "127.0.0.1", is_parkd = true }
    local function with(own_contact, ruri)
      return decide.request(refer({ call = false, from_tenant = { tenant = kTenant }, ruri = ruri or own,
        from = { user = "102-0x5f", host = kTenant }, identity = { status = "known", user = "102" },
        ring_group = {}, own_contact = own_contact }))
    end
    assert.same({ need = "own_contact", about = kTenant }, with(nil))
    local d = with({ contact = "sip:102-0x5f@10.0.0.12:5060" })
    assert.same({ "refer", "102", kTenant }, { d.action, d.user, d.tenant })
    refused(481, with(false))
    refused(503, with({ away = true }))
    refused(481, with({ contact = "sip:102-0x5f@10.0.0.12:5060" }, { user = "103", host = "10.0.0.13" }))
  end)

  it("to a retrieve code, a number, or a code of another domain is an ordinary transfer", function()
    for _, case in ipairs({ { refer_number = retrieve_code }, { refer_number = extension }, { refer_number = false },
      { refer_number = ring_group }, { refer_number = park_number_off },
      { refer_to = { user = "*70", host = "other.callpark" } } }) do
      assert.equal("within_dialog", decide.request(refer(case)).action)
    end
  end)

  it("of who is no party, or not that one, is 481", function()
    refused(481, decide.request(refer({ identity = { status = "known", user = "105" } })))
    refused(481, decide.request(refer({ identity = { status = "known", user = "102" } })))
  end)

  it("says 400 when Refer-To is missing", function() refused(400, decide.request(refer({ refer_to = false }))) end)
end)

----- lamps

local function subscription(user)
  return { uri = "sip:*88102@" .. kTenant, user = user, domain = kTenant, event = "dialog" }
end

-- What 101 wants to watch; `row` is what the number is.
local function watch(text, row, changes)
  local f = facts({ method = "SUBSCRIBE", event = "dialog", dialled = number(text), number = row })
  f.ruri = { user = text, host = kTenant }
  for name, value in pairs(changes or {}) do f[name] = value end
  return decide.request(f)
end

describe("a SUBSCRIBE for a lamp", function()
  it("is taken for an extension, an orbit of a range, and what is dialled to retrieve", function()
    assert.same({ action = "watch_lamp", user = "102", tenant = kTenant, watcher = "101", is_extension = true },
      watch("102", extension))
    assert.equal("watch_lamp", watch("7001", orbit).action)
    assert.equal("watch_lamp", watch("*71*7250", retrieve_code).action)
    assert.equal("watch_lamp", watch("*71102", retrieve_code, { orbit_number = extension }).action)
    assert.equal("watch_lamp", watch("*717001", retrieve_code, { orbit_number = orbit }).action)
    assert.is_false(watch("*71102", retrieve_code, { orbit_number = extension }).is_extension)
  end)

  it("asks what stands behind the code", function()
    assert.same({ need = "orbit_number", about = { tenant = kTenant, number = "102" } }, watch("*71102", retrieve_code))
  end)

  it("is 404 for a number that has none", function()
    refused(404, watch("999", false))
    refused(404, watch("*70102", park_code))
    refused(404, watch("600", ring_group))
    refused(404, watch("7000", park_number))
    refused(404, watch("*71", retrieve_code, { orbit_number = false }))
    refused(404, watch("*71999", retrieve_code, { orbit_number = false }))
    refused(404, watch("*71*12", retrieve_code, { orbit_number = false }))
    refused(404, watch("*71*123456789", retrieve_code, { orbit_number = false }))
  end)

  it("is 403 from a trunk, for another tenant and in another's name", function()
    refused(403, watch("102", extension, { trunk = { enabled = 1 } }))
    refused(403, watch("102", extension, { ruri = { user = "102", host = "other.callpark" } }))
    refused(403, watch("102", extension, { identity = { status = "known", user = "103" } }))
  end)

  it("is challenged", function()
    assert.equal("challenge", watch("102", extension, { has_credentials = false, from_tenant = {} }).action)
  end)

  it("for another event is told which there are", function()
    assert.equal("refuse_event", watch("102", extension, { event = "presence" }).action)
  end)

  it("for the call-park notification goes to parkd", function()
    assert.same({ action = "subscribe_at_parkd", tenant = kTenant, user = "101" },
      watch("102", extension, { event = "call-info" }))
    refused(404, watch("*88102", retrieve_code, { event = "call-info" }))
  end)
end)

describe("a SUBSCRIBE within its dialog", function()
  local function again(changes)
    local f = facts({ method = "SUBSCRIBE", event = "dialog", to_tag = "tt", subscription = subscription("101") })
    f.ruri = { host = "127.0.0.1", is_ours = true }
    for name, value in pairs(changes or {}) do f[name] = value end
    return decide.request(f)
  end

  it("renews what the same user has subscribed to", function()
    assert.same({ action = "watch_lamp_again", uri = "sip:*88102@" .. kTenant, watcher = "101", tenant = kTenant },
      again())
  end)

  it("is refused to others, unknown dialogs and without a password", function()
    refused(403, again({ identity = { status = "known", user = "102" } }))
    refused(481, again({ subscription = false }))
    assert.equal("challenge", again({ has_credentials = false }).action)
  end)

  it("goes to parkd in the name of its user when it is parkd's", function()
    local parkd = { event = "call-info", ruri = { user = "parkd", host = "127.0.0.1", is_parkd = true } }
    assert.same({ action = "to_parkd", tenant = kTenant, user = "101" }, again(parkd))
    parkd.identity = { status = "known", user = "102" }
    refused(403, again(parkd))
  end)

  it("about anything else belongs to those who talk", function()
    assert.same({ need = "marker" }, again({ event = "refer" }))
  end)
end)

describe("a PUBLISH", function()
  local function publish(changes)
    local f = facts({ method = "PUBLISH", event = "dialog", from_parkd = true, inside_tenant = kTenant,
      dialled = number("*88102"), ruri = { user = "*88102", host = kTenant } })
    for name, value in pairs(changes or {}) do f[name] = value end
    return decide.request(f)
  end

  it("is parkd's", function()
    assert.same({ action = "publish", user = "*88102", tenant = kTenant }, publish())
    refused(403, publish({ from_parkd = false }))
  end)

  it("is for a lamp of the tenant that is named", function()
    refused(403, publish({ inside_tenant = false }))
    refused(403, publish({ ruri = { user = "*88102", host = "other.callpark" } }))
    assert.equal("refuse_event", publish({ event = "presence" }).action)
  end)
end)

-- Everything that can be asked for, with every answer. A walk follows each of them.
local rows_away = { false, away }
local answers = {
  given_up = { true, false },
  marker = { false, { floor = 2 }, { floor = 3 } },
  call = { false, call("extension", "extension"), call("extension", "trunk"), call("trunk", "extension"),
    call("extension", "extension", "101@other.callpark") },
  is_known_call = { true, false },
  trunk = { false, away, { enabled = 1 }, { enabled = "0" } },
  from_tenant = { { tenant = kTenant }, unpack(rows_away) },
  to_tenant = { { tenant = kTenant }, unpack(rows_away) },
  identity = { { status = "known", user = "101" }, { status = "known", user = "102" }, { status = "absent" },
    { status = "stale" }, { status = "wrong" }, { status = "database_away" } },
  did = { { tenant = kTenant, number = "102", kind = "extension", enabled = 1 },
    { tenant = kTenant, number = "600", kind = "ring_group", enabled = 1 }, unpack(rows_away) },
  orbit_from_trunk = { { tenant = kTenant, trunk = "site-b" }, unpack(rows_away) },
  number = { extension, park_code, retrieve_code, { number = "102", kind = "extension", enabled = 0 },
    group_park_code, ring_group, park_number, park_number_off, orbit, unpack(rows_away) },
  refer_number = { extension, park_code, retrieve_code, group_park_code, ring_group, park_number, park_number_off,
    orbit, unpack(rows_away) },
  ring_group = { {}, bob_and_carol, own_and_outside, away },
  guesses = { {}, { 31, 31 } },
  registered = { { number = "103", contact = "sip:103@127.0.0.13", received = "" }, unpack(rows_away) },
  own_contact = { { contact = "sip:101-0x5f@127.0.0.11" }, unpack(rows_away) },
  trunk_among = { { trunk = "demo" }, unpack(rows_away) },
  tenant_trunk = { trunk_row, unpack(rows_away) },
  is_holding = { true, false },
  held_calls = { {}, { { record = { call_id = "h" }, side = "a", device = kDevice, since = 1 } } },
  orbit_number = { extension, orbit, ring_group, park_code, unpack(rows_away) },
  subscription = { subscription("101"), subscription("103"), unpack(rows_away) },
}

local methods = { "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "MESSAGE", "REFER", "NOTIFY", "UPDATE",
  "PRACK", "INFO", "SUBSCRIBE", "PUBLISH", "WHATEVER" }
local targets = {
  { user = "102", host = kTenant }, { user = "102", host = "127.0.0.1", is_ours = true },
  { user = "102", host = "other.callpark" }, { user = "parkd", host = "127.0.0.1", is_parkd = true },
}
local dialled_numbers = { number("102"), number("+4420"), number("+44x"),
  { text = "*70'", beginning = "*70", clean = false }, false }
local referred = { false, { user = "*70", host = kTenant }, { user = "parkd", host = "127.0.0.1", is_parkd = true },
  { user = "*70", host = "other.callpark" }, { host = kTenant } }

local kNeedsMax = 9

local function walk(f, asked, visit)
  local d = decide.request(f)
  if not d.need then return visit(f, d) end
  assert.is_truthy(answers[d.need], "asks for " .. tostring(d.need))
  assert.is_nil(f[d.need], "asks twice for " .. d.need)
  assert.is_true(asked < kNeedsMax)
  for _, answer in ipairs(answers[d.need]) do
    local g = {}
    for name, value in pairs(f) do g[name] = value end
    g[d.need] = answer
    walk(g, asked + 1, visit)
  end
end

local events = { SUBSCRIBE = { "dialog", "call-info", "refer" }, PUBLISH = { "dialog", "presence" } }

-- Each method, with each event package where it has one.
local kinds = {}
for _, method in ipairs(methods) do
  for _, event in ipairs(events[method] or { "" }) do kinds[#kinds + 1] = { method = method, event = event } end
end

local function each_request(visit)
  for _, kind in ipairs(kinds) do
    local method = kind.method
    for _, from_parkd in ipairs({ true, false }) do
      for _, to_tag in ipairs({ false, "tt" }) do
        for _, target in ipairs(targets) do
          for _, dialled in ipairs(dialled_numbers) do
            for _, credentials in ipairs({ true, false }) do
              for _, refer_to in ipairs(method == "REFER" and referred or { false }) do
                for _, has_replaces in ipairs(method == "INVITE" and { true, false } or { false }) do
                  local f = facts({ method = method, from_parkd = from_parkd, ruri = target, dialled = dialled,
                    has_credentials = credentials, refer_to = refer_to, has_replaces = has_replaces,
                    is_udp = has_replaces or method == "BYE",
                    inside_tenant = from_parkd and kTenant or nil, event = kind.event })
                  f.to_tag = to_tag or nil
                  f.trunk, f.identity, f.guesses = nil, nil, nil
                  walk(f, 0, visit)
                end
              end
            end
          end
        end
      end
    end
  end
end

local function is_known(f) return f.identity ~= nil and f.identity.status == "known" end
local function is_trunk(f) return f.trunk ~= nil and f.trunk ~= false end

describe("every request there can be", function()
  it("is decided upon, in a way that perform.lua knows", function()
    local actions, count = {}, 0
    each_request(function(_, d)
      actions[d.action] = true
      count = count + 1
    end)
    local names = {}
    for name in pairs(actions) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "adopted", "answer_options", "cancel", "challenge", "drop", "feature_call", "parkd_within_dialog",
      "publish", "refer", "refuse", "refuse_event", "register", "subscribe_at_parkd", "to_contact", "to_extension",
      "to_parkd", "to_ring_group", "to_trunk", "wait_for_earlier_refer", "wait_for_hold", "watch_lamp",
      "watch_lamp_again", "within_dialog" }, names)
    assert.is_true(count > 5000)
  end)

  it("gets to parkd, to a trunk or into the registrar only from who is known", function()
    local guarded = { feature_call = true, refer = true, to_trunk = true, register = true, to_contact = true }
    each_request(function(f, d)
      local is_other_site = d.action == "feature_call" and is_trunk(f)
      if guarded[d.action] and not f.from_parkd and not is_other_site then
        assert.is_true(is_known(f) and f.has_credentials)
        assert.is_false(is_trunk(f))
      end
      local rings_somebody = d.action == "to_extension" or d.action == "to_ring_group"
      if rings_somebody and not f.from_parkd then assert.is_true(is_known(f) or is_trunk(f)) end
    end)
  end)

  it("to a ring group rings others than the caller, in the tenant, or outside by the trunk", function()
    each_request(function(f, d)
      if d.action ~= "to_ring_group" then return end
      assert.is_true(#d.steps > 0)
      for _, step in ipairs(d.steps) do
        assert.is_true(#step.parties > 0)
        for _, party in ipairs(step.parties) do
          if party.kind == "trunk" then
            assert.is_truthy(d.trunk)
            assert.is_false(f.has_replaces)
          else
            assert.is_truthy(party.aor:find("@" .. kTenant, 1, true))
            assert.is_false(d.caller ~= nil and d.caller.aor == party.aor)
          end
        end
      end
    end)
  end)

  it("that is to park an own call has a call to park, or asks parkd to say that there is none", function()
    local parks = { [park_code] = true, [group_park_code] = true, [park_number] = true }
    each_request(function(f, d)
      if d.action == "feature_call" then assert.equal(parks[f.number] == true, f.held_calls ~= nil) end
      if d.action == "refer" and f.refer_number and not f.marker and not f.ruri.is_parkd then
        assert.is_true(parks[f.refer_number] or f.refer_number == orbit)
        assert.is_true(d.marker)
      end
    end)
  end)

  it("of an extension is in its own name", function()
    each_request(function(f, d)
      if is_known(f) and (d.action == "feature_call" or d.action == "to_trunk" or d.action == "register") then
        assert.equal(d.action == "register" and f.to.user or f.from.user, f.identity.user)
      end
      if d.action == "refer" and f.call then
        assert.equal(f.call[d.side].aor, d.user .. "@" .. d.tenant)
        assert.equal(f.call[d.side].tag, f.from_tag)
      end
    end)
  end)

  it("stays in its tenant", function()
    each_request(function(_, d)
      if d.aor then assert.is_truthy(d.aor:find("@" .. kTenant, 1, true)) end
      if d.tenant then assert.is_true(d.tenant == kTenant or d.tenant == "other.callpark" and d.action == "refer") end
    end)
  end)

  it("that is a REFER reaches no trunk, and none comes from one", function()
    each_request(function(f, d)
      if f.method ~= "REFER" or f.from_parkd then return end
      if d.action == "within_dialog" then assert.equal("extension", f.call.b.kind) end
      if d.action ~= "refuse" and f.call then assert.equal("extension", f.call.a.kind) end
    end)
  end)

  it("of a marked parker goes to parkd, except ACKs from before", function()
    each_request(function(f, d)
      if not f.marker or f.method == "REFER" then return end
      local before = f.method == "ACK" and f.cseq < f.marker.floor
      if not before then
        assert.equal("adopted", d.action)
        assert.equal(f.method == "BYE", d.ends_record)
      else
        assert.not_equal("adopted", d.action)
      end
    end)
  end)

  it("that is a BYE over UDP gives an earlier REFER its time, once", function()
    each_request(function(f, d)
      if d.action == "wait_for_earlier_refer" then
        assert.same({ "BYE", false, false }, { f.method, f.marker, f.from_parkd })
        local at_last = f.ruri.is_parkd and "to_parkd" or "within_dialog"
        f.waits = 1
        assert.equal(at_last, decide.request(f).action)
        f.waits, f.is_udp = 0, false
        assert.equal(at_last, decide.request(f).action)
      end
      if f.method == "BYE" and f.is_udp and f.waits == 0 and not f.from_parkd then
        assert.is_true(d.action ~= "within_dialog" and d.action ~= "to_parkd")
      end
    end)
  end)

  it("of a trunk gets to parkd only where a range lets trunks retrieve", function()
    each_request(function(f, d)
      if d.action ~= "feature_call" or not is_trunk(f) then return end
      assert.same({ kTenant, "site-b" }, { d.tenant, d.trunk })
      assert.same({ "INVITE", false }, { f.method, f.did })
      assert.is_nil(d.user)
      assert.is_nil(d.held)
    end)
  end)

  it("of a marked parker that is a REFER holds the marker once more", function()
    each_request(function(f, d)
      if f.marker and d.action == "refer" and not f.ruri.is_parkd then assert.is_true(d.marker) end
    end)
  end)

  it("of parkd in a call that was given up changes nothing", function()
    each_request(function(f, d)
      if not f.given_up then return end
      if f.method == "ACK" then assert.equal("drop", d.action) else refused(481, d) end
    end)
  end)

  it("within no known call gets 481, and its ACK nothing", function()
    each_request(function(f, d)
      if f.is_known_call ~= false then return end
      if f.method == "ACK" then assert.equal("drop", d.action) else refused(481, d) end
    end)
  end)

  it("is 503 when the answer that it needs is not to be had", function()
    each_request(function(f, d)
      for name in pairs(answers) do
        if f[name] == away then refused(503, d) end
      end
      if f.identity and f.identity.status == "database_away" then refused(503, d) end
    end)
  end)

  it("is challenged with stale only when the nonce was", function()
    each_request(function(f, d)
      if d.action ~= "challenge" then return end
      assert.equal(f.identity ~= nil and f.identity.status == "stale", d.stale == true)
      assert.equal(f.identity ~= nil and f.identity.status == "wrong", d.wrong == true)
    end)
  end)
end)
