-- Lua 5.1 is what Kamailio runs; KSR is its door to Kamailio, and it calls the functions named ksr_ by name.
std = "lua51"
max_line_length = 120
exclude_files = { "build" }
files["kamailio-cfg"] = { globals = { "KSR" }, allow_defined_top = true, ignore = { "131/ksr_.*" } }
files["tests/lua"] = { std = "+busted", globals = { "KSR" } }
