local decide = require("rules.decide")
local requests = require("support.requests")

local facts = requests.facts
local kTenant = requests.kTenant

local function setup(changes) return decide.request(facts(changes)).setup end

local function by_parkd(changes)
  local f = { from_parkd = true, inside_tenant = kTenant, number = requests.extension }
  for name, value in pairs(changes or {}) do f[name] = value end
  return setup(f)
end

describe("a new call", function()
  it("of an extension is followed, and loses the identity that the phone asserts", function()
    assert.same({ is_call = true, is_followed = true, hides_identity = true, first_answer_ms = 10000,
      tenant = kTenant },
      setup({ number = requests.extension }))
  end)

  it("N6 from a trunk keeps the asserted identity unless its caller withholds it", function()
    local did = { tenant = kTenant, number = "102", kind = "extension", enabled = 1 }
    local function from_trunk(withheld)
      return setup({ trunk = { enabled = 1 }, did = did, withheld = withheld })
    end
    assert.is_false(from_trunk(false).hides_identity)
    assert.is_true(from_trunk(true).hides_identity)
    assert.is_true(from_trunk(false).is_followed)
  end)

  it("of parkd is not followed", function()
    assert.same({ is_call = true, is_followed = false, hides_identity = false, first_answer_ms = 10000,
      tenant = kTenant }, by_parkd())
  end)

  it("of a recall replaces an earlier one for the same parked call", function()
    assert.equal("park-1", by_parkd({ recall = "park-1" }).replaces_recall)
    assert.is_nil(by_parkd({ recall = false }).replaces_recall)
  end)

  it("to a Contact is reported by its extension only if parkd calls", function()
    local registered = { number = "102", contact = "sip:102@10.0.0.12:5060", received = "" }
    local ruri = { user = "102", host = "10.0.0.12" }
    local d = decide.request(facts({ ruri = ruri, registered = registered }))
    assert.is_false(d.reports_callee)
    d = decide.request(facts({ ruri = ruri, registered = registered, from_parkd = true, inside_tenant = kTenant }))
    assert.is_true(d.reports_callee)
  end)
end)

describe("a MESSAGE", function()
  it("is no call, and has the time of any transaction", function()
    assert.same({ is_call = false, is_followed = false, hides_identity = true, first_answer_ms = 30000,
      tenant = kTenant },
      setup({ method = "MESSAGE", number = requests.extension }))
    assert.is_nil(by_parkd({ method = "MESSAGE", recall = "park-1" }).replaces_recall)
  end)
end)
