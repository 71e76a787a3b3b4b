-- What the including configuration file has defined. Read at the first use: Kamailio does not answer while it loads
-- this file.
local function defined(name)
  local value = KSR.kx.get_def(name)
  if not value or value == "" then error(name .. " is not defined: see kamailio-cfg/README.md") end
  return value
end

-- What only this installation knows, on each of its nodes. Without a define of its own the database's URL is a secret:
-- it has a password.
local function secret()
  local own = KSR.kx.get_def("CALLPARK_SECRET")
  return own and own ~= "" and own or defined("CALLPARK_DB_URL")
end

-- RFC 3261 17.1.2.2: 64*T1, for which a request without an answer is repeated.
local kNotifySeconds = 32

local function limit(name, default) return tonumber(KSR.kx.get_def(name)) or default end

-- Where phones and trunks see Kamailio.
local function advertised_address()
  local other = KSR.kx.get_def("CALLPARK_ADVERTISED_ADDRESS")
  return other and other ~= "" and other or defined("CALLPARK_ADDRESS")
end

-- A file that defines no CALLPARK_STATE_DIR has everything in one directory.
local function state_dir()
  local own = KSR.kx.get_def("CALLPARK_STATE_DIR")
  return own and own ~= "" and own or defined("CALLPARK_RUN_DIR")
end

local function read()
  local s = {
    address = defined("CALLPARK_ADDRESS"),
    advertised_address = advertised_address(),
    port = tonumber(defined("CALLPARK_PORT")),
    inside_address = defined("CALLPARK_INSIDE_ADDRESS"),
    inside_port = tonumber(defined("CALLPARK_INSIDE_PORT")),
    parkd_address = defined("CALLPARK_PARKD_ADDRESS"),
    parkd_port = tonumber(defined("CALLPARK_PARKD_PORT")),
    secret = secret(),
    state_dir = state_dir(),
    notify_ms = (tonumber(KSR.kx.get_def("CALLPARK_NOTIFY_SECONDS")) or kNotifySeconds) * 1000,
    subscriptions_of_extension_max = limit("CALLPARK_SUBSCRIPTIONS_OF_EXTENSION", 500),
    subscriptions_of_tenant_max = limit("CALLPARK_SUBSCRIPTIONS_OF_TENANT", 10000),
    calls_of_extension_max = limit("CALLPARK_CALLS_OF_EXTENSION", 50),
    calls_of_tenant_max = limit("CALLPARK_CALLS_OF_TENANT", 1000),
    flood_control = not KSR.kx.ifdef("WITHOUT_FLOOD_CONTROL"),
  }
  s.outside_socket = ("udp:%s:%d"):format(s.address, s.port)
  s.inside_socket = ("udp:%s:%d"):format(s.inside_address, s.inside_port)
  s.parkd_sent_by = ("%s:%d"):format(s.parkd_address, s.parkd_port)
  s.parkd_uri = ("sip:%s:%d"):format(s.parkd_address, s.parkd_port)
  return s
end

return setmetatable({}, {
  __index = function(settings, name)
    setmetatable(settings, nil)
    for key, value in pairs(read()) do settings[key] = value end
    return settings[name]
  end,
})
