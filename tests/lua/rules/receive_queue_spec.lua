local receive_queue = require("rules.receive_queue")

-- As Linux 6.1 prints it.
local kTable = [[
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  170: 0100007F:13C4 00000000:0000 07 00000000:00034080 00:00000000 00000000     0        0 255705 2 00000000b5bf1d25 9
  171: 0200007F:13C4 00000000:0000 07 00000000:00000900 00:00000000 00000000     0        0 255706 2 00000000b5bf1d26 0
  310: 0100007F:13C5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 254523 2 00000000984a3db2 0
]]

describe("receive_queue", function()
  local function at(address, port) return { address = address, port = port } end

  it("X46 reads what waits at an address and port", function()
    assert.equal(0x34080, receive_queue.longest(kTable, { at("127.0.0.1", 5060) }))
    assert.equal(0x900, receive_queue.longest(kTable, { at("127.0.0.2", 5060) }))
    assert.equal(0, receive_queue.longest(kTable, { at("127.0.0.1", 5061) }))
  end)

  it("reads the longest of several", function()
    assert.equal(0x34080, receive_queue.longest(kTable, { at("127.0.0.2", 5060), at("127.0.0.1", 5060) }))
  end)

  it("finds nothing where there is nothing", function()
    assert.equal(0, receive_queue.longest(kTable, { at("127.0.0.3", 5060), at("::1", 5060) }))
    assert.equal(0, receive_queue.longest("", { at("127.0.0.1", 5060) }))
  end)
end)
