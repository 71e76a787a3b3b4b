// The park service in its fake outside, and the scenes that its tests have in common.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/log.h"
#include "parkd/service/park_service.h"
#include "tests/support/virtual_time.h"
#include "tests/unit/parkd/service/fake_outside.h"

namespace callpark {

struct ParkWorld {
  ParkWorld() {
    set_log_level(LogLevel::kOff);
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
  FakeMedia media{steps};
  FakeLegs legs{steps};
  FakeEvents events;
  FakeMessages messages;
  std::unique_ptr<ParkService> service;
  int last_dialog = 0;
  bool is_ready = true;  // else what begins is refused before the service hears of it

  void start() {
    ParkSettings settings;
    settings.node_name = "node-1";
    service = std::make_unique<ParkService>(loop, store, media, legs, events, messages, metrics, settings);
    legs.set_listener(service.get());
  }
  /// kill -9: whatever was under way is lost.
  void kill() {
    legs.parks.clear();
    legs.calls.clear();
    legs.refers.clear();
    steps.clear();
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

  /// A call between two others.
  AdoptableDialog dialog() {
    AdoptableDialog dialog;
    dialog.caller.call_id = dialog.parker.call_id = "call-" + std::to_string(++last_dialog);
    return dialog;
  }
  ReferId refer(const std::string& user = "101", const std::string& number = "*68") {
    Referral referral = legs.refer(user, number, dialog());
    const ReferId id = referral.refer;
    service->on_refer(std::move(referral));
    return id;
  }
  ReferId refer_of_peer(const ParkId& park_id, const std::string& user, const std::string& number) {
    return refer_of_party(park_id, PartyEnd::kPeer, user, number);
  }
  ReferId refer_of_party(const ParkId& park_id, PartyEnd party, const std::string& user, const std::string& number) {
    Referral referral = legs.refer(user, number);
    const ReferId id = referral.refer;
    service->on_refer_of_party(park_id, party, std::move(referral));
    return id;
  }
  CallId dial(const std::string& user, const std::string& number, std::optional<AdoptableDialog> held = {}) {
    FeatureCall call = legs.dial(user, number, std::move(held));
    const CallId id = call.call;
    service->on_feature_call(std::move(call));
    return id;
  }
  /// Whom the peer of a talk has sent to take his place.
  CallId take_place(const ParkId& park_id, const std::string& user, const std::string& tenant = "demo.callpark") {
    FeatureCall call = legs.dial(user, "*88101");
    call.tenant = tenant;
    call.takes_place_in = park_id;
    const CallId id = call.call;
    service->on_feature_call(std::move(call));
    return id;
  }
  CallId dial_with_held(const std::string& user, const std::string& number) { return dial(user, number, dialog()); }

  /// 101 has parked somebody at 101, and his own half is over.
  ParkId park() {
    refer();
    settle();
    EXPECT_EQ(legs.parks.size(), 1U);
    const ParkId id = legs.parks.begin()->first;
    legs.hang_up_party(id, PartyEnd::kPeer);
    settle();
    EXPECT_EQ(legs.parks.at(id).hears, "music");
    return id;
  }
  /// 102 has retrieved him and talks.
  ParkId retrieve() {
    const ParkId id = park();
    dial("102", "*88101");
    settle();
    EXPECT_EQ(legs.parks.at(id).hears, "102");
    EXPECT_TRUE(legs.parks.at(id).is_bridged);
    return id;
  }

  /// The same; he who was parked is extension 106.
  ParkId retrieve_colleague() {
    const ParkId id = retrieve();
    legs.parks.at(id).caller_user = "106";
    return id;
  }

  int status_of_call(CallId id) const {
    const auto found = legs.call_outcomes.find(id);
    return found == legs.call_outcomes.end() ? 0 : found->second.status;
  }
  int status_of_refer(ReferId id) const {
    const auto found = legs.refer_outcomes.find(id);
    return found == legs.refer_outcomes.end() ? 0 : found->second.status;
  }

  /// Everybody hangs up; nothing may be left of anything.
  void end_all() {
    store.come_back();
    media.is_away = false;
    pass(std::chrono::seconds(10));  // so that whoever tries again has done so
    std::vector<CallId> calls;
    for (const auto& [id, call] : legs.calls) calls.push_back(id);
    for (const CallId id : calls) legs.caller_of_feature_hangs_up(id);
    settle();
    std::vector<ParkId> parks;
    for (const auto& [id, parked] : legs.parks) parks.push_back(id);
    for (const ParkId& id : parks) legs.hang_up_party(id, PartyEnd::kCaller);
    settle();
    for (const ParkId& id : parks) legs.hang_up_party(id, PartyEnd::kPeer);
    pass(std::chrono::minutes(1));
    media.expire_unclaimed();
    EXPECT_EQ(service->calls(), 0U);
    EXPECT_EQ(service->parked_calls(), 0U);
    EXPECT_TRUE(store.rows.empty());
    EXPECT_TRUE(media.sessions.empty());
    EXPECT_TRUE(legs.parks.empty());
    EXPECT_TRUE(legs.calls.empty());
    EXPECT_TRUE(legs.refers.empty());
    // FEATURES L4: of each call that was told to be parked, the end is told too.
    std::map<ParkId, ParkEventKind> last;
    for (const ParkEvent& event : events.all) last[event.park_id] = event.kind;
    for (const auto& [id, kind] : last) {
      EXPECT_TRUE(kind == ParkEventKind::kGaveUp || kind == ParkEventKind::kEnded) << id << " " << name_of(kind);
    }
  }
};

}  // namespace callpark
