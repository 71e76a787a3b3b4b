local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts = requests.facts
local number = requests.number
local extension = requests.extension
local park_code = requests.park_code
local retrieve_code = requests.retrieve_code
local group_park_code = requests.group_park_code
local ring_group = requests.ring_group
local park_number = requests.park_number
local park_number_off = requests.park_number_off
local orbit = requests.orbit
local away = requests.away
local bob_and_carol = requests.bob_and_carol
local own_and_outside = requests.own_and_outside
local trunk_row = requests.trunk_row
local call = requests.call
local refused = requests.refused
local held = requests.held
local subscription = requests.subscription

-- Everything that can be asked for, with every answer. A walk follows each of them.
local rows_away = { false, away }
local answers = {
  given_up = { true, false },
  was_cancelled = { true, false },
  park_rate = { false, 3 },
  parks_this_second = { 3, 4 },
  marker = { false, { floor = 2 }, { floor = 3 } },
  is_other = { false, true },
  call = { false, call("extension", "extension"), call("extension", "trunk"), call("trunk", "extension"),
    call("extension", "extension", "101@other.callpark") },
  own_addresses = { { ["127.0.0.11"] = true }, {} },
  trunk = { false, away, { enabled = 1 }, { enabled = "0" } },
  from_tenant = { { tenant = kTenant }, unpack(rows_away) },
  to_tenant = { { tenant = kTenant }, unpack(rows_away) },
  identity = { { status = "known", user = "101" }, { status = "known", user = "102" }, { status = "absent" },
    { status = "stale" }, { status = "wrong" }, { status = "for_another_uri" }, { status = "database_away" } },
  did = { { tenant = kTenant, number = "102", kind = "extension", enabled = 1 },
    { tenant = kTenant, number = "600", kind = "ring_group", enabled = 1 },
    { tenant = kTenant, trunk = "site-b", number = "7001", kind = "orbit", enabled = 1, from_trunks = true },
    { tenant = kTenant, trunk = "site-b", number = "7001", kind = "orbit", enabled = 1, from_trunks = false },
    unpack(rows_away) },
  orbit_from_trunk = { { tenant = kTenant, trunk = "site-b" }, unpack(rows_away) },
  number = { extension, park_code, retrieve_code, { number = "102", kind = "extension", enabled = 0 },
    group_park_code, ring_group, park_number, park_number_off, orbit, unpack(rows_away) },
  refer_number = { extension, park_code, retrieve_code, group_park_code, ring_group, park_number, park_number_off,
    orbit, unpack(rows_away) },
  ring_group = { {}, bob_and_carol, own_and_outside, away },
  guesses = { {}, { 31, 31 }, { 301, 1 } },
  are_registered_here = { true, false },
  registered = { { number = "103", contact = "sip:103@127.0.0.13", received = "" }, unpack(rows_away) },
  own_contact = { { contact = "sip:101-0x5f@127.0.0.11" }, unpack(rows_away) },
  trunk_among = { { trunk = "demo" }, unpack(rows_away) },
  registered_contacts = { {} },
  tenant_trunk = { trunk_row, unpack(rows_away) },
  trunks_to = { requests.trunks_to, requests.no_trunk_to, requests.full_trunks_to, unpack(rows_away) },
  is_holding = { true, false },
  held_calls = { {}, { held } },
  orbit_number = { extension, orbit, ring_group, park_code, unpack(rows_away) },
  subscription = { subscription("101"), subscription("103"), unpack(rows_away) },
}

local methods = { "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "MESSAGE", "REFER", "NOTIFY", "UPDATE",
  "PRACK", "INFO", "SUBSCRIBE", "PUBLISH", "WHATEVER" }
local targets = {
  { user = "102", host = kTenant }, { user = "102", host = "127.0.0.1", is_ours = true },
  { user = "102", host = "other.callpark" }, { user = "parkd", host = "127.0.0.1", is_parkd = true },
}
local dialled_numbers = { number("102"), number("+4420"), number("+44x"),
  { text = "*70'", beginning = "*70", clean = false }, false }
local referred = { false, { user = "*70", host = kTenant }, { user = "parkd", host = "127.0.0.1", is_parkd = true },
  { user = "*70", host = "other.callpark" }, { host = kTenant } }

-- Without a Route of Kamailio's, with one from before there were seals, and those of the two parties.
local no_path, unsealed_path = { own = 0, hops = {} }, { own = 1, hops = {}, uri = "sip:127.0.0.1;lr" }
local paths = { no_path, unsealed_path, { sender = "a", is_from_home = true }, { sender = "b" } }
-- The same, with another party in the place of 102.
local paths_of_others = { { sender = "b", party = { kind = "trunk" } }, { sender = "b", party = { kind = "parkd" } },
  { sender = "b", party = { kind = "ring_group", number = "600" } } }
for _, path in ipairs(paths) do paths_of_others[#paths_of_others + 1] = path end
local is_sent_by_others = { INVITE = true, ACK = true, BYE = true }

-- Within a dialog no number counts.
local function paths_of(to_tag, dialled, method)
  if not to_tag then return { no_path } end
  if dialled ~= dialled_numbers[1] then return { paths[3] } end
  return is_sent_by_others[method] and paths_of_others or paths
end

local kNeedsMax = 10

-- The facts belong to the walk: a visitor leaves them as they were. luassert needs more time than a decision, so it
-- is not used here.
local function walk(f, asked, visit)
  local d = decide.request(f)
  local need = d.need
  if not need then return visit(f, d) end
  if not answers[need] then error("asks for " .. tostring(need)) end
  if f[need] ~= nil then error("asks twice for " .. need) end
  if asked >= kNeedsMax then error("asks too often, at last for " .. need) end
  for _, answer in ipairs(answers[need]) do
    f[need] = answer
    walk(f, asked + 1, visit)
  end
  f[need] = nil
end

local events = { SUBSCRIBE = { "dialog", "call-info", "refer" }, PUBLISH = { "dialog", "presence" } }

-- Each method, with each event package where it has one.
local kinds = {}
for _, method in ipairs(methods) do
  for _, event in ipairs(events[method] or { "" }) do kinds[#kinds + 1] = { method = method, event = event } end
end

local function each_request(visit)
  for _, kind in ipairs(kinds) do
    local method = kind.method
    for _, from_parkd in ipairs({ true, false }) do
      for _, to_tag in ipairs({ false, "tt" }) do
        for _, target in ipairs(targets) do
          for _, dialled in ipairs(dialled_numbers) do
            for _, credentials in ipairs({ true, false }) do
              for _, refer_to in ipairs(method == "REFER" and referred or { false }) do
                for _, has_replaces in ipairs(method == "INVITE" and { true, false } or { false }) do
                  for _, path in ipairs(paths_of(to_tag, dialled, method)) do
                    local f = facts({ method = method, from_parkd = from_parkd, ruri = target, dialled = dialled,
                      has_credentials = credentials, refer_to = refer_to, has_replaces = has_replaces,
                      is_udp = has_replaces or method == "BYE",
                      inside_tenant = from_parkd and kTenant or nil, event = kind.event,
                      body = "<dialog id='1'/>" })
                    f.to_tag = to_tag or nil
                    f.trunk, f.identity, f.guesses = nil, nil, nil
                    if path.sender then requests.seal(f, path.sender, path.is_from_home) else f.path = path end
                    if path.party then f.path.call.b = path.party end
                    walk(f, 0, visit)
                  end
                end
              end
            end
          end
        end
      end
    end
  end
end

local function is_known(f) return f.identity ~= nil and f.identity.status == "known" end
local function is_trunk(f) return f.trunk ~= nil and f.trunk ~= false end

describe("every request there can be", function()
  it("has a decision that perform.lua knows", function()
    local actions, count = {}, 0
    each_request(function(_, d)
      actions[d.action] = true
      count = count + 1
    end)
    local names = {}
    for name in pairs(actions) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "adopted", "answer_options", "cancel", "challenge", "drop", "feature_call", "parkd_within_dialog",
      "publish", "refer", "refuse", "refuse_event", "register", "subscribe_at_parkd", "to_contact", "to_extension",
      "to_parkd", "to_ring_group", "to_trunk", "wait_for_earlier_refer", "wait_for_hold", "watch_lamp",
      "watch_lamp_again", "within_dialog" }, names)
    assert.is_true(count > 5000)
  end)

  it("gets to parkd, to a trunk or into the registrar only from a known sender", function()
    local guarded = { feature_call = true, refer = true, to_trunk = true, register = true, to_contact = true }
    each_request(function(f, d)
      local is_other_site = d.action == "feature_call" and is_trunk(f)
      if guarded[d.action] and not f.from_parkd and not is_other_site then
        assert.is_true(is_known(f) and f.has_credentials)
        assert.is_false(is_trunk(f))
      end
      local rings_somebody = d.action == "to_extension" or d.action == "to_ring_group"
      if rings_somebody and not f.from_parkd then assert.is_true(is_known(f) or is_trunk(f)) end
    end)
  end)

  it("to a ring group rings others than the caller, in the tenant, or outside by the trunk", function()
    each_request(function(f, d)
      if d.action ~= "to_ring_group" then return end
      assert.is_true(#d.steps > 0)
      for _, step in ipairs(d.steps) do
        assert.is_true(#step.parties > 0)
        for _, party in ipairs(step.parties) do
          if party.kind == "trunk" then
            assert.is_true(#party.trunks > 0)
            assert.is_false(f.has_replaces)
          else
            assert.is_truthy(party.aor:find("@" .. kTenant, 1, true))
            assert.is_false(d.caller ~= nil and d.caller.aor == party.aor)
          end
        end
      end
    end)
  end)

  it("that is to park an own call has a call to park, or goes to parkd without one", function()
    local parks = { [park_code] = true, [group_park_code] = true, [park_number] = true }
    each_request(function(f, d)
      if d.action == "feature_call" then assert.equal(parks[f.number] == true, f.held_calls ~= nil) end
      if d.action == "refer" and f.refer_number and not f.marker and not f.ruri.is_parkd then
        assert.is_true(parks[f.refer_number] or f.refer_number == orbit)
        assert.equal(f.from_tag, d.marker.tag)
      end
    end)
  end)

  it("of an extension is in its own name", function()
    each_request(function(f, d)
      if is_known(f) and (d.action == "feature_call" or d.action == "to_trunk" or d.action == "register") then
        assert.equal(d.action == "register" and f.to.user or f.from.user, f.identity.user)
      end
      if d.action == "refer" and f.call then
        assert.equal(f.call[d.side].aor, d.user .. "@" .. d.tenant)
        assert.equal(f.call[d.side].tag, f.from_tag)
      end
    end)
  end)

  it("stays in its tenant", function()
    each_request(function(_, d)
      if d.aor then assert.is_truthy(d.aor:find("@" .. kTenant, 1, true)) end
      if d.tenant then assert.is_true(d.tenant == kTenant or d.tenant == "other.callpark" and d.action == "refer") end
    end)
  end)

  it("that is a REFER reaches no trunk, and none comes from one", function()
    each_request(function(f, d)
      if f.method ~= "REFER" or f.from_parkd then return end
      if d.action == "within_dialog" then
        assert.equal("extension", (f.call or { b = f.path.call[f.path.call.sender == "a" and "b" or "a"] }).b.kind)
      end
      if d.action ~= "refuse" and f.call then assert.equal("extension", f.call.a.kind) end
    end)
  end)

  it("of a marked parker goes to parkd, except ACKs from before", function()
    each_request(function(f, d)
      if not f.marker or f.method == "REFER" or not (f.path.call and f.path.call.is_from_home) then return end
      local before = f.method == "ACK" and f.cseq < f.marker.floor
      if not before then
        assert.equal("adopted", d.action)
        assert.equal(f.method == "BYE", d.ends_record)
      else
        assert.not_equal("adopted", d.action)
      end
    end)
  end)

  it("X31 within a dialog of parkd's comes from a party, or parkd is to look at its sender's address", function()
    each_request(function(f, d)
      if not f.to_tag or f.from_parkd or not f.ruri.is_parkd or f.method == "ACK" then return end
      local at_last = d.otherwise or d
      if at_last.action ~= "to_parkd" and at_last.action ~= "adopted" then return end
      local sealed = f.path.call
      local at_trunk = is_trunk(f) and (sealed or f.call or f.trunk ~= away)
      local is_registered = f.own_addresses and f.own_addresses[f.source.ip]
      local is_proven = sealed and sealed.is_from_home or is_known(f) or is_registered or at_trunk
      local party = sealed and sealed[sealed.sender].kind
      assert.not_equal("parkd", party)
      if is_proven then return end
      assert.same({ "to_parkd", f.source.ip }, { at_last.action, at_last.unproven })
      assert.is_nil(at_last.ends_marker)
      assert.is_true(not sealed or party == "trunk")
    end)
  end)

  local function is_sealed_trunk(f) return f.path.call and f.path.call[f.path.call.sender].kind == "trunk" end

  it("that is a BYE over UDP gives an earlier REFER its time, once, but a trunk sends none", function()
    each_request(function(f, d)
      if d.action == "wait_for_earlier_refer" then
        assert.same({ "BYE", false, false }, { f.method, f.marker, f.from_parkd })
        assert.is_falsy(is_sealed_trunk(f))
        local at_last = (f.ruri.is_parkd or f.is_other) and "to_parkd" or "within_dialog"
        assert.equal(at_last, d.otherwise.action)
        f.waits = 1
        assert.equal(at_last, decide.request(f).action)
        f.waits, f.is_udp = 0, false
        assert.equal(at_last, decide.request(f).action)
        f.is_udp = true
      end
      if f.method == "BYE" and f.is_udp and f.waits == 0 and not f.from_parkd and not f.marker
          and not is_sealed_trunk(f) then
        assert.is_true(d.action ~= "within_dialog" and d.action ~= "to_parkd")
      end
    end)
  end)

  it("X3 of the other party of a kept dialog goes to parkd, except ACKs", function()
    each_request(function(f, d)
      if f.marker or not f.is_other or f.ruri.is_parkd or f.method == "REFER" then return end
      if d.action == "wait_for_earlier_refer" then d = d.otherwise end
      assert.equal(f.method == "ACK" and "within_dialog" or "to_parkd", d.action)
      assert.is_nil(d.ends_record)
    end)
  end)

  it("of a trunk gets to parkd only where a range lets trunks retrieve", function()
    each_request(function(f, d)
      if d.action ~= "feature_call" or not is_trunk(f) then return end
      assert.same({ kTenant, "site-b" }, { d.tenant, d.trunk })
      assert.equal("INVITE", f.method)
      assert.is_true(f.did == false or f.did.from_trunks)
      assert.is_nil(d.user)
      assert.is_nil(d.dialog)
    end)
  end)

  it("of a marked parker that is a REFER holds the marker once more", function()
    each_request(function(f, d)
      if f.marker and d.action == "refer" and not f.ruri.is_parkd then assert.is_truthy(d.marker) end
    end)
  end)

  it("of parkd in a call that was given up changes nothing", function()
    each_request(function(f, d)
      if not f.given_up then return end
      if f.method == "ACK" then assert.equal("drop", d.action) else refused(481, d) end
    end)
  end)

  it("X2 goes on along Kamailio's Route without a record, and without either gets 481, and its ACK nothing", function()
    each_request(function(f, d)
      if not f.to_tag or f.from_parkd or f.marker ~= false or f.is_other or f.ruri.is_parkd then return end
      local is_other_business = f.method == "REFER" or f.method == "SUBSCRIBE" and f.event ~= "refer"
      if is_other_business then return end
      if f.path.own == 0 and f.call == false then
        if f.method == "ACK" then assert.equal("drop", d.action) else refused(481, d) end
      elseif f.path.call and f.path.call.is_from_home then
        assert.is_nil(f.call, "a look-up")
        assert.equal("within_dialog", (d.otherwise or d).action)
      end
    end)
  end)

  it("is 503 when the answer that it needs is not to be had", function()
    each_request(function(f, d)
      for name in pairs(answers) do
        -- A call goes on.
        local goes_on = (name == "trunk" or name == "ring_group") and f.to_tag and f.method ~= "REFER"
        if f[name] == away and not goes_on then refused(503, d) end
      end
      if f.identity and f.identity.status == "database_away" then refused(503, d) end
    end)
  end)

  it("is challenged with stale only when the nonce was", function()
    each_request(function(f, d)
      if d.action ~= "challenge" then return end
      assert.equal(f.identity ~= nil and f.identity.status == "stale", d.stale == true)
      assert.equal(f.identity ~= nil and f.identity.status == "wrong", d.guess_keys ~= nil)
    end)
  end)
end)
