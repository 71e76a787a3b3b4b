-- How Kamailio asks the database: no text of a message enters a statement unchecked.
local sql = {}

--- A text of harmless characters, between quotes; nil for any other.
function sql.quoted(text)
  -- Callers pass only harmless texts; this is the second wall.
  if text == "" or #text > 255 or text:find("[^%w*#+._:-]") then return nil end
  return "'" .. text .. "'"
end

local function hex(text)
  return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

--- Any text, as a literal to be compared with a column of text.
function sql.literal(text) return "_latin1 X'" .. hex(text) .. "'" end

--- Any bytes, as a literal to be stored in a column of bytes.
function sql.bytes(text) return "X'" .. hex(text) .. "'" end

--- The rows, each a table with these names; nil if the database does not answer.
function sql.rows(query, columns)
  if KSR.sqlops.sql_query("callpark", query, "r") < 0 then return nil end
  local rows = {}
  for i = 1, KSR.sqlops.sql_num_rows("r") do
    rows[i] = {}
    for j, name in ipairs(columns) do rows[i][name] = KSR.sqlops.sql_result_get("r", i - 1, j - 1) end
  end
  KSR.sqlops.sql_result_free("r")
  return rows
end

--- The first row, false if there is none, nil if the database does not answer.
function sql.row(query, columns)
  local rows = sql.rows(query, columns)
  if not rows then return nil end
  return rows[1] or false
end

--- Whether a statement without rows was carried out.
function sql.done(statement)
  if KSR.sqlops.sql_query("callpark", statement, "w") < 0 then return false end
  KSR.sqlops.sql_result_free("w")
  return true
end

return sql
