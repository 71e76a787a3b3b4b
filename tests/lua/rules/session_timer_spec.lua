local session_timer = require("rules.session_timer")

describe("session_timer.agreed", function()
  it("X12: knows which side refreshes, whichever has asked", function()
    assert.equal("90 b", session_timer.agreed("90;refresher=uas", "a"))
    assert.equal("90 a", session_timer.agreed("90;refresher=uac", "a"))
    assert.equal("1800 a", session_timer.agreed("1800;refresher=uas", "b"))
    assert.equal("1800 b", session_timer.agreed("1800 ; Refresher = UAC", "b"))
  end)

  it("X12: is the requester's where the answer names no side", function()
    assert.equal("600 b", session_timer.agreed("600", "b"))
    assert.equal("600 a", session_timer.agreed("600;refresher=", "a"))
  end)

  it("X12: is nil without a timer", function()
    for _, value in ipairs({ "", "0", "soon", "-90", "999999999999;refresher=uas" }) do
      assert.is_nil(session_timer.agreed(value, "a"), value)
    end
    assert.is_nil(session_timer.agreed(nil, "a"))
  end)
end)

describe("session_timer.parse", function()
  it("X12: reads what was written", function()
    assert.same({ seconds = 90, refresher = "b" }, session_timer.parse(session_timer.agreed("90;refresher=uas", "a")))
  end)

  it("X12: is nil for none, and for what it did not write", function()
    for _, value in ipairs({ "-", "", "90", "90 c", "x a" }) do assert.is_nil(session_timer.parse(value), value) end
    assert.is_nil(session_timer.parse(nil))
  end)
end)
