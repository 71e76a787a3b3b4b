#include "parkd/authz/hook_answer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "base/json.h"
#include "base/match.h"

namespace callpark::authz {
namespace {

using Kind = HookFailure::Kind;

std::string word_of(Kind kind) {
  switch (kind) {
    case Kind::kTooLong:
      return "too_long";
    case Kind::kTooDeep:
      return "too_deep";
    case Kind::kNotJson:
      return "not_json";
    case Kind::kDuplicateKey:
      return "duplicate_key";
    case Kind::kNotAnObject:
      return "not_an_object";
    case Kind::kMissing:
      return "missing";
    case Kind::kWrongType:
      return "wrong_type";
    case Kind::kWrongValue:
      return "wrong_value";
    case Kind::kMisplaced:
      return "misplaced";
  }
  return "";
}

// "bytes" has one character for each byte, up to U+00FF.
std::string body_of(const Json& row) {
  if (row.contains("body")) return row.at("body");
  const std::string utf8 = row.at("bytes");
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>(((byte & 0x03U) << 6U) | (static_cast<unsigned char>(utf8[++i]) & 0x3fU));
    }
  }
  return bytes;
}

// As a row of the file has it.
Json json_of(const Result<HookAnswer, HookFailure>& parsed) {
  Json json = Json::object();
  if (!parsed) {
    json["failure"] = word_of(parsed.error().kind);
    if (!parsed.error().member.empty()) json["member"] = parsed.error().member;
    return json;
  }
  Json& answer = json["answer"];
  std::visit(overloaded{[&](const HookAllow& allow) {
                          answer["decision"] = "allow";
                          const HookTerms& terms = allow.terms;
                          if (terms.max_park_seconds) answer["max_park_seconds"] = *terms.max_park_seconds;
                          if (!terms.display_name.empty()) answer["display_name"] = terms.display_name;
                          if (!terms.fallback_destination.empty()) {
                            answer["fallback_destination"] = terms.fallback_destination;
                          }
                        },
                        [&](const HookDeny& deny) {
                          answer["decision"] = "deny";
                          answer["reason"] = denial_of(deny.reason).word;
                          if (!deny.text.empty()) answer["text"] = deny.text;
                        }},
             *parsed);
  return json;
}

TEST(HookAnswer, B2_EachOfTheListIsReadOrRefusedAsItSays) {
  std::ifstream file(std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/hook/answers.json");
  const Json rows = Json::parse(file);
  EXPECT_GE(rows.size(), 100U);
  std::set<std::string> failures;
  for (const Json& row : rows) {
    Json expected = row;
    for (const char* input : {"about", "body", "bytes"}) expected.erase(input);
    EXPECT_EQ(write_json(json_of(parse_hook_answer(body_of(row)))), write_json(expected)) << row.at("about");
    if (row.contains("failure")) failures.insert(row.at("failure").get<std::string>());
  }
  EXPECT_EQ(failures, (std::set<std::string>{"duplicate_key", "misplaced", "missing", "not_an_object", "not_json",
                                             "too_deep", "wrong_type", "wrong_value"}));
}

TEST(HookAnswer, B2_MayHave16384BytesAndNoMore) {
  std::string body = R"({"decision":"allow"})";
  body.append(16384 - body.size(), ' ');
  EXPECT_TRUE(parse_hook_answer(body));
  EXPECT_EQ(parse_hook_answer(body + ' ').error(), HookFailure{Kind::kTooLong});
}

TEST(HookAnswer, B2_LongGarbageIsRefusedByItsLengthAlone) {
  EXPECT_EQ(parse_hook_answer(std::string(10 << 20, '[')).error(), HookFailure{Kind::kTooLong});
}

TEST(HookAnswer, B2_NoShortenedAnswerIsOne) {
  const std::string allow = R"({"decision":"allow","max_park_seconds":60,"display_name":"Zoe"})";
  for (std::size_t size = 0; size < allow.size(); ++size) {
    EXPECT_FALSE(parse_hook_answer(allow.substr(0, size))) << allow.substr(0, size);
  }
}

TEST(HookAnswer, B2_FailuresAreDescribedWithoutTheHooksOwnText) {
  std::set<std::string> sentences;
  for (const char* body :
       {"", "[]", "{}", R"({"decision":"marker"})", R"({"decision":1})", R"({"decision":"allow","reason":"marker"})",
        R"({"marker":1,"marker":2})", "[[[[[[[[[]]]]]]]]]", R"({"decision":"deny","reason":"marker"})"}) {
    const auto parsed = parse_hook_answer(body);
    ASSERT_FALSE(parsed) << body;
    const std::string sentence = describe(parsed.error());
    EXPECT_EQ(sentence.find("marker"), std::string::npos) << sentence;
    sentences.insert(sentence);
  }
  EXPECT_EQ(sentences.size(), 9U);
}

TEST(DenyReason, B2_EachHasOneRowAndItsOwnWord) {
  std::set<std::string_view> words;
  for (const Denial& denial : kDenials) {
    EXPECT_EQ(&denial_of(denial.reason), &denial) << denial.word;
    EXPECT_EQ(deny_reason_of(denial.word), denial.reason) << denial.word;
    words.insert(denial.word);
  }
  EXPECT_EQ(words.size(), kDenials.size());
  EXPECT_EQ(deny_reason_of(""), std::nullopt);
  EXPECT_EQ(deny_reason_of("Blocked"), std::nullopt);
}

TEST(DenyReason, B2_EachEndsTheRequestForGoodAndWithAPhrase) {
  for (const Denial& denial : kDenials) {
    // 408, 481 and 491 mean something about the dialog, and 401 and 407 make a phone ask for a password.
    EXPECT_TRUE(std::set<int>({402, 403, 480, 486}).count(denial.status)) << denial.word;
    EXPECT_NE(denial.phrase, "") << denial.word;
  }
}

// Each prompt is a sentence that tools/build_prompts has in every language.
TEST(DenyReason, B2_EachHasASentenceInEveryLanguage) {
  std::ostringstream text;
  text << std::ifstream(std::filesystem::path(CALLPARK_SOURCE_DIR) / "tools/build_prompts").rdbuf();
  const auto languages_with = [&](std::string_view prompt) {
    const std::string line = "\n" + std::string(prompt) + "|";
    std::size_t count = 0;
    for (std::size_t at = text.str().find(line); at != std::string::npos; at = text.str().find(line, at + 1)) ++count;
    return count;
  };
  for (const Denial& denial : kDenials) EXPECT_EQ(languages_with(denial.prompt), 6U) << denial.prompt;
  EXPECT_EQ(languages_with(FailureDenial::kPrompt), 6U);
}

}  // namespace
}  // namespace callpark::authz
