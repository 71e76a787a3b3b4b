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
  local kind = line:sub(1, 2)
  if kind == "o=" or kind == "c=" or kind == "m=" then return 1 end
  if kind ~= "a=" then return nil end
  local attribute = line:match("^a=([%w-]+)")
  if directions[attribute] then return 1 end
  if attribute ~= "rtpmap" or not in_audio then return nil end
  return line:lower():match("^a=rtpmap:%d+ +telephone%-event/") and 2 or 3
end

-- The lines with a rank, and their ranks.
local function ranked_lines(body)
  -- It may be one part of a multipart body: it begins with v= and ends before the next boundary.
  local from = body:match("^()v=0") or body:match("\n()v=0\r?\n")
  local lines, ranks, in_audio = {}, {}, false
  if not from then return lines, ranks end
  for line in body:sub(from):gmatch("[^\r\n]+") do
    if line:sub(1, 2) == "--" then break end
    if line:sub(1, 2) == "m=" then in_audio = line:match("^m=audio ") ~= nil end
    local its_rank = rank(line, in_audio)
    if its_rank then lines[#lines + 1], ranks[#ranks + 1] = line, its_rank end
  end
  return lines, ranks
end

local function size_of(lines)
  local size = 0
  for _, line in ipairs(lines) do size = size + #line + 1 end
  return size
end

-- Without the lines that find no room. nil if there is not even room for those that must stay.
local function shortened(lines, ranks)
  local room, fits = kBytesMax, {}
  local must_stay = 1
  for _, wanted in ipairs({ must_stay, 2, 3 }) do
    for i, line in ipairs(lines) do
      if ranks[i] == wanted then
        fits[i] = #line + 1 <= room
        if not fits[i] and wanted == must_stay then return nil end
        if fits[i] then room = room - #line - 1 end
      end
    end
  end
  local kept = {}
  for i, line in ipairs(lines) do
    if fits[i] then kept[#kept + 1] = line end
  end
  return kept
end

--- The digest of a body, lines joined by \n; nil if it has no session description. "" if there is no room for all lines
--- that must stay: RFC 3264 8 wants as many m= lines in each later offer, so a part of them is worse than none.
function sdp_digest.make(body)
  if not body or body == "" then return nil end
  local lines, ranks = ranked_lines(body)
  local kept = size_of(lines) <= kBytesMax and lines or shortened(lines, ranks)
  if not kept then return "" end
  if not kept[1] or kept[1]:sub(1, 2) ~= "o=" then return nil end
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
