-- A session description cut down to what parkd needs in a side's place in its dialog: the o= line that it continues,
-- the media lines, the codecs, and the direction. Small enough for a dialog variable. Pure.
local sdp_digest = {}

-- A row of a call has room for two of 4096 bytes. A digest travels with a second one in one header.
local kBytesMax = 4096

local directions = { sendrecv = true, sendonly = true, recvonly = true, inactive = true }

--- Instead of a digest that is too long: parkd parks no such call.
sdp_digest.kTooLong = "-"

-- 1 for a line without which there is no digest, 2 and 3 for one that may be left out if there is no room, nil for the
-- rest. The digits of the parked caller are lost without telephone-event.
local function rank(line, in_audio)
  if line:match("^[ocm]=") then return 1 end
  local attribute = line:match("^a=([%w-]+)")
  if directions[attribute] then return 1 end
  if attribute ~= "rtpmap" or not in_audio then return nil end
  return line:lower():match("^a=rtpmap:%d+ +telephone%-event/") and 2 or 3
end

local function session_lines(body)
  -- It may be one part of a multipart body: it begins with v= and ends before the next boundary.
  local from = body:match("^()v=0") or body:match("\n()v=0\r?\n")
  local lines, in_audio = {}, false
  if not from then return lines end
  for line in body:sub(from):gmatch("[^\r\n]+") do
    if line:match("^%-%-") then break end
    if line:match("^m=") then in_audio = line:match("^m=audio ") ~= nil end
    lines[#lines + 1] = { text = line, rank = rank(line, in_audio) }
  end
  return lines
end

--- The digest of a body, lines joined by \n; nil if it has no session description. "" if there is no room for all lines
--- that must stay: RFC 3264 8 wants as many m= lines in each later offer, so a part of them is worse than none.
function sdp_digest.make(body)
  if not body then return nil end
  local lines = session_lines(body)
  local room, fits = kBytesMax, {}
  local must_stay, has_room = 1, true
  for _, wanted in ipairs({ must_stay, 2, 3 }) do
    for i, line in ipairs(lines) do
      if line.rank == wanted then
        fits[i] = #line.text + 1 <= room
        if fits[i] then room = room - #line.text - 1 end
        has_room = has_room and (fits[i] or wanted ~= must_stay)
      end
    end
  end
  if not has_room then return "" end
  local kept = {}
  for i, line in ipairs(lines) do
    if fits[i] then kept[#kept + 1] = line.text end
  end
  if not kept[1] or not kept[1]:match("^o=") then return nil end
  return table.concat(kept, "\n")
end

-- 0.0.0.0 and ::, in any spelling.
local function is_no_address(address) return address:match("[.:]") ~= nil and address:match("^[0.:]+$") ~= nil end

-- The direction of these lines, and whether they have no address; unchanged if the lines do not mention it.
local function said_in(lines, said)
  for _, line in ipairs(lines) do
    local named = line:match("^a=(%w+)%s*$")
    said.direction = directions[named] and named or said.direction
    local address = line:match("^c=IN IP[46] ([%x.:]+)")
    if address then said.zero = is_no_address(address) end
  end
  return said
end

-- The lines of the session, and those of its audio stream: the first that has a port, else the first. A phone that had
-- offered one stream with SRTP and one without keeps the refused one, without a port. nil without audio.
local function session_and_audio(digest)
  local session, audio, is_in_use = {}, nil, false
  local part = session
  for line in digest:gmatch("[^\n]+") do
    local media, port = line:match("^m=(%w+) (%d*)")
    if media then
      part = {}
      local has_port = port ~= "0"
      if media == "audio" and (not audio or has_port and not is_in_use) then audio, is_in_use = part, has_port end
    end
    part[#part + 1] = line
  end
  return session, audio
end

--- Direction of the audio stream as its sender means it; RFC 2543's c=0.0.0.0 counts as hold, and so does ::. nil
--- without audio.
function sdp_digest.direction(digest)
  local session, audio = session_and_audio(digest)
  if not audio then return nil end
  local said = said_in(audio, said_in(session, { direction = "sendrecv", zero = false }))
  if said.direction == "sendrecv" and said.zero then return "sendonly" end
  if said.direction == "recvonly" and said.zero then return "inactive" end
  return said.direction
end

return sdp_digest
