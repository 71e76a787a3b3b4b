// Those that know the ids of a parked or retrieved call, but are no party of it.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

class Strangers : public ParkTest {
 protected:
  /// 101 has parked Client, 102 has retrieved it, and the two talk.
  struct Retrieved {
    std::unique_ptr<PacketPhone> alice;
    CallName call;
    std::unique_ptr<SippCall> client;
  };

  static Retrieved retrieved() {
    const auto john = site().packet_phone("101", kJohn, true);
    Retrieved result;
    result.client = site().trunk().call_in("+442030000101", tone_hz(kClient));
    const CallName call = talk(*john, *result.client);
    park(*john, call, "*68", "101");
    result.alice = site().packet_phone("102", kAlice);
    result.call = retrieve(*result.alice, "*88101", *result.client);
    return result;
  }

  /// A phone that registers a Contact with `contact_user`, and claims to be that user in From.
  static std::unique_ptr<PacketPhone> stranger(const std::string& user, const std::string& domain,
                                               const std::string& password, const std::string& contact_user) {
    PhoneOptions from = site().phone(user, kBob);
    auto phone = std::make_unique<PacketPhone>(PacketPhone::Options{.user = user,
                                                                    .password = password,
                                                                    .domain = domain,
                                                                    .address = from.address,
                                                                    .proxy = site().outside(),
                                                                    .tone = from.tone});
    register_contact(*phone, contact_user);
    return phone;
  }

  static void register_contact(PacketPhone& phone, const std::string& contact_user) {
    const auto& own = phone.options();
    const std::string address = "<sip:" + own.user + "@" + own.domain + ">";
    const auto text = [&](int cseq, const std::string& credentials) {
      return "REGISTER sip:" + own.domain + " SIP/2.0\r\nVia: SIP/2.0/UDP " + own.address +
             ":5060;rport;branch=z9hG4bKreg" + own.address + std::to_string(cseq) +
             "\r\nMax-Forwards: 70\r\nFrom: " + address + ";tag=reg\r\nTo: " + address + "\r\nCall-ID: reg-" +
             own.address + "\r\nCSeq: " + std::to_string(cseq) + " REGISTER\r\nContact: <sip:" + contact_user + "@" +
             own.address + ":5060>;expires=60\r\n" + credentials + "Content-Length: 0\r\n\r\n";
    };
    ASSERT_EQ(ask(phone, "reg-" + own.address, "sip:" + own.domain, text), 200);
  }

  /// The final status of a request of `phone` that is challenged and sent again with its own password.
  template <class Text>
  static int ask(PacketPhone& phone, const std::string& call_id, const std::string& uri, const Text& text) {
    std::string credentials;
    for (int attempt = 0; attempt < 3; ++attempt) {
      const int cseq = next_cseq_++;
      phone.send_raw(text(cseq, credentials));
      SipText answer;
      wait_until(kSoon, [&] {
        for (const auto& message : phone.received(call_id)) {
          if (message.status() >= 200 && message.cseq() == cseq) answer = message;
        }
        return answer.is_response();
      });
      if (answer.status() != 401 && answer.status() != 407) return answer.status();
      const bool by_proxy = answer.status() == 407;
      credentials = (by_proxy ? "Proxy-Authorization: " : "Authorization: ") +
                    digest_answer(answer.header(by_proxy ? "Proxy-Authenticate" : "WWW-Authenticate"), answer.method(),
                                  uri, phone.options().user, phone.options().password) +
                    "\r\n";
    }
    return 401;
  }

  /// The status of a REFER that `phone` sends in the call of another, as if it were that one.
  static int refer_in(PacketPhone& phone, Retrieved& talk, const std::string& from_user, const std::string& from_domain,
                      const std::string& target) {
    const SipText own(talk.alice->compose(talk.call, "REFER", talk.alice->refer_to(target)));
    const std::string tag = tag_in(own.header("From"));
    const auto text = [&](int cseq, const std::string& credentials) {
      std::string routes;
      for (const auto& route : own.headers("Route")) routes += "Route: " + route + "\r\n";
      return "REFER " + own.request_uri() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + phone.options().address +
             ":5060;rport;branch=z9hG4bKref" + phone.options().address + std::to_string(cseq) +
             "\r\nMax-Forwards: 70\r\n" + routes + "From: <sip:" + from_user + "@" + from_domain + ">;tag=" + tag +
             "\r\nTo: " + own.header("To") + "\r\nCall-ID: " + own.call_id() + "\r\nCSeq: " + std::to_string(cseq) +
             " REFER\r\nContact: <sip:" + from_user + "@" + phone.options().address + ":5060>\r\n" +
             phone.refer_to(target) + credentials + "Content-Length: 0\r\n\r\n";
    };
    return ask(phone, own.call_id(), own.request_uri(), text);
  }

  struct InCall {
    PacketPhone& party;
    CallName call;
  };
  enum class Way { kWithRoutes, kWithoutRoutes };

  struct Content {
    std::string headers;
    std::string body;
  };
  static Content content_of(PacketPhone& sender, const std::string& method) {
    if (method == "INVITE" || method == "UPDATE") {
      return {"Content-Type: application/sdp\r\n", sender.sound().sdp("sendrecv", 7)};
    }
    if (method == "INFO") return {"Content-Type: application/dtmf-relay\r\n", "Signal=5\r\nDuration=100\r\n"};
    if (method == "NOTIFY") return {"Event: refer\r\nSubscription-State: active\r\n", ""};
    return {};
  }

  /// The final status of a request that `sender` sends in the call of a party, as if it were that one; with its own
  /// password if it is challenged.
  static int ask_as(const InCall& talk, PacketPhone& sender, const std::string& method, Way way) {
    const SipText own(talk.party.compose(talk.call, method));
    const Content content = content_of(sender, method);
    std::string routes;
    if (way == Way::kWithRoutes) {
      for (const auto& route : own.headers("Route")) routes += "Route: " + route + "\r\n";
    }
    const auto text = [&](int cseq, const std::string& credentials) {
      const std::string& address = sender.options().address;
      return method + " " + own.request_uri() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + address +
             ":5060;rport;branch=z9hG4bKas" + address + std::to_string(cseq) + "\r\nMax-Forwards: 70\r\n" + routes +
             "From: " + own.header("From") + "\r\nTo: " + own.header("To") + "\r\nCall-ID: " + own.call_id() +
             "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\nContact: <sip:x@" + address + ":5060>\r\n" +
             credentials + content.headers + "Content-Length: " + std::to_string(content.body.size()) + "\r\n\r\n" +
             content.body;
    };
    return ask(sender, own.call_id(), own.request_uri(), text);
  }

  /// A phone that is not registered.
  static std::unique_ptr<PacketPhone> outsider(const std::string& user, const std::string& password,
                                               const std::string& domain = "demo.callpark") {
    const PhoneOptions from = site().phone(user, kBob);
    return std::make_unique<PacketPhone>(PacketPhone::Options{.user = user,
                                                              .password = password,
                                                              .domain = domain,
                                                              .address = from.address,
                                                              .proxy = site().outside(),
                                                              .tone = from.tone});
  }

  static void expect_that_strangers_are_refused(const InCall& talk) {
    const auto nobody = outsider("666", "none");
    const auto mallory = stranger("102", "other.callpark", "other-102", "102");
    for (const std::string method : {"INVITE", "UPDATE", "INFO", "NOTIFY", "BYE"}) {
      for (const Way way : {Way::kWithRoutes, Way::kWithoutRoutes}) {
        for (PacketPhone* sender : {nobody.get(), mallory.get()}) {
          // 401 after wrong passwords.
          EXPECT_THAT(ask_as(talk, *sender, method, way), testing::AnyOf(401, 403))
              << method << " of " << sender->options().user << (way == Way::kWithRoutes ? " with Routes" : "");
        }
      }
    }
  }

  /// How often a request of a phone was challenged in a call.
  static std::size_t challenges(const InCall& talk) {
    const auto messages = talk.party.received(talk.call);
    return static_cast<std::size_t>(
        std::ranges::count_if(messages, [](const SipText& message) { return message.status() == 407; }));
  }

  /// Hold, resume, session refresh and DTMF of a party, without a challenge.
  static void expect_served(const InCall& talk) {
    const auto before = challenges(talk);
    EXPECT_EQ(talk.party.offer(talk.call, "sendonly"), 200);
    EXPECT_EQ(talk.party.offer(talk.call, "sendrecv"), 200);
    EXPECT_EQ(talk.party.request(talk.call, "UPDATE"), 200);
    const Content dtmf = content_of(talk.party, "INFO");
    EXPECT_EQ(talk.party.request(talk.call, "INFO", dtmf.headers, dtmf.body), 200);
    EXPECT_EQ(challenges(talk), before);
  }

  static void restart_kamailio_without_calls() {
    site().kamailio().kill9();
    site().database().execute("DELETE FROM dialog; DELETE FROM dialog_vars");
    site().kamailio().forget_journal();
    site().kamailio().start();
  }

  static void expect_untouched(Retrieved& talk) {
    EXPECT_TRUE(nothing_parked());
    EXPECT_FALSE(talk.alice->is_closed(talk.call));
    EXPECT_TRUE(hear_each_other(*talk.alice, *talk.client));
  }

 private:
  static inline int next_cseq_ = 4000;
};

TEST_F(Strangers, X33_AnotherExtensionWithThePeersNameInItsContactTakesNothing) {
  auto talk = retrieved();
  const auto mallory = stranger("104", "demo.callpark", "demo-104", "102");
  for (const std::string target : {"*68104", "103"}) {
    EXPECT_GE(refer_in(*mallory, talk, "102", "demo.callpark", target), 400) << target;
  }
  expect_untouched(talk);
}

TEST_F(Strangers, X33_ThePeersNumberInAnotherTenantTakesNothing) {
  auto talk = retrieved();
  const auto mallory = stranger("102", "other.callpark", "other-102", "102");
  for (const std::string target : {"*68102", "102"}) {
    EXPECT_GE(refer_in(*mallory, talk, "102", "other.callpark", target), 400) << target;
  }
  expect_untouched(talk);
}

TEST_F(Strangers, X33_AfterARestartOfParkdNeither) {
  auto talk = retrieved();
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  const auto mallory = stranger("104", "demo.callpark", "demo-104", "102");
  EXPECT_GE(refer_in(*mallory, talk, "102", "demo.callpark", "*68104"), 400);
  expect_untouched(talk);
}

TEST_F(Strangers, X31_NobodyElseActsInTheDialogOfTheRetriever) {
  auto talk = retrieved();
  expect_that_strangers_are_refused({*talk.alice, talk.call});
  expect_untouched(talk);
  const auto insider = stranger("104", "demo.callpark", "demo-104", "104");
  for (const std::string method : {"INVITE", "BYE"}) {
    EXPECT_EQ(ask_as({*talk.alice, talk.call}, *insider, method, Way::kWithRoutes), 403) << method;
  }
  expect_untouched(talk);
}

TEST_F(Strangers, X31_NobodyElseActsInTheDialogOfAParkedExtension) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto bob = site().packet_phone("103", kBob);
  const Ends ends = callpark::test::talk(*bob, *john, "101");
  park(*john, ends.callee, "*68", "101");
  expect_that_strangers_are_refused({*bob, ends.caller});
  EXPECT_TRUE(parked_at("101"));
  expect_served({*bob, ends.caller});
  const auto alice = site().packet_phone("102", kAlice);
  retrieve(*alice, "*88101", *bob);
  expect_that_strangers_are_refused({*bob, ends.caller});
  EXPECT_TRUE(hear_each_other(*alice, *bob));
}

TEST_F(Strangers, X31_NobodyElseActsInTheDialogOfAParkedTrunk) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk_caller(kClient);
  const CallName call = client->call("+442030000101");
  ASSERT_EQ(john->wait_incoming(), call);
  park(*john, call, "*68", "101");
  expect_that_strangers_are_refused({*client, call});
  EXPECT_TRUE(parked_at("101"));
  const auto alice = site().packet_phone("102", kAlice);
  retrieve(*alice, "*88101", *client);
}

TEST_F(Strangers, X31_ThePartiesAreServedAfterARestartOfKamailio) {
  const auto john = site().packet_phone("101", kJohn, true);
  for (const bool over_tcp : {false, true}) {
    const auto client = site().trunk_caller(kClient);
    const CallName call = client->call("+442030000101");
    ASSERT_EQ(john->wait_incoming(), call);
    park(*john, call, "*68", "101");
    const PhoneOptions from = site().phone("102", kAlice);
    PacketPhone alice({.user = "102",
                       .password = "demo-102",
                       .address = from.address,
                       .proxy = site().outside(),
                       .tone = from.tone,
                       .over_tcp = over_tcp});
    alice.register_phone();
    const CallName retrieval = retrieve(alice, "*88101", *client);
    restart_kamailio_without_calls();
    expect_served({*client, call});
    expect_served({alice, retrieval});
    EXPECT_TRUE(hear_each_other(alice, *client));
    PacketPhone& leaver = over_tcp ? alice : *client;
    EXPECT_EQ(leaver.hang_up(over_tcp ? retrieval : call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return over_tcp ? client->is_closed(call) : alice.is_closed(retrieval); }));
  }
}

TEST_F(Strangers, X31_APartyThatHasMovedIsServedByItsPassword) {
  auto talk = retrieved();
  const auto moved = outsider("102", "demo-102");
  EXPECT_EQ(ask_as({*talk.alice, talk.call}, *moved, "UPDATE", Way::kWithRoutes), 200);
  EXPECT_EQ(ask_as({*talk.alice, talk.call}, *moved, "BYE", Way::kWithRoutes), 200);
  EXPECT_TRUE(talk.client->is_closed());
}

TEST_F(Strangers, X31_APartyThatLosesItsRoutesIsServedAtItsContact) {
  auto talk = retrieved();
  EXPECT_EQ(ask_as({*talk.alice, talk.call}, *talk.alice, "UPDATE", Way::kWithoutRoutes), 200);
  EXPECT_EQ(ask_as({*talk.alice, talk.call}, *talk.alice, "BYE", Way::kWithoutRoutes), 200);
  EXPECT_TRUE(talk.client->is_closed());
}

TEST_F(Strangers, X33_ThePeerItselfParks) {
  auto talk = retrieved();
  park(*talk.alice, talk.call, "*68", "102");
  EXPECT_TRUE(hears_music(*talk.client));
}

}  // namespace
}  // namespace callpark::test
