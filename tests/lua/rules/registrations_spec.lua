local registrations = require("rules.registrations")

local function known(...)
  local list = {}
  for i, agent in ipairs({ ... }) do
    list[i] = { contact = "sip:101@192.0.2." .. i, user_agent = agent, modified = 1000 + i, ruid = "r" .. i }
  end
  return list
end

local kNewcomer = { contact = "sip:101@198.51.100.1", user_agent = "Mobile 1.0" }

describe("registrations.stale", function()
  it("is the one of the same kind that was refreshed longest ago", function()
    local list = known("Desk 2.0", "Mobile 1.0", "Mobile 1.0")
    assert.equal("r2", registrations.stale(list, kNewcomer, 3).ruid)
    list[2].modified = 2000
    assert.equal("r3", registrations.stale(list, kNewcomer, 3).ruid)
    assert.equal("r3", registrations.stale(list, kNewcomer, 2).ruid)
  end)

  it("is none while there is room", function()
    assert.is_nil(registrations.stale(known("Mobile 1.0", "Mobile 1.0"), kNewcomer, 3))
    assert.is_nil(registrations.stale({}, kNewcomer, 1))
  end)

  it("is none for a Contact that is refreshed", function()
    local list = known("Mobile 1.0", "Mobile 1.0")
    assert.is_nil(registrations.stale(list, { contact = list[2].contact, user_agent = "Mobile 1.0" }, 2))
  end)

  it("is none of another kind", function()
    assert.is_nil(registrations.stale(known("Desk 2.0", "Desk 2.1"), kNewcomer, 2))
  end)

  it("is none for a phone without a User-Agent", function()
    local silent = { contact = kNewcomer.contact }
    assert.is_nil(registrations.stale(known("n/a", "n/a"), silent, 2))
    silent.user_agent = "n/a"
    assert.is_nil(registrations.stale(known("n/a", "n/a"), silent, 2))
  end)
end)

describe("the extensions of a Contact", function()
  local function key(contact) return registrations.key("demo.callpark", contact) end

  it("is found whatever its parameters", function()
    assert.equal(key("sip:101@192.0.2.1:5070"), key("sip:101@192.0.2.1:5070;transport=tcp;ob"))
    assert.equal(key("sip:%3101@192.0.2.1"), key("sip:101@192.0.2.1"))
    assert.are_not.equal(key("sip:101@192.0.2.1:5070"), key("sip:101@192.0.2.1"))
    assert.are_not.equal(key("sip:101@192.0.2.1"), registrations.key("other.callpark", "sip:101@192.0.2.1"))
    assert.is_nil(key("sip:192.0.2.1"))
    assert.is_nil(key("mailto:x"))
  end)

  it("is the last ones, each once", function()
    assert.equal("101", registrations.with_owner(nil, "101"))
    assert.equal("101 102", registrations.with_owner("102 101", "101"))
    assert.equal("105 104 103 102", registrations.with_owner("104 103 102 101", "105"))
  end)
end)
