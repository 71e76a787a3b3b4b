local cjson = require("cjson")
local protocol = require("rules.protocol")

local kData = "tests/data/kamailio_protocol/"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return cjson.decode(text)
end

local function golden_files()
  local list = {}
  local listing = assert(io.popen("ls " .. kData .. "dialogs/*.json"))
  for path in listing:lines() do list[#list + 1] = path end
  listing:close()
  return list
end

-- Each string with one byte for each of its characters, up to U+00FF.
local function latin1(value)
  if type(value) == "string" then
    return (value:gsub("([\194\195])([\128-\191])", function(lead, byte)
      return string.char(byte:byte() + (lead == "\195" and 64 or 0))
    end))
  end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, one in pairs(value) do copy[key] = latin1(one) end
  return copy
end

describe("the header names", function()
  local headers = read(kData .. "headers.json")

  it("are those that parkd has", function()
    local agreed, own = {}, {}
    for _, header in ipairs(headers) do
      if header.direction ~= "phone_to_parkd" then agreed[header.constant] = header.name end
    end
    for constant, value in pairs(protocol) do
      if type(value) == "string" and value:find(protocol.kPrefix, 1, true) == 1 then own[constant] = value end
    end
    own.kPrefix = nil
    assert.same(agreed, own)
  end)

  it("have the agreed values", function()
    for _, header in ipairs(headers) do
      for constant, value in pairs(header.values or {}) do assert.equal(value, protocol[constant]) end
    end
  end)
end)

describe("the dialog record on the wire", function()
  local files = golden_files()

  it("has golden files", function() assert.is_true(#files >= 10) end)

  for _, path in ipairs(files) do
    local golden = read(path)
    if golden.bytes then golden = latin1(golden) end

    it("is as agreed: " .. path:match("([^/]+)%.json$"), function()
      assert.equal(golden.line, protocol.encode_dialog(golden.record, golden.parker))
    end)

    it("is one line: " .. path:match("([^/]+)%.json$"), function() assert.is_nil(golden.line:find("%c")) end)
  end
end)

describe("the question about a call on the wire", function()
  for _, golden in ipairs(read(kData .. "questions.json")) do
    it("is as agreed: " .. golden.what, function()
      assert.equal(golden.line, protocol.encode_question(golden.call))
    end)
  end
end)

describe("the headers of a request to parkd", function()
  it("name its extension and its device", function()
    assert.same({ { "X-Callpark-Tenant", "t" }, { "X-Callpark-User", "101" }, { "X-Callpark-Device", "udp:1" } },
      protocol.sender_headers({ tenant = "t", user = "101" }, "udp:1"))
  end)

  it("name its trunk instead", function()
    local headers = protocol.sender_headers({ tenant = "t", trunk = "site-b" }, "udp:1")
    assert.same({ "X-Callpark-Trunk", "site-b" }, headers[2])
  end)

  it("B4 F6 have the number that was dialled", function()
    local headers = protocol.feature_headers({ tenant = "t", user = "101", dialled = "+4930" }, "udp:1")
    assert.same({ "X-Callpark-Dialled", "+4930" }, headers[4])
  end)

  it("have a name without quotes, and the dialog that is to be parked", function()
    local golden = read(kData .. "dialogs/caller_parks.json")
    local headers = protocol.feature_headers({ tenant = "t", user = "101", name = '"Al"',
      dialog = { record = golden.record, side = "a" } }, "udp:1")
    assert.same({ "X-Callpark-Name", "Al" }, headers[4])
    assert.same({ "X-Callpark-Dialog", golden.line }, headers[5])
  end)
end)

describe("the party that answers parkd's call", function()
  it("is that of the called Contact, or the member of the ring group", function()
    assert.equal("102", protocol.answerer("102@demo.callpark", nil))
    assert.equal("103", protocol.answerer(nil, { kind = "extension", aor = "103@demo.callpark" }))
    assert.equal("+4930", protocol.answerer(nil, { kind = "trunk", outside = "+4930" }), "of B4")
    assert.is_nil(protocol.answerer(nil, { kind = "trunk", outside = "7f3a-office" }), "of an unknown Contact")
    assert.is_nil(protocol.answerer(nil, { kind = "trunk" }))
    assert.is_nil(protocol.answerer(nil, nil))
  end)
end)
