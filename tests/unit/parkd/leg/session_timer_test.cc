#include "parkd/leg/session_timer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace callpark::leg {
namespace {

using sip::HeaderName;
using sip::SipMessage;
using std::chrono::seconds;

SipMessage invite(std::string_view session_expires = {}, std::string_view supported = "timer") {
  SipMessage request = sip::make_request("INVITE", "sip:parkd@127.0.0.1");
  if (!session_expires.empty()) request.add_header(HeaderName::kSessionExpires, session_expires);
  if (!supported.empty()) request.add_header(HeaderName::kSupported, supported);
  return request;
}

SipMessage answer_to(const SipMessage& request) {
  SipMessage response = sip::make_response(request, 200);
  write_session_timer(response, *answer_session_timer(request), request);
  return response;
}

TEST(SessionTimer, NobodyWhoAsksForNoneGetsOne) {
  EXPECT_EQ(*answer_session_timer(invite()), std::nullopt);
  const SipMessage answer = answer_to(invite());
  EXPECT_FALSE(answer.header(HeaderName::kSessionExpires));
  EXPECT_FALSE(answer.header(HeaderName::kRequire));
}

// RFC 4028 9, table 2
TEST(SessionTimer, TheRefresherThatTheRequestNamesStays) {
  EXPECT_EQ(**answer_session_timer(invite("1800;refresher=uas")), (SessionTimer{seconds(1800), true}));
  EXPECT_EQ(**answer_session_timer(invite("600 ; Refresher=UAC")), (SessionTimer{seconds(600), false}));
  EXPECT_EQ(answer_to(invite("1800;refresher=uas")).header(HeaderName::kSessionExpires), "1800;refresher=uas");
  EXPECT_EQ(answer_to(invite("600;x=y;refresher=uac")).header(HeaderName::kSessionExpires), "600;refresher=uac");
}

TEST(SessionTimer, WithoutARefresherNamedTheSenderRefreshesIfHeCan) {
  EXPECT_FALSE((*answer_session_timer(invite("1800", "100rel, Timer")))->we_refresh);
  EXPECT_TRUE((*answer_session_timer(invite("1800", "")))->we_refresh);
}

TEST(SessionTimer, TheAnswerRequiresItOnlyOfASenderWhoKnowsIt) {
  EXPECT_EQ(answer_to(invite("1800;refresher=uac")).header(HeaderName::kRequire), "timer");
  EXPECT_FALSE(answer_to(invite("1800", "100rel")).header(HeaderName::kRequire));
}

TEST(SessionTimer, TooShortAnIntervalIsRefusedOfASenderWhoKnowsWhatA422Is) {
  const auto refused = answer_session_timer(invite("89"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().interval_min, seconds(90));
  EXPECT_FALSE(answer_session_timer(invite("500"), seconds(600)));
  EXPECT_EQ(**answer_session_timer(invite("60", "")), (SessionTimer{seconds(90), true}));
}

TEST(SessionTimer, WhatCannotBeReadIsNone) {
  for (const auto* junk : {"soon", "0", "-5", ";refresher=uac", "99999999999"}) {
    EXPECT_EQ(*answer_session_timer(invite(junk)), std::nullopt) << junk;
  }
  EXPECT_EQ(**answer_session_timer(invite("1800;refresher=me")), (SessionTimer{seconds(1800), false}));
}

TEST(SessionTimer, AReInviteOfOursKeepsWhatIsAgreed) {
  SipMessage request = invite({}, "replaces");
  offer_session_timer(request, SessionTimer{seconds(600), true});
  EXPECT_EQ(request.header(HeaderName::kSessionExpires), "600;refresher=uac");
  EXPECT_TRUE(request.has_token(HeaderName::kSupported, "timer"));
  EXPECT_TRUE(request.has_token(HeaderName::kSupported, "replaces"));
  EXPECT_FALSE(request.header(HeaderName::kMinSE));
  offer_session_timer(request, SessionTimer{seconds(600), false, seconds(120)});
  EXPECT_EQ(request.header(HeaderName::kSessionExpires), "600;refresher=uas");
  EXPECT_EQ(request.header(HeaderName::kMinSE), "120");
}

TEST(SessionTimer, WithoutAnAgreementTheOtherSideMayBeginOne) {
  SipMessage request = invite();
  offer_session_timer(request, std::nullopt);
  EXPECT_FALSE(request.header(HeaderName::kSessionExpires));
  EXPECT_EQ(request.all_headers(HeaderName::kSupported).size(), 1u);

  SipMessage response = sip::make_response(request, 200);
  EXPECT_EQ(read_session_timer(response), std::nullopt);
  response.set_header(HeaderName::kSessionExpires, "900;refresher=uas");
  EXPECT_EQ(read_session_timer(response), (SessionTimer{seconds(900), false}));
  response.set_header(HeaderName::kSessionExpires, "900;refresher=uac");
  EXPECT_EQ(read_session_timer(response), (SessionTimer{seconds(900), true}));
  response.set_header(HeaderName::kSessionExpires, "10");
  EXPECT_EQ(read_session_timer(response), (SessionTimer{seconds(90), true}));
}

TEST(SessionTimer, A422IsTriedAgainOnceWithWhatItAsksFor) {
  SipMessage response = sip::make_response(invite(), 422);
  const SessionTimer offered{seconds(600), true};
  EXPECT_EQ(raised_by_422(response, offered), std::nullopt);
  response.set_header(HeaderName::kMinSE, "900");
  const auto raised = raised_by_422(response, offered);
  EXPECT_EQ(raised, (SessionTimer{seconds(900), true, seconds(900)}));
  EXPECT_EQ(raised_by_422(response, *raised), std::nullopt);
}

// RFC 4028 10
TEST(SessionTimer, IsRefreshedAtHalfTimeAndEndsShortlyBeforeItExpires) {
  EXPECT_EQ(refresh_after({seconds(1800), true}), seconds(900));
  EXPECT_EQ(refresh_after({seconds(1800), false}), std::nullopt);
  EXPECT_EQ(end_after({seconds(1800), false}), seconds(1768));
  EXPECT_EQ(end_after({seconds(90), false}), seconds(60));
}

}  // namespace
}  // namespace callpark::leg
