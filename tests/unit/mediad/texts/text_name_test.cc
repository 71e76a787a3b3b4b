#include "mediad/texts/text_name.h"

#include <gtest/gtest.h>

#include "mediad/prompts/audio_files.h"

namespace callpark::media {
namespace {

TEST(TextName, F7_ItIsTheHashOfLanguageAndText) {
  EXPECT_EQ(text_name("de", "Grüß Gott"), "text_d7461b24f906db802d5412f670d5e5dc");
  EXPECT_TRUE(is_text_name(text_name("", "")));
}

TEST(TextName, F7_EachLanguageAndEachTextHasItsOwn) {
  EXPECT_NE(text_name("de", "Taxi"), text_name("en", "Taxi"));
  EXPECT_NE(text_name("de", "Taxi"), text_name("de", "taxi"));
}

}  // namespace
}  // namespace callpark::media
