-- What Kamailio does with each number of tests/data/dialled_numbers.json; what parkd does with it, and that the
-- database answers these rows, is proved by tests/component/dialled_numbers_test.cc.
local cjson = require("cjson")
local decide = require("rules.decide")
local dialled_numbers = require("support.dialled_numbers")
local message = require("rules.message")
local requests = require("support.requests")

local table_of_cases = dialled_numbers.read()
local plan = table_of_cases.plan

local function row_of(case)
  if case.row == cjson.null then return false end
  return { number = case.row.number, kind = case.row.kind, action = case.row.action,
    enabled = case.row.enabled and 1 or 0, display_name = "" }
end

-- The row of a number that is dialled by itself.
local rows = {}
for _, case in ipairs(table_of_cases.cases) do
  local dialled = dialled_numbers.dialled(case.uri)
  if dialled and dialled.clean then rows[dialled.text] = row_of(case) end
end

-- Where the call flow with this main number leads in the plan; false if it is no call flow's.
local function leads_to(row)
  for _, flow in ipairs(row and row.kind == "call_flow" and plan.call_flows or {}) do
    if flow.number == row.number then return { number = flow.destination, row = rows[flow.destination] } end
  end
  return false
end

local settings = { address = "192.0.2.1", port = 5060, inside_address = "127.0.0.1", inside_port = 5061,
  parkd_address = "127.0.0.1", parkd_port = 5062, flood_control = true }

-- A request of the plan's user about the case, and what the database answers about it.
local function request(case, changes, raw)
  local texts = { settings = function() return settings end }
  for name, value in pairs(raw) do
    texts[name] = function() return value end
  end
  local read = message.facts_from(texts)()
  local row = row_of(case)
  local f = requests.facts({
    from = { user = plan.user, host = plan.tenant }, identity = { status = "known", user = plan.user, display = "" },
    number = row, refer_number = row, registered = false, did = false, held_calls = { requests.held },
    is_holding = false, ring_group = { requests.rings(1, "simultaneous", "102") },
    call_flow = leads_to(row),
    trunks_to = requests.trunks_to,
  })
  f.ruri, f.dialled, f.refer_to = read.ruri, read.dialled, raw.refer_to_raw and read.refer_to
  for name, value in pairs(changes) do f[name] = value end
  return f
end

local words = {
  to_extension = function(d) return "rings " .. d.aor:match("^[^@]+") end,
  to_ring_group = function() return "rings the group" end,
  to_trunk = function(d) return "goes out to " .. d.number end,
  feature_call = function(d) return d.dialog and "goes to parkd with the held call" or "goes to parkd" end,
  refer = function(d) return d.marker and "goes to parkd and parks" or "goes to parkd" end,
  within_dialog = function() return "is an ordinary transfer" end,
  watch_lamp = function(d) return "watches " .. d.uri:match("^sip:([^@]+)@") end,
  refuse = function(d) return tostring(d.code) end,
}

local function outcome(f)
  local d = decide.request(f)
  if d.need == "orbit_number" then
    f.orbit_number = rows[d.about.number] or false
    d = decide.request(f)
  end
  assert.is_nil(d.need)
  return words[d.action](d)
end

local function called(case) return outcome(request(case, {}, { ruri_text = case.uri })) end

local function transferred_to(case)
  local call = requests.call("extension", "extension")
  call.a.aor = plan.user .. "@" .. plan.tenant
  call.b.contact = requests.kContact
  local refer_to = { count = 1, compact_count = 0, value = "<" .. case.uri .. ">" }
  return outcome(request(case, { method = "REFER", to_tag = "tt", marker = false, is_other = false, call = call,
    path = { own = 1, hops = {}, uri = "", call = false }, ruri_text = requests.kContact },
    { ruri_text = requests.kContact, refer_to_raw = refer_to }))
end

local function watched(case)
  return outcome(request(case, { method = "SUBSCRIBE", event = "dialog" }, { ruri_text = case.uri }))
end

local refused_by_parkd = { ["invalid code"] = true, ["nothing"] = true, ["no URI"] = true }

describe("a dialled number", function()
  for _, case in ipairs(table_of_cases.cases) do
    it(("S6 does at Kamailio what the table has: %s (%s)"):format(case.about, case.uri), function()
      assert.same(case.kamailio, { called = called(case), transferred = transferred_to(case), watched = watched(case) })
    end)

    -- What parkd parks comes with the held call, and what it retrieves comes without one. parkd refuses junk behind a
    -- code.
    it(("is the same to parkd: %s (%s)"):format(case.about, case.uri), function()
      assert.equal(case.parkd.called:match("^park ") ~= nil,
        case.kamailio.called == "goes to parkd with the held call" and not refused_by_parkd[case.parkd.called])
      assert.equal(case.parkd.transferred:match("^park ") ~= nil,
        case.kamailio.transferred == "goes to parkd and parks" and not refused_by_parkd[case.parkd.transferred])
      if case.parkd.called:match("^retrieve ") then assert.equal("goes to parkd", case.kamailio.called) end
    end)
  end
end)
