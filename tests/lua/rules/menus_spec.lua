-- Calls to the number of a menu or of an announcement, which parkd answers for any caller.
local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts, refused = requests.facts, requests.refused
local menu, announcement = requests.menu, requests.announcement
local bob_and_carol, trunk_row = requests.bob_and_carol, requests.trunk_row

local function changed(f, changes)
  for name, value in pairs(changes or {}) do f[name] = value end
  return f
end

-- A call of 101 to `row`.
local function call(row, changes)
  return decide.request(facts(changed({ dialled = requests.number(row.number),
    ruri = { user = row.number, host = kTenant }, number = row }, changes)))
end

local function by_parkd(row, changes)
  return call(row, changed({ from_parkd = true, inside_tenant = kTenant, inside_caller = "103@" .. kTenant }, changes))
end

-- A call to a DID that leads to `row`.
local function by_trunk(row, changes)
  local did = { tenant = kTenant, trunk = "demo", number = row.number, kind = row.kind, enabled = row.enabled,
    display_name = "" }
  return call(row, changed({ trunk = { enabled = 1 }, did = did, dialled = requests.number("+4930"),
    from = { user = "+4420", host = "192.0.2.10" }, display = "Zoe", withheld = false }, changes))
end

local from_101 = { action = "feature_call", tenant = kTenant, user = "101", name = "Alice", number = "500" }
local from_trunk = { action = "feature_call", tenant = kTenant, trunk = "demo", number = "500", dialled = "+4930" }

-- The same call by way of `row`.
local function led_by(row)
  return { action = "feature_call", tenant = kTenant, user = "101", name = "Alice", number = "500",
    dialled = row.number }
end

describe("a call to a menu", function()
  it("F6 goes to parkd with the extension and its name", function()
    assert.same(from_101, call(menu))
    assert.is_nil(call(menu, { display = "Alice A." }).name, "its phone has sent one")
  end)

  it("F7 goes there for an announcement too", function()
    assert.same({ "feature_call", "510" }, { call(announcement).action, call(announcement).number })
  end)

  it("F6 has no name if the extension withholds its number", function()
    local d = call(menu, { withheld = true })
    assert.same({ "101", nil }, { d.user, d.name })
    d = call(menu, { from = { user = "anonymous", host = "anonymous.invalid" }, to_tenant = { tenant = kTenant },
      to = { user = "500", host = kTenant } })
    assert.same({ "feature_call", "101", nil }, { d.action, d.user, d.name })
  end)

  it("F6 by a DID goes to parkd with the trunk and the number of the menu", function()
    assert.same(from_trunk, by_trunk(menu))
    assert.same(from_trunk, by_trunk(menu, { withheld = true, display = "" }))
    assert.same({ "feature_call", "510" }, { by_trunk(announcement).action, by_trunk(announcement).number })
  end)

  it("F6 of parkd goes back to it with the extension in the name of which parkd calls", function()
    assert.same({ action = "feature_call", tenant = kTenant, user = "103", number = "500" }, by_parkd(menu))
    assert.equal("park-1", by_parkd(menu, { recall = "park-1" }).replaces_recall)
  end)

  it("F6 of parkd for an outside caller goes back to it with the trunk of the tenant", function()
    local function outside(trunk) return by_parkd(menu, { inside_caller = false, tenant_trunk = trunk }) end
    assert.same({ need = "tenant_trunk", about = kTenant }, outside(nil))
    assert.same({ "feature_call", "t", nil }, { outside(trunk_row).action, outside(trunk_row).trunk,
      outside(trunk_row).user })
    refused(404, outside(false))
    refused(503, outside(requests.away))
  end)

  it("F6 is 404 for any caller while the menu is disabled", function()
    for _, row in ipairs({ requests.menu_off, requests.announcement_off }) do
      refused(404, call(row))
      refused(404, by_trunk(row))
      refused(404, by_parkd(row))
      refused(404, call(row, { method = "MESSAGE" }))
    end
  end)

  it("F6 is no text and no lamp", function()
    for _, row in ipairs({ menu, announcement }) do
      refused(405, call(row, { method = "MESSAGE" }))
      refused(405, by_trunk(row, { method = "MESSAGE" }))
      refused(405, by_parkd(row, { method = "MESSAGE" }))
      for _, event in ipairs({ "dialog", "call-info" }) do
        refused(404, call(row, { method = "SUBSCRIBE", event = event, from_tenant = { tenant = kTenant } }))
      end
    end
  end)

  it("F6 needs the password of the extension, and a number of its own tenant", function()
    assert.equal("challenge", call(menu, { has_credentials = false, from_tenant = {} }).action)
    refused(403, call(menu, { ruri = { user = "500", host = "other.callpark" }, registered = false }))
  end)
end)

describe("a call flow that leads to a menu", function()
  local to_menu = { number = "500", row = menu }
  local flow = requests.call_flow

  it("F6 is a call to the menu, and parkd gets the number of the menu", function()
    assert.same(led_by(flow), call(flow, { call_flow = to_menu }), "B4: with the number that was dialled")
    assert.same(from_trunk, by_trunk(flow, { call_flow = to_menu }))
    local d = by_parkd(flow, { call_flow = to_menu })
    assert.same({ "feature_call", "103", "500", nil }, { d.action, d.user, d.number, d.reports_callee })
  end)

  it("F6 is 404 while the menu, or the call flow, is disabled", function()
    refused(404, call(flow, { call_flow = { number = "500", row = requests.menu_off } }))
    refused(404, call(requests.call_flow_off, { call_flow = to_menu }))
  end)
end)

describe("a ring group with a menu as its destination", function()
  local group = requests.ring_group
  local rows = { bob_and_carol[1], bob_and_carol[2], { menu = "500" } }

  it("F6 rings first, and has the call to the menu for afterwards", function()
    local d = call(group, { ring_group = rows })
    assert.same({ "to_ring_group", 1, led_by(group), nil }, { d.action, #d.steps, d.behind, d.otherwise })
    assert.same(from_trunk, by_trunk(group, { ring_group = rows }).behind)
    assert.same({ "103", "500" }, { by_parkd(group, { ring_group = rows }).behind.user,
      by_parkd(group, { ring_group = rows }).behind.number })
    assert.is_nil(call(group, { ring_group = bob_and_carol }).behind)
  end)

  it("F6 is the menu at once if no member can ring", function()
    assert.same(led_by(group), call(group, { ring_group = { { menu = "500" } } }))
    assert.same(led_by(group),
      call(group, { ring_group = { requests.rings(1, "simultaneous", "101"), { menu = "500" } } }))
  end)

  it("F6 rings without the menu for an outside caller of parkd's in a tenant without a trunk", function()
    local function outside(changes) return by_parkd(group, changed({ inside_caller = false }, changes)) end
    assert.same({ need = "tenant_trunk", about = kTenant }, outside({ ring_group = rows }))
    local d = outside({ ring_group = rows, tenant_trunk = false })
    assert.same({ "to_ring_group", nil }, { d.action, d.behind })
    refused(404, outside({ ring_group = { { menu = "500" } }, tenant_trunk = false }))
    assert.equal("t", outside({ ring_group = rows, tenant_trunk = trunk_row }).behind.trunk)
  end)
end)

describe("the billing system of a tenant", function()
  local hook = { error_permits = true, budget_ms = 800 }
  local from_text = "sip:101@" .. kTenant

  it("B1 is asked about a call to a menu, by its number", function()
    local d = call(menu, { billing_hook = hook, from_text = from_text })
    assert.same({ "ask_billing", from_101 }, { d.action, d.otherwise })
    assert.same({ call_id = "c", called = "500", kind = "extension", aor = "101@" .. kTenant, uri = from_text,
      display = "Alice" }, d.question.call)
    d = by_trunk(menu, { billing_hook = hook, from_text = "sip:+4420@192.0.2.10" })
    assert.same({ "500", "trunk", "demo" }, { d.question.call.called, d.question.call.kind, d.question.call.trunk })
    d = call(requests.call_flow, { billing_hook = hook, call_flow = { number = "500", row = menu } })
    assert.equal("500", d.question.call.called)
  end)

  it("B1 is asked about the ring group in front of a menu once", function()
    for _, rows in ipairs({ { bob_and_carol[1], { menu = "500" } }, { { menu = "500" } } }) do
      local d = call(requests.ring_group, { billing_hook = hook, ring_group = rows })
      assert.equal("600", d.question.call.called)
    end
  end)

  it("B1 permits the call, or refuses it", function()
    assert.same(from_101, call(menu, { billing_hook = hook, verdict = { permits = true } }))
    refused(402, call(menu, { billing_hook = hook, verdict = { permits = false, code = 402, reason = "No" } }))
    refused(503, call(menu, { billing_hook = { error_permits = false, budget_ms = 800 }, verdict = { failed = true } }))
  end)

  it("B1 is not asked about a call of parkd's, or one that is refused", function()
    assert.equal("feature_call", by_parkd(menu, { billing_hook = hook }).action)
    refused(404, call(requests.menu_off, { billing_hook = hook }))
  end)
end)

describe("a REFER to the number of a menu", function()
  local function refer(changes)
    local f = facts({ method = "REFER", to_tag = "tt", marker = false, is_other = false,
      call = requests.call("extension", "extension"), refer_to = { user = "500", host = kTenant },
      refer_number = menu })
    requests.seal(f, "a", true)
    return decide.request(changed(f, changes))
  end

  it("F6 is an ordinary transfer between phones", function()
    for _, row in ipairs({ menu, requests.menu_off, announcement }) do
      assert.equal("within_dialog", refer({ refer_number = row }).action)
    end
    refused(403, refer({ call = requests.call("extension", "trunk") }))
  end)

  it("F6 in a call of parkd's is parkd's", function()
    local own = { user = "parkd", host = "127.0.0.1", is_parkd = true }
    local d = refer({ ruri = own, call = false, from_tenant = { tenant = kTenant } })
    assert.same({ "refer", "101", nil }, { d.action, d.user, d.marker })
  end)
end)

describe("a request within a call to a menu", function()
  local own = { user = "parkd", host = "127.0.0.1", port = 5062, is_parkd = true }

  local function within(changes)
    local f = facts({ to_tag = "tt", marker = false, is_other = false, is_udp = false, given_up = false, ruri = own,
      was_cancelled = false })
    requests.seal(f, "a", true)
    f.path.call.b = { kind = "parkd" }
    return decide.request(changed(f, changes))
  end

  it("F6 of the caller goes to parkd", function()
    for _, method in ipairs({ "BYE", "INVITE", "UPDATE", "INFO", "ACK" }) do
      assert.equal("to_parkd", within({ method = method }).action, method)
    end
  end)

  it("F6 of parkd goes to parkd, if the caller is parkd's own call", function()
    for _, method in ipairs({ "BYE", "INVITE", "UPDATE", "INFO", "ACK" }) do
      local d = within({ method = method, from_parkd = true, body = "v=0" })
      assert.same({ "to_parkd", nil }, { d.action, d.unproven }, method)
    end
    assert.equal(6000, within({ method = "INVITE", from_parkd = true }).first_answer_ms)
    assert.equal(481, within({ method = "BYE", from_parkd = true, given_up = true }).code)
  end)

  it("F6 of the caller goes to parkd behind a ring group too, without a record of the call", function()
    local f = facts({ to_tag = "tt", method = "BYE", marker = false, is_other = false, is_udp = false, ruri = own,
      call = false, has_credentials = false, own_addresses = { ["127.0.0.11"] = true } })
    requests.seal(f, "a", false)
    f.path.call.b = { kind = "ring_group", number = "600" }
    assert.equal("to_parkd", decide.request(f).action)
  end)
end)

describe("a request of a party of a ring group with a menu as its destination", function()
  it("F6 is served if a member is registered there", function()
    local f = facts({ to_tag = "tt", method = "BYE", marker = false, is_other = false, is_udp = false, call = false,
      ring_group = { bob_and_carol[1], { menu = "500" } } })
    requests.seal(f, "b", false)
    f.path.call.b = { kind = "ring_group", number = "600" }
    assert.same({ need = "own_addresses", about = { "102@" .. kTenant } }, decide.request(f))
    f.own_addresses = { ["127.0.0.11"] = true }
    assert.equal("within_dialog", decide.request(f).action)
  end)
end)
