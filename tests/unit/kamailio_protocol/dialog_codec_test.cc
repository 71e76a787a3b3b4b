// The record of a dialog that Kamailio sends for adoption.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "kamailio_protocol/dialog_codec.h"

namespace callpark::kamailio_protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json contract() {
  return Json{{"call_id", "c1"},
              {"parker", "caller"},
              {"route", "<sip:127.0.0.1:5060;lr;ftag=john1;did=c97.3ab>"},
              {"caller",
               {{"tag", "john1"},
                {"uri", "sip:101@demo.callpark"},
                {"display", "John"},
                {"contact", "sip:101@127.0.0.11:5060;alias=127.0.0.11~5060~1"},
                {"cseq", 3096},
                {"route_set", ""},
                {"sdp", "o=- 1 2 IN IP4 127.0.0.11\nm=audio 4000 RTP/AVP 0"},
                {"kind", "extension"}}},
              {"callee",
               {{"tag", "client1"},
                {"uri", "sip:+44@trunk.example"},
                {"display", ""},
                {"contact", "sip:trunk@127.0.0.50"},
                {"cseq", 0},
                {"route_set", "<sip:127.0.0.51;lr>"},
                {"sdp", "o=- 7 7 IN IP4 127.0.0.50\nm=audio 6000 RTP/AVP 8"},
                {"kind", "trunk"}}}};
}

Result<AdoptableDialog, DialogCodecError> decode(const Json& json) {
  return decode_dialog(write_json(json));
}

std::string complaint_about(const Json& json) {
  const auto decoded = decode(json);
  return decoded ? "" : decoded.error().sentence;
}

Json with(const char* pointer, const Json& value) {
  Json json = contract();
  json[Json::json_pointer(pointer)] = value;
  return json;
}

Json without(const char* object, const char* member) {
  Json json = contract();
  (*object ? json[object] : json).erase(member);
  return json;
}

TEST(DialogCodec, S1_TowardsThePartyToBeParkedWeStandWhereTheParkerStood) {
  const auto dialog = decode(contract());
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  const DialogSnapshot& caller = dialog->caller;
  EXPECT_EQ(caller.call_id, "c1");
  EXPECT_EQ(caller.local_tag, "john1");
  EXPECT_EQ(caller.remote_tag, "client1");
  EXPECT_EQ(caller.local_uri, "sip:101@demo.callpark");
  EXPECT_EQ(caller.local_display, "John");
  EXPECT_EQ(caller.remote_uri, "sip:+44@trunk.example");
  EXPECT_EQ(caller.local_cseq, 3096u);
  EXPECT_EQ(caller.remote_cseq, std::nullopt);
  EXPECT_EQ(caller.remote_target, "sip:trunk@127.0.0.50");
  EXPECT_THAT(caller.route_set, ElementsAre("<sip:127.0.0.1:5060;lr;ftag=john1;did=c97.3ab>", "<sip:127.0.0.51;lr>"));
  EXPECT_THAT(caller.local_sdp, HasSubstr("127.0.0.11"));
  EXPECT_THAT(caller.remote_sdp, HasSubstr("127.0.0.50"));
}

TEST(DialogCodec, S1_TowardsTheParkerWeStandWhereTheOtherStood) {
  const auto dialog = decode(contract());
  ASSERT_TRUE(dialog);
  const DialogSnapshot& parker = dialog->parker;
  EXPECT_EQ(parker.local_tag, "client1");
  EXPECT_EQ(parker.remote_tag, "john1");
  EXPECT_EQ(parker.local_cseq, 0u);
  EXPECT_EQ(parker.remote_cseq, 3096u);
  EXPECT_EQ(parker.remote_target, "sip:101@127.0.0.11:5060;alias=127.0.0.11~5060~1");
  EXPECT_THAT(parker.route_set, ElementsAre("<sip:127.0.0.1:5060;lr;ftag=john1;did=c97.3ab>"));
  EXPECT_THAT(parker.local_sdp, HasSubstr("127.0.0.50"));
}

TEST(DialogCodec, S1_TheCalleeMayPark) {
  const auto as_caller = decode(contract());
  const auto as_callee = decode(with("/parker", "callee"));
  ASSERT_TRUE(as_caller && as_callee);
  // But for the CSeq that is known of the parker only.
  const auto with_cseq = [](DialogSnapshot of_caller, const DialogSnapshot& of_parker) {
    of_caller.remote_cseq = of_parker.remote_cseq;
    return of_caller;
  };
  EXPECT_EQ(with_cseq(as_callee->caller, as_caller->parker), as_caller->parker);
  EXPECT_EQ(with_cseq(as_caller->caller, as_callee->parker), as_callee->parker);
}

// ---- identities ----

PartyIdentity caller_identity(Json json) {
  json["parker"] = "callee";
  return decode(json)->caller.remote_identity;
}

TEST(DialogCodec, N6_AnExtensionHasItsOwnNumberWhateverWasDialled) {
  Json json = with("/caller/uri", "sip:600@demo.callpark");
  json["caller"]["kind"] = "extension";
  json["caller"]["aor"] = "103@demo.callpark";
  json["caller"]["display"] = "Carol";
  EXPECT_EQ(caller_identity(json), (PartyIdentity{"Carol", "103"}));
}

TEST(DialogCodec, N6_ATrunkHasTheNumberOfItsUri) {
  Json json = with("/caller/uri", "sip:+442030;phone-context=x@127.0.0.50:5070");
  json["caller"]["kind"] = "trunk";
  json["caller"]["display"] = "Жанна \"Z\"";
  EXPECT_EQ(caller_identity(json), (PartyIdentity{"Жанна \"Z\"", "+442030"}));
}

TEST(DialogCodec, N6_ACallerWithATelephoneUriHasHisNumber) {
  Json json = with("/caller/uri", "tel:+44-2079-460018;phone-context=uk");
  json["caller"]["display"] = "";
  EXPECT_EQ(caller_identity(json), (PartyIdentity{"", "+442079460018"}));
}

TEST(DialogCodec, N6_WhoWithholdsItIsNobody) {
  EXPECT_EQ(caller_identity(with("/caller/withheld", true)), PartyIdentity{});
  EXPECT_EQ(caller_identity(with("/caller/display", "Anonymous")), PartyIdentity{});
  EXPECT_EQ(caller_identity(with("/caller/uri", "sip:Anonymous@10.0.0.1")), PartyIdentity{});
  EXPECT_EQ(caller_identity(with("/caller/uri", "sip:x@anonymous.invalid")), PartyIdentity{});
  EXPECT_NE(caller_identity(with("/caller/withheld", false)), PartyIdentity{});
}

TEST(DialogCodec, N6_NoEscapeOfAUriBecomesANewLineOfAHeader) {
  Json json = with("/caller/uri", "sip:1%0d%0aX-Evil%3a%20yes@127.0.0.50");
  json["caller"]["kind"] = "trunk";
  EXPECT_EQ(caller_identity(json).number, "1  X-Evil: yes");
  json["caller"]["uri"] = "sip:" + std::string(500, '1') + "@127.0.0.50";
  EXPECT_EQ(caller_identity(json).number.size(), 64U);
}

TEST(DialogCodec, WhatMayBeMissingIsEmpty) {
  Json json = contract();
  for (const auto* member : {"display", "route_set", "sdp", "kind"}) json["caller"].erase(member);
  const auto dialog = decode(json);
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.local_display, "");
  EXPECT_EQ(dialog->caller.local_sdp, "");
}

TEST(DialogCodec, AComplaintNamesTheMember) {
  EXPECT_EQ(complaint_about(without("", "call_id")), "call_id: a text that is not empty is wanted");
  EXPECT_EQ(complaint_about(without("callee", "tag")), "callee.tag: a text that is not empty is wanted");
  EXPECT_EQ(complaint_about(with("/caller/tag", 5)), "caller.tag: a text that is not empty is wanted");
  EXPECT_EQ(complaint_about(with("/caller/contact", "here")), "caller.contact: a SIP URI is wanted");
  EXPECT_EQ(complaint_about(with("/caller/uri", "")), "caller.uri: a text that is not empty is wanted");
  EXPECT_EQ(complaint_about(with("/callee/display", 1)), "callee.display: a text is wanted");
  EXPECT_EQ(complaint_about(with("/parker", "john")), "parker: \"caller\" or \"callee\" is wanted");
  EXPECT_EQ(complaint_about(with("/route", "")), "route: an address in angle brackets is wanted");
  EXPECT_EQ(complaint_about(with("/route", "sip:a;lr")), "route: a list of addresses in angle brackets is wanted");
  EXPECT_EQ(complaint_about(without("", "callee")), "callee: an object is wanted");
  EXPECT_EQ(complaint_about(Json::array()), "an object is wanted");
}

TEST(DialogCodec, ACSeqIsANumberBelow2To31) {
  for (const Json& wrong : {Json(-1), Json(1.5), Json("7"), Json(2147483648u), Json(nullptr)}) {
    EXPECT_EQ(complaint_about(with("/caller/cseq", wrong)), "caller.cseq: a number from 0 to 2147483647 is wanted");
  }
  EXPECT_EQ(decode(with("/caller/cseq", 2147483647u))->caller.local_cseq, 2147483647u);
}

TEST(DialogCodec, JunkIsAnErrorWithASentence) {
  for (const auto* junk : {"", "{", "null", "[]", "{\"call_id\":", "\xff\xfe"}) {
    const auto decoded = decode_dialog(junk);
    ASSERT_FALSE(decoded) << junk;
    EXPECT_FALSE(decoded.error().sentence.empty());
  }
}

TEST(DialogCodec, X22_ADisplayNameInLatin1LosesItsAccentsAndNotTheCall) {
  std::string json = write_json(with("/caller/display", "J@hn"));
  json[json.find("J@hn") + 1] = '\xf6';
  const auto dialog = decode_dialog(json);
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.local_display, "J\ufffdhn");
}

TEST(DialogCodec, X22_TheOtherNamesKeepTheirLetters) {
  Json record = with("/caller/display", "J@hn ö");
  record["callee"]["display"] = "Жанна";
  std::string json = write_json(record);
  json[json.find("J@hn") + 1] = '\xf6';
  const auto dialog = decode_dialog(json);
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.local_display, "J\ufffdhn ö");
  EXPECT_EQ(dialog->caller.remote_display, "Жанна");
}

TEST(DialogCodec, X22_AByteAtTheEndOfANameTakesNothingWithIt) {
  std::string json = write_json(with("/caller/display", "Anna@"));
  json[json.find("Anna@") + 4] = '\xe2';
  const auto dialog = decode_dialog(json);
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.local_display, "Anna\ufffd");
}

TEST(DialogCodec, X12_TheSessionTimerBelongsToBothHalves) {
  Json record = with("/session_seconds", 90u);
  record["session_refresher"] = "callee";
  const bool caller_parks = record["parker"] == "caller";
  const auto dialog = decode_dialog(write_json(record));
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.session_seconds, 90);
  EXPECT_EQ(dialog->parker.session_seconds, 90);
  EXPECT_EQ(dialog->caller.session_we_refresh, !caller_parks);
  EXPECT_EQ(dialog->parker.session_we_refresh, caller_parks);
}

TEST(DialogCodec, X12_ARecordWithoutASessionTimerHasNone) {
  EXPECT_EQ(decode(contract())->caller.session_seconds, 0);
  EXPECT_EQ(decode(with("/session_seconds", "soon"))->caller.session_seconds, 0);
}

TEST(DialogCodec, S12_ADescriptionThatIsTooLongIsNoted) {
  EXPECT_FALSE(decode(contract())->is_too_long);
  EXPECT_TRUE(decode(with("/caller/sdp", "-"))->is_too_long);
  EXPECT_TRUE(decode(with("/callee/sdp", "-"))->is_too_long);
}

}  // namespace
}  // namespace callpark::kamailio_protocol
