local dialled_number = require("rules.dialled_number")
local directory_rows = require("rules.directory_rows")

local kTenant, kOther = "demo.callpark", "other.callpark"
local kCarrier = "192.0.2.10"

-- What is remembered, from rows as the database gives them.
local function remembered(rows)
  local entries = {}
  for _, row in ipairs(rows) do
    directory_rows.add(entries, row[1], row[2], { { key = row[3], value = row[4] } })
  end
  return function(key) return entries[key] end
end

local get = remembered({
  { "tenant", kTenant, "", 1 },
  { "tenant", kOther, "", "1" },
  { "tenant", "off.callpark", "", 0 },
  { "number", kTenant, "101", "extension\t\t1\tAlice Anders\tha1\tha1b" },
  { "number", kTenant, "102", "extension\t\t0\t\tha1\tha1b" },
  { "number", kTenant, "600", "ring_group\t\t1\tAll\t\t" },
  { "number", kTenant, "601", "ring_group\t\t0\t\t\t" },
  { "number", kTenant, "*7", "park_code\tretrieve\t1\t\t\t" },
  { "number", kTenant, "*70", "park_code\tpark\t1\t\t\t" },
  { "number", "off.callpark", "101", "extension\t\t1\t\tha1\tha1b" },
  { "range", kTenant, "", "7001\t7010\t0" },
  { "range", kTenant, "", "*41\t*49\t1" },
  { "range", kOther, "", "8001\t8010\t1" },
  { "ring_group", kTenant, "600", "simultaneous\t20\t602" },
  { "ring_group", kTenant, "602", "sequential\t5\t+15551234" },
  { "ring_group", kTenant, "603", "sequential\t5\t601" },
  { "members", kTenant, "600", "102" },
  { "members", kTenant, "600", "101" },
  { "members", kTenant, "602", "+15559999" },
  { "members", kTenant, "603", "101" },
  { "number", kTenant, "602", "ring_group\t\t1\t\t\t" },
  { "number", kTenant, "*30", "call_flow_code\t\t1\t\t\t" },
  { "number", kTenant, "300", "call_flow\t\t1\t\t\t" },
  { "number", kTenant, "301", "call_flow\t\t1\t\t\t" },
  { "number", kTenant, "302", "call_flow\t\t1\t\t\t" },
  { "number", kTenant, "303", "call_flow\t\t0\t\t\t" },
  { "number", kTenant, "304", "call_flow\t\t1\t\t\t" },
  { "number", kTenant, "305", "call_flow\t\t1\t\t\t" },
  { "number", kTenant, "306", "call_flow\t\t1\t\t\t" },
  { "call_flow", kTenant, "300", "101\t102" },
  { "call_flow", kTenant, "301", "300\t600" },
  { "call_flow", kTenant, "302", "hangup:busy\t301" },
  { "call_flow", kTenant, "304", "303\t+15557777" },
  { "call_flow", kTenant, "305", "+15557777\t304" },
  { "call_flow", kTenant, "306", "600\t101" },
  { "ring_group", kTenant, "604", "sequential\t5\t301" },
  { "ring_group", kTenant, "605", "sequential\t5\t302" },
  { "ring_group", kTenant, "606", "sequential\t5\t306" },
  { "ring_group", kTenant, "607", "sequential\t5\t303" },
  { "ring_group", kTenant, "608", "sequential\t5\t305" },
  { "number", kTenant, "500", "ivr_menu\t\t1\t\t\t" },
  { "number", kTenant, "501", "ivr_menu\t\t0\t\t\t" },
  { "number", kTenant, "510", "announcement\t\t1\t\t\t" },
  { "number", kTenant, "307", "call_flow\t\t1\t\t\t" },
  { "call_flow", kTenant, "307", "510\t500" },
  { "ring_group", kTenant, "609", "sequential\t5\t500" },
  { "ring_group", kTenant, "610", "sequential\t5\t501" },
  { "ring_group", kTenant, "611", "sequential\t5\t307" },
  { "members", kTenant, "609", "101" },
  { "number", kTenant, "609", "ring_group\t\t1\t\t\t" },
  { "ring_group", kTenant, "612", "sequential\t5\t609" },
  { "number", kTenant, "308", "call_flow\t\t1\t\t\t" },
  { "number", kTenant, "309", "call_flow\t\t1\t\t\t" },
  { "call_flow", kTenant, "308", "7005\t*45" },
  { "call_flow", kTenant, "309", "7011\t308" },
  { "ring_group", kTenant, "613", "sequential\t5\t*45" },
  { "ring_group", kTenant, "614", "sequential\t5\t308" },
  { "ring_group", kTenant, "615", "sequential\t5\t7011" },
  { "members", kTenant, "613", "101" },
  { "trunk_of", kTenant, "", "a\t192.0.2.10\t5060\tudp\t10\t0\t0\t0\t1" },
  { "trunk_of", kTenant, "", "b\t192.0.2.11\t5070\ttcp\t20\t3\t7\t1\t0" },
  { "trunk_of", kTenant, "", "c\t192.0.2.12\t5060\tudp\t5\t0\t30\t1\t0" },
  { "trunk_of", kTenant, "", "d\t192.0.2.13\t5060\tudp\t9\t0\t0\t0\t1" },
  { "probed", "*", "", "192.0.2.11\t5070\ttcp" },
  { "probed", "*", "", "192.0.2.12\t5060\tudp" },
  { "probed", "*", "", "192.0.2.11\t5070\ttcp" },
  { "probed", "*", "", "2001:db8::1\t5060\tudp" },
  { "trunk_prefix", kTenant, "+44", "b" },
  { "trunk_prefix", kTenant, "+44", "c" },
  { "trunk_prefix", kTenant, "+4420", "b" },
  { "trunk_at", "", "192.0.2.10", kTenant .. "\ta\t1" },
  { "trunk_at", "", "192.0.2.20", kTenant .. "\tc\t0" },
  { "trunk_at", "", "192.0.2.20", "off.callpark\tx\t1" },
  { "trunk_at", "", "2001:db8::1", kOther .. "\tsix\t1" },
  { "trunk_at", "", "192.0.2.30", kTenant .. "\td\t1" },
  { "trunk_at", "", "192.0.2.30", kOther .. "\te\t1" },
  { "trunk_account", kTenant, "a", "4930\tauth\tcarrier.example\t600\tsecret" },
  { "trunk_account", kTenant, "d", "4931\t4931\t\t600\tsecret" },
  { "did", kTenant, "+49301", kTenant .. "\t101" },
  { "did", kTenant, "+49302", kTenant .. "\t999" },
  { "did", kTenant, "+49500", kTenant .. "\t500" },
  { "did", kTenant, "+49700", kTenant .. "\t7005" },
  { "did", kTenant, "+49701", kTenant .. "\t7011" },
})

local function number(user) return directory_rows.number(get, kTenant, dialled_number.of_user(user)) end

describe("what is remembered of SQL", function()
  it("has tenants that are enabled", function()
    assert.same({ tenant = kTenant }, directory_rows.tenant(get, kTenant))
    assert.is_false(directory_rows.tenant(get, "off.callpark"))
    assert.is_false(directory_rows.tenant(get, "none.callpark"))
  end)

  it("has numbers: the number itself, an orbit, the longest code", function()
    assert.equal("Alice Anders", number("101").display_name)
    assert.equal(0, number("102").enabled)
    assert.same({ "7005", "orbit" }, { number("7005").number, number("7005").kind })
    assert.equal("*45", number("*45").number)
    assert.same({ "*70", "park" }, { number("*70333").number, number("*70333").action })
    assert.equal("*7", number("*71").number)
    assert.equal("*7", number("*7/x").number)
    assert.is_false(number("103"))
    assert.is_false(number("7011"))
    assert.is_false(number("70010"))
    assert.is_false(number("1011"))
  end)

  it("F3 has the code of a call flow alone, and behind flow+", function()
    assert.same({ "*30", "call_flow_code" }, { number("*30").number, number("*30#").kind })
    assert.same({ "*30", "call_flow_code" }, { number("flow+*30").number, number("flow+*30").kind })
    for _, user in ipairs({ "*301", "flow+*301", "flow+300", "flow+101", "flow+*70", "flow+", "flow*30" }) do
      assert.is_false(number(user), user)
    end
  end)

  it("F2 has where a call flow leads, by its status and through others", function()
    local function leads(user) return directory_rows.call_flow(get, kTenant, user) end
    assert.same({ "101", "Alice Anders" }, { leads("300").number, leads("300").row.display_name })
    assert.equal("101", leads("301").row.number)
    assert.same({ hangup = "busy" }, leads("302"))
    assert.is_false(leads("303"), "disabled")
    assert.is_false(leads("304"), "leads to one that is disabled")
    assert.same({ number = "+15557777" }, leads("305"))
    assert.equal("ring_group", leads("306").row.kind)
    assert.is_false(leads("101"))
  end)

  it("F2 ends a call flow that leads to itself", function()
    local round = remembered({ { "call_flow", "a", "30", "30\t31" }, { "number", "a", "30", "call_flow\t\t1\t\t\t" } })
    assert.is_false(directory_rows.call_flow(round, "a", "30"))
    assert.is_false(directory_rows.may_ring(round, "a", "30", "10"))
  end)

  it("F2 has ring groups that lead through call flows", function()
    local function members(user)
      local list = {}
      for i, row in ipairs(directory_rows.ring_group(get, kTenant, user)) do list[i] = row.member or row.hangup end
      return table.concat(list, " ")
    end
    assert.equal("101", members("604"))
    assert.equal("busy", members("605"))
    assert.equal("102 101 +15559999 +15551234", members("606"))
    assert.equal("", members("607"))
    assert.equal("+15557777", members("608"))
  end)

  it("F2 knows which extensions a call flow may have rung, whatever its status is now", function()
    local function may_ring(user, extension) return directory_rows.may_ring(get, kTenant, user, extension) end
    assert.is_true(may_ring("300", "102"))
    assert.is_true(may_ring("302", "102"), "by 301, which leads to 600")
    assert.is_true(may_ring("600", "101"))
    assert.is_false(may_ring("300", "103"))
    assert.is_false(may_ring("305", "101"))
    assert.is_false(may_ring("999", "101"))
  end)

  it("F6 has the number of a menu and of an announcement alone, enabled or not", function()
    assert.same({ "ivr_menu", 1 }, { number("500").kind, number("500").enabled })
    assert.same({ "ivr_menu", 0 }, { number("501").kind, number("501").enabled })
    assert.same({ "announcement", "510" }, { number("510#").kind, number("510").number })
    assert.is_false(number("5001"))
    assert.is_true(directory_rows.is_menu(number("500")))
    assert.is_true(directory_rows.is_menu(number("510")))
    assert.is_false(directory_rows.is_menu(number("101")))
  end)

  it("F6 has where a DID, a call flow and ring groups lead to a menu", function()
    local did = directory_rows.did(get, "+49500", kCarrier)
    assert.same({ "500", "ivr_menu", 1, "a" }, { did.number, did.kind, did.enabled, did.trunk })
    local flow = directory_rows.call_flow(get, kTenant, "307")
    assert.same({ "510", "announcement" }, { flow.number, flow.row.kind })
    local function last_of(user)
      local rows = directory_rows.ring_group(get, kTenant, user)
      return #rows, rows[#rows] and rows[#rows].menu
    end
    assert.same({ 2, "500" }, { last_of("609") })
    assert.same({ 0, nil }, { last_of("610") }, "disabled")
    assert.same({ 1, "510" }, { last_of("611") })
    assert.same({ 2, "500" }, { last_of("612") })
    assert.is_false(directory_rows.may_ring(get, kTenant, "307", "101"))
    assert.is_true(directory_rows.may_ring(get, kTenant, "609", "101"))
  end)

  it("F2 has where a DID, a call flow and ring groups lead to an orbit of an enabled range", function()
    local did = directory_rows.did(get, "+49700", kCarrier)
    assert.same({ "7005", "orbit", false, "a", kTenant },
      { did.number, did.kind, did.from_trunks, did.trunk, did.tenant })
    assert.is_false(directory_rows.did(get, "+49701", kCarrier), "the range is disabled")
    local flow = directory_rows.call_flow(get, kTenant, "308")
    assert.same({ "7005", "orbit" }, { flow.number, flow.row.kind })
    assert.is_false(directory_rows.call_flow(get, kTenant, "309"), "the same")
    local function last_of(user)
      local rows = directory_rows.ring_group(get, kTenant, user)
      local orbit = rows[#rows] and rows[#rows].orbit
      return #rows, orbit and orbit.number, orbit and orbit.from_trunks
    end
    assert.same({ 2, "*45", true }, { last_of("613") })
    assert.same({ 1, "7005", false }, { last_of("614") })
    assert.same({ 0, nil }, { last_of("615") }, "the same")
    assert.is_true(directory_rows.may_ring(get, kTenant, "613", "101"))
    assert.is_false(directory_rows.may_ring(get, kTenant, "308", "101"))
  end)

  it("has trunks by their address, in each of its spellings", function()
    assert.same({ enabled = 1 }, directory_rows.trunk_at(get, kCarrier))
    assert.same({ enabled = 1 }, directory_rows.trunk_at(get, "[2001:DB8:0:0::1]"))
    assert.same({ enabled = 1 }, directory_rows.trunk_at(get, "::ffff:192.0.2.10"))
    assert.is_false(directory_rows.trunk_at(get, "192.0.2.99"))
    assert.same({ trunk = "c" }, directory_rows.trunk_among(get, { "192.0.2.99", "192.0.2.20" }))
    assert.is_false(directory_rows.trunk_among(get, { "192.0.2.99" }))
  end)

  it("has a trunk that is disabled in one tenant and enabled in another", function()
    assert.same({ enabled = 1 }, directory_rows.trunk_at(get, "192.0.2.20"))
    assert.same({ enabled = 0 }, directory_rows.trunk_at(remembered({ { "trunk_at", "", "192.0.2.20", "t\tx\t0" } }),
      "192.0.2.20"))
  end)

  it("T2 has the trunk of a tenant, the first of them", function()
    assert.same({ trunk = "c", address = "192.0.2.12", port = 5060, transport = "udp", priority = 5, weight = 0,
      calls_max = 30, probe = true, takes_all = false }, directory_rows.trunk_of(get, kTenant))
    assert.is_false(directory_rows.trunk_of(get, kOther))
  end)

  it("T2 has the places that are probed, each once", function()
    assert.same({ "192.0.2.11:5070;transport=tcp", "192.0.2.12:5060;transport=udp",
      "[2001:db8::1]:5060;transport=udp" }, directory_rows.probed(get))
    assert.same({}, directory_rows.probed(remembered({})))
  end)

  it("T2 has the trunks of outside numbers in order, by the longest prefix", function()
    local function trunks_to(outside)
      local names = {}
      for i, one in ipairs(directory_rows.trunks_to(get, kTenant, { outside }, 0)[outside]) do names[i] = one.trunk end
      return table.concat(names, " ")
    end
    assert.equal("b", trunks_to("+442030000"))
    assert.equal("b", trunks_to("+4420"))
    assert.equal("c b", trunks_to("+44161"))
    assert.equal("c b", trunks_to("+44"))
    assert.equal("d a", trunks_to("+4"))
    assert.equal("d a", trunks_to("+15551234"))
    assert.is_false(directory_rows.trunks_to(get, kOther, { "+44" }, 0))
    local both = directory_rows.trunks_to(get, kTenant, { "+44161", "+15551234" }, 0)
    assert.same({ 2, 2 }, { #both["+44161"], #both["+15551234"] })
  end)

  it("has DIDs, for the trunks of their tenant", function()
    local row = directory_rows.did(get, "+49301", kCarrier)
    assert.same({ kTenant, "101", "extension" }, { row.tenant, row.number, row.kind })
    assert.is_false(directory_rows.did(get, "+49301", "2001:db8::1"))
    assert.is_false(directory_rows.did(get, "+49301", "192.0.2.20"))
    assert.is_false(directory_rows.did(get, "+49302", kCarrier))
    assert.is_false(directory_rows.did(get, "+49303", kCarrier))
  end)

  it("O5 has the DID in To of a call to the Contact that is registered at its trunk", function()
    local row = directory_rows.did_at_account(get, "4930", "+49301", kCarrier)
    assert.same({ kTenant, "101", "a", "+49301" }, { row.tenant, row.number, row.trunk, row.dialled })
    assert.is_false(directory_rows.did_at_account(get, "4930", "+49999", kCarrier), "no DID")
    assert.is_false(directory_rows.did_at_account(get, "auth", "+49301", kCarrier), "no such user")
    assert.is_false(directory_rows.did_at_account(get, "4930", "+49301", "192.0.2.30"), "at another trunk")
    assert.is_false(directory_rows.did_at_account(get, "4931", "+49301", "192.0.2.30"), "nothing is registered")
    assert.is_false(directory_rows.did_at_account(get, "4930", "+49301", "192.0.2.99"), "at no trunk")
  end)

  it("T1 has the account at a trunk", function()
    assert.same({ user = "4930", auth_user = "auth", registrar = "carrier.example", expires = 600,
      password = "secret" }, directory_rows.trunk_account(get, kTenant, "a"))
    assert.is_false(directory_rows.trunk_account(get, kOther, "a"))
    assert.is_false(directory_rows.trunk_account(get, kTenant, "c"))
  end)

  it("has the orbits from which a trunk may retrieve", function()
    assert.same({ tenant = kOther, trunk = "six" }, directory_rows.orbit_from_trunk(get, "8005", "2001:db8::1"))
    assert.same({ tenant = kTenant, trunk = "a" }, directory_rows.orbit_from_trunk(get, "*45", kCarrier))
    assert.is_false(directory_rows.orbit_from_trunk(get, "7005", kCarrier))
    assert.same({ tenant = kOther, trunk = "e" }, directory_rows.orbit_from_trunk(get, "8005", "192.0.2.30"))
  end)

  it("has no such orbit where two tenants share the address", function()
    local both = remembered({ { "tenant", "a", "", 1 }, { "tenant", "b", "", 1 }, { "range", "a", "", "70\t79\t1" },
      { "range", "b", "", "70\t79\t1" }, { "trunk_at", "", kCarrier, "a\tx\t1" },
      { "trunk_at", "", kCarrier, "b\ty\t1" } })
    assert.is_false(directory_rows.orbit_from_trunk(both, "75", kCarrier))
  end)

  it("has ring groups with all that they lead to", function()
    local rows = directory_rows.ring_group(get, kTenant, "600")
    local words = {}
    for i, row in ipairs(rows) do
      words[i] = ("%d %s %s %s %d"):format(row.place, row.strategy, tostring(row.ring_seconds), row.member, row.enabled)
    end
    assert.same({ "1 simultaneous 20 102 0", "1 simultaneous 20 101 1", "2 sequential 5 +15559999 1",
      "3 destination nil +15551234 1" }, words)
    assert.equal("Alice Anders", rows[2].display_name)
  end)

  it("has ring groups that end where the next one is disabled, and none that is", function()
    assert.equal(1, #directory_rows.ring_group(get, kTenant, "603"))
    assert.same({}, directory_rows.ring_group(get, kTenant, "601"))
    assert.same({}, directory_rows.ring_group(get, kTenant, "699"))
  end)

  it("ends a ring group that leads to itself", function()
    local round = remembered({ { "ring_group", "a", "60", "simultaneous\t5\t60" }, { "members", "a", "60", "10" },
      { "number", "a", "60", "ring_group\t\t1\t\t\t" } })
    assert.equal(16, #directory_rows.ring_group(round, "a", "60"))
  end)

  it("X41: has the passwords of extensions that may call, under their exact names", function()
    assert.same({ extension = "101", ha1 = "ha1", display = "Alice Anders" },
      directory_rows.credentials(get, kTenant, "101"))
    assert.equal("ha1b", directory_rows.credentials(get, kTenant, "101@" .. kTenant).ha1)
    for _, username in ipairs({ "101 ", " 101", "102", "600", "*70", "", "999", "@" }) do
      assert.is_false(directory_rows.credentials(get, kTenant, username), username)
    end
    assert.is_false(directory_rows.credentials(get, "off.callpark", "101"))
  end)
end)
