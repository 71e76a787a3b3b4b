#include "parkd/park/names.h"

#include <gtest/gtest.h>

namespace callpark::park {
namespace {

TEST(Names, StateHasTheNameOfItsPhase) {
  State state;
  state.phase = Joining{};
  EXPECT_EQ(name_of(state), "Joining");
  state.phase = Ended{};
  EXPECT_EQ(name_of(state), "Ended");
}

TEST(Names, ParkedStateHasTheNameOfItsRecallToo) {
  State state;
  state.phase = Parked{};
  EXPECT_EQ(name_of(state), "Parked");
  state.phase = Parked{{}, recall::Calling{1}};
  EXPECT_EQ(name_of(state), "Parked, recall calling");
}

TEST(Names, EventHasTheNameOfItsType) {
  EXPECT_EQ(name_of(Event{ParkAsked{}}), "ParkAsked");
  EXPECT_EQ(name_of(Event{TimerFired{}}), "TimerFired");
}

}  // namespace
}  // namespace callpark::park
