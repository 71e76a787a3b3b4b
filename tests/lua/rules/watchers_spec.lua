local requests = require("support.requests")
local watchers = require("rules.watchers")

local settings = requests.settings

local function subscription(contact) return { contact = contact } end

describe("X30 the subscriptions of an extension to one lamp", function()
  it("end when the same Contact subscribes again, whatever its id", function()
    local old, other = subscription("sip:101@192.0.2.1:5060"), subscription("sip:101@192.0.2.1:5061")
    local with_id = subscription("sip:101@192.0.2.1:5060;callpark-event-id=37")
    assert.same({ old, with_id }, watchers.replaced({ old, other, with_id }, "sip:101@192.0.2.1:5060"))
    assert.same({}, watchers.replaced({ other }, "sip:101@192.0.2.1:5060"))
  end)

  it("are as many as an extension may have devices: the oldest makes room", function()
    local known = {}
    for i = 1, 12 do known[i] = subscription("sip:101@192.0.2.1:" .. i) end
    assert.same({ known[1], known[2], known[3] }, watchers.replaced(known, "sip:101@192.0.2.2"))
    assert.same({ known[12], known[1], known[2] }, watchers.replaced(known, "sip:101@192.0.2.1:12"))
  end)
end)

describe("X30 one more subscription", function()
  local function surplus(of_extension, of_tenant, ending)
    return watchers.surplus({ of_extension = of_extension, of_tenant = of_tenant }, ending, settings)
  end

  it("is refused beyond the share of the extension and of the tenant", function()
    assert.is_nil(surplus(499, 9999, 0))
    assert.equal(503, surplus(500, 500, 0).code)
    assert.equal(503, surplus(0, 10000, 0).code)
  end)

  it("is accepted in the place of one that ends", function() assert.is_nil(surplus(500, 10000, 1)) end)
end)

describe("X30 one more NOTIFY", function()
  it("is not caused while too many wait for an answer: of the watcher, the tenant, or all", function()
    local function overdue(of_extension, of_tenant, of_all)
      return watchers.overdue({ of_extension = of_extension, of_tenant = of_tenant, of_all = of_all }) ~= nil
    end
    assert.is_false(overdue(199, 1999, 5999))
    assert.is_true(overdue(200, 200, 200))
    assert.is_true(overdue(0, 2000, 2000))
    assert.is_true(overdue(0, 0, 6000))
  end)
end)

describe("X30 a watcher", function()
  local function new() return watchers.parse(nil) end

  it("that answers is sent everything", function()
    local state = new()
    for second = 1, 100 do
      assert.is_nil(select(2, watchers.sent(state, second)))
      state = watchers.sent(state, second)
      assert.is_nil(select(2, watchers.answered(state, second)))
      state = watchers.answered(state, second)
    end
    assert.is_nil(watchers.text(state))
  end)

  it("that leaves a NOTIFY without an answer for seconds gets no more after the next", function()
    local state = watchers.sent(new(), 10)
    local next, act = watchers.sent(state, 13)
    assert.is_nil(act)
    next, act = watchers.sent(next, 14)
    assert.equal("silence", act)
    assert.is_true(next.is_silent)
  end)

  it("that answers some is sent everything, although one more always waits", function()
    local state = watchers.sent(new(), 1)
    for second = 2, 100 do
      assert.is_nil(select(2, watchers.sent(state, second)))
      state = watchers.answered(watchers.sent(state, second), second)
    end
  end)

  it("that is sent too many at once gets no more for now", function()
    local state = new()
    for _ = 1, 15 do
      assert.is_nil(select(2, watchers.sent(state, 10)))
      state = watchers.sent(state, 10)
    end
    assert.equal("silence", select(2, watchers.sent(state, 10)))
  end)

  it("that answers at last hears what it has missed", function()
    local state = { unanswered = 3, since = 10, failures = 1, is_silent = true }
    local next, act = watchers.answered(state, 20)
    assert.equal("hear", act)
    assert.same({ unanswered = 2, since = 20, failures = 0, is_silent = false }, next)
  end)

  it("is tried again once all its NOTIFYs are given up, and forgotten the second time", function()
    local state = { unanswered = 2, since = 10, failures = 0, is_silent = true }
    local act
    state, act = watchers.given_up(state)
    assert.is_nil(act)
    assert.is_true(state.is_silent)
    state, act = watchers.given_up(state)
    assert.equal("try", act)
    state, act = watchers.given_up(watchers.sent(state, 60))
    assert.equal("forget", act)
    assert.equal("forget again", select(2, watchers.given_up(watchers.sent(state, 60))))
  end)

  it("is remembered as text", function()
    local state = { unanswered = 2, since = 10, failures = 1, is_silent = true }
    assert.same(state, watchers.parse(watchers.text(state)))
  end)
end)
