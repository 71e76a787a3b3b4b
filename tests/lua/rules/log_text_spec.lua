local log_text = require("rules.log_text")

describe("X38 a text of a message in the log", function()
  it("is one short line without control characters", function()
    assert.equal("a\\x1b[31m\\x0d\\x0ab\\x00\\xff", log_text.excerpt("a\27[31m\r\nb\0\255"))
    assert.equal(80, #log_text.excerpt(("x"):rep(1000)))
  end)

  it("is harmless if its headers have no control character and its Call-ID is a word", function()
    assert.is_true(log_text.is_harmless("OPTIONS sip:x SIP/2.0\r\nA:\tb\r\n\r\n\27", "a@b"))
    assert.is_false(log_text.is_harmless("OPTIONS sip:x SIP/2.0\r\nA: \27\r\n\r\n", "a@b"))
    assert.is_false(log_text.is_harmless("OPTIONS sip:x SIP/2.0\r\nA: \127\r\n\r\n", "a@b"))
    assert.is_false(log_text.is_harmless("OPTIONS sip:x SIP/2.0\r\nA: \0\r\n\r\n", "a@b"))
    assert.is_false(log_text.is_harmless("OPTIONS sip:x SIP/2.0\r\n\r\n", "a\155b"))
  end)

  it("is reported in one line, with how many there were", function()
    assert.equal("12 messages cannot be read, or be logged; one has 3 bytes from udp:192.0.2.1:5060: abc",
      log_text.unreadable(12, log_text.description("abc", "udp:192.0.2.1:5060")))
  end)

  it("counts for its address where phones are, and with all others otherwise", function()
    assert.equal(log_text.share("192.0.2.1", false, 7), log_text.share("192.0.2.2", false, 7))
    assert.not_equal(log_text.share("192.0.2.1", true, 7), log_text.share("192.0.2.2", true, 7))
    assert.not_equal(log_text.share("192.0.2.1", true, 7), log_text.share("192.0.2.1", true, 8))
  end)
end)
