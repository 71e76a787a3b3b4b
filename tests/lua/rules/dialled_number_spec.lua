local dialled_number = require("rules.dialled_number")

describe("dialled_number.of_user", function()
  local function number(user)
    local dialled = dialled_number.of_user(user)
    return dialled and { dialled.text, dialled.beginning, dialled.clean }
  end

  it("accepts digits, stars, a plus, and one trailing hash", function()
    assert.same({ "101", "101", true }, number("101"))
    assert.same({ "*70333", "*70333", true }, number("*70333#"))
    assert.same({ "+442030000101", "+442030000101", true }, number("+442030000101"))
    assert.same({ "*70#", "*70#", true }, number("*70##"))
  end)

  it("keeps the permitted beginning of what is not clean", function()
    assert.same({ "*70' OR 1", "*70", false }, number("*70' OR 1"))
    local long = ("7"):rep(100)
    assert.same({ long, long:sub(1, 64), false }, number(long))
  end)

  it("is nil for what begins badly, and for nothing", function()
    for _, user in ipairs({ "", "#", "'; DROP TABLE numbers", "\0", " 101", "\"", "\\" }) do
      assert.is_nil(dialled_number.of_user(user), user)
    end
    assert.is_nil(dialled_number.of_user(nil))
  end)

  it("lets no character through that means something in SQL", function()
    for byte = 0, 255 do
      local dialled = dialled_number.of_user("1" .. string.char(byte) .. "2")
      assert.is_truthy(dialled.beginning:match("^[%w*#+._-]+$"), byte)
    end
  end)
end)

describe("dialled_number.beginnings", function()
  it("are longest first and not longer than allowed", function()
    assert.same({ "*70", "*7", "*" }, dialled_number.beginnings("*70", 10))
    assert.same({ "*7", "*" }, dialled_number.beginnings("*70", 2))
  end)
end)

describe("dialled_number.is_random_orbit", function()
  it("is a star and 3 to 8 digits", function()
    for _, text in ipairs({ "*725", "*7250", "*12345678" }) do
      assert.is_true(dialled_number.is_random_orbit(text), text)
    end
    for _, text in ipairs({ "", "*", "*72", "*123456789", "7250", "**7250", "*72a0", "*7250#" }) do
      assert.is_false(dialled_number.is_random_orbit(text), text)
    end
  end)
end)

describe("dialled_number.may_be_orbit", function()
  it("is digits, with at most one star before them", function()
    for user, expected in pairs({ ["7001"] = true, ["*7001"] = true, ["*7001#"] = true, ["**7001"] = false,
      ["+7001"] = false, ["7001 "] = false }) do
      assert.equal(expected, dialled_number.may_be_orbit(dialled_number.of_user(user)), user)
    end
  end)
end)

describe("dialled_number.remainder", function()
  it("is what follows the code, without the trailing hash", function()
    assert.equal("*7250", dialled_number.remainder(dialled_number.of_user("*71*7250#"), { number = "*71" }))
    assert.equal("", dialled_number.remainder(dialled_number.of_user("*71"), { number = "*71" }))
  end)
end)
