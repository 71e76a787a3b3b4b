// Nobody waits for ever: what becomes of a parked call that nobody retrieves.
#include <gmock/gmock.h>

#include "tests/e2e/park_house.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Recall : public ParkTest {
 protected:
  /// For the demo tenant, with times that no operator is allowed but that a test can wait for.
  static void set(const std::string& assignments) {
    house().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                               " WHERE tenant = 'demo.callpark'");
  }
  void SetUp() override {
    ParkTest::SetUp();
    set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 2, recall_retry_seconds = 1, "
        "recall_attempts_max = 3, alert_ring_group_wait_seconds = 2, ring_group = NULL, fallback_destination = NULL");
    john_ = house().packet_phone("101", kJohn);
  }
  void TearDown() override {
    john_.reset();
    set("recall_mode = DEFAULT, recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, "
        "recall_retry_seconds = DEFAULT, recall_attempts_max = DEFAULT, alert_ring_group_wait_seconds = DEFAULT, "
        "ring_group = DEFAULT, fallback_destination = DEFAULT");
    ParkTest::TearDown();
  }

  /// Client calls 101, and John parks him at his own extension.
  std::unique_ptr<SippCall> parked_client() {
    auto client = house().trunk().call_in("+442030000101", tone_hz(kClient));
    const CallName call = john_->wait_incoming();
    john_->answer(call);
    EXPECT_TRUE(client->is_established());
    EXPECT_TRUE(hear_each_other(*john_, *client));
    EXPECT_EQ(john_->refer(call, "*68"), 202);
    EXPECT_TRUE(wait_until(kSoon, [&] { return !john_->transfer_reports(call).empty(); }));
    john_->hang_up(call);
    EXPECT_TRUE(hears_music(*client));
    return client;
  }
  static SipText first_invite(const PacketPhone& phone, const CallName& call) {
    for (const auto& message : phone.received(call)) {
      if (message.method() == "INVITE") return message;
    }
    throw std::runtime_error("no INVITE in " + call);
  }

  std::unique_ptr<PacketPhone> john_;
};

TEST_F(Recall, R1_R5_TheParkerIsCalledBackAndTalksToHisCaller) {
  const auto client = parked_client();
  const CallName recall = john_->wait_incoming();
  EXPECT_TRUE(hears_music(*client));
  const SipText invite = first_invite(*john_, recall);
  EXPECT_THAT(invite.header("From"), testing::HasSubstr("Recall 101: Client"));
  EXPECT_THAT(invite.header("Alert-Info"), testing::HasSubstr("recall"));
  john_->answer(recall);
  EXPECT_TRUE(hear_each_other(*john_, *client));
  EXPECT_TRUE(nothing_parked());
  EXPECT_EQ(john_->offer(recall, "sendonly"), 200);
  EXPECT_TRUE(hears_nothing(*john_));
  EXPECT_EQ(john_->offer(recall, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john_, *client));
  EXPECT_EQ(john_->hang_up(recall), 200);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

}  // namespace
}  // namespace callpark::test
