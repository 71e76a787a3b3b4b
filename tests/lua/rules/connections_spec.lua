local connections = require("rules.connections")

local settings = { inside_address = "127.0.0.1", inside_port = 5061, parkd_address = "127.0.0.2" }

local function connection(id, changes)
  local one = { id = id, src_ip = "192.0.2.1", dst_ip = "192.0.2.9", dst_port = 5060, lifetime = 10 }
  for name, value in pairs(changes or {}) do one[name] = value end
  return one
end

local function no_phones() return false end
local function phones() return true end

local function surplus(open, seen, now, has_phones)
  local list = {}
  for id in pairs(connections.surplus(open, seen or {}, now or 100, settings, has_phones or no_phones)) do
    list[#list + 1] = id
  end
  table.sort(list)
  return list
end

local function many(count, changes)
  local list = {}
  for i = 1, count do list[i] = connection(i, changes) end
  return list
end

describe("X32 connections that have proven nothing", function()
  it("are some of one address, the newest, and more where phones are", function()
    local ended = surplus(many(60))
    assert.equal(10, #ended)
    assert.equal(1, ended[1])
    assert.equal(10, ended[10])
    assert.same({}, surplus(many(500), nil, nil, phones))
    assert.equal(1, #surplus(many(501), nil, nil, phones))
  end)

  it("of other addresses stay", function()
    local open = many(60)
    open[61] = connection(0, { src_ip = "192.0.2.2" })
    assert.not_equal(0, surplus(open)[1])
  end)

  it("end after a time, however much is sent over them", function()
    local seen = {}
    assert.same({}, surplus({ connection(7) }, seen, 100))
    assert.same({}, surplus({ connection(7) }, seen, 119))
    assert.same({ 7 }, surplus({ connection(7) }, seen, 120))
    surplus({}, seen, 121)
    assert.same({}, seen)
  end)
end)

describe("X32 connections that are proven", function()
  it("stay, up to a thousand of one address", function()
    assert.same({}, surplus(many(1000, { lifetime = 3660 })))
    assert.same({ 1, 2 }, surplus(many(1002, { lifetime = 3660 })))
    assert.same({}, surplus(many(1002, { lifetime = 3660, src_ip = "127.0.0.2" })))
  end)

  it("are few of one extension: the one that it has not used for longest ends", function()
    local ids = {}
    for id = 1, 20 do
      assert.is_nil(select(2, connections.used(ids, id)))
      ids = connections.used(ids, id)
    end
    ids = connections.used(ids, 1)
    assert.equal(1, ids[20])
    assert.equal(2, select(2, connections.used(ids, 21)))
  end)

  it("are those of extensions, trunks, parkd and the parties of calls", function()
    assert.is_true(connections.is_proven({ identity = { status = "known" } }, { action = "register" }))
    assert.is_true(connections.is_proven({ trunk = { enabled = 1 } }, { action = "to_extension" }))
    assert.is_true(connections.is_proven({ from_parkd = true }, { action = "publish" }))
    assert.is_true(connections.is_proven({}, { action = "within_dialog" }))
    assert.is_nil(connections.is_proven({ identity = { status = "wrong" } }, { action = "challenge" }))
    assert.is_nil(connections.is_proven({ trunk = { away = true } }, { action = "refuse" }))
    assert.is_nil(connections.is_proven({}, { action = "answer_options" }))
  end)
end)

describe("X32 the inside socket", function()
  it("is for parkd, and for what Kamailio has opened itself", function()
    local inside = { dst_ip = "127.0.0.1", dst_port = 5061 }
    local from_parkd = { dst_ip = "127.0.0.1", dst_port = 5061, src_ip = "127.0.0.2", lifetime = 3660 }
    assert.same({ 1 }, surplus({ connection(1, inside), connection(2, from_parkd) }))
    assert.same({}, surplus({ connection(1, { dst_ip = "127.0.0.1", dst_port = 40000 }) }))
  end)
end)
