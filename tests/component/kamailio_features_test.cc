// The way of feature calls and REFERs through the real Kamailio to parkd: which pass, what parkd receives, of which
// calls parkd gets the requests afterwards, and what happens when it refuses or is not there.
#include <gtest/gtest.h>

#include <thread>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

using Json = nlohmann::json;

/// 101 and 102 in a call.
struct TwoInACall {
  KamailioSite site;
  std::unique_ptr<PacketPhone> alice = site.phone("101");
  std::unique_ptr<PacketPhone> bob = site.phone("102");
  CallName call = alice->call("102");
  TwoInACall() { bob->wait_incoming(); }

  [[nodiscard]] bool bob_is_told_bye() const {
    return wait_until(kSoon, [&] { return bob->is_closed(call); });
  }
  [[nodiscard]] bool parkd_is_told_bye() const { return !site.seat->wait_request("BYE").text().empty(); }
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
    two.site.seat->answer_with([&](const SipText& request) {
      two.site.seat->respond(request, 486, two.site.inside(), surplus);
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
  two.site.seat->answer_with(202);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 202);
  const SipText refer = two.site.seat->wait_request("REFER");
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

// RFC 3264 8: an offer has as many m= lines as the one before.
TEST(KamailioFeatures, X10_EveryMediaLineOfARoomReachesParkd) {
  TwoInACall two;
  std::string body = two.alice->sound().sdp("sendrecv", 2);
  for (int i = 0; i < 6; ++i) {
    body += "m=application " + std::to_string(40022 + 6 * i) +
            " UDP/DTLS/SCTP/BFCP slides-of-the-meeting-room-with-a-long-name\r\nc=IN IP4 192.0.2.21\r\na=sendrecv\r\n";
  }
  ASSERT_EQ(two.alice->request(two.call, "INVITE", "Content-Type: application/sdp\r\n", body), 200);
  two.site.seat->answer_with(202);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 202);
  const auto sdp = dialog_in(two.site.seat->wait_request("REFER"))["caller"]["sdp"].get<std::string>();
  std::size_t lines = 0;
  for (auto at = sdp.find("\nm="); at != std::string::npos; at = sdp.find("\nm=", at + 1)) ++lines;
  EXPECT_EQ(lines, 7U) << sdp;
  EXPECT_NE(sdp.find("telephone-event"), std::string::npos) << sdp;
}

TEST(KamailioFeatures, P1_AReferToTheTelUriOfAParkCodeParks) {
  for (const char* refer_to : {"<tel:*68>", "tel:%2A68-102;phone-context=demo.callpark"}) {
    TwoInACall two;
    two.site.seat->answer_with(202);
    EXPECT_EQ(two.alice->request(two.call, "REFER", std::string("Refer-To: ") + refer_to + "\r\n"), 202) << refer_to;
    EXPECT_EQ(two.site.seat->wait_request("REFER").header("Refer-To"), refer_to);
  }
}

TEST(KamailioFeatures, X15_ACodeParksInEverySpelling) {
  for (const std::string refer_to :
       {"<sip:*68;phone-context=demo.callpark@demo.callpark;user=phone>", "<sip:%2a68@demo.callpark;user=phone>",
        "<sip:*6-8@demo.callpark;user=phone>", "<sip:*68;phone-context=demo.callpark>", "<tel:*6-8>"}) {
    TwoInACall two;
    two.site.seat->answer_with(202);
    EXPECT_EQ(two.alice->request(two.call, "REFER", "Refer-To: " + refer_to + "\r\n"), 202) << refer_to;
    const std::string arrived = two.site.seat->wait_request("REFER").header("Refer-To");
    EXPECT_EQ(arrived, refer_to.find('@') == std::string::npos && refer_to.starts_with("<sip")
                           ? "<sip:*68@demo.callpark>"
                           : refer_to);
  }
}

TEST(KamailioFeatures, X15_ANumberIsCalledInEverySpelling) {
  KamailioSite site;
  const auto phone = site.phone("104");
  const auto bob = site.phone("102");
  site.seat->answer_with(486);
  for (const std::string uri :
       {"sip:*88101@demo.callpark", "sip:*88101;phone-context=demo.callpark@demo.callpark;user=phone",
        "sip:%2A88101@demo.callpark", "sip:*88-101@demo.callpark;user=phone", "tel:*88101",
        "tel:*88-1.01;phone-context=demo.callpark"}) {
    const auto call = phone->start_call(uri);
    EXPECT_EQ(phone->wait_invite_status(call), 486) << uri;
  }
  EXPECT_EQ(site.seat->received("INVITE").back().request_uri(), "sip:*88101@demo.callpark")
      << "parkd gets a host with it";
  for (const std::string uri : {"tel:102", "tel:1-02;phone-context=+44", "sip:1-0-2@demo.callpark;user=phone"}) {
    const auto call = phone->start_call(uri);
    EXPECT_EQ(phone->wait_invite_status(call), 200) << uri;
    EXPECT_EQ(phone->hang_up(call), 200);
  }
}

TEST(KamailioFeatures, P1_TheCalleeMayParkAsWell) {
  TwoInACall two;
  two.site.seat->answer_with(202);
  EXPECT_EQ(two.bob->refer(two.call, "*68"), 202);
  const SipText refer = two.site.seat->wait_request("REFER");
  EXPECT_EQ(refer.header("X-Callpark-User"), "102");
  EXPECT_EQ(dialog_in(refer)["parker"], "callee");
  two.site.seat->answer_with(200);
  EXPECT_EQ(two.bob->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(holds_for(300ms, [&] { return !two.alice->is_closed(two.call); }));
}

TEST(KamailioFeatures, P1_AfterAnAcceptedParkTheParkersRequestsGoToParkd) {
  TwoInACall two;
  two.site.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.site.seat->answer_with(200);
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.site.seat->wait_request("INVITE").call_id(), two.call);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 1U);
  EXPECT_EQ(count(*two.bob, two.call, "REFER"), 0U);
}

// parkd asks the other party first, and that phone may answer late.
TEST(KamailioFeatures, P1_AnUpdateToParkdIsWaitedFor) {
  TwoInACall two;
  two.site.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.site.seat->answer_with(0);
  std::thread later([&] {
    const SipText update = two.site.seat->wait_request("UPDATE");
    EXPECT_TRUE(holds_for(2500ms, [&] { return two.alice->received(two.call).back().status() != 408; }));
    two.site.seat->respond(update, 200, two.site.inside());
  });
  EXPECT_EQ(two.alice->request(two.call, "UPDATE"), 200);
  later.join();
}

TEST(KamailioFeatures, P1_AByeStraightBehindTheReferReachesParkdAndNotTheOther) {
  TwoInACall two;
  // The credentials of the challenge are good for the next requests.
  ASSERT_EQ(two.alice->wait_invite_status(two.alice->start_call("103")), 480);
  two.site.seat->answer_with(202);
  two.alice->fire(two.call, "REFER", two.alice->refer_to("*68"));
  two.alice->fire(two.call, "BYE");
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_FALSE(two.site.seat->wait_request("REFER").text().empty());
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

// How networks show a caller with a withheld number.
TEST(KamailioFeatures, P1_ACallerWhoseUriHasNoUserIsParkedLikeAnybody) {
  KamailioSite site;
  const auto alice = site.phone("101");
  const std::string uri = "sip:@" + site.trunk_address.text();
  PacketPhone trunk({.user = "trunk",
                     .password = "",
                     .domain = site.outside().text(),
                     .address = site.trunk_address.text(),
                     .proxy = site.outside(),
                     .from = "<" + uri + ">",
                     .auto_answer = true});
  const CallName call = trunk.start_call("+442030000101");
  ASSERT_EQ(trunk.wait_invite_status(call), 200);
  alice->wait_incoming();
  site.seat->answer_with(202);
  EXPECT_EQ(alice->refer(call, "*68"), 202);
  EXPECT_EQ(dialog_in(site.seat->wait_request("REFER"))["caller"]["uri"], uri);
}

TEST(KamailioFeatures, S13_AfterARefusedParkTheCallIsTheParkersAgain) {
  TwoInACall two;
  two.site.seat->answer_with(403);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 403);
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
  EXPECT_TRUE(two.site.seat->received("BYE").empty());
}

// The parker's BYE is on its way to parkd, which refuses the park at that moment and then knows nothing of the call.
TEST(KamailioFeatures, S13_AParkerWhoHangsUpWhileHeIsRefusedEndsHisCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->wait_invite_status(two.alice->start_call("103")), 480);
  ParkdSeat& seat = *two.site.seat;
  seat.answer_with([&](const SipText& request) {
    if (request.method() == "REFER") return 0;
    seat.respond(seat.received("REFER").front(), 403, two.site.inside());
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
  two.site.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.site.seat->answer_with(481);
  EXPECT_EQ(two.alice->hang_up(two.call), 481);
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

/// A NOTIFY of the transfer that `refer` has begun, as parkd sends it to the parker, and a header that is not for the
/// parker.
std::string notify_of_parkd(const TwoInACall& two, const SipText& refer) {
  return "NOTIFY sip:101@" + two.alice->options().address + ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP " +
         two.site.seat->own().text() + ";branch=z9hG4bKn1\r\nMax-Forwards: 70\r\nRoute: " + refer.header("Route") +
         "\r\nFrom: " + refer.header("To") + "\r\nTo: " + refer.header("From") + "\r\nCall-ID: " + two.call +
         "\r\nCSeq: 2000 NOTIFY\r\nEvent: refer\r\nSubscription-State: terminated\r\nX-Callpark-Adoption: kept\r\n"
         "Content-Type: message/sipfrag\r\nContent-Length: 21\r\n\r\nSIP/2.0 486 Busy Here";
}

TEST(KamailioFeatures, S13_WithoutParkdTheParkIs503AndTheCallGoesOn) {
  TwoInACall two;
  two.site.seat->answer_with(0);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 503) << "it is there and does not answer";
  two.site.seat.reset();
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
  KamailioSite site;
  const auto alice = site.phone("101");
  site.seat->answer_with(0);
  const CallName retrieve = alice->start_call("*88102");
  const SipText invite = site.seat->wait_request("INVITE");
  ASSERT_EQ(invite.method(), "INVITE");
  pass(std::chrono::milliseconds(3000));
  EXPECT_EQ(alice->invite_status(retrieve), 0);
  site.seat->respond(invite, 404, site.inside());
  EXPECT_EQ(alice->wait_invite_status(retrieve), 404);
}

TEST(KamailioFeatures, S13_ASecondParkWithoutAnAnswerDoesNotCutTheFirstOff) {
  TwoInACall two;
  two.site.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  const SipText refer = two.site.seat->wait_request("REFER");
  two.site.seat->answer_with(0);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 503);
  two.site.seat->send(notify_of_parkd(two, refer), two.site.inside());
  ASSERT_TRUE(wait_until(kSoon, [&] { return count(*two.alice, two.call, "NOTIFY") == 1; }));
  EXPECT_EQ(two.alice->received(two.call).back().text().find("X-Callpark"), std::string::npos);
  two.site.seat->answer_with(200);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye()) << "the first holds the marker";
}

TEST(KamailioFeatures, AParkdThatComesBackIsFound) {
  TwoInACall two;
  const Endpoint own = two.site.seat->own();
  two.site.seat.reset();
  ASSERT_TRUE(wait_until(kSoon, [&] { return two.site.kamailio->log().find("dst-down") != std::string::npos; }));
  two.site.seat = std::make_unique<ParkdSeat>(own);
  EXPECT_TRUE(wait_until(kSoon, [&] { return two.alice->refer(two.call, "*68") == 200; }));
}

TEST(KamailioFeatures, S13_WithoutTheDatabaseTheParkIs503AndTheCallGoesOn) {
  TwoInACall two;
  two.site.database.kill9();
  // parkd refuses it: Kamailio remembers what the number is.
  two.site.seat->answer_with(503);
  EXPECT_EQ(two.alice->refer(two.call, "*68"), 503);
  EXPECT_FALSE(two.site.seat->received("REFER").empty());
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, AnOrdinaryTransferPassesParkdBy) {
  TwoInACall two;
  EXPECT_EQ(two.alice->refer(two.call, "103"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "REFER"), 1U);
  EXPECT_TRUE(two.site.seat->received("REFER").empty());
}

TEST(KamailioFeatures, AnOrdinaryTransferToATelUriPassesParkdByToo) {
  TwoInACall two;
  EXPECT_EQ(two.alice->request(two.call, "REFER", "Refer-To: <tel:103>\r\n"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "REFER"), 1U);
  EXPECT_TRUE(two.site.seat->received("REFER").empty());
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
  const SipText challenge = exchange(stranger, first, two.site.outside());
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
  EXPECT_EQ(exchange(stranger, with_credentials_of("105"), two.site.outside()).status(), 481);
  EXPECT_EQ(exchange(stranger, with_credentials_of("102"), two.site.outside()).status(), 481)
      << "a party, but the tag is the other one's";
  EXPECT_TRUE(two.site.seat->received("REFER").empty());
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, ALateAckForWhatWasBeforeTheParkReachesTheOther) {
  TwoInACall two;
  two.alice->never_acknowledge(true);
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const int held_at = two.bob->received(two.call).back().cseq();
  two.site.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  std::string ack = two.alice->compose(two.call, "ACK");
  const auto cseq = ack.find("CSeq: ") + 6;
  const std::string late = ack.substr(0, cseq) + std::to_string(held_at) + ack.substr(ack.find(" ACK\r\n", cseq));
  const auto acks_before = count(*two.bob, two.call, "ACK");
  two.alice->send_raw(late);
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*two.bob, two.call, "ACK") > acks_before; }));
  EXPECT_TRUE(two.site.seat->received("ACK").empty());
  two.alice->send_raw(ack);
  EXPECT_FALSE(two.site.seat->wait_request("ACK").text().empty()) << "one of after it is parkd's";
}

// ----- what parkd sends

/// A request of parkd in the place of the sender of `refer`.
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
  two.site.seat->answer_with(202);
  ASSERT_EQ(two.alice->refer(two.call, "*68"), 202);
  two.site.seat->answer_with(200);
  two.site.seat->send(in_place_of_parker(*two.site.seat, two.site.seat->wait_request("REFER"), "INVITE", ""),
                      two.site.inside());
  ASSERT_TRUE(wait_until(kSoon, [&] { return count(*two.bob, two.call, "INVITE") == 2; }));
  ASSERT_EQ(two.alice->hang_up(two.call), 200);
  ASSERT_TRUE(wait_until(kSoon, [&] {
    return two.site.kamailio->rpc("dlg.stats_active").find("\"ongoing\":\t0") != std::string::npos;
  })) << two.site.kamailio->rpc("dlg.stats_active");
  EXPECT_EQ(two.bob->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.site.seat->received("INVITE").size(), 1U);
  EXPECT_EQ(two.bob->hang_up(two.call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return two.site.seat->received("BYE").size() == 2; }));
  EXPECT_FALSE(two.alice->is_closed(two.call) && count(*two.alice, two.call, "BYE") > 0);
}

/// A new INVITE of parkd and how it ends.
int status_of_parkds_call(const KamailioSite& site, UdpSocket& socket, const std::string& uri,
                          const std::string& tenant, std::chrono::milliseconds timeout = kSoon) {
  const SipText answer = exchange(socket, invite_of_parkd(socket.own(), uri, tenant), site.inside(), timeout);
  return answer.status();
}

TEST(KamailioFeatures, ParkdCallsWhomAnExtensionOfTheTenantMayCall) {
  KamailioSite site;
  auto carol = site.phone("103");
  auto trunk = site.trunk();
  const Endpoint own = site.seat->own();
  site.seat.reset();
  UdpSocket parkd(own);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:103@demo.callpark", "demo.callpark"), 200);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:103@" + carol->options().address + ":5060", "demo.callpark"), 200);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:+15551234@demo.callpark", "demo.callpark"), 200);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:104@demo.callpark", "demo.callpark"), 480);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:*88@demo.callpark", "demo.callpark"), 404);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:7000@demo.callpark", "demo.callpark"), 404);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:7001@demo.callpark", "demo.callpark"), 404);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:103@demo.callpark", "other.callpark"), 403);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:103@" + carol->options().address + ":5060", "other.callpark"), 403);
  EXPECT_EQ(status_of_parkds_call(site, parkd, "sip:103@demo.callpark", ""), 403);
  UdpSocket neighbour({"127.0.0.1", 0});
  EXPECT_EQ(status_of_parkds_call(site, neighbour, "sip:103@demo.callpark", "demo.callpark", 500ms), 0)
      << "the right address is not enough";
  for (const auto& message : carol->received("")) {
    EXPECT_EQ(message.text().find("X-Callpark"), std::string::npos);
  }
  EXPECT_NE(site.kamailio->rpc("dlg.stats_active").find("\"ongoing\":\t0"), std::string::npos)
      << "these are parkd's own";
}

// ----- trunks

TEST(KamailioFeatures, S11_TheReferOfATrunkIsRefused) {
  KamailioSite site;
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(trunk->refer(call, "sip:*68@demo.callpark"), 403);
  EXPECT_EQ(trunk->refer(call, "sip:103@demo.callpark"), 403);
  EXPECT_TRUE(site.seat->received("REFER").empty());
  EXPECT_EQ(count(*bob, call, "REFER"), 0U);
}

TEST(KamailioFeatures, O5_NoReferReachesATrunk) {
  KamailioSite site;
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  const CallName call = trunk->call("+442030000102");
  bob->wait_incoming();
  site.seat->answer_with(202);
  EXPECT_EQ(bob->refer(call, "103"), 403);
  EXPECT_EQ(bob->refer(call, "*68"), 202);
  const Json dialog = dialog_in(site.seat->wait_request("REFER"));
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
  const SipText invite = two.site.seat->wait_request("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:*70333@demo.callpark");
  EXPECT_EQ(invite.header("X-Callpark-User"), "101");
  const Json dialog = dialog_in(invite);
  ASSERT_TRUE(dialog.is_object()) << invite.text();
  EXPECT_EQ(dialog["call_id"], two.call);
  EXPECT_EQ(dialog["parker"], "caller");
  EXPECT_NE(dialog["caller"]["sdp"].get<std::string>().find("a=sendonly"), std::string::npos);
  EXPECT_NE(dialog["callee"]["sdp"].get<std::string>().find("a=recvonly"), std::string::npos);
  // Accepted: the requests of 101 in the held call now go to parkd.
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

TEST(KamailioFeatures, S1_TheCalleeMayHoldAndPark) {
  TwoInACall two;
  ASSERT_EQ(two.bob->offer(two.call, "inactive"), 200);
  EXPECT_EQ(two.bob->wait_invite_status(two.bob->start_call("*70")), 200);
  EXPECT_EQ(dialog_in(two.site.seat->wait_request("INVITE"))["parker"], "callee");
}

TEST(KamailioFeatures, S7_WhoIsHeldHoldsNobody) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.bob->wait_invite_status(two.bob->start_call("*70")), 200);
  EXPECT_EQ(two.site.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
}

TEST(KamailioFeatures, S7_ACallThatIsNotOnHoldAnyMoreIsNotParked) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  ASSERT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 200);
  EXPECT_EQ(two.site.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
}

TEST(KamailioFeatures, S7_TheCallHeldLastGoesAndOneThatHasEndedDoesNot) {
  TwoInACall two;
  auto carol = two.site.phone("103");
  auto dave = two.site.phone("104");
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const CallName second = two.alice->call("103");
  ASSERT_EQ(two.alice->offer(second, "sendonly"), 200);
  const CallName third = two.alice->call("104");
  ASSERT_EQ(two.alice->offer(third, "sendonly"), 200);
  ASSERT_EQ(two.alice->hang_up(third), 200);
  two.site.seat->answer_with(486);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 486);
  EXPECT_EQ(dialog_in(two.site.seat->wait_request("INVITE"))["call_id"], second);
}

TEST(KamailioFeatures, S7_TheCallHeldByTheSameDeviceGoesFirst) {
  TwoInACall two;
  auto carol = two.site.phone("103");
  auto mobile = two.site.phone("101");
  const CallName later = mobile->call("103");
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  ASSERT_EQ(mobile->offer(later, "sendonly"), 200);
  two.site.seat->answer_with(486);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 486);
  EXPECT_EQ(dialog_in(two.site.seat->wait_request("INVITE"))["call_id"], two.call);
}

// RFC 3261 14.1: a re-INVITE without a description asks the other side for the offer.
TEST(KamailioFeatures, X8_HoldInAnAckIsAHoldOfEitherSide) {
  for (const bool by_caller : {true, false}) {
    TwoInACall two;
    PacketPhone& holder = by_caller ? *two.alice : *two.bob;
    ASSERT_EQ(holder.answer_in_ack(two.call, "sendonly"), 200);
    EXPECT_EQ(holder.wait_invite_status(holder.start_call("*70333")), 200);
    const Json dialog = dialog_in(two.site.seat->wait_request("INVITE"));
    ASSERT_TRUE(dialog.is_object()) << by_caller;
    EXPECT_EQ(dialog["call_id"], two.call);
    EXPECT_EQ(dialog["parker"], by_caller ? "caller" : "callee");
    EXPECT_NE(dialog[by_caller ? "caller" : "callee"]["sdp"].get<std::string>().find("a=sendonly"), std::string::npos);
  }
}

TEST(KamailioFeatures, X8_ResumeInAnAckEndsTheHold) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  ASSERT_EQ(two.alice->answer_in_ack(two.call, "sendrecv"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 200);
  EXPECT_EQ(two.site.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
}

TEST(KamailioFeatures, X9_HoldWithoutAnAddressIsAHoldInBothFamilies) {
  for (const std::string nowhere : {"IP4 0.0.0.0", "IP6 ::", "IP6 0:0:0:0:0:0:0:0"}) {
    TwoInACall two;
    std::string body = two.alice->sound().sdp("sendrecv", 2);
    const auto line = body.find("c=IN ") + 5;
    body.replace(line, body.find("\r\n", line) - line, nowhere);
    ASSERT_EQ(two.alice->request(two.call, "INVITE", "Content-Type: application/sdp\r\n", body), 200);
    EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70333")), 200);
    EXPECT_EQ(dialog_in(two.site.seat->wait_request("INVITE"))["call_id"], two.call) << nowhere;
  }
}

TEST(KamailioFeatures, S7_OfTwoHoldsAtOnceBothAreWaitedFor) {
  TwoInACall two;
  auto carol = two.site.phone("103");
  const CallName second = two.alice->call("103");
  carol->wait_incoming();
  // The phone answers the third copy of the re-INVITE, which is 1.5 s later.
  carol->answer_reinvites_with({0, 0});
  const std::jthread slow([&] { EXPECT_EQ(two.alice->offer(second, "sendonly"), 200); });
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*carol, second, "INVITE") == 2; }));
  EXPECT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  const CallName feature = two.alice->start_call("*70");
  EXPECT_EQ(dialog_in(two.site.seat->wait_request("INVITE"))["call_id"], second) << "the one held last";
  EXPECT_EQ(two.alice->wait_invite_status(feature), 200);
}

TEST(KamailioFeatures, S7_WhatIsOnHoldIsKnownAfterARestartOfKamailio) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  two.site.kamailio->restart();
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70")), 200);
  const Json dialog = dialog_in(two.site.seat->wait_request("INVITE"));
  ASSERT_TRUE(dialog.is_object());
  EXPECT_EQ(dialog["call_id"], two.call);
  EXPECT_NE(dialog["caller"]["sdp"].get<std::string>().find("a=sendonly"), std::string::npos);
}

TEST(KamailioFeatures, S13_ARefusedFeatureCallLeavesTheHeldCallToItsHolder) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  two.site.seat->answer_with(486);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*70333")), 486);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.bob_is_told_bye());
}

TEST(KamailioFeatures, TheCancelOfAFeatureCallReachesParkdAndFreesTheHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  two.site.seat->answer_with(183);
  const CallName feature = two.alice->start_call("*70333");
  const SipText invite = two.site.seat->wait_request("INVITE");
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
  EXPECT_FALSE(two.site.seat->wait_request("CANCEL").text().empty());
  EXPECT_EQ(two.alice->wait_invite_status(feature), 487);
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U);
}

// ----- groups and ranges

TEST(KamailioFeatures, G1_ACodeThatParksInTheGroupTakesTheHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("*58")), 200);
  EXPECT_EQ(dialog_in(two.site.seat->wait_request("INVITE"))["call_id"], two.call);
  EXPECT_EQ(two.alice->hang_up(two.call), 200);
  EXPECT_TRUE(two.parkd_is_told_bye());
  EXPECT_TRUE(two.bob_hears_nothing_of_it());
}

TEST(KamailioFeatures, L2_AParkNumberTakesTheHeldCall) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("7000")), 200);
  const SipText invite = two.site.seat->wait_request("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:7000@demo.callpark");
  EXPECT_EQ(dialog_in(invite)["call_id"], two.call);
}

TEST(KamailioFeatures, L3_AnOrbitOfARangeGoesToParkd) {
  TwoInACall two;
  ASSERT_EQ(two.alice->offer(two.call, "sendonly"), 200);
  EXPECT_EQ(two.alice->wait_invite_status(two.alice->start_call("7001")), 200);
  const SipText invite = two.site.seat->wait_request("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:7001@demo.callpark");
  EXPECT_EQ(invite.header("X-Callpark-User"), "101");
  EXPECT_EQ(invite.header("X-Callpark-Dialog"), "") << "a call to an orbit retrieves";
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U) << "no marker was set";
}

TEST(KamailioFeatures, L3_ARangeIsItsOrbitsAndNoMoreAndAsLongAsItIsOn) {
  KamailioSite site;
  auto alice = site.phone("101");
  const auto status = [&](const std::string& number) { return alice->wait_invite_status(alice->start_call(number)); };
  EXPECT_EQ(status("7010"), 200);
  for (const std::string number : {"6999", "7011", "70010", "700", "700a", "*9001", "7001x"}) {
    EXPECT_EQ(status(number), 404) << number;
  }
  site.database.execute("UPDATE callpark.orbit_ranges SET enabled = FALSE");
  EXPECT_EQ(status("7010"), 404);
  EXPECT_EQ(status("7000"), 404);
}

TEST(KamailioFeatures, L3_AReferToTheGroupTheParkNumberOrAnOrbitParks) {
  for (const std::string target : {"*58", "7000", "7001"}) {
    TwoInACall two;
    two.site.seat->answer_with(202);
    EXPECT_EQ(two.alice->refer(two.call, target), 202) << target;
    const SipText refer = two.site.seat->wait_request("REFER");
    EXPECT_EQ(dialog_in(refer)["parker"], "caller") << target;
    two.site.seat->answer_with(200);
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
  EXPECT_EQ(two.site.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
  EXPECT_EQ(two.alice->offer(two.call, "sendrecv"), 200);
  EXPECT_EQ(count(*two.bob, two.call, "INVITE"), 3U) << "no marker was set";
}

TEST(KamailioFeatures, S6_CodesWithAHashOrWithJunkGoToParkdToo) {
  KamailioSite site;
  auto alice = site.phone("101");
  for (const std::string number : {"*68#", "*68%23", "*70abc", "*7033345678901", "*70%27%20OR%201=1", "%2A71"}) {
    const CallName call = alice->start_call(number);
    EXPECT_EQ(alice->wait_invite_status(call), 200) << number;
    const auto got = site.seat->received("INVITE");
    ASSERT_FALSE(got.empty());
    EXPECT_EQ(got.back().request_uri(), "sip:" + number + "@demo.callpark");
  }
}

TEST(KamailioFeatures, WhatIsNoNumberIs404) {
  KamailioSite site;
  auto alice = site.phone("101");
  for (const std::string number : {"*99", "7777", "%27;DROP%20TABLE%20numbers", "101%27", "*7"}) {
    EXPECT_EQ(alice->wait_invite_status(alice->start_call(number)), 404) << number;
  }
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  EXPECT_NE(site.database.value("SELECT COUNT(*) FROM callpark.numbers"), "0");
}

TEST(KamailioFeatures, O3_ACodeEditedInSqlCountsForTheNextCall) {
  KamailioSite site;
  auto alice = site.phone("101");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("644")), 404);
  site.database.execute(
      "INSERT INTO callpark.park_codes (tenant, code, action) VALUES ('demo.callpark', '644', 'park')");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("644102")), 200);
  site.database.execute("DELETE FROM callpark.park_codes WHERE code = '644'");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("644102")), 404);
}

TEST(KamailioFeatures, HeadersMeantForInsideAreStrippedFromOutside) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const std::string forged =
      "X-Callpark-User: 105\r\nx-callpark-tenant: other.callpark\r\nX-CALLPARK-DIALOG: {}\r\n"
      "X-Callpark-Adoption : released\r\n";
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("*70", forged)), 200);
  const SipText invite = site.seat->wait_request("INVITE");
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
