-- Lua 5.1 is what Kamailio runs; KSR is its door to Kamailio, and it calls the functions named ksr_ by name.
std = "lua51"
max_line_length = 120
exclude_files = { "build" }

-- What Kamailio says (RPC app_lua.api_list) with the modules of kamailio.cfg: a function that is not there is a warning.
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
read_globals = { KSR = { fields = fields } }

files["kamailio-cfg"] = { allow_defined_top = true, ignore = { "131/ksr_.*" } }
files["tests/lua"] = { std = "+busted", globals = { "KSR" } }
