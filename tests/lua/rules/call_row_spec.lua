local call_row = require("rules.call_row")
local cjson = require("cjson")

local function attributes(changes)
  local list = { h_entry = 7, h_id = 4000000000, start_ts = 100, lifetime = 43200, sflags = 0 }
  for _, name in ipairs(call_row.kTexts) do list[name] = name end
  for name, value in pairs(changes or {}) do list[name] = value end
  return list
end

local function text(changes) return call_row.text(attributes(changes), { parties = "{}" }, 1000) end

local function hex(value)
  return "X'" .. value:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end) .. "'"
end

describe("call_row.text", function()
  it("has the call, its variables and when it is forgotten", function()
    local record = cjson.decode(text())
    assert.equal("callid", record.callid)
    assert.equal(44200, record.timeout)
    assert.equal("{}", call_row.variables(record.variables).parties)
    assert.is_false(call_row.is_over(text()))
  end)

  it("is nil for what fits into no row", function()
    assert.is_not_nil(text({ callid = ("x"):rep(1024), from_tag = ("x"):rep(1024), from_rs = ("x"):rep(8192) }))
    assert.is_nil(text({ callid = ("x"):rep(1025) }))
    assert.is_nil(text({ to_rs = ("x"):rep(8193) }))
  end)
end)

describe("call_row.key", function()
  it("can be read again", function()
    assert.same({ 7, 4000000000 }, { call_row.parse_key(call_row.key(7, 4000000000)) })
    for _, key in ipairs({ "", "7", "7.", ".7", "7.8.9", "a.b", "7.8 " }) do assert.is_nil(call_row.parse_key(key)) end
  end)
end)

describe("call_row.awaits_ack", function()
  it("is true for a call without its ACK, whatever a phone sends", function()
    assert.is_true(call_row.awaits_ack(text({ awaits_ack = true })))
    assert.is_false(call_row.awaits_ack(text({ from_uri = '"awaits_ack":true' })))
    assert.is_false(call_row.awaits_ack(call_row.over(1, 2)))
  end)
end)

describe("call_row.begin", function()
  it("B4 is written only if there is no row", function()
    assert.matches("ON DUPLICATE KEY UPDATE id=id$", call_row.statements({ call_row.begin(text()) })[1])
    assert.is_true(call_row.is_whole(call_row.begin(text())))
  end)
end)

describe("call_row.over", function()
  it("B4 has the CDR of the call", function()
    local over = call_row.over(7, 4000000000, '{"id":"x"}')
    assert.is_true(call_row.is_over(over))
    assert.same({ over = true, h_entry = 7, h_id = 4000000000, cdr = { id = "x" } }, cjson.decode(over))
    assert.same({ over = true, h_entry = 7, h_id = 1 }, cjson.decode(call_row.over(7, 1)))
  end)

  it("B4 is recognised whatever a phone sends", function()
    assert.is_false(call_row.is_over(text({ callid = '{"over":true' })))
  end)
end)

describe("call_row.is_whole", function()
  it("B4 is false for a text of which the end is missing", function()
    for _, whole in ipairs({ text(), call_row.over(1, 2, '{"id":"x"}') }) do
      assert.is_true(call_row.is_whole(whole))
      for length = 1, #whole - 1 do assert.is_false(call_row.is_whole(whole:sub(1, length))) end
    end
  end)
end)

describe("call_row.content", function()
  it("is the same as long as nothing but the time changes", function()
    local later = call_row.text(attributes(), { parties = "{}" }, 1001)
    assert.not_equal(text(), later)
    assert.equal(call_row.content(text()), call_row.content(later))
  end)

  it("differs with each attribute and variable, and with the end", function()
    local changed = { call_row.over(7, 4000000000), text({ awaits_ack = true }), text({ lifetime = 7 }),
      call_row.text(attributes(), { parties = "{}", held_a = "1" }, 1000) }
    for _, name in ipairs(call_row.kTexts) do changed[#changed + 1] = text({ [name] = '"timeout":7' }) end
    for _, one in ipairs(changed) do assert.not_equal(call_row.content(text()), call_row.content(one)) end
  end)
end)

describe("call_row.statements", function()
  it("writes any number of calls by one statement, and ends others by another", function()
    local list = call_row.statements({ text(), call_row.over(1, 2), text({ h_entry = 8 }),
      call_row.over(3, 4000000000, '{"id":"x"}') })
    assert.equal(2, #list)
    assert.equal(1, select(2, list[1]:gsub("INSERT INTO dialog", "")))
    assert.is_truthy(list[1]:find("VALUES (7,4000000000,", 1, true))
    assert.is_truthy(list[1]:find("),(8,4000000000,", 1, true))
    local ended = '[{"over":true,"h_entry":1,"h_id":2},{"over":true,"h_entry":3,"h_id":4000000000,"cdr":{"id":"x"}}]'
    assert.equal("CALL end_calls(" .. hex(ended) .. ")", list[2])
  end)

  it("B4 change nothing in a row that is there by a call without its ACK", function()
    local list = call_row.statements({ text({ awaits_ack = true }), text({ h_entry = 8 }) })
    assert.equal(2, #list)
    assert.is_truthy(list[1]:find("VALUES (7,", 1, true))
    assert.is_truthy(list[1]:find("ON DUPLICATE KEY UPDATE id=id$"))
    assert.is_truthy(list[2]:find("VALUES (8,", 1, true))
  end)

  it("has no text of a phone in a statement", function()
    local statement = call_row.statements({ text({ callid = "a'b\\" }) })[1]
    assert.is_truthy(statement:find(hex("a'b\\"), 1, true))
    assert.is_nil(statement:find("a'b", 1, true))
  end)

  it("are none for nothing", function() assert.same({}, call_row.statements({})) end)
end)

describe("call_row.variables", function()
  it("are none where a row has none", function()
    assert.same({}, call_row.variables(""))
    assert.same({}, call_row.variables(nil))
    assert.same({}, call_row.variables("1"))
  end)
end)
