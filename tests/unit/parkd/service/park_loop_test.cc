// Each transition of a park machine is one line of the log, under the Call-ID of the parked caller.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ParkLoopTest : public testing::Test, public ParkWorld {
 protected:
  /// The transitions that are logged meanwhile, without time and level: "[call-1] New -> Gathering on ParkAsked".
  template <class Act>
  std::vector<std::string> transitions(Act act) {
    set_log_level(LogLevel::kInfo);
    testing::internal::CaptureStderr();
    act();
    settle();
    std::istringstream lines(testing::internal::GetCapturedStderr());
    set_log_level(LogLevel::kOff);
    const std::string prefix = "parked call " + only_park().text() + ": ";
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t at = line.find(prefix);
      if (at == std::string::npos) continue;
      found.push_back(line.substr(line.find('['), at - line.find('[')) + line.substr(at + prefix.size()));
    }
    return found;
  }
};

TEST_F(ParkLoopTest, TransitionsOfAParkAreLogged) {
  EXPECT_THAT(
      transitions([this] { refer(); }),
      ElementsAre("[call-1] New -> Gathering on ParkAsked", "[call-1] Gathering -> Gathering on MediaOpened",
                  "[call-1] Gathering -> Adopting on OrbitClaimed", "[call-1] Adopting -> Recording on CallerAccepted",
                  "[call-1] Recording -> Parked on RowWritten"));
  end_all();
}

TEST_F(ParkLoopTest, TransitionsOfATakeOverAreLogged) {
  park();
  kill();
  EXPECT_THAT(transitions([this] { recover(); }),
              ElementsAre("[call-1] Row -> Parked on TakenOver", "[call-1] Parked -> Parked on MediaOpened"));
  end_all();
}

TEST_F(ParkLoopTest, EventThatChangesNothingIsNotLogged) {
  const ParkId id = retrieve();
  EXPECT_THAT(transitions([&] {
                service->on_offer_accepted(conversation_of(id), 1, std::nullopt);
                service->on_offer_refused(conversation_of(id), 1, park::RefusalReason::kNotAcceptable, false);
              }),
              IsEmpty());
  end_all();
}

}  // namespace
}  // namespace callpark
