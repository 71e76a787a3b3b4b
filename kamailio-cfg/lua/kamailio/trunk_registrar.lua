-- Registers the tenants' accounts at their trunks, and gives up what has no row any more. One process sends; the
-- workers keep the answers for it.
local cjson = require("cjson")
local counts = require("kamailio.counts")
local directory = require("kamailio.directory")
local directory_rows = require("rules.directory_rows")
local settings = require("kamailio.settings")
local trunk_choice = require("rules.trunk_choice")
local trunk_credentials = require("kamailio.trunk_credentials")
local trunk_registration = require("rules.trunk_registration")

local trunk_registrar = {}

-- Of the sending process: tenant and trunk -> {account, state, text}, `text` is the account as it was registered.
local registrations, known_text = {}, nil

local function name_of(account) return account.tenant .. " " .. account.trunk end

local function begin(account, text, now)
  return { account = account, text = text,
    state = trunk_registration.begin(trunk_credentials.random_word(), trunk_credentials.random_word():sub(1, 16),
      account.expires, now) }
end

-- The two register the same contact for the same address: to give one up would end the other.
local function are_one_contact(account, other)
  return account.registrar == other.registrar and account.user == other.user
end

local function change(one, account, text, now)
  one.account, one.text = account, text
  one.state = trunk_registration.changed(one.state, account.expires, now)
end

-- What the rows are now. An account that has become another one is given up as it was, and begun anew.
local function take_edits(now)
  local text = directory.registrations_text()
  if not text or text == known_text then return end
  known_text = text
  local wanted = {}
  for _, account in ipairs(directory_rows.registrations(text)) do wanted[name_of(account)] = account end
  local leaving = {}
  for name, one in pairs(registrations) do
    local account = wanted[name]
    if account and not one.state.is_leaving and are_one_contact(account, one.account) then
      local own_text = cjson.encode(account)
      if own_text ~= one.text then change(one, account, own_text, now) end
    elseif not one.state.is_leaving then
      leaving[name] = one
    end
  end
  for name, one in pairs(leaving) do
    one.state = trunk_registration.leave(one.state, now)
    registrations[name] = nil
    registrations[name .. " " .. one.state.call_id] = one
    KSR.htable.sht_rm("trunk_states", name)
  end
  for name, account in pairs(wanted) do
    if not registrations[name] then registrations[name] = begin(account, cjson.encode(account), now) end
  end
end

local function socket_of(account) return (settings.outside_socket:gsub("^udp", account.transport)) end

local function own_host() return ("%s:%d"):format(settings.advertised_address, settings.port) end

local function credentials(account, state, uri)
  local kept = state.is_answering and KSR.htable.sht_get("register_challenges", state.call_id)
  if not kept then return nil end
  return ("%s: %s"):format(trunk_credentials.header(cjson.decode(kept), account, "REGISTER", uri, 1))
end

local function send(one, now)
  local account = one.account
  one.state = trunk_registration.sent(one.state, now)
  local state = one.state
  local uri, aor = "sip:" .. account.registrar, ("<sip:%s@%s>"):format(account.user, account.registrar)
  local transport = account.transport == "udp" and "" or ";transport=" .. account.transport
  local lines = {
    ("From: %s;tag=%s"):format(aor, state.tag),
    "To: " .. aor,
    "Call-ID: " .. state.call_id,
    ("CSeq: %d REGISTER"):format(state.cseq),
    ("Contact: <sip:%s@%s%s>"):format(account.user, own_host(), transport),
    ("Expires: %d"):format(trunk_registration.asked_seconds(state)),
  }
  lines[#lines + 1] = credentials(account, state, uri)
  KSR.htable.sht_sets("registering", state.call_id, cjson.encode({ cseq = state.cseq, ip = account.address,
    user = account.user }))
  local hop = "sip:" .. trunk_choice.place(account)
  KSR.tm.t_uac_send("REGISTER", uri, hop, socket_of(account), table.concat(lines, "\r\n") .. "\r\n", "")
end

local function take_answer(one, now)
  local state = one.state
  local text = state.deadline and KSR.htable.sht_get("register_answers", state.call_id)
  if not text then return end
  KSR.htable.sht_rm("register_answers", state.call_id)
  local answer = cjson.decode(text)
  if answer.cseq ~= state.cseq then return end
  one.state = trunk_registration.on_answer(state, now, answer)
end

-- For the process that writes to the database.
local function report(name, one, before, now)
  local state = one.state
  if state.is_leaving then return end
  if state.state ~= before.state then
    one.changed_at = now
    if state.state == "refused" or state.state == "unreachable" then
      counts.add("trunk_registrations_failed")
      KSR.warn(("the registration of trunk %s is %s: %s\n"):format(name, state.state, state.status or "no answer"))
    else
      KSR.info(("the registration of trunk %s is %s\n"):format(name, state.state))
    end
  end
  KSR.htable.sht_sets("trunk_states", name, cjson.encode({ tenant = one.account.tenant, trunk = one.account.trunk,
    state = state.state, status = state.status, until_time = state.until_time, due = state.due,
    changed_at = one.changed_at or now }))
end

--- One round of the sending process.
function trunk_registrar.keep_up()
  local now = KSR.pv.get("$Ts")
  take_edits(now)
  for name, one in pairs(registrations) do
    local before = one.state
    take_answer(one, now)
    one.state = trunk_registration.after_silence(one.state, now)
    if trunk_registration.is_over(one.state) then
      registrations[name] = nil
      KSR.htable.sht_rm("registering", one.state.call_id)
    elseif trunk_registration.is_due(one.state, now) then
      send(one, now)
    end
    if one.state ~= before then report(name, one, before, now) end
  end
end

--- An answer is at hand. Only its trunk knows the Call-ID of a REGISTER.
function trunk_registrar.note_answer(f)
  if f.cseq_method ~= "REGISTER" or f.status < 200 then return end
  local kept = KSR.htable.sht_get("registering", f.call_id)
  local request = kept and cjson.decode(kept)
  if not request or request.cseq ~= f.cseq or request.ip ~= f.source.ip then return end
  local challenge = trunk_credentials.challenge(f.status)
  if challenge then KSR.htable.sht_sets("register_challenges", f.call_id, cjson.encode(challenge)) end
  KSR.htable.sht_sets("register_answers", f.call_id, cjson.encode({
    cseq = f.cseq,
    status = f.status,
    is_challenge = challenge ~= nil,
    seconds = trunk_registration.granted_seconds(f.contact_values, KSR.pv.get("$hdr(Expires)"), request.user,
      own_host()),
    min_expires = tonumber(KSR.pv.get("$hdr(Min-Expires)") or ""),
    retry_after = tonumber((KSR.pv.gete("$hdr(Retry-After)")):match("^%d+") or ""),
  }))
end

return trunk_registrar
