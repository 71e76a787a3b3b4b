#include "kamailio_protocol/call_question.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"

namespace callpark::kamailio_protocol {
namespace {

Json golden_questions() {
  std::ifstream file(std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/kamailio_protocol/questions.json");
  return Json::parse(file);
}

TEST(CallQuestion, B1_IsReadAsKamailioWritesIt) {
  for (const Json& golden : golden_questions()) {
    SCOPED_TRACE(golden.at("what").get<std::string>());
    const auto question = decode_call_question(golden.at("line").get<std::string>());
    ASSERT_TRUE(question) << question.error();
    EXPECT_EQ(question->sip_call_id, golden.at("call").at("call_id").get<std::string>());
    EXPECT_EQ(question->called, golden.at("call").at("called").get<std::string>());
    const Party caller = golden.contains("trunk") ? Party(Trunk{golden.at("trunk")})
                                                  : Party(*extension_of_aor(std::string(golden.at("extension"))));
    EXPECT_EQ(question->caller, caller);
    EXPECT_EQ(question->identity, (PartyIdentity{golden.at("name"), golden.at("number")}));
  }
}

TEST(CallQuestion, B1_WithoutACallACalledNumberOrACallerIsRefused) {
  const Json whole = {{"call_id", "a"}, {"called", "101"}, {"kind", "trunk"}, {"trunk", "t"}, {"uri", "sip:1@h"}};
  ASSERT_TRUE(decode_call_question(whole.dump()));
  for (const char* name : {"call_id", "called", "kind"}) {
    for (const Json& wrong : {Json(""), Json(7), Json(nullptr)}) {
      Json broken = whole;
      broken[name] = wrong;
      const auto question = decode_call_question(broken.dump());
      ASSERT_FALSE(question) << broken;
      EXPECT_NE(question.error().find(name), std::string::npos) << question.error();
    }
  }
  for (const char* text : {"", "[]", "7", "{", "{}"}) EXPECT_FALSE(decode_call_question(text)) << text;
}

TEST(CallQuestion, B1_ANameInLatin1IsReadable) {
  const auto question = decode_call_question(
      "{\"call_id\":\"a\",\"called\":\"1\",\"kind\":\"trunk\",\"uri\":\"sip:2@h\",\"display\":\"Zo\xeb\"}");
  ASSERT_TRUE(question);
  EXPECT_EQ(question->identity.number, "2");
}

}  // namespace
}  // namespace callpark::kamailio_protocol
