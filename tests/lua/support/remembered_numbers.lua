-- Prints what Kamailio knows of the numbers of tests/data/dialled_numbers.json, as a JSON list with false for a number
-- that is none, from the rows of the database in a file: kind -> list of {place, key, value}. Run from the top of the
-- tree: lua tests/lua/support/remembered_numbers.lua FILE
package.path = "kamailio-cfg/lua/?.lua;tests/lua/?.lua;" .. package.path

local cjson = require("cjson")
local dialled_numbers = require("support.dialled_numbers")
local directory_rows = require("rules.directory_rows")

local table_of_cases = dialled_numbers.read()
local tenant = table_of_cases.plan.tenant

local file = assert(io.open(arg[1], "rb"))
local entries = {}
for kind, rows in pairs(cjson.decode(file:read("*a"))) do
  -- The client writes a tab within a column as \t.
  for i, row in ipairs(rows) do rows[i] = { key = row[2], value = row[3]:gsub("\\t", "\t") } end
  directory_rows.add(entries, kind, tenant, rows)
end
file:close()

local answers = {}
for i, case in ipairs(table_of_cases.cases) do
  local dialled = dialled_numbers.dialled(case.uri)
  local row = dialled and directory_rows.number(function(key) return entries[key] end, tenant, dialled)
  answers[i] = row
    and { number = row.number, kind = row.kind, action = row.action, enabled = row.enabled == 1 } or false
end
print(cjson.encode(answers))
