local arrival = require("rules.arrival")

local function request(changes)
  local f = { method = "INVITE", to_tag = false, from_parkd = false, is_inside = false, is_udp = true, body = "",
    content_length = 0, is_behind_nat = false, contact_values = { "<sip:101@127.0.0.11>" },
    settings = { flood_control = true } }
  for name, value in pairs(changes or {}) do f[name] = value end
  return f
end

describe("the inside socket", function()
  it("is for parkd only", function()
    assert.is_true(arrival.is_dropped(request({ is_inside = true })))
    assert.is_false(arrival.is_dropped(request({ is_inside = true, from_parkd = true })))
    assert.is_false(arrival.is_dropped(request()))
  end)
end)

describe("what follows the body", function()
  it("is counted in a datagram", function()
    assert.equal(3, arrival.surplus(request({ body = "v=0\r\nXYZ", content_length = 5 })))
    assert.equal(0, arrival.surplus(request({ body = "v=0\r\n", content_length = 5 })))
  end)

  it("is nothing without a length, over TCP, and in a body that was cut off", function()
    assert.equal(0, arrival.surplus(request({ body = "abc", content_length = false })))
    assert.equal(0, arrival.surplus(request({ body = "abc", content_length = 1, is_udp = false })))
    assert.equal(0, arrival.surplus(request({ body = "abc", content_length = 9 })))
  end)
end)

describe("a flood", function()
  local function flood(changes) return arrival.flood(request(changes)) end

  it("is never parkd's", function()
    assert.same({ action = "admit" }, flood({ settings = { flood_control = false } }))
    assert.same({ action = "admit" }, flood({ from_parkd = true }))
    assert.same({ need = "is_within_rate" }, flood())
  end)

  it("is none within the rate", function() assert.same({ action = "admit" }, flood({ is_within_rate = true })) end)

  it("X40 is one from an address with phones only beyond what an office may send in a second", function()
    local office = { is_within_rate = false, has_phones = true }
    assert.same({ need = "requests_this_second" }, flood(office))
    office.requests_this_second = 500
    assert.same({ action = "admit" }, flood(office))
    office.requests_this_second = 501
    assert.same({ action = "drop" }, flood(office))
  end)

  it("is none of a trunk", function()
    assert.same({ need = "has_phones" }, flood({ is_within_rate = false }))
    assert.same({ need = "is_at_trunk" }, flood({ is_within_rate = false, has_phones = false }))
    assert.same({ action = "admit" }, flood({ is_within_rate = false, has_phones = false, is_at_trunk = true }))
  end)

  it("is dropped from any other address", function()
    assert.same({ action = "drop" }, flood({ is_within_rate = false, has_phones = false, is_at_trunk = false }))
  end)
end)

describe("X30 a flood within a call", function()
  local function flood(changes)
    local f = { to_tag = "tt", method = "INFO", call_id = "c", source = { ip = "192.0.2.1" } }
    for name, value in pairs(changes or {}) do f[name] = value end
    return arrival.flood(request(f))
  end

  it("is one of the call, or of its sender's address unless that is a trunk", function()
    assert.same({ need = "recent_requests", about = { kind = "requests", of = { "c", "192.0.2.1" } } }, flood())
    assert.same({ action = "admit" }, flood({ recent_requests = { 120, 3000 } }))
    assert.same({ action = "drop" }, flood({ recent_requests = { 121, 121 } }))
    assert.same({ need = "is_at_trunk" }, flood({ recent_requests = { 1, 3001 } }))
    assert.same({ action = "drop" }, flood({ recent_requests = { 1, 3001 }, is_at_trunk = false }))
    assert.same({ action = "admit" }, flood({ recent_requests = { 1, 3001 }, is_at_trunk = true }))
  end)

  it("is no ACK and no SUBSCRIBE", function()
    for _, method in ipairs({ "ACK", "SUBSCRIBE" }) do
      assert.same({ action = "admit" }, flood({ method = method }))
    end
  end)

  it("is one of what ends a request or a call, but of an address with phones beyond an office's second", function()
    for _, method in ipairs({ "BYE", "PRACK" }) do
      assert.same({ need = "recent_requests", about = { kind = "ends", of = { "192.0.2.1" } } },
        flood({ method = method }))
      local function after(count, known)
        local f = { method = method, recent_requests = { count } }
        for name, value in pairs(known or {}) do f[name] = value end
        return flood(f)
      end
      assert.same({ action = "admit" }, after(3000))
      assert.same({ action = "drop" }, after(3001, { has_phones = false, is_at_trunk = false }))
      assert.same({ action = "admit" }, after(3001, { has_phones = true, requests_this_second = 500 }))
      assert.same({ action = "drop" }, after(3001, { has_phones = true, requests_this_second = 501 }))
      assert.same({ action = "admit" }, after(3001, { has_phones = false, is_at_trunk = true }))
    end
  end)
end)

describe("a request from outside", function()
  it("loses its routes where it begins a dialog", function()
    assert.is_true(arrival.drops_route(request()))
    assert.is_false(arrival.drops_route(request({ to_tag = "tt" })))
    assert.is_false(arrival.drops_route(request({ from_parkd = true })))
  end)

  it("has its Contact sealed where the receiver will use it", function()
    local function seals(action, changes)
      return arrival.seals_contact(request(changes or { method = "INVITE" }), { action = action }) == true
    end
    for _, action in ipairs({ "to_extension", "to_trunk", "to_ring_group", "feature_call", "within_dialog" }) do
      assert.is_true(seals(action), action)
    end
    for _, action in ipairs({ "refuse", "challenge", "parkd_within_dialog", "watch_lamp" }) do
      assert.is_false(seals(action), action)
    end
    assert.is_true(seals("within_dialog", { method = "UPDATE", to_tag = "tt" }))
    assert.is_false(seals("within_dialog", { method = "BYE", to_tag = "tt" }))
    assert.is_false(seals("to_extension", { method = "MESSAGE" }))
    assert.is_false(seals("to_extension", { method = "INVITE", from_parkd = true }))
    assert.is_false(seals("to_extension", { method = "INVITE", contact_values = {} }))
  end)
end)

describe("an answer", function()
  it("has its Contact sealed if it is one of a dialog's", function()
    local function seals(changes)
      local f = { is_inside = false, to_tag = "tt", status = 200, cseq_method = "INVITE",
        contact_values = { "<sip:a@b>" } }
      for name, value in pairs(changes) do f[name] = value end
      return arrival.seals_contact_of_answer(f)
    end
    assert.is_true(seals({}))
    assert.is_true(seals({ status = 183 }))
    for _, change in ipairs({ { status = 100 }, { status = 302 }, { cseq_method = "NOTIFY" }, { is_inside = true },
      { contact_values = {} } }) do
      assert.is_false(seals(change))
    end
  end)
end)

describe("X42: an asserted identity", function()
  local function identity(changes)
    local f = request({ asserts_identity = true })
    for name, value in pairs(changes or {}) do f[name] = value end
    return arrival.identity(f)
  end

  it("stays with parkd and trunks, within a dialog too", function()
    assert.same({ action = "keep" }, identity({ is_inside = true }))
    assert.same({ need = "is_at_trunk" }, identity())
    assert.same({ action = "keep" }, identity({ is_at_trunk = true, to_tag = "tt" }))
  end)

  it("is dropped from any other sender", function()
    assert.same({ action = "drop" }, identity({ is_at_trunk = false }))
    assert.same({ action = "drop" }, identity({ is_at_trunk = false, to_tag = "tt" }))
  end)

  it("is not asked about where there is none", function()
    assert.same({ action = "keep" }, identity({ asserts_identity = false }))
  end)
end)

describe("X42: a bare carriage return", function()
  local function without(text) return arrival.without_bare_returns(text) end

  it("becomes a space in the head", function()
    assert.equal("A: b Remote-Party-ID: c\r\nD: e\r\n\r\n", without("A: b\rRemote-Party-ID: c\r\nD: e\r\n\r\n"))
    assert.equal("A: b  C: c \r\nD: e\r\n\r\n", without("A: b\r\rC: c\r\r\nD: e\r\n\r\n"))
    assert.equal("A: b ", without("A: b\r"))
    assert.equal("A: b \nC: d\n\n", (without("A: b\r \nC: d\n\n"):gsub("  ", " ")))
  end)

  it("stays in the body, and other messages stay as they are", function()
    assert.is_nil(without("A: b\r\n\r\na\rb"))
    assert.is_nil(without("A: b\nC: d\n\na\rb"))
    assert.is_nil(without("A: b\r\nC: d\r\n\r\n"))
    assert.equal("A: b  c\r\n\r\na\rb", without("A: b\r c\r\n\r\na\rb"))
  end)
end)

describe("an answer", function()
  it("loses its Retry-After if it is 503 and not parkd's", function()
    assert.is_true(arrival.loses_retry_after({ is_inside = false, status = 503 }))
    assert.is_false(arrival.loses_retry_after({ is_inside = true, status = 503 }))
    assert.is_false(arrival.loses_retry_after({ is_inside = false, status = 486 }))
  end)
end)
