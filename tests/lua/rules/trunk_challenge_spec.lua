local trunk_challenge = require("rules.trunk_challenge")

-- In the place of MD5: what is hashed remains visible.
local function md5(text) return "<" .. text .. ">" end

local account = { auth_user = "Mufasa", password = "Circle Of Life" }
local request = { method = "INVITE", uri = "sip:+4930@carrier.example" }

local function read(value, status) return trunk_challenge.read(status or 407, { value }) end

describe("a challenge of a trunk", function()
  it("is answered with qop=auth if that is offered", function()
    local challenge = read('Digest realm="a, b", nonce="n=1", qop="auth-int, auth", opaque="o", algorithm=MD5')
    local name, value = trunk_challenge.answer(challenge, account, request, 10, "c", md5)
    assert.equal("Proxy-Authorization", name)
    assert.equal('Digest username="Mufasa", realm="a, b", nonce="n=1", uri="sip:+4930@carrier.example", '
      .. 'response="<<Mufasa:a, b:Circle Of Life>:n=1:0000000a:c:auth:<INVITE:sip:+4930@carrier.example>>", '
      .. 'algorithm=MD5, qop=auth, nc=0000000a, cnonce="c", opaque="o"', value)
  end)

  it("is answered as in RFC 2069 without qop", function()
    local name, value = trunk_challenge.answer(read('digest Realm=r,nonce="n"', 401), account, request, 1, "c", md5)
    assert.equal("Authorization", name)
    assert.equal('Digest username="Mufasa", realm="r", nonce="n", uri="sip:+4930@carrier.example", '
      .. 'response="<<Mufasa:r:Circle Of Life>:n:<INVITE:sip:+4930@carrier.example>>", algorithm=MD5', value)
  end)

  it("is the first that can be answered", function()
    local challenge = trunk_challenge.read(407, { 'Digest realm="r", nonce="a", algorithm=SHA-256', 'Basic realm="r"',
      'Digest realm="r", nonce="b", algorithm=MD5' })
    assert.equal("b", challenge.nonce)
  end)

  it("is not answered if it cannot be read", function()
    for _, value in ipairs({ "", "Digest", 'Digest realm="r"', 'Digest nonce="n"', 'Digest realm="r", nonce=""',
      'Digest realm="r", nonce="n', 'Digest realm="r", nonce="n", nonce="m"', 'Digest realm="r" nonce "n"',
      'Digest realm="r", nonce="n", qop="auth-int"', 'Digest realm="a\\"b", nonce="n"',
      'Digest realm="r", nonce="n\r\n x"', 'NTLM realm="r", nonce="n"' }) do
      assert.is_nil(read(value), value)
    end
  end)

  it("comes with 401 and 407 only", function()
    assert.equal("WWW-Authenticate", trunk_challenge.header(401))
    assert.equal("Proxy-Authenticate", trunk_challenge.header(407))
    for _, status in ipairs({ 0, 100, 200, 403, 494 }) do assert.is_nil(trunk_challenge.header(status)) end
  end)
end)
