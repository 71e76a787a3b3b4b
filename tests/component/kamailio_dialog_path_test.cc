// The way of requests within dialogs through the real Kamailio: they go on along its Route whatever it knows of the
// call, to the other party and to no one else, from a party and from no one else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

using ::testing::AnyOf;

const std::string kSdpType = "Content-Type: application/sdp\r\n";
const std::vector<std::string> kMethods = {"INFO", "UPDATE", "INVITE", "MESSAGE", "OPTIONS"};

bool got(const PacketPhone& phone, const CallName& call, const std::string& method, std::size_t many = 1) {
  return wait_until(kSoon, [&] { return count(phone, call, method) >= many; });
}

std::string body_of(PacketPhone& phone, const std::string& method) {
  return method == "INVITE" ? phone.sound().sdp("sendrecv", 7) : "";
}

int status_of(PacketPhone& phone, const CallName& call, const std::string& method) {
  const std::string body = body_of(phone, method);
  return phone.request(call, method, body.empty() ? "" : kSdpType, body);
}

/// Every method of a call goes both ways, and its BYE ends it.
void expect_that_it_works(PacketPhone& one, PacketPhone& other, const CallName& call) {
  for (const auto& method : kMethods) {
    EXPECT_EQ(status_of(one, call, method), 200) << method;
    EXPECT_EQ(status_of(other, call, method), 200) << method;
    EXPECT_TRUE(got(one, call, method)) << method;
    EXPECT_TRUE(got(other, call, method)) << method;
  }
}

/// Kamailio starts again and knows no call.
void restart_without_calls(KamailioSite& site) {
  site.kamailio->kill9();
  site.database.execute("DELETE FROM callpark.dialog; DELETE FROM callpark.dialog_vars");
  site.kamailio->forget_journal();
  site.kamailio->start();
  ASSERT_EQ(site.kamailio->rpc("dlg.list").find("call-id"), std::string::npos);
}

/// A call of the trunk to 101 with headers and ids of the test's choosing.
struct TrunkCall {
  explicit TrunkCall(KamailioSite& site, const std::string& headers = "", const std::string& id_end = "",
                     const std::string& from = "")
      : bob(site.phone("101")) {
    auto options = site.trunk()->options();
    options.id_end = id_end;
    options.from = from;
    trunk = std::make_unique<PacketPhone>(options);
    call = trunk->start_call("+442030000101", headers);
    EXPECT_EQ(trunk->wait_invite_status(call), 200);
    EXPECT_EQ(bob->wait_incoming(), call);
    EXPECT_TRUE(got(*bob, call, "ACK"));
  }

  std::unique_ptr<PacketPhone> bob;
  std::unique_ptr<PacketPhone> trunk;
  CallName call;
};

// ----- X2: what Kamailio knows of a call decides about parking only

struct Names {
  std::string name;
  std::string id_end;
  std::string user;
};

class LongNames : public testing::TestWithParam<Names> {};

TEST_P(LongNames, X2_ACallGoesOnAfterARestart) {
  KamailioSite site;
  const std::string user = GetParam().user;
  const std::string from = user.empty() ? "" : "<sip:" + user + "@" + site.outside().text() + ">";
  TrunkCall a(site, "", GetParam().id_end, from);
  site.kamailio->restart();
  expect_that_it_works(*a.bob, *a.trunk, a.call);
  EXPECT_EQ(a.bob->hang_up(a.call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return a.trunk->is_closed(a.call); }));
}

INSTANTIATE_TEST_SUITE_P(, LongNames,
                         testing::Values(Names{"TagAndCallId", std::string(270, 'i'), ""},
                                         Names{"Tag140", std::string(124, 't'), ""},
                                         Names{"FromUri", "", std::string(270, 'u')}, Names{"Short", "", ""}),
                         [](const auto& test) { return test.param.name; });

/// Five Record-Routes of proxies in front of Kamailio; the nearest one is the trunk itself.
std::string five_record_routes(const KamailioSite& site) {
  std::string headers;
  for (int i = 0; i < 5; ++i) {
    const std::string host = i == 0 ? site.trunk_address.text() : "192.0.2.6" + std::to_string(i);
    headers += "Record-Route: <sip:" + std::string(60, 'q') + std::to_string(i) + "@" + host +
               ":5060;lr;ftag=1;x=" + std::string(70, 'r') + ">\r\n";
  }
  return headers;
}

TEST(DialogPath, X2_TheRoutesOfProxiesInFrontAreFollowedAfterARestart) {
  KamailioSite site;
  TrunkCall a(site, five_record_routes(site));
  restart_without_calls(site);
  // The trunk has left out the proxies, which are all itself.
  expect_that_it_works(*a.bob, *a.trunk, a.call);
  EXPECT_EQ(a.bob->hang_up(a.call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return a.trunk->is_closed(a.call); }));
}

TEST(DialogPath, X2_TheRoutesOfProxiesBehindAreFollowed) {
  KamailioSite site;
  auto bob = site.phone("101");
  auto trunk = site.trunk();
  // In front of Kamailio's in the answer: the last is the next hop of the caller's requests.
  trunk->be_behind("Record-Route: <sip:far@192.0.2.9;lr>\r\nRecord-Route: <sip:near@" + site.trunk_address.text() +
                   ";lr>\r\n");
  for (const bool restarts : {false, true}) {
    const CallName call = bob->call("+15551234");
    EXPECT_TRUE(got(*trunk, call, "ACK"));
    if (restarts) restart_without_calls(site);
    for (const auto& method : kMethods) EXPECT_EQ(status_of(*bob, call, method), 200) << method;
    const auto messages = trunk->received(call);
    EXPECT_TRUE(std::ranges::all_of(messages, [](const auto& m) {
      return m.is_response() || m.method() == "INVITE" || m.header("Route").starts_with("<sip:near@");
    }));
    EXPECT_EQ(bob->hang_up(call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return trunk->is_closed(call); }));
  }
}

TEST(DialogPath, X2_KamailioDiesBetweenTheAnswerAndItsAck) {
  KamailioSite site;
  auto bob = site.phone("101");
  auto trunk = site.trunk();
  trunk->never_acknowledge(true);
  const CallName call = trunk->start_call("+442030000101");
  ASSERT_EQ(trunk->wait_invite_status(call), 200);
  site.kamailio->kill9();
  site.kamailio->start();
  const std::string info = trunk->compose(call, "ACK");
  trunk->send_raw(info);
  EXPECT_TRUE(got(*bob, call, "ACK"));
  expect_that_it_works(*bob, *trunk, call);
  EXPECT_EQ(trunk->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(call); }));
}

TEST(DialogPath, X2_ACallGoesOnWithoutItsRecord) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(bob->wait_incoming(), call);
  restart_without_calls(site);
  expect_that_it_works(*alice, *bob, call);
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); }));
}

TEST(DialogPath, X2_ACallThatTheDatabaseNeverKnewGoesOn) {
  KamailioSite site;
  site.database.execute("RENAME TABLE callpark.dialog TO callpark.dialog_away");
  TrunkCall a(site);
  site.database.execute("RENAME TABLE callpark.dialog_away TO callpark.dialog");
  site.kamailio->restart();
  expect_that_it_works(*a.trunk, *a.bob, a.call);
  EXPECT_EQ(a.trunk->hang_up(a.call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return a.bob->is_closed(a.call); }));
}

TEST(DialogPath, X2_WithoutARecordAReferDoesNotParkAndTheCallStays) {
  KamailioSite site;
  TrunkCall a(site);
  restart_without_calls(site);
  EXPECT_EQ(a.bob->refer(a.call, "*70"), 603);
  EXPECT_TRUE(site.seat->received("REFER").empty());
  expect_that_it_works(*a.bob, *a.trunk, a.call);
}

TEST(DialogPath, X2_WithoutARecordAnOrdinaryTransferGoesToAPhoneOnly) {
  KamailioSite site;
  auto alice = site.phone("103");
  auto carol = site.phone("102");
  const CallName between_phones = alice->call("102");
  EXPECT_EQ(carol->wait_incoming(), between_phones);
  TrunkCall a(site);
  restart_without_calls(site);
  EXPECT_EQ(carol->refer(between_phones, "104"), 200);
  EXPECT_TRUE(got(*alice, between_phones, "REFER"));
  EXPECT_EQ(a.bob->refer(a.call, "104"), 403);
  EXPECT_EQ(a.trunk->refer(a.call, "104"), 403);
  EXPECT_EQ(count(*a.trunk, a.call, "REFER"), 0U);
}

TEST(DialogPath, X2_ARingGroupsCallGoesOnWithoutItsRecord) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.execute(
      "INSERT INTO callpark.ring_groups (tenant, ring_group, display_name, strategy, ring_seconds) VALUES "
      "('demo.callpark', '690', 'Two', 'simultaneous', 20);"
      "INSERT INTO callpark.ring_group_members (tenant, ring_group, position, member) VALUES "
      "('demo.callpark', '690', 1, '102')");
  for (const bool restarts : {false, true}) {
    const CallName call = alice->call("690");
    EXPECT_EQ(bob->wait_incoming(), call);
    if (restarts) restart_without_calls(site);
    expect_that_it_works(*alice, *bob, call);
    EXPECT_EQ(bob->hang_up(call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); }));
  }
}

TEST(DialogPath, X2_APhoneWithKamailioAsItsOutboundProxy) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  const std::string info = alice->compose(call, "INFO");
  const auto route = info.find("Route: ");
  alice->send_raw(info.substr(0, route) + "Route: <sip:" + site.outside().text() + ";lr>\r\n" + info.substr(route));
  EXPECT_TRUE(got(*bob, call, "INFO"));
}

// ----- X31: to the other party and to no one else

/// A trunk of the other tenant, which trusts Kamailio's address.
struct ForeignTrunk {
  explicit ForeignTrunk(KamailioSite& site)
      : phone({.user = "victim",
               .password = "",
               .domain = site.outside().text(),
               .address = address.text(),
               .proxy = site.outside(),
               .auto_answer = true}) {
    site.database.execute("INSERT INTO callpark.trunks (tenant, trunk, address) VALUES ('other.callpark', 'theirs', '" +
                          address.text() + "')");
  }
  [[nodiscard]] bool got_nothing() const {
    return holds_for(std::chrono::milliseconds(200), [&] { return phone.received("").empty(); });
  }

  LoopbackAddress address;
  PacketPhone phone;
};

/// The request with another Request-URI.
std::string with_uri(const std::string& request, const std::string& uri) {
  return request.substr(0, request.find(' ') + 1) + uri + request.substr(request.find(" SIP/2.0"));
}

std::string uri_of(const std::string& request) {
  return SipText(request).request_uri();
}

/// The final status of a request that is sent as it is; 0 without one.
int status_of_raw(PacketPhone& phone, const CallName& call, const std::string& request) {
  const SipText sent(request);
  int status = 0;
  phone.send_raw(request);
  wait_until(kSoon, [&] {
    for (const auto& message : phone.received(call)) {
      if (message.status() >= 200 && message.cseq() == sent.cseq() && message.method() == sent.method()) {
        status = message.status();
      }
    }
    return status != 0;
  });
  return status;
}

TEST(DialogPath, X31_ARequestGoesToNoOtherPlaceThanTheOtherParty) {
  KamailioSite site;
  ForeignTrunk victim(site);
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  const std::string there = victim.address.text();
  for (const bool has_record : {true, false}) {
    const CallName call = alice->call("102");
    EXPECT_EQ(bob->wait_incoming(), call);
    if (!has_record) restart_without_calls(site);
    for (const auto& method : kMethods) {
      const std::string body = body_of(*alice, method);
      const auto compose = [&] { return alice->compose(call, method, body.empty() ? "" : kSdpType, body); };
      for (const std::string& target :
           {"sip:+900123@" + there, "sip:102@" + there + ":5060", "sip:102@" + trunk->options().address,
            "sip:102@" + bob->options().address + ":5099", "sip:104@" + bob->options().address}) {
        EXPECT_EQ(status_of_raw(*alice, call, with_uri(compose(), target)), 403) << method << " " << target;
      }
      std::string request = compose();
      const auto behind_routes = request.find("\r\nFrom: ") + 2;
      const std::string second_route = request.substr(0, behind_routes) + "Route: <sip:" + there + ";lr>\r\n";
      EXPECT_EQ(status_of_raw(*alice, call, second_route + request.substr(behind_routes)), 403) << method;
      for (const std::string& param : {";alias=" + there + "~5060~1", ";maddr=" + there}) {
        request = compose();
        // It goes to the other party, or nowhere.
        EXPECT_THAT(status_of_raw(*alice, call, with_uri(request, uri_of(request) + param)), AnyOf(200, 403)) << param;
      }
      request = compose();
      const auto route = request.find("Route: ");
      EXPECT_EQ(status_of_raw(*alice, call,
                              request.substr(0, route) + "Route: <sip:" + there + ";lr>\r\n" +
                                  request.substr(request.find("\r\nFrom: ") + 2)),
                481)
          << method;
    }
    EXPECT_TRUE(victim.got_nothing());
    EXPECT_TRUE(trunk->received("").empty());
    EXPECT_EQ(alice->request(call, "INFO"), 200);
    EXPECT_EQ(alice->hang_up(call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(call); }));
  }
}

TEST(DialogPath, X31_AnAckAndAReferGoToNoOtherPlace) {
  KamailioSite site;
  ForeignTrunk victim(site);
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  alice->send_raw(with_uri(alice->compose(call, "ACK"), "sip:x@" + victim.address.text()));
  EXPECT_EQ(alice->request(call, "REFER", alice->refer_to("104")), 200);
  const std::string refer = alice->compose(call, "REFER", alice->refer_to("104"));
  EXPECT_THAT(status_of_raw(*alice, call, with_uri(refer, "sip:x@" + victim.address.text())), AnyOf(403, 407));
  EXPECT_TRUE(victim.got_nothing());
}

TEST(DialogPath, X31_WhoKnowsTheIdsIsNoParty) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(bob->wait_incoming(), call);
  for (PacketPhone* phone : {alice.get(), bob.get()}) {
    const PacketPhone& peer = phone == alice.get() ? *bob : *alice;
    for (const std::string method : {"BYE", "INVITE", "INFO"}) {
      const LoopbackAddress elsewhere;
      UdpSocket stranger({elsewhere.text(), 5060});
      const auto before = count(peer, call, method);
      std::string request = phone->compose(call, method);
      const auto via = request.find("UDP ") + 4;
      request.replace(via, request.find(';', via) - via, stranger.own().text());
      stranger.send(request, site.outside());
      SipText answer;
      wait_until(kSoon, [&] {
        const auto datagram = stranger.receive(std::chrono::milliseconds(50));
        answer = datagram ? SipText(datagram->bytes) : SipText();
        return answer.status() >= 200;
      });
      EXPECT_EQ(answer.status(), 407) << method;
      EXPECT_EQ(count(peer, call, method), before) << method;
    }
  }
  EXPECT_EQ(alice->request(call, "INFO"), 200);
}

TEST(DialogPath, X31_WhoIsNoTrunkHangsUpNoTrunksCall) {
  KamailioSite site;
  TrunkCall a(site);
  auto dave = site.unregistered_phone("104");
  const std::string bye = a.trunk->compose(a.call, "BYE");
  EXPECT_EQ(status_of_raw(*dave, a.call, bye), 403);
  EXPECT_FALSE(a.bob->is_closed(a.call));
  expect_that_it_works(*a.trunk, *a.bob, a.call);
}

TEST(DialogPath, X31_APhoneThatHasMovedProvesByItsPasswordThatItIsAParty) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  const LoopbackAddress elsewhere;
  UdpSocket moved({elsewhere.text(), 5060});
  const auto ask = [&](const std::string& credentials) {
    std::string request = alice->compose(call, "INFO", credentials);
    const auto via = request.find("UDP ") + 4;
    request.replace(via, request.find(';', via) - via, moved.own().text());
    moved.send(request, site.outside());
    SipText answer;
    wait_until(kSoon, [&] {
      const auto datagram = moved.receive(std::chrono::milliseconds(50));
      answer = datagram ? SipText(datagram->bytes) : SipText();
      return answer.status() >= 200;
    });
    return answer;
  };
  const auto with = [&](const std::string& user) {
    const std::string challenge = ask("").header("Proxy-Authenticate");
    const std::string uri = uri_of(alice->compose(call, "INFO"));
    return ask("Proxy-Authorization: " + digest_answer(challenge, "INFO", uri, user, "demo-" + user) + "\r\n").status();
  };
  EXPECT_EQ(with("101"), 200);
  EXPECT_EQ(with("104"), 403) << "another extension";
}

TEST(DialogPath, X31_AnInviteHasNoContactAtATrunkOrAtKamailio) {
  KamailioSite site;
  ForeignTrunk victim(site);
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  for (const std::string& contact :
       {"<sip:x@" + victim.address.text() + ">", "<sip:x@" + site.trunk_address.text() + ":5099>",
        "<sip:x@" + site.inside().text() + ">", "<sip:x@" + site.seat->own().text() + ">",
        std::string("<sip:x@phone.example>"), "<sip:x@192.0.2.1;maddr=" + victim.address.text() + ">",
        "<sip:101@" + alice->options().address + ";alias=" + victim.address.text() + "~5060~1>"}) {
    alice->be_reached_at(contact);
    for (const std::string target : {"102", "*70", "+15551234"}) {
      EXPECT_EQ(alice->wait_invite_status(alice->start_call(target)), 403) << contact << " " << target;
    }
  }
  alice->be_reached_at("");
  const CallName routed = alice->start_call("102", "Record-Route: <sip:" + victim.address.text() + ";lr>\r\n");
  EXPECT_EQ(alice->wait_invite_status(routed), 403);
  EXPECT_TRUE(bob->received("").size() <= 2U) << "its own registration only";
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  EXPECT_EQ(alice->hang_up(alice->call("102")), 200);
}

TEST(DialogPath, X31_ALaterContactLeadsNoRequestToATrunk) {
  KamailioSite site;
  ForeignTrunk victim(site);
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(bob->wait_incoming(), call);
  bob->be_reached_at("<sip:x@" + victim.address.text() + ">");
  EXPECT_EQ(bob->request(call, "UPDATE"), 403);
  EXPECT_EQ(status_of(*bob, call, "INVITE"), 403);
  // In an answer it is replaced by the place that the answer came from.
  EXPECT_EQ(status_of(*alice, call, "INVITE"), 200);
  EXPECT_EQ(alice->request(call, "INFO"), 200);
  const CallName second = alice->call("102");
  EXPECT_EQ(alice->request(second, "INFO"), 200);
  EXPECT_EQ(alice->hang_up(second), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(call) && bob->is_closed(second); }));
  EXPECT_TRUE(victim.got_nothing());
}

TEST(DialogPath, X31_AnAnswerThatTwoParsersReadInTwoWaysLeadsBackToItsSender) {
  KamailioSite site;
  ForeignTrunk victim(site);
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const std::string there = "<sip:x@" + victim.address.text() + ">";
  const std::string own = "<sip:102@" + bob->options().address + ":5060>";
  for (const std::string& contact :
       {"\"a\\\"b\" " + there, there + ", " + own, there + "\r\nm: " + own,
        "<sip:102@" + bob->options().address + ";alias=" + victim.address.text() + "~5060~1>"}) {
    bob->be_reached_at(contact);
    const CallName call = alice->call("102");
    EXPECT_EQ(bob->wait_incoming(), call);
    EXPECT_EQ(alice->request(call, "INFO"), 200) << contact;
    EXPECT_EQ(alice->hang_up(call), 200) << contact;
    EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(call); }));
  }
  EXPECT_TRUE(victim.got_nothing());
}

TEST(DialogPath, X31_AContactMayMove) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(bob->wait_incoming(), call);
  UdpSocket moved({bob->options().address, 5082});
  bob->be_reached_at("<sip:102@" + moved.own().text() + ";x=1>");
  EXPECT_EQ(bob->request(call, "UPDATE"), 200);
  for (const bool restarts : {false, true}) {
    if (restarts) restart_without_calls(site);
    alice->send_raw(alice->compose(call, "INFO"));
    SipText info;
    wait_until(kSoon, [&] {
      const auto datagram = moved.receive(std::chrono::milliseconds(50));
      info = datagram ? SipText(datagram->bytes) : SipText();
      return info.method() == "INFO";
    });
    EXPECT_EQ(info.request_uri(), "sip:102@" + moved.own().text() + ";x=1") << "as the phone has written it";
  }
}

TEST(DialogPath, X31_APhoneThatLosesTheParametersReachesTheOtherParty) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  const std::string info = alice->compose(call, "INFO");
  EXPECT_EQ(status_of_raw(*alice, call, with_uri(info, "sip:102@" + bob->options().address + ":5060")), 200);
}

// ----- X1: the connection first, then the Contact

std::unique_ptr<PacketPhone> tcp_phone(const KamailioSite& site, const LoopbackAddress& address,
                                       const std::string& user, bool listens = true) {
  return std::make_unique<PacketPhone>(PacketPhone::Options{.user = user,
                                                            .password = "demo-" + user,
                                                            .address = address.text(),
                                                            .proxy = site.outside(),
                                                            .auto_answer = true,
                                                            .over_tcp = true,
                                                            .listens = listens});
}

std::unique_ptr<PacketPhone> tcp_trunk(const KamailioSite& site) {
  return std::make_unique<PacketPhone>(PacketPhone::Options{.user = "trunk",
                                                            .password = "",
                                                            .domain = site.outside().text(),
                                                            .address = site.trunk_address.text(),
                                                            .proxy = site.outside(),
                                                            .auto_answer = true,
                                                            .over_tcp = true});
}

/// Its connections end, and Kamailio has seen it.
void disconnect(const KamailioSite& site, PacketPhone& phone) {
  const auto connections = [&] {
    const auto list = site.kamailio->rpc("core.tcp_list");
    std::size_t found = 0;
    for (auto at = list.find(phone.options().address + "\""); at != std::string::npos;
         at = list.find(phone.options().address + "\"", at + 1)) {
      ++found;
    }
    return found;
  };
  ASSERT_GT(connections(), 0U);
  phone.tcp().disconnect();
  ASSERT_TRUE(wait_until(kSoon, [&] { return connections() == 0; }));
}

TEST(Connections, X1_ATrunkThatHasClosedItsConnectionIsReachedAtItsContact) {
  KamailioSite site;
  auto bob = site.phone("101");
  auto trunk = tcp_trunk(site);
  const CallName call = trunk->start_call("+442030000101");
  ASSERT_EQ(trunk->wait_invite_status(call), 200);
  EXPECT_EQ(bob->wait_incoming(), call);
  EXPECT_EQ(trunk->tcp().accepted(), 0);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  EXPECT_EQ(trunk->tcp().accepted(), 0) << "the connection first";
  disconnect(site, *trunk);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  EXPECT_GT(trunk->tcp().accepted(), 0);
  disconnect(site, *trunk);
  EXPECT_EQ(status_of(*bob, call, "INVITE"), 200);
  disconnect(site, *trunk);
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return trunk->is_closed(call); }));
}

TEST(Connections, X1_ATrunkWithItsContactAtAnotherOfItsAddresses) {
  KamailioSite site;
  auto bob = site.phone("101");
  auto trunk = tcp_trunk(site);
  const LoopbackAddress other;
  TcpSocket there({other.text(), 5060}, site.outside(), true);
  trunk->be_reached_at("<sip:x@" + other.text() + ":5060;transport=tcp>");
  const CallName call = trunk->start_call("+442030000101");
  ASSERT_EQ(trunk->wait_invite_status(call), 200);
  EXPECT_EQ(bob->wait_incoming(), call);
  EXPECT_EQ(bob->request(call, "INFO"), 200) << "by the connection";
  disconnect(site, *trunk);
  bob->fire(call, "BYE");
  SipText bye;
  EXPECT_TRUE(wait_until(kSoon, [&] {
    bye = SipText(there.receive(std::chrono::milliseconds(50)).value_or(""));
    return bye.method() == "BYE";
  }));
  EXPECT_EQ(bye.request_uri(), "sip:x@" + other.text() + ":5060;transport=tcp");
}

TEST(Connections, X1_ParkdReachesATrunkThatHasClosedItsConnection) {
  KamailioSite site;
  auto bob = site.phone("101");
  auto trunk = tcp_trunk(site);
  const CallName call = trunk->start_call("+442030000101");
  ASSERT_EQ(trunk->wait_invite_status(call), 200);
  EXPECT_EQ(bob->wait_incoming(), call);
  disconnect(site, *trunk);
  EXPECT_EQ(bob->refer(call, "*70"), 200);
  const auto dialog = dialog_in(site.seat->wait_request("REFER"));
  ASSERT_TRUE(dialog.is_object());
  const std::string uri = dialog["caller"]["contact"];
  site.seat->send("INVITE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + site.seat->own().text() +
                      ";branch=z9hG4bKx1\r\nMax-Forwards: 70\r\nRoute: " + dialog["route"].get<std::string>() +
                      "\r\nFrom: <sip:101@demo.callpark>;tag=" + dialog["callee"]["tag"].get<std::string>() +
                      "\r\nTo: <sip:trunk@x>;tag=" + dialog["caller"]["tag"].get<std::string>() +
                      "\r\nCall-ID: " + call + "\r\nCSeq: 5000 INVITE\r\nContact: <sip:parkd@" +
                      site.seat->own().text() + ">\r\nContent-Length: 0\r\n\r\n",
                  site.inside());
  EXPECT_EQ(site.seat->wait_response(200).status(), 200);
  EXPECT_GT(trunk->tcp().accepted(), 0);
}

TEST(Connections, X1_ARegisteredPhoneIsCalledByItsConnectionAndWithoutItAtItsContact) {
  KamailioSite site;
  auto alice = site.phone("101");
  const LoopbackAddress address;
  auto bob = tcp_phone(site, address, "102");
  bob->register_phone();
  EXPECT_EQ(alice->hang_up(alice->call("102")), 200);
  EXPECT_EQ(bob->tcp().accepted(), 0) << "the connection first";
  disconnect(site, *bob);
  const CallName call = alice->call("102");
  EXPECT_GT(bob->tcp().accepted(), 0);
  disconnect(site, *bob);
  EXPECT_EQ(alice->request(call, "INFO"), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
}

TEST(Connections, X1_AfterTheDeathOfKamailioAPhoneIsReachedAtItsContact) {
  KamailioSite site;
  auto alice = site.phone("101");
  const LoopbackAddress address;
  auto bob = tcp_phone(site, address, "102");
  bob->register_phone();
  const CallName call = alice->call("102");
  site.kamailio->kill9();
  site.kamailio->start();
  EXPECT_EQ(alice->request(call, "INFO"), 200);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
  const CallName next = alice->call("102");
  EXPECT_EQ(alice->hang_up(next), 200);
  EXPECT_GT(bob->tcp().accepted(), 0);
}

TEST(Connections, X1_APhoneThatDoesNotListenIsReachedByItsConnection) {
  KamailioSite site;
  auto alice = site.phone("101");
  const LoopbackAddress address;
  auto bob = tcp_phone(site, address, "102", false);
  bob->register_phone();
  const CallName call = alice->call("102");
  EXPECT_EQ(alice->request(call, "INFO"), 200);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
}

TEST(Connections, X1_APhoneBehindNatIsReachedByItsConnectionOnly) {
  KamailioSite site;
  auto alice = site.phone("101");
  const LoopbackAddress address;
  auto bob = tcp_phone(site, address, "102");
  bob->be_reached_at("<sip:102@10.11.12.13:5060;transport=tcp>");
  bob->register_phone();
  const CallName call = alice->call("102");
  EXPECT_EQ(alice->request(call, "INFO"), 200);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  EXPECT_EQ(bob->tcp().accepted(), 0);
  EXPECT_EQ(alice->hang_up(call), 200);
}

// ----- X14: one final answer

TEST(DialogPath, X14_ARegistrationThatCannotBeSavedHasOneAnswer) {
  KamailioSite site;
  const LoopbackAddress address;
  auto phone = site.unregistered_phone("101");
  phone->be_reached_at("<sip:101@192.0.2.1>;expires=300, <sip:101@192.0.2.2>;q=7.5, <sip:101@192.0.2.3>");
  EXPECT_ANY_THROW(phone->register_phone());
  const auto finals = [&] {
    const auto messages = phone->received("");
    return std::ranges::count_if(messages, [](const auto& m) { return m.status() >= 200 && m.status() != 401; });
  };
  EXPECT_TRUE(holds_for(std::chrono::milliseconds(300), [&] { return finals() == 1; }));
}

}  // namespace
}  // namespace callpark::test
