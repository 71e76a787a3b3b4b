local billing = require("rules.billing")
local decide = require("rules.decide")
local requests = require("support.requests")

local facts, extension, ring_group = requests.facts, requests.extension, requests.ring_group
local refused, kTenant = requests.refused, requests.kTenant

local permitting = { error_permits = true, budget_ms = 800 }
local denying = { error_permits = false, budget_ms = 800 }

local function call(changes)
  local all = { number = extension, billing_hook = permitting, from_text = "sip:101@demo.callpark" }
  for name, value in pairs(changes or {}) do all[name] = value end
  return decide.request(facts(all))
end

local function call_from_trunk(changes)
  local all = { trunk = { enabled = 1 }, billing_hook = permitting, from_text = "sip:+4420@192.0.2.10",
    from = { user = "+4420", host = "192.0.2.10" }, display = "Zoe",
    did = { tenant = kTenant, trunk = "carrier", number = "102", kind = "extension", enabled = 1 } }
  for name, value in pairs(changes or {}) do all[name] = value end
  return decide.request(facts(all))
end

describe("B1: a call of a tenant that has it permitted", function()
  it("is asked about, with what is known of its caller", function()
    local d = call()
    assert.equal("ask_billing", d.action)
    assert.same({ tenant = kTenant, budget_ms = 800, call = { call_id = "c", called = "102", kind = "extension",
      aor = "101@" .. kTenant, uri = "sip:101@demo.callpark", display = "Alice" } }, d.question)
    d = call_from_trunk({ withheld = true })
    assert.same({ call_id = "c", called = "102", kind = "trunk", trunk = "carrier", uri = "sip:+4420@192.0.2.10",
      display = "Zoe", withheld = true }, d.question.call)
    assert.equal("600", call({ number = ring_group, ring_group = requests.bob_and_carol }).question.call.called)
  end)

  it("needs the hook to be known first, and no question where there is none", function()
    local f = facts({ number = extension })
    f.billing_hook = nil
    assert.same({ need = "billing_hook", about = kTenant }, decide.request(f))
    assert.equal("to_extension", call({ billing_hook = false }).action)
  end)

  it("is not asked about if it is refused all the same, to a code, outside, to a Contact, or no call", function()
    refused(404, call({ number = false }))
    refused(480, call({ number = { number = "102", kind = "extension", enabled = 0 } }))
    refused(503, call({ calls_under_way = { 50, 0 } }))
    assert.equal("feature_call", call({ number = requests.retrieve_code }).action)
    assert.equal("to_trunk", call({ dialled = requests.number("+4420"), trunks_to = requests.trunks_to }).action)
    assert.equal("to_extension", call({ method = "MESSAGE" }).action)
    assert.equal("to_extension", call({ from_parkd = true, inside_tenant = kTenant }).action)
  end)

  it("goes on when it is permitted, and not otherwise", function()
    assert.equal("to_extension", call({ verdict = { permits = true } }).action)
    assert.same({ action = "refuse", code = 402, reason = "Insufficient funds" },
      call({ verdict = { permits = false, code = 402, reason = "Insufficient funds" } }))
  end)

  it("does what the tenant has set if there is no verdict", function()
    assert.equal("to_extension", call({ verdict = { failed = true } }).action)
    refused(503, call({ verdict = { failed = true }, billing_hook = denying }))
    assert.equal("to_extension", call().otherwise.action)
    refused(503, call({ billing_hook = denying }).otherwise)
  end)
end)

describe("B1: an answer of parkd's", function()
  it("has a verdict", function()
    assert.same({ permits = true }, billing.verdict(200, "200 OK"))
    assert.same({ permits = false, code = 403, reason = "Blocked" }, billing.verdict(200, "403 Blocked"))
  end)

  it("has none", function()
    for _, answer in ipairs({ { 503, "200 OK" }, { 200, false }, { 200, "" }, { 200, "yes" }, { 200, "302 Moved" },
      { 200, "700 Odd" }, { 200, "4030 X" }, { 200, "403" } }) do
      assert.same({ failed = true }, billing.verdict(answer[1], answer[2]))
    end
  end)
end)
