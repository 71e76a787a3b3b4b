#include "base/utf8.h"

#include <gtest/gtest.h>

#include <random>

namespace callpark {
namespace {

TEST(Utf8, X22_LeavesWhatIsUtf8AsItIs) {
  for (const std::string text : {"", "Anna", "Jürgen", "Жанна", "日本", "a\xf0\x9f\x98\x80z", "\x01\x7f"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Utf8, X22_ReplacesEachByteThatIsNot) {
  EXPECT_EQ(valid_utf8("J\xfcrgen"), "J\ufffdrgen");
  EXPECT_EQ(valid_utf8("Жан\xfcна"), "Жан\ufffdна");
  EXPECT_EQ(valid_utf8("\xc3\""), "\ufffd\"") << "no other byte is lost with a character that is cut off";
  EXPECT_EQ(valid_utf8("\xe2\x82"), "\ufffd\ufffd");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "\ufffd\ufffd") << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\ufffd\ufffd\ufffd") << "a surrogate";
  EXPECT_EQ(valid_utf8("\xf5\x80\x80\x80"), "\ufffd\ufffd\ufffd\ufffd") << "beyond U+10FFFF";
}

TEST(Utf8, X22_CutsOffBetweenCharacters) {
  EXPECT_EQ(valid_utf8("Жанна", 2), "Жа");
  EXPECT_EQ(valid_utf8("J\xfcrgen", 3), "J\ufffdr");
  EXPECT_EQ(valid_utf8("日本", 2), "日本");
  EXPECT_EQ(valid_utf8("日本", 0), "");
}

TEST(Utf8, X22_IsValidOnceItHasBeenMadeValid) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 12, ' ');
    for (char& c : text) c = static_cast<char>(random() % 2 == 0 ? 0x80 + random() % 0x80 : random() % 0x80);
    const std::string valid = valid_utf8(text);
    EXPECT_EQ(valid_utf8(valid), valid);
    std::string_view rest = valid;
    while (!rest.empty()) {
      const Utf8Character character = first_utf8_character(rest);
      ASSERT_TRUE(character.code);
      rest.remove_prefix(character.bytes);
    }
  }
}

}  // namespace
}  // namespace callpark
