local sql_text = require("rules.sql_text")

describe("sql_text.quoted", function()
  it("puts harmless characters between quotes", function()
    assert.equal("'*70333'", sql_text.quoted("*70333"))
    assert.equal("'2001:db8::1'", sql_text.quoted("2001:db8::1"))
  end)

  it("is nil for every other character, for nothing and for more than a column holds", function()
    for byte = 0, 255 do
      local text = "1" .. string.char(byte) .. "2"
      assert.equal(text:match("^[%w*#+._:-]+$") ~= nil, sql_text.quoted(text) ~= nil, byte)
    end
    assert.is_nil(sql_text.quoted(""))
    assert.is_nil(sql_text.quoted(("1"):rep(256)))
    assert.is_truthy(sql_text.quoted(("1"):rep(255)))
  end)
end)

describe("a literal", function()
  it("has any bytes in hex", function()
    assert.equal("_latin1 X'2700ff'", sql_text.literal("'\0\255"))
    assert.equal("X'2700ff'", sql_text.bytes("'\0\255"))
  end)
end)
