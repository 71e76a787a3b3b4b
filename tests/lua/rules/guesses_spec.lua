local guesses = require("rules.guesses")

local kDigest = 'Digest username="101", realm="demo.callpark", nonce="n"'

describe("guesses.keys", function()
  it("are one for the address and one for each user that is named", function()
    local keys = guesses.keys("192.0.2.1", kDigest .. '\nDigest UserName = "102@demo.callpark"\n' .. kDigest, "d", 0)
    assert.equal(3, #keys)
    assert.equal(1, #guesses.keys("192.0.2.1", "", "d", 0))
  end)

  it("differ by address, user and realm", function()
    local seen = {}
    for _, ip in ipairs({ "192.0.2.1", "192.0.2.2" }) do
      for _, user in ipairs({ "101", "102" }) do
        for _, realm in ipairs({ "demo.callpark", "other.callpark" }) do
          local key = guesses.keys(ip, ('username="%s"'):format(user), realm, 0)[2]
          assert.is_nil(seen[key])
          seen[key] = true
        end
      end
    end
  end)

  it("are the same within a minute and others in the next, so that a count ends though it grows", function()
    assert.same(guesses.keys("192.0.2.1", kDigest, "d", 120), guesses.keys("192.0.2.1", kDigest, "d", 179))
    local later = guesses.keys("192.0.2.1", kDigest, "d", 180)
    for i, key in ipairs(guesses.keys("192.0.2.1", kDigest, "d", 179)) do assert.are_not.equal(key, later[i]) end
  end)
end)

describe("guesses", function()
  it("are too many of a user beyond 30, whatever the address has", function()
    assert.is_false(guesses.are_too_many_of_a_user({ 301, 30, 30 }))
    assert.is_true(guesses.are_too_many_of_a_user({ 31, 0, 31 }))
    assert.is_false(guesses.are_too_many_of_a_user({}))
  end)

  it("are too many of the address beyond 300", function()
    assert.is_false(guesses.are_too_many_of_the_address({ 300, 31 }))
    assert.is_true(guesses.are_too_many_of_the_address({ 301, 0 }))
    assert.is_false(guesses.are_too_many_of_the_address({}))
  end)
end)
