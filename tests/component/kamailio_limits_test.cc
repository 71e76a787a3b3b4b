// What one password, one address and one tenant may use up of Kamailio (docs/operations.md, "Limits"): what is beyond
// is refused, and all others are served.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>

#include "tests/component/kamailio_site.h"
#include "tests/component/lamp_publisher.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

/// One extension of a tenant, which sends SUBSCRIBEs as fast as they are answered, each with a Call-ID of its own.
class Subscriber {
 public:
  Subscriber(const Endpoint& kamailio, const std::string& user, const std::string& domain = "demo.callpark")
      : kamailio_(kamailio), user_(user), domain_(domain), socket_({address_.text(), 5060}) {}

  /// The final status; its reason is in answer(). `contact`: where NOTIFYs go, empty: to a port without a phone.
  int subscribe(const std::string& lamp, std::string contact = "") {
    if (contact.empty()) contact = "<sip:" + user_ + "@" + address_.text() + ":6001>";
    ++calls_;
    if (challenge_.empty() || status_of(lamp, contact) == 407) {
      challenge_.clear();
      if (status_of(lamp, contact) != 407) return answer_.status();
      challenge_ = answer_.header("Proxy-Authenticate");
      answered_ = 0;
      return status_of(lamp, contact);
    }
    return answer_.status();
  }
  /// Within the subscription of the last subscribe().
  int subscribe_again(const std::string& contact) {
    to_tag_ = tag_in(answer_.header("To"));
    const int status = status_of(uri_in(answer_.header("Contact")), contact);
    to_tag_.clear();
    return status;
  }
  [[nodiscard]] const SipText& answer() const { return answer_; }
  [[nodiscard]] std::string address() const { return address_.text(); }
  [[nodiscard]] std::string dead_contact(int port) const {
    return "<sip:" + user_ + "@" + address_.text() + ":" + std::to_string(port) + ">";
  }

 private:
  int status_of(const std::string& lamp, const std::string& contact) {
    const std::string uri = lamp.starts_with("sip:") || lamp.starts_with("tel:") ? lamp : "sip:" + lamp + "@" + domain_;
    const std::string call_id = user_ + "-" + std::to_string(calls_) + "@" + address_.text();
    const int cseq = ++cseq_;
    std::string text = "SUBSCRIBE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + socket_.own().text() +
                       ";rport;branch=z9hG4bK" + md5_hex(call_id + std::to_string(cseq)) +
                       "\r\nMax-Forwards: 70\r\nFrom: <sip:" + user_ + "@" + domain_ + ">;tag=f\r\nTo: <" + uri + ">" +
                       (to_tag_.empty() ? "" : ";tag=" + to_tag_) + "\r\nCall-ID: " + call_id +
                       "\r\nCSeq: " + std::to_string(cseq) + " SUBSCRIBE\r\nContact: " + contact +
                       "\r\nEvent: " + event + "\r\nExpires: 600\r\n" + extra_headers;
    if (!challenge_.empty()) {
      const std::string password = domain_.substr(0, domain_.find('.')) + "-" + user_;
      text +=
          "Proxy-Authorization: " + digest_answer(challenge_, "SUBSCRIBE", uri, user_, password, ++answered_) + "\r\n";
    }
    text += "Content-Length: 0\r\n\r\n";
    for (int i = 0; i < 20; ++i) {
      socket_.send(text, kamailio_);
      const auto deadline = std::chrono::steady_clock::now() + milliseconds(500);
      while (std::chrono::steady_clock::now() < deadline) {
        const auto datagram = socket_.receive(milliseconds(100));
        if (!datagram) continue;
        const SipText message(datagram->bytes);
        if (message.is_response() && message.call_id() == call_id && message.cseq() == cseq &&
            message.status() >= 200) {
          answer_ = message;
          return message.status();
        }
      }
    }
    return 408;
  }

 public:
  std::string event = "dialog";
  std::string extra_headers;

 private:
  const Endpoint kamailio_;
  const std::string user_, domain_;
  LoopbackAddress address_;
  UdpSocket socket_;
  std::string challenge_, to_tag_;
  unsigned answered_ = 0;
  int calls_ = 0, cseq_ = 0;
  SipText answer_;
};

/// A TCP connection that sends only what the test sends.
class Connection {
 public:
  Connection(const std::string& from, const Endpoint& to) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in own = to_sockaddr({from, 0});
    const sockaddr_in remote = to_sockaddr(to);
    is_open_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
               ::connect(fd_, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) == 0;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(fd_); }

  void send(const std::string& text) const { (void)!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  /// Not ended by the other side.
  [[nodiscard]] bool is_open() {
    std::array<char, 4096> bytes{};
    ssize_t size = 1;
    while (is_open_ && size > 0) size = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) is_open_ = false;
    return is_open_;
  }

 private:
  int fd_;
  bool is_open_ = false;
};

void allow_files(rlim_t count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, count));
  setrlimit(RLIMIT_NOFILE, &limit);
}

class KamailioLimits : public testing::Test {
 protected:
  explicit KamailioLimits(std::vector<std::string> defines = {"#!define WITHOUT_FLOOD_CONTROL"})
      : site(std::move(defines), 256) {}

  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log().substr(0, 20000) << "\n";
  }

  [[nodiscard]] Json result(const std::string& method, const std::string& params = "[]") const {
    return Json::parse(site.kamailio->rpc(method, params), nullptr, false).value("result", Json());
  }
  [[nodiscard]] long statistic(const std::string& name) const {
    for (const auto& line : result("stats.get_statistics", R"(["script:"])")) {
      const auto text = line.get<std::string>();
      if (text.starts_with("script:" + name + " = ")) return std::stol(text.substr(text.find('=') + 1));
    }
    return -1;
  }
  [[nodiscard]] long free_memory() const { return result("core.shmmem").value("free", 0L); }
  [[nodiscard]] int connections() const { return result("core.tcp_info").value("opened_connections", -1); }
  [[nodiscard]] std::string subscriptions() const {
    return site.database.value("SELECT COUNT(*) FROM active_watchers");
  }
  /// Phones of both tenants register, and one rings.
  void expect_that_others_are_served() {
    const auto called = site.phone("106");
    const auto caller = site.phone("105");
    EXPECT_NO_THROW(site.phone("102", "other.callpark"));
    const auto call = caller->start_call("106");
    EXPECT_EQ(caller->wait_invite_status(call), 200);
    EXPECT_EQ(caller->hang_up(call), 200);
  }

  KamailioSite site;
};

// ----- X30: subscriptions

TEST_F(KamailioLimits, X30_ADeviceThatStartsAnewReplacesItsSubscriptions) {
  Subscriber phone(site.outside(), "101");
  for (int i = 0; i < 20; ++i) ASSERT_EQ(phone.subscribe("*88102"), 200) << phone.answer().text();
  EXPECT_EQ(subscriptions(), "1");
  EXPECT_EQ(phone.subscribe("*88103"), 200);
  EXPECT_EQ(subscriptions(), "2");
  phone.event = "dialog;id=7";
  EXPECT_EQ(phone.subscribe("*88102"), 200);
  EXPECT_EQ(subscriptions(), "2") << "the id in the Contact makes no other device";
  EXPECT_EQ(statistic("subscriptions_replaced"), 20);
}

TEST_F(KamailioLimits, X30_OfTooManyDevicesAtOneLampTheOldestMakesRoom) {
  Subscriber phone(site.outside(), "101");
  for (int i = 0; i < 25; ++i) ASSERT_EQ(phone.subscribe("*88102", phone.dead_contact(7000 + i)), 200);
  EXPECT_EQ(subscriptions(), "10");
  EXPECT_EQ(site.database.value("SELECT MIN(contact) FROM active_watchers"), "sip:101@" + phone.address() + ":7015");
}

TEST_F(KamailioLimits, X30_APasswordWithDeadContactsUsesUpNoMemoryAndPhonesRing) {
  Subscriber attacker(site.outside(), "101");
  const long before = free_memory();
  std::map<int, int> answers;
  for (int i = 0; i < 2000; ++i) ++answers[attacker.subscribe("106", attacker.dead_contact(10000 + i))];
  EXPECT_GT(answers[200], 0);
  EXPECT_GT(answers[503], 0) << "NOTIFYs without an answer are limited";
  EXPECT_EQ(answers[200] + answers[503], 2000);
  EXPECT_EQ(attacker.answer().start_line(), "SIP/2.0 503 Too Many Unanswered NOTIFYs");
  EXPECT_FALSE(attacker.answer().header("Retry-After").empty());
  EXPECT_EQ(statistic("subscriptions_refused"), answers[503]);

  const auto called = site.phone("106");
  const auto caller = site.phone("105");
  for (int i = 0; i < 20; ++i) {
    const auto call = caller->start_call("106");
    ASSERT_EQ(caller->wait_invite_status(call), 200);
    ASSERT_EQ(caller->hang_up(call), 200);
  }
  EXPECT_GT(free_memory(), before - 40'000'000L);
  EXPECT_GT(statistic("watchers_silenced"), 0);
  expect_that_others_are_served();
  Subscriber other(site.outside(), "102");
  EXPECT_EQ(other.subscribe("106"), 200) << "another extension of the same tenant";
}

class KamailioFewSubscriptions : public KamailioLimits {
 protected:
  KamailioFewSubscriptions()
      : KamailioLimits({"#!define WITHOUT_FLOOD_CONTROL", "#!define CALLPARK_SUBSCRIPTIONS_OF_EXTENSION 3",
                        "#!define CALLPARK_SUBSCRIPTIONS_OF_TENANT 5"}) {}
};

TEST_F(KamailioFewSubscriptions, X30_AnExtensionAndATenantHaveTheirShareOfThem) {
  Subscriber greedy(site.outside(), "101");
  for (const char* lamp : {"*88101", "*88102", "*88103"}) ASSERT_EQ(greedy.subscribe(lamp), 200);
  EXPECT_EQ(greedy.subscribe("*88104"), 503);
  EXPECT_EQ(greedy.answer().start_line(), "SIP/2.0 503 Too Many Subscriptions");
  EXPECT_EQ(greedy.subscribe("*88103"), 200) << "which it had";
  EXPECT_EQ(statistic("subscriptions_refused"), 1);

  Subscriber second(site.outside(), "102");
  EXPECT_EQ(second.subscribe("*88101"), 200);
  EXPECT_EQ(second.subscribe("*88102"), 200);
  Subscriber third(site.outside(), "103");
  EXPECT_EQ(third.subscribe("*88103"), 503) << "of its tenant there are five";
  EXPECT_EQ(subscriptions(), "5");
  Subscriber elsewhere(site.outside(), "102", "other.callpark");
  EXPECT_EQ(elsewhere.subscribe("102"), 200) << "another tenant";
}

class KamailioImpatient : public KamailioLimits {
 protected:
  KamailioImpatient() : KamailioLimits({"#!define WITHOUT_FLOOD_CONTROL", "#!define CALLPARK_NOTIFY_SECONDS 1"}) {}
};

TEST_F(KamailioImpatient, X30_AWatcherThatNeverAnswersIsForgotten) {
  LampPublisher parkd{site.seat->own(), site.inside()};
  Subscriber dead(site.outside(), "101");
  ASSERT_EQ(dead.subscribe("*88102"), 200);
  ASSERT_EQ(subscriptions(), "1");
  int changes = 0;
  EXPECT_TRUE(wait_until(kSoon, [&] {
    parkd.publish("*88102", ++changes % 2 == 0 ? "early" : "terminated");
    return subscriptions() == "0";
  }));
  EXPECT_EQ(statistic("watchers_forgotten"), 1);
}

TEST_F(KamailioLimits, X30_AWatcherThatWasSilentSeesTheTrueStateWhenItAnswersAgain) {
  LampPublisher parkd{site.seat->own(), site.inside()};
  LoopbackAddress address;
  LampWatcher lamp(
      {.user = "101", .password = "demo-101", .lamp = "*88102", .address = address.text(), .proxy = site.outside()});
  ASSERT_EQ(lamp.subscribe(), 200);
  ASSERT_TRUE(lamp.wait_state("terminated"));
  lamp.be_deaf(true);
  for (int i = 0; i < 40; ++i) ASSERT_EQ(parkd.publish("*88102", i % 2 == 0 ? "early" : "terminated").status, 200);
  EXPECT_EQ(statistic("watchers_silenced"), 1);
  ASSERT_EQ(parkd.publish("*88102", "confirmed").status, 200);
  lamp.be_deaf(false);
  EXPECT_TRUE(lamp.wait_state("confirmed"));
  EXPECT_EQ(subscriptions(), "1");
}

TEST_F(KamailioLimits, N5_AWatcherThatAnswersAgainWhileTheDatabaseIsAwayIsNotForgotten) {
  LampPublisher parkd{site.seat->own(), site.inside()};
  LoopbackAddress address;
  LampWatcher lamp(
      {.user = "101", .password = "demo-101", .lamp = "*88102", .address = address.text(), .proxy = site.outside()});
  ASSERT_EQ(lamp.subscribe(), 200);
  ASSERT_TRUE(lamp.wait_state("terminated"));
  lamp.be_deaf(true);
  for (int i = 0; i < 40; ++i) ASSERT_EQ(parkd.publish("*88102", i % 2 == 0 ? "early" : "terminated").status, 200);
  EXPECT_EQ(statistic("watchers_silenced"), 1);
  ASSERT_EQ(parkd.publish("*88102", "confirmed").status, 200);
  const auto heard_before = lamp.history().size();
  site.database.execute("RENAME TABLE callpark.active_watchers TO callpark.away");
  lamp.be_deaf(false);
  EXPECT_TRUE(wait_until(kSoon, [&] { return lamp.history().size() > heard_before; }));
  EXPECT_NE(lamp.now().state, "confirmed");
  site.database.execute("RENAME TABLE callpark.away TO callpark.active_watchers");
  EXPECT_TRUE(lamp.wait_state("confirmed"));
}

// ----- X30: calls

class KamailioFewCalls : public KamailioLimits {
 protected:
  KamailioFewCalls()
      : KamailioLimits({"#!define WITHOUT_FLOOD_CONTROL", "#!define CALLPARK_CALLS_OF_EXTENSION 2",
                        "#!define CALLPARK_CALLS_OF_TENANT 3"}) {}
};

TEST_F(KamailioFewCalls, X30_AnExtensionHasItsShareOfCalls) {
  const auto called = site.ringing_phone("106");
  const auto greedy = site.phone("101");
  const auto first = greedy->start_call("106");
  called->wait_incoming();
  const auto second = greedy->start_call("106");
  called->answer(called->wait_incoming());
  ASSERT_EQ(greedy->wait_invite_status(second), 200);
  const auto third = greedy->start_call("106");
  EXPECT_EQ(greedy->wait_invite_status(third), 503);
  EXPECT_EQ(greedy->received(third).back().start_line(), "SIP/2.0 503 Too Many Calls");
  EXPECT_EQ(statistic("requests_refused_as_too_many"), 1);

  const auto other = site.phone("102");
  const auto its_call = other->start_call("106");
  called->answer(called->wait_incoming());
  EXPECT_EQ(other->wait_invite_status(its_call), 200) << "another extension has its own";
  const auto beyond_the_tenants = other->start_call("106");
  EXPECT_EQ(other->wait_invite_status(beyond_the_tenants), 503);
  EXPECT_EQ(greedy->hang_up(second), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] {
    const auto again = greedy->start_call("106");
    if (greedy->wait_invite_status(again, 500ms) == 503) return false;
    greedy->cancel(again);
    return true;
  })) << "a call that has ended counts no more";
  greedy->cancel(first);
}

// ----- X36: where NOTIFYs may go

TEST_F(KamailioLimits, X36_ASubscriptionLeadsToNoTrunkNoGroupAndNotBack) {
  Subscriber phone(site.outside(), "101");
  const std::string own = site.outside().text();
  const std::string parkd = site.seat->own().text();
  for (const std::string& place :
       {site.trunk_address.text() + ":5060", std::string("224.0.1.75:5060"), std::string("255.255.255.255"),
        std::string("0.0.0.0:5060"), own, site.inside().text(), parkd,
        phone.address() + ":5060;alias=" + site.trunk_address.text() + "~5060~1",
        std::string("[::ffff:224.0.1.75]:5060")}) {
    EXPECT_EQ(phone.subscribe("*88102", "<sip:101@" + place + ">"), 403) << place;
    phone.event = "call-info";
    EXPECT_EQ(phone.subscribe("102", "<sip:101@" + place + ">"), 403) << place;
    phone.event = "dialog";
  }
  EXPECT_EQ(subscriptions(), "0");
  EXPECT_EQ(phone.subscribe("*88102"), 200);
}

TEST_F(KamailioLimits, X36_ARecordRouteLeadsNowhereElseEither) {
  Subscriber phone(site.outside(), "101");
  for (const std::string& host : {site.trunk_address.text(), std::string("224.0.1.75"), std::string("proxy.invalid")}) {
    phone.extra_headers = "Record-Route: <sip:" + host + ";lr>\r\n";
    EXPECT_EQ(phone.subscribe("*88102"), 403) << host;
  }
  phone.extra_headers = "Record-Route: <sip:" + phone.address() + ":5060;lr>\r\n";
  EXPECT_EQ(phone.subscribe("*88102"), 200) << "an outbound proxy";
}

TEST_F(KamailioLimits, X36_ARefreshDoesNotMoveItThere) {
  Subscriber phone(site.outside(), "101");
  ASSERT_EQ(phone.subscribe("*88102"), 200);
  EXPECT_EQ(phone.subscribe_again("<sip:101@" + site.trunk_address.text() + ">"), 403);
  EXPECT_EQ(site.database.value("SELECT contact FROM active_watchers"), "sip:101@" + phone.address() + ":6001");
}

// ----- X32: connections

TEST_F(KamailioLimits, X32_FourThousandIdleConnectionsOfOneAddressEndAndPhonesComeIn) {
  allow_files(6000);
  const LoopbackAddress address;
  std::vector<std::unique_ptr<Connection>> idle;
  for (int i = 0; i < 4100; ++i) idle.push_back(std::make_unique<Connection>(address.text(), site.outside()));
  const auto open = [&] {
    return std::ranges::count_if(idle, [](const auto& connection) { return connection->is_open(); });
  };
  EXPECT_TRUE(wait_until(10s, [&] { return open() <= 50; })) << open() << " are open";
  LoopbackAddress other;
  LampWatcher phone({.user = "102",
                     .password = "demo-102",
                     .lamp = "*88103",
                     .address = other.text(),
                     .proxy = site.outside(),
                     .over_tcp = true});
  EXPECT_EQ(phone.subscribe(), 200);
  EXPECT_TRUE(wait_until(60s, [&] { return open() == 0; })) << open() << " are open after their time";
  EXPECT_GT(statistic("connections_closed"), 3000);
  EXPECT_EQ(phone.refresh(), 200) << "over the same connection";
}

TEST_F(KamailioLimits, X32_AByteNowAndThenKeepsNoConnection) {
  const LoopbackAddress address;
  Connection slow(address.text(), site.outside());
  ASSERT_TRUE(slow.is_open());
  EXPECT_TRUE(wait_until(60s, [&] {
    slow.send("I");
    pass(500ms);
    return !slow.is_open();
  }));
}

TEST_F(KamailioLimits, X32_AConnectionThatAPhoneHasProvenLives) {
  LoopbackAddress address;
  LampWatcher phone({.user = "102",
                     .password = "demo-102",
                     .lamp = "*88103",
                     .address = address.text(),
                     .proxy = site.outside(),
                     .over_tcp = true});
  ASSERT_EQ(phone.subscribe(), 200);
  const auto list = result("core.tcp_list");
  const auto own =
      std::ranges::find_if(list, [&](const Json& one) { return one.value("src_ip", "") == address.text(); });
  ASSERT_NE(own, list.end()) << list;
  EXPECT_EQ(own->value("lifetime", 0), 3660);
}

TEST_F(KamailioLimits, X32_TheInsideSocketTakesNoStrangersConnection) {
  const LoopbackAddress address;
  Connection silent(address.text(), site.inside());
  Connection talker(address.text(), site.inside());
  talker.send(
      "OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/TCP 1.1.1.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
      "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(wait_until(8s, [&] { return !talker.is_open() && !silent.is_open(); }));
}

// ----- X40: requests of an address with phones

class KamailioFloodControl : public KamailioLimits {
 protected:
  KamailioFloodControl() : KamailioLimits({}) {}
};

TEST_F(KamailioFloodControl, X40_AnAddressWithPhonesHasItsShareOfASecond) {
  const auto phone = site.phone("101");
  UdpSocket beside({phone->options().address, 5070});
  const std::string contact = "Contact: <sip:101@" + phone->options().address + ">\r\n";
  EXPECT_TRUE(wait_until(kSoon, [&] {
    for (int i = 0; i < 1000; ++i) {
      const std::string id = std::to_string(i);
      beside.send("REGISTER sip:demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + beside.own().text() + ";branch=z9hG4bK" +
                      id + "\r\nFrom: <sip:101@demo.callpark>;tag=1\r\n" + "To: <sip:101@demo.callpark>\r\nCall-ID: " +
                      id + "\r\nCSeq: 1 REGISTER\r\n" + contact + "Content-Length: 0\r\n\r\n",
                  site.outside());
    }
    return statistic("requests_dropped_as_flood") > 0;
  }));
  expect_that_others_are_served();
  // On a slow machine thousands of the flood wait before it.
  EXPECT_TRUE(wait_until(60s, [&] {
    try {
      phone->register_phone();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  })) << "what is dropped comes again";
}

// A guest of an office that guesses passwords of users that it makes up.
TEST_F(KamailioFloodControl, X40_GuessesOfAnAddressDoNotLockOutItsPhones) {
  const auto called = site.phone("106");
  const auto phone = site.phone("101");
  const std::string address = phone->options().address;
  // As many as 301 wrong passwords leave, for this minute and the next.
  const auto minute =
      std::chrono::duration_cast<std::chrono::minutes>(std::chrono::system_clock::now().time_since_epoch());
  for (const auto one : {minute.count(), minute.count() + 1}) {
    const std::string key = std::to_string(one) + " " + address;
    const auto answer = site.kamailio->rpc("htable.seti", Json::array({"auth_failures", key, 301}).dump());
    ASSERT_EQ(answer.find("error"), std::string::npos) << answer;
  }
  UdpSocket guest({address, 5070});
  guest.send("REGISTER sip:demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + guest.own().text() +
                 ";branch=z9hG4bK1\r\nFrom: <sip:105@demo.callpark>;tag=1\r\nTo: <sip:105@demo.callpark>\r\n"
                 "Call-ID: guess\r\nCSeq: 1 REGISTER\r\nContact: <sip:105@" +
                 guest.own().text() +
                 ">\r\nAuthorization: Digest username=\"105\", realm=\"demo.callpark\", nonce=\"n\", "
                 "uri=\"sip:demo.callpark\", "
                 "response=\"0\"\r\nContent-Length: 0\r\n\r\n",
             site.outside());
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return site.kamailio->log().find("REGISTER from udp:" + guest.own().text() + ": drop") != std::string::npos;
  })) << "of users that are not registered from there";
  EXPECT_NO_THROW(phone->register_phone());
  const auto call = phone->start_call("106");
  EXPECT_EQ(phone->wait_invite_status(call), 200);
  EXPECT_EQ(phone->hang_up(call), 200);
}

// ----- X38: the log

std::string request(const std::string& extra, const std::string& call_id) {
  return "OPTIONS sip:x@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK" + md5_hex(call_id) +
         "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: " + call_id + "\r\nCSeq: 1 OPTIONS\r\n" + extra +
         "Content-Length: 0\r\n\r\n";
}

class KamailioLog : public KamailioLimits {
 protected:
  KamailioLog() : KamailioLimits({}) {}

  /// What was logged since the last call.
  std::string news() {
    const std::string all = site.kamailio->log();
    const std::string news = all.substr(std::min(read_, all.size()));
    read_ = all.size();
    return news;
  }
  static void expect_harmless(const std::string& log) {
    EXPECT_EQ(log.find('\x1b'), std::string::npos);
    EXPECT_EQ(log.find("\nFORGED"), std::string::npos);
  }

  LoopbackAddress stranger;
  UdpSocket socket{{stranger.text(), 5060}};

 private:
  std::size_t read_ = 0;
};

TEST_F(KamailioLog, X38_DatagramsThatCannotBeReadFillNoLogAndPhonesAreServed) {
  news();
  const std::string junk = "\x1b[31mno request at all\nFORGED line\n" + std::string(900, 'x');
  for (int i = 0; i < 20000; ++i) socket.send(junk, site.outside());
  expect_that_others_are_served();
  EXPECT_TRUE(wait_until(kSoon, [&] { return statistic("messages_unreadable") > 1000; }));
  std::string log;
  EXPECT_TRUE(wait_until(kSoon, [&] { return (log += news()).find("messages cannot be read") != std::string::npos; }));
  expect_harmless(log);
  EXPECT_LT(log.size(), 30'000U);
  EXPECT_NE(log.find("\\x1b[31mno request at all\\x0aFORGED"), std::string::npos)
      << "one line has the sender and the beginning";
  EXPECT_NE(log.find("bytes from udp:" + stranger.text() + ":5060"), std::string::npos);
}

TEST_F(KamailioLog, X38_WhatCanBeReadInPartWritesNothingThatATerminalObeys) {
  news();
  const std::vector<std::string> faulty = {
      "INVITE sip:101@demo.callpark SIP/2.0\r\nVia: \x1b[31m\r\n\r\n",
      "INVITE sip:101@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP \x1b:99999999;branch=\r\nFrom: \x1b\r\nTo: <\r\n\r\n",
      request("", "\x1b[31mred"),
      request("", "\"\\\x1b[31mred"),
      request("Subject: \x1b[31mred\r\n", "subject"),
      request("From: \"\x1b[31mred\" <sip:a@b>;tag=2\r\nContent-Length: -1\r\n", "from"),
      "SIP/2.0 200 \x1b[31mOK\r\nVia: \x1b\r\n\r\n",
      "SIP/2.0 200 OK\r\nCall-ID: \x1b[31m\r\nCSeq: \x1b INVITE\r\n\r\n",
      "IN\x1bVITE sip:101@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: "
      "<sip:a@b>;tag=1"
      "\r\nTo: <sip:a@b>\r\nCall-ID: m\r\nCSeq: 1 IN\x1bVITE\r\nContent-Length: 0\r\n\r\n",
  };
  for (int i = 0; i < 50; ++i) {
    for (const std::string& text : faulty) socket.send(text, site.outside());
  }
  expect_that_others_are_served();
  const std::string log = news();
  expect_harmless(log);
  EXPECT_LT(log.size(), 60'000U);
}

TEST_F(KamailioLog, X38_AStrangerHasAShareOfTheLines) {
  news();
  for (int i = 0; i < 3000; ++i) socket.send(request("", "call" + std::to_string(i)), site.outside());
  expect_that_others_are_served();
  EXPECT_LT(news().size(), 200'000U);
}

TEST_F(KamailioLog, X38_WhatComesByTcpIsNoExceptionOnceAWorkerHasServed) {
  const LoopbackAddress address;
  for (int i = 0; i < 20; ++i) {
    Connection first(address.text(), site.outside());
    first.send(request("", "tcp" + std::to_string(i)));
    ASSERT_TRUE(wait_until(kSoon, [&] { return first.is_open(); }));
  }
  news();
  for (int i = 0; i < 50; ++i) {
    Connection bad(address.text(), site.outside());
    bad.send("\x1b[31mFORGED\r\n\x1b\nFORGED " + std::string(20000, 'y') + "\r\n\r\n");
    EXPECT_TRUE(wait_until(kSoon, [&] { return !bad.is_open(); }));
  }
  expect_harmless(news());
}

}  // namespace
}  // namespace callpark::test
