local contact = require("rules.contact")

local function ips(value)
  local list = contact.places(value)
  if not list then return nil end
  for i, place in ipairs(list) do list[i] = (place.ip or place.host) .. ":" .. place.port end
  return list
end

describe("contact.places", function()
  it("finds where a Contact points", function()
    assert.same({ "10.0.0.5:5060" }, ips("<sip:101@10.0.0.5>"))
    assert.same({ "10.0.0.5:5070" }, ips(' "Alice, at the desk" <sip:101@10.0.0.5:5070;transport=udp>;expires=60'))
    assert.same({ "10.0.0.5:5060" }, ips("Alice <sip:10.0.0.5>"))
    assert.same({ "10.0.0.5:5061" }, ips("sips:101@10.0.0.5;expires=60"))
    assert.same({ "pbx.example:5060" }, ips("<sip:101@PBX.example>"))
    assert.same({ "10.0.0.5:5060" },
      ips('<sip:101@10.0.0.5;ob>;+sip.instance="<urn:uuid:0-1>";q=0.5;methods="INVITE, ACK";reg-id=1'))
  end)

  it("knows an address however it is written", function()
    assert.same({ "10.0.0.5:5060" }, ips("<sip:101@010.000.0.05>"))
    assert.same({ "10.0.0.5:5060" }, ips("<sip:101@[::ffff:10.0.0.5]>"))
    assert.same({ "10.0.0.5:5060" }, ips("<sip:101@[0:0::FFFF:0a00:5]:5060>"))
    assert.same({ "2001:db8:0:0:0:0:0:1:5060" }, ips("<sip:101@[2001:DB8::1]>"))
    assert.same({ "0:0:0:0:0:0:0:1:5060" }, ips("<sip:101@[::1]>"))
  end)

  it("finds every Contact", function()
    assert.same({ "10.0.0.5:5060", "10.0.0.6:5060", "10.0.0.7:5070" },
      ips('<sip:101@10.0.0.5>;q=1, "a,b" <sip:101@10.0.0.6> ,sip:101@10.0.0.7:5070;expires=0'))
  end)

  it("finds what parameters name instead of the host", function()
    assert.same({ "10.0.0.5:5060", "10.0.0.9:5060" }, ips("<sip:101@10.0.0.5;maddr=10.0.0.9>"))
    assert.same({ "10.0.0.5:5060", "10.0.0.9:5062" }, ips("<sip:101@10.0.0.5;ob;Alias=10.0.0.9~5062~1>"))
    assert.same({ "10.0.0.5:5060", "pbx.example:5060" }, ips("<sip:101@10.0.0.5;maddr=pbx.example>"))
  end)

  it("gives nothing for what removes all Contacts", function() assert.same({}, ips(" * ")) end)

  it("is nil for what cannot be read, or in two ways", function()
    for _, value in ipairs({ "", ",", "<sip:101@10.0.0.5>,", "<sip:101@10.0.0.5> <sip:101@10.0.0.9>", "tel:+15551234",
      "<sip:101@10.0.0.5@10.0.0.9>", "<sip:101?x@10.0.0.9>", "<sip:101@10.0.0.5", '"a <sip:101@10.0.0.5>',
      '"a\\" <sip:1@10.0.0.5>, "b" <sip:101@10.0.0.9>', "sip:a@10.0.0.9 <sip:101@10.0.0.5>",
      '<sip:101@10.0.0.5>;a="b, <sip:101@10.0.0.9>', "<sip:10 1@10.0.0.5>", "<sip:101@10.0.0.5;x=<>" }) do
      assert.is_nil(contact.places(value), value)
    end
  end)

  it("reads as a name what is no address", function()
    for _, host in ipairs({ "256.0.0.1", "1.2.3", "1.2.3.4.5", "[1::2::3]", "[1:2:3]", "[1:2:3:4:5:6:7:8:9]" }) do
      local places = contact.places("<sip:101@" .. host .. ">")
      assert.is_nil(places and places[1].ip, host)
    end
  end)
end)
