// Parking by a blind transfer to a park code.
#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

using BlindTransfer = ParkTest;

TEST_F(BlindTransfer, P1_ATrunkCallerWhomTheParkerAnsweredHearsMusicAtTheParkersExtension) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  john->transfer(call, "*68");
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(has_no_call(*john));
  EXPECT_TRUE(parked_at("101"));
  EXPECT_TRUE(never_hears(*client, *john, std::chrono::milliseconds(300)));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(nothing_parked());
}

TEST_F(BlindTransfer, P1_ATrunkPartyWhomTheParkerCalledHearsMusic) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().expect_call(tone_hz(kClient));
  const CallName call = call_out(*john, *client);
  john->transfer(call, "*68");
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(parked_at("101"));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(BlindTransfer, P1_MusicComesFiftyTimesASecondWithoutGaps) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->answer_next();
  ASSERT_TRUE(client->is_established());
  john->transfer(call, "*68");
  ASSERT_TRUE(hears_music(*client));
  const auto since = RtpParty::Clock::now();
  ASSERT_TRUE(holds_for(std::chrono::seconds(3), [&] { return !client->closed(); }));
  const RtpReport report = client->sound().report(since);
  EXPECT_NEAR(report.packets_per_second, 50, 10) << report.describe();
  EXPECT_TRUE(report.is_whole()) << report.describe();
  EXPECT_EQ(report.sources.size(), 1U) << report.describe();
  RecordProperty("music", report.describe());
}

TEST_F(BlindTransfer, P1_AnExtensionOnBaresipIsParkedWhicheverSideHadCalled) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto [out, in] = talk(*john, *alice);
  park(*john, out, "*68", *alice, "101");
  alice->hang_up(in);
  EXPECT_TRUE(nothing_parked());

  const auto [again, answered] = talk(*alice, *john);
  park(*john, answered, "*68", *alice, "101");
}

TEST_F(BlindTransfer, P1_AnExtensionOnLinphoneIsParked) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().linphone(site().phone("102", kAlice));
  const auto [out, in] = talk(*john, *alice);
  park(*john, out, "*68", *alice, "101");
  alice->hang_up(in);
  EXPECT_TRUE(nothing_parked());
}

TEST_F(BlindTransfer, P1_LinphoneAsTheParkerWhomAnExtensionCalled) {
  const auto john = site().linphone(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  alice->dial("101");
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*alice, *john));
  park(*john, call, "*68", *alice, "101");
}

TEST_F(BlindTransfer, P1_LinphoneAsTheParkerWhoCalled) {
  const auto john = site().linphone(site().phone("101", kJohn));
  const auto client = site().trunk().expect_call(tone_hz(kClient));
  const CallName call = call_out(*john, *client);
  park(*john, call, "*68", *client, "101");
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(BlindTransfer, P1_LinphoneAsTheParkerWhoWasCalledByDid) {
  PhoneOptions options = site().phone("101", kJohn);
  options.did = "+442030000101";
  const auto john = site().linphone(options);
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  park(*john, call, "*68", *client, "101");
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(BlindTransfer, P1_OverTcp) {
  PhoneOptions options = site().phone("101", kJohn);
  options.transport = "tcp";
  const auto john = site().baresip(options);
  PhoneOptions alice_options = site().phone("102", kAlice);
  alice_options.transport = "tcp";
  const auto alice = site().baresip(alice_options);
  const CallName out = john->dial("102");
  alice->answer_next();
  ASSERT_TRUE(john->reaches(out, CallPhase::kEstablished));
  park(*john, out, "*68", *alice, "101");
}

TEST_F(BlindTransfer, P1_AfterHoldingFirst) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *john);
  park(*john, call, "*68", *client, "101");
}

TEST_F(BlindTransfer, P1_EachCodecThatIsParkedIsHeard) {
  for (const char* codec : {"pcmu", "pcma", "g722", "opus"}) {
    SCOPED_TRACE(codec);
    PhoneOptions john_options = site().phone("101", kJohn);
    john_options.codecs = codec;
    PhoneOptions alice_options = site().phone("102", kAlice);
    alice_options.codecs = codec;
    const auto john = site().baresip(john_options);
    const auto alice = site().baresip(alice_options);
    const CallName out = talk(*john, *alice).caller;
    john->transfer(out, "*68");
    EXPECT_TRUE(hears_music(*alice));
    EXPECT_TRUE(parked_at("101"));
  }
}

TEST_F(BlindTransfer, P2_ParkedAtAnotherExtensionThatTakesNoPart) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->answer_next();
  ASSERT_TRUE(client->is_established());
  park(*john, call, "*68106", *client, "106");
}

TEST_F(BlindTransfer, P2_ParkedAtTheParkedCallersOwnExtension) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName out = john->dial("102");
  alice->answer_next();
  ASSERT_TRUE(john->reaches(out, CallPhase::kEstablished));
  john->transfer(out, "*68102");
  EXPECT_TRUE(hears_music(*alice));
  EXPECT_TRUE(parked_at("102"));
}

}  // namespace
}  // namespace callpark::test
