local patience = require("rules.patience")

describe("patience", function()
  it("with parkd is short, but for what parkd itself has to wait for", function()
    assert.equal(6000, patience.of_parkd("INVITE"))
    assert.equal(6000, patience.of_parkd("REFER"))
    assert.equal(16000, patience.of_parkd("BYE"))
    for _, method in ipairs({ "UPDATE", "INFO", "MESSAGE" }) do assert.equal(30000, patience.of_parkd(method)) end
  end)

  it("with a phone ends a call to a silent one after 10 s", function()
    assert.equal(10000, patience.first_answer("INVITE"))
    assert.equal(30000, patience.first_answer("BYE"))
  end)

  it("with a step of a ring group is its time, and no more than a phone's for the first answer", function()
    assert.same({ 30000, 10000 }, { patience.of_step({ seconds = 30 }) })
    assert.same({ 5000, 5000 }, { patience.of_step({ seconds = 5 }) })
    assert.same({ 180000, 10000 }, { patience.of_step({}) })
  end)

  it("with a hold is 3 s in all", function()
    local ms = 0
    for waits = 0, patience.kHoldWaitsMax - 1 do ms = ms + patience.of_hold(waits) end
    assert.equal(3150, ms)
  end)

  it("with a question for a lamp is 0.6 s in all", function()
    local ms, looks = 0, 0
    while patience.of_question(looks) do
      ms = ms + patience.of_question(looks)
      looks = looks + 1
    end
    assert.equal(620, ms)
  end)
end)
