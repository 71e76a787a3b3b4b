local event_header = require("rules.event_header")

describe("an Event header", function()
  it("has a package, and may have an id", function()
    assert.same({ name = "dialog", id = false }, event_header.parse("dialog"))
    assert.same({ name = "dialog", id = "7" }, event_header.parse(" dialog ; id=7"))
    assert.same({ name = "call-info", id = "a.b" }, event_header.parse("call-info;x;ID = a.b ;y=z"))
  end)

  it("X21: may have other parameters", function()
    for _, parameters in ipairs({ ";include-session-description", ';call-id="a@b;c";to-tag="1";from-tag=2', ";x=" }) do
      assert.same({ name = "dialog", id = false }, event_header.parse("dialog" .. parameters), parameters)
    end
  end)

  it("is none with what cannot be read, or an id that is too long", function()
    for _, text in ipairs({ "", ";id=7", "dialog;id", 'dialog;id="7"', "dialog;id=", "dialog 7", "dialog;;",
      "dialog;id=" .. ("x"):rep(65) }) do
      assert.is_nil(event_header.parse(text), text)
    end
  end)
end)

describe("X21: the id in a Contact", function()
  it("comes back from its URI", function()
    for _, id in ipairs({ "7", "a.b-c_d~e*%+`'!", ("x"):rep(64) }) do
      for _, uri in ipairs({ "sip:102@192.0.2.1:5060", "sip:102@[2001:db8::1];transport=tcp", "sip:102@h;a?b=c" }) do
        local value = event_header.into_contact('"Bob" <' .. uri .. ">;expires=600", id)
        local found, bare = event_header.from_uri(value:match("^<(.*)>$"))
        assert.equal(id, found)
        assert.equal(uri, bare)
      end
    end
  end)

  it("is none in any other URI", function()
    for _, uri in ipairs({ "sip:102@192.0.2.1", "sip:102@h;callpark-event-id=", "sip:102@h;callpark-event-id=0d0a",
      "sip:102@h;callpark-event-id=313", "sip:102@h;callpark-event-id=x" }) do
      assert.is_nil(event_header.from_uri(uri), uri)
    end
  end)
end)
