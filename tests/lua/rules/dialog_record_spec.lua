local cjson = require("cjson")
local dialog_record = require("rules.dialog_record")

local function dialog(changes)
  local d = {
    h_entry = 1674, h_id = 159, state = 4, ["call-id"] = "c1",
    from_uri = "sip:101@demo.callpark", to_uri = "sip:+4420@127.0.0.1",
    caller = { tag = "ft", contact = "sip:101@127.0.0.11:5060", cseq = "3096", route_set = "" },
    callee = { tag = "tt", contact = "sip:t@127.0.0.50", cseq = "0", route_set = "<sip:beyond;lr>" },
    variables = {
      { parties = dialog_record.parties({ kind = "extension", aor = "101@demo.callpark", display = 'A "B"' },
        { kind = "trunk", display = "" }) },
      { sdp_a = "o=1\nm=audio 1 RTP/AVP 0" }, { held_a = "1700000000.25 udp:127.0.0.11:5060" }, { held_b = "-" },
    },
  }
  for name, value in pairs(changes or {}) do d[name] = value end
  return d
end

local function parse(result)
  return dialog_record.parse(cjson.encode({ jsonrpc = "2.0", id = 1, result = result }), "127.0.0.1", 5060)
end

describe("dialog_record.parse", function()
  it("reads the answer of dlg.dlg_list", function()
    local record = parse(dialog())[1]
    assert.equal("c1", record.call_id)
    assert.is_true(record.confirmed)
    assert.same({ since = 1700000000.25, device = "udp:127.0.0.11:5060" }, record.a.held)
    assert.is_nil(record.b.held)
    assert.equal(3096, record.a.cseq)
    assert.equal("trunk", record.b.kind)
    assert.equal("<sip:beyond;lr>", record.b.route_set)
  end)

  it("makes the Route that finds the record, its numbers in hex the wrong way round", function()
    assert.equal("<sip:127.0.0.1:5060;lr;ftag=ft;did=a86.f9>", parse(dialog())[1].route)
  end)

  it("T1 makes a Route that names the trunks, and a plain one for a call without", function()
    local function make_seal(call_id, tag, tenant, caller, callee)
      return (";%s %s %s %s %s"):format(call_id, tag, tenant, caller.aor, callee.trunk)
    end
    local function route(setup)
      local with_setup = dialog()
      table.insert(with_setup.variables, { setup = setup })
      local answer = cjson.encode({ result = with_setup })
      return dialog_record.parse(answer, "127.0.0.1", 5060, make_seal)[1].route
    end
    assert.equal("<sip:127.0.0.1:5060;lr;ftag=ft;did=a86.f9;c1 ft demo.callpark 101@demo.callpark carrier>",
      route('{"tenant":"demo.callpark","to_trunk":"carrier"}'))
    for _, setup in ipairs({ '{"tenant":"demo.callpark"}', '{"to_trunk":"carrier"}', "nil", "" }) do
      assert.equal("<sip:127.0.0.1:5060;lr;ftag=ft;did=a86.f9>", route(setup), setup)
    end
  end)

  it("T1 counts what the trunk has seen of a side's requests", function()
    local with_numbers = dialog()
    table.insert(with_numbers.variables, { numbers_a = "2 3095 3097 0 0" })
    local record = parse(with_numbers)[1]
    assert.same({ 3096, 3098, 0 }, { record.a.cseq, record.a.seen_cseq, record.b.seen_cseq })
    with_numbers.variables[#with_numbers.variables] = { numbers_a = "2 3097 3099 0 0" }
    assert.equal(3099, parse(with_numbers)[1].a.seen_cseq, "the module has not counted the INVITE")
  end)

  it("knows early and ended dialogs from confirmed ones", function()
    for state, confirmed in pairs({ false, false, true, true, false }) do
      assert.equal(confirmed, parse(dialog({ state = state }))[1].confirmed)
    end
  end)

  it("reads several dialogs of one Call-ID, and passes over what is not ours", function()
    assert.equal(2, #parse({ dialog(), dialog({ state = 5 }) }))
    assert.same({}, parse(dialog({ variables = {} })))
  end)

  it("F6 passes over a call that parkd has answered behind a ring group", function()
    local at_parkd = dialog()
    table.insert(at_parkd.variables, { is_at_parkd = "1" })
    assert.same({}, parse(at_parkd))
  end)

  it("has no Contact of a party of which the 2xx is being read", function()
    local callee = { tag = "tt", contact = cjson.null, cseq = "0", route_set = "" }
    assert.is_nil(parse(dialog({ callee = callee }))[1].b.contact)
  end)

  it("is empty for errors and nonsense", function()
    for _, answer in ipairs({ "", "{", "[]", "null", '{"error":{}}', '{"result":5}', '{"result":{}}' }) do
      assert.same({}, dialog_record.parse(answer, "127.0.0.1", 5060), answer)
    end
    assert.same({}, dialog_record.parse(nil, "127.0.0.1", 5060))
  end)
end)

describe("dialog_record.side_of", function()
  it("knows a side by its tag", function()
    local record = parse(dialog())[1]
    assert.equal("a", dialog_record.side_of(record, "ft"))
    assert.equal("b", dialog_record.side_of(record, "tt"))
    assert.is_nil(dialog_record.side_of(record, "x"))
    assert.equal("b", dialog_record.other("a"))
    assert.equal("a", dialog_record.other("b"))
  end)
end)

describe("dialog_record.parties", function()
  it("N6 fits its column with the longest names of two extensions, cut between characters", function()
    local name = "x" .. ("\208\150"):rep(63)
    local party = { kind = "extension", aor = ("9"):rep(20) .. "@demo.callpark", display = name }
    local parties = dialog_record.parties(party, party)
    assert.is_true(#parties < 512)
    assert.equal("x" .. ("\208\150"):rep(29), cjson.decode(parties).a.display)
  end)

  it("N6 has the party that withholds its identity", function()
    local record = parse(dialog({
      variables = { { parties = dialog_record.parties({ kind = "trunk", display = "Client", withheld = true },
        { kind = "extension", aor = "101@demo.callpark", display = "" }) } },
    }))[1]
    assert.is_true(record.a.withheld)
    assert.is_nil(record.b.withheld)
  end)

  it("is read back, also where it is nonsense", function()
    local parties = dialog_record.parse_parties(dialog_record.parties({ kind = "trunk" }, { kind = "extension" }))
    assert.same({ "trunk", "extension" }, { parties.a.kind, parties.b.kind })
    assert.same({ a = {}, b = {} }, dialog_record.parse_parties("{"))
    assert.same({ a = {}, b = {} }, dialog_record.parse_parties(nil))
  end)
end)
