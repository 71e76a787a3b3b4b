#include "parkd/store/parked_call_codec.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

DialogSnapshot full_dialog() {
  return {.call_id = "c543588f7ec7886a@127.0.0.11",
          .local_tag = "local",
          .remote_tag = "remote",
          .local_uri = "sip:102@demo.callpark",
          .local_display = "Bob",
          .remote_uri = "sip:+442030000999@127.0.0.50",
          .remote_display = "J\xc3\xb6rg \"the\" \\ 'Caller'\t",
          .local_cseq = 4294967295U,
          .remote_cseq = 0,
          .remote_target = "sip:trunk@127.0.0.50:5070;transport=tcp",
          .route_set = {"<sip:127.0.0.1;lr;ftag=aa>", "<sip:10.0.0.1;lr>"},
          .local_sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n",
          .remote_sdp = "o=- 3 4 IN IP4 127.0.0.50\nm=audio 4000 RTP/AVP 0",
          .remote_identity = {"Client \"Q\" \xd0\x96", "+442030000999"},
          .remote_party = Extension{"demo.callpark", "105"},
          .remote_allow = "INVITE UPDATE",
          .session_seconds = 90,
          .session_we_refresh = true,
          .remote_was_called = true};
}

TEST(ParkedCallCodec, ADialogIsTheSameAfterItsRow) {
  const DialogSnapshot dialog = full_dialog();
  EXPECT_EQ(parse_dialog(write_dialog(dialog)).value(), dialog);
  EXPECT_EQ(parse_dialog(write_dialog(DialogSnapshot{})).value(), DialogSnapshot{});
}

// The column caller_uri is computed from this key.
TEST(ParkedCallCodec, TheAorOfAnExtensionIsInTheJsonAndNoOtherPartyHasOne) {
  DialogSnapshot dialog = full_dialog();
  EXPECT_NE(write_dialog(dialog).find(R"("remote_aor":"105@demo.callpark")"), std::string::npos);
  for (const Party& party : {Party(Outside{}), Party(Outside{"+4930"}), Party(Trunk{"demo"})}) {
    dialog.remote_party = party;
    EXPECT_NE(write_dialog(dialog).find(R"("remote_aor":"")"), std::string::npos);
    EXPECT_EQ(parse_dialog(write_dialog(dialog)).value().remote_party, Party(Outside{}));
  }
}

TEST(ParkedCallCodec, ARowOfAnOlderParkdWithoutAorIsRead) {
  std::string text = write_dialog(full_dialog());
  const std::string member = R"("remote_aor":"105@demo.callpark",)";
  ASSERT_NE(text.find(member), std::string::npos) << text;
  text.erase(text.find(member), member.size());
  EXPECT_EQ(parse_dialog(text).value().remote_party, Party(Outside{}));
}

TEST(ParkedCallCodec, X12_ARowOfAnOlderParkdWithoutASessionTimerIsRead) {
  DialogSnapshot dialog = full_dialog();
  dialog.session_seconds = 0;
  dialog.session_we_refresh = false;
  dialog.remote_allow.clear();
  const std::string text = write_dialog(dialog);
  EXPECT_EQ(text.find("session"), std::string::npos);
  EXPECT_EQ(text.find("allow"), std::string::npos);
  EXPECT_EQ(parse_dialog(text).value(), dialog);
}

TEST(ParkedCallCodec, ARetrieverIsTheSameAfterItsRow) {
  const std::string tenant = "demo.callpark";
  for (const std::optional<Party>& retriever :
       {std::optional<Party>(), std::optional<Party>(Extension{tenant, "102"}), std::optional<Party>(Trunk{"demo"}),
        std::optional<Party>(Trunk{"two words"}), std::optional<Party>(Outside{"+442030000999"})}) {
    EXPECT_EQ(parse_retriever(tenant, write_retriever(retriever)), retriever);
  }
  EXPECT_EQ(write_retriever(std::nullopt), "");
  EXPECT_EQ(write_retriever(Extension{tenant, "102"}), "102");
  EXPECT_EQ(write_retriever(Trunk{"demo"}), "trunk demo");
  EXPECT_EQ(write_retriever(Outside{"+44"}), "+44");
}

TEST(ParkedCallCodec, TheCallerUriOfAnExtensionIsItsAorWhateverItsUriIs) {
  DialogSnapshot dialog = full_dialog();
  EXPECT_EQ(caller_uri_of(dialog), "sip:105@demo.callpark");
  dialog.remote_party = Outside{};
  EXPECT_EQ(caller_uri_of(dialog), "sip:+442030000999@127.0.0.50");
}

TEST(ParkedCallCodec, OnlyAUriOfTheTenantIsAnExtension) {
  const std::string tenant = "demo.callpark";
  EXPECT_EQ(extension_of_uri(tenant, "sip:105@demo.callpark"), (Extension{tenant, "105"}));
  for (const char* uri : {"", "sip:", "sip:105", "sip:@demo.callpark", "105@demo.callpark", "sips:105@demo.callpark",
                          "sip:105@127.0.0.50", "sip:105@demo.callpark:5060", "sip:105@other.callpark"}) {
    EXPECT_EQ(extension_of_uri(tenant, uri), std::nullopt) << uri;
  }
}

TEST(ParkedCallCodec, NoRequestSeenIsNotTheSameAsCSeqZero) {
  DialogSnapshot dialog = full_dialog();
  dialog.remote_cseq = std::nullopt;
  EXPECT_EQ(parse_dialog(write_dialog(dialog)).value().remote_cseq, std::nullopt);
}

TEST(ParkedCallCodec, BytesThatAreNotUtf8DoNotStopARow) {
  DialogSnapshot dialog = full_dialog();
  dialog.remote_display = "J\xf6rg";
  EXPECT_EQ(parse_dialog(write_dialog(dialog)).value().remote_display, "J\xef\xbf\xbdrg");
}

TEST(ParkedCallCodec, X18_ShortPacketsAreInTheRow) {
  MediaSnapshot media{.session = "park-1", .local = {"127.0.0.3", 40000}, .ssrc = 1, .remote = MediaRemote{}};
  EXPECT_EQ(write_media(media).find("packet_ms"), std::string::npos);
  media.remote->codec.packet_ms = 10;
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
}

TEST(ParkedCallCodec, AMediaSessionIsTheSameAfterItsRow) {
  MediaSnapshot media{.session = "park-1", .local = {"127.0.0.3", 40000}, .ssrc = 4294967295U, .remote = {}};
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
  media.remote = MediaRemote{.remote = {"127.0.0.50", 50000},
                             .codec = {.name = "opus", .payload_type = 96, .clock_rate = 48000, .telephone_event = 101},
                             .listens = false};
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
  media.remote->codec.telephone_event = std::nullopt;
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
  media.remote->latching = true;
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
}

RecallColumn full_recall() {
  return {.settings = {.mode = park::RecallMode::kParkerThenRingGroup,
                       .after_seconds = 91,
                       .ring_seconds = 31,
                       .retry_seconds = 11,
                       .attempts_max = 4,
                       .alert_ring_group_wait_seconds = 32,
                       .ring_group = "600",
                       .fallback_destination = "+442079460000",
                       .fallback_ring_seconds = 61},
          .progress = {.target = park::RecallTarget::kRingGroup, .attempts = 3, .is_calling = true}};
}

TEST(ParkedCallCodec, O4_ARecallIsTheSameAfterItsRow) {
  RecallColumn recall = full_recall();
  EXPECT_EQ(parse_recall(write_recall(recall)).value(), recall);
  EXPECT_EQ(parse_recall(write_recall(RecallColumn{})).value(), RecallColumn{});
  for (const park::RecallMode mode : {park::RecallMode::kOff, park::RecallMode::kParkerOnly,
                                      park::RecallMode::kParkerThenRingGroup, park::RecallMode::kRingGroupOnly}) {
    for (const park::RecallTarget target : {park::RecallTarget::kNone, park::RecallTarget::kParker,
                                            park::RecallTarget::kRingGroup, park::RecallTarget::kFallback}) {
      recall.settings.mode = mode;
      recall.progress.target = target;
      EXPECT_EQ(parse_recall(write_recall(recall)).value(), recall);
    }
  }
}

TEST(ParkedCallCodec, X17_TheFallbackOfARowWithoutItsSecondsRingsFor60) {
  std::string text = write_recall(full_recall());
  const std::string setting = "\"fallback_ring_seconds\":61,";
  ASSERT_NE(text.find(setting), std::string::npos) << text;
  text.erase(text.find(setting), setting.size());
  EXPECT_EQ(parse_recall(text).value().settings.fallback_ring_seconds, 60);
}

TEST(ParkedCallCodec, ARecallOfAnUnknownModeOrTargetIsRefusedWithAReason) {
  const std::string text = write_recall(full_recall());
  for (const auto& [word, other] : {std::pair<std::string, std::string>{"parker_then_ring_group", "ring_everybody"},
                                    {"\"target\":\"ring_group\"", "\"target\":\"boss\""},
                                    {"\"attempts\":3", "\"attempts\":\"three\""},
                                    {"\"is_calling\"", "\"calls\""}}) {
    std::string changed = text;
    ASSERT_NE(changed.find(word), std::string::npos) << word << " in " << text;
    changed.replace(changed.find(word), word.size(), other);
    const auto recall = parse_recall(changed);
    ASSERT_FALSE(recall) << changed;
    EXPECT_FALSE(recall.error().why.empty());
  }
}

TEST(ParkedCallCodec, WhatIsNotADialogIsRefusedWithAReason) {
  for (const std::string text : {"", "{", "[]", "7", "{}", R"({"call_id": 7})", R"({"call_id": "a"})"}) {
    const auto dialog = parse_dialog(text);
    ASSERT_FALSE(dialog) << text;
    EXPECT_FALSE(dialog.error().why.empty()) << text;
    EXPECT_FALSE(parse_media(text)) << text;
    EXPECT_FALSE(parse_recall(text)) << text;
  }
}

}  // namespace
}  // namespace callpark
