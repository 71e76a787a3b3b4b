local trunk_choice = require("rules.trunk_choice")

local function trunk(name, priority, weight)
  return { trunk = name, priority = priority, weight = weight, takes_all = true }
end

local function names_of(trunks)
  local names = {}
  for i, one in ipairs(trunks) do names[i] = one.trunk end
  return table.concat(names, " ")
end

-- Every list of up to `length` trunks with these priorities and weights, named by their place.
local function each_list(length, priorities, weights, visit)
  local list = {}
  local function extend()
    visit(list)
    if #list == length then return end
    for _, priority in ipairs(priorities) do
      for _, weight in ipairs(weights) do
        list[#list + 1] = trunk(("abcdef"):sub(#list + 1, #list + 1), priority, weight)
        extend()
        list[#list] = nil
      end
    end
  end
  extend()
end

describe("trunk_choice.order", function()
  it("T2 has every trunk once: by priority, then those with a weight, then the others by name", function()
    local lists = 0
    each_list(4, { 0, 7, 100 }, { 0, 1, 3 }, function(list)
      lists = lists + 1
      for step = 0, 15 do
        local seen, before = {}, nil
        for _, one in ipairs(trunk_choice.order(list, step / 16)) do
          if seen[one.trunk] then error("twice " .. one.trunk) end
          seen[one.trunk] = true
          local is_in_order = not before or before.priority < one.priority or before.priority == one.priority
            and (before.weight > 0 or one.weight == 0 and before.trunk < one.trunk)
          if not is_in_order then error(names_of(list)) end
          before = one
        end
        for _, one in ipairs(list) do
          if not seen[one.trunk] then error("never " .. one.trunk) end
        end
      end
    end)
    assert.equal(1 + 9 + 81 + 729 + 6561, lists)
  end)

  it("T2 leaves the list as it was", function()
    local list = { trunk("a", 2, 0), trunk("b", 1, 0) }
    assert.equal("b a", names_of(trunk_choice.order(list, 0)))
    assert.equal("a b", names_of(list))
  end)

  it("T2 is that of the names without priorities and weights, as before there were any", function()
    for step = 0, 99 do
      assert.equal("a b c", names_of(trunk_choice.order({ trunk("a", 100, 0), trunk("b", 100, 0),
        trunk("c", 100, 0) }, step / 100)))
    end
  end)

  it("T2 gives each trunk its share of every place", function()
    local list, count = { trunk("a", 1, 1), trunk("b", 1, 3), trunk("c", 1, 0), trunk("d", 1, 4) }, {}
    local kSteps = 5600
    for step = 0, kSteps - 1 do
      local order = names_of(trunk_choice.order(list, (step + 0.5) / kSteps))
      count[order] = (count[order] or 0) + 1
    end
    -- 1/8 * 3/7, 1/8 * 4/7, 3/8 * 1/5, 3/8 * 4/5, 4/8 * 1/4, 4/8 * 3/4.
    assert.same({ ["a b d c"] = 300, ["a d b c"] = 400, ["b a d c"] = 420, ["b d a c"] = 1680, ["d a b c"] = 700,
      ["d b a c"] = 2100 }, count)
  end)
end)

-- Each trunk with its prefixes, "" for one that has none.
local function candidates(prefixes, number)
  local trunks, with = {}, {}
  for i, of_trunk in ipairs(prefixes) do
    local name = ("abcdef"):sub(i, i)
    trunks[i] = { trunk = name, takes_all = #of_trunk == 0 }
    for _, prefix in ipairs(of_trunk) do
      with[prefix] = with[prefix] or {}
      with[prefix][name] = true
    end
  end
  return names_of(trunk_choice.candidates(trunks, number, function(prefix) return with[prefix] end))
end

-- The same, as the sentence in sql/README.md has it.
local function expected(prefixes, number)
  local longest, names = 0, {}
  for _, of_trunk in ipairs(prefixes) do
    for _, prefix in ipairs(of_trunk) do
      if number:sub(1, #prefix) == prefix then longest = math.max(longest, #prefix) end
    end
  end
  for i, of_trunk in ipairs(prefixes) do
    local fits = longest == 0 and #of_trunk == 0
    for _, prefix in ipairs(of_trunk) do fits = fits or #prefix == longest and number:sub(1, #prefix) == prefix end
    if fits then names[#names + 1] = ("abcdef"):sub(i, i) end
  end
  return table.concat(names, " ")
end

describe("trunk_choice.candidates", function()
  it("T2 are those with the longest prefix of the number, else those without prefixes", function()
    local all = { "+4", "+44", "+4420", "+5" }
    -- Each set of prefixes, by the bits of a number.
    local sets = {}
    for bits = 0, 15 do
      local set = {}
      for i, prefix in ipairs(all) do
        if math.floor(bits / 2 ^ (i - 1)) % 2 == 1 then set[#set + 1] = prefix end
      end
      sets[#sets + 1] = set
    end
    for _, first in ipairs(sets) do
      for _, second in ipairs(sets) do
        for _, third in ipairs({ {}, { "+44" } }) do
          for _, number in ipairs({ "+4", "+44", "+442", "+4420", "+4420300", "+45", "+5", "+9" }) do
            local prefixes = { first, second, third }
            if candidates(prefixes, number) ~= expected(prefixes, number) then
              error(number .. " with " .. table.concat(first, ",") .. "|" .. table.concat(second, ","))
            end
          end
        end
      end
    end
  end)

  it("T2 are none if every trunk has prefixes of other numbers", function()
    assert.equal("", candidates({ { "+44" }, { "+45" } }, "+15551234"))
    assert.equal("b", candidates({ { "+44" }, { "+1" }, {} }, "+15551234"))
  end)

  it("T2 look up no prefix in a tenant without prefixes", function()
    local function with_prefix() error("looked up") end
    assert.equal("a", names_of(trunk_choice.candidates({ { trunk = "a", takes_all = true } }, "+44", with_prefix)))
  end)
end)

describe("trunk_choice.with_room", function()
  it("T2 passes over the trunks that have all their calls", function()
    local function with_room(...)
      local trunks = {}
      for i, one in ipairs({ ... }) do
        trunks[i] = { trunk = ("abcdef"):sub(i, i), calls_max = one[1], calls = one[2] }
      end
      return names_of(trunk_choice.with_room(trunks))
    end
    assert.equal("a b d", with_room({ 0, 0 }, { 3, 2 }, { 3, 3 }, { 1, 0 }, { 3, 4 }))
    assert.equal("", with_room({ 1, 1 }))
    assert.equal("", with_room())
  end)
end)

describe("trunk_choice", function()
  it("T2 has the dead trunks last, since a probe may be wrong", function()
    local function trunk_of(name, is_dead, calls)
      return { trunk = name, calls_max = 2, calls = calls or 0, is_dead = is_dead }
    end
    assert.equal("b d a c", names_of(trunk_choice.with_room({ trunk_of("a", true), trunk_of("b"), trunk_of("c", true),
      trunk_of("d", false), trunk_of("e", true, 2), trunk_of("f", false, 2) })))
  end)

  it("T2 believes a trunk dead after more than one lost probe, with the last one still under way", function()
    for unanswered = 0, 3 do assert.is_false(trunk_choice.is_dead(unanswered)) end
    assert.is_true(trunk_choice.is_dead(4))
  end)

  it("T2 sees life in every answer to a probe but those of a server that is away", function()
    for status = 100, 699 do assert.equal(status ~= 503 and status ~= 408, trunk_choice.shows_life(status)) end
  end)

  it("T2 probes each trunk every five seconds, and not all at once", function()
    local places, count = {}, {}
    for i = 1, 10 do places[i] = "p" .. i end
    for now = 1000, 1004 do
      local due = trunk_choice.due(places, now)
      assert.equal(2, #due)
      for _, place in ipairs(due) do count[place] = (count[place] or 0) + 1 end
    end
    for _, place in ipairs(places) do assert.equal(1, count[place]) end
    assert.same({}, trunk_choice.due({}, 1000))
  end)
end)

describe("trunk_choice.has_failed", function()
  it("T2 is 408 and 5xx, but what the next trunk would send too", function()
    for status = 300, 699 do
      local expected_failure = status == 408 or status >= 500 and status < 600 and status ~= 513 and status ~= 580
      assert.equal(expected_failure, trunk_choice.has_failed(status, false, false, false))
      assert.equal(expected_failure, trunk_choice.has_failed(status, false, true, false))
      assert.is_false(trunk_choice.has_failed(status, false, true, true))
    end
  end)

  it("T2 is silence, but not a called party that does not answer", function()
    assert.is_true(trunk_choice.has_failed(408, true, false, false))
    assert.is_false(trunk_choice.has_failed(408, true, true, false))
    assert.is_false(trunk_choice.has_failed(408, true, true, true))
  end)
end)

describe("trunk_choice.uri", function()
  it("has brackets around an IPv6 address", function()
    local one = { address = "192.0.2.50", port = 5060, transport = "udp" }
    assert.equal("sip:+4420@192.0.2.50:5060;transport=udp", trunk_choice.uri("+4420", one))
    one = { address = "2001:db8::50", port = 5061, transport = "tcp" }
    assert.equal("sip:+4420@[2001:db8::50]:5061;transport=tcp", trunk_choice.uri("+4420", one))
  end)
end)
