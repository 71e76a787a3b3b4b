-- How Kamailio asks the database. Literals are made by rules/sql_text.lua.
local sql = {}

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
