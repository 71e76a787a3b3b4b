#include "parkd/flow/pin.h"

#include <gtest/gtest.h>

#include <string>

namespace callpark::flow {
namespace {

Entry entered(std::string_view keys) {
  Entry entry;
  for (const char key : keys) entry.add(key);
  return entry;
}

bool is_right(std::string_view stored, std::string_view keys) {
  return is_right_pin(stored, entered(keys));
}

// printf saltsalt1234 | sha256sum
const std::string kHash = "sha256:saltsalt:9dabf8706dee7880b22d262d8cc1ea1eab14081f6a5a9dadf723296ce532344d";

TEST(Pin, F3_APlainPinIsRightDigitByDigit) {
  EXPECT_TRUE(is_right("1234", "1234"));
  for (const char* wrong : {"", "123", "12345", "1235", "0234", "4321", "1234A", "123*"}) {
    EXPECT_FALSE(is_right("1234", wrong)) << wrong;
  }
  EXPECT_TRUE(is_right("0", "0"));
  EXPECT_TRUE(is_right("1234567890123456", "1234567890123456"));
}

TEST(Pin, F3_AnEntryThatIsTooLongIsWrong) {
  EXPECT_FALSE(is_right("1234567890123456", "12345678901234567"));
  EXPECT_FALSE(is_right("1234567890123456", "1234567890123456" + std::string(1000, '7')));
  EXPECT_EQ(entered(std::string(1000, '7')).size(), kPinDigitsMax + 1);
}

TEST(Pin, F3_AHashIsOfSaltAndDigits) {
  EXPECT_TRUE(is_right(kHash, "1234"));
  for (const char* wrong : {"", "123", "12345", "1235", "4321"}) EXPECT_FALSE(is_right(kHash, wrong)) << wrong;
}

TEST(Pin, F3_AStoredTextThatIsNoPinIsNeverRight) {
  const std::string hex = kHash.substr(kHash.rfind(':') + 1);
  for (const std::string& stored :
       {std::string(), std::string("12345678901234567"), std::string("12a4"), "sha256:" + hex, "sha256:short:" + hex,
        "sha256:" + std::string(65, 's') + ":" + hex, "sha256:saltsalt:" + hex.substr(1),
        "sha256:saltsalt:" + hex + "0", "sha1:saltsalt:" + hex, "sha256:saltsalt:G" + hex.substr(1)}) {
    EXPECT_FALSE(is_right(stored, "1234")) << stored;
    EXPECT_FALSE(is_right(stored, "")) << stored;
  }
}

TEST(Pin, F3_OnlyAPlainPinHasALength) {
  EXPECT_EQ(plain_pin_length("1234"), 4U);
  EXPECT_EQ(plain_pin_length(""), 0U);
  EXPECT_EQ(plain_pin_length(kHash), 0U);
  EXPECT_EQ(plain_pin_length("12345678901234567"), 0U);
}

TEST(Pin, F3_AWipedEntryHasNoKeys) {
  Entry entry = entered("1234");
  const Entry copy = entry;
  entry.wipe();
  EXPECT_TRUE(entry.empty());
  EXPECT_EQ(entry.keys(), "");
  EXPECT_TRUE(entry == Entry());
  EXPECT_EQ(copy.keys(), "1234");
}

}  // namespace
}  // namespace callpark::flow
