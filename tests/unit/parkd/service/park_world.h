// The park service in its fake outside, and the scenes that its tests have in common.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "parkd/service/switchboard.h"
#include "tests/support/virtual_time.h"
#include "tests/unit/parkd/service/fake_billing.h"
#include "tests/unit/parkd/service/fake_flows.h"
#include "tests/unit/parkd/service/fake_media.h"
#include "tests/unit/parkd/service/fake_menus.h"
#include "tests/unit/parkd/service/fake_phones.h"
#include "tests/unit/parkd/service/fake_store.h"
#include "tests/unit/parkd/service/fake_texts.h"

namespace callpark {

struct ParkWorld {
  ParkWorld() {
    set_log_level(std::getenv("CALLPARK_SEED") ? LogLevel::kInfo : LogLevel::kOff);
    start();
  }
  ~ParkWorld() { set_log_level(LogLevel::kInfo); }
  ParkWorld(const ParkWorld&) = delete;
  ParkWorld& operator=(const ParkWorld&) = delete;

  test::VirtualTime time;
  EventLoop loop;
  Metrics metrics;
  Steps steps;
  FakeStore store{steps};
  FakeFlows flows{steps};
  FakeMenus menus{steps, store};
  FakeMedia media{steps};
  FakePhones phones{steps};
  FakeEvents events;
  FakeMessages messages;
  FakeBilling billing{steps};
  std::unique_ptr<Switchboard> service;
  int last_dialog = 0;
  bool is_ready = true;  // else a new request is refused before the service gets it

  // ---- parkd ----

  void start() {
    ParkSettings settings;
    settings.node_name = "node-1";
    service = std::make_unique<Switchboard>(
        ServicePorts{loop, store, flows, menus, events, messages, media, phones, phones, phones, billing, metrics},
        settings);
    phones.set_listener(service.get());
  }
  /// kill -9: everything that is under way is lost.
  void kill() {
    phones.lose_parkd();
    steps.clear();
    billing.open.clear();
    store.forget_kept();
    media.lose_parkd();
    service.reset();
    is_ready = false;
  }
  void recover() {
    start();
    service->recover([this] { is_ready = true; });
  }
  void restart() {
    kill();
    recover();
    settle();
  }

  // ---- time ----

  /// Lets everything happen that is under way; no time passes.
  void settle() {
    do {
      steps.settle();
      test::pass(loop, Duration(1));
    } while (!steps.empty());
  }
  void pass(Duration duration) {
    settle();
    test::pass(loop, duration);
    settle();
  }

  // ---- the acts of the phones ----

  /// A call between two other user agents.
  AdoptableDialog dialog() {
    AdoptableDialog dialog;
    dialog.caller.call_id = dialog.parker.call_id = "call-" + std::to_string(++last_dialog);
    return dialog;
  }
  /// A blind transfer of a call between two others to this number.
  ReferralId refer(const std::string& user = "101", const std::string& number = "*68") {
    return refer(phones.referral(user, number, dialog()));
  }
  ReferralId refer(Referral referral) {
    const ReferralId id = referral.referral;
    service->on_referral(std::move(referral));
    return id;
  }
  ReferralId refer_of_peer(const ParkId& park_id, const std::string& user, const std::string& number) {
    return refer_of_party(park_id, PartyEnd::kPeer, user, number);
  }
  ReferralId refer_of_party(const ParkId& park_id, PartyEnd party, const std::string& user, const std::string& number) {
    return refer_in(conversation_of(park_id), party, phones.referral(user, number));
  }
  ReferralId refer_in(ConversationId conversation, PartyEnd party, Referral referral) {
    const ReferralId id = referral.referral;
    service->on_referral_of_party(conversation, party, std::move(referral));
    return id;
  }
  CallId dial(const std::string& user, const std::string& number, std::optional<AdoptableDialog> held = {}) {
    return dial(phones.feature_call(user, number, std::move(held)));
  }
  CallId dial(FeatureCall call) {
    const CallId id = call.call;
    service->on_feature_call(std::move(call));
    return id;
  }
  void dial_and_settle(const std::string& user, const std::string& number) {
    dial(user, number);
    settle();
  }
  /// The first caller in a menu presses these keys; nothing happens if there is none.
  void press(const std::string& keys) {
    for (const char key : keys) {
      const auto heard = media.sessions.lower_bound("menu-");
      if (heard == media.sessions.end() || !heard->first.starts_with("menu-")) return;
      service->on_media_key(std::string(heard->first), key);
    }
  }
  CallId dial_with_held(const std::string& user, const std::string& number) { return dial(user, number, dialog()); }
  /// A call by Replaces: the peer of the conversation has sent its caller.
  CallId take_place(const ParkId& park_id, const std::string& user, const std::string& tenant = "demo.callpark") {
    return take_place(conversation_of(park_id), user, tenant);
  }
  CallId take_place(ConversationId conversation, const std::string& user, const std::string& tenant = "demo.callpark") {
    FeatureCall call = phones.feature_call(user, "*88101");
    call.tenant = tenant;
    call.takes_place_in = conversation;
    return dial(std::move(call));
  }
  void hang_up(const ParkId& park_id, PartyEnd party) { phones.hang_up(conversation_of(park_id), party); }

  // ---- scenes ----

  /// The tenant has a billing system, which permits everything.
  void begin_billing() {
    store.billing = BillingHook{};
    billing.decides = [] { return BillingPermitted{}; };
  }
  /// 101 has parked a caller at 101, and the parker's half is over.
  ParkId park() {
    refer();
    settle();
    EXPECT_EQ(phones.conversations.size(), 1U);
    const ParkId id = only_park();
    hang_up(id, PartyEnd::kPeer);
    settle();
    EXPECT_TRUE(hears_music(id));
    return id;
  }
  /// 102 has retrieved the caller; the two talk.
  ParkId retrieve() {
    const ParkId id = park();
    dial("102", "*88101");
    settle();
    EXPECT_TRUE(talks_to(id, "102"));
    return id;
  }
  /// The same; the caller is extension 106.
  ParkId retrieve_colleague() {
    const ParkId id = retrieve();
    conversation(id).caller.user = "106";
    return id;
  }
  /// The extension puts this end of a conversation on hold.
  static void hold(FakePhones::End& end) { end.holds = true; }

  // ---- what is so ----

  ParkId only_park() const { return store.rows.empty() ? ParkId() : store.rows.begin()->first; }
  const ParkedCallRow& only_row() const { return store.rows.begin()->second; }
  /// The conversation of a call, by the dialogs of its row.
  ConversationId conversation_of(const ParkId& park_id) const {
    const auto row = store.rows.find(park_id);
    if (row == store.rows.end()) return {};
    const auto is_of_row = [&](const DialogSnapshot& dialog) {
      return dialog.call_id == row->second.caller.call_id ||
             (row->second.peer && dialog.call_id == row->second.peer->call_id);
    };
    for (const auto& [id, conversation] : phones.conversations) {
      if (is_of_row(conversation.caller.dialog)) return id;
      if (conversation.peer && is_of_row(conversation.peer->dialog)) return id;
    }
    return {};
  }
  FakePhones::Conversation& conversation(const ParkId& park_id) {
    return phones.conversations.at(conversation_of(park_id));
  }
  FakePhones::Conversation& only_conversation() { return phones.conversations.begin()->second; }
  bool hears_music(const ParkId& park_id) { return conversation(park_id).hears == "music"; }
  testing::AssertionResult talks_to(const ParkId& park_id, const std::string& party) {
    const FakePhones::Conversation& now = conversation(park_id);
    if (now.is_bridged && now.hears == party) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "hears " << now.hears << (now.is_bridged ? ", bridged" : ", not bridged");
  }
  /// The call that rings, or has answered, for this caller; or null.
  const FakePhones::Target* target_of(const ParkId& park_id) const {
    return phones.target_of(conversation_of(park_id));
  }
  static std::string retriever_of(const ParkedCallRow& row) { return row.retriever ? text_of(*row.retriever) : ""; }
  int status_of_call(CallId id) const {
    const auto found = phones.call_outcomes.find(id);
    return found == phones.call_outcomes.end() ? 0 : found->second.status;
  }
  int status_of_referral(ReferralId id) const {
    const auto found = phones.referral_outcomes.find(id);
    return found == phones.referral_outcomes.end() ? 0 : found->second.status;
  }

  /// All parties hang up; nothing may be left of anything.
  void end_all() {
    store.come_back();
    media.is_away = false;
    pass(std::chrono::seconds(10));  // for everything that is repeated
    std::vector<CallId> calls;
    for (const auto& [id, call] : phones.calls) calls.push_back(id);
    for (const CallId id : calls) phones.end_call(id);
    settle();
    std::vector<ConversationId> conversations;
    for (const auto& [id, conversation] : phones.conversations) conversations.push_back(id);
    for (const ConversationId id : conversations) phones.hang_up(id, PartyEnd::kCaller);
    settle();
    for (const ConversationId id : conversations) phones.hang_up(id, PartyEnd::kPeer);
    pass(std::chrono::minutes(1));
    media.expire_unclaimed();
    EXPECT_EQ(service->calls(), 0U);
    EXPECT_EQ(service->callers_in_menus(), 0U);
    EXPECT_TRUE(menus.rows.empty());
    EXPECT_EQ(service->parked_calls(), 0U);
    EXPECT_TRUE(store.rows.empty());
    EXPECT_TRUE(media.sessions.empty());
    EXPECT_TRUE(phones.conversations.empty());
    EXPECT_TRUE(phones.calls.empty());
    EXPECT_TRUE(phones.targets.empty());
    EXPECT_TRUE(phones.referrals.empty());
    EXPECT_TRUE(billing.open.empty());
    expect_history_complete();
    store.segments.expect_complete();
    EXPECT_LE(store.segments.hooks(), billing.asked);
  }

 private:
  /// FEATURES L4: each call that is recorded as parked has an end.
  void expect_history_complete() const {
    std::map<ParkId, ParkEventKind> last;
    for (const ParkEvent& event : events.all) {
      last[event.park_id] = event.kind;
      const bool has_segments = event.kind != ParkEventKind::kParked || store.segments.has(event.park_id);
      EXPECT_TRUE(has_segments) << event.park_id.text() << " was parked, and has no segments";
    }
    for (const auto& [id, kind] : last) {
      EXPECT_TRUE(kind == ParkEventKind::kGaveUp || kind == ParkEventKind::kEnded) << id.text() << " " << name_of(kind);
    }
  }
};

}  // namespace callpark
