-- Lua 5.1 is what Kamailio runs; KSR is its door to Kamailio, which only kamailio.lua and lua/kamailio/ open. What they
-- decide is in lua/rules/, which has neither KSR nor any other way out (tools/lints.sh tests that).
std = "lua51"
max_line_length = 120
exclude_files = { "build" }

-- What Kamailio offers (RPC app_lua.api_list) with the modules of kamailio.cfg: an unknown function is a warning.
local fields = {}
for line in io.lines("kamailio-cfg/ksr_functions.txt") do
  local module, name = line:match("^([%w_]+)%.([%w_]+)$")
  if module then
    fields[module] = fields[module] or { fields = {} }
    fields[module].fields[name] = {}
  else
    fields[line] = {}
  end
end
local ksr = { KSR = { fields = fields } }

-- Kamailio calls the functions named ksr_ by name.
files["kamailio-cfg/kamailio.lua"] = { read_globals = ksr, allow_defined_top = true, ignore = { "131/ksr_.*" } }
files["kamailio-cfg/lua/kamailio"] = { read_globals = ksr }
files["kamailio-cfg/lua/rules"] =
  { not_globals = { "collectgarbage", "debug", "dofile", "io", "load", "loadfile", "loadstring", "math.random",
    "os", "package", "print" } }
files["tests/lua"] = { std = "+busted" }
