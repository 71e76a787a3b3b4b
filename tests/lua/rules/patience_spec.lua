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

  it("T2 lets a silent trunk be followed by the next one, in a ring group within the time of the step", function()
    assert.same({ 4000, 10000 }, { patience.of_trunk(true), patience.of_trunk(false) })
    local outside, phone = { kind = "trunk" }, { kind = "extension" }
    local function of_step(seconds, parties)
      return { patience.of_step({ seconds = seconds, parties = parties }, true) }
    end
    assert.same({ 30000, 4000 }, of_step(30, { outside }))
    assert.same({ 180000, 4000 }, of_step(nil, { outside, outside }))
    assert.same({ 30000, 10000 }, of_step(30, { outside, phone }))
    assert.same({ 8000, 7000 }, of_step(8, { phone, outside }))
    for seconds = 5, 300 do
      local ring_ms, first_answer_ms = unpack(of_step(seconds, { outside, phone }))
      assert.is_true(first_answer_ms < ring_ms)
    end
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
