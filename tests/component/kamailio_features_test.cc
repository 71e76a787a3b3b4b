// The way of feature calls and REFERs through the real Kamailio to parkd: who is let through, what parkd is told, whose
// requests parkd gets afterwards, and what happens when it refuses or is not there.
#include <gtest/gtest.h>

#include <thread>

#include "tests/component/kamailio_house.h"

namespace callpark::test {
namespace {

using Json = nlohmann::json;

/// 101 and 102 in a call.
struct TwoInACall {
  KamailioHouse house;
  std::unique_ptr<PacketPhone> alice = house.phone("101");
  std::unique_ptr<PacketPhone> bob = house.phone("102");
  CallName call = alice->call("102");
  TwoInACall() { bob->wait_incoming(); }

  [[nodiscard]] bool bob_is_told_bye() const {
    return wait_until(kSoon, [&] { return bob->is_closed(call); });
  }
  [[nodiscard]] bool parkd_is_told_bye() const { return !house.seat->wait_request("BYE").text().empty(); }
  [[nodiscard]] bool bob_hears_nothing_of_it() const {
    return holds_for(300ms, [&] { return !bob->is_closed(call); });
  }
};

// ----- what is no part of a message

const std::vector<std::string> kSurplus = {"\r\n", "  ", std::string(3, '\0'),
                                           "BYE sip:102@demo.callpark SIP/2.0\r\n\r\n"};

// RFC 3261 18.3. Passed on over TCP it would begin the next message.
TEST(KamailioFeatures, WhatStandsInADatagramBehindTheBodyIsNotPassedOn) {
  TwoInACall two;
  std::size_t sent = 0;
  for (const std::string& body : {std::string(), std::string("a\0b", 3)}) {
    const std::string type = body.empty() ? "" : "Content-Type: application/octet-stream\r\n";
    for (const std::string& surplus : kSurplus) {
      two.alice->send_raw(two.alice->compose(two.call, "INFO", type, body) + surplus);
      ++sent;
      ASSERT_TRUE(wait_until(kSoon, [&] { return count(*two.bob, two.call, "INFO") == sent; }))
          << two.alice->received(two.call).back().text();
      EXPECT_EQ(two.bob->received(two.call).back().body(), body);
    }
  }
}

TEST(KamailioFeatures, WhatStandsInADatagramBehindAnAnswerIsNotPassedOn) {
  TwoInACall two;
  for (const std::string& surplus : kSurplus) {
    two.house.seat->answer_with([&](const SipText& request) {
      two.house.seat->respond(request, 486, two.house.inside(), surplus);
      return 0;
    });
    EXPECT_EQ(two.alice->refer(two.call, "*68"), 486);
    EXPECT_EQ(two.alice->received(two.call).back().body(), "");
  }
}

TEST(KamailioFeatures, ADatagramThatEndsBeforeItsBodyDoesIsRefused) {
  TwoInACall two;
  std::string info = two.alice->compose(two.call, "INFO", "Content-Type: text/plain\r\n", "abc");
  info.pop_back();
  two.alice->send_raw(info);
  EXPECT_TRUE(wait_until(kSoon, [&] { return two.alice->received(two.call).back().status() == 400; }));
  EXPECT_EQ(count(*two.bob, two.call, "INFO"), 0U);
}

// ----- blind transfer

TEST(KamailioFeatures, P1_AReferToAParkCodeReachesParkdWithTheDialog) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 202);
  const SipText refer = two.house.seat->wait_request("REFER");
  EXPECT_EQ(refer.header("X-Callpark-Tenant"), "demo.callpark");
  EXPECT_EQ(refer.header("X-Callpark-User"), "101");
  EXPECT_EQ(refer.header("X-Callpark-Device"), "udp:" + two.alice->options().address + ":5060");
  EXPECT_EQ(refer.header("Proxy-Authorization"), "");
  EXPECT_EQ(refer.request_uri(), "sip:102@" + two.bob->options().address + ":5060");
  EXPECT_NE(refer.header("Route").find("did="), std::string::npos) << "the way to the other party stays in";

  const Json dialog = dialog_in(refer);
  ASSERT_TRUE(dialog.is_object()) << refer.text();
  EXPECT_EQ(dialog["call_id"], two.call);
  EXPECT_EQ(dialog["parker"], "caller");
  EXPECT_EQ(dialog["route"].get<std::string>() + refer.header("Route"), refer.header("Route") + refer.header("Route"))
      << "as the phone has it";
  EXPECT_EQ(dialog["caller"]["tag"], tag_in(refer.header("From")));
  EXPECT_EQ(dialog["callee"]["tag"], tag_in(refer.header("To")));
  EXPECT_EQ(dialog["caller"]["uri"], "sip:101@demo.callpark");
  EXPECT_EQ(dialog["callee"]["uri"], "sip:102@demo.callpark");
  EXPECT_EQ(dialog["caller"]["kind"], "extension");
  EXPECT_EQ(dialog["callee"]["contact"], "sip:102@" + two.bob->options().address + ":5060");
  EXPECT_EQ(dialog["callee"]["display"], "Bob Brown");
  EXPECT_EQ(dialog["caller"]["route_set"], "");
  EXPECT_GE(dialog["caller"]["cseq"].get<int>(), 1);
  const auto sdp = dialog["callee"]["sdp"].get<std::string>();
  EXPECT_EQ(sdp.substr(0, 2), "o=");
  EXPECT_NE(sdp.find("\nm=audio "), std::string::npos);
}

TEST(KamailioFeatures, P1_AReferToTheTelUriOfAParkCodeParks) {
  for (const char* refer_to : {"<tel:*68>", "tel:%2A68-102;phone-context=demo.callpark"}) {
    TwoInACall two;
    two.house.seat->answer_with(202);
    EXPECT_EQ(two.alice->request(two.call, "REFER", std::string("Refer-To: ") + refer_to + "\r\n"), 202) << refer_to;
    EXPECT_EQ(two.house.seat->wait_request("REFER").header("Refer-To"), refer_to);
  }
}

TEST(KamailioFeatures, P1_TheCalleeMayParkAsWell) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  EXPECT_EQ(two.bob->refer(two.call, "*68"), 202);
  const SipText refer = two.house.seat->wait_request("REFER");
  EXPECT_EQ(refer.header("X-Callpark-User"), "102");
  EXPECT_EQ(dialog_in(refer)["parker"], "callee");
  two.house.seat->answer_with(200);
  EXPECT_EQ(two.bob->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(holds_for(300ms, [&] { return !two.alice->is_closed(two.call); }));
}

TEST(KamailioFeatures, P1_AfterAnAcceptedParkTheParkersRequestsGoToParkd) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.house.seat->answer_with(200);
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.house.seat->wait_request("INVITE").call_id(), two.call);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 1U);
  EXPECT_EQ(count(*two.bob, two.call, "REFER"), 0U);
}

// parkd asks the other party first, who may take his time.
TEST(KamailioFeatures, P1_AnUpdateToParkdIsWaitedFor) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.house.seat->answer_with(0);
  std::thread later([&] {
    const SipText update = two.house.seat->wait_request("UPDATE");
    EXPECT_TRUE(holds_for(2500ms, [&] { return two.alice->received(two.call).back().status() != 408; }));
    two.house.seat->respond(update, 200, two.house.inside());
  });
  EXPECT_EQ(two.alice->request(two.call, "UPDATE"), 200);
  later.join();
}

TEST(KamailioFeatures, P1_AByeStraightBehindTheReferReachesParkdAndNotTheOther) {
  TwoInACall two;
  // The credentials of the challenge are good for the next requests.
  ASSERT_EQ(two.alice->wait_invite_status(two.alice->start_call("103")), 480);
  two.house.seat->answer_with(202);
  two.alice->fire(two.call, "REFER", two.alice->refer_to("*68"));
  two.alice->fire(two.call, "BYE");
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_FALSE(two.house.seat->wait_request("REFER").text().empty());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

// The BYE waits for an earlier REFER, and is repeated also at the moment at which Kamailio goes on with it.
TEST(KamailioFeatures, AByeThatIsRepeatedWhileItWaitsHoldsNobodyUp) {
  TwoInACall two;
  for (int round = 0; round < 5; ++round) {
    const CallName call = round == 0 ? two.call : two.alice->call("102");
    const std::string bye = two.alice->compose(call, "BYE");
    const auto first = std::chrono::steady_clock::now();
    for (int copies = 0; copies < 400; ++copies) {
      two.alice->send_raw(bye);
      std::this_thread::sleep_until(first + copies * 200us);
    }
    ASSERT_TRUE(wait_until(kSoon, [&] { return two.bob->is_closed(call); })) << "round " << round;
  }
}

// How networks show a caller who withholds his number.
TEST(KamailioFeatures, P1_ACallerWhoseUriHasNoUserIsParkedLikeAnybody) {
  KamailioHouse house;
  const auto alice = house.phone("101");
  const std::string uri = "sip:@" + house.trunk_address.text();
  PacketPhone trunk({.user = "trunk",
                     .password = "",
                     .domain = house.outside().text(),
                     .address = house.trunk_address.text(),
                     .proxy = house.outside(),
                     .from = "<" + uri + ">",
                     .auto_answer = true});
  const CallName call = trunk.start_call("+442030000101");
  ASSERT_EQ(trunk.wait_invite_status(call), 200);
  alice->wait_incoming();
  house.seat->answer_with(202);
  EXPECT_EQ(alice->refer(call, "*68"), 202);
  EXPECT_EQ(dialog_in(house.seat->wait_request("REFER"))["caller"]["uri"], uri);
}

TEST(KamailioFeatures, S13_AfterARefusedParkTheCallIsTheParkersAgain) {
  TwoInACall two;
  two.house.seat->answer_with(403);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 403);
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
  EXPECT_TRUE(two.house.seat->received("BYE").empty());
}

// His BYE is on its way to parkd, which refuses the park at that moment and then knows nothing of the call.
TEST(KamailioFeatures, S13_AParkerWhoHangsUpWhileHeIsRefusedEndsHisCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->wait_invite_status(two.alice->start_call("103")), 480);
  ParkdSeat& seat = *two.house.seat;
  seat.answer_with([&](const SipText& request) {
    if (request.method() == "REFER") return 0;
    seat.respond(seat.received("REFER").front(), 403, two.house.inside());
    const auto is_refused = [](const SipText& message) { return message.status() == 403; };
    EXPECT_TRUE(wait_until(kSoon, [&] { return std::ranges::any_of(two.alice->received(two.call), is_refused); }));
    return 481;
  });
  two.alice->fire(two.call, "REFER", two.alice->refer_to("*68"));
  ASSERT_FALSE(seat.wait_request("REFER").text().empty());
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, S13_AParkersByeThatParkdDoesNotKnowIsNotForTheOtherParty) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.house.seat->answer_with(481);
  EXPECT_EQ(two.alice->hang_up(two.call), 481);
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

/// A NOTIFY of the transfer that `refer` has begun, as parkd sends it to the parker, and a header that is not for him.
std::string notify_of_parkd(const TwoInACall& two, const SipText& refer) {
  return "NOTIFY sip:101@" + two.alice->options().address + ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP " +
         two.house.seat->own().text() + ";branch=z9hG4bKn1\r\nMax-Forwards: 70\r\nRoute: " + refer.header("Route") +
         "\r\nFrom: " + refer.header("To") + "\r\nTo: " + refer.header("From") + "\r\nCall-ID: " + two.call +
         "\r\nCSeq: 2000 NOTIFY\r\nEvent: refer\r\nSubscription-State: terminated\r\nX-Callpark-Adoption: kept\r\n"
         "Content-Type: message/sipfrag\r\nContent-Length: 21\r\n\r\nSIP/2.0 486 Busy Here";
}

TEST(KamailioFeatures, S13_WithoutParkdTheParkIs503AndTheCallGoesOn) {
  TwoInACall two;
  two.house.seat->answer_with(0);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 503) << "it is there and says nothing";
  two.house.seat.reset();
  ASSERT_TRUE(wait_until(kSoon, [&] { return two.alice->refer(two.call, "*68") == 503; }));
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const CallName feature = two.alice->start_call("*70");
  EXPECT_EQ(two.alice->wait_invite_status(feature), 503);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, X69_TheLateAnswerOfABusyParkdIsPassedOn) {
  KamailioHouse house;
  const auto alice = house.phone("101");
  house.seat->answer_with(0);
  const CallName retrieve = alice->start_call("*88102");
  const SipText invite = house.seat->wait_request("INVITE");
  ASSERT_EQ(invite.method(), "INVITE");
  pass(std::chrono::milliseconds(3000));
  EXPECT_EQ(alice->invite_status(retrieve), 0);
  house.seat->respond(invite, 404, house.inside());
  EXPECT_EQ(alice->wait_invite_status(retrieve), 404);
}

TEST(KamailioFeatures, S13_ASecondParkWithoutAnAnswerDoesNotCutTheFirstOff) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  const SipText refer = two.house.seat->wait_request("REFER");
  two.house.seat->answer_with(0);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 503);
  two.house.seat->send(notify_of_parkd(two, refer), two.house.inside());
  ASSERT_TRUE(wait_until(kSoon, [&] { return count(*two.alice, two.call, "NOTIFY") == 1; }));
  EXPECT_EQ(two.alice->received(two.call).back().text().find("X-Callpark"), std::string::npos);
  two.house.seat->answer_with(200);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye()) << "the first holds the marker";
}

TEST(KamailioFeatures, AParkdThatComesBackIsFound) {
  TwoInACall two;
  const Endpoint own = two.house.seat->own();
  two.house.seat.reset();
  ASSERT_TRUE(wait_until(kSoon, [&] { return two.house.kamailio->log().find("dst-down") != std::string::npos; }));
  two.house.seat = std::make_unique<ParkdSeat>(own);
  EXPECT_TRUE(wait_until(kSoon, [&] { return two.alice->refer(two.call, "*68") == 200; }));
}

TEST(KamailioFeatures, S13_WithoutTheDatabaseTheParkIs503AndTheCallGoesOn) {
  TwoInACall two;
  two.house.database.kill9();
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 503);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, AnOrdinaryTransferPassesParkdBy) {
  TwoInACall two;
  EXPECT_EQ(two.alice->refer(two.call, "103"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "REFER"), 1U);
  EXPECT_TRUE(two.house.seat->received("REFER").empty());
}

TEST(KamailioFeatures, AnOrdinaryTransferToATelUriPassesParkdByToo) {
  TwoInACall two;
  EXPECT_EQ(two.alice->request(two.call, "REFER", "Refer-To: <tel:103>\r\n"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "REFER"), 1U);
  EXPECT_TRUE(two.house.seat->received("REFER").empty());
}

/// Sends `request` and returns the final answer to it.
SipText exchange(UdpSocket& socket, const std::string& request, const Endpoint& to,
                 std::chrono::milliseconds timeout = kSoon) {
  socket.send(request, to);
  SipText answer;
  wait_until(timeout, [&] {
    const auto datagram = socket.receive(50ms);
    const SipText message = datagram ? SipText(datagram->bytes) : SipText();
    const bool is_final = message.status() >= 200 && message.method() != "OPTIONS";
    answer = is_final ? message : SipText();
    return is_final;
  });
  return answer;
}

TEST(KamailioFeatures, AReferWithoutCredentialsIsChallengedAndThatOfAStrangerIs481) {
  TwoInACall two;
  const LoopbackAddress address;
  UdpSocket stranger({address.text(), 5060});
  const std::string first = two.alice->compose(two.call, "REFER", two.alice->refer_to("*68"));
  const SipText challenge = exchange(stranger, first, two.house.outside());
  ASSERT_EQ(challenge.status(), 407);

  const std::string uri = SipText(first).request_uri();
  unsigned answers = 0;
  const auto with_credentials_of = [&](const std::string& user) {
    ++answers;
    return two.alice->compose(
        two.call, "REFER",
        two.alice->refer_to("*68") + "Proxy-Authorization: " +
            digest_answer(challenge.header("Proxy-Authenticate"), "REFER", uri, user, "demo-" + user, answers) +
            "\r\n");
  };
  EXPECT_EQ(exchange(stranger, with_credentials_of("105"), two.house.outside()).status(), 481);
  EXPECT_EQ(exchange(stranger, with_credentials_of("102"), two.house.outside()).status(), 481)
      << "a party, but not the one whose tag it is";
  EXPECT_TRUE(two.house.seat->received("REFER").empty());
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, ALateAckForWhatWasBeforeTheParkReachesTheOther) {
  TwoInACall two;
  two.alice->never_acknowledge(true);
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const int held_at = two.bob->received(two.call).back().cseq();
  two.house.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  std::string ack = two.alice->compose(two.call, "ACK");
  const auto cseq = ack.find("CSeq: ") + 6;
  const std::string late = ack.substr(0, cseq) + std::to_string(held_at) + ack.substr(ack.find(" ACK\r\n", cseq));
  const auto acks_before = count(*two.bob, two.call, "ACK");
  two.alice->send_raw(late);
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*two.bob, two.call, "ACK") > acks_before; }));
  EXPECT_TRUE(two.house.seat->received("ACK").empty());
  two.alice->send_raw(ack);
  EXPECT_FALSE(two.house.seat->wait_request("ACK").text().empty()) << "one of after it is parkd's";
}

// ----- what parkd sends

/// A request of parkd as it stands in the place of the sender of `refer`.
std::string in_place_of_parker(const ParkdSeat& seat, const SipText& refer, const std::string& method,
                               const std::string& headers, const std::string& body = "") {
  return method + " " + refer.request_uri() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + seat.own().text() + ";branch=z9hG4bK" +
         md5_hex(method + headers) + "\r\nMax-Forwards: 70\r\nRoute: " + refer.header("Route") +
         "\r\nFrom: " + refer.header("From") + "\r\nTo: " + refer.header("To") + "\r\nCall-ID: " + refer.call_id() +
         "\r\nCSeq: " + std::to_string(refer.cseq() + 100) + " " + method + "\r\nContact: <sip:parkd@" +
         seat.own().text() + ">\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(KamailioFeatures, TheAdoptedPartyTalksToParkdAlsoWhenTheParkerHasLeft) {
  TwoInACall two;
  two.house.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.house.seat->answer_with(200);
  two.house.seat->send(in_place_of_parker(*two.house.seat, two.house.seat->wait_request("REFER"), "INVITE", ""),
                       two.house.inside());
  ASSERT_TRUE(wait_until(kSoon, [&] { return count(*two.bob, two.call, "INVITE") == 2; }));
  ASSERT_EQ(two.alice->hang_up(two.call), 200);
  ASSERT_TRUE(wait_until(kSoon, [&] {
    return two.house.kamailio->rpc("dlg.stats_active").find("\"ongoing\":\t0") != std::string::npos;
  })) << two.house.kamailio->rpc("dlg.stats_active");
  EXPECT_EQ(two.bob->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.house.seat->received("INVITE").size(), 1U);
  EXPECT_EQ(two.bob->hang_up(two.call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return two.house.seat->received("BYE").size() == 2; }));
  EXPECT_FALSE(two.alice->is_closed(two.call) && count(*two.alice, two.call, "BYE") > 0);
}

/// A new INVITE of parkd and how it ends.
int status_of_parkds_call(const KamailioHouse& house, UdpSocket& socket, const std::string& uri,
                          const std::string& tenant, std::chrono::milliseconds timeout = kSoon) {
  const SipText answer = exchange(socket, invite_of_parkd(socket.own(), uri, tenant), house.inside(), timeout);
  return answer.status();
}

TEST(KamailioFeatures, ParkdCallsWhomAnExtensionOfTheTenantMayCall) {
  KamailioHouse house;
  auto carol = house.phone("103");
  auto trunk = house.trunk();
  const Endpoint own = house.seat->own();
  house.seat.reset();
  UdpSocket parkd(own);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:103@demo.callpark", "demo.callpark"), 200);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:103@" + carol->options().address + ":5060", "demo.callpark"), 200);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:+15551234@demo.callpark", "demo.callpark"), 200);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:104@demo.callpark", "demo.callpark"), 480);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:*88@demo.callpark", "demo.callpark"), 404);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:7000@demo.callpark", "demo.callpark"), 404);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:7001@demo.callpark", "demo.callpark"), 404);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:103@demo.callpark", "other.callpark"), 403);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:103@" + carol->options().address + ":5060", "other.callpark"),
            403);
  EXPECT_EQ(status_of_parkds_call(house, parkd, "sip:103@demo.callpark", ""), 403);
  UdpSocket neighbour({"127.0.0.1", 0});
  EXPECT_EQ(status_of_parkds_call(house, neighbour, "sip:103@demo.callpark", "demo.callpark", 500ms), 0)
      << "the right address is not enough";
  for (const auto& message : carol->received("")) {
    EXPECT_EQ(message.text().find("X-Callpark"), std::string::npos);
  }
  EXPECT_NE(house.kamailio->rpc("dlg.stats_active").find("\"ongoing\":\t0"), std::string::npos)
      << "these are parkd's own";
}

// ----- trunks

TEST(KamailioFeatures, S11_TheReferOfATrunkIsRefused) {
  KamailioHouse house;
  auto bob = house.phone("102");
  auto trunk = house.trunk();
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(trunk->refer(call, "sip:*68@demo.callpark"), 403);
  EXPECT_EQ(trunk->refer(call, "sip:103@demo.callpark"), 403);
  EXPECT_TRUE(house.seat->received("REFER").empty());
  EXPECT_EQ(count(*bob, call, "REFER"), 0U);
}

TEST(KamailioFeatures, O5_NoReferReachesATrunk) {
  KamailioHouse house;
  auto bob = house.phone("102");
  auto trunk = house.trunk();
  const CallName call = trunk->call("+442030000102");
  bob->wait_incoming();
  house.seat->answer_with(202);
  EXPECT_EQ(bob->refer(call, "103"), 403);
  EXPECT_EQ(bob->refer(call, "*68"), 202);
  const Json dialog = dialog_in(house.seat->wait_request("REFER"));
  EXPECT_EQ(dialog["caller"]["kind"], "trunk");
  EXPECT_EQ(dialog["callee"]["kind"], "extension");
  EXPECT_EQ(dialog["parker"], "callee");
  EXPECT_EQ(count(*trunk, call, "REFER"), 0U);
}

// ----- hold and a new call

TEST(KamailioFeatures, S1_TheHeldCallGoesWithACallToAParkCode) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const CallName feature = two.alice->start_call("*70333");
  EXPECT_EQ(two.alice->wait_invite_status(feature), 200);
  const SipText invite = two.house.seat->wait_request("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:*70333@demo.callpark");
  EXPECT_EQ(invite.header("X-Callpark-User"), "101");
  const Json dialog = dialog_in(invite);
  ASSERT_TRUE(dialog.is_object()) << invite.text();
  EXPECT_EQ(dialog["call_id"], two.call);
  EXPECT_EQ(dialog["parker"], "caller");
  EXPECT_NE(dialog["caller"]["sdp"].get<std::string>().find("a=sendonly"), std::string::npos);
  EXPECT_NE(dialog["callee"]["sdp"].get<std::string>().find("a=recvonly"), std::string::npos);
  // Accepted: what 101 says in the held call now goes to parkd.
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

TEST(KamailioFeatures, S1_TheCalleeMayHoldAndPark) {
  TwoInACall two;
  ASSERT_EQ(two.bob->offer(two.call, "inactive"), 200);
  EXPECT_EQ(two.bob->wait_invite_status(two.bob->start_call("*70")), 200);
  EXPECT_EQ(dialog_in(two.house.seat->wait_request("INVITE"))["parker"], "callee");
}

TEST(KamailioFeatures, S7_WhoIsHeldHoldsNobody) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.bob->wait_invite_status(two.bob->start_call("*70")), 200);
  EXPECT_EQ(two.house.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
}

TEST(KamailioFeatures, S7_ACallThatIsNotOnHoldAnyMoreIsNotParked) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  ASSERT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 200);
  EXPECT_EQ(two.house.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
}

TEST(KamailioFeatures, S7_TheCallHeldLastGoesAndOneThatHasEndedDoesNot) {
  TwoInACall two;
  auto carol = two.house.phone("103");
  auto dave = two.house.phone("104");
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const CallName second = two.alice->call("103");
  ASSERT_EQ(two.alice->offer(second, "sendonly"), 200);
  const CallName third = two.alice->call("104");
  ASSERT_EQ(two.alice->offer(third, "sendonly"), 200);
  ASSERT_EQ(two.alice->hang_up(third), 200);
  two.house.seat->answer_with(486);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 486);
  EXPECT_EQ(dialog_in(two.house.seat->wait_request("INVITE"))["call_id"], second);
}

TEST(KamailioFeatures, S7_TheCallHeldByTheSameDeviceGoesFirst) {
  TwoInACall two;
  auto carol = two.house.phone("103");
  auto mobile = two.house.phone("101");
  const CallName later = mobile->call("103");
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  ASSERT_EQ(mobile->offer(later, "sendonly"), 200);
  two.house.seat->answer_with(486);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 486);
  EXPECT_EQ(dialog_in(two.house.seat->wait_request("INVITE"))["call_id"], two.call);
}

TEST(KamailioFeatures, S7_OfTwoHoldsAtOnceBothAreWaitedFor) {
  TwoInACall two;
  auto carol = two.house.phone("103");
  const CallName second = two.alice->call("103");
  carol->wait_incoming();
  // The third copy of her re-INVITE is answered, which is 1.5 s later.
  carol->answer_reinvites_with({0, 0});
  const std::jthread slow([&] { EXPECT_EQ(two.alice->offer(second, "sendonly"), 200); });
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*carol, second, "INVITE") == 2; }));
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const CallName feature = two.alice->start_call("*70");
  EXPECT_EQ(dialog_in(two.house.seat->wait_request("INVITE"))["call_id"], second) << "the one held last";
  EXPECT_EQ(two.alice->wait_invite_status(feature), 200);
}

TEST(KamailioFeatures, S7_WhatIsOnHoldIsKnownAfterARestartOfKamailio) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  two.house.kamailio->kill9();
  two.house.kamailio->start();
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 200);
  const Json dialog = dialog_in(two.house.seat->wait_request("INVITE"));
  ASSERT_TRUE(dialog.is_object());
  EXPECT_EQ(dialog["call_id"], two.call);
  EXPECT_NE(dialog["caller"]["sdp"].get<std::string>().find("a=sendonly"), std::string::npos);
}

TEST(KamailioFeatures, S13_ARefusedFeatureCallLeavesTheHeldCallToItsHolder) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  two.house.seat->answer_with(486);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70333")), 486);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, TheCancelOfAFeatureCallReachesParkdAndFreesTheHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  two.house.seat->answer_with(183);
  const CallName feature = two.alice->start_call("*70333");
  const SipText invite = two.house.seat->wait_request("INVITE");
  ASSERT_TRUE(wait_until(kSoon, [&] {
    for (const auto& message : two.alice->received(feature)) {
      if (message.status() == 183) return true;
    }
    return false;
  }));
  two.alice->send_raw("CANCEL sip:*70333@demo.callpark SIP/2.0\r\nVia: " + invite.headers("Via").back() +
                      "\r\nMax-Forwards: 70\r\nFrom: " + invite.header("From") + "\r\nTo: " + invite.header("To") +
                      "\r\nCall-ID: " + feature + "\r\nCSeq: " + std::to_string(invite.cseq()) +
                      " CANCEL\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(two.house.seat->wait_request("CANCEL").text().empty());
  EXPECT_EQ(two.alice->wait_invite_status(feature), 487);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
}

// ----- groups and ranges

TEST(KamailioFeatures, G1_ACodeThatParksInTheGroupTakesTheHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*58")), 200);
  EXPECT_EQ(dialog_in(two.house.seat->wait_request("INVITE"))["call_id"], two.call);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

TEST(KamailioFeatures, L2_AParkNumberTakesTheHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("7000")), 200);
  const SipText invite = two.house.seat->wait_request("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:7000@demo.callpark");
  EXPECT_EQ(dialog_in(invite)["call_id"], two.call);
}

TEST(KamailioFeatures, L3_AnOrbitOfARangeGoesToParkd) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("7001")), 200);
  const SipText invite = two.house.seat->wait_request("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:7001@demo.callpark");
  EXPECT_EQ(invite.header("X-Callpark-User"), "101");
  EXPECT_EQ(invite.header("X-Callpark-Dialog"), "") << "who calls an orbit retrieves";
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U) << "no marker was set";
}

TEST(KamailioFeatures, L3_ARangeIsItsOrbitsAndNoMoreAndAsLongAsItIsOn) {
  KamailioHouse house;
  auto alice = house.phone("101");
  const auto status = [&](const std::string& number) { return alice->wait_invite_status(alice->start_call(number)); };
  EXPECT_EQ(status("7010"), 200);
  for (const std::string number : {"6999", "7011", "70010", "700", "700a", "*9001", "7001x"}) {
    EXPECT_EQ(status(number), 404) << number;
  }
  house.database.execute("UPDATE callpark.orbit_ranges SET enabled = FALSE");
  EXPECT_EQ(status("7010"), 404);
  EXPECT_EQ(status("7000"), 404);
}

TEST(KamailioFeatures, L3_AReferToTheGroupTheParkNumberOrAnOrbitParks) {
  for (const std::string target : {"*58", "7000", "7001"}) {
    TwoInACall two;
    two.house.seat->answer_with(202);
    EXPECT_EQ(two.alice->refer(two.call, target), 202) << target;
    const SipText refer = two.house.seat->wait_request("REFER");
    EXPECT_EQ(dialog_in(refer)["parker"], "caller") << target;
    two.house.seat->answer_with(200);
    EXPECT_EQ(two.alice->hang_up(two.call), 200) << target;
    EXPECT_TRUE(two.parkd_is_told_bye()) << target;
    EXPECT_TRUE(two.bob_hears_nothing_of_it()) << target;
  }
}

// ----- codes

TEST(KamailioFeatures, S3_ARetrieveCodeGoesWithoutAHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*71333")), 200);
  EXPECT_EQ(two.house.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U) << "no marker was set";
}

TEST(KamailioFeatures, S6_CodesWithAHashOrWithJunkGoToParkdToo) {
  KamailioHouse house;
  auto alice = house.phone("101");
  for (const std::string number : {"*68#", "*68%23", "*70abc", "*7033345678901", "*70%27%20OR%201=1", "%2A71"}) {
    const CallName call = alice->start_call(number);
    EXPECT_EQ(alice->wait_invite_status(call), 200) << number;
    const auto got = house.seat->received("INVITE");
    ASSERT_FALSE(got.empty());
    EXPECT_EQ(got.back().request_uri(), "sip:" + number + "@demo.callpark");
  }
}

TEST(KamailioFeatures, WhatIsNoNumberIs404) {
  KamailioHouse house;
  auto alice = house.phone("101");
  for (const std::string number : {"*99", "7777", "%27;DROP%20TABLE%20numbers", "101%27", "*7"}) {
    EXPECT_EQ(alice->wait_invite_status(alice->start_call(number)), 404) << number;
  }
  EXPECT_TRUE(house.seat->received("INVITE").empty());
  EXPECT_NE(house.database.value("SELECT COUNT(*) FROM callpark.numbers"), "0");
}

TEST(KamailioFeatures, O3_ACodeEditedInSqlCountsForTheNextCall) {
  KamailioHouse house;
  auto alice = house.phone("101");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("644")), 404);
  house.database.execute(
      "INSERT INTO callpark.park_codes (tenant, code, action) VALUES ('demo.callpark', '644', 'park')");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("644102")), 200);
  house.database.execute("DELETE FROM callpark.park_codes WHERE code = '644'");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("644102")), 404);
}

TEST(KamailioFeatures, HeadersMeantForInsideAreStrippedFromOutside) {
  KamailioHouse house;
  auto alice = house.phone("101");
  auto bob = house.phone("102");
  const std::string forged =
      "X-Callpark-User: 105\r\nx-callpark-tenant: other.callpark\r\nX-CALLPARK-DIALOG: {}\r\n"
      "X-Callpark-Adoption : released\r\n";
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("*70", forged)), 200);
  const SipText invite = house.seat->wait_request("INVITE");
  EXPECT_EQ(invite.headers("X-Callpark-User"), std::vector<std::string>{"101"});
  EXPECT_EQ(invite.headers("X-Callpark-Tenant"), std::vector<std::string>{"demo.callpark"});
  EXPECT_EQ(invite.text().find("x-callpark-tenant"), std::string::npos);
  EXPECT_EQ(invite.text().find("X-CALLPARK-DIALOG"), std::string::npos);
  EXPECT_EQ(invite.text().find("X-Callpark-Adoption"), std::string::npos);

  const CallName call = alice->start_call("102", forged);
  EXPECT_EQ(alice->wait_invite_status(call), 200);
  for (const auto& message : bob->received(call)) {
    EXPECT_EQ(message.text().find("allpark-"), std::string::npos) << message.text();
  }
  for (const auto& message : alice->received("")) {
    EXPECT_EQ(message.text().find("X-Callpark-Secret"), std::string::npos) << "parkd's words are for Kamailio";
  }
}

}  // namespace
}  // namespace callpark::test
