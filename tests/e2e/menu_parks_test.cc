// A caller that came by a call flow, a menu and a ring group is parked, recalled, retrieved and transferred like any
// other, with its name on the phones and in the records.
#include <gmock/gmock.h>

#include "tests/e2e/menu_site.h"

namespace callpark::test {
namespace {

using testing::HasSubstr;

class ConnectedByMenu : public MenuTest {
 protected:
  static void set(const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant = 'demo.callpark'");
  }
  void SetUp() override {
    MenuTest::SetUp();
    site().database().execute("DELETE FROM park_segments; DELETE FROM cdrs");
    set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 60, recall_retry_seconds = 60, "
        "recall_attempts_max = 3");
    john_ = site().packet_phone("101", kJohn);
    call(kTrunk, did(kToFlow));
    follow({is_answered(), hears(kMain), press("2"), rings(kDave), rings(kErin), rings(kFrank), answers(kErin),
            talks(kErin), is_handed_over()});
  }
  void TearDown() override {
    john_.reset();
    MenuTest::TearDown();
    set("recall_mode = DEFAULT, recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, recall_retry_seconds = "
        "DEFAULT, recall_attempts_max = DEFAULT");
  }

  /// Erin's phone rings with the recall, and shows the name of the caller.
  CallName recall_of(const std::string& orbit) {
    const CallName recall = callees_[kErin]->wait_incoming();
    EXPECT_THAT(first_invite(*callees_[kErin], recall).header("From"), HasSubstr("Recall " + orbit + ": Client"));
    return recall;
  }
  /// John retrieves by `number`, and John's phone shows Client.
  CallName retrieve_as_john(const std::string& number) {
    const CallName talk = retrieve(*john_, number, *caller_);
    bool has_name = false;
    for (const SipText& message : john_->received(talk)) {
      if (message.status() == 200 && message.method() == "INVITE") {
        has_name = message.header("P-Asserted-Identity").find("\"Client\" <sip:+442079460018@") != std::string::npos;
      }
    }
    EXPECT_TRUE(has_name) << "the name of the caller is not shown";
    return talk;
  }
  static std::string segments() {
    return value(
        "SELECT GROUP_CONCAT(CONCAT_WS(' ', kind, party, ended) ORDER BY segment SEPARATOR ', ') FROM park_segments");
  }
  void expect_records(const std::string& wanted, const std::string& stay) {
    EXPECT_TRUE(wait_until(kSoon, [&] { return segments() == wanted; })) << segments();
    EXPECT_EQ(value("SELECT COUNT(DISTINCT park_id) FROM park_segments"), "1") << "one call";
    EXPECT_EQ(value("SELECT GROUP_CONCAT(DISTINCT call_id) FROM park_segments"), call_)
        << "joined by the Call-ID of the trunk's call";
    EXPECT_EQ(value("SELECT GROUP_CONCAT(DISTINCT caller_number) FROM park_segments"), "+442079460018");
    // Each segment begins when the one before ends.
    EXPECT_EQ(value("SELECT COUNT(*) FROM park_segments a JOIN park_segments b ON b.park_id = a.park_id AND b.segment "
                    "= a.segment + 1 WHERE NOT a.ended_at <=> b.began_at"),
              "0");
    EXPECT_EQ(value("SELECT GROUP_CONCAT(CONCAT_WS(' ', parker, orbit, outcome, answered_by)) FROM billing_calls"),
              stay);
    expect_cdrs("incoming ivr_menu 810 connected, incoming extension 105 parked");
    EXPECT_EQ(
        value("SELECT COUNT(*) FROM cdrs c JOIN park_segments s USING (call_id, began_at) WHERE s.segment = 1 AND "
              "c.ended_at = s.ended_at AND c.ended = 'parked'"),
        "1")
        << "the talk before the park is the CDR";
  }

  std::unique_ptr<PacketPhone> john_;
};

TEST_F(ConnectedByMenu, B4_F6_S1_HeldAndParkedRecalledAndRetrieved) {
  PacketPhone& erin = *callees_[kErin];
  hold(erin, ringing_[kErin]);
  const CallName feature = erin.start_call("*70102");
  EXPECT_EQ(erin.wait_invite_status(feature), 200);
  ASSERT_TRUE(parked_at("102"));
  EXPECT_TRUE(hears_music(*caller_));
  erin.hang_up(feature);
  EXPECT_TRUE(wait_until(kSoon, [&] { return erin.is_closed(ringing_[kErin]); }));
  const CallName recall = recall_of("102");
  erin.refuse(recall, 486);
  EXPECT_TRUE(hears_music(*caller_));
  EXPECT_TRUE(parked_at("102"));
  const CallName talk = retrieve_as_john("*71102");
  EXPECT_EQ(john_->hang_up(talk), 200);
  follow({is_over()});
  expect_records(
      "talk_before 105 parked, parked  recalling, recall 105 not_taken, parked  retrieved, talk_after 101 hung_up",
      "105 102 retrieved 101");
}

TEST_F(ConnectedByMenu, F6_P1_ParkedByTransferAndTakenBackByTheRecall) {
  PacketPhone& erin = *callees_[kErin];
  park(erin, ringing_[kErin], "*68", "105");
  EXPECT_TRUE(hears_music(*caller_));
  erin.hang_up(ringing_[kErin]);
  const CallName recall = recall_of("105");
  erin.answer(recall);
  EXPECT_TRUE(hear_each_other(erin, *caller_));
  park(erin, recall, "*70102", "102");
  erin.hang_up(recall);
  const CallName talk = retrieve_as_john("*71102");
  EXPECT_EQ(caller_->hang_up(call_), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(talk); }));
  EXPECT_TRUE(wait_until(kSoon, [&] { return value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
  EXPECT_EQ(value("SELECT GROUP_CONCAT(CONCAT_WS(' ', parker, orbit, outcome, answered_by) ORDER BY parked_at "
                  "SEPARATOR ', ') FROM billing_calls"),
            "105 105 recalled 105, 105 102 retrieved 101");
}

TEST_F(ConnectedByMenu, B4_F6_S12_TransferredToAnotherPhone) {
  ASSERT_EQ(callees_[kErin]->refer(ringing_[kErin], "103"), 202);
  follow({rings(kCarolsPhone), answers(kCarolsPhone), talks(kCarolsPhone), hangs_up(), rings_no_more(kCarolsPhone)});
  expect_cdrs("incoming ivr_menu 810 connected, incoming extension 105 caller");
}

TEST_F(ConnectedByMenu, B4_F6_S12_TransferredBackToTheMenu) {
  ASSERT_EQ(callees_[kErin]->refer(ringing_[kErin], kToMain), 202);
  follow({hears(kMain), press("99"), rings(kDave), answers(kDave)});
  EXPECT_TRUE(hear_each_other(*callees_[kDave], *caller_));
  follow({hangs_up(), rings_no_more(kDave)});
  expect_cdrs("incoming ivr_menu 810 connected, incoming extension 105 caller");
  EXPECT_TRUE(wait_until(kSoon, [&] { return value("SELECT COUNT(*) FROM cdrs") == "4"; }));
  EXPECT_EQ(
      value("SELECT GROUP_CONCAT(CONCAT_WS(' ', caller_kind, callee_kind, callee_number, ended) ORDER BY began_at) "
            "FROM cdrs WHERE call_id <> '" +
            call_ + "'"),
      "trunk ivr_menu 810 connected,trunk extension 104 caller")
      << "the call of parkd's to the menu is a call of its own";
}

TEST_F(ConnectedByMenu, F6_R4_TheFallbackOfItsRecallMayBeAMenu) {
  set("recall_attempts_max = 1, fallback_destination = '810'");
  park(*callees_[kErin], ringing_[kErin], "*68", "105");
  callees_[kErin]->hang_up(ringing_[kErin]);
  callees_[kErin]->refuse(recall_of("105"), 486);
  follow({hears(kMain), press("99"), rings(kDave), answers(kDave)});
  EXPECT_TRUE(hear_each_other(*callees_[kDave], *caller_));
  follow({hangs_up(), rings_no_more(kDave)});
  set("fallback_destination = DEFAULT");
}

}  // namespace
}  // namespace callpark::test
