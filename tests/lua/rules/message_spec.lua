local message = require("rules.message")

local settings = { address = "192.0.2.1", port = 5060, advertised_address = "198.51.100.1",
  inside_address = "127.0.0.1", inside_port = 5061,
  parkd_address = "127.0.0.1", parkd_port = 5062, parkd_sent_by = "127.0.0.1:5062" }

-- The facts of a message with these raw texts; `headers` by name.
local function facts(texts, headers)
  local raw = { settings = function() return settings end,
    header = function() return function(name) return (headers or {})[name] end end }
  for name, value in pairs(texts) do
    raw[name] = function() return value end
  end
  return message.facts_from(raw)()
end

local from_parkd = { received_at = { ip = "127.0.0.1", port = 5061 }, source = { ip = "127.0.0.1" },
  via = "SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK1" }

local function changed(texts, changes)
  local copy = {}
  for name, value in pairs(texts) do copy[name] = value end
  for name, value in pairs(changes) do copy[name] = value end
  return copy
end

describe("a fact of a message", function()
  it("is read once, and unknown ones are nil", function()
    local count = 0
    local f = message.facts_from({ method = function()
      count = count + 1
      return "ACK"
    end })()
    assert.same({ "ACK", "ACK", 1 }, { f.method, f.method, count })
    assert.is_nil(f.trunk)
  end)
end)

describe("a URI", function()
  local function ruri(text) return facts({ ruri_text = text }).ruri end

  it("is parkd's, Kamailio's, or of another host", function()
    assert.is_true(ruri("sip:parkd@127.0.0.1:5062").is_parkd)
    assert.is_false(ruri("sip:parkd@127.0.0.1:5062").is_ours)
    assert.is_true(ruri("sip:102@127.0.0.1").is_ours)
    assert.is_true(ruri("sip:102@192.0.2.1:5070").is_ours)
    assert.is_false(ruri("sip:102@demo.callpark").is_ours)
  end)

  it("X67 at the advertised address is Kamailio's", function()
    assert.is_true(ruri("sip:102@198.51.100.1").is_ours)
    local f = facts({ route_values = { "<sip:198.51.100.1;lr>" }, to_tag = "t", from_tag = "f" })
    assert.equal(1, f.path.own)
    assert.same({ ip = "198.51.100.1", port = 5060 }, f.own_places[2])
  end)

  it("that cannot be read is of no host", function()
    assert.same({ host = "" }, ruri("mailto:a@b"))
    assert.same({ host = "" }, ruri(nil))
    assert.is_false(facts({ ruri_text = "sip:[x" }).dialled)
  end)

  it("X15 that names no host is a number of the sender's tenant", function()
    for text, needs_host in pairs({ ["tel:+44-20"] = false, ["tel:+4420;phone-context=x"] = false,
      ["sip:+44-20;phone-context=x"] = true, ["sips:+4420"] = true }) do
      assert.same({ host = "", user = "+4420", number = "+4420", is_bare = true, needs_host = needs_host,
        is_parkd = false, is_ours = true }, ruri(text), text)
    end
    for _, text in ipairs({ "sip:127.0.0.1", "sip:127.0.0.1:5060;lr", "sip:102x" }) do
      assert.is_nil(ruri(text).is_bare, text)
    end
  end)

  it("X15 in From or To is no party if it names no host", function()
    assert.same({ host = "" }, facts({ from_text = "tel:101" }).from)
  end)

  it("X15 is what a phone dials with it, beside its user as written", function()
    local uri = ruri("sip:*68-102@demo.callpark;user=phone")
    assert.equal("*68-102", uri.user)
    assert.equal("*68102", uri.number)
    assert.equal("*68-102", ruri("sip:*68-102@demo.callpark").number)
  end)

  it("has a dialled number", function()
    assert.equal("*70333", facts({ ruri_text = "sip:*70333%23@demo.callpark" }).dialled.text)
  end)
end)

describe("Refer-To", function()
  local function refer_to(value, count, compact_count)
    return facts({ refer_to_raw = { count = count or 1, compact_count = compact_count or 0, value = value } }).refer_to
  end

  it("is one URI, by either name of the header", function()
    assert.equal("*68", refer_to("<sip:*68@demo.callpark>").user)
    assert.equal("*68", refer_to("<sip:*68@demo.callpark>", 0, 1).user)
    assert.is_false(refer_to(nil, 0, 0))
    assert.is_false(refer_to("<sip:*68@demo.callpark>", 2, 0))
    assert.is_false(refer_to(""))
  end)

  it("P1 is a number of the tenant as a tel URI", function()
    assert.same({ host = "", user = "*68102", number = "*68102", is_bare = true, needs_host = false, is_parkd = false,
      is_ours = true },
      refer_to("<tel:*68-102>"))
  end)
end)

describe("the Contacts of a message", function()
  it("are places, all of them or none", function()
    assert.equal(2, #facts({ contact_values = { "<sip:a@192.0.2.2>", "<sip:a@192.0.2.3>" } }).contact_places)
    assert.is_false(facts({ contact_values = { "<sip:a@192.0.2.2>", "<<" } }).contact_places)
    assert.same({}, facts({ contact_values = {} }).contact_places)
  end)

  it("are not more than 16 headers", function()
    local values = {}
    for i = 1, 16 do values[i] = "<sip:a@192.0.2.2>" end
    assert.equal(16, #facts({ contact_values = values }).contact_places)
    values[17] = values[1]
    assert.is_false(facts({ contact_values = values }).contact_places)
  end)

  it("add a phone unless they remove it", function()
    local function newcomer(value, expires)
      return facts({ contact_values = { value }, user_agent = "Desk" }, { Expires = expires }).newcomer
    end
    assert.same({ contact = "sip:a@192.0.2.2", user_agent = "Desk" }, newcomer("<sip:a@192.0.2.2>"))
    assert.is_truthy(newcomer("<sip:a@192.0.2.2>;expires=60", "0"))
    assert.is_false(newcomer("<sip:a@192.0.2.2>;expires=0", "60"))
    assert.is_false(newcomer("<sip:a@192.0.2.2>", "0"))
    assert.is_false(newcomer(nil))
  end)
end)

describe("a message of parkd's", function()
  it("has come over the inside socket, from parkd's address and with parkd's Via", function()
    assert.is_true(facts(from_parkd).from_parkd)
    assert.is_false(facts(changed(from_parkd, { received_at = { ip = "192.0.2.1", port = 5060 } })).from_parkd)
    assert.is_false(facts(changed(from_parkd, { source = { ip = "127.0.0.9" } })).from_parkd)
    assert.is_false(facts(changed(from_parkd, { via = "SIP/2.0/UDP 127.0.0.1:5061" })).from_parkd)
    assert.is_false(facts(changed(from_parkd, { via = false })).from_parkd)
  end)

  it("is the only one with headers that count", function()
    local headers = { ["X-Callpark-Tenant"] = "demo.callpark", ["X-Callpark-Recall"] = "p1",
      ["X-Callpark-Caller"] = "102@demo.callpark", ["X-Callpark-Adoption"] = "kept" }
    local f = facts(from_parkd, headers)
    assert.same({ "demo.callpark", "p1", "102@demo.callpark", "kept" },
      { f.inside_tenant, f.recall, f.inside_caller, f.adoption })
    f = facts(changed(from_parkd, { received_at = { ip = "192.0.2.1", port = 5060 } }), headers)
    assert.same({ false, false, false, false }, { f.inside_tenant, f.recall, f.inside_caller, f.adoption })
  end)
end)

describe("a phone behind NAT", function()
  local function is_behind_nat(is_udp, contact_is_private, source_is_private, contact)
    return facts({ is_udp = is_udp, contact_is_private = contact_is_private, source_is_private = source_is_private,
      contact_values = { contact or "<sip:101@198.51.100.7>" },
      source = { ip = "198.51.100.7", port = 40000, proto = is_udp and "udp" or "tcp" } }).is_behind_nat
  end

  it("has a private Contact and sends from a public address", function()
    assert.is_true(is_behind_nat(true, true, false))
    assert.is_false(is_behind_nat(true, true, true))
    assert.is_false(is_behind_nat(true, false, false))
    assert.is_true(is_behind_nat(false, true, false, "<sip:101@10.0.0.7;transport=tcp>"))
  end)

  it("X1 is none over TCP if its Contact is at the address that it sends from, over TCP", function()
    assert.is_false(is_behind_nat(false, false, false, "<sip:101@198.51.100.7;transport=tcp>"))
    assert.is_false(is_behind_nat(false, false, false, '"A" <sip:101@198.51.100.7:5080;ob;transport=TCP>;expires=9'))
    for _, contact in ipairs({ "<sip:101@198.51.100.7>", "<sip:101@198.51.100.8;transport=tcp>",
      "<sip:101@phone.example;transport=tcp>", "<sip:101@198.51.100.7;transport=tcp;maddr=198.51.100.9>", "*" }) do
      assert.is_true(is_behind_nat(false, false, false, contact), contact)
    end
  end)

  it("gets its answers at the port that it sends from", function()
    local texts = { is_udp = true, via_is_other = true, source_is_private = false,
      received_at = { ip = "192.0.2.1", port = 5060 } }
    assert.is_true(facts(texts).is_via_behind_nat)
    assert.is_false(facts(changed(texts, { is_udp = false })).is_via_behind_nat)
    assert.is_false(facts(changed(texts, { source_is_private = true })).is_via_behind_nat)
    assert.is_false(facts(changed(changed(texts, from_parkd), { is_udp = true })).is_via_behind_nat)
  end)
end)

describe("the smaller headers", function()
  it("are read as facts", function()
    local f = facts({ event_text = " dialog;id=5" }, { Expires = "600", ["SIP-If-Match"] = "e1", Privacy = "id" })
    assert.same({ "dialog", 600, "e1", true }, { f.event, f.expires, f.etag, f.withheld })
    f = facts({ event_text = "" })
    assert.same({ "", false, false, false }, { f.event, f.expires, f.etag, f.withheld })
  end)
end)
