#include "media_protocol/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace callpark::media {
namespace {

using testing::HasSubstr;

Request round_trip(const Request& request) {
  const auto decoded = decode_request(encode_request(7, request));
  EXPECT_TRUE(decoded.has_value()) << decoded.error().error.message;
  if (!decoded) return CodecList{};
  EXPECT_EQ(decoded->id, RequestId{std::int64_t{7}});
  EXPECT_FALSE(decoded->wants_no_answer);
  return decoded->request;
}

RpcError refusal_of(std::string_view line) {
  const auto decoded = decode_request(line);
  EXPECT_FALSE(decoded.has_value()) << line;
  return decoded ? RpcError{} : decoded.error().error;
}

SessionOpen full_open() {
  SessionOpen open;
  open.session = "call-1";
  open.port = 16002;
  open.remote = Endpoint{"127.0.0.11", 4002};
  open.latching = true;
  open.codec = Codec{CodecName::kOpus, 107, 48000, 101};
  open.ssrc = 0xFFFF'FFFF;
  open.sequence = 65535;
  open.timestamp = 4'000'000'000;
  open.play = Announcement{"en", {Prompt{"call_parked"}, Digits{"*71333"}}, Then::kMusic, 2};
  open.play_id = "p1";
  return open;
}

TEST(MediaCodec, EveryRequestSurvivesTheWire) {
  SessionUpdate update;
  update.session = "call-1";
  update.remote = Endpoint{"::1", 4002};
  update.latching = true;
  update.codec = Codec{.packet_ms = 10};
  update.play = Ringback{};
  update.send = false;
  const Request requests[] = {Hello{"parkd", 1},
                              full_open(),
                              SessionOpen{.session = "bare"},
                              update,
                              SessionPlay{"call-1", "p2", Music{"jazz"}},
                              SessionPlay{"call-1", "p3", Silence{}},
                              SessionClose{"call-1"},
                              SessionList{"call-0"},
                              CodecList{},
                              TextPrepare{"de", "Grüß Gott: \"--help\" $(reboot)"}};
  for (const Request& request : requests) EXPECT_EQ(round_trip(request), request);
}

TEST(MediaCodec, EveryAnswerSurvivesTheWire) {
  SessionState state{"call-1", 16002, 5, Endpoint{"127.0.0.1", 9}, Codec{}, true, 1'000'000'000'000, 3};
  const Answer answers[] = {HelloResult{1, "abc"},
                            SessionOpenResult{"127.0.0.1", 16002, 77},
                            SessionUpdateResult{},
                            SessionPlayResult{},
                            SessionCloseResult{10, 20},
                            SessionListResult{{state}, true},
                            CodecListResult{{{CodecName::kPcmu, 8000, 0}, {CodecName::kOpus, 48000, std::nullopt}}},
                            TextPrepareResult{"text_00112233445566778899aabbccddeeff"}};
  for (const Answer& answer : answers) {
    const auto decoded = decode_message_from_mediad(encode_answer(std::int64_t{9}, answer),
                                                    [&](std::int64_t) { return answer.index(); });
    ASSERT_TRUE(decoded.has_value()) << decoded.error().error.message;
    const auto& response = std::get<Response>(*decoded);
    EXPECT_EQ(response.id, 9);
    ASSERT_TRUE(response.answer.has_value());
    EXPECT_EQ(*response.answer, answer);
  }
}

TEST(MediaCodec, EveryNotificationSurvivesTheWire) {
  const Notification notifications[] = {
      SessionPlayed{"s", "p", true}, SessionPlayed{"s", "p", false, "/p/en/x.wav is empty"},
      SessionDigit{"s", '#', 120},   SessionNoRtp{"s"},
      SessionNoRtp{"s", true},       SessionExpired{"s"}};
  for (const Notification& notification : notifications) {
    const auto decoded =
        decode_message_from_mediad(encode_notification(notification), [](std::int64_t) { return std::nullopt; });
    ASSERT_TRUE(decoded.has_value()) << decoded.error().error.message;
    EXPECT_EQ(std::get<Notification>(*decoded), notification);
  }
}

TEST(MediaCodec, ErrorsComeBackWithTheirCodeAndSentence) {
  const auto decoded = decode_message_from_mediad(
      encode_error(std::int64_t{3}, {ErrorCode::kPortTaken, "port 16000 is in use"}), [](std::int64_t) { return 1; });
  ASSERT_TRUE(decoded.has_value());
  const auto& response = std::get<Response>(*decoded);
  ASSERT_FALSE(response.answer.has_value());
  EXPECT_EQ(response.answer.error(), (RpcError{ErrorCode::kPortTaken, "port 16000 is in use"}));
}

TEST(MediaCodec, ALineHoldsNoNewline) {
  EXPECT_EQ(encode_request(1, SessionClose{"a\nb"}).find('\n'), std::string::npos);
}

TEST(MediaCodec, IdsOfAnyJsonRpcKindAreEchoed) {
  const auto text = decode_request(R"({"jsonrpc":"2.0","id":"x","method":"codecs"})");
  ASSERT_TRUE(text.has_value());
  EXPECT_THAT(encode_answer(text->id, CodecListResult{}), HasSubstr(R"("id":"x")"));
  const auto none = decode_request(R"({"jsonrpc":"2.0","method":"codecs"})");
  ASSERT_TRUE(none.has_value());
  EXPECT_TRUE(none->wants_no_answer);
}

TEST(MediaCodec, WhatIsNoRequestIsRefusedByJsonRpcsOwnCodes) {
  EXPECT_EQ(refusal_of("{").code, ErrorCode::kParseError);
  EXPECT_EQ(refusal_of("").code, ErrorCode::kParseError);
  EXPECT_EQ(refusal_of("[]").code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"1.0","id":1,"method":"codecs"})").code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1.5,"method":"codecs"})").code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":5})").code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"reboot"})").code, ErrorCode::kMethodNotFound);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"session.open","params":[]})").code,
            ErrorCode::kInvalidParams);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"session.open"})").code, ErrorCode::kInvalidParams);
}

TEST(MediaCodec, OneRefusalNamesEveryBadMember) {
  const RpcError error = refusal_of(
      R"({"jsonrpc":"2.0","id":1,"method":"session.open","params":{"session":"","port":16001,"remote":{"address":"x","port":70000},)"
      R"("codec":{"name":"speex","payload_type":200,"clock_rate":7}}})");
  EXPECT_EQ(error.code, ErrorCode::kInvalidParams);
  for (const char* part : {"params.session", "params.port must be even", "params.remote.port", "params.codec.name",
                           "params.codec.payload_type", "params.codec.clock_rate"}) {
    EXPECT_THAT(error.message, HasSubstr(part));
  }
}

TEST(MediaCodec, ARefusalKeepsTheIdOfTheRequest) {
  const auto decoded = decode_request(R"({"jsonrpc":"2.0","id":42,"method":"session.close","params":{}})");
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().id, RequestId{std::int64_t{42}});
}

TEST(MediaCodec, NamesCannotClimbOutOfTheirDirectory) {
  for (const char* name : {"../etc", "a/b", ".hidden", ""}) {
    const std::string line =
        R"({"jsonrpc":"2.0","id":1,"method":"session.play","params":{"session":"s","play_id":"p","play":{"music":")" +
        std::string(name) + "\"}}}";
    EXPECT_EQ(refusal_of(line).code, ErrorCode::kInvalidParams) << name;
  }
}

TEST(MediaCodec, X35_AnAbsentLatchingIsFalse) {
  SessionUpdate update{.session = "s"};
  update.remote = Endpoint{"127.0.0.11", 4002};
  EXPECT_EQ(encode_request(1, update).find("latching"), std::string::npos) << "an older mediad sees nothing new";
  EXPECT_FALSE(std::get<SessionUpdate>(round_trip(update)).latching);
}

RpcError refusal_of_codec(const std::string& codec) {
  return refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"session.update","params":{"session":"s","codec":)" + codec +
                    "}}");
}

TEST(MediaCodec, X18_PacketsAreOfTwentyMillisecondsOrTen) {
  const SessionUpdate plain{.session = "s", .codec = Codec{}};
  EXPECT_EQ(encode_request(1, plain).find("packet_ms"), std::string::npos) << "an older mediad sees nothing new";
  EXPECT_EQ(std::get<SessionUpdate>(round_trip(plain)).codec->packet_ms, 20);
  for (const char* packet_ms : {"5", "15", "30", "\"20\""}) {
    const RpcError error = refusal_of_codec(R"({"name":"PCMU","payload_type":0,"clock_rate":8000,"packet_ms":)" +
                                            std::string(packet_ms) + "}");
    EXPECT_EQ(error.code, ErrorCode::kInvalidParams) << packet_ms;
    EXPECT_THAT(error.message, HasSubstr("packet_ms"));
  }
}

TEST(MediaCodec, X18_OpusHasNoPacketsOfTenMilliseconds) {
  const RpcError error = refusal_of_codec(R"({"name":"opus","payload_type":107,"clock_rate":48000,"packet_ms":10})");
  EXPECT_EQ(error.code, ErrorCode::kInvalidParams);
  EXPECT_THAT(error.message, HasSubstr("must be 20 for opus"));
}

TEST(MediaCodec, AListOfPromptsIsLimited) {
  SessionPlay play{"s", "p", Announcement{"en", std::vector<Spoken>(64, Prompt{"call_parked"})}};
  EXPECT_EQ(round_trip(play), Request(play));
  std::get<Announcement>(play.play).list.push_back(Prompt{"call_parked"});
  EXPECT_EQ(refusal_of(encode_request(1, play)).code, ErrorCode::kInvalidParams);
  play.play = Announcement{"en", {Digits{std::string(33, '1')}}};
  EXPECT_EQ(refusal_of(encode_request(1, play)).code, ErrorCode::kInvalidParams);
  play.play = Announcement{"en", {Prompt{"call_parked"}}, Then::kEnd, 101};
  EXPECT_EQ(refusal_of(encode_request(1, play)).code, ErrorCode::kInvalidParams);
}

TEST(MediaCodec, DigitsAreOnlyWhatCanBeSpoken) {
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"session.play","params":{"session":"s","play_id":"p",)"
                       R"("play":{"language":"en","list":[{"digits":"12a"}]}}})")
                .code,
            ErrorCode::kInvalidParams);
}

RpcError refusal_of_text(const std::string& language, const std::string& text) {
  return refusal_of(encode_request(1, TextPrepare{language, text}));
}

TEST(MediaCodec, F7_ATextHasOneToAThousandBytes) {
  const TextPrepare longest{"en", std::string(1000, 'a')};
  EXPECT_EQ(round_trip(longest), Request(longest));
  for (const std::size_t bytes : {0UL, 1001UL}) {
    const RpcError error = refusal_of_text("en", std::string(bytes, 'a'));
    EXPECT_EQ(error.code, ErrorCode::kInvalidParams) << bytes;
    EXPECT_EQ(error.message, "params.text must be a text of 1 to 1000 bytes");
  }
}

TEST(MediaCodec, F7_ATextWithControlCharactersIsRefused) {
  for (const char* text : {"one\ntwo", "bell \a", "\x7f", "\xc2\x85"}) {
    const RpcError error = refusal_of_text("en", text);
    EXPECT_EQ(error.code, ErrorCode::kInvalidParams);
    EXPECT_EQ(error.message, "params.text must be UTF-8 without control characters");
  }
  EXPECT_FALSE(decode_request(R"({"jsonrpc":"2.0","id":1,"method":"text.prepare","params":{"language":"en","text":")"
                              "\xff"
                              R"("}})"));
}

TEST(MediaCodec, F7_TheLanguageOfATextIsAFileName) {
  for (const char* language : {"", "../en", "en/x", ".en"}) {
    EXPECT_EQ(refusal_of_text(language, "Hello.").code, ErrorCode::kInvalidParams) << language;
  }
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"text.prepare","params":{"text":7}})").message,
            "params.language must be a text of 1 to 64 bytes; params.language must be the name of a language; "
            "params.text must be a text of 1 to 1000 bytes");
}

TEST(MediaCodec, F7_TheNameOfATextLeadsOutOfNoDirectory) {
  const auto decoded = decode_message_from_mediad(R"({"jsonrpc":"2.0","id":1,"result":{"name":"../x"}})",
                                                  [](auto) { return Request(TextPrepare{}).index(); });
  ASSERT_FALSE(decoded.has_value());
  EXPECT_THAT(decoded.error().error.message, HasSubstr("result.name"));
}

TEST(MediaCodec, AnAnswerToNothingIsAnError) {
  EXPECT_FALSE(decode_message_from_mediad(encode_answer(std::int64_t{9}, SessionPlayResult{}), [](std::int64_t) {
                 return std::nullopt;
               }).has_value());
  EXPECT_FALSE(decode_message_from_mediad(R"({"jsonrpc":"2.0","method":"session.digit"})", [](std::int64_t) {
                 return std::nullopt;
               }).has_value());
}

TEST(MediaCodec, CodecNamesIgnoreCase) {
  EXPECT_EQ(codec_from_text("pcma"), CodecName::kPcma);
  EXPECT_EQ(codec_from_text("OPUS"), CodecName::kOpus);
  EXPECT_EQ(codec_from_text("opu"), std::nullopt);
}

}  // namespace
}  // namespace callpark::media
