-- IP addresses as text: one address has several spellings. Pure.
local address = {}

-- Kamailio reads 010.0.0.5 as 10.0.0.5.
local function ipv4(text)
  local groups = { text:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$") }
  if #groups ~= 4 then return nil end
  for i, group in ipairs(groups) do
    groups[i] = tonumber(group)
    if groups[i] > 255 then return nil end
  end
  return groups
end

-- The numbers between colons; an IPv4 address at the end is two of them.
local function groups_of(text)
  local list = {}
  local before, tail = text:match("^(.-)([%d.]*%.[%d.]*)$")
  if tail then
    local last = ipv4(tail)
    if not last then return nil end
    text = ("%s%x:%x"):format(before, last[1] * 256 + last[2], last[3] * 256 + last[4])
  end
  for group in (text == "" and "" or text .. ":"):gmatch("([^:]*):") do
    if not group:match("^%x%x?%x?%x?$") then return nil end
    list[#list + 1] = tonumber(group, 16)
  end
  return list
end

local kGroups = 8

local function ipv6(text)
  local head, tail = text:match("^(.-)::(.*)$")
  local list = groups_of(head or text)
  if not list then return nil end
  if head then
    local after = groups_of(tail)
    if not after or #list + #after >= kGroups then return nil end
    for _ = 1, kGroups - #list - #after do list[#list + 1] = 0 end
    for _, group in ipairs(after) do list[#list + 1] = group end
  end
  return #list == kGroups and list or nil
end

local function dotted(high, low)
  return ("%d.%d.%d.%d"):format(math.floor(high / 256), high % 256, math.floor(low / 256), low % 256)
end

-- RFC 4291 2.5.5.2.
local function is_mapped(groups)
  for i = 1, 5 do
    if groups[i] ~= 0 then return false end
  end
  return groups[6] == 0xffff
end

--- The one spelling of the address `host`, without brackets; nil for a name.
function address.canonical(host)
  local v4 = ipv4(host)
  if v4 then return table.concat(v4, ".") end
  if not host:find(":", 1, true) then return nil end
  local v6 = ipv6(host:match("^%[(.*)%]$") or host)
  if not v6 then return nil end
  if is_mapped(v6) then return dotted(v6[7], v6[8]) end
  for i, group in ipairs(v6) do v6[i] = ("%x"):format(group) end
  return table.concat(v6, ":")
end

--- Whether a message to a canonical address stays on the machine that sends it; one to 0.0.0.0 does too.
function address.is_loopback(ip)
  return ip:match("^127%.") ~= nil or ip:match("^0%.") ~= nil or ip == "0:0:0:0:0:0:0:1" or ip == "0:0:0:0:0:0:0:0"
end

--- Whether a canonical address is none of one host: multicast, broadcast, unspecified, and what no host may have (RFC
--- 5771, RFC 6890, RFC 4291 2.5.2 and 2.7).
function address.is_of_no_host(ip)
  local first = tonumber(ip:match("^(%d+)%."))
  if first then return first == 0 or first >= 224 end
  return ip:match("^ff%x%x:") ~= nil or ip == "0:0:0:0:0:0:0:0"
end

return address
