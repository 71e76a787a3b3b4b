local dialog_path = require("rules.dialog_path")
local requests = require("support.requests")
local seal = require("rules.seal")

local refused = requests.refused

-- A request of side `sender` of a call of 101 to 102.
local function request(sender, changes)
  local tags = sender == "a" and { "ft", "tt" } or { "tt", "ft" }
  local f = requests.facts({ method = "INFO", from_tag = tags[1], to_tag = tags[2] })
  requests.seal(f, sender, sender == "a")
  for name, value in pairs(changes or {}) do f[name] = value end
  return f
end

local function ruri(uri) return { ruri_text = uri, ruri = { user = "102", host = "127.0.0.12", port = 5060 } } end

describe("X2: a request goes on", function()
  it("along Kamailio's Route to the sealed Contact, without a look-up", function()
    for _, sender in ipairs({ "a", "b" }) do
      assert.is_nil((dialog_path.not_onward(request(sender))))
    end
  end)

  it("to the Contact in the record if its own is unsealed, and names it", function()
    local call = requests.call("extension", "extension")
    call.b.contact = requests.kContact .. ";callpark=1;alias=10.0.0.1~5~1"
    local f = request("a", ruri(requests.kContact .. ";maddr=127.0.0.50"))
    assert.same({ need = "call" }, (dialog_path.not_onward(f)))
    f.call = call
    local wrong, target = dialog_path.not_onward(f)
    assert.same({ nil, call.b.contact }, { wrong, target })
  end)
end)

describe("X31: a request is refused", function()
  it("with a Request-URI that is not the other party's", function()
    local call = requests.call("extension", "extension")
    call.b.contact = "sip:102@127.0.0.13:5060"
    for _, record in ipairs({ call, false }) do
      local changes = ruri("sip:+900123@127.0.0.50")
      changes.call = record
      refused(403, (dialog_path.not_onward(request("a", changes))))
      changes.method = "ACK"
      assert.same({ action = "drop" }, (dialog_path.not_onward(request("a", changes))))
    end
  end)

  it("with a Route behind Kamailio's that is not the dialog's", function()
    local f = request("a", { call = false })
    f.path.hops = { "sip:127.0.0.50;lr" }
    refused(403, (dialog_path.not_onward(f)))
    f.path.call = false
    refused(481, (dialog_path.not_onward(f)))
    f.call = requests.call("extension", "extension")
    f.call.b.contact = f.ruri_text
    refused(403, (dialog_path.not_onward(f)))
  end)

  it("without a Route of Kamailio's", function()
    local f = request("a")
    f.path = { own = 0, hops = { "sip:127.0.0.50;lr" }, call = false }
    refused(481, (dialog_path.not_onward(f)))
  end)
end)

describe("a sender", function()
  local function not_from_party(sender, changes)
    return dialog_path.not_from_party(request(sender, changes))
  end
  local elsewhere = { ip = "127.0.0.99", device = "" }

  it("is known at the place of its call, and where it is registered", function()
    assert.is_nil(not_from_party("a"))
    assert.same({ need = "own_addresses", about = { "102@demo.callpark" } }, not_from_party("b"))
    assert.is_nil(not_from_party("b", { own_addresses = { ["127.0.0.11"] = true } }))
  end)

  it("is known at its Contact in the record", function()
    local call = requests.call("extension", "extension")
    call.b.contact = "sip:102@127.0.0.99"
    call.a.tag, call.b.tag = "ft", "tt"
    assert.is_nil(not_from_party("b", { own_addresses = {}, call = call, source = elsewhere }))
  end)

  it("proves elsewhere that it is that extension", function()
    local moved = { own_addresses = {}, call = false, source = elsewhere, has_credentials = false }
    assert.equal("challenge", not_from_party("b", moved).action)
    moved.has_credentials = true
    refused(403, not_from_party("b", moved))
    moved.identity = { status = "known", user = "102" }
    assert.is_nil(not_from_party("b", moved))
  end)

  it("is a trunk at a trunk's address, while the database answers", function()
    local function from(trunk, call)
      local f = request("b", { trunk = trunk, call = call, source = elsewhere })
      f.path.call.b = { kind = "trunk" }
      return dialog_path.not_from_party(f)
    end
    assert.is_nil(from({ enabled = 1 }))
    assert.is_nil(from({ away = true }))
    refused(403, from(false, false))
    local call = requests.call("extension", "trunk")
    call.b.contact = "sip:127.0.0.99:5080"
    assert.is_nil(from(false, call))
  end)

  it("in a call to a ring group is the member that has answered", function()
    local f = request("b", { own_addresses = { ["127.0.0.11"] = true } })
    f.path.call.b = { kind = "ring_group" }
    assert.same({ need = "call" }, dialog_path.not_from_party(f))
    f.call = requests.call("extension", "extension", "103@demo.callpark")
    assert.is_nil(dialog_path.not_from_party(f))
  end)

  it("in a call to a ring group is a member's, or a trunk's, without a record", function()
    local function of_group(changes)
      changes.call = false
      changes.source = elsewhere
      local f = request("b", changes)
      f.path.call.b = { kind = "ring_group", number = "600" }
      return dialog_path.not_from_party(f)
    end
    assert.is_nil(of_group({ trunk = { enabled = 1 } }))
    assert.same({ need = "ring_group", about = { tenant = "demo.callpark", number = "600" } }, of_group({}))
    assert.same({ need = "own_addresses", about = { "102@demo.callpark", "103@demo.callpark" } },
      of_group({ ring_group = requests.bob_and_carol }))
    local members = { ring_group = requests.bob_and_carol, own_addresses = { ["127.0.0.99"] = true } }
    assert.is_nil(of_group(members))
    members.own_addresses, members.has_credentials = {}, false
    assert.equal("challenge", of_group(members).action)
  end)

  it("of an ACK is not asked for", function()
    assert.is_nil(not_from_party("b", { method = "ACK" }))
  end)

  it("in a call from before there were seals is the record's", function()
    local f = request("a", { call = false })
    f.path.call = false
    refused(481, dialog_path.not_from_party(f))
    f.call, f.own_addresses = requests.call("extension", "extension"), { ["127.0.0.11"] = true }
    assert.is_nil(dialog_path.not_from_party(f))
  end)
end)

describe("the Routes of a request", function()
  local sockets = { { ip = "192.0.2.1", port = 5060 }, { ip = "127.0.0.1", port = 5061 } }
  local function read(...)
    return dialog_path.read(requests.facts({ to_tag = "tt", route_values = { ... }, own_sockets = sockets }))
  end

  it("are Kamailio's first, and those of other proxies", function()
    local path = read("<sip:192.0.2.1;lr;ftag=ft>, A <sip:192.0.2.9;lr>;x=1", "<sip:192.0.2.10;lr>")
    assert.same({ 1, { "sip:192.0.2.9;lr", "sip:192.0.2.10;lr" } }, { path.own, path.hops })
    path = read("<sip:192.0.2.1;r2=on;lr>", "<sip:127.0.0.1:5061;r2=on;lr>", "<sip:192.0.2.10;lr>")
    assert.same({ 2, { "sip:192.0.2.10;lr" } }, { path.own, path.hops })
    assert.equal(0, read("<sip:192.0.2.9;lr>", "<sip:192.0.2.1;lr>").own)
    assert.equal(0, read("<sip:192.0.2.1:5070;lr>").own)
    assert.equal(0, read().own)
  end)

  it("X31 hide none from Kamailio that the module finds", function()
    for _, hidden in ipairs({ '"a\\"" <sip:192.0.2.9>, "b" <sip:192.0.2.1>', '\\"x" <sip:192.0.2.9>, "',
      '<sip:192.0.2.8>;x="<sip:192.0.2.9>"',
      "sip:192.0.2.9;lr", "<sip:192.0.2.9;lr", "A, B <sip:192.0.2.9>" }) do
      local path = read("<sip:192.0.2.1;lr>", hidden)
      assert.same({ 1, true }, { path.own, #path.hops > 0 }, hidden)
      assert.equal(0, read(hidden, "<sip:192.0.2.1;lr>").own)
    end
  end)

  it("lose those in front of Kamailio's", function()
    local function from_own(...)
      return dialog_path.from_own_route(requests.facts({ route_values = { ... }, own_sockets = sockets }))
    end
    assert.equal("<sip:192.0.2.1;lr;ftag=a>, <sip:192.0.2.9;lr>",
      from_own("<sip:192.0.2.1;lr>", "<sip:192.0.2.1;lr;ftag=a>,<sip:192.0.2.9;lr>"))
    assert.equal("<sip:192.0.2.1;lr;ftag=a>",
      from_own("<sip:192.0.2.9;lr>, <sip:192.0.2.8>", "<sip:192.0.2.1;lr;ftag=a>"))
    assert.is_nil(from_own("<sip:192.0.2.1;lr;ftag=a>", "<sip:192.0.2.9;lr>"))
    assert.is_nil(from_own("<sip:192.0.2.9;lr;ftag=a>", "<sip:192.0.2.8;lr>"))
  end)
end)

describe("the Record-Routes of an answer", function()
  it("seal the proxies behind Kamailio, as the caller will have them", function()
    local invite = requests.facts({})
    local own = "sip:192.0.2.1;lr;ftag=ft"
      .. seal.record_route(invite, { kind = "extension" }, { kind = "trunk" }, "demo.callpark", {})
    local answer = requests.facts({ status = 200, to_tag = "tt", own_sockets = {},
      record_route_values = { "<sip:192.0.2.9;lr>", "<sip:192.0.2.8;lr>, <" .. own .. ">", "<sip:192.0.2.7;lr>" } })
    answer.foreign_hops = dialog_path.foreign_hops(answer)
    local values = dialog_path.sealed_record_route(answer, false)
    assert.same({ "<sip:192.0.2.9;lr>", "<sip:192.0.2.8;lr>", "<sip:192.0.2.7;lr>" },
      { values[1], values[2], values[4] })
    local sealed = values[3]:match("^<(.*)>$")
    local later = requests.facts({ to_tag = "tt" })
    local call = seal.read_route(later, sealed)
    assert.is_true(seal.are_hops(later, sealed, call, { "sip:192.0.2.8;lr", "sip:192.0.2.9;lr" }))
    assert.same({ values[3], values[4] }, dialog_path.sealed_record_route(answer, true))
  end)
end)
