// The test equipment itself: a phone that cannot hear would make every other end-to-end test worthless.
#include <gtest/gtest.h>

#include "tests/support/baresip_phone.h"
#include "tests/support/linphone_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

/// Two phones without a registrar: each takes the other for its outbound proxy.
class TestEquipment : public testing::Test {
 protected:
  PhoneOptions options(const std::string& user, const LoopbackAddress& own, const LoopbackAddress& other, int party) {
    const auto folder = directory_.path() / user;
    std::filesystem::create_directory(folder);
    return PhoneOptions{.user = user,
                        .password = "none",
                        .registrar_address = other.text(),
                        .address = own.text(),
                        .tone = tone_hz(party),
                        .directory = folder};
  }
  PhoneOptions john() { return options("john", john_address_, alice_address_, 1); }
  PhoneOptions alice() { return options("alice", alice_address_, john_address_, 2); }

  void talk_hold_and_end(Phone& caller, Phone& callee) {
    const CallName out = caller.dial("sip:" + callee.options().user + "@" + callee.options().address);
    const CallName in = callee.answer_next();
    ASSERT_TRUE(caller.reaches(out, CallPhase::kEstablished));
    EXPECT_TRUE(hear_each_other(caller, callee));
    callee.hold(in);
    EXPECT_TRUE(hears_nothing(callee));
    callee.resume(in);
    EXPECT_TRUE(hear_each_other(caller, callee));
    caller.hang_up(out);
    EXPECT_TRUE(callee.reaches(in, CallPhase::kClosed));
    EXPECT_TRUE(hears_nothing(caller));
  }

  const TempDir directory_{"equipment"};
  const LoopbackAddress john_address_;
  const LoopbackAddress alice_address_;
};

TEST_F(TestEquipment, TwoBaresipsHearEachOther) {
  BaresipPhone john_phone(john());
  BaresipPhone alice_phone(alice());
  talk_hold_and_end(john_phone, alice_phone);
}

TEST_F(TestEquipment, BaresipCallsLinphone) {
  BaresipPhone john_phone(john());
  LinphonePhone alice_phone(alice());
  talk_hold_and_end(john_phone, alice_phone);
}

TEST_F(TestEquipment, LinphoneCallsBaresip) {
  LinphonePhone john_phone(john());
  BaresipPhone alice_phone(alice());
  talk_hold_and_end(john_phone, alice_phone);
}

}  // namespace
}  // namespace callpark::test
