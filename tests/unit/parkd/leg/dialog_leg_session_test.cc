// A leg's session timer, and the leg as a snapshot.
#include "tests/unit/parkd/leg/dialog_leg_scene.h"

namespace callpark::leg {
namespace {

std::function<void(SipMessage&)> expires(const std::string& value) {
  return [value](SipMessage& message) {
    message.set_header(HeaderName::kSessionExpires, value);
    message.set_header(HeaderName::kSupported, "timer");
  };
}

TEST_F(DialogLegTest, RefreshesAtHalfTheIntervalWithItsLastDescription) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  const sip::Sdp said = (pass(seconds(1)), *leg->local_sdp());
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(895)));
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(10)));
  const SipMessage refresh = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(refresh), said);
  EXPECT_EQ(refresh.header(HeaderName::kSessionExpires), "1800;refresher=uac");
}

TEST_F(DialogLegTest, ReportsADifferentAnswerToARefreshOnly) {
  int changed = 0;
  leg->set_on_media_changed([&] { ++changed; });
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  pass(seconds(890));
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  pass(seconds(1));
  EXPECT_EQ(changed, 0);
  sip::Sdp elsewhere = clients_sdp();
  elsewhere.media[0].port += 2;
  pass(seconds(890));
  kamailio.answer(kamailio.take_request("INVITE"), 200, elsewhere, expires("1800;refresher=uac"));
  pass(seconds(1));
  EXPECT_EQ(changed, 1);
}

TEST_F(DialogLegTest, GoesOnWhenRefreshed) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  for (int refresh = 0; refresh < 5; ++refresh) {
    pass(seconds(890));
    kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  }
  EXPECT_EQ(gone, 0);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(DialogLegTest, TriesARefusedRefreshUntilTheSessionEnds) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  pass(seconds(44));
  kamailio.answer(kamailio.take_request("INVITE"), 503);
  pass(seconds(11));
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(30)));
  for (int refused = 0; refused < 2; ++refused) kamailio.answer(kamailio.take_request("INVITE"), 503);
  EXPECT_EQ(gone, 0);
  pass(seconds(30));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, EndsWithoutARefresh) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uas"));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(1760)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(10)));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, IsRefreshedByAnUpdateOfTheRemoteSide) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uas"));
  pass(seconds(1700));
  SipMessage update = client.request("UPDATE");
  expires("1800;refresher=uac")(update);
  kamailio.deliver(update);
  leg->answer(came.back().first, came.back().second, std::nullopt, {});
  EXPECT_EQ(kamailio.take_response(update).header(HeaderName::kSessionExpires), "1800;refresher=uac");
  EXPECT_FALSE(kamailio.sends("BYE", seconds(1700)));
}

TEST_F(DialogLegTest, EndsIfARefreshFindsThePartyGone) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  pass(seconds(44));
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  pass(seconds(1));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, TriesTheIntervalOfA422) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  pass(seconds(44));
  kamailio.answer(kamailio.take_request("INVITE"), 422, std::nullopt,
                  [](SipMessage& response) { response.set_header(HeaderName::kMinSE, "600"); });
  const SipMessage again = kamailio.take_request("INVITE");
  EXPECT_EQ(again.header(HeaderName::kSessionExpires), "600;refresher=uac");
  EXPECT_EQ(again.header(HeaderName::kMinSE), "600");
}

TEST_F(DialogLegTest, Answers422ToASmallInterval) {
  SipMessage invite = client.request("INVITE", clients_sdp());
  expires("30")(invite);
  kamailio.deliver(invite);
  leg->answer(came.back().first, came.back().second, johns_sdp(), {});
  const SipMessage response = kamailio.take_response(invite);
  EXPECT_EQ(response.status(), 422);
  EXPECT_EQ(response.header(HeaderName::kMinSE), "90");
  EXPECT_FALSE(leg->is_negotiating());
}

TEST_F(DialogLegTest, ContinuesASnapshotWithAGapInTheCSeq) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  pass(seconds(1));
  const DialogSnapshot row = leg->snapshot();
  const auto heir = DialogLeg::from_snapshot(agent, row, CallIdOwner::kThey, 1000, 1000);
  EXPECT_EQ(heir->dialog().local_cseq, leg->dialog().local_cseq + 1000);
  EXPECT_EQ(*heir->local_sdp(), *leg->local_sdp());
  EXPECT_EQ(*heir->remote_sdp(), *leg->remote_sdp());
  DialogSnapshot again = heir->snapshot();
  again.local_cseq = row.local_cseq;
  EXPECT_EQ(again, row);
}

TEST_F(DialogLegTest, KnowsAHoldFromTheLastDescription) {
  leg->set_remote_sdp(clients_sdp());  // recvonly
  EXPECT_FALSE(leg->is_held_by_remote());
  leg->set_remote_sdp(johns_sdp());  // sendonly
  EXPECT_TRUE(leg->is_held_by_remote());
}

}  // namespace
}  // namespace callpark::leg
