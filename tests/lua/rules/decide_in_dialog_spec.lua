local decide = require("rules.decide")
local requests = require("support.requests")

local function request(changes)
  local f = requests.facts({ to_tag = "tt", marker = false, is_other = false, is_udp = true, given_up = false })
  requests.seal(f, "a", true)
  for name, value in pairs(changes) do f[name] = value end
  return decide.request(f)
end

local own = { user = "parkd", host = "127.0.0.1", is_parkd = true }

describe("a request within a call", function()
  it("is followed by what it may change", function()
    for method, follow in pairs({ INVITE = "offer", UPDATE = "offer", ACK = "answer" }) do
      local d = request({ method = method })
      assert.same({ "within_dialog", follow }, { d.action, d.follow })
    end
    assert.is_nil(request({ method = "INFO" }).follow)
    assert.equal("end", request({ method = "BYE", is_udp = false }).follow)
  end)

  it("T1 names the party that it goes to if that may be a trunk", function()
    local function to(party)
      local f = requests.facts({ to_tag = "tt", marker = false, is_other = false, given_up = false })
      requests.seal(f, "a", true)
      f.path.call.b = party
      local d = decide.request(f)
      return d.to, d.tenant
    end
    for _, party in ipairs({ { kind = "trunk", trunk = "a" }, { kind = "trunk" }, { kind = "ring_group" } }) do
      assert.same({ party, requests.kTenant }, { to(party) })
    end
    assert.is_nil(to({ kind = "extension", aor = "102@" .. requests.kTenant }))
  end)

  it("has 10 s for the first answer to an INVITE, and a transaction's time for any other", function()
    assert.equal(10000, request({ method = "INVITE" }).first_answer_ms)
    assert.equal(30000, request({ method = "INFO" }).first_answer_ms)
  end)
end)

describe("a request that goes to parkd", function()
  it("S7 names its device if it may be a hold", function()
    for _, method in ipairs({ "INVITE", "UPDATE" }) do
      assert.equal(requests.kDevice, request({ method = method, ruri = own }).device)
      assert.equal(requests.kDevice, request({ method = method, marker = { floor = 1 } }).device)
    end
    assert.is_nil(request({ method = "INFO", ruri = own }).device)
    assert.is_nil(request({ method = "BYE", marker = { floor = 1 } }).device)
  end)

  it("has the time that parkd needs for it", function()
    assert.equal(16000, request({ method = "BYE", marker = { floor = 1 } }).first_answer_ms)
    assert.equal(30000, request({ method = "INFO", ruri = own }).first_answer_ms)
    assert.equal(6000, request({ method = "INVITE", ruri = own }).first_answer_ms)
  end)

  it("X6 marks an ACK if its sender has cancelled the call", function()
    local function ack(was_cancelled)
      return request({ method = "ACK", ruri = own, was_cancelled = was_cancelled })
    end
    assert.equal("was_cancelled", ack(nil).need)
    assert.same({ "to_parkd", true }, { ack(true).action, ack(true).was_cancelled })
    assert.is_false(ack(false).was_cancelled)
    assert.is_nil(request({ method = "BYE", ruri = own, is_udp = false }).need)
  end)

  it("ends what is known of its sender, if it is a BYE", function()
    for _, from in ipairs({ { ruri = own }, { is_other = true } }) do
      for method, ends in pairs({ BYE = true, INFO = false }) do
        local d = request({ method = method, ruri = from.ruri, is_other = from.is_other, is_udp = false })
        assert.same({ "to_parkd", ends }, { d.action, d.ends_marker })
      end
    end
  end)

  it("ends the record of the call with the parker's BYE", function()
    assert.is_true(request({ method = "BYE", marker = { floor = 1 } }).ends_record)
    assert.is_false(request({ method = "INFO", marker = { floor = 1 } }).ends_record)
  end)
end)

-- parkd and 102, or a trunk, in a call; `sender` is "a" for parkd.
local function at_parkd(changes, party)
  local f = requests.facts({ to_tag = "tt", method = "INFO", marker = false, is_other = false, is_udp = false,
    ruri = own, call = false, has_credentials = false, own_addresses = {} })
  requests.seal(f, "b", false)
  f.path.call.a = { kind = "parkd" }
  if party then f.path.call.b = party end
  for name, value in pairs(changes) do f[name] = value end
  return decide.request(f)
end

describe("X31: a request in a dialog of parkd's", function()
  local methods = { "BYE", "INVITE", "UPDATE", "INFO", "NOTIFY", "MESSAGE" }

  it("is served from where the party is registered, and elsewhere by its password", function()
    for _, method in ipairs(methods) do
      assert.equal("to_parkd", at_parkd({ method = method, own_addresses = { ["127.0.0.11"] = true } }).action)
      assert.equal("challenge", at_parkd({ method = method }).action)
      requests.refused(403, at_parkd({ method = method, has_credentials = true }))
      local known = { status = "known", user = "102" }
      local d = at_parkd({ method = method, has_credentials = true, identity = known })
      assert.same({ "to_parkd", nil }, { d.action, d.unproven })
    end
  end)

  it("of parkd itself comes from no other address", function()
    local f = requests.facts({ to_tag = "tt", method = "BYE", marker = false, is_other = false, ruri = own })
    requests.seal(f, "a", true)
    f.path.call.a = { kind = "parkd" }
    requests.refused(403, decide.request(f))
  end)

  it("of a trunk is served from a trunk's row, and elsewhere if parkd finds its Contact there", function()
    local trunk = { kind = "trunk" }
    for _, row in ipairs({ { enabled = 1 }, { away = true } }) do
      local d = at_parkd({ trunk = row }, trunk)
      assert.same({ "to_parkd", nil }, { d.action, d.unproven })
    end
    local d = at_parkd({ method = "BYE", is_udp = true }, trunk)
    assert.same({ "to_parkd", "127.0.0.11", nil }, { d.action, d.unproven, d.ends_marker })
  end)

  it("of a marked parker ends nothing without a proof", function()
    local unsealed = { own = 1, hops = {}, uri = "sip:127.0.0.1;lr" }
    local d = at_parkd({ method = "BYE", marker = { floor = 1 }, path = unsealed })
    assert.same({ "to_parkd", "127.0.0.11", nil, nil }, { d.action, d.unproven, d.ends_record, d.ends_marker })
  end)

  it("without a seal is served from a trunk's row, and elsewhere if parkd finds the party's Contact there", function()
    for _, path in ipairs({ { own = 0, hops = {} }, { own = 1, hops = {}, uri = "sip:127.0.0.1;lr" } }) do
      assert.is_nil(at_parkd({ path = path, trunk = { enabled = 1 } }).unproven)
      assert.equal("127.0.0.11", at_parkd({ path = path, trunk = { away = true } }).unproven)
      assert.equal("127.0.0.11", at_parkd({ path = path }).unproven)
    end
  end)

  it("is an ACK that moves no voice, if it has no seal", function()
    local unsealed = { own = 1, hops = {}, uri = "sip:127.0.0.1;lr" }
    local function ack(changes)
      changes.method, changes.was_cancelled = "ACK", false
      return at_parkd(changes).action
    end
    assert.equal("to_parkd", ack({ body = "v=0" }))
    assert.equal("to_parkd", ack({ path = unsealed }))
    assert.equal("drop", ack({ path = unsealed, body = "v=0" }))
  end)
end)

describe("a BYE that waits for an earlier REFER", function()
  it("goes on as it would have gone without waiting", function()
    local d = request({ method = "BYE" })
    assert.same({ "wait_for_earlier_refer", 50, "within_dialog", "end" },
      { d.action, d.ms, d.otherwise.action, d.otherwise.follow })
    d = request({ method = "BYE", ruri = own })
    assert.same({ "to_parkd", 16000 }, { d.otherwise.action, d.otherwise.first_answer_ms })
  end)
end)

describe("a request of parkd's", function()
  it("is followed, and its BYE ends the marker", function()
    local d = request({ method = "INVITE", from_parkd = true })
    assert.same({ "parkd_within_dialog", "offer", 10000, false },
      { d.action, d.follow, d.first_answer_ms, d.ends_marker })
    assert.is_true(request({ method = "BYE", from_parkd = true }).ends_marker)
  end)
end)
