#include "parkd/service/message_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace callpark {
namespace {

using testing::HasSubstr;
using testing::Not;

ParkEvent event(ParkEventKind kind, std::string how = "") {
  ParkEvent event;
  event.kind = kind;
  event.orbit = "102";
  event.parker = "101";
  event.caller = {"Client", "+442079460018"};
  event.by = "103";
  event.how = std::move(how);
  return event;
}

const std::vector<std::string> kLanguages = {"en", "es", "fr", "it", "ru"};

TEST(MessageText, N4_TextHasCallerOrbitAndNumberToDial) {
  EXPECT_EQ(message_text(event(ParkEventKind::kParked), "*88102", "en"),
            "Parked at 102: Client +442079460018. To pick up, dial *88102");
}

TEST(MessageText, L4_TextHasTheOutcomeOfTheCall) {
  EXPECT_EQ(message_text(event(ParkEventKind::kRetrieved), "", "en"),
            "Client +442079460018, parked at 102, was picked up by 103.");
  EXPECT_EQ(message_text(event(ParkEventKind::kGaveUp), "", "en"), "Client +442079460018, parked at 102, has hung up.");
  EXPECT_EQ(message_text(event(ParkEventKind::kRecalled, "fallback"), "", "en"),
            "Nobody picked up Client +442079460018, parked at 102. The call was taken by 103.");
  EXPECT_EQ(message_text(event(ParkEventKind::kEnded, "timed_out"), "", "en"),
            "Nobody picked up Client +442079460018, parked at 102. The call was ended.");
}

TEST(MessageText, L4_EndOfATalkHasNoText) {
  for (const auto& language : kLanguages) {
    EXPECT_EQ(message_text(event(ParkEventKind::kEnded, "hung_up"), "", language), "");
  }
}

TEST(MessageText, N4_EachLanguageHasTheSameFactsInItsOwnWords) {
  std::set<std::string> texts;
  for (const auto& language : kLanguages) {
    const std::string parked = message_text(event(ParkEventKind::kParked), "*88102", language);
    EXPECT_THAT(parked, HasSubstr("102"));
    EXPECT_THAT(parked, HasSubstr("Client +442079460018"));
    EXPECT_TRUE(parked.ends_with(" *88102")) << parked;
    texts.insert(parked);
    for (const auto& event_with_text :
         {event(ParkEventKind::kRetrieved), event(ParkEventKind::kRecalled, "ring_group")}) {
      const std::string text = message_text(event_with_text, "", language);
      EXPECT_THAT(text, HasSubstr("Client +442079460018"));
      EXPECT_THAT(text, HasSubstr("102"));
      EXPECT_THAT(text, HasSubstr("103"));
      texts.insert(text);
    }
    for (const auto& event_with_text : {event(ParkEventKind::kGaveUp), event(ParkEventKind::kEnded, "timed_out")}) {
      const std::string text = message_text(event_with_text, "", language);
      EXPECT_THAT(text, HasSubstr("Client +442079460018"));
      EXPECT_THAT(text, Not(HasSubstr("103")));
      texts.insert(text);
    }
  }
  EXPECT_EQ(texts.size(), 5 * kLanguages.size());
  for (const auto& text : texts) {
    EXPECT_THAT(text, Not(HasSubstr("{")));
    EXPECT_LT(text.size(), 300U) << "a MESSAGE has to fit into a datagram";
  }
}

TEST(MessageText, N4_VariantIsItsLanguageAndAnyOtherIsEnglish) {
  const auto parked = event(ParkEventKind::kParked);
  EXPECT_EQ(message_text(parked, "1", "es_MX"), message_text(parked, "1", "es"));
  EXPECT_EQ(message_text(parked, "1", "de"), message_text(parked, "1", "en"));
  EXPECT_EQ(message_text(parked, "1", ""), message_text(parked, "1", "en"));
}

TEST(MessageText, N6_WithheldNumberStaysWithheldInEveryLanguage) {
  auto parked = event(ParkEventKind::kParked);
  parked.caller = {};
  EXPECT_EQ(message_text(parked, "*88102", "en"), "Parked at 102: Withheld number. To pick up, dial *88102");
  for (const auto& language : kLanguages) {
    EXPECT_THAT(message_text(parked, "*88102", language), Not(HasSubstr(": .")));
  }
}

TEST(MessageText, N6_NameOrNumberAloneIsEnough) {
  auto parked = event(ParkEventKind::kParked);
  parked.caller = {"", "+4420"};
  EXPECT_THAT(message_text(parked, "1", "en"), HasSubstr(": +4420. "));
  parked.caller = {"+4420", "+4420"};
  EXPECT_THAT(message_text(parked, "1", "en"), HasSubstr(": +4420. "));
  parked.caller = {"Жанна \"Z\"", ""};
  EXPECT_THAT(message_text(parked, "1", "en"), HasSubstr(": Жанна \"Z\". "));
}

TEST(MessageText, N4_CallersNameIsNoPlaceholderAndNoNewLine) {
  auto parked = event(ParkEventKind::kParked);
  parked.caller = {"{dial}\r\n{orbit}", "1"};
  EXPECT_EQ(message_text(parked, "*88", "en"), "Parked at 102: {dial}  {orbit} 1. To pick up, dial *88");
}

}  // namespace
}  // namespace callpark
