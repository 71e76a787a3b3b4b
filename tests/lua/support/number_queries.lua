-- Prints the queries by which Kamailio asks for the numbers of tests/data/dialled_numbers.json, as a JSON list with
-- false for a number of which it does not ask. Run from the top of the tree: lua tests/lua/support/number_queries.lua
package.path = "kamailio-cfg/lua/?.lua;tests/lua/?.lua;" .. package.path

local cjson = require("cjson")
local dialled_numbers = require("support.dialled_numbers")
local number_query = require("rules.number_query")

local table_of_cases = dialled_numbers.read()
local queries = {}
for i, case in ipairs(table_of_cases.cases) do
  local dialled = dialled_numbers.dialled(case.uri)
  queries[i] = dialled and number_query.of(table_of_cases.plan.tenant, dialled) or false
end
print(cjson.encode(queries))
