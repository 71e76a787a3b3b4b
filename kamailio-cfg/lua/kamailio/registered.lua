-- The registered Contacts, as Kamailio's registrar has them in memory, and the extension of a Contact.
local registrations = require("rules.registrations")
local sip_text = require("rules.sip_text")
local sql = require("kamailio.sql")

local registered = {}

local kRowsMax = 500

--- What has not expired of an address of record: a list of {contact, received, user_agent, modified, ruid}.
function registered.contacts(aor)
  local list = {}
  if KSR.registrar.reg_fetch_contacts("location", aor, "known") < 0 then return list end
  local now = KSR.pv.get("$Ts")
  for i = 0, KSR.pv.get("$ulc(known=>count)") - 1 do
    local function get(attribute) return KSR.pv.get(("$(ulc(known=>%s)[%d])"):format(attribute, i)) end
    if get("expires") > now then
      list[#list + 1] = { contact = get("addr"), received = get("received") or "", user_agent = get("user_agent"),
        modified = get("modified"), ruid = get("ruid") }
    end
  end
  KSR.registrar.reg_free_contacts("known")
  return list
end

-- That an extension has registered a Contact; whether it still has is looked up in the registrar.
local function note(tenant, extension, contact)
  local key = registrations.key(tenant, contact)
  if not key then return end
  KSR.htable.sht_lock("contacts", key)
  KSR.htable.sht_sets("contacts", key, registrations.with_owner(KSR.htable.sht_get("contacts", key), extension))
  KSR.htable.sht_unlock("contacts", key)
end

--- An extension has sent a REGISTER that was accepted.
function registered.changed(tenant, extension)
  for _, one in ipairs(registered.contacts(sip_text.uri(extension, tenant))) do note(tenant, extension, one.contact) end
end

--- The same for all that Kamailio has read from the database at its start.
function registered.restore()
  local id = 0
  repeat
    local query = "SELECT id, username, domain, contact FROM location WHERE id > %d ORDER BY id LIMIT %d"
    local rows = sql.rows(query:format(id, kRowsMax), { "id", "username", "domain", "contact" }) or {}
    for _, row in ipairs(rows) do
      note(row.domain, row.username, row.contact)
      id = row.id
    end
  until #rows < kRowsMax
end

--- The extension of a tenant that has registered just this address: {number, contact, received}; `received` is
--- where a phone behind NAT is reached, "" if its Contact is reachable. For calls to a Contact that a REFER has named,
--- as in an attended transfer.
function registered.at(tenant, uri)
  local key = registrations.key_of_uri(tenant, uri)
  for extension in (key and KSR.htable.sht_get("contacts", key) or ""):gmatch("%S+") do
    for _, one in ipairs(registered.contacts(sip_text.uri(extension, tenant))) do
      if registrations.key(tenant, one.contact) == key then
        return { number = extension, contact = one.contact, received = one.received }
      end
    end
  end
  return false
end

--- A Contact of an extension's with this user, which need not be its number: {contact}.
function registered.as(tenant, extension, user)
  for _, one in ipairs(registered.contacts(sip_text.uri(extension, tenant))) do
    local uri = sip_text.parse_uri(one.contact)
    if uri and uri.user == user then return { contact = one.contact } end
  end
  return false
end

return registered
