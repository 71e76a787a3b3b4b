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
          .remote_sdp = "o=- 3 4 IN IP4 127.0.0.50\nm=audio 4000 RTP/AVP 0"};
}

TEST(ParkedCallCodec, ADialogIsTheSameAfterItsRow) {
  const DialogSnapshot dialog = full_dialog();
  EXPECT_EQ(parse_dialog(write_dialog(dialog)).value(), dialog);
  EXPECT_EQ(parse_dialog(write_dialog(DialogSnapshot{})).value(), DialogSnapshot{});
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

TEST(ParkedCallCodec, AMediaSessionIsTheSameAfterItsRow) {
  MediaSnapshot media{.session = "park-1", .local = {"127.0.0.3", 40000}, .ssrc = 4294967295U, .remote = {}};
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
  media.remote = MediaRemote{.remote = {"127.0.0.50", 50000},
                             .codec = {.name = "opus", .payload_type = 96, .clock_rate = 48000, .telephone_event = 101},
                             .listens = false};
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
  media.remote->codec.telephone_event = std::nullopt;
  EXPECT_EQ(parse_media(write_media(media)).value(), media);
}

TEST(ParkedCallCodec, WhatIsNotADialogIsRefusedWithAReason) {
  for (const std::string text : {"", "{", "[]", "7", "{}", R"({"call_id": 7})", R"({"call_id": "a"})"}) {
    const auto dialog = parse_dialog(text);
    ASSERT_FALSE(dialog) << text;
    EXPECT_FALSE(dialog.error().why.empty()) << text;
    EXPECT_FALSE(parse_media(text)) << text;
  }
}

}  // namespace
}  // namespace callpark
