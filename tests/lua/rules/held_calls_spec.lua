local held_calls = require("rules.held_calls")

local function held(call_id, device, since)
  return { record = { call_id = call_id }, side = "a", device = device, since = since }
end

local function permutations(list)
  if #list <= 1 then return { list } end
  local all = {}
  for i, first in ipairs(list) do
    local rest = {}
    for j, other in ipairs(list) do
      if j ~= i then rest[#rest + 1] = other end
    end
    for _, tail in ipairs(permutations(rest)) do
      all[#all + 1] = { first, unpack(tail) }
    end
  end
  return all
end

describe("held_calls.choose", function()
  it("finds nothing where nothing is", function() assert.is_nil(held_calls.choose({}, "udp:1")) end)

  it("prefers the same device, then the call held last, however they are sorted", function()
    local calls = {
      held("old here", "udp:1", 10), held("new here", "udp:1", 20),
      held("older there", "udp:2", 5), held("newest there", "udp:2", 30),
    }
    for _, order in ipairs(permutations(calls)) do
      assert.equal("new here", held_calls.choose(order, "udp:1").record.call_id)
      assert.equal("newest there", held_calls.choose(order, "udp:2").record.call_id)
      assert.equal("newest there", held_calls.choose(order, "udp:3").record.call_id)
    end
  end)

  it("is sure even when two were held at the same moment", function()
    local calls = { held("x", "udp:1", 10), held("y", "udp:1", 10) }
    for _, order in ipairs(permutations(calls)) do
      assert.equal("y", held_calls.choose(order, "udp:1").record.call_id)
    end
  end)
end)

describe("held_calls.candidate", function()
  local function record(value, confirmed)
    return { call_id = "c", confirmed = confirmed ~= false, a = { tag = "at", held = value }, b = { tag = "bt" } }
  end
  local hold = { since = 5, device = "udp:1" }

  it("is the call and the side that holds it", function()
    local call = record(hold)
    assert.same({ record = call, side = "a", device = "udp:1", since = 5 }, held_calls.candidate(call, "at", false))
  end)

  it("is none without a record, a hold or an answer, and for a call that is being parked", function()
    assert.is_nil(held_calls.candidate(false, "at", false))
    assert.is_nil(held_calls.candidate(record(hold), "bt", false))
    assert.is_nil(held_calls.candidate(record(hold), "x", false))
    assert.is_nil(held_calls.candidate(record(hold, false), "at", false))
    assert.is_nil(held_calls.candidate(record(hold), "at", true))
  end)
end)
