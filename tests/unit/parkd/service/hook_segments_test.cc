// The wait for the billing hook in the records of a call: a segment of its own, if what the hook permits comes about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/parkd/service/recall_scene.h"

namespace callpark {
namespace {

using std::chrono::seconds;

class HookSegmentsTest : public testing::Test, public RecallWorld {
 protected:
  HookSegmentsTest() { store.billing = BillingHook{}; }
  std::string segments(const ParkId& id) const { return store.segments.words(id); }
  /// The hook answers after that time.
  void permit_after(seconds wait, const std::string& failure = "") {
    pass(wait);
    billing.answer(BillingPermitted{{}, failure});
    settle();
  }
  ParkId park_after(seconds wait, const std::string& failure = "") {
    refer();
    permit_after(wait, failure);
    const ParkId id = only_park();
    hang_up(id, PartyEnd::kPeer);
    settle();
    return id;
  }
  void end_by(const ParkId& id, PartyEnd party) {
    hang_up(id, party);
    settle();
  }
};

TEST_F(HookSegmentsTest, B4_WaitForTheHookIsASegmentBeforeAParkAndBeforeARetrieve) {
  const ParkId id = park_after(seconds(2));
  pass(seconds(60));
  dial("102", "*88101");
  permit_after(seconds(3));
  ASSERT_TRUE(talks_to(id, "102"));
  pass(seconds(30));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 2 allowed, parked 60 retrieved, hook 102 3 allowed, "
            "talk_after 102 30 hung_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_FailureThatOnErrorPermitsIsInTheSegment) {
  const ParkId id = park_after(seconds(1), "timeout");
  dial("102", "*88101");
  permit_after(seconds(1), "breaker_open");
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 1 allowed_on_error timeout, parked 0 retrieved, "
            "hook 102 1 allowed_on_error breaker_open, talk_after 102 0 hung_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_DeniedRetrieveChangesNoSegment) {
  const ParkId id = park_after(seconds(1));
  pass(seconds(20));
  dial("102", "*88101");
  pass(seconds(2));
  billing.answer(BillingDenied{402, "Insufficient funds", "not_permitted", ""});
  settle();
  media.play_out();
  pass(seconds(8));
  end_by(id, PartyEnd::kCaller);
  EXPECT_EQ(segments(id), "talk_before 101 parked, hook 101 1 allowed, parked 30 gave_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_RetrieverThatLosesChangesNoSegment) {
  const ParkId id = park_after(seconds(1));
  pass(seconds(20));
  dial("103", "*88101");
  pass(seconds(1));
  store.billing.reset();  // the other one is not asked about
  dial("102", "*88101");
  pass(seconds(1));
  ASSERT_TRUE(talks_to(id, "102"));
  billing.answer(BillingPermitted{});
  settle();
  media.play_out();
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id), "talk_before 101 parked, hook 101 1 allowed, parked 21 retrieved, talk_after 102 1 hung_up");
  end_all();
}

// The first retriever has won the call, and the caller refuses it.
TEST_F(HookSegmentsTest, B4_RetrieveThatFailsAfterItsPermissionChangesNoSegment) {
  const ParkId id = park_after(seconds(1));
  pass(seconds(20));
  dial("103", "*88101");
  phones.caller_reply = FakePhones::Reply::kRefuse;
  permit_after(seconds(2));
  phones.caller_reply = FakePhones::Reply::kAccept;
  media.play_out();
  pass(seconds(8));
  store.billing.reset();
  dial("102", "*88101");
  settle();
  ASSERT_TRUE(talks_to(id, "102"));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id), "talk_before 101 parked, hook 101 1 allowed, parked 30 retrieved, talk_after 102 0 hung_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_AttemptOfARecallEndsWhenTheHookIsAskedAboutTheRetrieve) {
  phones.target_status = 0;
  const ParkId id = park_after(seconds(1));
  pass(seconds(95));
  dial("102", "*88101");
  permit_after(seconds(2));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 1 allowed, parked 90 recalling, recall 101 5 retrieved, "
            "hook 102 2 allowed, talk_after 102 0 hung_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_AttemptThatBeginsWhileTheHookIsAskedDelaysItsSegment) {
  phones.target_status = 0;
  const ParkId id = park_after(seconds(1));
  pass(seconds(88));
  dial("102", "*88101");
  permit_after(seconds(5));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 1 allowed, parked 90 recalling, recall 101 0 retrieved, "
            "hook 102 3 allowed, talk_after 102 0 hung_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_RecallThatWinsHasNoHookOfARetrieverThatLost) {
  phones.target_status = 0;
  const ParkId id = park_after(seconds(1));
  pass(seconds(80));
  dial("103", "*88101");
  phones.caller_reply = FakePhones::Reply::kRefuse;
  permit_after(seconds(1));
  phones.caller_reply = FakePhones::Reply::kAccept;
  media.play_out();
  phones.target_status = 200;
  pass(seconds(60));
  ASSERT_TRUE(talks_to(id, "101"));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(store.segments.hooks(), 1) << segments(id);
  end_all();
}

TEST_F(HookSegmentsTest, B4_StayThatBeginsWhileTheHookIsAskedDelaysItsSegment) {
  const ParkId id = park_after(seconds(1));
  pass(seconds(10));
  dial("103", "*88101");
  pass(seconds(1));
  store.billing.reset();  // the others are not asked about
  dial("102", "*88101");
  settle();
  ASSERT_TRUE(talks_to(id, "102"));
  pass(seconds(1));
  refer_of_peer(id, "102", "*68101");
  pass(seconds(2));
  ASSERT_TRUE(hears_music(id));
  billing.answer(BillingPermitted{});
  settle();
  ASSERT_TRUE(talks_to(id, "103"));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 1 allowed, parked 11 retrieved, talk_after 102 1 parked, "
            "parked 0 retrieved, hook 103 2 allowed, talk_after 103 0 hung_up");
  end_all();
}

TEST_F(HookSegmentsTest, B4_ReparkHasItsOwnHookAndARefusedOneHasNone) {
  const ParkId id = park_after(seconds(1));
  dial("102", "*88101");
  permit_after(seconds(1));
  refer("103", "*68105");
  permit_after(seconds(0));
  pass(seconds(10));
  const ReferralId refused = refer_of_peer(id, "102", "*68105");
  permit_after(seconds(2));
  ASSERT_EQ(status_of_referral(refused), 486) << "the orbit is full";
  EXPECT_EQ(store.rows.at(id).segment->park_permission, std::nullopt);
  pass(seconds(10));
  refer_of_peer(id, "102", "*68");
  permit_after(seconds(3));
  ASSERT_TRUE(hears_music(id));
  pass(seconds(5));
  end_by(id, PartyEnd::kCaller);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 1 allowed, parked 0 retrieved, hook 102 1 allowed, "
            "talk_after 102 22 parked, hook 102 3 allowed, parked 5 gave_up");
  end_all();
}

// The claim of the retriever is answered before the write that completes the park.
TEST_F(HookSegmentsTest, B4_HooksOfAParkAndOfItsRetrieverAreKeptApart) {
  refer();
  settle();
  billing.answer(BillingPermitted{{}, "timeout"});
  while (steps.next_but("caller")) {
  }
  const ParkId id = only_park();
  dial("102", "*88101");
  while (steps.next_but("caller")) {
  }
  pass(seconds(0));
  ASSERT_EQ(billing.open.size(), 1U);
  billing.answer(BillingPermitted{{}, "connect"});
  settle();
  ASSERT_TRUE(talks_to(id, "102"));
  end_by(id, PartyEnd::kPeer);
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, hook 101 0 allowed_on_error timeout, parked 0 retrieved, "
            "hook 102 0 allowed_on_error connect, talk_after 102 0 hung_up");
  end_all();
}

// ---- takeover ----

TEST(HookSegments, B4_HookOfAParkIsRecordedOnceWheneverParkdIsKilled) {
  std::string complete;
  bool is_over = false;
  for (int moment = 0; !is_over; ++moment) {
    SCOPED_TRACE(moment);
    RecallWorld world;
    world.store.billing = BillingHook{};
    world.refer();
    world.pass(seconds(2));
    world.billing.answer(BillingPermitted{{}, "timeout"});
    for (int step = 0; step < moment && !is_over; ++step) is_over = !world.steps.next();
    world.restart();
    if (world.store.rows.empty()) {
      EXPECT_EQ(world.store.segments.hooks(), 0) << "nothing was parked";
      world.end_all();
      continue;
    }
    const ParkId id = world.only_park();
    world.pass(seconds(10));
    world.restart();
    world.hang_up(id, PartyEnd::kCaller);
    world.settle();
    EXPECT_EQ(world.store.segments.words(id),
              "talk_before 101 parked, hook 101 2 allowed_on_error timeout, parked 10 gave_up");
    world.end_all();
    complete = world.store.segments.words(id);
    if (HasFailure()) return;
  }
  EXPECT_NE(complete, "");
}

TEST_F(HookSegmentsTest, B4_RetrieveThatParkdsDeathEndsHasNoHook) {
  const ParkId id = park_after(seconds(1));
  pass(seconds(10));
  dial("102", "*88101");
  pass(seconds(1));
  billing.answer(BillingPermitted{});
  while (steps.next_but("caller")) {
  }
  ASSERT_EQ(only_row().state, RowState::kRetrieving);
  restart();
  pass(seconds(9));
  end_by(id, PartyEnd::kCaller);
  EXPECT_EQ(segments(id), "talk_before 101 parked, hook 101 1 allowed, parked 20 gave_up");
  end_all();
}

// ---- anything in any order ----

/// Drives the segments of one call by decisions, clocks and permissions that are drawn.
class Drawn {
 public:
  explicit Drawn(std::uint64_t seed) : random_(seed) {
    stay_.parker = "101";
    stay_.parked_at = now_;
    if (pick(2) == 0) return;
    Segment taken_over;  // by a parkd with a clock that is behind
    taken_over.what = {park::SegmentKind::kParked};
    taken_over.number = 2;
    taken_over.began_at = now_ + seconds(pick(20));
    segments_ = CallSegments(taken_over);
    first_ = 2;
    begun_ = taken_over.began_at;
  }

  void run() {
    std::vector<EndedSegment> all;
    for (int act = 0; act < 40 && segments_.open() && !testing::Test::HasFailure(); ++act) {
      do_something();
      // What is written is forgotten.
      if (pick(3) != 0 && segments_.open()) continue;
      all.insert(all.end(), segments_.ended().begin(), segments_.ended().end());
      segments_.forget(segments_.last_ended());
      ASSERT_TRUE(segments_.ended().empty());
      if (pick(4) == 0 && segments_.open()) segments_ = CallSegments(*segments_.open());  // a takeover
    }
    all.insert(all.end(), segments_.ended().begin(), segments_.ended().end());
    expect_whole(all);
  }
  int hooks() const { return hooks_; }

 private:
  std::size_t pick(std::size_t bound) { return random_() % bound; }
  std::optional<HookPermission> permission() {
    if (pick(2) == 0) return std::nullopt;
    const std::string failure = pick(3) == 0 ? "timeout" : "";
    return HookPermission{now_ - seconds(pick(60)) + seconds(pick(20)), failure};
  }
  void do_something() {
    now_ += seconds(pick(30));
    if (pick(10) == 0) now_ -= seconds(pick(100));  // the clock is set
    if (pick(3) == 0) segments_.permit_park(permission());
    if (pick(3) == 0) segments_.permit_retrieve(permission());
    if (pick(2) == 0) stay_.parked_at = now_ - seconds(pick(10));
    stay_.retriever = pick(2) == 0 ? std::optional<Party>(Extension{"demo", "102"}) : std::nullopt;
    park::Decision decision;
    decision.next.recall_progress = {static_cast<park::RecallTarget>(1 + pick(3)), 1, pick(2) == 0};
    const bool is_withdrawn = pick(12) == 0;
    if (is_withdrawn) decision.actions.emplace_back(park::WithdrawStay{});
    if (pick(12) == 0) decision.actions.emplace_back(park::RemoveRow{static_cast<park::EndReason>(pick(4))});
    park::State before;
    if (pick(3) == 0) before.phase = park::Recalling{};
    segments_.follow(static_cast<park::Recorded>(pick(3)), before, decision, stay_, now_);
    EXPECT_TRUE(!is_withdrawn || !segments_.open() || !segments_.open()->park_permission);
  }
  void expect_whole(const std::vector<EndedSegment>& all) {
    std::optional<WallTime> begins = begun_;
    Duration sum{0};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const EndedSegment& ended = all[i];
      const bool is_hook = ended.segment.what.kind == park::SegmentKind::kHook;
      ASSERT_EQ(ended.segment.number, first_ + static_cast<int>(i)) << "numbers without gaps";
      ASSERT_EQ(ended.segment.began_at, begins) << "it begins when the one before ends";
      ASSERT_TRUE(!begins || *begins <= ended.ended_at) << "not negative";
      ASSERT_EQ(ended.segment.park_permission, std::nullopt);
      ASSERT_EQ(is_hook, ended.end == park::SegmentEnd::kAllowed || ended.end == park::SegmentEnd::kAllowedOnError);
      ASSERT_EQ(ended.end == park::SegmentEnd::kAllowedOnError, !ended.hook_failure.empty());
      ASSERT_TRUE(!is_hook || (i > 0 && (all[i - 1].end == park::SegmentEnd::kParked ||
                                         all[i - 1].end == park::SegmentEnd::kRetrieved)));
      if (begins) sum += ended.ended_at - *begins;
      begins = ended.ended_at;
      hooks_ += is_hook ? 1 : 0;
    }
    if (all.empty()) return;
    const WallTime from = begun_.value_or(all.front().ended_at);
    ASSERT_EQ(sum, all.back().ended_at - from) << "the sum is the whole time";
    if (segments_.open()) {
      ASSERT_EQ(segments_.open()->number, all.back().segment.number + 1);
      ASSERT_EQ(segments_.open()->began_at, all.back().ended_at);
      ASSERT_NE(segments_.open()->what.kind, park::SegmentKind::kHook);
    }
  }

  std::mt19937_64 random_;
  WallTime now_{seconds(100'000)};
  Stay stay_;
  CallSegments segments_{Stay{}};
  int first_ = 1;
  std::optional<WallTime> begun_;
  int hooks_ = 0;
};

TEST(HookSegments, B4_WhateverHappensTheSegmentsCoverTheCallOnce) {
  int hooks = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Drawn drawn(seed);
    drawn.run();
    if (HasFailure()) return;
    hooks += drawn.hooks();
  }
  EXPECT_GT(hooks, 1000);
}

}  // namespace
}  // namespace callpark
