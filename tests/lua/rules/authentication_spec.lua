local authentication = require("rules.authentication")

local kRealm = "demo.callpark"

local function identity(changes)
  local checked = { result = 1, method = "INVITE", ruri = "sip:102@demo.callpark", uri = "sip:102@demo.callpark",
    credentials = "Digest qop=auth, nc=00000001", username = "101", extension = "101", display = "Alice",
    is_unread = false }
  for name, value in pairs(changes or {}) do checked[name] = value end
  return authentication.identity(checked, kRealm)
end

describe("authentication.identity", function()
  it("is known with the right password", function()
    assert.same({ status = "known", user = "101", display = "Alice" }, identity())
    assert.equal("101", identity({ username = "101@" .. kRealm }).user)
  end)

  it("is wrong with the password of another tenant", function()
    assert.same({ status = "wrong" }, identity({ username = "101@other.callpark" }))
  end)

  it("is wrong with another user than the extension that has the password", function()
    for _, username in ipairs({ "101 ", " 101", "101 @demo.callpark", "" }) do
      assert.same({ status = "wrong" }, identity({ username = username }))
    end
  end)

  it("X34: is not proven by the credentials of another Request-URI", function()
    assert.same({ status = "for_another_uri" }, identity({ ruri = "sip:+15551234@demo.callpark" }))
  end)

  it("X34: is stale where the count is not covered", function()
    assert.equal("stale", identity({ credentials = "Digest nc=00000002" }).status)
    assert.equal("wrong", identity({ credentials = "Digest nc=00000002", username = "101 " }).status)
  end)

  it("is what another try can mend", function()
    assert.equal("absent", identity({ result = -5 }).status)
    assert.equal("stale", identity({ result = -4 }).status)
    assert.equal("stale", identity({ result = -6 }).status)
    assert.equal("wrong", identity({ result = -2 }).status)
    assert.equal("wrong", identity({ result = -3 }).status)
  end)

  it("waits for the database until passwords are known, and a wrong shape is no guess", function()
    assert.equal("database_away", identity({ result = -2, is_unread = true }).status)
    assert.equal("stale", identity({ result = -1 }).status)
  end)

  it("is never proven with the password of no extension", function()
    local checked = { result = 1, method = "INVITE", ruri = "", uri = "", credentials = "", username = "" }
    assert.same({ status = "wrong" }, authentication.identity(checked, kRealm))
  end)
end)

describe("authentication.of", function()
  local function request(changes)
    local f = { has_credentials = true, credentials = 'Digest username="101"', now = 120, source = { ip = "192.0.2.1" },
      settings = { flood_control = true }, guesses = { 0, 0 } }
    for name, value in pairs(changes or {}) do f[name] = value end
    return f
  end

  it("asks for the guesses before it looks at the password", function()
    local f = request()
    f.guesses = nil
    assert.same({ need = "guesses", about = { "2 192.0.2.1", "2 192.0.2.1 101@" .. kRealm } },
      authentication.of(f, kRealm))
  end)

  it("after too many guesses from an address asks whether the users are registered from it", function()
    local f = request({ guesses = { 301, 30 } })
    assert.same({ need = "are_registered_here", about = { "101@" .. kRealm } }, authentication.of(f, kRealm))
    f.are_registered_here = false
    assert.same({ action = "drop" }, authentication.of(f, kRealm))
    f.are_registered_here = true
    assert.same({ need = "identity", about = kRealm }, authentication.of(f, kRealm))
    f.guesses = { 301, 31 }
    assert.same({ action = "drop" }, authentication.of(f, kRealm))
  end)

  it("asks for no guesses without flood control", function()
    local f = request({ settings = { flood_control = false } })
    f.guesses = nil
    assert.same({ need = "identity", about = kRealm }, authentication.of(f, kRealm))
  end)

  it("X34: challenges credentials for another URI, without calling the nonce old", function()
    assert.same({ action = "challenge", realm = kRealm, stale = false },
      authentication.of(request({ identity = { status = "for_another_uri" } }), kRealm))
  end)

  it("X31: is not asked about a PRACK, which module auth never refuses", function()
    local f = request({ method = "PRACK", identity = { status = "known", user = "101" } })
    assert.same({ action = "refuse", code = 403, reason = "Not A Party Of This Call" }, authentication.of(f, kRealm))
  end)

  it("counts a wrong password, and nothing else", function()
    local d = authentication.of(request({ identity = { status = "wrong" } }), kRealm)
    assert.same({ "2 192.0.2.1", "2 192.0.2.1 101@" .. kRealm }, d.guess_keys)
    assert.is_nil(authentication.of(request({ identity = { status = "stale" } }), kRealm).guess_keys)
    assert.is_nil(authentication.of(request({ identity = { status = "absent" } }), kRealm).guess_keys)
    assert.is_nil(authentication.of(request({ identity = { status = "for_another_uri" } }), kRealm).guess_keys)
    assert.is_nil(authentication.of(request({ identity = { status = "known" } }), kRealm))
  end)
end)
