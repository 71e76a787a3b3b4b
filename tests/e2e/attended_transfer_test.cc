// Parking by an attended transfer: a consultation call to the park code, then REFER with Replaces.
#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

using AttendedTransfer = ParkTest;

TEST_F(AttendedTransfer, P5_ByBaresip) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *john);
  const CallName consultation = john->dial_until_answered("*68106");
  john->transfer_to(call, consultation);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(john->reaches(consultation, CallPhase::kClosed));
  EXPECT_TRUE(parked_at("106"));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(AttendedTransfer, P5_ByLinphone) {
  const auto john = site().linphone(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName call = talk(*john, *alice).caller;
  hold(*john, call, *john);
  const CallName consultation = john->dial_until_answered("*68106");
  john->transfer_to(call, consultation);
  EXPECT_TRUE(hears_music(*alice));
  EXPECT_TRUE(has_no_call(*john));
  EXPECT_TRUE(parked_at("106"));
}

TEST_F(AttendedTransfer, P5_TheConsultationEndsAndTheTransferIsReportedAsDone) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->wait_incoming();
  ASSERT_TRUE(client->is_established());
  hold(*john, call);
  const CallName consultation = john->call("*68106");
  std::string replaces = john->replaces(consultation);
  for (auto at = replaces.find_first_of(";="); at != std::string::npos; at = replaces.find_first_of(";=")) {
    replaces.replace(at, 1, replaces[at] == ';' ? "%3B" : "%3D");
  }
  ASSERT_EQ(john->refer(call, "sip:*68106@demo.callpark?Replaces=" + replaces), 202);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(wait_until(kSoon, [&] {
    const auto reports = john->transfer_reports(call);
    return !reports.empty() && reports.back().starts_with("SIP/2.0 200");
  }));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john->is_closed(consultation); }));
  EXPECT_TRUE(parked_at("106"));
}

}  // namespace
}  // namespace callpark::test
