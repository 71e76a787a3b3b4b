// Talking parties are asked whether they are still there.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using std::chrono::minutes;

/// Alice and the Client talk; parkd asks each of them every ten minutes.
class PartyWatchTest : public UserAgentScene {
 protected:
  /// Each OPTIONS to Alice, and to the Client, gets this answer for so long. How many came to Alice.
  int answer_for(Duration duration, int alices_status, int clients_status = 200) {
    int asked = 0;
    const LoopHandle answers = loop.every(Duration(100), [&] {
      for (; seen_ < kamailio.sent.size(); ++seen_) {
        const SipMessage one = kamailio.sent[seen_];  // a copy: the answer may make parkd send more
        if (!one.is_request() || one.method() != "OPTIONS") continue;
        const bool is_to_alice = one.to_tag() == "alice-tag";
        asked += is_to_alice ? 1 : 0;
        kamailio.answer(one, is_to_alice ? alices_status : clients_status);
      }
    });
    pass(duration);
    return asked;
  }
  std::size_t seen_ = 0;
};

TEST_F(PartyWatchTest, X45_PartiesThatAnswerAreAskedNowAndThen) {
  park_and_retrieve();
  const int asked = answer_for(minutes(120), 200);
  EXPECT_GE(asked, 11);
  EXPECT_LE(asked, 13);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(PartyWatchTest, X45_AnyAnswerOfAPhoneShowsThatItIsThere) {
  park_and_retrieve();
  for (const int status : {404, 405, 486, 500, 501}) answer_for(minutes(40), status);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(PartyWatchTest, X45_APartyThatAnswersNothingIsGone) {
  park_and_retrieve();
  answer_for(minutes(25), 408);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
  EXPECT_TRUE(kamailio.sends("BYE")) << "should it be there after all";
}

TEST_F(PartyWatchTest, X45_SoIsTheCaller) {
  park_and_retrieve();
  answer_for(minutes(25), 200, 408);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(PartyWatchTest, X45_APartyThatKnowsNoSuchDialogIsGoneAtOnce) {
  park_and_retrieve();
  answer_for(minutes(11), 481);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(PartyWatchTest, X45_ASilenceOfMinutesIsForgiven) {
  park_and_retrieve();
  answer_for(minutes(13), 408);
  answer_for(minutes(20), 200);
  answer_for(minutes(8), 408);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(PartyWatchTest, X45_APhoneWithoutItsConnectionHasAnHourToRegister) {
  park_and_retrieve();
  answer_for(minutes(50), 480);
  EXPECT_THAT(reports(), IsEmpty());
  answer_for(minutes(30), 480);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(PartyWatchTest, X45_SoAreThePartiesOfACallTakenOver) {
  take_over(row_of(RowState::kRetrieved));
  set_bridged(true);
  answer_for(minutes(25), 200, 408);
  EXPECT_THAT(reports(), testing::Contains("caller gone"));
}

TEST_F(PartyWatchTest, X45_AWaitingCallerIsNotAsked) {
  park();
  answer_for(minutes(30), 200);
  EXPECT_FALSE(kamailio.sends("OPTIONS", minutes(30)));
}

TEST_F(PartyWatchTest, X45_ASessionTimerNeedsNoQuestions) {
  park_and_retrieve();
  SipMessage refresh = alice.request("UPDATE");
  refresh.set_header(HeaderName::kSessionExpires, "7200;refresher=uac");
  refresh.set_header(HeaderName::kSupported, "timer");
  ASSERT_EQ(answer_to(refresh).status(), 200);
  EXPECT_EQ(answer_for(minutes(60), 200), 0);
  EXPECT_THAT(reports(), IsEmpty());
}

}  // namespace
}  // namespace callpark::leg
