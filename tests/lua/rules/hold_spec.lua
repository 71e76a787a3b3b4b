local hold = require("rules.hold")

local directions = { "sendrecv", "sendonly", "recvonly", "inactive" }
-- RFC 3264 6.1: the answers that an offer allows.
local answers = {
  sendrecv = { "sendrecv", "sendonly", "recvonly", "inactive" },
  sendonly = { "recvonly", "inactive" },
  recvonly = { "sendonly", "inactive" },
  inactive = { "inactive" },
}

local mirrored = { sendrecv = "sendrecv", sendonly = "recvonly", recvonly = "sendonly", inactive = "inactive" }

local function each_exchange(check)
  for _, a in ipairs({ true, false }) do
    for _, b in ipairs({ true, false }) do
      for _, offerer in ipairs({ "a", "b" }) do
        for _, offer in ipairs(directions) do
          for _, answer in ipairs(answers[offer]) do
            check({ a = a, b = b }, offerer, offerer == "a" and "b" or "a", offer, answer)
          end
        end
      end
    end
  end
end

describe("hold.after", function()
  it("makes the offerer a holder exactly when the offer lets nothing in", function()
    each_exchange(function(before, offerer, _, offer, answer)
      local after = hold.after(before, offerer, offer, answer)
      assert.equal(offer == "sendonly" or offer == "inactive", after[offerer])
    end)
  end)

  it("never makes a holder of a side that only obeys the offer", function()
    each_exchange(function(before, offerer, answerer, offer, answer)
      if answer == mirrored[offer] and not before[answerer] then
        assert.is_false(hold.after(before, offerer, offer, answer)[answerer])
      end
    end)
  end)

  it("knows that both may hold each other, and that one resuming leaves the other", function()
    local one = hold.after({ a = false, b = false }, "a", "sendonly", "recvonly")
    assert.same({ a = true, b = false }, one)
    local both = hold.after(one, "b", "inactive", "inactive")
    assert.same({ a = true, b = true }, both)
    assert.same({ a = false, b = true }, hold.after(both, "a", "sendrecv", "sendonly"))
    assert.same({ a = true, b = false }, hold.after(both, "b", "recvonly", "sendonly"))
  end)

  it("ends every hold with sendrecv both ways", function()
    each_exchange(function(before, offerer)
      assert.same({ a = false, b = false }, hold.after(before, offerer, "sendrecv", "sendrecv"))
    end)
  end)

  it("changes nothing without audio, and never its argument", function()
    local before = { a = true, b = false }
    assert.same(before, hold.after(before, "b", nil, "sendrecv"))
    assert.same(before, hold.after(before, "b", "sendonly", nil))
    hold.after(before, "b", "sendonly", "recvonly")
    assert.same({ a = true, b = false }, before)
  end)
end)

describe("a hold by recvonly", function()
  local none = { a = false, b = false }

  it("X19: is one if the phone has talked before and asks", function()
    assert.same({ a = true, b = false }, hold.after(none, "a", "recvonly", "sendonly", "sendrecv"))
    assert.same({ a = false, b = true }, hold.after_answer(none, "b", "recvonly", "inactive", "sendrecv"))
    assert.is_true(hold.is_asked_by("recvonly", "sendrecv"))
  end)

  it("X19: goes on when it is described again, and ends with sendrecv", function()
    local held = hold.after(none, "a", "recvonly", "sendonly", "sendrecv")
    held = hold.after(held, "a", "recvonly", "sendonly", "recvonly")
    assert.same({ a = true, b = false }, held)
    assert.same(none, hold.after(held, "a", "sendrecv", "sendrecv", "recvonly"))
  end)

  it("X19: is none of a side that never sent, or that is held itself", function()
    assert.same(none, hold.after(none, "a", "recvonly", "sendonly", "recvonly"))
    assert.same(none, hold.after(none, "a", "recvonly", "sendonly", nil))
    local other = { a = false, b = true }
    assert.same(other, hold.after(other, "a", "recvonly", "sendonly", "recvonly"))
    assert.same(other, hold.after(other, "a", "recvonly", "sendonly", "sendrecv"))
    assert.is_false(hold.is_asked_by("recvonly", "recvonly"))
  end)

  it("X19: ends after sendonly", function()
    assert.same(none, hold.after({ a = true, b = false }, "a", "recvonly", "sendonly", "sendonly"))
  end)
end)

describe("hold.after_ack", function()
  local none = { a = false, b = false }

  it("X8: is after the offer of the 2xx and the direction of the ACK", function()
    assert.same({ a = true, b = false }, hold.after_ack(none, "a", "sendrecv", "sendonly"))
    assert.same({ a = false, b = true }, hold.after_ack(none, "b", "sendrecv", "inactive"))
    assert.same(none, hold.after_ack({ a = true, b = false }, "a", "sendrecv", "sendrecv"))
  end)

  it("X8: keeps the hold of the one that only obeys", function()
    assert.same({ a = false, b = true }, hold.after_ack(none, "a", "sendonly", "recvonly"))
    assert.same({ a = true, b = false }, hold.after_ack({ a = true, b = false }, "a", "recvonly", "sendonly"))
  end)
end)

describe("hold.after_answer", function()
  local none = { a = false, b = false }

  it("is after the offer of the request and the direction of its answer", function()
    assert.same({ a = true, b = false }, hold.after_answer(none, "a", "sendonly", "recvonly"))
    assert.same({ a = false, b = true }, hold.after_answer(none, "b", "sendonly", "recvonly"))
  end)

  it("reads the answer as the offer if the request had none", function()
    assert.same({ a = false, b = true }, hold.after_answer(none, "a", "", "sendonly"))
    assert.same({ a = true, b = false }, hold.after_answer(none, "b", "", "inactive"))
  end)
end)
