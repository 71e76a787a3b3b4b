// Callers in menus and at announcements, as the phones, mediad and the database see them.
#include "parkd/service/menu_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

class MenuCallsTest : public testing::Test, public ParkWorld {
 protected:
  CallId dial_menu(const std::string& user = "105", const std::string& number = "400") {
    const CallId id = dial(user, number);
    settle();
    return id;
  }
  std::string session() const { return media.sessions.empty() ? "" : media.sessions.begin()->first; }
  /// What is played: the prompt, "ringback", or "" for silence.
  std::string sound() const {
    if (media.sessions.empty()) return "";
    const Play& play = media.sessions.begin()->second.play;
    if (const auto* music = std::get_if<Music>(&play)) return music->music_class.empty() ? "ringback" : "music";
    const auto* announcement = std::get_if<Announcement>(&play);
    return announcement ? std::get<Announcement::Prompt>(announcement->list.at(0)).name : "";
  }
  void enter(const std::string& keys) {
    for (const char key : keys) service->on_media_key(session(), key);
    settle();
  }
  void play_out() {
    media.play_out();
    settle();
  }
  std::string talks_with() {
    if (phones.conversations.size() != 1) return "";
    const FakePhones::Conversation& now = only_conversation();
    return now.is_bridged ? now.hears : "";
  }
  void expect_talk(const std::string& party) {
    EXPECT_EQ(talks_with(), party);
    EXPECT_THAT(menus.rows, IsEmpty());
    ASSERT_THAT(store.rows, SizeIs(1));
    EXPECT_EQ(only_row().state, RowState::kRetrieved);
    EXPECT_EQ(retriever_of(only_row()), party);
    EXPECT_THAT(media.sessions, IsEmpty()) << "the media are direct";
  }
};

TEST_F(MenuCallsTest, F6_AKeyLeadsTheCallerToTheDestination) {
  dial_menu();
  EXPECT_EQ(sound(), "welcome");
  ASSERT_THAT(menus.rows, SizeIs(1));
  phones.target_status = 0;
  enter("2");
  EXPECT_EQ(sound(), "ringback");
  ASSERT_THAT(phones.targets, SizeIs(1));
  EXPECT_EQ(phones.targets.begin()->second.call.number, "102");
  phones.answer_target(phones.targets.begin()->first);
  settle();
  expect_talk("102");
  end_all();
}

TEST_F(MenuCallsTest, F6_ATrunksCallerReachesAnExtensionThatItEnters) {
  dial_menu("");
  play_out();
  enter("333");
  expect_talk("333");
  end_all();
}

TEST_F(MenuCallsTest, F6_AnOptionThatMayBecomeAnExtensionWaitsForTheNextKey) {
  dial_menu();
  enter("1");
  EXPECT_THAT(phones.called, IsEmpty());
  pass(seconds(4));
  expect_talk("101");
  end_all();
}

TEST_F(MenuCallsTest, F6_ABusyDestinationLeadsBackToTheMenu) {
  phones.status_of["102"] = 486;
  dial_menu();
  enter("2");
  EXPECT_EQ(sound(), "not_reached");
  play_out();
  EXPECT_EQ(sound(), "welcome");
  enter("103");
  expect_talk("103");
  end_all();
}

TEST_F(MenuCallsTest, F6_ADestinationThatDoesNotAnswerIsGivenUp) {
  phones.target_status = 0;
  dial_menu();
  enter("2");
  pass(seconds(31));
  EXPECT_THAT(phones.targets, IsEmpty());
  EXPECT_EQ(sound(), "not_reached");
  end_all();
}

TEST_F(MenuCallsTest, F6_AMenuInAMenuAndBack) {
  dial_menu();
  play_out();
  enter("3");
  pass(seconds(4));
  EXPECT_EQ(sound(), "sales");
  EXPECT_THAT(menus.rows.begin()->second.numbers, testing::ElementsAre("400", "401"));
  enter("9");
  EXPECT_EQ(sound(), "welcome");
  EXPECT_THAT(menus.rows.begin()->second.numbers, testing::ElementsAre("400"));
  end_all();
}

TEST_F(MenuCallsTest, F6_SilenceEndsTheCallAfterTheLastTry) {
  dial_menu();
  for (int i = 0; i < 2; ++i) {
    play_out();
    pass(seconds(9));
    EXPECT_EQ(sound(), "welcome");
  }
  play_out();
  pass(seconds(9));
  EXPECT_EQ(sound(), "goodbye");
  play_out();
  EXPECT_THAT(phones.conversations, IsEmpty());
  EXPECT_THAT(phones.byes, SizeIs(1));
  end_all();
}

TEST_F(MenuCallsTest, F6_WrongKeysLeadToTheInvalidDestination) {
  menus.places["400"].place.invalid_destination = "104";
  dial_menu();
  for (int i = 0; i < 2; ++i) {
    enter("8");
    EXPECT_EQ(sound(), "invalid_choice");
    play_out();
    EXPECT_EQ(sound(), "welcome");
  }
  enter("8");
  expect_talk("104");
  end_all();
}

TEST_F(MenuCallsTest, F7_AnAnnouncementIsPlayedAndPassesTheCallerOn) {
  dial_menu("", "500");
  EXPECT_EQ(sound(), "closed");
  enter("1");
  EXPECT_EQ(sound(), "closed") << "an announcement has no keys";
  play_out();
  expect_talk("101");
  end_all();
}

TEST_F(MenuCallsTest, F6_KeysByInfoCountOnce) {
  dial_menu();
  const ConversationId conversation = phones.conversations.begin()->first;
  service->on_caller_key(conversation, {KeyWay::kDtmfRelay, '2', 5});
  service->on_media_key(session(), '2');
  settle();
  expect_talk("102");
  end_all();
}

TEST_F(MenuCallsTest, F6_AGreetingThatCannotBePlayedIsReplaced) {
  dial_menu();
  service->on_media_fault(session(), "welcome.wav does not exist");
  play_out();
  EXPECT_EQ(sound(), "make_choice");
  enter("2");
  expect_talk("102");
  end_all();
}

TEST_F(MenuCallsTest, F6_ACallerThatRefusesTheDestinationHearsTheMenuAgain) {
  dial_menu();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  enter("2");
  EXPECT_EQ(sound(), "not_available");
  EXPECT_THAT(phones.targets, IsEmpty());
  play_out();
  EXPECT_EQ(sound(), "welcome");
  end_all();
}

TEST_F(MenuCallsTest, F6_WithoutTheDatabaseTheCallIsRefusedOrTheMenuPlayedAgain) {
  store.is_away = true;
  const CallId refused = dial_menu();
  pass(seconds(15));
  EXPECT_EQ(phones.call_outcomes.at(refused).status, 503);
  store.come_back();
  settle();
  dial_menu();
  store.is_away = true;
  enter("2");
  EXPECT_EQ(sound(), "not_available");
  store.come_back();
  play_out();
  enter("2");
  expect_talk("102");
  end_all();
}

TEST_F(MenuCallsTest, F6_ARestartOfMediadOffersTheMenuAgain) {
  dial_menu();
  const auto before = only_conversation().music;
  media.move(session());
  settle();
  EXPECT_NE(only_conversation().music, before);
  EXPECT_EQ(sound(), "welcome");
  enter("2");
  expect_talk("102");
  end_all();
}

TEST_F(MenuCallsTest, F6_ARingGroupRingsForAsLongAsItIsSet) {
  phones.target_status = 0;
  dial_menu();
  enter("6");
  pass(seconds(120));
  EXPECT_EQ(sound(), "ringback");
  EXPECT_THAT(phones.targets, SizeIs(1));
  end_all();
}

TEST_F(MenuCallsTest, F6_ADestinationThatHangsUpBeforeTheCallerIsJoinedIsNotReached) {
  dial_menu();
  service->on_media_key(session(), '2');
  while (phones.targets.empty() || !phones.targets.begin()->second.answered) ASSERT_TRUE(steps.next());
  phones.hang_up_target(phones.conversations.begin()->first);
  settle();
  EXPECT_EQ(sound(), "not_reached");
  EXPECT_THAT(phones.targets, IsEmpty());
  play_out();
  EXPECT_EQ(sound(), "welcome");
  end_all();
}

TEST_F(MenuCallsTest, F6_WithoutTheDatabaseBackEndsTheCallWithASentence) {
  dial_menu();
  enter("3#");
  EXPECT_EQ(sound(), "sales");
  store.is_away = true;
  enter("9");
  EXPECT_EQ(sound(), "not_available");
  play_out();
  EXPECT_EQ(sound(), "goodbye");
  store.come_back();
  end_all();
}

TEST_F(MenuCallsTest, F6_SentencesThatMediadDoesNotHaveAreNotRepeatedWithoutAPause) {
  menus.places["500"].place.times = 0;
  dial_menu("", "500");
  service->on_media_fault(session(), "closed.wav does not exist");
  play_out();
  EXPECT_EQ(sound(), "not_available");
  service->on_media_fault(session(), "not_available.wav does not exist");
  play_out();
  service->on_media_fault(session(), "not_available.wav does not exist");
  play_out();
  EXPECT_THAT(media.sessions, SizeIs(1));
  pass(seconds(2));
  EXPECT_EQ(sound(), "not_available");
  end_all();
}

TEST_F(MenuCallsTest, O4_F6_ACallerWaitsForAMediadThatDiedWithParkd) {
  dial_menu();
  kill();
  media.is_away = true;
  recover();
  pass(seconds(5));
  EXPECT_THAT(phones.byes, IsEmpty());
  media.is_away = false;
  pass(seconds(2));
  EXPECT_EQ(sound(), "welcome");
  enter("2");
  expect_talk("102");
  end_all();
}

TEST_F(MenuCallsTest, F6_AFifthCallOfAnExtensionIsBusy) {
  for (int i = 0; i < 4; ++i) dial_menu();
  const CallId fifth = dial_menu();
  EXPECT_EQ(phones.call_outcomes.at(fifth).status, 486);
  EXPECT_EQ(service->callers_in_menus(), 4U);
  end_all();
}

TEST_F(MenuCallsTest, F6_ACallFromAMenuIsParkedAndRetrievedLikeAnyOther) {
  dial_menu("");
  enter("2");
  expect_talk("102");
  const ParkId id = only_park();
  refer_of_peer(id, "102", "*68");
  settle();
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(store.at_orbit("102")->parker, "102");
  phones.hang_up(conversation_of(id), PartyEnd::kPeer);
  settle();
  dial("103", "*88102");
  settle();
  EXPECT_TRUE(talks_to(id, "103"));
  phones.hang_up(conversation_of(id), PartyEnd::kCaller);
  settle();
  EXPECT_EQ(store.segments.words(id).substr(0, 24), "talk_before 102 0 parked") << store.segments.words(id);
  end_all();
}

}  // namespace
}  // namespace callpark
