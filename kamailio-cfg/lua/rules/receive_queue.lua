-- How much waits in the receive queues of Kamailio's sockets. Pure.
local receive_queue = {}

--- Some 28 requests, of which each has some 2.3 kB of a receive buffer whatever its size: they are answered within a
--- tenth of a second. Linux gives a socket 208 KiB by default (net.core.rmem_default) and Kamailio makes that more;
--- what does not fit is lost, and repeated.
receive_queue.kLongBytes = 64 * 1024

-- As /proc/net/udp has it: "0100007F:13C4" for 127.0.0.1:5060 on a little-endian machine.
local function in_hex(address, port)
  local a, b, c, d = address:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  return a and ("%02X%02X%02X%02X:%04X"):format(d, c, b, a, port)
end

--- The most bytes that wait at one of `sockets`, each {address, port}; `table_of_udp` is the content of /proc/net/udp.
function receive_queue.longest(table_of_udp, sockets)
  local most = 0
  for _, socket in ipairs(sockets) do
    local place = in_hex(socket.address, socket.port)
    for bytes in table_of_udp:gmatch((place or "-") .. " %x+:%x+ %x+ %x+:(%x+)") do
      most = math.max(most, tonumber(bytes, 16))
    end
  end
  return most
end

return receive_queue
