local adoption = require("rules.adoption")

describe("the adoption marker", function()
  it("P1 is kept when parkd accepts", function()
    assert.equal("keep", adoption.on_answer(200, false))
    assert.equal("keep", adoption.on_answer(202, false))
  end)

  it("S13 is released when parkd refuses", function()
    for _, status in ipairs({ 302, 404, 486, 503, 603 }) do
      assert.equal("release", adoption.on_answer(status, false), status)
    end
  end)

  it("follows X-Callpark-Adoption of the answer", function()
    assert.equal("release", adoption.on_answer(200, "released"))
    assert.equal("keep", adoption.on_answer(404, "kept"))
    assert.equal("release", adoption.on_answer(404, "released"))
    assert.equal("keep", adoption.on_answer(200, "anything"))
  end)

  it("stays as it is at a provisional answer", function() assert.is_nil(adoption.on_answer(183, "released")) end)

  it("is released when the caller hangs up or parkd has refused", function()
    assert.same({ marker = "release" }, adoption.on_failure(true, false))
    assert.same({ marker = "release" }, adoption.on_failure(true, true))
    assert.same({ marker = "release" }, adoption.on_failure(false, false))
  end)

  it("S13 is given up with 503 when parkd does not answer", function()
    local becomes = adoption.on_failure(false, true)
    assert.same({ "give_up", 503 }, { becomes.marker, becomes.code })
  end)
end)

describe("a parker's BYE that parkd answers", function()
  it("S13 goes to the other party if parkd does not know the call and the marker is gone", function()
    assert.is_true(adoption.sends_bye_onward(481, false))
    assert.is_false(adoption.sends_bye_onward(481, true))
    assert.is_false(adoption.sends_bye_onward(408, false))
  end)
end)
