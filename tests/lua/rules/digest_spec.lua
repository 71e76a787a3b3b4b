local digest = require("rules.digest")

describe("digest.is_for", function()
  local function is_for(uri, ruri, method) return digest.is_for(uri, ruri, method or "INVITE") end

  it("is true for the Request-URI itself, and where only parameters or a port are missing", function()
    for _, uri in ipairs({ "sip:102@192.0.2.1", "sip:102@192.0.2.1:5060", "sip:102@192.0.2.1;transport=udp",
      "SIP:102@192.0.2.1", "sip:%3102@192.0.2.1", "sips:102@192.0.2.1?x=y", "sip:102:secret@192.0.2.1" }) do
      assert.is_true(is_for(uri, "sip:102@192.0.2.1"), uri)
      assert.is_true(is_for("sip:102@192.0.2.1", uri), uri)
    end
    assert.is_true(is_for("sip:102@Demo.CallPark", "sip:102@demo.callpark"))
    assert.is_true(is_for("sip:102@[2001:db8::1]", "sip:102@[2001:DB8:0::0:1]:5060"))
    assert.is_true(is_for("sip:192.0.2.1", "sip:192.0.2.1:5060"))
  end)

  it("X34: is false for another user, host or port", function()
    for _, uri in ipairs({ "sip:+15551234@192.0.2.1:5060", "sip:102@192.0.2.2:5060", "sip:102@192.0.2.1:5070",
      "sip:192.0.2.1", "sip:102@", "102", "", "*", "tel:102", "sip:1022@192.0.2.1", "sip:102 @192.0.2.1" }) do
      assert.is_false(is_for(uri, "sip:102@192.0.2.1:5060"), uri)
      assert.is_false(is_for("sip:102@192.0.2.1:5060", uri), uri)
    end
  end)

  it("compares what is no SIP URI as text", function()
    assert.is_true(is_for("tel:+15551234", "tel:+15551234"))
    assert.is_false(is_for("tel:+15551234", "tel:+15551235"))
  end)

  it("compares the domains of a REGISTER", function()
    assert.is_true(is_for("sip:demo.callpark:5060", "sip:demo.callpark", "REGISTER"))
    assert.is_true(is_for("sip:101@demo.callpark", "sip:demo.callpark", "REGISTER"))
    assert.is_false(is_for("sip:other.callpark", "sip:demo.callpark", "REGISTER"))
  end)
end)

describe("digest.counts_are_covered", function()
  local function are_covered(parameters) return digest.counts_are_covered("Digest username=\"101\", " .. parameters) end

  it("is true with qop, and without a count", function()
    assert.is_true(are_covered("qop=auth, nc=00000001"))
    assert.is_true(are_covered('nc=00000001,QOP="auth",cnonce="x"'))
    assert.is_true(are_covered("algorithm=MD5"))
    assert.is_true(are_covered('cnonce="a, nc=1"'))
    assert.is_true(digest.counts_are_covered(""))
  end)

  it("X34: is false for a count that is added to credentials without qop", function()
    for _, parameters in ipairs({ "nc=00000002", 'nc=2, cnonce="a, qop=auth"', 'nc=2, qop=""', "nc=2, qop=auth, qop=",
      "NC=2, qop=x", 'nc="2", xqop=auth' }) do
      assert.is_false(are_covered(parameters), parameters)
      assert.is_false(digest.counts_are_covered("Digest qop=auth, nc=1\nDigest " .. parameters), parameters)
    end
  end)
end)

describe("digest.users", function()
  it("are named once each, without the spaces that SQL does not see", function()
    assert.same({ "104" }, digest.users('Digest username="104"\nDigest username="104 "\nusername = " 104"'))
    assert.same({ "101", "102" }, digest.users('username="101@demo.callpark", username=102'))
  end)
end)

describe("digest.of_realm", function()
  local kOne = 'Digest username="101", realm="demo.callpark", uri="sip:102@demo.callpark", qop=auth,nc=00000001'
  local kOther = 'Digest username="201", realm="other.callpark", uri="sip:202@other.callpark"'

  it("finds the credentials for a realm among others", function()
    local found = { username = "101", uri = "sip:102@demo.callpark" }
    assert.same(found, digest.of_realm(kOne, "demo.callpark"))
    assert.same(found, digest.of_realm(kOther .. "\n" .. kOne, "demo.callpark"))
    local loud = 'Digest USERNAME="101", REALM="Demo.CallPark", URI="sip:102@demo.callpark"'
    assert.same(found, digest.of_realm(loud, "demo.callpark"))
    assert.is_nil(digest.of_realm(kOther, "demo.callpark"))
    assert.is_nil(digest.of_realm("", "demo.callpark"))
  end)

  it("has no quotes, and leaves the rest as it is", function()
    assert.same({ username = "101 ", uri = "sip:a,b=c@x" },
      digest.of_realm('Digest realm=r , username="101 ",cnonce="realm=x",\turi="sip:a,b=c@x"', "r"))
  end)

  it("X34: believes none of two, of which the other might be tried", function()
    assert.is_nil(digest.of_realm(kOne .. "\n" .. kOne:gsub("102@", "+15551234@"), "demo.callpark"))
    assert.is_nil(digest.of_realm(kOne .. ', uri="sip:+15551234@demo.callpark"', "demo.callpark"))
    assert.is_nil(digest.of_realm(kOne .. ', USERNAME="102"', "demo.callpark"))
    assert.is_nil(digest.of_realm(kOne .. ', "', "demo.callpark"))
  end)
end)
