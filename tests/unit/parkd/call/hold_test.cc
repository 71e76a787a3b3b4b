#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parkd/call/dialog_snapshot.h"

namespace callpark {
namespace {

const std::string kDesk = "udp:127.0.0.11:5060";
const std::string kMobile = "udp:127.0.0.12:5060";

Hold held(const std::string& device, int at) {
  return {device, WallTime(Duration(at))};
}

std::vector<Hold> all_holds() {
  std::vector<Hold> holds;
  for (const std::string& device : {kDesk, kMobile, std::string()}) {
    for (const int at : {0, 1, 2}) holds.push_back(held(device, at));
  }
  return holds;
}

TEST(Hold, S7_TheDevicesOwnCallGoesFirst) {
  EXPECT_TRUE(goes_before(held(kDesk, 1), held(kMobile, 2), kDesk));
  EXPECT_FALSE(goes_before(held(kMobile, 2), held(kDesk, 1), kDesk));
}

TEST(Hold, S7_OfTwoCallsOfADeviceTheOneHeldLastGoesFirst) {
  EXPECT_TRUE(goes_before(held(kDesk, 2), held(kDesk, 1), kDesk));
  EXPECT_FALSE(goes_before(held(kDesk, 1), held(kDesk, 2), kDesk));
}

TEST(Hold, S7_OfTwoCallsOfOtherDevicesTheOneHeldLastGoesFirst) {
  EXPECT_TRUE(goes_before(held(kMobile, 2), held("", 1), kDesk));
  EXPECT_FALSE(goes_before(held("", 1), held(kMobile, 2), kDesk));
}

TEST(Hold, S7_AHoldOfBeforeThisParkdGoesLastOfItsDevice) {
  EXPECT_FALSE(goes_before(held(kDesk, 0), held(kDesk, 1), kDesk));
  EXPECT_TRUE(goes_before(held(kDesk, 0), held(kMobile, 1), kDesk));
}

TEST(Hold, S7_OfEqualCallsTheFirstOneGoesFirst) {
  for (const Hold& hold : all_holds()) EXPECT_TRUE(goes_before(hold, hold, kDesk));
}

TEST(Hold, S7_OneOfTwoDifferentCallsGoesFirstAndTheOrderHasNoCircle) {
  for (const Hold& a : all_holds()) {
    for (const Hold& b : all_holds()) {
      ASSERT_TRUE(goes_before(a, b, kDesk) || goes_before(b, a, kDesk));
      for (const Hold& c : all_holds()) {
        if (goes_before(a, b, kDesk) && goes_before(b, c, kDesk)) {
          ASSERT_TRUE(goes_before(a, c, kDesk));
        }
      }
    }
  }
}

}  // namespace
}  // namespace callpark
