#include "base/json.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

TEST(Json, ReadsOneText) {
  const auto value = parse_json(R"({"method":"hello","params":{"protocol":1}})");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->at("params").at("protocol"), 1);
}

TEST(Json, WhatIsNotJsonIsAnError) {
  for (const char* text : {"", "{", "{} {}", "nul", "{'a':1}", "[1,]", "\"open", "\xff"}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error(), JsonError::kNotJson) << text;
  }
}

TEST(Json, ANulIsNotTheEndOfTheText) {
  for (const std::string_view behind : {std::string_view("\0", 1), std::string_view("\0 {}", 4)}) {
    EXPECT_EQ(parse_json("{}" + std::string(behind)).error(), JsonError::kNotJson);
  }
}

TEST(Json, ATextThatIsTooLongIsAnError) {
  EXPECT_TRUE(parse_json("[1,2]", {.bytes_max = 5}));
  EXPECT_EQ(parse_json("[1,23]", {.bytes_max = 5}).error(), JsonError::kTooLong);
}

TEST(Json, NestingIsBounded) {
  EXPECT_TRUE(parse_json(R"([{"a":[]}])", {.depth_max = 3}));
  EXPECT_EQ(parse_json(R"([{"a":[[]]}])", {.depth_max = 3}).error(), JsonError::kTooDeep);
  EXPECT_EQ(parse_json(std::string(50'000, '[')).error(), JsonError::kTooDeep);
}

TEST(Json, BracketsInStringsAreNoNesting) {
  EXPECT_TRUE(parse_json(R"(["[[[[{{{{", "\"[[[["])", {.depth_max = 1}));
}

TEST(Json, WritesOneLineWhateverTheBytesAre) {
  EXPECT_EQ(write_json({{"a", "line\nbreak"}}), R"({"a":"line\nbreak"})");
  EXPECT_EQ(write_json(std::string("bad \xff byte")), "\"bad \xEF\xBF\xBD byte\"");
}

TEST(Json, EveryErrorHasASentence) {
  for (const auto error : {JsonError::kTooLong, JsonError::kTooDeep, JsonError::kNotJson}) {
    EXPECT_FALSE(describe(error).empty());
  }
}

}  // namespace
}  // namespace callpark
