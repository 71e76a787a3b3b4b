// S5, L2: a parker that cannot know the orbit of its call is called back and hears it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;

class CallBackTest : public testing::Test, public ParkWorld {
 protected:
  /// 101 transfers a caller to `number` and hangs up. The orbit of the caller.
  std::string transfer(const std::string& number) {
    refer("101", number);
    settle();
    EXPECT_EQ(phones.conversations.size(), 1U);
    if (phones.conversations.empty()) return "";
    hang_up(only_park(), PartyEnd::kPeer);
    return store.rows.begin()->second.orbit;
  }
  /// The one call that parkd makes, or nothing.
  const FakePhones::Call* call_back() const { return phones.calls.empty() ? nullptr : &phones.calls.begin()->second; }
  bool is_playing() const {
    return std::any_of(media.sessions.begin(), media.sessions.end(),
                       [](const auto& session) { return session.first.starts_with("call-back-"); });
  }
};

TEST_F(CallBackTest, S5_ParkerIsCalledBackAfterItsTransfer) {
  refer("101", "*70");
  settle();
  EXPECT_EQ(call_back(), nullptr) << "the phone of the parker is still in the call";
  hang_up(only_park(), PartyEnd::kPeer);
  settle();
  const std::string orbit = store.rows.begin()->second.orbit;
  ASSERT_NE(call_back(), nullptr);
  EXPECT_EQ(call_back()->user, "101");
  EXPECT_EQ(call_back()->display, "Parked at " + orbit);
  EXPECT_EQ(call_back()->number, "*71" + orbit);
  EXPECT_EQ(call_back()->stage, FakePhones::Call::Stage::kConfirmed);
  media.play_out();
  settle();
  EXPECT_EQ(call_back(), nullptr) << "parkd hangs up after the announcement";
  EXPECT_FALSE(is_playing());
  pass(std::chrono::minutes(2));
  EXPECT_EQ(call_back(), nullptr) << "once";
  end_all();
}

TEST_F(CallBackTest, S5_ParkerThatStaysInTheCallIsCalledBackAfterItsBye) {
  refer("101", "*70");
  pass(Duration(2100));
  EXPECT_NE(call_back(), nullptr);
  end_all();
}

TEST_F(CallBackTest, S5_ParkerThatChoseTheOrbitIsNotCalledBack) {
  transfer("*68");
  settle();
  EXPECT_EQ(call_back(), nullptr);
  end_all();
}

TEST_F(CallBackTest, S5_ParkerThatHeardTheOrbitIsNotCalledBack) {
  dial_with_held("101", "*70");
  settle();
  media.play_out();
  settle();
  pass(seconds(5));
  EXPECT_EQ(call_back(), nullptr);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(CallBackTest, S5_CallBackCanBeTurnedOff) {
  store.calls_back = false;
  transfer("*70");
  settle();
  EXPECT_EQ(call_back(), nullptr);
  end_all();
}

TEST_F(CallBackTest, S5_CallBackNeedNotShowTheOrbit) {
  store.call_back_shows_orbit = false;
  const std::string orbit = transfer("*70");
  settle();
  ASSERT_NE(call_back(), nullptr);
  EXPECT_EQ(call_back()->display, "Call park");
  EXPECT_EQ(call_back()->number, "park");
  end_all();
}

TEST_F(CallBackTest, S5_ParkerThatDoesNotAnswerIsNotCalledAgain) {
  phones.extension_status = 0;
  transfer("*70");
  settle();
  ASSERT_NE(call_back(), nullptr);
  pass(seconds(21));
  EXPECT_EQ(call_back(), nullptr);
  EXPECT_FALSE(is_playing());
  pass(std::chrono::minutes(2));
  EXPECT_EQ(call_back(), nullptr);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(CallBackTest, S5_BusyParkerIsNotCalledAgain) {
  phones.extension_status = 486;
  transfer("*70");
  settle();
  EXPECT_EQ(call_back(), nullptr);
  EXPECT_FALSE(is_playing());
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(CallBackTest, S5_RetrieveStopsTheCallBack) {
  phones.extension_status = 0;
  const std::string orbit = transfer("*70");
  settle();
  dial("102", "*71" + orbit);
  settle();
  EXPECT_EQ(only_conversation().hears, "102");
  EXPECT_EQ(call_back(), nullptr) << "the orbit is empty";
  EXPECT_FALSE(is_playing());
  end_all();
}

TEST_F(CallBackTest, S5_CallerThatHangsUpStopsTheCallBack) {
  phones.extension_status = 0;
  transfer("*70");
  settle();
  hang_up(only_park(), PartyEnd::kCaller);
  settle();
  EXPECT_TRUE(phones.calls.empty());
  EXPECT_FALSE(is_playing());
  end_all();
}

TEST_F(CallBackTest, S5_ParkerIsNotCalledBackWithoutMediad) {
  refer("101", "*70");
  settle();
  media.is_away = true;
  hang_up(only_park(), PartyEnd::kPeer);
  settle();
  EXPECT_EQ(call_back(), nullptr);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

}  // namespace
}  // namespace callpark
