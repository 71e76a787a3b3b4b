local talks = require("rules.talks")
local dialog_info = require("rules.dialog_info")
local contact = require("rules.contact")
local requests = require("support.requests")

local function call(call_id, state) return { call_id = call_id, state = state, direction = "recipient" } end

describe("the calls of an extension", function()
  it("are the same after they were text", function()
    local calls = { call("a b", "early"), call("c@d", "confirmed") }
    assert.same(calls, talks.parse(talks.text(calls)))
    assert.same({}, talks.parse(nil))
  end)

  it("have each call once, in its last state", function()
    local calls = talks.with({ call("x", "early"), call("y", "early") }, call("x", "confirmed"))
    assert.same({ call("y", "early"), call("x", "confirmed") }, calls)
    assert.same({ call("y", "early") }, talks.with(calls, { call_id = "x" }))
  end)

  it("show one that rings before one that talks, and nothing when there is none", function()
    assert.equal("y", talks.shown({ call("x", "confirmed"), call("y", "early") }).call_id)
    assert.equal("x", talks.shown({ call("x", "confirmed"), call("z", "confirmed") }).call_id)
    assert.is_nil(talks.shown({}))
  end)
end)

describe("the extensions of a call", function()
  it("are the same after they were text", function()
    local lit = { state = "early", people = { { aor = "101@d", direction = "initiator" },
      { aor = "102@d", direction = "recipient" } } }
    assert.same(lit, talks.parse_lit(talks.lit_text(lit)))
    assert.same({ people = {} }, talks.parse_lit(nil))
    assert.same({ state = "over", people = {} }, talks.parse_lit("over"))
  end)

  it("do not go back to ringing, nor come back when it is over", function()
    assert.is_true(talks.goes_on(nil, "early"))
    assert.is_true(talks.goes_on("early", "early"))
    assert.is_true(talks.goes_on("early", "confirmed"))
    assert.is_true(talks.goes_on("confirmed", "over"))
    assert.is_false(talks.goes_on("confirmed", "early"))
    assert.is_false(talks.goes_on("over", "early"))
  end)
end)

describe("the body of an extension's lamp", function()
  it("has one dialog, and nothing in it that breaks it", function()
    local shown = { call_id = '<a"b@c', state = "early", direction = "initiator" }
    local body = dialog_info.make("1&02@d", shown, requests.keyed)
    assert.equal(1, dialog_info.count(body))
    assert.is_truthy(body:find('entity="sip:1&amp;02@d"', 1, true))
    assert.is_truthy(body:find('id="call%-%x+" direction="initiator"><state>early</state>'))
  end)

  it("shows no Call-ID, and another id for each call", function()
    local function id_of(call_id)
      local body = dialog_info.make("102@d", call(call_id, "early"), requests.keyed)
      assert.is_nil(body:find("192", 1, true))
      return body:match('<dialog id="([^"]*)"')
    end
    assert.equal(id_of("1@192.0.2.1"), id_of("1@192.0.2.1"))
    assert.are_not.equal(id_of("1@192.0.2.1"), id_of("2@192.0.2.1"))
  end)

  it("counts the dialogs of any body", function()
    assert.equal(0, dialog_info.count('<dialog-info version="1"/>'))
    assert.equal(2, dialog_info.count('<dialog-info><dialog id="1"/><dialog\nid="2"></dialog></dialog-info>'))
  end)
end)

describe("a Contact", function()
  local function source(changes)
    local s = { proto = "udp", ip = "192.0.2.1", port = 4000, is_behind_nat = false }
    for name, value in pairs(changes or {}) do s[name] = value end
    return s
  end

  it("stays as it is when it is an address", function()
    for _, value in ipairs({ "<sip:101@10.0.0.1:5070;line=x>;q=1", "sip:101@10.0.0.1", "<sip:101@[2001:db8::1]>",
      "<sip:101@10.0.0.1;transport=tcp>" }) do
      assert.equal(value, contact.reachable(value, source()))
    end
  end)

  it("gets the address that it came from when it is a name, behind NAT, or by a way that we do not go", function()
    assert.equal("<sip:101@192.0.2.1:4000;line=x>", contact.reachable("<sip:101@phone.invalid;line=x>", source()))
    assert.equal("<sip:101@192.0.2.1:4000>", contact.reachable("<sip:101@10.0.0.1;transport=sctp>", source()))
    assert.equal("<sip:101@192.0.2.1:4000>", contact.reachable("<sip:101@10.0.0.1;maddr=phone.invalid>", source()))
    assert.equal("<sip:101@192.0.2.1:4000>", contact.reachable("<sips:101@10.0.0.1>", source()))
    assert.equal("<sip:101@192.0.2.1:4000;ob;transport=tcp>",
      contact.reachable("<sip:101@10.0.0.1;transport=tcp;ob>", source({ proto = "tcp", is_behind_nat = true })))
    assert.equal("<sip:[::2]:4000>", contact.reachable("<sip:phone.invalid>", source({ ip = "::2" })))
  end)

  it("that is none is left alone", function() assert.is_nil(contact.reachable("*", source())) end)
end)

describe("talks.people", function()
  it("are the calling extension and those that are called", function()
    assert.same({ { aor = "101@d", direction = "initiator" }, { aor = "102@d", direction = "recipient" } },
      talks.people("101@d", { "102@d" }))
    assert.same({ { aor = "102@d", direction = "recipient" }, { aor = "103@d", direction = "recipient" } },
      talks.people(nil, { "102@d", "103@d" }))
  end)
end)

describe("a call that a parker leaves to parkd", function()
  it("stays with the side that did not park", function()
    assert.equal("recipient", talks.side_that_stays(true, false))
    assert.equal("initiator", talks.side_that_stays(false, true))
    assert.is_nil(talks.side_that_stays(false, false))
  end)

  it("shows at that side's extension only", function()
    local both = talks.people("101@d", { "102@d" })
    assert.same({ both[2] }, talks.staying(both, "recipient"))
    assert.same({}, talks.staying(talks.people("101@d", {}), "recipient"))
  end)
end)

describe("talks.differ", function()
  local function in_state(state, call_id) return { state = state, direction = "initiator", call_id = call_id } end

  it("is about the state that the lamp shows", function()
    assert.is_true(talks.differ({}, { in_state("early", "1") }))
    assert.is_true(talks.differ({ in_state("confirmed", "1") }, { in_state("confirmed", "1"), in_state("early", "2") }))
    assert.is_false(talks.differ({ in_state("confirmed", "1") }, { in_state("confirmed", "2") }))
    assert.is_false(talks.differ({}, {}))
  end)
end)

describe("talks.out_of_sync", function()
  it("are the lamps that are lit without a call, and the calls without a lit lamp", function()
    local calls = { { call_id = "1", people = talks.people("101@d", { "102@d" }) },
      { call_id = "2", people = talks.people("102@d", {}) } }
    assert.same({ "102@d", "103@d" }, talks.out_of_sync({ "101@d", "103@d" }, calls))
    assert.same({}, talks.out_of_sync({ "101@d", "102@d" }, calls))
    assert.same({}, talks.out_of_sync({}, {}))
  end)
end)
