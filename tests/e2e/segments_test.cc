// The records of a call, compared with what the phones of the test did and when.
#include <gmock/gmock.h>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;

/// What the test has driven: a segment, and two moments between which it ended. Milliseconds since 1970.
struct Driven {
  std::string what;  // "kind party ended"
  std::int64_t earliest = 0;
  std::int64_t latest = 0;
};

class Segments : public ParkTest {
 protected:
  static void set(const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant = 'demo.callpark'");
  }
  void SetUp() override {
    ParkTest::SetUp();
    site().database().execute("DELETE FROM park_segments; DELETE FROM cdrs");
    set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 60, recall_retry_seconds = 1, "
        "recall_attempts_max = 3");
    john_ = site().packet_phone("101", kJohn);
    alice_ = site().packet_phone("102", kAlice, true);
    client_ = site().trunk_caller(kClient);
  }
  void TearDown() override {
    john_.reset();
    alice_.reset();
    client_.reset();
    set("recall_mode = DEFAULT, recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, recall_retry_seconds = "
        "DEFAULT, "
        "recall_attempts_max = DEFAULT");
    ParkTest::TearDown();
  }

  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  /// `act` ends a segment.
  void drive(const std::string& what, const std::function<void()>& act) {
    const std::int64_t begun = now();
    act();
    driven_.push_back({what, begun, now()});
  }
  /// The segment has ended since `driven_` had its last one.
  void note(const std::string& what) { driven_.push_back({what, driven_.back().earliest, now()}); }

  static void restart_parkd() {
    site().parkd().kill9();
    site().parkd().start();
    site().wait_parkd_ready();
  }

  /// Client calls John, and John parks; John's first recall is refused, the second is still ringing when Alice
  /// retrieves. `meanwhile` happens in each phase.
  void drive_call(const std::function<void()>& meanwhile) {
    call_ = client_->start_call("+442030000101");
    const CallName at_john = john_->wait_incoming();
    john_->answer(at_john);
    ASSERT_EQ(client_->wait_invite_status(call_), 200);
    drive("talk_before 101 parked", [&] { park(*john_, at_john, "*68", "101"); });
    john_->hang_up(at_john);
    meanwhile();
    CallName recall = john_->wait_incoming();
    note("parked  recalling");
    meanwhile();
    // A new parkd rings John again.
    if (!wait_rings(recall)) recall = john_->wait_incoming();
    drive("recall 101 not_taken", [&] {
      john_->refuse(recall, 486);
      ASSERT_TRUE(wait_until(kSoon, [] { return attempts_and_calling() == "1 false"; }));
    });
    meanwhile();
    recall = john_->wait_incoming();
    note("parked  recalling");
    meanwhile();
    CallName talk;
    drive("recall 101 retrieved", [&] {
      talk = alice_->start_call("*88101");
      ASSERT_EQ(alice_->wait_invite_status(talk), 200);
      ASSERT_TRUE(wait_until(kSoon, [] { return value("SELECT state FROM parked_calls") == "retrieved"; }));
    });
    ASSERT_TRUE(hear_each_other(*alice_, *client_));
    meanwhile();
    drive("talk_after 102 hung_up", [&] {
      ASSERT_EQ(alice_->hang_up(talk), 200);
      ASSERT_TRUE(wait_until(kSoon, [] { return value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
    });
  }

  /// Each segment is there once, ends when the test ended it, and begins when the one before ends.
  void expect_as_driven() {
    const auto rows = site().database().query(
        "SELECT segment, CONCAT_WS(' ', kind, party, ended), "
        "COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', began_at) DIV 1000, 0), "
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ended_at) DIV 1000, call_id FROM park_segments ORDER BY segment");
    ASSERT_EQ(rows.size(), driven_.size());
    std::int64_t before = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      SCOPED_TRACE(rows[i][0] + " " + rows[i][1]);
      EXPECT_EQ(rows[i][0], std::to_string(i + 1));
      EXPECT_EQ(rows[i][1], driven_[i].what);
      EXPECT_EQ(std::stoll(rows[i][2]), before);
      before = std::stoll(rows[i][3]);
      EXPECT_GE(before, driven_[i].earliest);
      EXPECT_LE(before, driven_[i].latest);
      EXPECT_EQ(rows[i][4], call_) << "joined by the Call-ID of the trunk's call";
    }
    // From the park to the retrieve, and from there to the end.
    EXPECT_EQ(value("SELECT CONCAT_WS(' ', outcome, answered_by, recall_attempts) FROM billing_calls"),
              "retrieved 102 2");
    EXPECT_EQ(value("SELECT parked_seconds * 1000 = (SELECT TIMESTAMPDIFF(MICROSECOND, "
                    "(SELECT ended_at FROM park_segments WHERE segment = 1), "
                    "(SELECT ended_at FROM park_segments WHERE segment = 5)) DIV 1000) FROM billing_calls"),
              "1");
    EXPECT_EQ(value("SELECT parks = 1 AND retrieved = 1 AND talk_seconds * 1000 = (SELECT milliseconds "
                    "FROM park_segments WHERE segment = 6) FROM billing_days"),
              "1");
  }

  /// Of all calls only the one that was parked: the others were calls to codes, or calls of parkd's.
  void expect_cdr_of_the_talk_before() {
    ASSERT_TRUE(wait_until(kSoon, [] { return value("SELECT COUNT(*) FROM cdrs") == "1"; }));
    EXPECT_EQ(value("SELECT CONCAT_WS(' ', call_id, direction, callee_number, ended) FROM cdrs"),
              call_ + " incoming 101 parked");
    EXPECT_EQ(
        value("SELECT c.began_at < s.ended_at AND c.ended_at BETWEEN s.ended_at AND s.ended_at + INTERVAL 10 SECOND "
              "FROM cdrs c JOIN park_segments s USING (call_id) WHERE s.segment = 1"),
        "1");
  }

  static std::string value(const std::string& sql) { return site().database().value(sql); }
  static std::string attempts_and_calling() {
    return value(
        "SELECT CONCAT(recall_attempts, IF(recall LIKE '%\"is_calling\":true%', ' true', ' false')) "
        "FROM parked_calls");
  }
  /// Whether the call rings on, and no other comes in its place.
  bool wait_rings(const CallName& recall) {
    return !wait_until(seconds(2), [&] { return john_->is_closed(recall); });
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::unique_ptr<PacketPhone> client_;
  CallName call_;
  std::vector<Driven> driven_;
};

TEST_F(Segments, B4_SegmentsOfACallAreWhatItsPhonesDid) {
  ASSERT_NO_FATAL_FAILURE(drive_call([] {}));
  expect_as_driven();
  expect_cdr_of_the_talk_before();
}

TEST_F(Segments, B4_SegmentsAreTheSameIfParkdIsKilledInEachPhase) {
  ASSERT_NO_FATAL_FAILURE(drive_call(restart_parkd));
  expect_as_driven();
}

TEST_F(Segments, B4_TalkThatEndsWhileTheDatabaseIsAwayIsRecordedWithItsTime) {
  call_ = client_->start_call("+442030000101");
  const CallName at_john = john_->wait_incoming();
  john_->answer(at_john);
  ASSERT_EQ(client_->wait_invite_status(call_), 200);
  set("recall_mode = 'off'");
  park(*john_, at_john, "*68", "101");
  john_->hang_up(at_john);
  const CallName talk = retrieve(*alice_, "*88101", *client_);
  ASSERT_TRUE(wait_until(kSoon, [] { return value("SELECT state FROM parked_calls") == "retrieved"; }));
  site().database().stop();
  drive("talk_after", [&] { ASSERT_EQ(alice_->hang_up(talk), 200); });
  ASSERT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(call_); }));
  site().database().start();
  ASSERT_TRUE(wait_until(seconds(30), [] { return value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
  EXPECT_EQ(value("SELECT GROUP_CONCAT(segment, ' ', kind, ' ', ended ORDER BY segment) FROM park_segments"),
            "1 talk_before parked,2 parked retrieved,3 talk_after hung_up");
  const std::int64_t ended_at =
      std::stoll(value("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', MAX(ended_at)) DIV 1000 FROM park_segments"));
  EXPECT_GE(ended_at, driven_.back().earliest);
  EXPECT_LE(ended_at, driven_.back().latest);
}

}  // namespace
}  // namespace callpark::test
