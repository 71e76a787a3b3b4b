// The test equipment itself: a phone that cannot hear would make every other end-to-end test worthless.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/support/baresip_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

TEST(TestEquipment, TwoBaresipsHearEachOther) {
  const TempDir directory("equipment");
  const LoopbackAddress john_address;
  const LoopbackAddress alice_address;
  const auto options = [&](const std::string& user, const LoopbackAddress& own, const LoopbackAddress& other,
                           int party) {
    const auto folder = directory.path() / user;
    std::filesystem::create_directory(folder);
    return PhoneOptions{.user = user,
                        .password = "none",
                        .registrar_address = other.text(),
                        .address = own.text(),
                        .tone = tone_hz(party),
                        .directory = folder};
  };
  BaresipPhone john(options("john", john_address, alice_address, 1));
  BaresipPhone alice(options("alice", alice_address, john_address, 2));
  const CallName out = john.dial("sip:alice@" + alice_address.text());
  const CallName in = alice.answer_next();
  EXPECT_TRUE(john.reaches(out, CallPhase::kEstablished));
  EXPECT_TRUE(hear_each_other(john, alice));
  alice.hold(in);
  EXPECT_TRUE(hears_nothing(john));
  EXPECT_TRUE(hears_nothing(alice));
  alice.resume(in);
  EXPECT_TRUE(hear_each_other(john, alice));
  john.hang_up(out);
  EXPECT_TRUE(alice.reaches(in, CallPhase::kClosed));
  EXPECT_TRUE(hears_nothing(john));
  if (HasFailure()) std::cerr << john.log() << alice.log();
}

}  // namespace
}  // namespace callpark::test
