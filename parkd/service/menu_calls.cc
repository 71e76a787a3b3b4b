#include "parkd/service/menu_calls.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/menu/names.h"
#include "parkd/service/menu_cdr.h"

namespace callpark {
namespace {

constexpr Duration kRecoveryRetry{500};
// After a sentence that mediad does not have: no caller makes parkd repeat it without a pause.
constexpr Duration kFaultPause{1000};

}  // namespace

bool MenuCalls::has_too_many(const MenuCall& call) {
  const auto count = [this](auto is_meant) {
    return static_cast<std::size_t>(
        std::ranges::count_if(calls_, [&](const auto& entry) { return is_meant(entry.second->call); }));
  };
  const bool is_extension = extension_in(call.caller) != nullptr;
  if (is_extension && count([&](const MenuCall& one) { return one.caller == call.caller; }) >= kOfExtensionMax) {
    ports_.calls.refuse(call.call, 486, "Too many calls to menus by this extension");
  } else if (calls_.size() >= kAllMax ||
             count([&](const MenuCall& one) { return one.tenant == call.tenant; }) >= kOfTenantMax) {
    ports_.calls.refuse(call.call, 503, "Too many calls to menus");
  } else {
    return false;
  }
  return true;
}

void MenuCalls::start(MenuCall call) {
  if (has_too_many(call)) return;
  Live live{make_park_id(), std::move(call), {}};
  live.numbers = {live.call.number};
  live.media.session = "menu-" + random_token(16);
  Live& added = add(std::move(live));
  ids_by_call_.emplace(added.call.call, added.id);
  begin(added, menu::begin(), "New", "MenuCalled");
}

MenuCalls::Live& MenuCalls::add(Live live) {
  const ParkId id = live.id;
  ids_by_session_.emplace(live.media.session, id);
  return *calls_.emplace(id, std::make_unique<Live>(std::move(live))).first->second;
}

// ---- calls that go on from their rows ----

void MenuCalls::recover(std::function<void()> done) {
  ports_.menus.load([this, done = std::move(done)](Result<std::vector<MenuCallRow>, StoreUnavailable> rows) {
    if (!rows) {
      recovery_ = ports_.loop.after(kRecoveryRetry, [this, done] { recover(done); });
      return;
    }
    for (const MenuCallRow& row : *rows) {
      if (!find(row.id)) take_over(row);
    }
    if (!rows->empty()) log_info("", "adopted {} callers in menus from the database", rows->size());
    done();
  });
}

void MenuCalls::take_over(const MenuCallRow& row) {
  ParkedCallRow dialogs;
  dialogs.state = RowState::kParked;
  dialogs.caller = row.caller;
  dialogs.peer = row.peer;
  dialogs.media = row.media;
  dialogs.parked_at = row.since;
  Live live{
      row.id, {{}, row.tenant, row.caller.remote_party, row.numbers.front(), "", "", row.caller.call_id}, row.numbers};
  live.conversation = ports_.conversations.take_over(dialogs);
  live.media = row.media.value_or(MediaSnapshot{"menu-" + random_token(16), {}, 0, std::nullopt});
  live.since = row.since;
  live.cdr = row.cdr;
  live.epoch = row.epoch;
  Live& added = add(std::move(live));
  ids_by_conversation_.emplace(*added.conversation, added.id);
  const int depth = static_cast<int>(row.numbers.size()) - 1;
  begin(added, menu::resume({depth, row.peer.has_value()}), "Row", "TakenOver");
}

// ---- reports about calls ----

void MenuCalls::on_call_answered(CallId call) {
  Live* live = find(ids_by_call_, call);
  if (!live || !live->target || live->target->call != call) return;
  live->target->limit = {};
  feed(live->id, menu::TargetAnswered{live->target->question});
}

void MenuCalls::on_call_refused(CallId call) {
  Live* live = find(ids_by_call_, call);
  if (!live || !live->target || live->target->call != call) return;
  ids_by_call_.erase(call);
  feed(live->id, menu::TargetRefused{std::exchange(live->target, std::nullopt)->question});
}

void MenuCalls::on_call_confirmed(CallId call) {
  Live* live = find(ids_by_call_, call);
  if (!live || !live->answer) return;
  ids_by_call_.erase(call);
  live->conversation = ports_.conversations.begin(call);
  ids_by_conversation_.emplace(*live->conversation, live->id);
  live->cdr = cdr_in_menus(live->call, ports_.conversations.snapshot(*live->conversation).caller.remote_identity,
                           live->place->place.kind);
  feed(live->id, menu::CallAnswered{*std::exchange(live->answer, std::nullopt)});
}

void MenuCalls::on_call_gone(CallId call) {
  Live* live = find(ids_by_call_, call);
  if (live && live->call.call == call) return feed(live->id, menu::CallerGone{});
  give_up(call);
}

void MenuCalls::give_up(CallId target) {
  const Live* live = find(ids_by_call_, target);
  if (!live || !live->target || live->target->call != target) return;
  ports_.calls.hang_up(target);
  on_call_refused(target);
}

void MenuCalls::on_call_media_changed(CallId call, const MediaRemote& remote) {
  Live* live = find(ids_by_call_, call);
  if (!live || live->call.call != call) return;
  live->media.remote = remote;
  ports_.media.connect(live->media.session, remote);
}

// ---- reports about conversations ----

void MenuCalls::on_caller_key(ConversationId conversation, const InfoKey& key) {
  if (Live* live = find(ids_by_conversation_, conversation)) press(*live, key.way, key.key, key.cseq);
}

void MenuCalls::on_caller_media_changed(ConversationId conversation, const MediaRemote& remote) {
  Live* live = find(ids_by_conversation_, conversation);
  if (!live) return;
  live->media.remote = remote;
  ports_.media.connect(live->media.session, remote);
}

bool MenuCalls::on_offer_accepted(ConversationId conversation, menu::Question question,
                                  const std::optional<MediaRemote>& media) {
  Live* live = find(ids_by_conversation_, conversation);
  if (!live) return false;
  if (media) on_caller_media_changed(conversation, *media);
  feed(live->id, menu::CallerAccepted{question});
  return true;
}

bool MenuCalls::on_offer_refused(ConversationId conversation, menu::Question question, bool changed) {
  Live* live = find(ids_by_conversation_, conversation);
  if (live) feed(live->id, menu::CallerRefused{question, changed});
  return live != nullptr;
}

bool MenuCalls::on_party_gone(ConversationId conversation, PartyEnd party) {
  Live* live = find(ids_by_conversation_, conversation);
  if (!live) return false;
  if (party == PartyEnd::kCaller) feed(live->id, menu::CallerGone{});
  return true;
}

// ---- reports about media ----

bool MenuCalls::on_media_played(const std::string& session) {
  Live* live = find(ids_by_session_, session);
  if (!live) return false;
  const std::string fault = std::exchange(live->fault, {});
  if (live->play == 0) return true;
  const bool is_greeting = live->sound == menu::Sound::kGreeting;
  if (!fault.empty() && is_greeting && !live->place->sound.empty()) {
    const bool is_menu = live->place->place.kind == menu::Place::Kind::kMenu;
    log_warning(live->call.sip_call_id, "{} {} has a greeting that cannot be played: {}",
                is_menu ? "the menu" : "the announcement", live->place->name, fault);
    live->place->sound.clear();
    speak(*live, is_menu ? "make_choice" : "not_available");
    return true;
  }
  const menu::SoundPlayed played{std::exchange(live->play, 0)};
  if (fault.empty() || !is_greeting) {
    feed(live->id, played);
  } else {
    live->retry = ports_.loop.after(kFaultPause, [this, id = live->id, played] { feed(id, played); });
  }
  return true;
}

void MenuCalls::on_media_fault(const std::string& session, const std::string& sentence) {
  if (Live* live = find(ids_by_session_, session)) live->fault = sentence;
}

void MenuCalls::on_media_key(const std::string& session, char key) {
  if (Live* live = find(ids_by_session_, session)) press(*live, KeyWay::kRtp, key, 0);
}

void MenuCalls::on_media_moved(const std::string& session, const MediaSnapshot& now) {
  Live* live = find(ids_by_session_, session);
  if (!live) return;
  live->media.local = now.local;
  live->media.ssrc = now.ssrc;
  feed(live->id, menu::MediaMoved{});
}

void MenuCalls::press(Live& live, KeyWay way, char key, std::uint32_t number) {
  if (key >= 'A' && key <= 'D') return;
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(monotonic_now().time_since_epoch());
  if (live.keys.is_press({way, key, at, number})) feed(live.id, menu::KeyPressed{key});
}

// ---- the machine ----

MenuCalls::Live* MenuCalls::find(const ParkId& id) {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second.get();
}

template <class Key>
MenuCalls::Live* MenuCalls::find(const std::unordered_map<Key, ParkId>& ids, const Key& key) {
  const auto found = ids.find(key);
  return found == ids.end() ? nullptr : find(found->second);
}

void MenuCalls::begin(Live& live, const menu::Decision& decision, std::string_view from, std::string_view event) {
  live.is_deciding = true;
  follow(live, decision, from, event);
  decide_waiting(live.id);
}

void MenuCalls::feed(const ParkId& id, const menu::Event& event) {
  Live* live = find(id);
  if (!live) return;
  live->waiting.push_back(event);
  if (!live->is_deciding) decide_waiting(id);
}

void MenuCalls::decide_waiting(const ParkId& id) {
  Live& live = *calls_.at(id);
  live.is_deciding = true;
  while (!live.waiting.empty()) {
    const menu::Event event = live.waiting.front();
    live.waiting.pop_front();
    follow(live, menu::decide(live.state, event), menu::name_of(live.state.phase), menu::name_of(event));
  }
  live.is_deciding = false;
  if (std::holds_alternative<menu::Ended>(live.state.phase)) remove(live);
}

void MenuCalls::follow(Live& live, const menu::Decision& decision, std::string_view from, std::string_view event) {
  const auto to = menu::name_of(decision.next.phase);
  if (from != to) {
    log_info(live.call.sip_call_id, "caller in the menu {}: {} -> {} on {}", live.numbers.back(), from, to, event);
  }
  live.state = decision.next;
  for (const menu::Action& action : decision.actions) {
    std::visit([&](const auto& one) { perform(live, one); }, action);
  }
}

void MenuCalls::remove(Live& live) {
  if (live.conversation) {
    ids_by_conversation_.erase(*live.conversation);
    ports_.conversations.forget(*live.conversation);
  }
  ids_by_call_.erase(live.call.call);
  ids_by_session_.erase(live.media.session);
  calls_.erase(ParkId(live.id));
}

}  // namespace callpark
