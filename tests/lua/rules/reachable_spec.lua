local contact = require("rules.contact")
local reachable = require("rules.reachable")
local requests = require("support.requests")

local refused = requests.refused

local function from_phone(value, changes)
  local f = requests.facts({ contact_places = contact.places(value) or false, contact_values = { value } })
  f.trunk_among = nil
  for name, fact in pairs(changes or {}) do f[name] = fact end
  return f
end

describe("X31: an INVITE of a phone", function()
  it("has its Contact where it is, which needs no look-up", function()
    assert.is_nil(reachable.not_from_phone(from_phone("<sip:101@127.0.0.11:5080>")))
  end)

  it("has no Contact at a trunk, at Kamailio, or that is a name", function()
    local elsewhere = from_phone("<sip:101@127.0.0.50>")
    assert.same({ need = "trunk_among", about = { "127.0.0.50" } }, reachable.not_from_phone(elsewhere))
    elsewhere.trunk_among = { trunk = "t" }
    refused(403, reachable.not_from_phone(elsewhere))
    elsewhere.trunk_among = false
    assert.is_nil(reachable.not_from_phone(elsewhere))
    refused(403, reachable.not_from_phone(from_phone("<sip:101@192.0.2.1:5060>")))
    refused(403, reachable.not_from_phone(from_phone("<sip:101@phone.example>")))
    refused(400, reachable.not_from_phone(from_phone("tel:+1555")))
  end)

  it("has no Record-Route there", function()
    local f = from_phone("<sip:101@127.0.0.11>", { hop_places = { { ip = "127.0.0.50", port = 5060 } } })
    assert.same({ need = "trunk_among", about = { "127.0.0.50" } }, reachable.not_from_phone(f))
  end)
end)

describe("X31: a request within a dialog", function()
  it("may move its sender's Contact, but to no trunk", function()
    local f = from_phone("<sip:101@127.0.0.50>", { method = "UPDATE", trunk = false, trunk_among = { trunk = "t" } })
    refused(403, reachable.not_to_be_target(f))
    f.trunk_among = false
    assert.is_nil(reachable.not_to_be_target(f))
    f.method = "BYE"
    f.trunk_among = nil
    assert.is_nil(reachable.not_to_be_target(f))
  end)

  it("of a trunk may name any place but Kamailio's", function()
    local f = from_phone("<sip:gw.example>", { method = "INVITE" })
    f.trunk = nil
    assert.same({ need = "trunk" }, reachable.not_to_be_target(f))
    f.trunk = { enabled = 1 }
    assert.is_nil(reachable.not_to_be_target(f))
    f.contact_places = contact.places("<sip:x@127.0.0.1:5061>")
    refused(403, reachable.not_to_be_target(f))
  end)
end)

describe("X31: an answer", function()
  local function action(value, changes) return reachable.contact_of_answer(from_phone(value, changes)) end

  it("keeps a Contact at its source, and any of a trunk but our own places", function()
    assert.same({ action = "seal" }, action("<sip:102@127.0.0.11>"))
    assert.same({ need = "is_at_trunk" }, action("<sip:102@127.0.0.50>"))
    assert.same({ action = "seal" }, action("<sip:gw.example>", { is_at_trunk = true }))
    assert.same({ action = "replace" }, action("<sip:x@127.0.0.1:5061>", { is_at_trunk = true }))
  end)

  it("loses a Contact at a trunk, and a name", function()
    assert.same({ need = "leads_to_trunk", about = { "127.0.0.50" } },
      action("<sip:102@127.0.0.50>", { is_at_trunk = false }))
    assert.same({ action = "replace" }, action("<sip:102@127.0.0.50>", { is_at_trunk = false, leads_to_trunk = true }))
    assert.same({ action = "seal" }, action("<sip:102@127.0.0.50>", { is_at_trunk = false, leads_to_trunk = false }))
    assert.same({ action = "replace" }, action("<sip:phone.example>", { is_at_trunk = false }))
    for _, value in ipairs({ "tel:+1555", '"a\\"b" <sip:x@127.0.0.50>', "<sip:102@127.0.0.11>, <sip:x@127.0.0.12>" }) do
      assert.same({ need = "is_at_trunk" }, action(value))
      assert.same({ action = "replace" }, action(value, { is_at_trunk = false }))
      assert.same({ action = "leave" }, action(value, { is_at_trunk = true }))
    end
  end)

  it("loses a Record-Route there", function()
    assert.same({ action = "replace" }, action("<sip:102@127.0.0.11>",
      { hop_places = { { ip = "127.0.0.50", port = 5060 } }, is_at_trunk = false, leads_to_trunk = true }))
  end)
end)
