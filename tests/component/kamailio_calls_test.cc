// Ordinary calls through the real Kamailio: which phones may register, which calls they may make, and what is refused.
#include <gtest/gtest.h>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

/// The request of `method` that `phone` got in `call`; empty when there is none.
SipText request_to(const PacketPhone& phone, const CallName& call, const std::string& method) {
  for (const auto& message : phone.received(call)) {
    if (message.is_request() && message.method() == method) {
      return message;
    }
  }
  return {};
}

int status_of_call(PacketPhone& phone, const std::string& target, const std::string& extra_headers = "") {
  return phone.wait_invite_status(phone.start_call(target, extra_headers));
}

/// Sends a request of one's own making and returns the final answer; an empty one when none comes within `timeout`.
SipText answer_to_raw(const Endpoint& from, const Endpoint& to, const std::string& start_line,
                      const std::string& headers, std::chrono::milliseconds timeout = kSoon) {
  UdpSocket socket(from);
  const std::string method = start_line.substr(0, start_line.find(' '));
  const std::string word = md5_hex(start_line + headers);
  socket.send(start_line + " SIP/2.0\r\nVia: SIP/2.0/UDP " + socket.own().text() + ";rport;branch=z9hG4bK" + word +
                  "\r\nMax-Forwards: 70\r\nCall-ID: " + word + "\r\nCSeq: 1 " + method + "\r\n" + headers +
                  "Content-Length: 0\r\n\r\n",
              to);
  SipText answer;
  wait_until(timeout, [&] {
    const auto datagram = socket.receive(std::chrono::milliseconds(50));
    answer = datagram ? SipText(datagram->bytes) : SipText();
    return answer.status() >= 200;
  });
  return answer;
}

int status_of_raw(const Endpoint& from, const Endpoint& to, const std::string& start_line, const std::string& headers,
                  std::chrono::milliseconds timeout = kSoon) {
  return answer_to_raw(from, to, start_line, headers, timeout).status();
}

/// The user that registers, and the parameters.
struct Registration {
  std::string user = "101";
  std::string domain = "demo.callpark";
  std::string contacts = {};
  /// Empty: the right one.
  std::string password = {};

  [[nodiscard]] std::string uri() const { return "sip:" + domain; }
  [[nodiscard]] std::string credentials(const std::string& challenge) const {
    const std::string right = domain.substr(0, domain.find('.')) + "-" + user;
    const std::string answer = digest_answer(challenge, "REGISTER", uri(), user, password.empty() ? right : password);
    return "Authorization: " + answer + "\r\n";
  }
};

/// One REGISTER with these credentials; an empty answer when none comes within `timeout`.
SipText answer_to_register_with(const KamailioSite& site, UdpSocket& socket, const Registration& registration,
                                const std::string& credentials, std::chrono::milliseconds timeout = kSoon) {
  static std::atomic<int> sent = 0;
  const std::string word = md5_hex(socket.own().text() + std::to_string(++sent));
  const std::string aor = "<sip:" + registration.user + "@" + registration.domain + ">";
  socket.send("REGISTER " + registration.uri() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + socket.own().text() +
                  ";rport;branch=z9hG4bK" + word + "\r\nMax-Forwards: 70\r\nFrom: " + aor + ";tag=1\r\nTo: " + aor +
                  "\r\nCall-ID: " + word + "\r\nCSeq: 1 REGISTER\r\n" + registration.contacts + credentials +
                  "Content-Length: 0\r\n\r\n",
              site.outside());
  SipText answer;
  wait_until(timeout, [&] {
    const auto datagram = socket.receive(std::chrono::milliseconds(50));
    answer = datagram ? SipText(datagram->bytes) : SipText();
    return answer.status() >= 200 && answer.call_id() == word;
  });
  return answer;
}

/// The same after a challenge.
SipText answer_to_register(const KamailioSite& site, UdpSocket& socket, const Registration& registration,
                           std::chrono::milliseconds timeout = kSoon) {
  const SipText challenge = answer_to_register_with(site, socket, registration, "", timeout);
  return answer_to_register_with(site, socket, registration,
                                 registration.credentials(challenge.header("WWW-Authenticate")), timeout);
}

SipText answer_to_register(const KamailioSite& site, const Registration& registration) {
  const LoopbackAddress address;
  UdpSocket socket({address.text(), 5060});
  return answer_to_register(site, socket, registration);
}

TEST(KamailioCalls, AnExtensionCallsAnotherAndParkdSeesNothing) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(bob->wait_incoming(), call);
  EXPECT_EQ(alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(call); }));
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  EXPECT_EQ(request_to(*bob, call, "INVITE").header("Proxy-Authorization"), "");
}

TEST(KamailioCalls, AllDevicesOfAnExtensionRingAndTheOneTooManyThatAnswersCanBeHungUp) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto desk = site.phone("102");
  auto mobile = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(desk->wait_incoming(), call);
  EXPECT_EQ(mobile->wait_incoming(), call);
  // Both have answered. The BYE for the second 200 has that phone's tag (RFC 3261 13.2.2.4).
  const auto answers = [&] {
    std::vector<SipText> found;
    for (const auto& message : alice->received(call)) {
      if (message.status() == 200 && message.method() == "INVITE" &&
          (found.empty() || found.front().header("To") != message.header("To"))) {
        found.push_back(message);
      }
    }
    return found;
  };
  if (!wait_until(kSoon, [&] { return answers().size() >= 2; })) {
    GTEST_SKIP() << "the CANCEL was quicker";
  }
  const SipText second = answers()[1];
  const std::string composed = alice->compose(call, "BYE");
  const std::string bye =
      "BYE " + uri_in(second.header("Contact")) +
      composed.substr(composed.find(" SIP/2.0"), composed.find("\r\nTo: ") - composed.find(" SIP/2.0")) +
      "\r\nTo: " + second.header("To") + composed.substr(composed.find("\r\nCall-ID: "));
  alice->send_raw(bye);
  const bool desk_was_second = uri_in(second.header("Contact")).find(desk->options().address) != std::string::npos;
  const PacketPhone& told = desk_was_second ? *desk : *mobile;
  const PacketPhone& other = desk_was_second ? *mobile : *desk;
  EXPECT_TRUE(wait_until(kSoon, [&] { return !request_to(told, call, "BYE").text().empty(); }));
  EXPECT_EQ(request_to(other, call, "BYE").text(), "");
}

TEST(KamailioCalls, AnExtensionCannotAssertAnIdentity) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->start_call("102",
                                          "P-Asserted-Identity: <sip:boss@demo.callpark>\r\n"
                                          "Remote-Party-ID: <sip:boss@demo.callpark>\r\n");
  ASSERT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_EQ(request_to(*bob, call, "INVITE").text().find("boss"), std::string::npos);
}

const std::string kBoss =
    "P-Asserted-Identity: <sip:boss@demo.callpark>\r\nP-Preferred-Identity: <sip:boss@demo.callpark>\r\n"
    "Remote-Party-ID: <sip:boss@demo.callpark>\r\n";

/// How many messages of a call that the phone got name the boss.
std::size_t named_boss(const PacketPhone& phone, const CallName& call) {
  const auto messages = phone.received(call);
  return static_cast<std::size_t>(std::ranges::count_if(
      messages, [](const SipText& message) { return message.text().find("boss") != std::string::npos; }));
}

TEST(KamailioCalls, X42_AnExtensionCannotAssertAnIdentityWithinACall) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_EQ(alice->request(call, "UPDATE", kBoss), 200);
  EXPECT_EQ(bob->request(call, "UPDATE", kBoss), 200);
  EXPECT_EQ(
      alice->request(call, "INVITE", kBoss + "Content-Type: application/sdp\r\n", alice->sound().sdp("sendrecv", 7)),
      200);
  EXPECT_EQ(alice->request(call, "INFO", kBoss), 200);
  EXPECT_EQ(count(*bob, call, "UPDATE"), 1U);
  EXPECT_EQ(named_boss(*bob, call) + named_boss(*alice, call), 0U);
}

TEST(KamailioCalls, X42_AnExtensionCannotAssertAnIdentityInItsAnswer) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  bob->answer_with_headers(kBoss);
  const CallName call = alice->call("102");
  EXPECT_EQ(alice->request(call, "INFO"), 200);
  EXPECT_EQ(named_boss(*alice, call), 0U);
}

TEST(KamailioCalls, X42_ABareCarriageReturnHidesNoHeader) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  bob->answer_with_headers("X-A: b\rP-Asserted-Identity: <sip:boss@demo.callpark>\r\n");
  const CallName call = alice->start_call("102", "X-A: b\rRemote-Party-ID: <sip:boss@demo.callpark>\r\n");
  ASSERT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_EQ(alice->request(call, "UPDATE", "X-A: b\r\rP-Asserted-Identity: <sip:boss@demo.callpark>\r\n"), 200);
  for (const auto* phone : {alice.get(), bob.get()}) {
    for (const auto& message : phone->received(call)) {
      EXPECT_EQ(message.text().find("\rP-A"), std::string::npos) << message.text();
      EXPECT_EQ(message.text().find("\rR"), std::string::npos) << message.text();
    }
  }
  EXPECT_EQ(named_boss(*bob, call), 2U) << "as the value of another header";
}

TEST(KamailioCalls, X42_ATrunkAssertsIdentitiesInCallsAndAnswers) {
  KamailioSite site;
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  trunk->answer_with_headers("P-Asserted-Identity: <sip:boss@demo.callpark>\r\n");
  const CallName in = trunk->start_call("+442030000102", kBoss);
  ASSERT_EQ(trunk->wait_invite_status(in), 200);
  EXPECT_EQ(trunk->request(in, "UPDATE", kBoss), 200);
  EXPECT_EQ(named_boss(*bob, in), 2U);
  const CallName out = bob->call("+15551234");
  EXPECT_GE(named_boss(*bob, out), 1U);
}

/// Sends many OPTIONS from one address; how many are answered.
int flood(const KamailioSite& site, UdpSocket& socket, int many) {
  int answered = 0;
  for (int i = 0; i < many; ++i) {
    const std::string word = std::to_string(i) + "-" + std::to_string(many);
    socket.send("OPTIONS sip:102@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + socket.own().text() + ";branch=z9hG4bK" +
                    word + "\r\nMax-Forwards: 70\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:102@demo.callpark>\r\nCall-ID: " +
                    word + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                site.outside());
    answered += socket.receive(std::chrono::milliseconds(2)) ? 1 : 0;
  }
  // A busy machine answers later.
  while (socket.receive(std::chrono::seconds(2))) ++answered;
  return answered;
}

int selects(KamailioSite& site) {
  return std::stoi(site.database.value(
      "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_SELECT'"));
}

TEST(KamailioCalls, X40_AFloodCostsNoQueries) {
  KamailioSite site(std::vector<std::string>{});
  const LoopbackAddress address;
  UdpSocket socket({address.text(), 5060});
  constexpr int kMany = 1500;
  const int before = selects(site);
  const int answered = flood(site, socket, kMany);
  EXPECT_LT(answered, kMany / 2);
  // Some are those of the lamps and of the database's own statistics.
  EXPECT_LT(selects(site) - before, kMany / 20);
}

TEST(KamailioCalls, X40_TheFloodOfATrunkCostsNoQueriesAndIsServed) {
  KamailioSite site(std::vector<std::string>{});
  UdpSocket socket({site.trunk_address.text(), 5060});
  constexpr int kMany = 1000;
  const int before = selects(site);
  EXPECT_GT(flood(site, socket, kMany), kMany * 9 / 10);
  EXPECT_LT(selects(site) - before, kMany / 20);
}

TEST(KamailioCalls, AFloodFromOneAddressIsIgnored) {
  KamailioSite site(std::vector<std::string>{});
  auto alice = site.phone("101");
  const LoopbackAddress address;
  UdpSocket socket({address.text(), 5060});
  const auto options = [&](int i) {
    return "OPTIONS sip:102@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + socket.own().text() + ";branch=z9hG4bK" +
           std::to_string(i) +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:102@demo.callpark>\r\nCall-ID: " +
           std::to_string(i) + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
  };
  constexpr int kMany = 600;
  int answered = 0;
  for (int i = 0; i < kMany; ++i) {
    socket.send(options(i), site.outside());
    answered += socket.receive(std::chrono::milliseconds(5)) ? 1 : 0;
    if (i - answered > 20) {
      break;
    }
  }
  EXPECT_LT(answered, kMany / 2);
  EXPECT_EQ(status_of_call(*alice, "102"), 480) << "others are served";
}

// An office after a power cut: all its phones come from one address.
TEST(KamailioCalls, AnAddressFromWhichAPhoneHasRegisteredIsNoFlood) {
  KamailioSite site(std::vector<std::string>{});
  auto alice = site.phone("101");
  UdpSocket beside({alice->options().address, 5070});
  constexpr int kMany = 600;
  int answered = 0;
  for (int i = 0; i < kMany; ++i) {
    const std::string text =
        "OPTIONS sip:102@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + beside.own().text() + ";branch=z9hG4bK" +
        std::to_string(i) +
        "\r\nMax-Forwards: 70\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:102@demo.callpark>\r\nCall-ID: " +
        std::to_string(i) + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    // RFC 3261 17.1.2.2: what is beyond the office's share of a second comes again.
    bool has_answer = false;
    for (int attempt = 0; attempt < 10 && !has_answer; ++attempt) {
      beside.send(text, site.outside());
      has_answer = beside.receive(std::chrono::milliseconds(500)).has_value();
    }
    answered += has_answer ? 1 : 0;
    if (i - answered > 2) break;
  }
  EXPECT_EQ(answered, kMany);
  EXPECT_EQ(status_of_call(*alice, "102"), 480) << "it is served";
}

TEST(KamailioCalls, N6_AnExtensionMayWithholdItsNumber) {
  KamailioSite site;
  auto bob = site.phone("102");
  for (const char* host : {"anonymous.invalid", "demo.callpark"}) {
    auto options = site.unregistered_phone("101")->options();
    options.from = std::string("\"Anonymous\" <sip:anonymous@") + host + ">";
    PacketPhone alice(options);
    const CallName call = alice.start_call("102");
    ASSERT_EQ(alice.wait_invite_status(call), 200) << host;
    EXPECT_EQ(request_to(*bob, call, "INVITE").header("From").find("\"Anonymous\" <sip:anonymous@"), 0U);
    EXPECT_EQ(alice.hang_up(call), 200);
  }
}

TEST(KamailioCalls, AContactThatPointsAtTheInsideSocketOpensNoDoor) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.execute("UPDATE callpark.location SET contact = 'sip:x@127.0.0.1:" +
                        std::to_string(site.inside().port) + "' WHERE username = '102'");
  site.kamailio->restart();
  const CallName call = alice->start_call("102", "X-Callpark-Tenant: demo.callpark\r\n");
  EXPECT_TRUE(holds_for(std::chrono::milliseconds(500), [&] { return alice->invite_status(call) != 200; }));
  EXPECT_EQ(request_to(*bob, call, "INVITE").text(), "");
}

TEST(KamailioCalls, AContactThatPointsAtATrunkIsNotRegistered) {
  KamailioSite site;
  const std::string trunk = site.trunk_address.text();
  for (const std::string& contact :
       {"<sip:+900123@" + trunk + ":5060>", "<sip:+900123@" + trunk + ":5099>;expires=60",
        "<sip:101@192.0.2.1>, <sip:+900123@" + trunk + ">", "<sip:101@192.0.2.1>\r\nm: <sip:+900123@" + trunk + ">",
        "<sip:101@192.0.2.1;maddr=" + trunk + ">", "<sip:101@192.0.2.1;alias=" + trunk + "~5060~1>"}) {
    for (const std::string domain : {"demo.callpark", "other.callpark"}) {
      const SipText answer = answer_to_register(site, {.domain = domain, .contacts = "Contact: " + contact + "\r\n"});
      EXPECT_EQ(answer.text().substr(0, answer.text().find("\r\n")), "SIP/2.0 403 Contact Points To A Trunk")
          << contact;
    }
  }
  UdpSocket at_the_trunk({trunk, 5099});
  EXPECT_EQ(answer_to_register(site, at_the_trunk, {.contacts = "Contact: <sip:101@192.0.2.1>\r\n"}).status(), 403);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.location"), "0");
}

TEST(KamailioCalls, AContactThatPointsAtUsOrHasANameIsNotRegistered) {
  KamailioSite site;
  for (const std::string& contact :
       {"<sip:x@" + site.outside().text() + ">", "<sip:x@" + site.inside().text() + ">",
        "<sip:x@" + site.seat->own().text() + ">", std::string("<sip:x@127.0.0.1>"),
        std::string("<sip:x@phone.example>"), std::string("<sip:101@192.0.2.1;maddr=localhost>")}) {
    EXPECT_EQ(answer_to_register(site, {.contacts = "Contact: " + contact + "\r\n"}).status(), 403) << contact;
  }
  EXPECT_EQ(answer_to_register(site, {.contacts = "Contact: tel:+15551234\r\n"}).status(), 400);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.location"), "0");
}

TEST(KamailioCalls, APhoneThatMovesOnAndOnTakesNoOtherPhonesPlace) {
  KamailioSite site;
  const auto count = [&](const std::string& where) {
    return site.database.value("SELECT COUNT(*) FROM callpark.location WHERE " + where);
  };
  const auto status = [&](const std::string& place, const std::string& headers, const std::string& parameters = "") {
    const std::string contact = "Contact: <sip:101@" + place + ">" + parameters + "\r\n";
    return answer_to_register(site, {.contacts = contact + headers}).status();
  };
  EXPECT_EQ(status("192.0.2.1", "User-Agent: Desk\r\n"), 200);
  for (int place = 1; place <= 12; ++place) {
    EXPECT_EQ(status("198.51.100." + std::to_string(place), "User-Agent: Mobile\r\n"), 200) << place;
  }
  EXPECT_EQ(count("user_agent = 'Mobile'"), "9");
  EXPECT_EQ(count("contact = 'sip:101@198.51.100.12'"), "1");
  EXPECT_EQ(count("user_agent = 'Desk'"), "1");
  EXPECT_EQ(status("192.0.2.2", "User-Agent: Tablet\r\n"), 503) << "there is none of its own";
  EXPECT_EQ(status("192.0.2.2", ""), 503);
  EXPECT_EQ(status("198.51.100.99", "User-Agent: Mobile\r\nExpires: 0\r\n"), 200) << "removes what is not there";
  EXPECT_EQ(status("198.51.100.99", "User-Agent: Mobile\r\n", ";expires=0"), 200);
  EXPECT_EQ(count("user_agent = 'Mobile'"), "9");
  EXPECT_EQ(status("192.0.2.1", "User-Agent: Desk\r\n"), 200) << "it refreshes";
}

TEST(KamailioCalls, AllContactsCanBeTakenBackAtOnce) {
  KamailioSite site;
  const std::string two =
      "Contact: \"A, B\" <sip:101@192.0.2.1>;+sip.instance=\"<urn:uuid:1>\"\r\nm: sip:101@192.0.2.2\r\n";
  EXPECT_EQ(answer_to_register(site, {.contacts = two}).status(), 200);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.location"), "2");
  EXPECT_EQ(answer_to_register(site, {.contacts = "Contact: *\r\nExpires: 0\r\n"}).status(), 200);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.location"), "0");
}

TEST(KamailioCalls, TheCallerOfAContactDoesNotSayWhereItIs) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto trunk = site.trunk();
  const LoopbackAddress address;
  // Behind NAT, with the number of a telephone far away for a user name.
  UdpSocket phone({address.text(), 5060});
  ASSERT_EQ(
      answer_to_register(site, phone, {.user = "102", .contacts = "Contact: <sip:+900123@10.0.0.5>\r\n"}).status(),
      200);
  for (const std::string& param :
       {";alias=" + site.trunk_address.text() + "~5060~1", ";maddr=" + site.trunk_address.text()}) {
    const CallName call = alice->start_call("sip:+900123@10.0.0.5" + param);
    EXPECT_TRUE(wait_until(kSoon, [&] {
      const auto datagram = phone.receive(std::chrono::milliseconds(50));
      return datagram && SipText(datagram->bytes).method() == "INVITE" && SipText(datagram->bytes).call_id() == call;
    })) << param;
    alice->cancel(call);
  }
  EXPECT_TRUE(trunk->received("").empty());
}

TEST(KamailioCalls, AWrongPasswordIsChallengedAgainAndNeverRegistered) {
  KamailioSite site;
  site.database.execute("UPDATE callpark.extensions SET password = 'changed' WHERE extension = '101'");
  EXPECT_THROW(site.phone("101"), std::runtime_error);
  auto bob = site.phone("102");
  EXPECT_EQ(status_of_call(*bob, "101"), 480);
}

constexpr int kMoreFailuresThanOneUserMayHave = 32;

TEST(KamailioCalls, WrongPasswordsOfOneUserLockOutHimAndNobodyElseAtHisAddress) {
  KamailioSite site(std::vector<std::string>{});
  const LoopbackAddress office;
  UdpSocket socket({office.text(), 5060});
  constexpr std::chrono::milliseconds kShort{300};
  int answered = 0;
  // They are counted by the minute, which may end meanwhile.
  while (answered < 2 * kMoreFailuresThanOneUserMayHave &&
         answer_to_register(site, socket, {.user = "101", .password = "old"}, kShort).status() == 401) {
    ++answered;
  }
  EXPECT_LT(answered, 2 * kMoreFailuresThanOneUserMayHave);
  EXPECT_EQ(answer_to_register(site, socket, {.user = "102"}).status(), 200);
  EXPECT_EQ(answer_to_register(site, socket, {.user = "101", .domain = "other.callpark"}).status(), 200);
  EXPECT_EQ(answer_to_register(site, {.user = "101"}).status(), 200) << "from another address";
}

TEST(KamailioCalls, WhatAnybodyCanSendInTheNameOfAnAddressLocksNobodyOut) {
  KamailioSite site(std::vector<std::string>{});
  auto bob = site.phone("102");
  const LoopbackAddress office;
  UdpSocket phone({office.text(), 5060});
  UdpSocket at_the_trunk({site.trunk_address.text(), 5099});
  const std::string invented =
      "Authorization: Digest username=\"101\", realm=\"demo.callpark\", uri=\"sip:demo.callpark\", "
      "nonce=\"Y0000GNAAAA0000000000000000000000000000\", response=\"00000000000000000000000000000000\"\r\n";
  for (int i = 0; i < kMoreFailuresThanOneUserMayHave; ++i) {
    const SipText answer = answer_to_register_with(site, phone, {}, invented, std::chrono::milliseconds(300));
    EXPECT_NE(answer.header("WWW-Authenticate").find("stale=true"), std::string::npos) << answer.text();
    answer_to_register_with(site, at_the_trunk, {}, invented, std::chrono::milliseconds(300));
  }
  EXPECT_EQ(answer_to_register(site, phone, {}).status(), 200);
  auto trunk = site.trunk();
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(bob->wait_incoming(), call);
}

TEST(KamailioCalls, O3_AnExtensionAddedInSqlCanRegisterAndBeCalledAtOnce) {
  KamailioSite site;
  auto alice = site.phone("101");
  EXPECT_EQ(status_of_call(*alice, "199"), 404);
  site.database.execute(
      "INSERT INTO callpark.extensions (tenant, extension, password) VALUES ('demo.callpark', '199', 'demo-199')");
  auto late = site.phone("199");
  const CallName call = alice->call("199");
  EXPECT_EQ(late->wait_incoming(), call);
}

TEST(KamailioCalls, ADidRingsItsExtension) {
  KamailioSite site;
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(bob->wait_incoming(), call);
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return trunk->is_closed(call); }));
}

TEST(KamailioCalls, S11_ATrunkReachesItsDidsAndNothingElse) {
  KamailioSite site;
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  for (const std::string number :
       {"102", "*70", "*7033", "*68102", "*88", "*58", "601", "7000", "7001", "+442039999999"}) {
    EXPECT_EQ(status_of_call(*trunk, number), 404) << number;
  }
  EXPECT_TRUE(site.seat->received("INVITE").empty());
}

TEST(KamailioCalls, NumbersWithAPlusGoOutByTheTrunk) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto trunk = site.trunk();
  const CallName call = alice->call("+15551234");
  EXPECT_EQ(trunk->wait_incoming(), call);
  EXPECT_EQ(request_to(*trunk, call, "INVITE").request_uri().substr(0, 14), "sip:+15551234@");
  EXPECT_EQ(trunk->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); }));
}

/// A call from the trunk to 102, which its Contact asks for over TCP, where no process listens.
CallName call_from_deaf_trunk(const KamailioSite& site, PacketPhone& bob) {
  const std::string trunk = site.trunk_address.text();
  const std::string headers = "From: <sip:+4420@" + trunk +
                              ">;tag=1\r\nTo: <sip:+442030000102@demo>\r\nContact: <sip:x@" + trunk +
                              ":5097;transport=tcp>\r\nContent-Type: application/sdp\r\n";
  EXPECT_EQ(status_of_raw({trunk, 5060}, site.outside(), "INVITE sip:+442030000102@" + site.outside().text(), headers),
            200);
  return bob.wait_incoming();
}

/// The final answers that `phone` got to its requests of `method`, as "480 Cannot Be Reached".
std::vector<std::string> final_answers(const PacketPhone& phone, const CallName& call, const std::string& method) {
  std::vector<std::string> answers;
  for (const auto& message : phone.received(call)) {
    if (message.is_request() || message.method() != method || message.status() < 200) continue;
    answers.push_back(message.text().substr(8, message.text().find("\r\n") - 8));
  }
  return answers;
}

TEST(KamailioCalls, X14_WhatCannotBeSentHasOneAnswer) {
  for (const std::string method : {"BYE", "INFO", "INVITE"}) {
    KamailioSite site;
    auto bob = site.phone("102");
    const CallName call = call_from_deaf_trunk(site, *bob);
    EXPECT_EQ(bob->request(call, method), 480) << method;
    EXPECT_TRUE(
        holds_for(std::chrono::milliseconds(300), [&] { return final_answers(*bob, call, method).size() == 1; }));
    EXPECT_EQ(final_answers(*bob, call, method).front(), "480 Cannot Be Reached") << method;
  }
}

TEST(KamailioCalls, X14_ACallThatCannotBeSentHasOneAnswer) {
  KamailioSite site;
  auto bob = site.phone("102");
  site.database.execute("UPDATE callpark.trunks SET port = 5097, transport = 'tcp'");
  const CallName call = bob->start_call("+15551234");
  EXPECT_EQ(bob->wait_invite_status(call), 480);
  EXPECT_TRUE(holds_for(std::chrono::milliseconds(300), [&] {
    const auto answers = final_answers(*bob, call, "INVITE");
    return std::ranges::count_if(answers, [](const auto& answer) { return !answer.starts_with("407"); }) == 1;
  }));
}

TEST(KamailioCalls, O5_ReplacesIsNotSentToATrunk) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto trunk = site.trunk();
  EXPECT_EQ(status_of_call(*alice, "+15551234", "Replaces: a;to-tag=b;from-tag=c\r\n"), 403);
  EXPECT_TRUE(trunk->received("").empty());
}

TEST(KamailioCalls, WhoIsNobodyIsChallenged) {
  KamailioSite site;
  const LoopbackAddress unknown;
  const std::string headers = "From: <sip:101@demo.callpark>;tag=1\r\nTo: <sip:+15551234@demo.callpark>\r\n";
  EXPECT_EQ(status_of_raw({unknown.text(), 5060}, site.outside(), "INVITE sip:+15551234@demo.callpark", headers), 407);
}

TEST(KamailioCalls, AnUnknownDomainIsRefused) {
  KamailioSite site;
  const LoopbackAddress unknown;
  const std::string headers = "From: <sip:101@unknown.example>;tag=1\r\nTo: <sip:102@unknown.example>\r\n";
  EXPECT_EQ(status_of_raw({unknown.text(), 5060}, site.outside(), "INVITE sip:102@unknown.example", headers), 403);
}

/// Sends an INVITE in the name of `from` with the credentials of `username`, and returns how it ends.
int status_with_credentials(const KamailioSite& site, const std::string& from, const std::string& to,
                            const std::string& username, const std::string& password) {
  const LoopbackAddress address;
  const std::string uri = "sip:" + to;
  const std::string headers = "From: <sip:" + from + ">;tag=1\r\nTo: <sip:" + to + ">\r\n";
  const SipText challenge = answer_to_raw({address.text(), 5060}, site.outside(), "INVITE " + uri, headers);
  const std::string credentials =
      "Proxy-Authorization: " +
      digest_answer(challenge.header("Proxy-Authenticate"), "INVITE", uri, username, password) + "\r\n";
  return answer_to_raw({address.text(), 5060}, site.outside(), "INVITE " + uri, headers + credentials).status();
}

TEST(KamailioCalls, AnExtensionUsesItsOwnIdentityOnly) {
  const KamailioSite site;
  const std::string to = "103@demo.callpark";
  EXPECT_EQ(status_with_credentials(site, "101@demo.callpark", to, "101", "demo-101"), 480) << "no phone is registered";
  EXPECT_EQ(status_with_credentials(site, "102@demo.callpark", to, "101", "demo-101"), 403);
  EXPECT_EQ(status_with_credentials(site, "101@demo.callpark", to, "101", "wrong"), 407);
}

TEST(KamailioCalls, X66_AWrongPasswordIsNamedInTheLogWithItsSender) {
  const KamailioSite site;
  const auto named = [&](const std::string& user) {
    return wait_until(kSoon, [&] {
      return site.kamailio->log().find("wrong password for " + user + "@demo.callpark from udp:127.100.") !=
             std::string::npos;
    });
  };
  ASSERT_EQ(status_with_credentials(site, "102@demo.callpark", "103@demo.callpark", "102", "demo-102"), 480);
  ASSERT_EQ(status_with_credentials(site, "101@demo.callpark", "103@demo.callpark", "101", "demo-102"), 407);
  EXPECT_TRUE(named("101"));
  EXPECT_EQ(site.kamailio->log().find("wrong password for 102@"), std::string::npos);
}

/// Sends INVITEs of an extension of the demo tenant from one address, and has its answers to one challenge.
class Caller {
 public:
  explicit Caller(const KamailioSite& site, std::string username = "101", std::string from = "101")
      : site_(site), username_(std::move(username)), from_(std::move(from)) {}

  /// The answer to an INVITE for `ruri` with these credentials, of a call of its own.
  [[nodiscard]] SipText invite(const std::string& ruri, const std::string& credentials = "") const {
    static std::atomic<int> calls = 0;
    const std::string headers = "X-Call: " + std::to_string(++calls) + "\r\nFrom: <sip:" + from_ +
                                "@demo.callpark>;tag=1\r\nTo: <sip:102@demo.callpark>\r\nContact: "
                                "<sip:101@" +
                                address_.text() + ">\r\n" + credentials;
    return answer_to_raw({address_.text(), 5060}, site_.outside(), "INVITE " + ruri, headers);
  }
  /// Asks for a new challenge.
  void be_challenged(const std::string& ruri) { challenge_ = invite(ruri).header("Proxy-Authenticate"); }
  [[nodiscard]] std::string credentials(const std::string& uri, unsigned count = 1) const {
    return written(digest_answer(challenge_, "INVITE", uri, "101", "demo-101", count));
  }
  /// The same as RFC 2069 has them, without qop, with `more` behind them.
  [[nodiscard]] std::string old_credentials(const std::string& uri, const std::string& more = "") const {
    std::string without_qop = challenge_;
    const auto qop = without_qop.find("qop=");
    without_qop.replace(qop, 3, "xyz");
    return written(digest_answer(without_qop, "INVITE", uri, "101", "demo-101") + more);
  }

 private:
  // The response is the right one, whatever name is beside it.
  [[nodiscard]] std::string written(std::string answer) const {
    const std::string name = "username=\"101\"";
    answer.replace(answer.find(name), name.size(), "username=\"" + username_ + "\"");
    return "Proxy-Authorization: " + answer + "\r\n";
  }

  const KamailioSite& site_;
  const std::string username_;
  const std::string from_;
  LoopbackAddress address_;
  std::string challenge_;
};

bool is_challenged_as_stale(const SipText& answer) {
  return answer.status() == 407 && answer.header("Proxy-Authenticate").find("stale=true") != std::string::npos;
}

const std::string kDemo102 = "sip:102@demo.callpark";

TEST(KamailioCalls, X34_CredentialsForAnotherRequestUriMakeNoCall) {
  KamailioSite site;
  auto trunk = site.trunk();
  auto other = site.phone("103");
  Caller caller(site);
  const std::string paid = "sip:+15551234@demo.callpark";
  for (const auto& [uri, ruri] :
       std::vector<std::pair<std::string, std::string>>{{kDemo102, paid},
                                                        {kDemo102, "sip:103@demo.callpark"},
                                                        {kDemo102, "sip:*68@demo.callpark"},
                                                        {kDemo102, "sip:103@" + other->options().address + ":5060"},
                                                        {"sip:demo.callpark", paid},
                                                        {"", paid},
                                                        {kDemo102, "sip:+15551234@" + site.outside().text()}}) {
    caller.be_challenged(kDemo102);
    EXPECT_EQ(caller.invite(ruri, caller.credentials(uri)).status(), 407) << uri << " for " << ruri;
  }
  EXPECT_TRUE(trunk->received("").empty());
  EXPECT_TRUE(site.seat->received("INVITE").empty());
}

// The Request-URI has to be that of the credentials that are tried, and not that of others beside them.
TEST(KamailioCalls, X34_CredentialsBesideOthersMakeNoCall) {
  KamailioSite site;
  auto trunk = site.trunk();
  Caller caller(site);
  const std::string paid = "sip:+15551234@demo.callpark";
  const auto others = [&](const std::string& realm) {
    return "Proxy-Authorization: Digest username=\"101\", realm=\"" + realm + "\", nonce=\"x\", uri=\"" + paid +
           "\", response=\"" + std::string(32, '0') + "\"\r\n";
  };
  for (const std::string realm : {"none.example", "demo.callpark"}) {
    caller.be_challenged(kDemo102);
    EXPECT_EQ(caller.invite(paid, others(realm) + caller.credentials(kDemo102)).status(), 407) << realm;
    caller.be_challenged(kDemo102);
    EXPECT_EQ(caller.invite(paid, caller.credentials(kDemo102) + others(realm)).status(), 407) << realm;
  }
  EXPECT_TRUE(trunk->received("").empty());
}

TEST(KamailioCalls, X34_CredentialsThatComeTwiceAreChallengedAgain) {
  KamailioSite site;
  Caller caller(site);
  caller.be_challenged(kDemo102);
  const std::string once = caller.credentials(kDemo102);
  EXPECT_EQ(caller.invite(kDemo102, once).status(), 480);
  EXPECT_TRUE(is_challenged_as_stale(caller.invite(kDemo102, once)));
  caller.be_challenged(kDemo102);
  EXPECT_EQ(caller.invite(kDemo102, caller.credentials(kDemo102, 2)).status(), 480);
  EXPECT_TRUE(is_challenged_as_stale(caller.invite(kDemo102, caller.credentials(kDemo102, 1)))) << "it counts back";
}

TEST(KamailioCalls, X34_APhoneThatCountsUsesItsNonceAgain) {
  KamailioSite site;
  Caller caller(site);
  caller.be_challenged(kDemo102);
  for (unsigned count = 1; count <= 20; ++count) {
    EXPECT_EQ(caller.invite(kDemo102, caller.credentials("sip:102@demo.callpark:5060;user=phone", count)).status(), 480)
        << count;
  }
}

TEST(KamailioCalls, X34_APhoneThatCannotCountUsesEachNonceOnce) {
  KamailioSite site;
  Caller caller(site);
  for (int i = 0; i < 3; ++i) {
    caller.be_challenged(kDemo102);
    EXPECT_EQ(caller.invite(kDemo102, caller.old_credentials(kDemo102)).status(), 480);
    EXPECT_EQ(caller.invite(kDemo102, caller.old_credentials(kDemo102)).status(), 407);
    EXPECT_TRUE(is_challenged_as_stale(caller.invite(kDemo102, caller.old_credentials(kDemo102, ", nc=00000002"))));
    EXPECT_TRUE(is_challenged_as_stale(
        caller.invite(kDemo102, caller.old_credentials(kDemo102, ", nc=00000003, cnonce=\"x, qop=auth\""))));
  }
}

TEST(KamailioCalls, X34_ACallThatIsRepeatedWhileItRingsIsOneCall) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.ringing_phone("102");
  const CallName call = alice->start_call("102");
  EXPECT_EQ(bob->wait_incoming(), call);
  alice->repeat_invite(call);
  alice->repeat_invite(call);
  bob->answer(call);
  EXPECT_EQ(alice->wait_invite_status(call), 200);
}

TEST(KamailioCalls, X34_ARegistrationIsForTheDomainOfItsCredentials) {
  KamailioSite site;
  const LoopbackAddress address;
  UdpSocket socket({address.text(), 5060});
  const Registration registration{.contacts = "Contact: <sip:101@" + socket.own().text() + ">\r\n"};
  const auto status = [&](const std::string& uri) {
    const SipText challenge = answer_to_register_with(site, socket, registration, "");
    const std::string answer = digest_answer(challenge.header("WWW-Authenticate"), "REGISTER", uri, "101", "demo-101");
    return answer_to_register_with(site, socket, registration, "Authorization: " + answer + "\r\n").status();
  };
  EXPECT_EQ(status("sip:other.callpark"), 401);
  EXPECT_EQ(status("sip:demo.callpark:5060"), 200);
  EXPECT_EQ(status("sip:101@demo.callpark"), 200);
}

TEST(KamailioCalls, X41_AUserIsThatOfTheDatabaseAndNoOther) {
  KamailioSite site;
  for (const std::string username : {"101 ", "101  ", "101 @demo.callpark"}) {
    Caller caller(site, username, "101%20");
    caller.be_challenged(kDemo102);
    EXPECT_EQ(caller.invite(kDemo102, caller.credentials(kDemo102)).status(), 407) << username;
  }
}

TEST(KamailioCalls, X41_ARegistrationHasNoListOfContactsOfItsOwn) {
  KamailioSite site;
  for (const std::string user : {"101;x1", "101;x2=y", "101:secret", "101%20", "%31%30%31;x"}) {
    const LoopbackAddress address;
    UdpSocket socket({address.text(), 5060});
    const SipText challenge = answer_to_register_with(site, socket, {.user = user}, "");
    const std::string answer =
        digest_answer(challenge.header("WWW-Authenticate"), "REGISTER", "sip:demo.callpark", "101", "demo-101");
    EXPECT_EQ(answer_to_register_with(site, socket,
                                      {.user = user, .contacts = "Contact: <sip:101@" + socket.own().text() + ">\r\n"},
                                      "Authorization: " + answer + "\r\n")
                  .status(),
              403)
        << user;
  }
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.location"), "0");
}

TEST(KamailioCalls, ThePasswordOfOneTenantIsWorthNothingInAnother) {
  const KamailioSite site;
  const std::string from = "101@demo.callpark";
  const std::string to = "103@demo.callpark";
  EXPECT_EQ(status_with_credentials(site, from, to, "101", "other-101"), 407);
  // A user name may carry a domain, and its hash is then that of the other domain.
  EXPECT_EQ(status_with_credentials(site, from, to, "101@other.callpark", "other-101"), 407);
}

TEST(KamailioCalls, ATenantCannotCallAnother) {
  KamailioSite site;
  auto bob = site.phone("102");
  auto other = site.phone("101", "other.callpark");
  EXPECT_EQ(status_of_call(*other, "sip:102@demo.callpark"), 403);
  EXPECT_EQ(status_of_call(*other, "sip:*70@demo.callpark"), 403);
  EXPECT_EQ(status_of_call(*other, "sip:102@" + bob->options().address + ":5060"), 403);
  EXPECT_EQ(status_of_call(*other, "+15551234"), 404) << "the other tenant has no trunk";
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  EXPECT_TRUE(bob->received("").size() == 2) << "nothing but its own registration";
}

TEST(KamailioCalls, AContactOfTheOwnTenantCanBeCalled) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("sip:102@" + bob->options().address + ":5060");
  EXPECT_EQ(bob->wait_incoming(), call);
}

TEST(KamailioCalls, APhoneBehindNatIsAnsweredWhereItSentFrom) {
  KamailioSite site;
  const LoopbackAddress address;
  UdpSocket phone({address.text(), 6017});
  // Its Via knows nothing of the NAT, and does not ask for rport.
  phone.send(
      "REGISTER sip:demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bKnat\r\nMax-Forwards: 70\r\n"
      "From: <sip:101@demo.callpark>;tag=1\r\nTo: <sip:101@demo.callpark>\r\nCall-ID: nat\r\nCSeq: 1 REGISTER\r\n"
      "Content-Length: 0\r\n\r\n",
      site.outside());
  const auto datagram = phone.receive(kSoon);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(SipText(datagram->bytes).status(), 401);
}

TEST(KamailioCalls, ARequestWithinNoCallIs481) {
  KamailioSite site;
  auto alice = site.phone("101");
  const LoopbackAddress unknown;
  const std::string to = alice->options().address + ":5060";
  const std::string headers =
      "From: <sip:102@demo.callpark>;tag=1\r\nTo: <sip:101@demo.callpark>;tag=2\r\nRoute: <sip:" +
      site.outside().text() + ";lr>\r\n";
  for (const std::string method : {"BYE", "INVITE", "UPDATE", "INFO", "NOTIFY", "REFER"}) {
    const int status = status_of_raw({unknown.text(), 5060}, site.outside(), method + " sip:101@" + to, headers);
    EXPECT_TRUE(status == 481 || (method == "REFER" && status == 407)) << method << " " << status;
  }
  EXPECT_EQ(alice->received("").size(), 2U);
}

TEST(KamailioCalls, APreloadedRouteLeadsNowhere) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  const CallName call = alice->start_call("102", "Route: <sip:" + site.trunk_address.text() + ":5060;lr>\r\n");
  EXPECT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_TRUE(trunk->received("").empty());
}

TEST(KamailioCalls, SubscriptionsToWhatThereIsNotAreRefusedCleanly) {
  KamailioSite site;
  const LoopbackAddress unknown;
  const std::string headers =
      "From: <sip:101@demo.callpark>;tag=1\r\nTo: <sip:102@demo.callpark>\r\nEvent: presence\r\n";
  EXPECT_EQ(status_of_raw({unknown.text(), 5060}, site.outside(), "SUBSCRIBE sip:102@demo.callpark", headers), 489);
}

TEST(KamailioCalls, TheInsideSocketIsForParkdOnly) {
  KamailioSite site;
  auto bob = site.phone("102");
  const LoopbackAddress unknown;
  const std::string headers =
      "From: <sip:101@demo.callpark>;tag=1\r\nTo: <sip:102@demo.callpark>\r\n"
      "X-Callpark-Tenant: demo.callpark\r\n";
  EXPECT_EQ(status_of_raw({unknown.text(), 5060}, site.inside(), "INVITE sip:102@demo.callpark", headers,
                          std::chrono::milliseconds(500)),
            0);
  EXPECT_EQ(bob->received("").size(), 2U);
}

TEST(KamailioCalls, CallsGoOnWhileTheDatabaseIsAway) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  site.database.kill9();
  EXPECT_EQ(alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(bob->offer(call, "recvonly"), 200);
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
  site.database.start();
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
}

TEST(KamailioCalls, CallsGoOnWhileTheDatabaseHangs) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  site.database.pause();
  const auto paused = std::chrono::steady_clock::now();
  EXPECT_EQ(alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(bob->offer(call, "recvonly"), 200);
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
  EXPECT_EQ(alice->hang_up(call), 200);
  const auto duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - paused);
  RecordProperty("milliseconds", static_cast<int>(duration.count()));
  std::cout << "two re-INVITEs, a new call and a BYE lasted " << duration.count() << " ms\n";
  site.database.resume();
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
}

TEST(KamailioCalls, CallsGoOnOverARestartOfKamailio) {
  KamailioSite site;
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  ASSERT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.dialog") == "1"; }));
  site.kamailio->kill9();
  site.kamailio->start();
  EXPECT_EQ(alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); }));
  EXPECT_EQ(status_of_call(*alice, "102"), 200) << "the registration is still there";
}

}  // namespace
}  // namespace callpark::test
