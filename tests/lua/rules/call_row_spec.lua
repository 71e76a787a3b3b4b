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

describe("call_row.awaits_ack", function()
  it("is true for a call without its ACK, whatever a phone sends", function()
    assert.is_true(call_row.awaits_ack(text({ awaits_ack = true })))
    assert.is_false(call_row.awaits_ack(text({ from_uri = '"awaits_ack":true' })))
    assert.is_false(call_row.awaits_ack(call_row.over(1, 2)))
  end)
end)

describe("call_row.statements", function()
  it("writes any number of calls by one statement, and deletes those that have ended by another", function()
    local list = call_row.statements({ text(), call_row.over(1, 2), text({ h_entry = 8 }),
      call_row.over(3, 4000000000) })
    assert.equal(2, #list)
    assert.equal(1, select(2, list[1]:gsub("INSERT INTO dialog", "")))
    assert.is_truthy(list[1]:find("VALUES (7,4000000000,", 1, true))
    assert.is_truthy(list[1]:find("),(8,4000000000,", 1, true))
    assert.equal("DELETE FROM dialog WHERE (hash_entry, hash_id) IN ((1,2),(3,4000000000))", list[2])
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
