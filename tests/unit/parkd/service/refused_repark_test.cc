// FAULTS X50: a re-park that is refused or undone leaves nothing of its stay. The row and the events of the call are
// those of the stay before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;

class RefusedReparkTest : public testing::Test, public ParkWorld {
 protected:
  /// 101 parks a caller in the group sales with settings that no other stay has; 102 retrieves the caller.
  ParkId retrieve_from_sales() {
    store.park_group = "sales";
    store.music_class = "first";
    store.park_seconds_max = 600;
    store.recall.after_seconds = 77;
    const ParkId id = retrieve();
    before = only_row();
    return id;
  }
  /// 102 asks to park the caller again, for other settings; `spoil` makes the park fail.
  template <class Spoil>
  void fail_repark(const ParkId& id, Spoil spoil) {
    pass(seconds(5));
    store.park_group = "support";
    store.music_class = "second";
    store.park_seconds_max = 60;
    store.recall.after_seconds = 5;
    const ReferralId repark = refer_of_peer(id, "102", "*68103");
    spoil();
    settle();
    ASSERT_GE(status_of_referral(repark), 400);
    store.come_back();
    settle();
    ASSERT_TRUE(talks_to(id, "102"));
  }
  /// The caller refuses the music, and then accepts the media of the peer again.
  void refuse_music_once(const ParkId& id) {
    const auto& on_wire = conversation(id).on_wire;
    while (!on_wire) ASSERT_TRUE(steps.next());
    phones.caller_reply = FakePhones::Reply::kRefuse;
    while (on_wire && on_wire->hears == "music") ASSERT_TRUE(steps.next());
    phones.caller_reply = FakePhones::Reply::kAccept;
  }
  void refuse_music(const ParkId& id) {
    fail_repark(id, [&] { refuse_music_once(id); });
  }
  void lose_database(const ParkId& id) {
    fail_repark(id, [&] {
      while (!hears_music(id)) ASSERT_TRUE(steps.next());
      store.is_away = true;
    });
  }
  /// The event that ends the call.
  const ParkEvent& end_of(const ParkId& id) {
    hang_up(id, PartyEnd::kCaller);
    settle();
    EXPECT_EQ(events.all.back().kind, ParkEventKind::kEnded);
    return events.all.back();
  }

  ParkedCallRow before;
};

TEST_F(RefusedReparkTest, X50_EndedEventHasTheParkGroupOfTheStayBefore) {
  const ParkId id = retrieve_from_sales();
  refuse_music(id);
  EXPECT_EQ(end_of(id).park_group, "sales");
}

TEST_F(RefusedReparkTest, X50_EndedEventHasNoOrbitOfTheRefusedStay) {
  const ParkId id = retrieve_from_sales();
  refuse_music(id);
  EXPECT_EQ(end_of(id).orbit, "") << "a call that was retrieved holds none";
}

TEST_F(RefusedReparkTest, X50_EndedEventHasTheParkerAndTimeOfTheStayBefore) {
  const ParkId id = retrieve_from_sales();
  refuse_music(id);
  const ParkEvent& ended = end_of(id);
  EXPECT_EQ(ended.parker, "101");
  EXPECT_EQ(ended.parked_at, before.parked_at);
}

TEST_F(RefusedReparkTest, X50_EndDuringTheReparkIsRecordedForTheStayBefore) {
  const ParkId id = retrieve_from_sales();
  store.park_group = "support";
  refer_of_peer(id, "102", "*68103");
  while (!conversation(id).on_wire) ASSERT_TRUE(steps.next());
  const ParkEvent& ended = end_of(id);
  EXPECT_EQ(ended.park_group, "sales");
  EXPECT_EQ(ended.parker, "101");
  EXPECT_EQ(ended.orbit, "");
  EXPECT_EQ(ended.parked_at, before.parked_at);
  phones.hang_up(conversation_of(id), PartyEnd::kPeer);
  end_all();
}

TEST_F(RefusedReparkTest, X50_RowHasTheSettingsOfTheStayBefore) {
  const ParkId id = retrieve_from_sales();
  refuse_music(id);
  const ParkedCallRow& row = store.rows.at(id);
  EXPECT_EQ(row.state, RowState::kRetrieved);
  EXPECT_EQ(row.park_group, before.park_group);
  EXPECT_EQ(row.music_class, before.music_class);
  EXPECT_EQ(row.recall, before.recall);
  EXPECT_EQ(row.deadline, before.deadline);
  EXPECT_EQ(row.recall_deadline, before.recall_deadline);
  EXPECT_EQ(row.parker, before.parker);
  EXPECT_EQ(row.parked_at, before.parked_at);
  EXPECT_EQ(row.retriever, before.retriever);
  EXPECT_EQ(row.orbit, "");
  end_all();
}

TEST_F(RefusedReparkTest, X50_RowThatCouldNotBeWrittenLeavesTheStayBefore) {
  const ParkId id = retrieve_from_sales();
  lose_database(id);
  const ParkedCallRow& row = store.rows.at(id);
  EXPECT_EQ(row.park_group, before.park_group);
  EXPECT_EQ(row.music_class, before.music_class);
  EXPECT_EQ(row.recall, before.recall);
  EXPECT_EQ(row.deadline, before.deadline);
  EXPECT_EQ(row.parker, before.parker);
  EXPECT_EQ(end_of(id).park_group, "sales");
}

// The peer has hung up meanwhile, so that the caller waits after all: in the stay that was proposed.
TEST_F(RefusedReparkTest, X50_ReparkWithoutAPeerIsTheStayOfTheGaveUpEvent) {
  const ParkId id = retrieve_from_sales();
  store.park_group = "support";
  refer_of_peer(id, "102", "*68103");
  while (!hears_music(id)) ASSERT_TRUE(steps.next());
  store.is_away = true;
  hang_up(id, PartyEnd::kPeer);
  settle();
  ASSERT_TRUE(hears_music(id));
  store.come_back();
  settle();
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102, parked 103, gave_up 103");
  EXPECT_EQ(events.all.back().park_group, "support");
  EXPECT_EQ(events.all.back().parker, "102");
  end_all();
}

// The extension that was parked asks: it is the peer from here on, and its row names it as the party that talks.
TEST_F(RefusedReparkTest, X50_RowOfAParkByTheCallerNamesItAsTheRetriever) {
  const ParkId id = retrieve_colleague();
  const ReferralId repark = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  refuse_music_once(id);
  settle();
  EXPECT_EQ(status_of_referral(repark), 488);
  EXPECT_TRUE(talks_to(id, "106"));
  EXPECT_EQ(retriever_of(store.rows.at(id)), "106");
  end_all();
}

// Nothing of the refused stay comes back with the next one.
TEST_F(RefusedReparkTest, X50_NextReparkHasItsOwnSettings) {
  const ParkId id = retrieve_from_sales();
  refuse_music(id);
  store.park_group = "third";
  store.music_class = "third";
  const ReferralId next = refer_of_peer(id, "102", "*68104");
  settle();
  EXPECT_EQ(status_of_referral(next), 200);
  EXPECT_EQ(only_row().park_group, "third");
  EXPECT_EQ(only_row().music_class, "third");
  EXPECT_EQ(only_row().orbit, "104");
  EXPECT_EQ(events.all.back().park_group, "third");
  end_all();
}

}  // namespace
}  // namespace callpark
