local requests = require("support.requests")
local seal = require("rules.seal")

local function request(changes)
  return requests.facts(changes or {})
end

local kUri = "sip:101@127.0.0.11:5060;transport=tcp"

describe("a sealed Contact", function()
  it("is known for its call and its party only", function()
    local f = request()
    local sealed = seal.contact(f, "ft", kUri)
    assert.is_true(seal.is_contact(f, "ft", sealed))
    assert.is_false(seal.is_contact(f, "tt", sealed))
    assert.is_false(seal.is_contact(request({ call_id = "d" }), "ft", sealed))
  end)

  it("X31 is not known with anything changed in it", function()
    local f = request()
    local sealed = seal.contact(f, "ft", kUri, 7)
    for _, changed in ipairs({ kUri, (sealed:gsub("101@", "102@")), (sealed:gsub("0%.11", "0.12")),
      (sealed:gsub(":5060", ":5070")), (sealed:gsub("tcp", "udp")), sealed .. ";alias=127.0.0.50~5060~1",
      sealed .. ";maddr=127.0.0.50", (sealed:gsub("%.7$", ".8")), (sealed:gsub("%.7$", "")),
      kUri .. ";callpark=", kUri .. ";callpark=0.7" }) do
      assert.is_false(seal.is_contact(f, "ft", changed), changed)
    end
  end)

  it("is known in another spelling", function()
    local f = request()
    local sealed = seal.contact(f, "ft", "sip:101@Phone.example:5060;transport=tcp;ob")
    local value = seal.param(sealed, "callpark")
    assert.is_true(seal.is_contact(f, "ft", "sip:101@phone.EXAMPLE:5060;ob;callpark=" .. value .. ";transport=TCP"))
  end)

  it("is opened to what its party has written, and the connection", function()
    local f = request()
    assert.same({ kUri, 7 }, { seal.opened(seal.contact(f, "ft", kUri, 7)) })
    assert.same({ kUri, nil }, { seal.opened(seal.contact(f, "ft", kUri)) })
    assert.same({ kUri, nil }, { seal.opened(kUri) })
  end)

  it("keeps the seal of another site that the call has come through", function()
    local there = request({ keyed = function(text) return requests.keyed("other" .. text) end })
    local other = seal.contact(there, "ft", kUri)
    local f = request()
    local sealed = seal.contact(f, "ft", other)
    assert.is_true(seal.is_contact(f, "ft", sealed))
    assert.is_false(seal.is_contact(f, "ft", other))
    assert.equal(other, (seal.opened(sealed)))
  end)

  it("keeps a user with parameters, and headers", function()
    local f = request()
    local uri = "sip:101;callpark=x@127.0.0.11?Subject=a"
    local sealed = seal.contact(f, "ft", uri)
    assert.is_truthy(sealed:match("^sip:101;callpark=x@127%.0%.0%.11;callpark=%x+%?Subject=a$"))
    assert.is_true(seal.is_contact(f, "ft", sealed))
    assert.equal(uri, (seal.opened(sealed)))
  end)
end)

local extension = { kind = "extension", aor = "101@demo.callpark" }
local trunk = { kind = "trunk" }

local function route_of(f, caller, callee, hops)
  return "sip:127.0.0.1;lr;ftag=" .. f.from_tag .. seal.record_route(f, caller, callee, "demo.callpark", hops or {})
end

local function answered()
  return request({ from_tag = "tt", to_tag = "ft", source = { ip = "127.0.0.12" } })
end

describe("Kamailio's Route", function()
  it("has the parties, and which of them sends", function()
    local route = route_of(request(), extension, trunk)
    local call = seal.read_route(request({ to_tag = "tt" }), route)
    assert.same({ "a", "101@demo.callpark", "trunk", "demo.callpark" },
      { call.sender, call.a.aor, call.b.kind, call.tenant })
    assert.equal("b", seal.read_route(answered(), route).sender)
  end)

  it("knows the place that the caller called from", function()
    local route = route_of(request(), extension, trunk)
    assert.is_true(seal.read_route(request({ to_tag = "tt" }), route).is_from_home)
    assert.is_false(seal.read_route(request({ to_tag = "tt", source = { ip = "127.0.0.99" } }), route).is_from_home)
    assert.is_false(seal.read_route(answered(), route).is_from_home)
  end)

  it("does not name a caller that withholds its number", function()
    local route = route_of(request(), { kind = "extension", aor = "101@demo.callpark", withheld = true }, extension)
    assert.is_nil(route:match("e101%.e101"))
    local call = seal.read_route(answered(), route)
    assert.same({ "extension", nil, "101@demo.callpark" }, { call.a.kind, call.a.aor, call.b.aor })
  end)

  it("has the number of a ring group, and parkd", function()
    local route = route_of(request(), { kind = "parkd" }, { kind = "ring_group", number = "600" })
    local call = seal.read_route(answered(), route)
    assert.same({ { kind = "parkd" }, { kind = "ring_group", number = "600" } }, { call.a, call.b })
    call = seal.read_route(answered(), route_of(request(), extension, { kind = "ring_group" }))
    assert.same({ kind = "ring_group" }, call.b)
  end)

  it("T1 has the name of a trunk, if one is known, also of a caller that withholds its number", function()
    local route = route_of(request(), { kind = "trunk", trunk = "a_1-b", withheld = true }, trunk)
    local call = seal.read_route(answered(), route)
    assert.same({ { kind = "trunk", trunk = "a_1-b" }, { kind = "trunk" } }, { call.a, call.b })
    call = seal.read_route(answered(), route_of(request(), { kind = "trunk", trunk = "a.e101" }, extension))
    assert.same({ kind = "trunk" }, call.a)
  end)

  it("X31 is not believed in another call, or changed", function()
    local route = route_of(request(), extension, trunk)
    assert.is_nil(seal.read_route(request({ call_id = "d", to_tag = "tt" }), route))
    assert.is_nil(seal.read_route(request({ from_tag = "x", to_tag = "y" }), route))
    for _, changed in ipairs({ "sip:127.0.0.1;lr;ftag=ft", (route:gsub("%.t%.", ".e102.")),
      (route:gsub("e101", "e102")), (route:gsub("demo", "other")), (route:gsub("ftag=ft", "ftag=tt")) }) do
      assert.is_nil(seal.read_route(request({ to_tag = "tt" }), changed), changed)
    end
  end)

  it("knows the hops behind it", function()
    local hops = { "sip:a@192.0.2.60;lr;x=1", "sip:192.0.2.61:5070;lr" }
    local route = route_of(request(), trunk, extension, hops)
    local f = answered()
    local call = seal.read_route(f, route)
    assert.is_true(seal.are_hops(f, route, call, hops))
    assert.is_true(seal.are_hops(f, route, call, { "sip:a@192.0.2.60;x=1;lr=on", "sip:192.0.2.61:5070;lr" }))
    assert.is_true(seal.are_hops(f, route, call, {}), "straight to the Contact")
    for _, others in ipairs({ { hops[1] }, { hops[2], hops[1] }, { hops[1], "sip:192.0.2.62:5070;lr" },
      { hops[1], hops[2], "sip:192.0.2.62" }, { "sip:a@192.0.2.60;lr;maddr=192.0.2.9", hops[2] } }) do
      assert.is_false(seal.are_hops(f, route, call, others))
    end
  end)
end)
