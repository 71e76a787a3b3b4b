#include "parkd/authz/hook_request.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/json.h"

namespace callpark::authz {
namespace {

const std::filesystem::path kDirectory = std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/hook/requests";

WallTime at(std::int64_t milliseconds) {
  return WallTime(Duration(milliseconds));
}

constexpr std::int64_t kNow = 1'796'014'956'120;  // 2026-11-30T05:02:36.120Z

HookRequest park() {
  HookRequest request;
  request.event = HookEvent::kPark;
  request.tenant = "demo.callpark";
  request.direction = CallDirection::kIncoming;
  request.call_id = "3848276298220188511@atlanta.example.com";
  request.park_id = ParkId("abcdefghijklmnopqrstuvwxyz");
  request.parker = "101";
  request.caller_party = Trunk{"carrier"};
  request.caller = {"Zoë Ольга", "+390212345"};
  request.orbit = "102";
  request.asked_at = at(kNow);
  request.deadline = at(kNow + 3'600'000);
  return request;
}

HookRequest retrieve() {
  HookRequest request = park();
  request.event = HookEvent::kRetrieve;
  request.retriever = "103";
  request.park_group = "sales";
  request.parked_at = at(kNow - 61'005);
  return request;
}

HookRequest incoming_call() {
  HookRequest request;
  request.event = HookEvent::kIncomingCall;
  request.tenant = "demo.callpark";
  request.direction = CallDirection::kIncoming;
  request.call_id = "a84b4c76e66710";
  request.caller_party = Trunk{"carrier"};
  request.caller = {"", "+390212345"};
  request.called_extension = "101";
  request.asked_at = at(kNow);
  return request;
}

std::map<std::string, HookRequest> golden_requests() {
  std::map<std::string, HookRequest> requests{
      {"park", park()}, {"retrieve", retrieve()}, {"incoming_call", incoming_call()}};
  HookRequest& retry = requests["park_retry"] = park();
  retry.attempt = 2;
  HookRequest& random = requests["park_at_a_random_orbit"] = park();
  random.orbit.clear();
  random.direction = CallDirection::kInternal;
  random.caller_party = Extension{"demo.callpark", "102"};
  random.caller = {"Bob", "102"};
  HookRequest& withheld = requests["retrieve_of_a_withheld_caller"] = retrieve();
  withheld.caller = {};
  HookRequest& colleague = requests["retrieve_of_a_colleague_that_withholds_its_number"] = retrieve();
  colleague.direction = CallDirection::kInternal;
  colleague.caller_party = Extension{"demo.callpark", "102"};
  colleague.caller = {};
  HookRequest& dialled = requests["park_of_a_withheld_outside_party"] = park();
  dialled.direction = CallDirection::kOutgoing;
  dialled.caller_party = Outside{"+49301234567"};
  dialled.caller = {};
  HookRequest& junk = requests["park_with_bytes_that_are_not_utf8"] = park();
  junk.caller.name = "Zo\xeb \"the\" \\ \xf0\x9f\x98\x80\r\n\x01\x7f\xc2\x85 \xed\xa0\x80 \xff</script>";
  junk.call_id = "\xc0\xaf@\"";
  return requests;
}

TEST(HookRequest, B1_IsWrittenAsItsGoldenFile) {
  const auto requests = golden_requests();
  for (const auto& [name, request] : requests) {
    const std::filesystem::path path = kDirectory / (name + ".json");
    const std::string written = write_hook_request(request) + "\n";
    if (std::getenv("CALLPARK_WRITE_GOLDEN")) std::ofstream(path) << written;
    std::ostringstream golden;
    golden << std::ifstream(path).rdbuf();
    EXPECT_EQ(written, golden.str()) << name << ": CALLPARK_WRITE_GOLDEN=1 writes the files";
  }
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(kDirectory)) ++files;
  EXPECT_EQ(files, requests.size());
}

TEST(HookRequest, B1_HasTheMembersOfItsEventAndNoOthers) {
  HookRequest request = retrieve();
  request.called_extension = "104";
  const auto members = [&](HookEvent event) {
    request.event = event;
    std::set<std::string> names;
    const Json json = Json::parse(write_hook_request(request));
    for (const auto& [name, value] : json.items()) names.insert(name);
    for (const char* always : {"event", "attempt", "tenant", "direction", "call_id", "asked_at"}) {
      EXPECT_EQ(names.erase(always), 1U) << always;
    }
    return names;
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(members(HookEvent::kIncomingCall), (Names{"caller", "called_extension"}));
  EXPECT_EQ(members(HookEvent::kPark),
            (Names{"park_id", "parker", "parked_caller", "orbit", "park_group", "deadline"}));
  EXPECT_EQ(members(HookEvent::kRetrieve),
            (Names{"park_id", "parker", "retriever", "parked_caller", "orbit", "park_group", "parked_at", "deadline"}));
}

TEST(HookRequest, B1_OfAWithheldCallerNothingOfItsIdentityIsSent) {
  for (const Party& party : {Party(Extension{"demo.callpark", "4711"}), Party(Outside{"4711"})}) {
    HookRequest request = retrieve();
    request.caller_party = party;
    request.caller = {};
    const std::string written = write_hook_request(request);
    EXPECT_EQ(written.find("4711"), std::string::npos) << written;
    EXPECT_EQ(Json::parse(written).at("parked_caller"), (Json{{"withheld", true}}));
  }
}

TEST(HookRequest, B1_AKnownNameOrNumberIsNotWithheld) {
  HookRequest request = park();
  request.caller = {"Zoe", ""};
  EXPECT_EQ(Json::parse(write_hook_request(request)).at("parked_caller").at("withheld"), false);
  request.caller = {"", "102"};
  EXPECT_EQ(Json::parse(write_hook_request(request)).at("parked_caller").at("withheld"), false);
}

TEST(HookRequest, B1_IsOneLineOfJsonWhateverTheTextsAre) {
  for (int byte = 0; byte < 256; ++byte) {
    HookRequest request = retrieve();
    const std::string text = "a" + std::string(3, static_cast<char>(byte)) + "z";
    request.tenant = request.call_id = request.parker = request.retriever = request.orbit = request.park_group = text;
    request.called_extension = text;
    request.park_id = ParkId(text);
    request.caller_party = Trunk{text};
    request.caller = {text, text};
    const std::string written = write_hook_request(request);
    ASSERT_TRUE(Json::accept(written)) << byte;
    const Json json = Json::parse(written);
    const std::string name = json.at("parked_caller").at("name");
    EXPECT_TRUE(name.size() == 5 || name == "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz") << byte;
    for (const char c : written) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << byte;
    EXPECT_EQ(written.find("\\u00"), std::string::npos) << "an escaped control character: " << written;
  }
}

TEST(HookRequest, B1_HasABoundedLengthWhateverTheTextsAre) {
  for (const std::string& unit :
       {std::string("x"), std::string("\""), std::string("\xff"), std::string("\xf0\x9f\x98\x80"), std::string("\n")}) {
    std::string text;
    while (text.size() < 100'000) text += unit;
    HookRequest request = retrieve();
    request.tenant = request.call_id = request.parker = request.retriever = request.orbit = request.park_group = text;
    request.called_extension = text;
    request.park_id = ParkId(text);
    request.caller_party = Trunk{text};
    request.caller = {text, text};
    const std::string written = write_hook_request(request);
    EXPECT_LT(written.size(), 8U * 1024);
    EXPECT_TRUE(Json::accept(written));
  }
}

TEST(HookRequest, B1_TextsAreCutBetweenCharacters) {
  HookRequest request = park();
  request.caller.name.clear();
  for (int i = 0; i < 200; ++i) request.caller.name += "\xd1\x91";
  std::string expected;
  for (int i = 0; i < 128; ++i) expected += "\xd1\x91";
  EXPECT_EQ(Json::parse(write_hook_request(request)).at("parked_caller").at("name"), expected);
}

TEST(HookRequest, B1_OnlyTheAttemptDiffersInTheRetry) {
  HookRequest request = park();
  Json first = Json::parse(write_hook_request(request));
  request.attempt = 2;
  Json second = Json::parse(write_hook_request(request));
  EXPECT_EQ(first.at("attempt"), 1);
  EXPECT_EQ(second.at("attempt"), 2);
  first.erase("attempt");
  second.erase("attempt");
  EXPECT_EQ(first, second);
}

TEST(Rfc3339, IsUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(at(kNow)), "2026-11-30T05:02:36.120Z");
  EXPECT_EQ(rfc3339(at(951'782'399'999)), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(rfc3339(at(951'782'400'000)), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(rfc3339(at(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(at(253'402'300'799'999)), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace callpark::authz
