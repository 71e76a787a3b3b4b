#include "parkd/message/headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Headers, NamesAreFoundInAnyCase) {
  for (int i = 1; i <= static_cast<int>(HeaderName::kWwwAuthenticate); ++i) {
    const auto name = static_cast<HeaderName>(i);
    std::string text(text_of(name));
    EXPECT_EQ(header_name(text), name) << text;
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(header_name(text), name) << text;
  }
}

TEST(Headers, CompactFormsAreFound) {
  const std::vector<std::pair<std::string_view, HeaderName>> compact = {
      {"v", HeaderName::kVia},           {"f", HeaderName::kFrom},      {"t", HeaderName::kTo},
      {"i", HeaderName::kCallId},        {"m", HeaderName::kContact},   {"l", HeaderName::kContentLength},
      {"c", HeaderName::kContentType},   {"k", HeaderName::kSupported}, {"r", HeaderName::kReferTo},
      {"b", HeaderName::kReferredBy},    {"o", HeaderName::kEvent},     {"u", HeaderName::kAllowEvents},
      {"x", HeaderName::kSessionExpires}};
  for (const auto& [text, name] : compact) {
    EXPECT_EQ(header_name(text), name) << text;
    EXPECT_EQ(header_name(std::string(1, static_cast<char>(text[0] - 'a' + 'A'))), name) << text;
  }
}

TEST(Headers, UnknownNamesAreOther) {
  for (const std::string_view text : {"", "X-Callpark-Tenant", "Viaa", "Vi", "z", "Subject", "Max_Forwards", "\xff"}) {
    EXPECT_EQ(header_name(text), HeaderName::kOther) << text;
  }
}

TEST(Headers, ListsAreSplitOutsideQuotesAndBrackets) {
  EXPECT_THAT(split_list("a, b ,,\"c,\\\",d\" , <sip:x,y@h>;p, "),
              ElementsAre("a", "b", "\"c,\\\",d\"", "<sip:x,y@h>;p"));
  EXPECT_THAT(split_list(""), IsEmpty());
  EXPECT_THAT(split_list("a, \"b, c"), ElementsAre("a", "\"b, c"));
  EXPECT_THAT(split_list("a, <b, c"), ElementsAre("a", "<b, c"));
}

TEST(Headers, CSeqIsANumberBelowTwoToThe31AndAMethod) {
  EXPECT_EQ(parse_cseq("0009 \t INVITE"), (CSeq{9, "INVITE"}));
  EXPECT_EQ(parse_cseq("2147483647 BYE"), (CSeq{2147483647, "BYE"}));
  for (const std::string_view text : {"", "1", "INVITE", "1INVITE", "2147483648 BYE", "-1 BYE", "1 BYE x", " 1 BYE"}) {
    EXPECT_FALSE(parse_cseq(text)) << text;
  }
}

TEST(Headers, ReplacesNamesADialog) {
  const auto replaces = parse_replaces("c1@h ; to-tag = a;from-tag=b;early-only");
  ASSERT_TRUE(replaces);
  EXPECT_EQ(*replaces, (Replaces{"c1@h", "a", "b", true}));
  EXPECT_EQ(replaces->to_string(), "c1@h;to-tag=a;from-tag=b;early-only");
  for (const std::string_view text :
       {"", "c1@h", "c1@h;to-tag=a", "c1@h;from-tag=a", ";to-tag=a;from-tag=b", "c 1;to-tag=a;from-tag=b",
        "c1;to-tag;from-tag=b", "c1;to-tag=a;from-tag=b;;", "c1;to-tag=a;from-tag=b;to-tag=c"}) {
    EXPECT_FALSE(parse_replaces(text)) << text;
  }
}

TEST(Headers, StatusCodesHavePhrases) {
  EXPECT_EQ(reason_phrase(486), "Busy Here");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace callpark::sip
