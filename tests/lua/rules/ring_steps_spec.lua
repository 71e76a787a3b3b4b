local ring_steps = require("rules.ring_steps")

local kTenant = "demo.callpark"

local function row(place, strategy, member, changes)
  local seconds = strategy ~= "destination" and 20 or nil
  local r = { place = place, strategy = strategy, ring_seconds = seconds, member = member, enabled = 1,
    display_name = "" }
  for name, value in pairs(changes or {}) do r[name] = value end
  return r
end

-- "102 103|+44": the members that ring in each step.
local function told(steps)
  local texts = {}
  for i, step in ipairs(steps) do
    local names = {}
    for j, party in ipairs(step.parties) do names[j] = party.number or party.aor:match("^[^@]*") end
    texts[i] = table.concat(names, " ")
  end
  return table.concat(texts, "|")
end

-- The trunks of the outside numbers of these specs.
local kTrunks = { ["+44"] = { { trunk = "carrier" } }, ["+45"] = {} }

local function made(rows, caller, trunks_to)
  if trunks_to == nil then trunks_to = kTrunks end
  return told(ring_steps.make(rows, kTenant, caller and caller .. "@" .. kTenant, trunks_to))
end

describe("ring_steps.make", function()
  local together = { row(1, "simultaneous", "102"), row(1, "simultaneous", "103") }

  it("lets a simultaneous group ring at once and a sequential one in order", function()
    assert.equal("102 103", made(together))
    assert.equal("103|102", made({ row(1, "sequential", "103"), row(1, "sequential", "102") }))
  end)

  it("goes on to the groups that follow, and to the destination", function()
    assert.equal("102 103|104 105|101", made({ together[1], together[2], row(2, "simultaneous", "104"),
      row(2, "simultaneous", "105"), row(3, "destination", "101") }))
    assert.equal("102|103|104 105|+44", made({ row(1, "sequential", "102"), row(1, "sequential", "103"),
      row(2, "simultaneous", "104"), row(2, "simultaneous", "105"), row(3, "destination", "+44") }))
  end)

  it("F2 passes over a call flow that hangs up, which is the refusal", function()
    local rows = { together[1], { hangup = "busy" } }
    assert.equal("102", made(rows))
    assert.equal("busy", ring_steps.hangup(rows))
    assert.is_nil(ring_steps.hangup(together))
    assert.is_nil(ring_steps.hangup({}))
    assert.same({}, ring_steps.outside_numbers(rows))
    assert.same({ 603, "Decline" }, { ring_steps.refusal(486, { code = 603, reason = "Decline" }) })
    assert.same({ 486, "Busy Here" }, { ring_steps.refusal(486, nil) })
  end)

  it("F6 passes over a menu, which follows the last step", function()
    local rows = { together[1], { menu = "500" } }
    assert.equal("102", made(rows))
    assert.equal("500", ring_steps.menu(rows))
    assert.is_nil(ring_steps.menu(together))
    assert.is_nil(ring_steps.menu({}))
    assert.is_nil(ring_steps.hangup(rows))
    assert.same({}, ring_steps.outside_numbers(rows))
    assert.is_false(ring_steps.include(rows, "500"))
  end)

  it("F2 passes over an orbit, which follows the last step", function()
    local orbit = { number = "7001", kind = "orbit" }
    local rows = { together[1], { orbit = orbit } }
    assert.equal("102", made(rows))
    assert.equal(orbit, ring_steps.orbit(rows))
    assert.is_nil(ring_steps.orbit(together))
    assert.is_nil(ring_steps.orbit({}))
    assert.is_nil(ring_steps.menu(rows))
    assert.same({}, ring_steps.outside_numbers(rows))
    assert.is_false(ring_steps.include(rows, "7001"))
  end)

  it("gives each step its time, and the destination all there is", function()
    local steps = ring_steps.make({ together[1], row(2, "sequential", "103", { ring_seconds = "7" }),
      row(3, "destination", "101") }, kTenant, nil, kTrunks)
    assert.same({ 20, 7, nil }, { steps[1].seconds, steps[2].seconds, steps[3].seconds })
    assert.is_nil(steps[3].seconds)
  end)

  it("names the members as the record of the call does", function()
    local steps = ring_steps.make({ row(1, "simultaneous", "102", { display_name = "Bob" }),
      row(1, "simultaneous", "+44") }, kTenant, nil, kTrunks)
    assert.same({ { kind = "extension", aor = "102@demo.callpark", display = "Bob" },
      { kind = "trunk", display = "", number = "+44", trunks = kTrunks["+44"] } }, steps[1].parties)
  end)

  it("leaves out the caller, disabled extensions, and outside members without a trunk", function()
    assert.equal("103", made(together, "102"))
    assert.equal("102", made({ together[1], row(1, "simultaneous", "103", { enabled = "0" }) }))
    assert.equal("102", made({ together[1], row(1, "simultaneous", "+44") }, nil, false))
    assert.equal("102", made({ together[1], row(1, "simultaneous", "+45") }))
    assert.equal("103", made({ row(1, "sequential", "102"), row(1, "sequential", "103") }, "102"))
    assert.equal("", made({ row(1, "simultaneous", "102") }, "102"))
    assert.equal("", made({}))
  end)
end)

describe("ring_steps", function()
  it("knows the members, and whether one is outside", function()
    local rows = { row(1, "simultaneous", "102"), row(2, "destination", "+44") }
    assert.is_true(ring_steps.include(rows, "102"))
    assert.is_false(ring_steps.include(rows, "103"))
    assert.same({ "+44" }, ring_steps.outside_numbers(rows))
    assert.same({}, ring_steps.outside_numbers({ rows[1] }))
  end)

  it("T2 knows whether a party has another trunk", function()
    local phone = { kind = "extension" }
    local function has_next(...) return ring_steps.has_next_trunk({ parties = { ... } }) end
    assert.is_false(has_next(phone, { trunks = { "a" } }))
    assert.is_true(has_next(phone, { trunks = { "a", "b" } }))
  end)

  it("answers 486 if all are busy, and otherwise 480", function()
    assert.equal(486, (ring_steps.refusal(486)))
    assert.equal(486, (ring_steps.refusal(600)))
    for _, code in ipairs({ 302, 401, 404, 408, 480, 503, 603 }) do
      assert.equal(480, (ring_steps.refusal(code)))
    end
  end)
end)
