-- Reads from the database what calls need to know of it, into the shared table `directory`: all of it at the start, and
-- whatever has another revision afterwards. One process does that; while the database is away, what was read counts.
local directory_query = require("rules.directory_query")
local directory_rows = require("rules.directory_rows")
local sql = require("kamailio.sql")

local directory_loader = {}

local kTable = "directory"

-- What this process has written: the text of each key, and the tenant that it belongs to. `revisions` are those of the
-- tenants, and `sum` is theirs.
local texts, owners, revisions, sum = nil, {}, {}, nil

local function write(key, text)
  texts[key] = text
  if text then KSR.htable.sht_sets(kTable, key, text) else KSR.htable.sht_rm(kTable, key) end
end

-- What another process has written: the first worker reads everything, before there is any other.
local function take_over()
  texts = {}
  KSR.htable.sht_iterator_start(kTable, kTable)
  while KSR.htable.sht_iterator_next(kTable) > 0 do
    local key = KSR.pv.get(("$shtitkey(%s)"):format(kTable))
    if key:find(" ", 1, true) then texts[key] = KSR.pv.get(("$shtitval(%s)"):format(kTable)) end
  end
  KSR.htable.sht_iterator_end(kTable)
  -- Whatever is not read again is no more.
  for key in pairs(texts) do owners[key] = "?" end
end

-- Calls `use` with each page of rows, of at most kRowsMax; false if the database does not answer.
local function pages(query_after, columns, use)
  local place = ""
  repeat
    local rows = sql.rows(query_after(place), columns)
    if not rows then return false end
    use(rows)
    place = rows[1] and rows[#rows][columns[1]]
  until #rows < directory_query.kRowsMax
  return true
end

-- The texts of a tenant as the database has them now; nil if it does not answer.
local function read(tenant)
  local entries = {}
  local is_all = tenant == directory_query.kAllTenants
  for _, kind in ipairs(is_all and directory_query.kKindsOfAllTenants or directory_query.kKinds) do
    local answered = pages(function(place) return directory_query.of(kind, tenant, place) end,
      directory_query.kColumns, function(rows) directory_rows.add(entries, kind, tenant, rows) end)
    if not answered then return nil end
  end
  return entries
end

-- Only what has changed is written. A number that has moved to another tenant is that tenant's.
local function replace(tenant, entries)
  for key, text in pairs(entries) do
    if texts[key] ~= text then write(key, text) end
    owners[key] = tenant
  end
  local gone = {}
  for key, owner in pairs(owners) do
    if owner == tenant and not entries[key] then gone[#gone + 1] = key end
  end
  for _, key in ipairs(gone) do
    owners[key] = nil
    write(key, nil)
  end
end

local function load(tenant, revision)
  local entries = read(tenant)
  if not entries then return false end
  replace(tenant, entries)
  revisions[tenant] = revision
  return true
end

local function load_changed()
  local changed = {}
  local answered = pages(directory_query.revisions, { "tenant", "revision" }, function(rows)
    for _, row in ipairs(rows) do
      if revisions[row.tenant] ~= row.revision then changed[#changed + 1] = row end
    end
  end)
  if not answered then return false end
  for _, row in ipairs(changed) do
    if not load(row.tenant, row.revision) then return false end
  end
  return true
end

--- Notes whether the database is away.
function directory_loader.set_away(is_away)
  if is_away then KSR.htable.sht_seti(kTable, "away", 1) else KSR.htable.sht_rm(kTable, "away") end
end

--- Reads what has another revision than the last time. False if the database does not answer.
function directory_loader.refresh()
  local row = sql.row(directory_query.kSum, { "sum" })
  if not row then return false end
  local now = tostring(row.sum)
  if now == sum then return true end
  local is_first = not texts
  if is_first then take_over() end
  if not load_changed() then return false end
  if is_first then replace("?", {}) end
  sum = now
  -- Written last: what belongs to it is there when it is read.
  KSR.htable.sht_sets(kTable, "sum", now)
  return true
end

return directory_loader
