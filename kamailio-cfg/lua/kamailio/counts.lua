-- What was refused or left out, as statistics: RPC `stats.get_statistics` ["script:"] shows them. Each name is a
-- `variable` of the module statistics in kamailio.cfg.
local counts = {}

function counts.add(name) KSR.statistics.update_stat(name, 1) end

return counts
