local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts = requests.facts
local extension = requests.extension
local park_code = requests.park_code
local retrieve_code = requests.retrieve_code
local group_park_code = requests.group_park_code
local ring_group = requests.ring_group
local park_number = requests.park_number
local park_number_off = requests.park_number_off
local orbit = requests.orbit
local bob_and_carol = requests.bob_and_carol
local call = requests.call
local refused = requests.refused

describe("a REFER", function()
  local function refer(changes)
    local f = facts({ method = "REFER", to_tag = "tt", marker = false, is_other = false,
      call = call("extension", "extension"),
      refer_to = { user = "*70", host = kTenant }, refer_number = park_code })
    requests.seal(f, "a", true)
    for name, value in pairs(changes or {}) do f[name] = value end
    return f
  end

  it("to a park code goes to parkd with a marker", function()
    local d = decide.request(refer())
    assert.same({ "refer", kTenant, "101", "a" }, { d.action, d.tenant, d.user, d.side })
    assert.same({ call_id = "c", tag = "ft", floor = 2 }, d.marker)
    assert.equal("tt", d.other_tag)
  end)

  it("to parkd itself (an attended transfer names its Contact) too", function()
    local to_parkd = { user = "parkd", host = "127.0.0.1", is_parkd = true }
    local d = decide.request(refer({ refer_to = to_parkd, marker = { floor = 0 } }))
    assert.same({ "refer", "ft" }, { d.action, d.marker.tag })
    d = decide.request(refer({ refer_to = to_parkd, call = call("extension", "trunk") }))
    assert.same({ "refer", "ft" }, { d.action, d.marker.tag })
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

  it("X2 without a record of the call does not park, and transfers to a number", function()
    refused(603, decide.request(refer({ call = false })))
    local d = decide.request(refer({ call = false, refer_number = extension, from = { host = "192.0.2.60" } }))
    assert.equal("within_dialog", d.action)
  end)

  it("X46 above what parkd can do is 503 before a password is looked at", function()
    local function without_password(changes)
      local f = refer({ has_credentials = false, park_rate = 18, parks_this_second = 19 })
      for name, value in pairs(changes or {}) do f[name] = value end
      return decide.request(f)
    end
    local d = without_password()
    assert.same({ "refuse", 503, true }, { d.action, d.code, d.retry_after > 0 })
    assert.equal("challenge", without_password({ parks_this_second = 18 }).action)
    assert.equal("challenge", without_password({ park_rate = false }).action)
    assert.equal("challenge", without_password({ refer_number = extension }).action, "an ordinary transfer")
    assert.equal("challenge", without_password({ refer_to = { user = "*70", host = "other.callpark" } }).action)
    assert.equal("refer", without_password({ has_credentials = true }).action)
  end)

  it("to a code that parks in the group, a park number or an orbit does too", function()
    for _, row in ipairs({ group_park_code, park_number, orbit }) do
      local d = decide.request(refer({ refer_number = row }))
      assert.same({ "refer", "ft" }, { d.action, d.marker.tag })
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
    refused(481, decide.request(refer({ call = false, identity = { status = "known", user = "102" } })))
  end)

  it("F2 in a call of parkd to a call flow is known by the extensions that it may ring", function()
    local own = { host = "127.0.0.1", is_parkd = true }
    local function as(user, may_ring)
      local f = refer({ call = false, from_tenant = { tenant = kTenant }, ruri = own,
        from = { user = "300", host = kTenant }, identity = { status = "known", user = user },
        ring_group = {}, own_contact = false })
      f.may_ring = may_ring
      return decide.request(f)
    end
    assert.same({ need = "may_ring", about = { tenant = kTenant, number = "300", extension = "102" } }, as("102", nil))
    assert.same({ "refer", "102" }, { as("102", true).action, as("102", true).user })
    refused(481, as("104", false))
    refused(503, as("104", { away = true }))
  end)

  it("F2 in a call of parkd stays the extension that the Route names, though the call flow was edited", function()
    local own = { host = "127.0.0.1", is_parkd = true }
    local function as(user)
      local f = refer({ call = false, from_tenant = { tenant = kTenant }, ruri = own,
        from = { user = "300", host = kTenant }, identity = { status = "known", user = user },
        ring_group = {}, own_contact = false })
      f.path.call = { sender = "b", a = { kind = "parkd" }, b = { kind = "extension", aor = "102@" .. kTenant } }
      f.may_ring = false
      return decide.request(f)
    end
    assert.same({ "refer", "102" }, { as("102").action, as("102").user })
    refused(481, as("104"))
  end)

  it("in a call of parkd to a Contact is known by the extension of that Contact", function()
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
      { refer_number = requests.call_flow }, { refer_number = requests.call_flow_code },
      { refer_to = { user = "*70", host = "other.callpark" } } }) do
      assert.equal("within_dialog", decide.request(refer(case)).action)
    end
  end)

  it("of an extension that is no party, or the other one, is 481", function()
    refused(481, decide.request(refer({ identity = { status = "known", user = "105" } })))
    refused(481, decide.request(refer({ identity = { status = "known", user = "102" } })))
  end)

  it("is 400 if Refer-To is missing", function() refused(400, decide.request(refer({ refer_to = false }))) end)
end)
