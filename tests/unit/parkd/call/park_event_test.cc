#include "parkd/call/park_event.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

TEST(ParkEventName, EachKindHasANameOfItsOwn) {
  EXPECT_EQ(name_of(ParkEventKind::kParked), "parked");
  EXPECT_EQ(name_of(ParkEventKind::kRetrieved), "retrieved");
  EXPECT_EQ(name_of(ParkEventKind::kGaveUp), "gave_up");
  EXPECT_EQ(name_of(ParkEventKind::kRecalled), "recalled");
  EXPECT_EQ(name_of(ParkEventKind::kEnded), "ended");
}

}  // namespace
}  // namespace callpark
