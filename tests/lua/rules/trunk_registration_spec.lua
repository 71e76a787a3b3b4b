local trunk_registration = require("rules.trunk_registration")

local kChallenge = { status = 401, is_challenge = true }

local function begun() return trunk_registration.begin("id", "tag", 600, 1000) end

local function sent(state, now) return trunk_registration.sent(state, now or state.due) end

-- `state` after these answers, each of them to a REGISTER that is sent as soon as it is due.
local function after(state, answers)
  for _, answer in ipairs(answers) do
    local now = state.due
    state = trunk_registration.on_answer(sent(state, now), now, answer)
  end
  return state
end

describe("a registration at a trunk", function()
  it("begins at once, and waits for the answer", function()
    local state = begun()
    assert.is_true(trunk_registration.is_due(state, 1000))
    assert.is_false(trunk_registration.is_due(sent(state), 1000))
    assert.equal(1, sent(state).cseq)
    assert.equal(600, trunk_registration.asked_seconds(state))
  end)

  it("answers a challenge, and is extended in time", function()
    local state = after(begun(), { kChallenge })
    assert.is_true(state.is_answering)
    state = after(state, { { status = 200, seconds = 400 } })
    assert.equal("registered", state.state)
    assert.equal(2, state.cseq)
    assert.equal(1400, state.until_time)
    assert.equal(1300, state.due)
    assert.is_false(state.is_answering)
  end)

  it("is extended early if it is short", function()
    assert.equal(1030, after(begun(), { { status = 200, seconds = 60 } }).due)
  end)

  it("lasts as asked if the answer does not show it", function()
    assert.equal(1600, after(begun(), { { status = 200 } }).until_time)
  end)

  it("tries a password once, then less and less often", function()
    local state = after(begun(), { kChallenge, kChallenge })
    assert.equal("refused", state.state)
    assert.equal(401, state.status)
    assert.equal(1060, state.due)
    state = after(state, { kChallenge, kChallenge })
    assert.equal(1060 + 120, state.due)
    for _ = 1, 10 do state = after(state, { kChallenge, kChallenge }) end
    local last = state.due
    assert.equal(last + 3600, after(state, { kChallenge, kChallenge }).due)
  end)

  it("does not answer what cannot be answered", function()
    assert.equal("refused", after(begun(), { { status = 401, is_challenge = false } }).state)
  end)

  it("asks for as long as the registrar wants, within limits", function()
    local state = after(begun(), { kChallenge, { status = 423, min_expires = 1800 } })
    assert.equal(1800, trunk_registration.asked_seconds(state))
    assert.equal(1000, state.due)
    assert.is_false(state.is_answering)
    for _, min_expires in ipairs({ 600, 100, 100000 }) do
      assert.equal("refused", after(begun(), { { status = 423, min_expires = min_expires } }).state)
    end
  end)

  it("tries again soon if the registrar cannot answer", function()
    local state = after(begun(), { { status = 503 } })
    assert.equal(1005, state.due)
    assert.equal(1030, after(begun(), { { status = 503, retry_after = 30 } }).due)
  end)

  it("is unreachable if no answer comes", function()
    local state = sent(begun())
    assert.equal(state, trunk_registration.after_silence(state, 1009))
    state = trunk_registration.after_silence(state, 1010)
    assert.equal("unreachable", state.state)
    assert.equal(1015, state.due)
    assert.is_nil(state.status)
  end)

  it("stays registered while an extension fails", function()
    local state = after(begun(), { { status = 200, seconds = 600 }, { status = 503 } })
    assert.equal(1600, state.until_time)
  end)

  it("is given up, once, with an answer to a challenge", function()
    local state = trunk_registration.leave(after(begun(), { { status = 200, seconds = 600 } }), 1100)
    assert.is_true(trunk_registration.is_due(state, 1100))
    assert.equal(0, trunk_registration.asked_seconds(state))
    assert.is_false(trunk_registration.is_over(state))
    state = after(state, { kChallenge })
    assert.is_false(trunk_registration.is_over(state))
    assert.is_true(trunk_registration.is_over(after(state, { { status = 200, seconds = 0 } })))
    assert.is_true(trunk_registration.is_over(after(state, { { status = 503 } })))
    assert.is_true(trunk_registration.is_over(trunk_registration.after_silence(sent(state), 2000)))
  end)

  it("that never was is given up at once", function()
    assert.is_true(trunk_registration.is_over(trunk_registration.leave(begun(), 1000)))
  end)

  it("is sent again after an edit, with the next CSeq", function()
    local state = trunk_registration.changed(after(begun(), { { status = 200, seconds = 600 } }), 120, 1100)
    assert.is_true(trunk_registration.is_due(state, 1100))
    assert.equal(120, trunk_registration.asked_seconds(state))
    assert.equal(2, sent(state).cseq)
    assert.equal("registered", state.state)
  end)
end)

describe("how long a contact is registered", function()
  local function seconds(contacts, expires)
    return trunk_registration.granted_seconds(contacts, expires, "user", "192.0.2.1:5060")
  end

  it("is its own expires among all contacts", function()
    assert.equal(300, seconds({ "<sip:a@192.0.2.9>;expires=10, <sip:user@192.0.2.1:5060>;q=1;expires=300" }))
    assert.equal(300, seconds({ "<sip:a@192.0.2.9>;expires=10", "<sip:user@192.0.2.1:5060>;EXPIRES = 300" }))
  end)

  it("is Expires of the answer without one", function()
    assert.equal(90, seconds({ "<sip:user@192.0.2.1:5060>" }, "90"))
    assert.is_nil(seconds({}, nil))
  end)
end)
