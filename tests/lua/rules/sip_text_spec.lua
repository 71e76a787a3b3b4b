local sip_text = require("rules.sip_text")

describe("sip_text.parse_uri", function()
  it("splits a URI", function()
    local uri = sip_text.parse_uri("sip:101;x=1:secret@Demo.Callpark:5070;transport=TCP?Replaces=a%3Bb")
    assert.equal("101", uri.user)
    assert.equal("demo.callpark", uri.host)
    assert.equal(5070, uri.port)
    assert.equal("transport=TCP", uri.params)
    assert.equal("Replaces=a%3Bb", uri.headers)
  end)

  it("unescapes the user", function()
    assert.equal("*70#", sip_text.parse_uri("sip:%2a70%23@x").user)
  end)

  it("knows URIs without user, port or parameters, and IPv6", function()
    assert.is_nil(sip_text.parse_uri("sip:x.example").user)
    assert.is_nil(sip_text.parse_uri("sip:x.example").port)
    local uri = sip_text.parse_uri("sips:a@[::1]:5060")
    assert.same({ "[::1]", 5060 }, { uri.host, uri.port })
  end)

  it("accepts a question mark in the user", function()
    local uri = sip_text.parse_uri("sip:who?@x")
    assert.same({ "who?", "x", "" }, { uri.user, uri.host, uri.headers })
  end)

  it("refuses what is none", function()
    local none = { "", "sip:", "tel:+44", "sip:a@", "sip:a@b c", "sip:a@b:port", "sip:a@'x'", "mailto:a@b" }
    for _, text in ipairs(none) do
      assert.is_nil(sip_text.parse_uri(text), text)
    end
  end)
end)

describe("sip_text.telephone_number", function()
  it("is what a phone dials for a tel URI", function()
    for text, number in pairs({ ["tel:*68"] = "*68", ["TEL:%2A68102%23"] = "*68102#",
      ["tel:+44-(20).7946;ext=1;phone-context=x"] = "+44207946", ["tel:102?Replaces=c%40h"] = "102" }) do
      assert.equal(number, sip_text.telephone_number(text))
    end
  end)

  it("is nil of anything else", function()
    for _, text in ipairs({ "", "tel:", "tel:;ext=1", "sip:tel:1@x", "*68", "mailto:a@b" }) do
      assert.is_nil(sip_text.telephone_number(text), text)
    end
  end)
end)

describe("sip_text.address_uri", function()
  it("finds the URI with and without brackets", function()
    assert.equal("sip:a@b;p=1?q=2", sip_text.address_uri('"Bob <x>" <sip:a@b;p=1?q=2>;tag=3'))
    assert.equal("sip:a@b", sip_text.address_uri(" sip:a@b;tag=3"))
    assert.is_nil(sip_text.address_uri(""))
  end)
end)

describe("sip_text.display_name", function()
  it("loses its quotes, escapes and control characters", function()
    assert.equal('Al "the" Ace', sip_text.display_name('"Al \\"the\\" Ace"', 60))
    assert.equal("Bob", sip_text.display_name(" Bob ", 60))
    assert.equal("a b", sip_text.display_name("a\nb", 60))
    assert.equal("", sip_text.display_name(nil, 60))
  end)

  it("is not cut within a character", function()
    local name = "\195\164\195\182\195\188" -- three letters of two bytes
    assert.equal("\195\164", sip_text.display_name(name, 3))
    assert.equal("\195\164\195\182", sip_text.display_name(name, 4))
    assert.equal("", sip_text.display_name(name, 1))
  end)
end)

describe("sip_text.is_withheld", function()
  it("N6 is a Privacy header about the caller", function()
    for _, privacy in ipairs({ "id", "user;id", "header", "ID; critical" }) do
      assert.is_true(sip_text.is_withheld(privacy), privacy)
    end
    for _, privacy in ipairs({ "none", "session", "critical", "" }) do
      assert.is_false(sip_text.is_withheld(privacy), privacy)
    end
    assert.is_false(sip_text.is_withheld(nil))
  end)
end)
