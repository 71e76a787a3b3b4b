#include "parkd/presence/lamp_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/presence/presence_world.h"

namespace callpark::presence {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LampBoardTest : public testing::Test, public PresenceWorld {
 protected:
  Publisher publisher{way, store, metrics, {}};
  LampBoard board{loop, store, publisher, metrics, {}};

  /// Kamailio asks for the lamp, and stores the subscription.
  void watch(const std::string& user) {
    const Presentity presentity{user, "demo.callpark"};
    board.watch(presentity, [](bool) {});
    store.watched.insert(presentity);
  }
  void watch_all_of(const ShownCall& call) {
    for (const char* code : {"", "*71", "*88", "*99"}) watch(code + call.orbit);
    for (const auto& party : {call.caller_extension, call.retriever_extension}) {
      if (!party.empty()) watch(party);
    }
  }
  /// All lamps of the call are watched.
  void put(const ShownCall& call) {
    watch_all_of(call);
    pass(Duration(20));
    put_unwatched(call);
  }
  void put_unwatched(const ShownCall& call) {
    store.calls.push_back(call);
    board.on_call_changed(change_of(call));
  }
  void take(const std::string& park_id) {
    const auto found = std::find_if(store.calls.begin(), store.calls.end(),
                                    [&](const ShownCall& call) { return call.park_id == ParkId(park_id); });
    const CallChange change = change_of(*found);
    store.calls.erase(found);
    board.on_call_changed(change);
  }
  double out_of_sync() { return metrics.gauge("callpark_lamps_out_of_sync", "").value(); }
  std::vector<sip::SipMessage> publishes() const { return kamailio.taken("PUBLISH"); }
};

TEST_F(LampBoardTest, N1_EveryCodeThatRetrievesHasALamp) {
  put(waiting_call("p", "333"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
  EXPECT_EQ(kamailio.shows("*88333"), "early park-p-7");
  EXPECT_EQ(kamailio.shows("333"), "");
  take("p");
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-p-7");
  EXPECT_EQ(kamailio.shows("*88333"), "terminated park-p-7");
}

TEST_F(LampBoardTest, N1_ARandomOrbitAndAnOrbitOfARangeHaveLamps) {
  put(waiting_call("p", "*7250"));
  put(waiting_call("q", "7001"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71*7250"), "early park-p-7");
  EXPECT_EQ(kamailio.shows("7001"), "early park-q-7");
  EXPECT_EQ(kamailio.shows("*717001"), "early park-q-7");
}

TEST_F(LampBoardTest, N1_TheRequestIsWhatKamailioExpects) {
  put(waiting_call("p", "333"));
  pass(Duration(50));
  const sip::SipMessage request = publishes().front();
  EXPECT_EQ(request.request_uri_text(), "sip:*71333@demo.callpark");
  EXPECT_EQ(request.event(), "dialog");
  EXPECT_EQ(request.expires(), 3600U);
  EXPECT_EQ(request.header("X-Callpark-Tenant"), "demo.callpark");
  EXPECT_FALSE(request.header("SIP-If-Match"));
  EXPECT_TRUE(request.has_content_type("application/dialog-info+xml"));
  EXPECT_THAT(std::string(request.body()), HasSubstr("<identity display=\"Client\">sip:+4930123@demo.callpark<"));
  take("p");
  pass(Duration(50));
  EXPECT_EQ(publishes().at(2).header("SIP-If-Match"), "a.1");
}

TEST_F(LampBoardTest, N1_TheTenantChoosesConfirmed) {
  store.settings.state = LampState::kConfirmed;
  put(waiting_call("p", "333"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "confirmed park-p-7");
}

TEST_F(LampBoardTest, N1_OfSeveralCallsTheOldestIsShownAndTheLampGoesOutWithTheLast) {
  put(waiting_call("p", "333"));
  put(waiting_call("q", "333"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
  take("p");
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-q-7");
  take("q");
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-q-7");
}

TEST_F(LampBoardTest, N1_AnEditOfTheCodesCountsFromTheNextChange) {
  put(waiting_call("p", "333"));
  pass(Duration(50));
  store.settings.retrieve_codes.push_back("*99");
  put(waiting_call("q", "444"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*99444"), "early park-q-7");
}

TEST_F(LampBoardTest, F5_ACallFlowInItsAlternateModeLightsItsNumberItsCodeAndItsKey) {
  board.start();
  for (const char* user : {"300", "*30", "flow+*30", "301"}) watch(user);
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*30"), "");
  store.settings.flows = {{"demo.callpark", "300", "*30", "Night", 7}};
  pass(Duration(1100));
  EXPECT_EQ(kamailio.shows("300"), "confirmed park-flow-300-7");
  EXPECT_EQ(kamailio.shows("*30"), "confirmed park-flow-300-7");
  EXPECT_EQ(kamailio.shows("flow+*30"), "confirmed park-flow-300-7");
  EXPECT_EQ(kamailio.shows("301"), "");
  store.settings.flows.clear();
  board.on_flow_toggled();
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("flow+*30"), "terminated park-flow-300-7");
  store.settings.flows = {{"demo.callpark", "300", "*30", "Night", 9}};
  board.on_flow_toggled();
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*30"), "confirmed park-flow-300-9");
  pass(seconds(10));
  EXPECT_EQ(out_of_sync(), 0);
}

TEST_F(LampBoardTest, F5_ALampOfALitCallFlowIsTrueBeforeItsWatcherSeesIt) {
  store.settings.flows = {{"demo.callpark", "300", "*30", "", 0}};
  bool is_true = false;
  board.watch({"*30", "demo.callpark"},
              [&](bool done) { is_true = done && kamailio.shows("*30") == "confirmed park-flow-300-0"; });
  pass(Duration(50));
  EXPECT_TRUE(is_true);
}

TEST_F(LampBoardTest, F5_WithoutTheDatabaseALampOfACallFlowFollowsLater) {
  board.start();
  watch("*30");
  pass(Duration(50));
  store.is_away = true;
  store.settings.flows = {{"demo.callpark", "300", "*30", "", 3}};
  pass(seconds(3));
  EXPECT_EQ(kamailio.shows("*30"), "");
  store.is_away = false;
  pass(seconds(2));
  EXPECT_EQ(kamailio.shows("*30"), "confirmed park-flow-300-3");
}

TEST_F(LampBoardTest, N2_AnExtensionIsBusyAsLongAsItsCallIsParkdsAndThenNoMore) {
  const ShownCall call = waiting_call("p", "333", "105");
  put(call);
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("105"), "confirmed park-caller-p");
  store.calls.front().waits = false;  // it is retrieved
  store.calls.front().orbit = "";
  board.on_call_changed(change_of(call));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-p-7");
  EXPECT_EQ(kamailio.shows("105"), "confirmed park-caller-p");
  take("p");
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("105"), "terminated park-caller-p");
}

TEST_F(LampBoardTest, N2_WhoHasRetrievedIsBusyUntilTheCallEnds) {
  put(waiting_call("p", "333"));
  pass(Duration(50));
  ShownCall& call = store.calls.front();
  call.waits = false;
  call.retriever_extension = "102";
  watch("102");
  board.on_call_changed(change_of(call));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("102"), "confirmed park-retriever-p");
  call.orbit = "";
  board.on_call_changed(change_of(call));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("102"), "confirmed park-retriever-p");
  take("p");
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("102"), "terminated park-retriever-p");
}

TEST_F(LampBoardTest, N1_ALampThatWasOutIsLitByANewPublicationAndThereIsNeverASecond) {
  for (int round = 0; round < 5; ++round) {
    put(waiting_call("p", "333"));
    pass(Duration(50));
    EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
    take("p");
    pass(Duration(50));
    EXPECT_EQ(kamailio.shows("*71333"), "terminated park-p-7");
  }
}

TEST_F(LampBoardTest, N1_OneRequestIsUnderWayAndWhatChangesMeanwhileIsToldOnce) {
  kamailio.delay = Duration(300);
  put(waiting_call("p", "333"));
  pass(Duration(50));
  ASSERT_THAT(publishes(), SizeIs(2)) << "one a code";
  for (int round = 0; round < 10; ++round) {
    take("p");
    pass(Duration(5));
    put_unwatched(waiting_call("p", "333"));
    pass(Duration(5));
  }
  take("p");
  pass(Duration(100));
  EXPECT_THAT(publishes(), SizeIs(2));
  pass(seconds(1));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-p-7");
  EXPECT_THAT(publishes(), SizeIs(4));
}

TEST_F(LampBoardTest, N1_ThousandsThatChangeAtOnceAreToldAFewHundredAtATime) {
  for (int orbit = 1000; orbit < 2000; ++orbit) watch_all_of(waiting_call("", std::to_string(orbit)));
  pass(Duration(50));
  kamailio.delay = Duration(100);
  for (const bool parks : {true, false}) {
    for (int orbit = 1000; orbit < 2000; ++orbit) {
      const ShownCall call = waiting_call("p" + std::to_string(orbit), std::to_string(orbit));
      if (parks) store.calls.push_back(call);
      board.on_call_changed(change_of(call));
    }
    if (!parks) store.calls.clear();
    const std::size_t before = publishes().size();
    pass(Duration(50));
    EXPECT_EQ(publishes().size() - before, 200U);
    pass(seconds(2));
    EXPECT_EQ(publishes().size() - before, 2000U);
  }
}

TEST_F(LampBoardTest, N5_AKamailioThatWasAwayIsToldTheLastStateWithinSecondsOfItsReturn) {
  kamailio.is_dead = true;
  put(waiting_call("p", "333"));
  put(waiting_call("q", "444"));
  pass(seconds(60));
  take("q");
  pass(seconds(60));
  kamailio.is_dead = false;
  pass(Duration(4500));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
  EXPECT_THAT(kamailio.shows("*71444"), testing::Not(HasSubstr("early")));
}

TEST_F(LampBoardTest, N5_AnAnswerThatIsLostMakesNoSecondPublication) {
  kamailio.loses_answers = true;
  put(waiting_call("p", "333"));
  pass(seconds(40));
  kamailio.loses_answers = false;
  pass(seconds(5));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
  take("p");
  pass(seconds(1));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-p-7");
}

TEST_F(LampBoardTest, N5_ADatabaseThatWasAwayIsReadWhenItIsBack) {
  store.is_away = true;
  put(waiting_call("p", "333"));
  pass(seconds(10));
  EXPECT_THAT(publishes(), IsEmpty());
  store.is_away = false;
  pass(seconds(1));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
}

TEST_F(LampBoardTest, N5_WhatIsLitIsRefreshedWithTheWholeBody) {
  store.settings.retrieve_codes = {"*71"};
  put(waiting_call("p", "333"));
  pass(seconds(3599));
  ASSERT_THAT(publishes(), SizeIs(2));
  EXPECT_EQ(publishes().at(1).header("SIP-If-Match"), "a.1");
  EXPECT_EQ(publishes().at(1).body(), publishes().at(0).body());
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
}

TEST_F(LampBoardTest, N5_ALampThatIsTakenOutOfKamailiosTableIsCountedAndLitAgain) {
  board.start();
  put(waiting_call("p", "333"));
  pass(seconds(5));
  EXPECT_EQ(out_of_sync(), 0);
  kamailio.presentity.erase(kamailio.presentity.begin());
  bool has_risen = false;
  EXPECT_TRUE(test::pass_until(
      loop, [&] { return has_risen = has_risen || out_of_sync() == 1; }, seconds(5)));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
  EXPECT_TRUE(test::pass_until(
      loop, [&] { return out_of_sync() == 0; }, seconds(5)));
  pass(seconds(20));
  EXPECT_EQ(out_of_sync(), 0);
}

TEST_F(LampBoardTest, N5_ALampThatIsLitForNothingIsPutOutUnderItsName) {
  store.watched.insert({"*71333", "demo.callpark"});
  board.start();
  kamailio.presentity.push_back(
      {{"*71333", "demo.callpark"}, "a.x", "<dialog id=\"park-old-1\"><state>early</state></dialog>"});
  pass(seconds(5));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-old-1");
  pass(seconds(5));
  EXPECT_EQ(out_of_sync(), 0);
}

TEST_F(LampBoardTest, N5_LampsThatKamailioCannotBeToldAreCountedUntilItCan) {
  board.start();
  kamailio.is_dead = true;
  put(waiting_call("p", "333"));
  EXPECT_TRUE(test::pass_until(
      loop, [&] { return out_of_sync() == 2; }, seconds(60)));
  kamailio.is_dead = false;
  EXPECT_TRUE(test::pass_until(
      loop, [&] { return out_of_sync() == 0; }, seconds(10)));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
}

TEST_F(LampBoardTest, N5_ANewParkdCarriesOnThePublicationsOfTheOneBefore) {
  put(waiting_call("p", "333"));
  pass(Duration(50));
  Publisher next_publisher(way, store, metrics, {});
  LampBoard next(loop, store, next_publisher, metrics, {});
  next.start();
  pass(seconds(5));
  EXPECT_EQ(kamailio.shows("*71333"), "early park-p-7");
  store.calls.clear();
  next.on_call_changed({"demo.callpark", "333", "", std::nullopt, std::nullopt});
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*71333"), "terminated park-p-7");
}

TEST_F(LampBoardTest, N5_WhatHasEndedIsOutOfKamailiosTableBeforeItExpiresThere) {
  put(waiting_call("p", "333"));
  pass(Duration(50));
  take("p");
  pass(seconds(61));
  EXPECT_THAT(kamailio.presentity, IsEmpty());
  put(waiting_call("q", "333"));
  pass(Duration(50));
  take("q");
  pass(Duration(50));
  EXPECT_THAT(kamailio.presentity, SizeIs(2));
  Publisher next_publisher(way, store, metrics, {});
  LampBoard next(loop, store, next_publisher, metrics, {});
  next.start();
  pass(seconds(5));
  EXPECT_THAT(kamailio.presentity, IsEmpty()) << "of an earlier parkd";
}

TEST_F(LampBoardTest, N5_ALampThatChangesWhileItIsComparedIsNotWrong) {
  board.start();
  for (int round = 0; round < 400; ++round) {
    put(waiting_call("p" + std::to_string(round), "333"));
    pass(Duration(37));
    take("p" + std::to_string(round));
    pass(Duration(41));
    ASSERT_EQ(out_of_sync(), 0) << round;
  }
}

// ---- only what is watched

TEST_F(LampBoardTest, N1_WhatNobodyWatchesIsNeitherReadNorPublished) {
  board.start();
  put_unwatched(waiting_call("p", "333", "105"));
  pass(seconds(10));
  take("p");
  pass(seconds(10));
  EXPECT_THAT(publishes(), IsEmpty());
  EXPECT_EQ(store.lamps_read, 0);
  EXPECT_EQ(store.shown_read_max, 0U);
}

TEST_F(LampBoardTest, N1_OfTwoNumbersOfAnOrbitOnlyTheWatchedOneIsPublished) {
  watch("*88333");
  pass(Duration(20));
  put_unwatched(waiting_call("p", "333"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*88333"), "early park-p-7");
  EXPECT_EQ(kamailio.shows("*71333"), "");
}

TEST_F(LampBoardTest, N1_AQuestionIsAnsweredWhenTheLampIsTrue) {
  put_unwatched(waiting_call("p", "333"));
  kamailio.delay = Duration(30);
  std::string shown;
  board.watch({"*88333", "demo.callpark"}, [&](bool is_right) {
    EXPECT_TRUE(is_right);
    shown = kamailio.shows("*88333");
  });
  pass(Duration(20));
  EXPECT_EQ(shown, "");
  pass(Duration(20));
  EXPECT_EQ(shown, "early park-p-7");
}

TEST_F(LampBoardTest, N1_AQuestionForADarkLampIsAnsweredWithoutAPublish) {
  bool is_answered = false;
  board.watch({"*88333", "demo.callpark"}, [&](bool is_right) { is_answered = is_right; });
  pass(Duration(20));
  EXPECT_TRUE(is_answered);
  EXPECT_THAT(publishes(), IsEmpty());
}

TEST_F(LampBoardTest, N5_AQuestionIsAnsweredWhenWhatIsLitForNothingIsOut) {
  kamailio.presentity.push_back(
      {{"*88333", "demo.callpark"}, "a.x", "<dialog id=\"park-old-1\"><state>early</state></dialog>"});
  std::string shown;
  board.watch({"*88333", "demo.callpark"}, [&](bool) { shown = kamailio.shows("*88333"); });
  pass(Duration(50));
  EXPECT_EQ(shown, "terminated park-old-1");
}

TEST_F(LampBoardTest, N5_AQuestionThatCannotBeAnsweredIsRefusedAndTheLampIsMendedLater) {
  put_unwatched(waiting_call("p", "333"));
  bool is_refused = false;
  store.is_away = true;
  watch("*88333");
  board.watch({"*88333", "demo.callpark"}, [&](bool is_right) { is_refused = !is_right; });
  pass(Duration(20));
  EXPECT_TRUE(is_refused);
  store.is_away = false;
  board.start();
  pass(seconds(5));
  EXPECT_EQ(kamailio.shows("*88333"), "early park-p-7");
}

TEST_F(LampBoardTest, N5_ALampThatNobodyAskedForIsFoundByTheComparison) {
  board.start();
  put_unwatched(waiting_call("p", "333"));
  pass(seconds(5));
  store.watched.insert({"*88333", "demo.callpark"});  // at another node
  pass(seconds(5));
  EXPECT_EQ(kamailio.shows("*88333"), "early park-p-7");
  take("p");
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*88333"), "terminated park-p-7");
}

TEST_F(LampBoardTest, N1_WhatIsWatchedNoMoreIsTakenOutOfTheTableWithoutAPublish) {
  board.start();
  put(waiting_call("p", "333"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*88333"), "early park-p-7");
  store.watched.clear();
  const auto before = publishes().size();
  pass(seconds(20));
  EXPECT_THAT(kamailio.presentity, IsEmpty());
  EXPECT_THAT(publishes(), SizeIs(before));
  const int read = store.lamps_read;
  take("p");
  pass(seconds(1));
  EXPECT_EQ(store.lamps_read, read);
  put(waiting_call("p", "333"));
  pass(Duration(50));
  EXPECT_EQ(kamailio.shows("*88333"), "early park-p-7") << "watched again";
}

TEST_F(LampBoardTest, N5_WhatAParkdBeforeHasPublishedForNobodyIsTakenOutOfTheTable) {
  kamailio.presentity.push_back(
      {{"*71333", "demo.callpark"}, "a.x", "<dialog id=\"park-old-1\"><state>early</state></dialog>"});
  board.start();
  pass(seconds(1));
  EXPECT_THAT(kamailio.presentity, IsEmpty());
  EXPECT_THAT(publishes(), IsEmpty());
}

TEST_F(LampBoardTest, N5_AComparisonReadsNoMoreThanSomeLampsAtATime) {
  for (int orbit = 1000; orbit < 2200; ++orbit) store.watched.insert({"*88" + std::to_string(orbit), "demo.callpark"});
  put_unwatched(waiting_call("p", "2199"));
  board.start();
  pass(seconds(5));
  EXPECT_EQ(kamailio.shows("*882199"), "early park-p-7");
  EXPECT_EQ(store.shown_read_max, 200U);
}

}  // namespace
}  // namespace callpark::presence
