local decide = require("rules.decide")
local requests = require("support.requests")

local facts, refused = requests.facts, requests.refused

local function call(changes)
  local f = facts({ number = requests.extension, from_tenant = {} })
  for name, value in pairs(changes) do f[name] = value end
  return decide.request(f)
end

describe("X30 an extension", function()
  it("has a share of calls, and so have all of a tenant", function()
    assert.equal("to_extension", call({ calls_under_way = { 49, 999 } }).action)
    refused(503, call({ calls_under_way = { 50, 50 } }))
    refused(503, call({ calls_under_way = { 0, 1000 } }))
  end)

  it("has a share of texts, and so have all of a tenant", function()
    assert.equal("to_extension", call({ method = "MESSAGE", recent_texts = { 120, 3000 } }).action)
    refused(503, call({ method = "MESSAGE", recent_texts = { 121, 121 } }))
    refused(503, call({ method = "MESSAGE", recent_texts = { 1, 3001 } }))
  end)

  it("has a share of registrations", function()
    local function register(recent)
      return decide.request(facts({ method = "REGISTER", to = { user = "101", host = requests.kTenant },
        recent_registrations = { recent } }))
    end
    assert.equal("register", register(120).action)
    refused(503, register(121))
  end)
end)
