local utf8_text = require("rules.utf8_text")

local kBad = "\239\191\189"

describe("utf8_text.cleaned", function()
  it("B4 leaves UTF-8 as it is", function()
    for _, text in ipairs({ "", "Client", "Zo\195\171", "\208\158\208\187", "\226\130\172", "\240\159\147\158",
      "\237\159\191", "\238\128\128", "\244\143\191\191", '"\\\'' }) do
      assert.equal(text, utf8_text.cleaned(text, 64))
    end
  end)

  it("B4 replaces what is not UTF-8, byte by byte", function()
    for text, expected in pairs({
      ["a\255b"] = "a" .. kBad .. "b", ["\195"] = kBad, ["\195x"] = kBad .. "x", ["\128"] = kBad,
      ["\192\128"] = kBad .. kBad, ["\224\128\128"] = kBad:rep(3), ["\237\160\128"] = kBad:rep(3),
      ["\244\144\128\128"] = kBad:rep(4), ["\226\130"] = kBad .. kBad, ["\240\159\147"] = kBad:rep(3),
      ["\195\171\195"] = "\195\171" .. kBad,
    }) do
      assert.equal(expected, utf8_text.cleaned(text, 64))
    end
  end)

  it("B4 makes blanks of control characters", function()
    assert.equal("a b  c ", utf8_text.cleaned("a\nb\r\tc\127", 64))
    assert.equal("a b", utf8_text.cleaned("a\0b", 64))
  end)

  it("B4 cuts between characters, also those that it has made", function()
    assert.equal("aaa", utf8_text.cleaned("aaaa", 3))
    assert.equal("aa", utf8_text.cleaned("aa\195\171", 3))
    assert.equal(kBad:rep(3), utf8_text.cleaned(("\255"):rep(100), 10))
    for length = 0, 9 do assert.is_true(#utf8_text.cleaned("\240\159\147\158\255\226\130\172", length) <= length) end
  end)
end)
