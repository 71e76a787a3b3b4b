// What is refused, and that the call is the parker's again afterwards: two-way, after hold and resume.
#include <algorithm>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

class Refusals : public ParkTest {
 protected:
  struct Conversation {
    std::unique_ptr<PacketPhone> john;
    CallName call;
    std::unique_ptr<SippCall> client;
  };

  /// John, on a phone that keeps the call when a transfer fails, in a call from the telephone network.
  static Conversation conversation(int client_party = kClient) {
    Conversation result;
    result.john = site().packet_phone("101", kJohn, true);
    result.client = site().trunk().call_in("+442030000101", tone_hz(client_party));
    result.call = result.john->wait_incoming();
    EXPECT_TRUE(result.client->is_established());
    EXPECT_TRUE(hear_each_other(*result.john, *result.client));
    return result;
  }

  static testing::AssertionResult is_johns_again(Conversation& conversation) {
    if (conversation.john->offer(conversation.call, "sendonly") != 200) return testing::AssertionFailure() << "no hold";
    if (const auto silent = hears_nothing(*conversation.john); !silent) return silent;
    if (conversation.john->offer(conversation.call, "sendrecv") != 200)
      return testing::AssertionFailure() << "no resume";
    if (const auto both = hear_each_other(*conversation.john, *conversation.client); !both) return both;
    return conversation.client->saw_only_ordinary_calls();
  }

  /// Waits for the last report of a transfer.
  static std::string transfer_result(const PacketPhone& phone, const CallName& call) {
    std::string last;
    wait_until(kSoon, [&] {
      const auto reports = phone.transfer_reports(call);
      last = reports.empty() ? "" : reports.back();
      return !last.empty() && !last.starts_with("SIP/2.0 1");
    });
    return last.substr(0, 11);
  }

  /// A trunk caller that 103 has parked at `orbit`.
  static std::unique_ptr<SippCall> somebody_parked_at(const std::string& orbit) {
    const auto carol = site().packet_phone("103", kCarol, true);
    auto client = site().trunk().call_in("+442030000103", tone_hz(kSecondClient));
    const CallName call = carol->wait_incoming();
    EXPECT_TRUE(client->is_established());
    EXPECT_EQ(carol->refer(call, "*68" + orbit), 202);
    EXPECT_TRUE(hears_music(*client));
    EXPECT_TRUE(parked_at(orbit));
    EXPECT_TRUE(wait_until(kSoon, [&] { return carol->is_closed(call); }));
    return client;
  }

  static bool had_early_media(const PacketPhone& phone, const CallName& call) {
    for (const auto& message : phone.received(call)) {
      if (message.status() > 100 && message.status() < 200 && message.audio()) return true;
    }
    return false;
  }
};

TEST_F(Refusals, S8_ATransferToATakenOrbitIsReportedBusyAndTheCallStays) {
  const auto other = somebody_parked_at("106");
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "*68106"), 486);
  EXPECT_TRUE(is_johns_again(talk));
  EXPECT_TRUE(parked_at("106"));
  EXPECT_TRUE(hears_music(*other));
}

TEST_F(Refusals, S8_ANewCallToATakenOrbitHearsWhyAndThen486) {
  const auto other = somebody_parked_at("106");
  auto talk = conversation();
  hold(*talk.john, talk.call);
  const CallName feature = talk.john->start_call("*70106");
  EXPECT_TRUE(hears_music(*talk.john));  // speech
  EXPECT_EQ(talk.john->wait_invite_status(feature, std::chrono::seconds(15)), 486);
  EXPECT_TRUE(had_early_media(*talk.john, feature));
  EXPECT_TRUE(is_johns_again(talk));
  EXPECT_TRUE(parked_at("106"));
}

TEST_F(Refusals, S8_WhereTheTenantAllowsMoreTheOldestComesFirst) {
  site().database().execute("UPDATE tenants SET calls_per_orbit_max = 2 WHERE tenant = 'demo.callpark'");
  const auto first = somebody_parked_at("106");
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "*68106"), 202);
  EXPECT_EQ(transfer_result(*talk.john, talk.call), "SIP/2.0 200");
  EXPECT_TRUE(parked_at("106 106"));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName older = retrieve(*alice, "*88106", *first);
  alice->hang_up(older);
  retrieve(*alice, "*88106", *talk.client);
  site().database().execute("UPDATE tenants SET calls_per_orbit_max = 1 WHERE tenant = 'demo.callpark'");
}

TEST_F(Refusals, S7_WithoutAHeldCallTheParkerHearsSoAndGets404) {
  auto talk = conversation();
  const CallName feature = talk.john->start_call("*70106");
  EXPECT_TRUE(hears_music(*talk.john));
  EXPECT_EQ(talk.john->wait_invite_status(feature, std::chrono::seconds(15)), 404);
  EXPECT_TRUE(had_early_media(*talk.john, feature));
  EXPECT_TRUE(is_johns_again(talk));
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Refusals, S7_WhenEverythingWasResumedThereIsNothingToPark) {
  auto talk = conversation();
  hold(*talk.john, talk.call);
  ASSERT_EQ(talk.john->offer(talk.call, "sendrecv"), 200);
  const CallName feature = talk.john->start_call("*70106");
  EXPECT_EQ(talk.john->wait_invite_status(feature, std::chrono::seconds(15)), 404);
  EXPECT_TRUE(is_johns_again(talk));
}

TEST_F(Refusals, S13_WithoutPermissionTheParkerKeepsTheCall) {
  site().database().execute(
      "UPDATE extensions SET may_park = FALSE WHERE tenant = 'demo.callpark' AND extension = '101'");
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "*68"), 403);
  EXPECT_TRUE(is_johns_again(talk));
  hold(*talk.john, talk.call);
  const CallName feature = talk.john->start_call("*70106");
  EXPECT_EQ(talk.john->wait_invite_status(feature, std::chrono::seconds(15)), 403);
  EXPECT_TRUE(is_johns_again(talk));
  site().database().execute(
      "UPDATE extensions SET may_park = TRUE WHERE tenant = 'demo.callpark' AND extension = '101'");
}

// A strict phone answers 500 to what comes with a lower CSeq than the last that it has seen in the dialog.
TEST_F(Refusals, S13_AfterARefusedTransferTheOtherPartyHoldsResumesAndHangsUpToo) {
  const auto other = somebody_parked_at("106");
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk_caller(kClient);
  const CallName call = client->start_call("+442030000101");
  const CallName at_john = john->wait_incoming();
  ASSERT_EQ(client->wait_invite_status(call), 200);
  ASSERT_EQ(client->offer(call, "sendrecv"), 200);
  EXPECT_EQ(john->refer(at_john, "*68106"), 486);
  EXPECT_EQ(john->refer(at_john, "*70junk"), 603) << "RFC 5057: a 404 might end the call at the phone";
  EXPECT_EQ(client->offer(call, "sendonly"), 200);
  EXPECT_EQ(client->offer(call, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john, *client));
  EXPECT_EQ(client->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return john->is_closed(at_john); }));
}

TEST_F(Refusals, S13_WithoutPermissionNobodyRetrieves) {
  const auto other = somebody_parked_at("106");
  site().database().execute(
      "UPDATE extensions SET may_retrieve = FALSE WHERE tenant = 'demo.callpark' AND extension = '102'");
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = alice->start_call("*88106");
  EXPECT_EQ(alice->wait_invite_status(call, std::chrono::seconds(15)), 403);
  EXPECT_TRUE(parked_at("106"));
  EXPECT_TRUE(hears_music(*other));
  site().database().execute(
      "UPDATE extensions SET may_retrieve = TRUE WHERE tenant = 'demo.callpark' AND extension = '102'");
}

// The feature call hears why, and its status and phrase name the limit; so does the answer to a transfer.
TEST_F(Refusals, L7_EachLimitIsSpokenAndNamedAndTheCallStays) {
  struct Limit {
    std::string edit;
    std::string dialled;
    int status;
    std::string phrase;
  };
  const std::string undo =
      "UPDATE tenants SET parking_enabled = TRUE, parked_calls_max = 1000, extension_parked_calls_max = NULL; "
      "UPDATE extensions SET may_park = TRUE, may_group_park = TRUE; UPDATE orbit_ranges SET restricted = FALSE; "
      "DELETE FROM orbit_range_extensions";
  std::unique_ptr<SippCall> other;
  {
    auto first = conversation(kSecondClient);
    park(*first.john, first.call, "*68106", "106");
    EXPECT_TRUE(wait_until(kSoon, [&] { return first.john->is_closed(first.call); }));
    other = std::move(first.client);
  }
  auto talk = conversation();
  for (const Limit& limit :
       {Limit{"UPDATE tenants SET parking_enabled = FALSE", "*68", 403, "Call park is switched off"},
        Limit{"UPDATE extensions SET may_park = FALSE WHERE extension = '101'", "*68", 403, "Not permitted"},
        Limit{"UPDATE extensions SET may_group_park = FALSE WHERE extension = '101'", "*58", 403, "Not permitted"},
        Limit{"UPDATE orbit_ranges SET restricted = TRUE", "7000", 403, "Not permitted in this orbit range"},
        Limit{"UPDATE tenants SET parked_calls_max = 1", "*68", 486, "Too many calls parked"},
        Limit{"UPDATE tenants SET extension_parked_calls_max = 1", "*68", 486,
              "Too many calls parked by this extension"}}) {
    SCOPED_TRACE(limit.phrase + " " + limit.dialled);
    site().database().execute(limit.edit);
    EXPECT_EQ(talk.john->refer(talk.call, limit.dialled), limit.status);
    hold(*talk.john, talk.call);
    const CallName feature = talk.john->start_call(limit.dialled);
    EXPECT_TRUE(hears_music(*talk.john));  // speech
    EXPECT_EQ(talk.john->wait_invite_status(feature, std::chrono::seconds(15)), limit.status);
    EXPECT_TRUE(had_early_media(*talk.john, feature));
    const auto received = talk.john->received(feature);
    EXPECT_TRUE(std::ranges::any_of(received, [&](const SipText& message) {
      return message.start_line() == "SIP/2.0 " + std::to_string(limit.status) + " " + limit.phrase;
    }));
    EXPECT_TRUE(is_johns_again(talk));
    EXPECT_TRUE(parked_at("106"));
    site().database().execute(undo);
  }
}

TEST_F(Refusals, L7_RestrictedRangeAndSwitchedOffTenantAreForRetrieversToo) {
  auto talk = conversation();
  park(*talk.john, talk.call, "7005", "7005");
  site().database().execute("UPDATE orbit_ranges SET restricted = TRUE");
  site().database().execute(
      "INSERT INTO orbit_range_extensions SELECT tenant, orbit_range, '104' FROM orbit_ranges WHERE tenant = "
      "'demo.callpark'");
  const auto alice = site().packet_phone("102", kAlice);
  for (const char* dialled : {"7005", "*887005"}) {
    const CallName call = alice->start_call(dialled);
    EXPECT_EQ(alice->wait_invite_status(call, std::chrono::seconds(15)), 403) << dialled;
    EXPECT_TRUE(had_early_media(*alice, call)) << dialled;
  }
  EXPECT_TRUE(parked_at("7005"));
  // Switched off: what is still parked is retrieved, and then nothing is.
  site().database().execute("UPDATE tenants SET parking_enabled = FALSE");
  const auto dave = site().packet_phone("104", kBob);
  const CallName retrieved = retrieve(*dave, "7005", *talk.client);
  const CallName late = alice->start_call("*88106");
  EXPECT_EQ(alice->wait_invite_status(late, std::chrono::seconds(15)), 403);
  EXPECT_TRUE(had_early_media(*alice, late));
  dave->hang_up(retrieved);
  site().database().execute(
      "UPDATE tenants SET parking_enabled = TRUE; UPDATE orbit_ranges SET restricted = FALSE; "
      "DELETE FROM orbit_range_extensions");
}

TEST_F(Refusals, S13_FullTenant) {
  site().database().execute("UPDATE tenants SET parked_calls_max = 1 WHERE tenant = 'demo.callpark'");
  const auto other = somebody_parked_at("106");
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "*68"), 486);
  EXPECT_TRUE(is_johns_again(talk));
  EXPECT_TRUE(parked_at("106"));
  site().database().execute("UPDATE tenants SET parked_calls_max = 1000 WHERE tenant = 'demo.callpark'");
}

TEST_F(Refusals, X44_AnExtensionWithItsMaximumIsRefusedAndAnotherParks) {
  site().database().execute("UPDATE tenants SET extension_parked_calls_max = 1 WHERE tenant = 'demo.callpark'");
  const auto first = somebody_parked_at("104");  // by 103
  {
    const auto carol = site().packet_phone("103", kBob, true);
    auto client = site().trunk().call_in("+442030000103", tone_hz(kClient));
    const CallName call = talk(*carol, *client);
    EXPECT_EQ(carol->refer(call, "*68105"), 486);
    EXPECT_TRUE(parked_at("104"));
    EXPECT_TRUE(hear_each_other(*carol, *client)) << "the call stays";
    // Live for the next call, and that of the extension counts before that of the tenant.
    site().database().execute("UPDATE extensions SET parked_calls_max = 2 WHERE extension = '103'");
    EXPECT_EQ(carol->refer(call, "*68105"), 202);
    EXPECT_TRUE(parked_at("104 105"));
  }
  auto talk = conversation(7);
  park(*talk.john, talk.call, "*68", "101 104");
  site().database().execute(
      "UPDATE tenants SET extension_parked_calls_max = NULL; UPDATE extensions SET parked_calls_max = NULL");
}

TEST_F(Refusals, X43_AfterTooManyEmptyOrbitsThePhoneFindsNoCall) {
  site().database().execute("UPDATE tenants SET retrieve_misses_max = 2 WHERE tenant = 'demo.callpark'");
  const auto parked = somebody_parked_at("104");
  const auto guesser = site().packet_phone("102", kAlice);
  for (const std::string orbit : {"*881234", "*88*7250", "*88104", "*88104"}) {
    const CallName call = guesser->start_call(orbit);
    EXPECT_EQ(guesser->wait_invite_status(call, std::chrono::seconds(15)), 404) << orbit;
    EXPECT_TRUE(had_early_media(*guesser, call)) << orbit;
  }
  EXPECT_TRUE(parked_at("104"));
  const auto bob = site().packet_phone("105", kBob);
  const CallName call = retrieve(*bob, "*88104", *parked);
  bob->hang_up(call);
  site().database().execute("UPDATE tenants SET retrieve_misses_max = 10");
}

TEST_F(Refusals, S13_KamailioAnswers503WhenNoParkdIsAlive) {
  auto talk = conversation();
  site().parkd().stop();
  EXPECT_EQ(talk.john->refer(talk.call, "*68"), 503);
  EXPECT_TRUE(is_johns_again(talk));
  hold(*talk.john, talk.call);
  const CallName feature = talk.john->start_call("*70106");
  EXPECT_EQ(talk.john->wait_invite_status(feature), 503);
  EXPECT_TRUE(is_johns_again(talk));
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(wait_until(kSoon, [&] { return talk.john->refer(talk.call, "*68") == 202; }));
  EXPECT_TRUE(hears_music(*talk.client));
}

TEST_F(Refusals, S13_AParkdThatAnswersNothingIsAsGoodAsNone) {
  auto talk = conversation();
  site().parkd().pause();
  EXPECT_EQ(talk.john->refer(talk.call, "*68"), 503);
  EXPECT_TRUE(is_johns_again(talk));
  site().parkd().resume();
  // parkd may find now a request from before the pause; Kamailio has refused it, and parkd must not adopt the call.
  EXPECT_TRUE(holds_for(std::chrono::seconds(3), [&] { return !talk.client->heard(kEarshot).has_music(); }));
  EXPECT_TRUE(is_johns_again(talk));
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Refusals, S13_DatabaseAway) {
  auto talk = conversation();
  site().database().pause();
  EXPECT_GE(talk.john->refer(talk.call, "*68"), 400);
  site().database().resume();
  EXPECT_TRUE(is_johns_again(talk));
  EXPECT_TRUE(nothing_parked());
  EXPECT_TRUE(wait_until(std::chrono::seconds(20), [&] {
    if (talk.john->refer(talk.call, "*68") != 202) return false;
    return transfer_result(*talk.john, talk.call) == "SIP/2.0 200";
  }));
  EXPECT_TRUE(hears_music(*talk.client));
}

TEST_F(Refusals, S6_JunkBehindACodeIsSpokenAnd404) {
  auto talk = conversation();
  hold(*talk.john, talk.call);
  for (const char* junk : {"*70abc", "*7099999999", "*88*"}) {
    SCOPED_TRACE(junk);
    const CallName feature = talk.john->start_call(junk);
    EXPECT_EQ(talk.john->wait_invite_status(feature, std::chrono::seconds(15)), 404);
  }
  EXPECT_TRUE(is_johns_again(talk));
}

TEST_F(Refusals, S6_ATrailingHashIsAccepted) {
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "sip:*68106%23@demo.callpark"), 202);
  EXPECT_TRUE(hears_music(*talk.client));
  EXPECT_TRUE(parked_at("106"));
}

TEST_F(Refusals, S6_O3_CodesOfTheTenantsOwnCountFromTheNextCall) {
  auto& database = site().database();
  database.execute(
      "INSERT INTO park_codes (tenant, code, action, bare, retrieve_code) VALUES "
      "('demo.callpark', '645', 'retrieve', 'own_extension', NULL)");
  database.execute(
      "INSERT INTO park_codes (tenant, code, action, bare, retrieve_code) VALUES "
      "('demo.callpark', '644', 'park', 'own_extension', '645')");
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "644"), 202);
  EXPECT_TRUE(hears_music(*talk.client));
  EXPECT_TRUE(parked_at("101"));
  const auto alice = site().baresip(site().phone("102", kAlice));
  alice->dial_until_answered("645101");
  EXPECT_TRUE(hear_each_other(*alice, *talk.client));
  database.execute("DELETE FROM park_codes WHERE code = '644'");
  database.execute("DELETE FROM park_codes WHERE code = '645'");
  const CallName gone = talk.john->start_call("645101");
  EXPECT_EQ(talk.john->wait_invite_status(gone), 404);
}

TEST_F(Refusals, O3_AnExtensionInsertedNowRegistersParksAndIsAnOrbit) {
  site().database().execute(
      "INSERT INTO extensions (tenant, extension, password, display_name) "
      "VALUES ('demo.callpark', '107', 'demo-107', 'New')");
  const auto fresh = site().packet_phone("107", kBob, true);
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "*68107"), 202);
  EXPECT_TRUE(parked_at("107"));
  const CallName call = retrieve(*fresh, "*88", *talk.client);
  fresh->hang_up(call);
}

TEST_F(Refusals, S11_AReferFromTheTrunkIsRefused) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto thief = site().trunk_caller(7);
  const CallName call = thief->start_call("+442030000101");
  const CallName at_john = john->answer_next();
  ASSERT_EQ(thief->wait_invite_status(call), 200);
  EXPECT_EQ(thief->refer(call, "sip:*68@demo.callpark"), 403);
  EXPECT_EQ(john->phase(at_john), CallPhase::kEstablished);
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Refusals, S11_AStrangersReferToSomebodyElsesCallIsRefused) {
  auto talk = conversation();
  const auto mallory = site().packet_phone("104", kBob);
  const SipText invite = talk.client->sent().front();
  const std::string text = "REFER sip:client@" + talk.client->sound().own().address + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
                           mallory->options().address +
                           ":5060;branch=z9hG4bKmallory\r\nMax-Forwards: 70\r\nFrom: <sip:101@demo.callpark>;tag=" +
                           tag_in(talk.client->received().back().header("To")) + "\r\nTo: " + invite.header("From") +
                           "\r\nCall-ID: " + talk.client->call_id() + "\r\nCSeq: 900 REFER\r\nContact: <sip:104@" +
                           mallory->options().address +
                           ":5060>\r\nRefer-To: <sip:*68@demo.callpark>\r\nContent-Length: 0\r\n\r\n";
  mallory->send_raw(text);
  EXPECT_TRUE(wait_until(kSoon, [&] {
    for (const auto& message : mallory->received(talk.client->call_id())) {
      if (message.status() >= 400) return true;
    }
    return false;
  }));
  EXPECT_TRUE(nothing_parked());
  EXPECT_TRUE(is_johns_again(talk));
}

TEST_F(Refusals, S11_ForgedInsideHeadersDoNothing) {
  const auto alice = site().packet_phone("102", kAlice);
  const auto bob = site().packet_phone("103", kBob, true);
  const CallName call = alice->start_call("103",
                                          "X-Callpark-Tenant: other.callpark\r\nX-Callpark-User: 101\r\n"
                                          "X-Callpark-Dialog: {\"call_id\":\"x\"}\r\n");
  ASSERT_EQ(alice->wait_invite_status(call), 200);
  for (const auto& message : bob->received("")) {
    EXPECT_EQ(message.header("X-Callpark-Tenant"), "");
    EXPECT_EQ(message.header("X-Callpark-User"), "");
    EXPECT_EQ(message.header("X-Callpark-Dialog"), "");
  }
}

TEST_F(Refusals, S11_AnotherTenantSeesNothingOfIt) {
  const auto other = somebody_parked_at("102");
  PhoneOptions options = site().phone("102", kAlice);
  options.domain = "other.callpark";
  options.password = "other-102";
  const auto stranger = site().baresip(options);
  const CallName call = stranger->dial("*88102");
  EXPECT_TRUE(stranger->reaches(call, CallPhase::kClosed, std::chrono::seconds(15)));
  EXPECT_TRUE(parked_at("102"));
  EXPECT_TRUE(hears_music(*other));
}

}  // namespace
}  // namespace callpark::test
