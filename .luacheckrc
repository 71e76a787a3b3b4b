-- For kamailio-cfg and tests/lua; luacheck is run from here.
std = "lua51"
max_line_length = 120

-- What app_lua.api_list says for the modules that kamailio.cfg loads: a function that is not there is an error here.
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

files["kamailio-cfg/kamailio.lua"] = {
  globals = {
    "ksr_request_route", "ksr_reply_route", "ksr_onreply_call", "ksr_onreply_feature", "ksr_failure_feature",
    "ksr_core_event", "ksr_dispatcher_event",
  },
}
files["tests/lua"] = { std = "+busted" }
