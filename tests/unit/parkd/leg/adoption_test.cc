// What parkd is told of the dialog that it takes over, by Kamailio and by the REFER itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/adoptable_dialog_codec.h"
#include "parkd/leg/dialog_snapshot.h"
#include "parkd/leg/referred_dialog.h"
#include "parkd/message/sip_parser.h"

namespace callpark::leg {
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

Result<AdoptableDialog, AdoptableDialogError> decode(const Json& json) {
  return decode_adoptable_dialog(write_json(json));
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

TEST(AdoptableDialog, S1_TowardsThePartyToBeParkedWeStandWhereTheParkerStood) {
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

TEST(AdoptableDialog, S1_TowardsTheParkerWeStandWhereTheOtherStood) {
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

TEST(AdoptableDialog, S1_TheCalleeMayPark) {
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

// ---- who somebody is to people ----

PartyIdentity caller_identity(Json json) {
  json["parker"] = "callee";
  return decode(json)->caller.remote_identity;
}

TEST(AdoptableDialog, N6_AnExtensionHasItsOwnNumberWhateverWasDialled) {
  Json json = with("/caller/uri", "sip:600@demo.callpark");
  json["caller"]["kind"] = "extension";
  json["caller"]["aor"] = "103@demo.callpark";
  json["caller"]["display"] = "Carol";
  EXPECT_EQ(caller_identity(json), (PartyIdentity{"Carol", "103"}));
}

TEST(AdoptableDialog, N6_ATrunkHasTheNumberOfItsUri) {
  Json json = with("/caller/uri", "sip:+442030;phone-context=x@127.0.0.50:5070");
  json["caller"]["kind"] = "trunk";
  json["caller"]["display"] = "Жанна \"Z\"";
  EXPECT_EQ(caller_identity(json), (PartyIdentity{"Жанна \"Z\"", "+442030"}));
}

TEST(AdoptableDialog, N6_ACallerWithATelephoneUriHasHisNumber) {
  Json json = with("/caller/uri", "tel:+44-2079-460018;phone-context=uk");
  json["caller"]["display"] = "";
  EXPECT_EQ(caller_identity(json), (PartyIdentity{"", "+442079460018"}));
}

TEST(AdoptableDialog, N6_WhoWithholdsItIsNobody) {
  EXPECT_EQ(caller_identity(with("/caller/withheld", true)), PartyIdentity{});
  EXPECT_EQ(caller_identity(with("/caller/display", "Anonymous")), PartyIdentity{});
  EXPECT_EQ(caller_identity(with("/caller/uri", "sip:Anonymous@10.0.0.1")), PartyIdentity{});
  EXPECT_EQ(caller_identity(with("/caller/uri", "sip:x@anonymous.invalid")), PartyIdentity{});
  EXPECT_NE(caller_identity(with("/caller/withheld", false)), PartyIdentity{});
}

TEST(AdoptableDialog, N6_NoEscapeOfAUriBecomesANewLineOfAHeader) {
  Json json = with("/caller/uri", "sip:1%0d%0aX-Evil%3a%20yes@127.0.0.50");
  json["caller"]["kind"] = "trunk";
  EXPECT_EQ(caller_identity(json).number, "1  X-Evil: yes");
  json["caller"]["uri"] = "sip:" + std::string(500, '1') + "@127.0.0.50";
  EXPECT_EQ(caller_identity(json).number.size(), 64U);
}

TEST(AdoptableDialog, WhatMayBeMissingIsEmpty) {
  Json json = contract();
  for (const auto* member : {"display", "route_set", "sdp", "kind"}) json["caller"].erase(member);
  const auto dialog = decode(json);
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.local_display, "");
  EXPECT_EQ(dialog->caller.local_sdp, "");
}

TEST(AdoptableDialog, AComplaintNamesTheMember) {
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

TEST(AdoptableDialog, ACSeqIsANumberBelow2To31) {
  for (const Json& wrong : {Json(-1), Json(1.5), Json("7"), Json(2147483648u), Json(nullptr)}) {
    EXPECT_EQ(complaint_about(with("/caller/cseq", wrong)), "caller.cseq: a number from 0 to 2147483647 is wanted");
  }
  EXPECT_EQ(decode(with("/caller/cseq", 2147483647u))->caller.local_cseq, 2147483647u);
}

TEST(AdoptableDialog, JunkIsAnErrorWithASentence) {
  for (const auto* junk : {"", "{", "null", "[]", "{\"call_id\":", "\xff\xfe"}) {
    const auto decoded = decode_adoptable_dialog(junk);
    ASSERT_FALSE(decoded) << junk;
    EXPECT_FALSE(decoded.error().sentence.empty());
  }
}

TEST(AdoptableDialog, ADisplayNameInLatin1LosesItsAccentsAndNotTheCall) {
  std::string json = write_json(with("/caller/display", "J@hn"));
  json[json.find("J@hn") + 1] = '\xf6';
  const auto dialog = decode_adoptable_dialog(json);
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(dialog->caller.local_display, "J?hn");
}

TEST(DialogSnapshot, IsADialogAndItsTwoDescriptions) {
  const auto dialog = decode(contract());
  ASSERT_TRUE(dialog);
  DialogSnapshot caller = dialog->caller;
  caller.remote_identity = {};  // is no part of a SIP dialog
  EXPECT_EQ(snapshot_of(dialog_of(caller), caller.local_sdp, caller.remote_sdp), caller);
  EXPECT_EQ(dialog_of(caller).id, (sip::DialogId{"c1", "john1", "client1"}));
}

// ------------------------------------------------------------------------------------------------------- from a REFER

sip::SipMessage johns_refer() {
  return *sip::parse(
      "REFER sip:trunk2@127.0.0.50 SIP/2.0\r\n"
      "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
      "Contact: <sip:101b@127.0.0.11:5060>\r\n"
      "Route: <sip:127.0.0.1:5060;lr;ftag=john1;did=c97.3ab>, <sip:127.0.0.52;lr>\r\n"
      "To: <sip:+44@trunk.example>;tag=client1\r\n"
      "From: John <sip:101@demo.callpark>;tag=john1\r\n"
      "Call-ID: c1\r\nCSeq: 46152 REFER\r\nRefer-To: sip:*68@demo.callpark\r\n\r\n");
}

TEST(ReferredDialog, N6_WithoutARecordThePhonesWordsCount) {
  const auto dialog = dialog_of_refer(johns_refer(), std::nullopt);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->caller.remote_identity, (PartyIdentity{"", "+44"}));
}

TEST(ReferredDialog, N6_WithARecordKamailioSaysWhoHeIs) {
  auto known = decode(contract());
  ASSERT_TRUE(known);
  known->caller.remote_identity = {"Client", "+4420"};
  const auto dialog = dialog_of_refer(johns_refer(), *known);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->caller.remote_identity, (PartyIdentity{"Client", "+4420"}));
}

TEST(ReferredDialog, P1_TheReferAloneIsEnough) {
  const auto dialog = dialog_of_refer(johns_refer(), std::nullopt);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->caller.local_cseq, 46152u);
  EXPECT_EQ(dialog->caller.remote_target, "sip:trunk2@127.0.0.50");
  EXPECT_THAT(dialog->caller.route_set,
              ElementsAre("<sip:127.0.0.1:5060;lr;ftag=john1;did=c97.3ab>", "<sip:127.0.0.52;lr>"));
  EXPECT_EQ(dialog->caller.local_sdp, "");
  EXPECT_EQ(dialog->parker.remote_target, "sip:101b@127.0.0.11:5060");
  EXPECT_EQ(dialog->parker.remote_cseq, 46152u);
  // What lies beyond the first proxy leads to the other party and not back.
  EXPECT_THAT(dialog->parker.route_set, ElementsAre("<sip:127.0.0.1:5060;lr;ftag=john1;did=c97.3ab>"));
  EXPECT_GT(dialog->parker.local_cseq, 100'000u);
  EXPECT_LT(dialog->parker.local_cseq, 1u << 30);
}

TEST(ReferredDialog, P1_WhatKamailioKnowsCompletesIt) {
  const auto known = decode(contract());
  ASSERT_TRUE(known);
  const auto dialog = dialog_of_refer(johns_refer(), *known);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->caller.local_cseq, 46152u);
  EXPECT_EQ(dialog->caller.remote_target, "sip:trunk2@127.0.0.50") << "the REFER is fresher";
  EXPECT_EQ(dialog->caller.local_sdp, known->caller.local_sdp);
  EXPECT_EQ(dialog->caller.remote_sdp, known->caller.remote_sdp);
  EXPECT_EQ(dialog->parker.local_cseq, 0u);
  EXPECT_EQ(dialog->parker.remote_cseq, 46152u);
  EXPECT_EQ(dialog->parker.local_sdp, known->parker.local_sdp);
}

TEST(ReferredDialog, TheHigherOfTwoCSeqsCounts) {
  const auto known = decode(with("/caller/cseq", 50000));
  const auto dialog = dialog_of_refer(johns_refer(), *known);
  EXPECT_EQ(dialog->caller.local_cseq, 50000u);
}

TEST(ReferredDialog, WhatIsKnownOfAnotherDialogIsNotUsed) {
  for (const auto& other : {with("/call_id", "c2"), with("/caller/tag", "x"), with("/parker", "callee")}) {
    const auto known = decode(other);
    const auto dialog = dialog_of_refer(johns_refer(), *known);
    EXPECT_EQ(dialog->caller.local_sdp, "");
  }
}

TEST(ReferredDialog, AReferThatBelongsToNoDialogIsRefused) {
  sip::SipMessage refer = johns_refer();
  refer.set_header(sip::HeaderName::kTo, "<sip:+44@trunk.example>");
  EXPECT_EQ(dialog_of_refer(refer, std::nullopt).error(), sip::DialogError::kNoTag);
  refer = johns_refer();
  refer.remove_header(sip::HeaderName::kContact);
  EXPECT_EQ(dialog_of_refer(refer, std::nullopt).error(), sip::DialogError::kNoContact);
}

}  // namespace
}  // namespace callpark::leg
