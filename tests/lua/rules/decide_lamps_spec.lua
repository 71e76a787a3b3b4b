local decide = require("rules.decide")
local requests = require("support.requests")

local kTenant = requests.kTenant
local facts = requests.facts
local number = requests.number
local extension = requests.extension
local park_code = requests.park_code
local retrieve_code = requests.retrieve_code
local ring_group = requests.ring_group
local park_number = requests.park_number
local orbit = requests.orbit
local refused = requests.refused
local subscription = requests.subscription

-- What 101 wants to watch; `row` is what the number is.
local function watch(text, row, changes)
  local f = facts({ method = "SUBSCRIBE", event = "dialog", dialled = number(text), number = row })
  f.ruri = { user = text, host = kTenant }
  for name, value in pairs(changes or {}) do f[name] = value end
  return decide.request(f)
end

describe("a SUBSCRIBE for a lamp", function()
  it("is accepted for an extension, an orbit of a range, and what is dialled to retrieve", function()
    assert.same({ action = "watch_lamp", uri = "sip:102@" .. kTenant, tenant = kTenant, watcher = "101",
      watches = "102@" .. kTenant, replaces = {} }, watch("102", extension))
    assert.equal("watch_lamp", watch("7001", orbit).action)
    assert.equal("watch_lamp", watch("300", requests.call_flow).action)
    assert.equal("watch_lamp", watch("300", requests.call_flow_off).action)
    assert.equal("sip:*30@" .. kTenant, watch("*30", requests.call_flow_code).uri)
    assert.equal("sip:flow+*30@" .. kTenant, watch("flow+*30", requests.call_flow_code).uri)
    assert.equal("watch_lamp", watch("*71*7250", retrieve_code).action)
    assert.equal("watch_lamp", watch("*71102", retrieve_code, { orbit_number = extension }).action)
    assert.equal("watch_lamp", watch("*717001", retrieve_code, { orbit_number = orbit }).action)
    assert.is_nil(watch("*71102", retrieve_code, { orbit_number = extension }).watches)
  end)

  it("for an extension keeps its lamp watched, but not at the end of the subscription", function()
    assert.is_nil(watch("102", extension, { expires = 0 }).watches)
    assert.equal("102@" .. kTenant, watch("102", extension, { expires = 600 }).watches)
  end)

  it("asks what follows the code", function()
    assert.same({ need = "orbit_number", about = { tenant = kTenant, number = "102" } }, watch("*71102", retrieve_code))
  end)

  it("is 404 for a number that has none", function()
    refused(404, watch("999", false))
    refused(404, watch("*70102", park_code))
    refused(404, watch("600", ring_group))
    refused(404, watch("7000", park_number))
    refused(404, watch("*71", retrieve_code, { orbit_number = false }))
    refused(404, watch("*71999", retrieve_code, { orbit_number = false }))
    refused(404, watch("*71*12", retrieve_code, { orbit_number = false }))
    refused(404, watch("*71*123456789", retrieve_code, { orbit_number = false }))
  end)

  it("is 403 from a trunk, for another tenant and in another's name", function()
    refused(403, watch("102", extension, { trunk = { enabled = 1 } }))
    refused(403, watch("102", extension, { ruri = { user = "102", host = "other.callpark" } }))
    refused(403, watch("102", extension, { identity = { status = "known", user = "103" } }))
  end)

  it("is challenged", function()
    assert.equal("challenge", watch("102", extension, { has_credentials = false, from_tenant = {} }).action)
  end)

  it("for another event gets the list of events", function()
    assert.equal("refuse_event", watch("102", extension, { event = "presence" }).action)
  end)

  it("for the call-park notification goes to parkd", function()
    assert.same({ action = "subscribe_at_parkd", tenant = kTenant, user = "101" },
      watch("102", extension, { event = "call-info" }))
    refused(404, watch("*88102", retrieve_code, { event = "call-info" }))
  end)
end)

describe("X36 a SUBSCRIBE", function()
  local function leading_to(ip, changes)
    local all = { reachable_places = { { host = ip, ip = ip, port = 5060 } } }
    for name, value in pairs(changes or {}) do all[name] = value end
    return watch("102", extension, all)
  end

  it("with a Contact at a trunk, at many hosts or at this server is refused, as a REGISTER is", function()
    refused(403, leading_to("192.0.2.50", { trunk_among = { trunk = "demo" } }))
    for _, ip in ipairs({ "224.0.1.75", "239.1.1.1", "255.255.255.255", "240.0.0.1", "0.0.0.0", "ff02:0:0:0:0:0:0:1",
      "0:0:0:0:0:0:0:0" }) do
      refused(403, leading_to(ip))
    end
    refused(403, leading_to("192.0.2.1"))
    refused(400, watch("102", extension, { reachable_places = false }))
    assert.same({ need = "trunk_among", about = { "127.0.0.11", "192.0.2.50" } },
      (function()
        local f = facts({ method = "SUBSCRIBE", event = "dialog", dialled = number("102"), number = extension,
          reachable_places = { { host = "192.0.2.50", ip = "192.0.2.50", port = 5060 } } })
        f.trunk_among = nil
        return decide.request(f)
      end)())
  end)

  it("is refused for such a Record-Route too, and for one with a name", function()
    local function by_way_of(place) return watch("102", extension, { route_places = { place } }) end
    assert.equal("watch_lamp", by_way_of({ host = "192.0.2.77", ip = "192.0.2.77", port = 5060 }).action)
    refused(403, by_way_of({ host = "192.0.2.1", ip = "192.0.2.1", port = 5060 }))
    refused(403, by_way_of({ host = "224.0.1.75", ip = "224.0.1.75", port = 5060 }))
    refused(403, by_way_of({ host = "proxy.example", port = 5060 }))
    refused(400, watch("102", extension, { route_places = false }))
  end)

  it("for the calls parked at an extension is no exception", function()
    refused(403, leading_to("224.0.1.75", { event = "call-info" }))
  end)
end)

describe("X30 a SUBSCRIBE", function()
  it("beyond the shares is refused with words, and may be tried later", function()
    local d = watch("102", extension, { subscriptions = { of_lamp = {}, of_extension = 500, of_tenant = 500 } })
    assert.same({ action = "refuse_surplus", code = 503, reason = "Too Many Subscriptions" }, d)
    d = watch("102", extension, { waiting_notifies = { of_extension = 200, of_tenant = 200, of_all = 200 } })
    assert.equal("Too Many Unanswered NOTIFYs", d.reason)
  end)

  it("that only asks once is no subscription", function()
    assert.equal("watch_lamp",
      watch("102", extension,
        { expires = 0, subscriptions = { of_lamp = {}, of_extension = 500, of_tenant = 500 } }).action)
  end)
end)

describe("a SUBSCRIBE within its dialog", function()
  local function again(changes)
    local f = facts({ method = "SUBSCRIBE", event = "dialog", to_tag = "tt", subscription = subscription("101") })
    f.ruri = { host = "127.0.0.1", is_ours = true }
    for name, value in pairs(changes or {}) do f[name] = value end
    return decide.request(f)
  end

  it("renews what the same user has subscribed to", function()
    assert.same({ action = "watch_lamp_again", uri = "sip:*88102@" .. kTenant, watcher = "101", tenant = kTenant,
      watches = "*88102@" .. kTenant }, again())
    assert.is_nil(again({ expires = 0 }).watches)
  end)

  it("is refused to others, unknown dialogs and without a password", function()
    refused(403, again({ identity = { status = "known", user = "102" } }))
    refused(481, again({ subscription = false }))
    assert.equal("challenge", again({ has_credentials = false }).action)
  end)

  it("goes to parkd in the name of its user when it is parkd's", function()
    local parkd = { event = "call-info", ruri = { user = "parkd", host = "127.0.0.1", is_parkd = true } }
    assert.same({ action = "to_parkd", tenant = kTenant, user = "101", first_answer_ms = 6000 }, again(parkd))
    parkd.identity = { status = "known", user = "102" }
    refused(403, again(parkd))
  end)

  it("about anything else is for the other party", function()
    assert.same({ need = "marker" }, again({ event = "refer" }))
  end)
end)

describe("a PUBLISH", function()
  local function publish(changes)
    local f = facts({ method = "PUBLISH", event = "dialog", body = "<dialog id='1'/>",
      from_parkd = true, inside_tenant = kTenant,
      dialled = number("*88102"), ruri = { user = "*88102", host = kTenant } })
    for name, value in pairs(changes or {}) do f[name] = value end
    return decide.request(f)
  end

  it("is parkd's", function()
    assert.same({ action = "publish", user = "*88102", tenant = kTenant, seconds = 3600 }, publish())
    refused(403, publish({ from_parkd = false }))
  end)

  it("is for a lamp of the tenant that is named", function()
    refused(403, publish({ inside_tenant = false }))
    refused(403, publish({ ruri = { user = "*88102", host = "other.callpark" } }))
    assert.equal("refuse_event", publish({ event = "presence" }).action)
  end)

  it("has exactly one dialog, unless it ends the publication", function()
    refused(400, publish({ body = "<dialog-info/>" }))
    refused(400, publish({ body = "<dialog id='1'/><dialog id='2'/>" }))
    local d = publish({ body = "", expires = 0, etag = "parkd.1" })
    assert.same({ "publish", 0, "parkd.1" }, { d.action, d.seconds, d.etag })
  end)
end)
