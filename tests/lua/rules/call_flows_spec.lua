-- Calls to the main number and to the code of a call flow.
local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts, refused = requests.facts, requests.refused
local extension, ring_group, trunk_row = requests.extension, requests.ring_group, requests.trunk_row

local to_bob = { number = "102", row = extension }
local to_group = { number = "600", row = ring_group }
local outside = { number = "+4420" }

-- A call of 101 to 300, which leads to `to`.
local function call(to, changes)
  local f = facts({ dialled = requests.number("300"), ruri = { user = "300", host = kTenant },
    number = requests.call_flow, call_flow = to })
  for name, value in pairs(changes or {}) do f[name] = value end
  return decide.request(f)
end

local function by_parkd(to, changes)
  local f = { from_parkd = true, inside_tenant = kTenant }
  for name, value in pairs(changes or {}) do f[name] = value end
  return call(to, f)
end

local function by_trunk(to, changes)
  local did = { tenant = kTenant, trunk = "demo", number = "300", kind = "call_flow", enabled = 1, display_name = "" }
  local f = { trunk = { enabled = 1 }, did = did, dialled = requests.number("+4930"), display = "", withheld = false }
  for name, value in pairs(changes or {}) do f[name] = value end
  return call(to, f)
end

describe("a call to a call flow", function()
  it("F2 asks where it leads now", function()
    assert.same({ need = "call_flow", about = { tenant = kTenant, number = "300" } }, call(nil))
    refused(503, call({ away = true }))
  end)

  it("F2 rings an extension like a call to it", function()
    local d = call(to_bob)
    assert.same({ "to_extension", "102@" .. kTenant }, { d.action, d.aor })
    assert.same({ kind = "extension", aor = "102@" .. kTenant, display = "Bob" }, d.callee)
    assert.is_true(d.setup.is_followed)
    assert.is_nil(d.reports_callee)
    refused(480, call({ number = "102", row = { number = "102", kind = "extension", enabled = 0 } }))
  end)

  it("F2 rings a ring group like a call to it", function()
    assert.same({ need = "ring_group", about = { tenant = kTenant, number = "600" } }, call(to_group))
    local d = call(to_group, { ring_group = requests.bob_and_carol })
    assert.same({ "to_ring_group", "600", 1 }, { d.action, d.callee.number, #d.steps })
  end)

  it("F2 goes to an outside number as if it were dialled", function()
    assert.same({ need = "trunks_to", about = { tenant = kTenant, numbers = { "+4420" } } }, call(outside))
    local d = call(outside, { trunks_to = requests.trunks_to })
    assert.same({ "to_trunk", "+4420", { trunk_row }, "+4420" }, { d.action, d.number, d.trunks, d.callee.outside })
    refused(404, call(outside, { trunks_to = false }))
    refused(403, call(outside, { trunks_to = requests.trunks_to, has_replaces = true }))
    refused(503, call(outside, { trunks_to = requests.trunks_to, calls_under_way = { 50, 50 } }))
  end)

  it("F2 is hung up with the status of the reason", function()
    for reason, code in pairs({ busy = 486, not_found = 404, unavailable = 480, declined = 603, other = 404 }) do
      refused(code, call({ hangup = reason }))
      refused(code, by_trunk({ hangup = reason }))
      refused(code, by_parkd({ hangup = reason }))
    end
  end)

  it("F2 is 404 if the flow, or one that it leads to, is disabled", function()
    refused(404, call(to_bob, { number = requests.call_flow_off }))
    refused(404, call(false))
    refused(404, by_trunk(false))
    local did_off = { tenant = kTenant, number = "300", kind = "call_flow", enabled = 0 }
    refused(404, by_trunk(to_bob, { did = did_off }))
  end)

  it("F2 accepts no text", function() refused(405, call(to_bob, { method = "MESSAGE" })) end)

  it("F2 by a DID rings, or is forwarded", function()
    local d = by_trunk(to_bob)
    assert.same({ "to_extension", "102@" .. kTenant, "trunk" }, { d.action, d.aor, d.caller.kind })
    d = by_trunk(outside, { trunks_to = requests.trunks_to })
    assert.same({ "to_trunk", "+4420", "trunk" }, { d.action, d.number, d.caller.kind })
    assert.is_true(d.setup.is_followed)
  end)

  it("R4 B4 of parkd reports the extension, since its requests name it, or the number outside", function()
    local d = by_parkd(to_bob)
    assert.same({ "to_extension", true }, { d.action, d.reports_callee })
    assert.is_false(d.setup.is_followed)
    d = by_parkd(outside, { trunks_to = requests.trunks_to })
    assert.same({ "to_trunk", true, "+4420" }, { d.action, d.reports_callee, d.callee.outside })
    assert.is_true(d.setup.is_counted)
    assert.is_nil(by_parkd(nil, { number = extension }).reports_callee)
  end)

  it("F2 of a ring group that no member answers is hung up with the reason of the flow behind it", function()
    local rows = { requests.bob_and_carol[1], { hangup = "declined" } }
    local d = call(nil, { number = ring_group, ring_group = rows })
    assert.same({ "to_ring_group", 1, 603 }, { d.action, #d.steps, d.otherwise.code })
    refused(603, call(nil, { number = ring_group, ring_group = { { hangup = "declined" } } }))
    assert.is_nil(call(nil, { number = ring_group, ring_group = requests.bob_and_carol }).otherwise)
  end)
end)

describe("a destination that is an orbit", function()
  local orbit, orbit_of_trunks = requests.orbit, requests.orbit_of_trunks
  local to_orbit, to_orbit_of_trunks = { number = "7001", row = orbit }, { number = "7101", row = orbit_of_trunks }
  local from_101 = { action = "feature_call", tenant = kTenant, user = "101", name = "Alice", number = "7001" }
  local from_trunk = { action = "feature_call", tenant = kTenant, trunk = "demo", number = "7101" }

  it("F2 is retrieved from by an extension as if it had dialled it", function()
    assert.same(from_101, call(to_orbit))
    local dialled = call(nil, { dialled = requests.number("7001"), number = orbit })
    dialled.number = "7001"
    assert.same(dialled, call(to_orbit))
    assert.is_nil(call(to_orbit, { display = "Alice A." }).name, "its phone has sent one")
    refused(405, call(to_orbit, { method = "MESSAGE" }))
  end)

  it("F2 is retrieved from by a trunk if the range lets it, else 404 as dialled", function()
    assert.same(from_trunk, by_trunk(to_orbit_of_trunks))
    refused(404, by_trunk(to_orbit))
  end)

  it("F2 is reached by a DID alone, too", function()
    local function did(row)
      return { tenant = kTenant, trunk = "demo", number = row.number, kind = "orbit", from_trunks = row.from_trunks }
    end
    assert.same(from_trunk, by_trunk(nil, { did = did(orbit_of_trunks) }))
    refused(404, by_trunk(nil, { did = did(orbit) }))
  end)

  it("F2 is 404 for parkd, as the orbit itself", function()
    refused(404, by_parkd(to_orbit))
    refused(404, by_parkd(to_orbit_of_trunks))
  end)

  it("F2 follows the members of a ring group", function()
    local rows = { requests.bob_and_carol[1], { orbit = orbit } }
    local did = { tenant = kTenant, trunk = "demo", number = "600", kind = "ring_group", enabled = 1,
      display_name = "" }
    local function group(list, by) return by(nil, { number = ring_group, ring_group = list, did = did }) end
    local d = group(rows, call)
    assert.same({ "to_ring_group", 1, from_101 }, { d.action, #d.steps, d.behind })
    assert.same(from_101, group({ { orbit = orbit } }, call))
    assert.same(from_trunk, group({ rows[1], { orbit = orbit_of_trunks } }, by_trunk).behind)
    for _, by in ipairs({ by_trunk, by_parkd }) do
      assert.same({ "to_ring_group", nil }, { group(rows, by).action, group(rows, by).behind })
      refused(404, group({ { orbit = orbit } }, by))
    end
  end)

  it("B1 is no question of an incoming call: parkd asks about the retrieve", function()
    local hook = { error_permits = true, budget_ms = 800 }
    assert.same(from_101, call(to_orbit, { billing_hook = hook }))
    assert.same(from_trunk, by_trunk(to_orbit_of_trunks, { billing_hook = hook }))
  end)
end)

describe("the billing system of a tenant", function()
  local hook = { error_permits = true, budget_ms = 800 }

  local function called(d) return d.question.call.called end

  it("B1 is asked about the extension that a call flow leads to", function()
    assert.equal("102", called(call(to_bob, { billing_hook = hook })))
    local d = by_trunk(to_bob, { billing_hook = hook })
    assert.same({ "ask_billing", "102", "demo" }, { d.action, called(d), d.question.call.trunk })
  end)

  it("B1 is asked about an outside number only if a trunk is forwarded to it", function()
    assert.equal("to_trunk", call(outside, { billing_hook = hook, trunks_to = requests.trunks_to }).action)
    local d = by_trunk(outside, { billing_hook = hook, trunks_to = requests.trunks_to })
    assert.same({ "ask_billing", "+4420", "demo" }, { d.action, called(d), d.question.call.trunk })
  end)

  it("B1 is not asked about a call that the flow hangs up", function()
    refused(486, by_trunk({ hangup = "busy" }, { billing_hook = hook }))
  end)
end)

describe("the code of a call flow", function()
  local function dial(text, changes)
    local f = facts({ dialled = requests.number(text), number = requests.call_flow_code })
    for name, value in pairs(changes or {}) do f[name] = value end
    return decide.request(f)
  end

  it("F3 goes to parkd as SQL has it, with the extension and without a held call", function()
    for _, text in ipairs({ "*30", "flow+*30" }) do
      assert.same({ action = "feature_call", tenant = kTenant, user = "101", name = "Alice", number = "*30" },
        dial(text))
    end
  end)

  it("F3 is for INVITEs of extensions alone", function()
    refused(405, dial("*30", { method = "MESSAGE" }))
    refused(404, dial("*30", { from_parkd = true, inside_tenant = kTenant }))
    refused(404, dial("*30", { trunk = { enabled = 1 }, did = false, orbit_from_trunk = false }))
    assert.equal("challenge", dial("*30", { has_credentials = false, from_tenant = {} }).action)
  end)

  it("F3 is 404 if the call flow is disabled", function()
    local off = { number = "*30", kind = "call_flow_code", action = "", enabled = 0, display_name = "" }
    refused(404, dial("*30", { number = off }))
  end)
end)
