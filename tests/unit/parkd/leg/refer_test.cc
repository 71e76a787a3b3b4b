#include <gtest/gtest.h>

#include "parkd/leg/refer_target.h"
#include "parkd/leg/sipfrag.h"

namespace callpark::leg {
namespace {

Result<ReferTarget, ReferError> target_of(std::string_view refer_to) {
  sip::SipMessage refer = sip::make_request("REFER", "sip:lin@127.0.0.1");
  refer.add_header(sip::HeaderName::kReferTo, refer_to);
  return refer_target(refer);
}

TEST(ReferTarget, P1_ABlindTransferNamesANumber) {
  for (const auto* text : {"sip:*68102@demo.callpark", "<sip:*68102@demo.callpark;user=phone>",
                           "\"Park\" <sip:%2A68102@demo.callpark;transport=tcp>"}) {
    const auto target = target_of(text);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(target->uri.user(), "*68102");
    EXPECT_EQ(target->replaces, std::nullopt);
  }
}

TEST(ReferTarget, P5_AnAttendedTransferNamesTheDialogToReplaceBesides) {
  const auto target = target_of(
      "<sip:*68@demo.callpark?Replaces=12adf2f34456gs5%40h.example%3Bto-tag%3D12345%3Bfrom-tag%3D54321&Require="
      "replaces>");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->uri.to_string(), "sip:*68@demo.callpark");
  EXPECT_EQ(target->replaces, (sip::Replaces{"12adf2f34456gs5@h.example", "12345", "54321", false}));
}

TEST(ReferTarget, TheMethodMayBeInviteAndNothingElse) {
  EXPECT_EQ(target_of("<sip:*68@demo.callpark;method=INVITE>")->uri.to_string(), "sip:*68@demo.callpark");
  EXPECT_EQ(target_of("<sip:*68@demo.callpark;method=BYE>").error(), ReferError::kMethod);
}

TEST(ReferTarget, WhatCannotBeUsedSaysWhy) {
  EXPECT_EQ(target_of("").error(), ReferError::kNoReferTo);
  EXPECT_EQ(target_of("*68").error(), ReferError::kNoReferTo);
  EXPECT_EQ(target_of("<sip:a@b.example>, <sip:c@b.example>").error(), ReferError::kNoReferTo);
  EXPECT_EQ(target_of("<mailto:park@demo.callpark>").error(), ReferError::kScheme);
  EXPECT_EQ(target_of("<sip:*68@demo.callpark?Replaces=call%3Bto-tag%3D1>").error(), ReferError::kReplaces);
  EXPECT_EQ(refer_target(sip::make_request("REFER", "sip:lin@127.0.0.1")).error(), ReferError::kNoReferTo);
  EXPECT_EQ(status_of(ReferError::kNoReferTo), 400);
  EXPECT_EQ(status_of(ReferError::kReplaces), 400);
  EXPECT_EQ(status_of(ReferError::kScheme), 416);
  EXPECT_EQ(status_of(ReferError::kMethod), 501);
}

TEST(ReferTarget, P1_ATelUriNamesANumberToo) {
  for (const auto* text : {"<tel:*68102>", "tel:*68102;phone-context=demo.callpark", "<TEL:%2A68-(102)>"}) {
    const auto target = target_of(text);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(target->uri.number(), "*68102");
  }
}

TEST(Sipfrag, IsTheStatusLineOfTheAnswer) {
  EXPECT_EQ(write_sipfrag(200), "SIP/2.0 200 OK\r\n");
  EXPECT_EQ(write_sipfrag(486, "Orbit in use"), "SIP/2.0 486 Orbit in use\r\n");
  EXPECT_EQ(write_sipfrag(486, "two\r\nlines"), "SIP/2.0 486 two  lines\r\n");
}

TEST(Sipfrag, IsReadWithWhateverFollows) {
  EXPECT_EQ(parse_sipfrag(write_sipfrag(404, "No such call")), (StatusLine{404, "No such call"}));
  EXPECT_EQ(parse_sipfrag("SIP/2.0 200 OK\r\nTo: <sip:a@b>\r\n"), (StatusLine{200, "OK"}));
  EXPECT_EQ(parse_sipfrag("SIP/2.0 100 Trying"), (StatusLine{100, "Trying"}));
  EXPECT_EQ(parse_sipfrag("SIP/2.0 180"), (StatusLine{180, ""}));
  EXPECT_EQ(parse_sipfrag("SIP/2.0 180 "), (StatusLine{180, ""}));
}

TEST(Sipfrag, WhatDoesNotBeginWithAStatusLineIsNone) {
  for (const auto* text : {"", "SIP/2.0", "SIP/2.0 ", "SIP/2.0 20", "SIP/2.0 2000 OK", "SIP/2.0 099 No",
                           "SIP/2.0 700 No", "SIP/2.0 2x0 OK", "HTTP/1.1 200 OK", "INVITE sip:a@b SIP/2.0\r\n"}) {
    EXPECT_EQ(parse_sipfrag(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace callpark::leg
