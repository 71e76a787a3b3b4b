// An extension that knows the tags of a retrieved call, but is not a party of it.
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
    for (int cseq = 4000; cseq < 4003; ++cseq) {
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

  static void expect_untouched(Retrieved& talk) {
    EXPECT_TRUE(nothing_parked());
    EXPECT_FALSE(talk.alice->is_closed(talk.call));
    EXPECT_TRUE(hear_each_other(*talk.alice, *talk.client));
  }
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

TEST_F(Strangers, X33_ThePeerItselfParks) {
  auto talk = retrieved();
  park(*talk.alice, talk.call, "*68", "102");
  EXPECT_TRUE(hears_music(*talk.client));
}

}  // namespace
}  // namespace callpark::test
