local sdp_digest = require("rules.sdp_digest")

local function body(lines) return table.concat(lines, "\r\n") .. "\r\n" end

local plain = body({
  "v=0", "o=- 1 2 IN IP4 127.0.0.11", "s=-", "c=IN IP4 127.0.0.11", "t=0 0", "m=audio 4000 RTP/AVP 0 101",
  "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendonly",
})

describe("sdp_digest.make", function()
  it("keeps o=, c=, m=, the codecs of audio and the direction", function()
    assert.equal("o=- 1 2 IN IP4 127.0.0.11\nc=IN IP4 127.0.0.11\nm=audio 4000 RTP/AVP 0 101\n"
      .. "a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=sendonly", sdp_digest.make(plain))
  end)

  it("keeps a video line without its codecs", function()
    local digest = sdp_digest.make(plain .. "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n")
    assert.is_truthy(digest:find("\nm=video 5000 RTP/AVP 96$"))
  end)

  it("finds the session in a multipart body", function()
    local multipart = "--b\r\nContent-Type: application/sdp\r\n\r\n" .. plain
      .. "--b\r\nContent-Type: x\r\n\r\nc=no\r\n--b--\r\n"
    assert.equal(sdp_digest.make(plain), sdp_digest.make(multipart))
  end)

  it("is nil without a session description", function()
    for _, text in ipairs({ "", "SIP/2.0 200 OK", "v=1\r\no=x\r\n", "v=0\r\nm=audio 1 RTP/AVP 0\r\n", "v=0" }) do
      assert.is_nil(sdp_digest.make(text), text)
    end
    assert.is_nil(sdp_digest.make(nil))
  end)

  it("X10: never grows beyond 4096 bytes, and drops codecs rather than lines that are needed", function()
    local lines = { "v=0", "o=- 1 2 IN IP4 127.0.0.11", "c=IN IP4 127.0.0.11", "m=audio 4000 RTP/AVP 0" }
    for i = 0, 200 do
      lines[#lines + 1] = ("a=rtpmap:%d CODEC-%d/8000"):format(i, i)
      local digest = sdp_digest.make(body(lines)
        .. "a=rtpmap:101 Telephone-Event/8000\r\na=inactive\r\nm=video 0 RTP/AVP 99\r\n")
      assert.is_true(#digest <= 4096)
      assert.is_truthy(digest:find("a=rtpmap:101 Telephone-Event/8000\na=inactive\nm=video 0 RTP/AVP 99", 1, true))
    end
    assert.is_truthy(sdp_digest.make(body(lines)):find("a=rtpmap:0 CODEC", 1, true))
  end)

  it("X10: keeps every media line of a room with its own c= and direction, and all codecs of a phone", function()
    local lines = { "v=0", "o=room 7001 7001 IN IP4 192.0.2.21", "s=-", "c=IN IP4 192.0.2.21", "t=0 0" }
    for i = 1, 30 do
      lines[#lines + 1] = ("m=video %d RTP/AVP 97 98 99 100 101 102 103 104 105"):format(40000 + 2 * i)
      lines[#lines + 1] = "c=IN IP4 192.0.2.21"
      lines[#lines + 1] = "a=sendrecv"
    end
    local _, media_lines = sdp_digest.make(body(lines)):gsub("\nm=", "")
    assert.equal(30, media_lines)
    lines = { "v=0", "o=- 1 2 IN IP4 127.0.0.11", "m=audio 4000 RTP/AVP 0 101" }
    for i = 96, 127 do lines[#lines + 1] = ("a=rtpmap:%d A-LONG-CODEC-NAME-%d/48000/2"):format(i, i) end
    local _, codecs = sdp_digest.make(body(lines)):gsub("a=rtpmap", "")
    assert.equal(32, codecs)
  end)

  it("X10: is empty, and not a part, if its lines have no room", function()
    assert.equal("", sdp_digest.make(body({ "v=0", "o=short", "m=" .. ("x"):rep(4100) })))
    assert.is_nil(sdp_digest.direction(""))
  end)
end)

describe("sdp_digest.direction", function()
  local function direction(...) return sdp_digest.direction("o=x\n" .. table.concat({ ... }, "\n")) end

  it("is sendrecv by default", function()
    assert.equal("sendrecv", direction("c=IN IP4 1.2.3.4", "m=audio 1 RTP/AVP 0"))
    for _, named in ipairs({ "sendrecv", "sendonly", "recvonly", "inactive" }) do
      assert.equal(named, direction("m=audio 1 RTP/AVP 0", "a=" .. named))
      assert.equal(named, direction("a=" .. named, "m=audio 1 RTP/AVP 0"))
    end
  end)

  it("is that of the first audio stream", function()
    assert.equal("sendrecv", direction("m=audio 1 RTP/AVP 0", "m=video 1 RTP/AVP 9", "a=inactive"))
    assert.equal("inactive", direction("m=video 1 RTP/AVP 9", "a=sendrecv", "m=audio 1 RTP/AVP 0", "a=inactive"))
    assert.equal("sendrecv", direction("m=audio 1 RTP/AVP 0", "a=sendrecv", "m=audio 1 RTP/AVP 0", "a=inactive"))
  end)

  -- A Polycom VVX, a snom and pjsip offer SRTP as a choice by a second stream; pjsip calls a refused one inactive.
  it("is that of the audio stream in use, when another was refused", function()
    local refused, used = "m=audio 0 RTP/SAVP 0", "m=audio 1 RTP/AVP 0"
    assert.equal("sendonly", direction(refused, used, "a=sendonly"))
    assert.equal("sendrecv", direction(refused, "a=inactive", used, "a=sendrecv"))
    assert.equal("sendonly", direction("m=audio 1 RTP/SAVP 0", "a=sendonly", "m=audio 0 RTP/AVP 0"))
    assert.equal("inactive", direction(refused, "a=inactive"))
  end)

  it("reads the address 0.0.0.0 as hold", function()
    assert.equal("sendonly", direction("c=IN IP4 0.0.0.0", "m=audio 1 RTP/AVP 0"))
    assert.equal("sendonly", direction("c=IN IP4 1.2.3.4", "m=audio 1 RTP/AVP 0", "c=IN IP4 0.0.0.0"))
    assert.equal("inactive", direction("c=IN IP4 0.0.0.0", "m=audio 1 RTP/AVP 0", "a=recvonly"))
    assert.equal("sendrecv", direction("c=IN IP4 0.0.0.0", "m=audio 1 RTP/AVP 0", "c=IN IP4 1.2.3.4"))
  end)

  it("X9: reads no address, in any spelling of both families, as hold", function()
    for _, address in ipairs({ "IP4 0.0.0.0", "IP6 ::", "IP6 0:0:0:0:0:0:0:0", "IP6 ::0", "IP6 0::0",
      "IP6 0000:0000:0000:0000:0000:0000:0000:0000" }) do
      assert.equal("sendonly", direction("c=IN " .. address, "m=audio 1 RTP/AVP 0"), address)
      assert.equal("sendonly", direction("c=IN IP4 1.2.3.4", "m=audio 1 RTP/AVP 0", "c=IN " .. address), address)
      assert.equal("sendrecv", direction("c=IN " .. address, "m=audio 1 RTP/AVP 0", "c=IN IP6 2001:db8::1"), address)
    end
    for _, address in ipairs({ "IP4 10.0.0.0", "IP6 ::1", "IP6 2001:db8::", "IP6 fe80::" }) do
      assert.equal("sendrecv", direction("c=IN " .. address, "m=audio 1 RTP/AVP 0"), address)
    end
  end)

  it("is nil without audio", function()
    assert.is_nil(direction("m=video 1 RTP/AVP 9", "a=sendonly"))
    assert.is_nil(direction("c=IN IP4 1.2.3.4"))
  end)
end)
