-- Prints the queries by which Kamailio asks for what it remembers of a tenant, as JSON: kind -> query. Run from the top
-- of the tree: lua tests/lua/support/directory_queries.lua TENANT
package.path = "kamailio-cfg/lua/?.lua;tests/lua/?.lua;" .. package.path

local cjson = require("cjson")
local directory_query = require("rules.directory_query")

local queries = {}
for _, kind in ipairs(directory_query.kKinds) do queries[kind] = directory_query.of(kind, arg[1], "") end
print(cjson.encode(queries))
