local cdr = require("rules.cdr")
local cjson = require("cjson")
local dialog_record = require("rules.dialog_record")

local kTenant = "demo.callpark"

local function extension(number, display)
  return { kind = "extension", aor = number .. "@" .. kTenant, display = display or "" }
end

local function line(changes, a, b)
  local call = {
    id = ("0f"):rep(16), began_at = 1700000000123, ended_at = 1700000001124, ended = "caller",
    setup = cjson.encode({ tenant = kTenant, dialled = "102" }),
    parties = dialog_record.parties(a or extension("101", "John"), b or extension("102", "Alice")),
    from_uri = "sip:101@demo.callpark", call_id = "c1",
  }
  for name, value in pairs(changes or {}) do call[name] = value ~= "nil" and value or nil end
  return cdr.line(call)
end

local function record(...) return cjson.decode(line(...)) end

describe("cdr.line", function()
  it("B4 is the CDR of a call between two extensions", function()
    assert.same({
      id = ("0f"):rep(16), began_at = 1700000000123, ended_at = 1700000001124, ended = "caller", tenant = kTenant,
      direction = "internal", dialled = "102", caller_kind = "extension", caller_number = "101", caller_name = "John",
      caller_withheld = 0, caller_trunk = "", callee_kind = "extension", callee_number = "102", callee_trunk = "",
      call_id = "c1",
    }, record())
  end)

  it("B4 has the direction as the tenant sees it, and the trunks", function()
    local trunk = { kind = "trunk", display = "Client" }
    local into = record({ from_uri = "sip:+390212345@192.0.2.1",
      setup = cjson.encode({ tenant = kTenant, dialled = "+442030000102", from_trunk = "carrier" }) }, trunk)
    assert.same({ "incoming", "+390212345", "carrier", "102", "+442030000102", "" },
      { into.direction, into.caller_number, into.caller_trunk, into.callee_number, into.dialled, into.callee_trunk })
    local out = record({ setup = cjson.encode({ tenant = kTenant, dialled = "+15551234", to_trunk = "carrier" }) }, nil,
      { kind = "trunk", display = "" })
    assert.same({ "outgoing", "101", "", "+15551234", "carrier" },
      { out.direction, out.caller_number, out.caller_trunk, out.callee_number, out.callee_trunk })
    local setup = cjson.encode({ tenant = kTenant, dialled = "601", from_trunk = "a", to_trunk = "b" })
    local on = record({ setup = setup }, trunk, { kind = "trunk", display = "", outside = "+442030000999" })
    assert.same({ "incoming", "601", "+442030000999", "a", "b" },
      { on.direction, on.dialled, on.callee_number, on.caller_trunk, on.callee_trunk })
  end)

  it("B4 has no trunk of a ring group of which an extension has answered", function()
    local inside = record({ setup = cjson.encode({ tenant = kTenant, dialled = "602", to_trunk = "b" }) })
    assert.same({ "602", "102", "" }, { inside.dialled, inside.callee_number, inside.callee_trunk })
  end)

  it("B4 has no number that a trunk withholds, and the account of an extension that does", function()
    local trunk = record({ from_uri = "sip:+390212345@192.0.2.1" }, { kind = "trunk", display = "C", withheld = true })
    assert.same({ "", "", 1 }, { trunk.caller_number, trunk.caller_name, trunk.caller_withheld })
    local nameless = extension("101", "John")
    nameless.withheld = true
    local phone = record({ from_uri = "sip:anonymous@anonymous.invalid" }, nameless)
    assert.same({ "101", "", 1 }, { phone.caller_number, phone.caller_name, phone.caller_withheld })
  end)

  it("B4 is one line of JSON in UTF-8, whatever the network sends", function()
    for _, text in ipairs({ '"', "\\", "\n", "\r\n", "'; DROP TABLE cdrs; --", '","over":true,"x":"', "\255\254",
      "\0", "=1+1", ("\195\171"):rep(600), ("x"):rep(5000) }) do
      local made = line({ call_id = text, from_uri = "sip:" .. text .. "@192.0.2.1",
        setup = cjson.encode({ tenant = kTenant, dialled = text }) }, { kind = "trunk", display = text })
      assert.is_nil(made:find("[\r\n]"))
      local read = cjson.decode(made)
      assert.equal("caller", read.ended)
      assert.is_true(#read.call_id <= 1020 and #read.dialled <= 64 and #read.caller_number <= 64)
      assert.is_nil(read.over)
    end
  end)

  it("B4 never ends before it has begun, if the clock is set back", function()
    assert.equal(1700000000123, record({ ended_at = 1700000000000 }).ended_at)
  end)

  it("B4 exists of a call that an older Kamailio has begun", function()
    local read = record({ setup = "nil" })
    assert.same({ kTenant, "102", "101" }, { read.tenant, read.dialled, read.caller_number })
  end)
end)

describe("cdr.setup", function()
  it("B4 has what the parties do not show", function()
    local trunks = { { trunk = "b" }, { trunk = "c" } }
    local d = { setup = { tenant = kTenant }, caller = { kind = "trunk" }, trunks = trunks }
    local f = { dialled = { text = "+4420" }, ruri = { user = "+4420" }, did = { trunk = "a" } }
    assert.same({ tenant = kTenant, dialled = "+4420", from_trunk = "a", to_trunk = "b" },
      cjson.decode(cdr.setup(f, d)))
    local inside = { setup = { tenant = kTenant }, caller = { kind = "extension" } }
    assert.same({ tenant = kTenant, dialled = "x y" }, cjson.decode(cdr.setup({ ruri = { user = "x\ny" } }, inside)))
    assert.same({ tenant = kTenant, dialled = "" }, cjson.decode(cdr.setup({ ruri = {} }, inside)))
  end)
end)

describe("cdr.trunks", function()
  it("T2 are those of a call that a killed Kamailio has left", function()
    local setup = { tenant = kTenant, dialled = "+4420", from_trunk = "a", to_trunk = "b" }
    assert.same({ { tenant = kTenant, trunk = "a" }, { tenant = kTenant, trunk = "b" } },
      cdr.trunks(cjson.encode(setup)))
    assert.same({}, cdr.trunks(cjson.encode({ tenant = kTenant, dialled = "102" })))
    assert.same({}, cdr.trunks(nil))
    assert.same({}, cdr.trunks("nil"))
  end)
end)

describe("cdr.carried_by", function()
  it("T2 has the trunk that has carried the call after all", function()
    local setup = cjson.encode({ tenant = kTenant, dialled = "+4420", to_trunk = "a" })
    assert.same({ tenant = kTenant, dialled = "+4420", to_trunk = "b" }, cjson.decode(cdr.carried_by(setup, "b")))
    assert.is_nil(cdr.carried_by(setup, "a"))
    assert.same({ tenant = kTenant, to_trunk = "b" },
      cjson.decode(cdr.carried_by(cjson.encode({ tenant = kTenant }), "b")))
    assert.is_nil(cdr.carried_by(nil, "b"))
    assert.is_nil(cdr.carried_by("nil", "b"))
  end)
end)

describe("cdr.trunk_of", function()
  it("T1 has the trunk on each side", function()
    local setup = cjson.encode({ tenant = kTenant, from_trunk = "a", to_trunk = "b" })
    assert.same({ "a", "b" }, { cdr.trunk_of(setup, "a"), cdr.trunk_of(setup, "b") })
    assert.is_nil(cdr.trunk_of(cdr.setup_of_parkd(kTenant), "b"))
    assert.equal("c", cdr.trunk_of(cdr.carried_by(cdr.setup_of_parkd(kTenant), "c"), "b"))
    assert.is_nil(cdr.trunk_of(nil, "a"))
  end)
end)

describe("cdr.ended", function()
  it("B4 names the party that has sent the BYE, or the park", function()
    assert.equal("caller", cdr.ended(false, "ft", "ft"))
    assert.equal("callee", cdr.ended(false, "tt", "ft"))
    assert.equal("timeout", cdr.ended(false, nil, "ft"))
    assert.equal("parked", cdr.ended(true, "ft", "ft"))
  end)
end)

describe("cdr.milliseconds", function()
  it("B4 reads a time with microseconds", function()
    assert.equal(1700000000123, cdr.milliseconds("1700000000.123999"))
    assert.equal(1700000000000, cdr.milliseconds("1700000000"))
  end)
end)
