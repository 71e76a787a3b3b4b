local trunk_numbers = require("rules.trunk_numbers")

describe("the numbers of requests to a trunk", function()
  local none = trunk_numbers.parse(nil)

  it("are the sender's until a challenge is answered", function()
    assert.equal(7, trunk_numbers.of_request(none, "INVITE", 7))
    assert.is_nil(trunk_numbers.text(none))
    assert.is_nil(trunk_numbers.text(trunk_numbers.after(none, "INVITE", 7, 7)))
  end)

  it("are ahead of the sender afterwards", function()
    local once = trunk_numbers.after(none, "INVITE", 7, 8)
    assert.equal(9, trunk_numbers.of_request(once, "BYE", 8))
    local twice = trunk_numbers.after(once, "INFO", 8, 10)
    assert.equal(11, trunk_numbers.of_request(twice, "BYE", 9))
  end)

  it("keep the number of an INVITE for its ACK, whatever was challenged meanwhile", function()
    local numbers = trunk_numbers.after(trunk_numbers.after(none, "INVITE", 7, 8), "INFO", 8, 10)
    assert.equal(8, trunk_numbers.of_request(numbers, "ACK", 7))
  end)

  it("keep the number of the INVITE before, the ACK of which is repeated", function()
    local numbers = trunk_numbers.after(trunk_numbers.after(none, "INVITE", 7, 8), "INVITE", 8, 9)
    numbers = trunk_numbers.after(numbers, "INVITE", 8, 10)
    assert.same({ 8, 10 },
      { trunk_numbers.of_request(numbers, "ACK", 7), trunk_numbers.of_request(numbers, "ACK", 8) })
  end)

  it("keep the number of an INVITE that was not challenged", function()
    local numbers = trunk_numbers.after(none, "INFO", 1, 2)
    numbers = trunk_numbers.after(numbers, "INVITE", 2, 3)
    assert.equal(3, trunk_numbers.of_request(numbers, "ACK", 2))
  end)

  it("are those of the INVITE in a RAck", function()
    local numbers = trunk_numbers.after(none, "INVITE", 7, 8)
    assert.equal("1 8 INVITE", trunk_numbers.rack(numbers, "1 7 INVITE"))
    for _, value in ipairs({ "1 6 INVITE", "1 7 UPDATE", "", "1 7", "x" }) do
      assert.is_nil(trunk_numbers.rack(numbers, value), value)
    end
    assert.is_nil(trunk_numbers.rack(none, "1 7 INVITE"))
  end)

  it("are never lowered by an answer that comes late", function()
    local numbers = trunk_numbers.after(none, "INFO", 2, 4)
    assert.equal(2, trunk_numbers.after(numbers, "INFO", 1, 2).ahead)
  end)

  it("survive as text", function()
    local numbers = { ahead = 3, invite = 7, sent = 9, earlier_invite = 2, earlier_sent = 4 }
    assert.same(numbers, trunk_numbers.parse(trunk_numbers.text(numbers)))
    assert.same(none, trunk_numbers.parse("3 7"))
  end)
end)
