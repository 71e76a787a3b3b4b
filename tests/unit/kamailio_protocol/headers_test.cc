// The header names of parkd and those of Kamailio's Lua are proved against one file.
#include "kamailio_protocol/headers.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"

namespace callpark::kamailio_protocol {
namespace {

using Names = std::map<std::string, std::string, std::less<>>;

Names names_of_parkd() {
  return {{"kTenant", std::string(kTenant)},       {"kUser", std::string(kUser)},
          {"kName", std::string(kName)},           {"kTrunk", std::string(kTrunk)},
          {"kDevice", std::string(kDevice)},       {"kDialog", std::string(kDialog)},
          {"kAdoption", std::string(kAdoption)},   {"kRecall", std::string(kRecall)},
          {"kCaller", std::string(kCaller)},       {"kRecallAfter", std::string(kRecallAfter)},
          {"kCancelled", std::string(kCancelled)}, {"kParkRate", std::string(kParkRate)},
          {"kUnproven", std::string(kUnproven)},   {"kVerdict", std::string(kVerdict)},
          {"kDialled", std::string(kDialled)},     {"kCSeq", std::string(kCSeq)}};
}

Json agreed_headers() {
  std::ifstream file(std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/kamailio_protocol/headers.json");
  return Json::parse(file);
}

TEST(KamailioProtocolHeaders, HaveTheAgreedNames) {
  Names agreed;
  for (const Json& header : agreed_headers()) agreed[header.at("constant")] = header.at("name");
  EXPECT_EQ(names_of_parkd(), agreed);
}

TEST(KamailioProtocolHeaders, AllButThePhonesOwnBeginAsKamailioStripsThem) {
  for (const Json& header : agreed_headers()) {
    const std::string name = header.at("name");
    EXPECT_EQ(name.starts_with("X-Callpark-"), header.at("direction") != "phone_to_parkd") << name;
  }
}

TEST(KamailioProtocolHeaders, HaveTheAgreedValues) {
  Json values;
  for (const Json& header : agreed_headers()) {
    if (header.contains("values")) values[std::string(header.at("name"))] = header.at("values");
  }
  const Json agreed{{std::string(kAdoption), {{"kReleased", kReleased}, {"kKept", kKept}}},
                    {std::string(kCancelled), {{"kYes", kYes}}}};
  EXPECT_EQ(values, agreed);
}

}  // namespace
}  // namespace callpark::kamailio_protocol
