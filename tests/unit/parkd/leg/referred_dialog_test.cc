// The dialog that a REFER was sent in, read from the REFER and from Kamailio's record; and dialogs as snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "kamailio_protocol/dialog_codec.h"
#include "parkd/leg/dialog_snapshot.h"
#include "parkd/leg/referred_dialog.h"
#include "parkd/message/sip_parser.h"

namespace callpark::leg {
namespace {

using ::testing::ElementsAre;

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

AdoptableDialog decode(const Json& json) {
  return *kamailio_protocol::decode_dialog(write_json(json));
}

Json with(const char* pointer, const Json& value) {
  Json json = contract();
  json[Json::json_pointer(pointer)] = value;
  return json;
}

TEST(DialogSnapshot, IsADialogAndItsTwoDescriptions) {
  DialogSnapshot caller = decode(contract()).caller;
  caller.remote_identity = {};  // is no part of a SIP dialog, nor is the side that began it
  caller.remote_was_called = false;
  EXPECT_EQ(snapshot_of(dialog_of(caller), caller.local_sdp, caller.remote_sdp), caller);
  EXPECT_EQ(dialog_of(caller).id, (sip::DialogId{"c1", "john1", "client1"}));
}

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
  AdoptableDialog known = decode(contract());
  known.caller.remote_identity = {"Client", "+4420"};
  const auto dialog = dialog_of_refer(johns_refer(), known);
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
  const AdoptableDialog known = decode(contract());
  const auto dialog = dialog_of_refer(johns_refer(), known);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->caller.local_cseq, 46152u);
  EXPECT_EQ(dialog->caller.remote_target, "sip:trunk2@127.0.0.50") << "the REFER is fresher";
  EXPECT_EQ(dialog->caller.local_sdp, known.caller.local_sdp);
  EXPECT_EQ(dialog->caller.remote_sdp, known.caller.remote_sdp);
  EXPECT_EQ(dialog->parker.local_cseq, 0u);
  EXPECT_EQ(dialog->parker.remote_cseq, 46152u);
  EXPECT_EQ(dialog->parker.local_sdp, known.parker.local_sdp);
}

TEST(ReferredDialog, TheHigherOfTwoCSeqsCounts) {
  const AdoptableDialog known = decode(with("/caller/cseq", 50000));
  const auto dialog = dialog_of_refer(johns_refer(), known);
  EXPECT_EQ(dialog->caller.local_cseq, 50000u);
}

TEST(ReferredDialog, WhatIsKnownOfAnotherDialogIsNotUsed) {
  for (const auto& other : {with("/call_id", "c2"), with("/caller/tag", "x"), with("/parker", "callee")}) {
    const AdoptableDialog known = decode(other);
    const auto dialog = dialog_of_refer(johns_refer(), known);
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
