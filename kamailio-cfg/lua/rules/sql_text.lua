-- Texts as literals of SQL: no text of a message enters a statement unchecked. Pure.
local sql_text = {}

--- A text of harmless characters, between quotes; nil for any other.
function sql_text.quoted(text)
  -- Callers pass only harmless texts; this is the second wall.
  if text == "" or #text > 255 or text:find("[^%w*#+._:-]") then return nil end
  return "'" .. text .. "'"
end

-- Of each byte. A row of a call has thousands of them.
local digits = {}
for byte = 0, 255 do digits[string.char(byte)] = ("%02x"):format(byte) end

local function hex(text) return (text:gsub(".", digits)) end

--- Any text, as a literal to be compared with a column of text.
function sql_text.literal(text) return "_latin1 X'" .. hex(text) .. "'" end

--- Any bytes, as a literal to be stored in a column of bytes.
function sql_text.bytes(text) return "X'" .. hex(text) .. "'" end

return sql_text
