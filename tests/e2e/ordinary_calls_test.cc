// Calls without a park: what must work before, and beside, everything else, and what must never reach parkd.
#include <gtest/gtest.h>

#include "tests/support/scenes.h"
#include "tests/support/test_site.h"

namespace callpark::test {
namespace {

class OrdinaryCalls : public SiteTest {
 protected:
  /// How many INVITEs of calls have reached parkd since this test began.
  static int invites_at_parkd(SipTrace::Clock::time_point since) {
    int count = 0;
    for (const auto& step : site().trace().steps(since)) {
      const bool to_parkd = step.to.port == site().port() + 2;
      if (to_parkd && step.message.is_request() && step.message.method() != "OPTIONS") ++count;
    }
    return count;
  }
  const SipTrace::Clock::time_point began = SipTrace::Clock::now();
};

TEST_F(OrdinaryCalls, TwoExtensionsHearEachOther) {
  const auto john = site().baresip(site().phone("101", 1));
  const auto alice = site().baresip(site().phone("102", 2));
  const CallName out = john->dial("102");
  const CallName in = alice->answer_next();
  ASSERT_TRUE(john->reaches(out, CallPhase::kEstablished));
  EXPECT_TRUE(hear_each_other(*john, *alice));
  alice->hang_up(in);
  EXPECT_TRUE(john->reaches(out, CallPhase::kClosed));
  EXPECT_EQ(invites_at_parkd(began), 0);
}

TEST_F(OrdinaryCalls, TwoExtensionsHearEachOtherOverTcp) {
  PhoneOptions john_options = site().phone("101", 1);
  PhoneOptions alice_options = site().phone("102", 2);
  john_options.transport = "tcp";
  alice_options.transport = "tcp";
  const auto john = site().baresip(john_options);
  const auto alice = site().baresip(alice_options);
  const CallName out = john->dial("102");
  const CallName in = alice->answer_next();
  ASSERT_TRUE(john->reaches(out, CallPhase::kEstablished));
  EXPECT_TRUE(hear_each_other(*john, *alice));
  john->hang_up(out);
  EXPECT_TRUE(alice->reaches(in, CallPhase::kClosed));
}

TEST_F(OrdinaryCalls, HoldAndResume) {
  const auto john = site().baresip(site().phone("101", 1));
  const auto alice = site().linphone(site().phone("102", 2));
  const auto [out, in] = talk(*john, *alice);
  john->hold(out);
  EXPECT_TRUE(hears_nothing(*john));
  john->resume(out);
  EXPECT_TRUE(hear_each_other(*john, *alice));
  alice->hang_up(in);
  EXPECT_TRUE(john->reaches(out, CallPhase::kClosed));
}

TEST_F(OrdinaryCalls, TheTrunkCallsInByDid) {
  const auto john = site().baresip(site().phone("101", 1));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(client->is_established());
  EXPECT_TRUE(hear_each_other(*client, *john));
  john->hold(call);
  EXPECT_TRUE(hears_nothing(*john));
  john->resume(call);
  EXPECT_TRUE(hear_each_other(*client, *john));
  client->hang_up();
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  EXPECT_EQ(invites_at_parkd(began), 0);
}

TEST_F(OrdinaryCalls, AnExtensionCallsOutByTheTrunk) {
  const auto john = site().baresip(site().phone("101", 1));
  const auto client = site().trunk().expect_call(tone_hz(5));
  const CallName call = john->dial("+442079460018");
  ASSERT_TRUE(client->is_established());
  EXPECT_TRUE(hear_each_other(*client, *john));
  john->hang_up(call);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(OrdinaryCalls, ARefusedTransferOfATrunkCallNeverReachesTheTrunk) {
  const auto john = site().baresip(site().phone("101", 1));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(client->is_established());
  john->transfer(call, "104");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(OrdinaryCalls, ABlindTransferBetweenExtensions) {
  const auto john = site().baresip(site().phone("101", 1));
  const auto alice = site().baresip(site().phone("102", 2));
  const auto bob = site().baresip(site().phone("103", 3));
  const CallName out = talk(*john, *alice).caller;
  john->transfer(out, "103");
  bob->answer_next();
  EXPECT_TRUE(hear_each_other(*alice, *bob));
  EXPECT_TRUE(john->reaches(out, CallPhase::kClosed));
}

}  // namespace
}  // namespace callpark::test
