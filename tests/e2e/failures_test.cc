// One of the processes dies, or goes away, while fifty callers are parked: they hear their music, and all are picked
// up.
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <vector>

#include "tests/support/house.h"

namespace callpark::test {
namespace {

using Clock = RtpParty::Clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kCallers = 50;
// Music comes every 20 ms. A pause that is no fault of ours, on a machine that runs other tests, stays below this.
constexpr double kGapMsMax = 1000;

class Failures : public HouseTest {
 protected:
  struct Waiting {
    std::unique_ptr<PacketPhone> phone;
    CallName call;
    std::string orbit;
  };

  void SetUp() override {
    HouseTest::SetUp();
    john_ = house().packet_phone("101", 1, true);
    alice_ = house().packet_phone("103", 3);
    for (int i = 0; i < kCallers; ++i) park_one(i);
    for (const Waiting& waiting : waiting_) ASSERT_TRUE(hears_music(*waiting.phone));
  }
  void TearDown() override {
    waiting_.clear();
    HouseTest::TearDown();
  }

  void park_one(int number) {
    Waiting waiting;
    // Not registered: fifty devices of one extension are more than the registrar allows.
    const PhoneOptions options = house().phone("102", 5 + number % 4);
    waiting.phone = std::make_unique<PacketPhone>(PacketPhone::Options{.user = options.user,
                                                                       .password = options.password,
                                                                       .address = options.address,
                                                                       .proxy = house().outside(),
                                                                       .tone = options.tone});
    waiting.call = waiting.phone->call("101");
    const CallName at_john = john_->wait_incoming();
    ASSERT_EQ(john_->refer(at_john, "*70"), 202);
    ASSERT_TRUE(wait_until(kSoon, [&] {
      waiting.orbit = house().database().value("SELECT orbit FROM parked_calls WHERE state = 'parked' AND call_id = '" +
                                               waiting.call + "'");
      return !waiting.orbit.empty();
    }));
    john_->hang_up(at_john);
    waiting_.push_back(std::move(waiting));
  }

  void every_caller_is_retrieved() {
    for (const Waiting& waiting : waiting_) {
      const CallName call = alice_->start_call("*71" + waiting.orbit);
      ASSERT_EQ(alice_->wait_invite_status(call), 200) << "orbit " << waiting.orbit;
      EXPECT_EQ(alice_->hang_up(call), 200);
      EXPECT_TRUE(wait_until(kSoon, [&] { return waiting.phone->is_closed(waiting.call); }));
    }
  }

  /// The longest pause that any of them heard since `began`.
  double longest_gap_ms(Clock::time_point began) {
    double longest = 0;
    for (const Waiting& waiting : waiting_) {
      longest = std::max(longest, waiting.phone->sound().report(began).gap_ms_max);
    }
    return longest;
  }

  static void tell(const std::string& what, double value) { std::cout << what << ": " << value << " ms\n"; }
  static double ms_since(Clock::time_point began) {
    return static_cast<double>(duration_cast<milliseconds>(Clock::now() - began).count());
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::vector<Waiting> waiting_;
};

TEST_F(Failures, O4_WhenParkdIsKilledTheMusicGoesOnAndEveryCallIsRetrieved) {
  const auto began = Clock::now();
  const std::string deadlines = house().database().value("SELECT SUM(UNIX_TIMESTAMP(deadline)) FROM parked_calls");
  house().parkd().kill9();
  house().parkd().start();
  const auto started = Clock::now();
  house().wait_parkd_ready();
  tell("parkd took its calls over after", ms_since(started));
  EXPECT_EQ(house().database().value("SELECT SUM(UNIX_TIMESTAMP(deadline)) FROM parked_calls"), deadlines);
  ASSERT_TRUE(wait_until(kSoon, [&] { return alice_->wait_invite_status(alice_->start_call("*88106")) == 404; }))
      << "Kamailio does not send feature calls to the new parkd";
  tell("the longest pause in the music", longest_gap_ms(began));
  EXPECT_LT(longest_gap_ms(began), kGapMsMax);
  every_caller_is_retrieved();
}

TEST_F(Failures, O4_WhenMediadIsKilledTheMusicComesBackAndEveryCallIsRetrieved) {
  house().mediad().kill9();
  const auto began = Clock::now();
  house().mediad().start();
  for (const Waiting& waiting : waiting_) {
    ASSERT_TRUE(wait_until(kSoon, [&] { return waiting.phone->sound().report(began).packets > 5; }));
  }
  tell("music was back everywhere after", ms_since(began));
  for (const Waiting& waiting : waiting_) EXPECT_TRUE(hears_music(*waiting.phone));
  every_caller_is_retrieved();
}

TEST_F(Failures, O4_WhenKamailioIsKilledTheMusicGoesOnAndEveryCallIsRetrieved) {
  const auto began = Clock::now();
  house().kamailio().kill9();
  house().kamailio().start();
  ASSERT_TRUE(wait_until(kSoon, [&] { return alice_->wait_invite_status(alice_->start_call("*88106")) == 404; }));
  tell("the longest pause in the music", longest_gap_ms(began));
  EXPECT_LT(longest_gap_ms(began), kGapMsMax);
  every_caller_is_retrieved();
}

TEST_F(Failures, S13_WithoutTheDatabaseCallsGoOnAndNewParksAreRefusedUntilItIsBack) {
  const auto bob = house().packet_phone("104", 4, true);
  const CallName call = john_->call("104");
  const auto began = Clock::now();
  house().database().stop();
  // The refusal may come from Kamailio, which cannot look the code up, or from parkd, which cannot claim the orbit.
  const int answer = john_->refer(call, "*68");
  if (answer == 202) {
    EXPECT_TRUE(wait_until(kSoon, [&] {
      const auto reports = john_->transfer_reports(call);
      return !reports.empty() && reports.back().find(" 503 ") != std::string::npos;
    }));
  } else {
    EXPECT_GE(answer, 500);
  }
  EXPECT_TRUE(hear_each_other(*john_, *bob));
  EXPECT_EQ(john_->offer(call, "sendonly"), 200);
  EXPECT_EQ(john_->offer(call, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john_, *bob));
  EXPECT_LT(longest_gap_ms(began), kGapMsMax);
  house().database().start();
  ASSERT_TRUE(wait_until(seconds(20), [&] {
    if (john_->refer(call, "*68") != 202) return false;
    const auto reports = john_->transfer_reports(call);
    return wait_until(milliseconds(2000), [&] {
      return house().database().value("SELECT COUNT(*) FROM parked_calls WHERE state = 'parked' AND orbit = '101'") ==
             "1";
    });
  }));
  EXPECT_TRUE(hears_music(*bob));
  const CallName back = alice_->start_call("*88101");
  EXPECT_EQ(alice_->wait_invite_status(back), 200);
  EXPECT_EQ(alice_->hang_up(back), 200);
  every_caller_is_retrieved();
}

}  // namespace
}  // namespace callpark::test
