-- Texts of the network as the database and JSON accept them: UTF-8 without control characters, no longer than a column
-- has room for. Pure.
local sip_text = require("rules.sip_text")

local utf8_text = {}

-- RFC 3629 4: the characters of more than one byte, without overlong ones, surrogates and what is beyond U+10FFFF.
local kCharacters = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]", "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

-- U+FFFD.
local kReplacement = "\239\191\189"

-- Where the character that begins at `start` ends; nil if none does.
local function character_end(text, start)
  for _, character in ipairs(kCharacters) do
    local _, stop = text:find(character, start)
    if stop then return stop end
  end
  return nil
end

local function with_replacements(text)
  local pieces, at = {}, 1
  while true do
    local start = text:find("[\128-\255]", at)
    if not start then break end
    local stop = character_end(text, start)
    pieces[#pieces + 1] = text:sub(at, start - 1)
    pieces[#pieces + 1] = stop and text:sub(start, stop) or kReplacement
    at = (stop or start) + 1
  end
  pieces[#pieces + 1] = text:sub(at)
  return table.concat(pieces)
end

--- At most `bytes_max` bytes of `text`: a control character becomes a blank, and a byte that is not UTF-8 becomes
--- U+FFFD.
function utf8_text.cleaned(text, bytes_max)
  -- Nearly every text.
  if #text <= bytes_max and not text:find("[^\32-\126]") then return text end
  local mended = with_replacements((sip_text.shortened(text, bytes_max):gsub("%c", " ")))
  return sip_text.shortened(mended, bytes_max)
end

return utf8_text
