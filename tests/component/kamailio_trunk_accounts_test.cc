// Trunks at which a tenant has an account, through the real Kamailio: which challenges are answered, with which
// password, that the carrier, the phone and parkd each see a CSeq that counts up, and what is registered.
#include <gtest/gtest.h>

#include <map>
#include <ranges>
#include <set>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

const std::string kOutside = "+4930123456";

/// A carrier that answers whatever brings credentials, and challenges the rest. It is strict: within a dialog, a
/// request needs a higher CSeq than each before it, the challenged ones included.
class Carrier {
 public:
  struct Habits {
    int status = 407;
    bool has_qop = true;
    /// A nonce is good for one request.
    bool rotates = true;
    std::string password = "geheim";
    std::string realm = "carrier.example";
    /// Final answer to a call.
    int answer = 200;
    /// To a REGISTER with credentials; 0: none.
    int register_answer = 200;
    /// Seconds that a registration gets.
    int granted = 600;
    /// A call rings, and has no answer.
    bool only_rings = false;
    /// A call has a 183 that wants a PRACK, and then its answer.
    bool is_reliable = false;
    bool challenges = true;
  };

  Carrier(const Endpoint& own, Endpoint kamailio)
      : socket_(own), kamailio_(std::move(kamailio)), thread_([this] { run(); }) {}
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  ~Carrier() {
    running_ = false;
    thread_.join();
  }

  void have(const Habits& habits) {
    const std::lock_guard lock(mutex_);
    habits_ = habits;
  }
  [[nodiscard]] const Endpoint& own() const { return socket_.own(); }

  /// What a real one would have refused, or not understood.
  [[nodiscard]] std::vector<std::string> troubles() const {
    const std::lock_guard lock(mutex_);
    return troubles_;
  }
  /// Requests of that method; those that were accepted, or all of them.
  [[nodiscard]] std::vector<SipText> accepted(const std::string& method) const { return requests(method, accepted_); }
  [[nodiscard]] std::vector<SipText> received(const std::string& method) const { return requests(method, received_); }
  [[nodiscard]] SipText response(int status) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(received_, [&](const SipText& m) { return m.status() == status; });
    return found == received_.end() ? SipText() : *found;
  }
  void send(const std::string& text) { socket_.send(text, kamailio_); }
  /// Answers the call that rings.
  void answer() {
    const std::lock_guard lock(mutex_);
    respond(accepted_.back(), 200);
  }
  static std::string contact_parameters() { return ""; }

  /// A request of its own in a call that it has begun; `to` and `uri` as they are at that moment.
  [[nodiscard]] std::string compose(const std::string& method, int cseq, const std::string& uri, const std::string& to,
                                    const std::string& routes = "") const {
    const std::string body = method == "INVITE" ? sdp() : "";
    return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + own().text() + ";branch=z9hG4bK" +
           md5_hex(method + std::to_string(cseq) + to) + "\r\n" + routes + "Max-Forwards: 70\r\nFrom: <sip:+4911@" +
           own().address + ">;tag=carrier\r\nTo: " + to +
           "\r\nCall-ID: of-the-carrier\r\nCSeq: " + std::to_string(cseq) + " " + method +
           "\r\nContact: <sip:carrier@" + own().text() + ">\r\n" +
           (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  [[nodiscard]] std::string sdp() const {
    return "v=0\r\no=- 7 7 IN IP4 " + own().address + "\r\ns=-\r\nc=IN IP4 " + own().address +
           "\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendrecv\r\n";
  }

  [[nodiscard]] std::vector<SipText> requests(const std::string& method, const std::vector<SipText>& list) const {
    const std::lock_guard lock(mutex_);
    std::vector<SipText> found;
    for (const auto& one : list) {
      if (one.is_request() && one.method() == method) found.push_back(one);
    }
    return found;
  }

  void run() {
    while (running_) {
      const auto datagram = socket_.receive(std::chrono::milliseconds(20));
      if (datagram) receive(SipText(datagram->bytes));
    }
  }

  static std::string branch_of(const SipText& message) {
    const std::string via = message.header("Via");
    const auto begin = via.find("branch=") + 7;
    return via.substr(begin, via.find_first_of(";, \r", begin) - begin);
  }

  void receive(const SipText& message) {
    const std::lock_guard lock(mutex_);
    if (message.is_request() && message.method() == "OPTIONS") return respond(message, 200);
    const std::string sent = message.method() + branch_of(message);
    const bool is_new = !message.is_request() || message.method() == "ACK" || transactions_.insert(sent).second;
    if (!is_new) return;
    received_.push_back(message);
    if (!message.is_request()) return;
    if (message.method() == "ACK") return receive_ack(message);
    if (message.method() == "CANCEL") return receive_cancel(message);
    receive_request(message);
  }

  void receive_ack(const SipText& ack) {
    for (const auto& [branch, invite] : invites_) {
      if (invite.call_id() != ack.call_id() || invite.cseq() != ack.cseq()) continue;
      const bool is_refused = refused_.contains(branch);
      if (!is_refused || branch == branch_of(ack)) return;
    }
    troubles_.push_back("an ACK of no INVITE: " + ack.header("CSeq"));
  }

  void receive_cancel(const SipText& cancel) {
    const auto found = invites_.find(branch_of(cancel));
    if (found == invites_.end() || found->second.cseq() != cancel.cseq()) {
      troubles_.push_back("a CANCEL of no INVITE");
      return respond(cancel, 481);
    }
    respond(cancel, 200);
    respond(found->second, 487);
  }

  void receive_request(const SipText& request) {
    const std::string dialog = request.call_id() + tag_in(request.header("From"));
    if (request.method() == "INVITE") invites_[branch_of(request)] = request;
    if (cseqs_.contains(dialog) && request.cseq() <= cseqs_[dialog]) {
      troubles_.push_back(request.method() + " with CSeq " + std::to_string(request.cseq()) + " after " +
                          std::to_string(cseqs_[dialog]));
      return respond(request, 500);
    }
    cseqs_[dialog] = request.cseq();
    if (!request.headers("Route").empty()) troubles_.push_back("a Route of Kamailio's");
    if (habits_.challenges && !is_authentic(request)) return challenge(request);
    accepted_.push_back(request);
    if (request.method() == "REGISTER") return receive_register(request);
    const bool begins = request.method() == "INVITE" && tag_in(request.header("To")).empty();
    if (begins && habits_.only_rings) return respond(request, 180);
    if (begins && habits_.is_reliable) return respond(request, 183, "Require: 100rel\r\nRSeq: 1\r\n");
    if (request.method() == "PRACK") return receive_prack(request);
    respond(request, begins ? habits_.answer : 200);
  }

  void receive_prack(const SipText& prack) {
    const auto invite = std::ranges::find_if(accepted_, [](const SipText& one) { return one.method() == "INVITE"; });
    const std::string right = "1 " + std::to_string(invite->cseq()) + " INVITE";
    if (prack.header("RAck") != right) troubles_.push_back(prack.header("RAck") + " for " + right);
    respond(prack, 200);
    respond(*invite, habits_.answer);
  }

  void receive_register(const SipText& request) {
    if (habits_.register_answer == 0) return;
    const std::string contact = request.header("Contact");
    respond(request, habits_.register_answer,
            "Contact: <sip:another@192.0.2.1>;expires=9999\r\nContact: " + contact +
                ";expires=" + std::to_string(habits_.granted) + "\r\n");
  }

  bool is_authentic(const SipText& request) {
    const std::string name = habits_.status == 407 ? "Proxy-Authorization" : "Authorization";
    const auto values = request.headers(name);
    if (values.size() > 1) troubles_.push_back("credentials twice");
    if (values.empty()) return false;
    const auto parameter = [&](const std::string& wanted) {
      const auto place = values.front().find(wanted + "=");
      if (place == std::string::npos) return std::string();
      const std::string rest = values.front().substr(place + wanted.size() + 1);
      return rest.starts_with('"') ? rest.substr(1, rest.find('"', 1) - 1) : rest.substr(0, rest.find_first_of(", "));
    };
    const std::string nonce = parameter("nonce"), nc = parameter("nc");
    if (!nonces_.contains(nonce)) return false;
    const unsigned uses = ++nonces_[nonce];
    if (habits_.rotates && uses > 1) return false;
    const std::string secret = md5_hex("account:" + habits_.realm + ":" + habits_.password);
    const std::string what = md5_hex(request.method() + ":" + parameter("uri"));
    const std::string middle =
        habits_.has_qop ? nonce + ":" + nc + ":" + parameter("cnonce") + ":" + parameter("qop") : nonce;
    if (habits_.has_qop && static_cast<unsigned>(std::stoul(nc, nullptr, 16)) != uses) {
      troubles_.push_back("nc " + nc + " in use " + std::to_string(uses));
    }
    return parameter("username") == "account" && parameter("uri") == request.request_uri() &&
           parameter("response") == md5_hex(secret + ":" + middle + ":" + what);
  }

  void challenge(const SipText& request) {
    const std::string nonce = md5_hex(std::to_string(++challenges_));
    nonces_[nonce] = 0;
    const std::string header = habits_.status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
    respond(request, habits_.status,
            header + ": Digest realm=\"" + habits_.realm + "\", nonce=\"" + nonce + "\", algorithm=MD5" +
                (habits_.has_qop ? ", qop=\"auth,auth-int\"" : "") + "\r\n");
  }

  void respond(const SipText& request, int status, const std::string& headers = "") {
    if (request.method() == "INVITE" && status >= 300) refused_.insert(branch_of(request));
    std::string text = "SIP/2.0 " + std::to_string(status) + " Of The Carrier\r\n";
    for (const auto& via : request.headers("Via")) text += "Via: " + via + "\r\n";
    for (const auto& route : request.headers("Record-Route")) text += "Record-Route: " + route + "\r\n";
    std::string to = request.header("To");
    if (tag_in(to).empty()) to += ";tag=carrier";
    const std::string body = request.method() == "INVITE" && status == 200 ? sdp() : "";
    text += "From: " + request.header("From") + "\r\nTo: " + to + "\r\nCall-ID: " + request.call_id() +
            "\r\nCSeq: " + request.header("CSeq") + "\r\n" +
            (request.method() == "REGISTER" ? "" : "Contact: <sip:carrier@" + own().text() + ">\r\n") + headers +
            (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    socket_.send(text, kamailio_);
  }

  UdpSocket socket_;
  Endpoint kamailio_;
  mutable std::mutex mutex_;
  Habits habits_;
  std::vector<SipText> received_, accepted_;
  std::vector<std::string> troubles_;
  std::map<std::string, int> cseqs_;
  std::map<std::string, unsigned> nonces_;
  std::map<std::string, SipText> invites_;
  std::set<std::string> transactions_, refused_;
  unsigned challenges_ = 0;
  std::atomic<bool> running_{true};
  std::thread thread_;
};

/// A site with a trunk that wants credentials, and an account of the demo tenant there.
struct SiteWithAccount {
  KamailioSite site;
  Carrier carrier{{site.trunk_address.text(), 5060}, site.outside()};
  std::unique_ptr<PacketPhone> alice = site.phone("101");

  explicit SiteWithAccount(const std::string& password = "geheim") { add_account("demo", password); }

  void execute(const std::string& sql) const { site.database.execute("USE callpark; " + sql); }
  void add_account(const std::string& trunk, const std::string& password) const {
    execute("INSERT INTO trunk_accounts (tenant, trunk, user, auth_user) VALUES ('demo.callpark', '" + trunk +
            "', 'user', 'account'); INSERT INTO trunk_passwords (tenant, trunk, password) VALUES ('demo.callpark', '" +
            trunk + "', '" + password + "')");
  }
  /// A further trunk of the tenant, which is tried after the first one.
  void add_trunk(const std::string& trunk, const LoopbackAddress& address) const {
    execute("INSERT INTO trunks (tenant, trunk, address, priority) VALUES ('demo.callpark', '" + trunk + "', '" +
            address.text() + "', 200)");
  }

  [[nodiscard]] std::string statistic(const std::string& name) const {
    const auto answer = nlohmann::json::parse(site.kamailio->rpc("stats.get_statistics", "[\"" + name + "\"]"));
    return answer["result"][0].get<std::string>();
  }
  /// Of the first trunk, in trunks_status.
  [[nodiscard]] std::string registration() const {
    return site.database.value(
        "SELECT CONCAT_WS(' ', state, status) FROM callpark.trunks_status WHERE tenant = 'demo.callpark' AND trunk = "
        "'demo'");
  }
  [[nodiscard]] bool becomes(const std::string& registration_wanted) const {
    return wait_until(2 * kSoon, [&] { return registration() == registration_wanted; });
  }
};

/// Whether the phone has got a challenge with this realm.
bool is_challenged(const PacketPhone& phone, const std::string& realm) {
  return std::ranges::any_of(phone.received(CallName()), [&](const SipText& message) {
    return (message.header("Proxy-Authenticate") + message.header("WWW-Authenticate")).find(realm) != std::string::npos;
  });
}

void tour(SiteWithAccount& one, const CallName& call) {
  EXPECT_EQ(one.alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(one.alice->request(call, "INFO"), 200);
  EXPECT_EQ(one.alice->request(call, "UPDATE"), 200);
  EXPECT_EQ(one.alice->offer(call, "sendrecv"), 200);
  EXPECT_EQ(one.alice->hang_up(call), 200);
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
  EXPECT_FALSE(is_challenged(*one.alice, "carrier.example"));
  EXPECT_EQ(one.carrier.accepted("BYE").size(), 1U);
}

TEST(KamailioTrunkAccounts, T1_EveryRequestOfAPhoneIsAnsweredForItsTenant) {
  for (const bool has_qop : {true, false}) {
    for (const int status : {401, 407}) {
      SCOPED_TRACE(std::to_string(status) + (has_qop ? " with qop" : " without"));
      SiteWithAccount one;
      one.carrier.have({.status = status, .has_qop = has_qop});
      tour(one, one.alice->call(kOutside));
    }
  }
}

TEST(KamailioTrunkAccounts, T1_ACallOfTheCarrierIsHeldAndEnded) {
  SiteWithAccount one;
  one.carrier.send(one.carrier.compose("INVITE", 7, "sip:+442030000101@" + one.site.outside().text(),
                                       "<sip:+442030000101@" + one.site.outside().address + ">"));
  const CallName call = one.alice->wait_incoming();
  one.alice->answer(call);
  ASSERT_TRUE(wait_until(kSoon, [&] { return !one.carrier.response(200).text().empty(); }));
  const SipText answer = one.carrier.response(200);
  std::string routes;
  for (const auto& route : answer.headers("Record-Route")) routes += "Route: " + route + "\r\n";
  one.carrier.send(one.carrier.compose("ACK", 7, uri_in(answer.header("Contact")), answer.header("To"), routes));
  tour(one, call);
}

TEST(KamailioTrunkAccounts, T1_ACallThatIsCancelledOrRefusedEndsAsWithoutAChallenge) {
  SiteWithAccount one;
  one.carrier.have({.answer = 486});
  EXPECT_EQ(one.alice->wait_invite_status(one.alice->start_call(kOutside)), 486);
  one.carrier.have({.only_rings = true});
  const CallName call = one.alice->start_call(kOutside);
  ASSERT_TRUE(wait_until(kSoon, [&] { return one.carrier.accepted("INVITE").size() == 2; }));
  one.alice->cancel(call);
  EXPECT_EQ(one.alice->wait_invite_status(call), 487);
  EXPECT_TRUE(wait_until(kSoon, [&] { return one.carrier.received("CANCEL").size() == 1; }));
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
}

TEST(KamailioTrunkAccounts, T1_APrackNamesTheInviteAsTheTrunkHasSeenIt) {
  SiteWithAccount one;
  one.carrier.have({.is_reliable = true});
  const CallName call = one.alice->start_call(kOutside);
  const auto progress = [&] {
    const auto messages = one.alice->received(call);
    const auto found = std::ranges::find_if(messages, [](const SipText& message) { return message.status() == 183; });
    return found == messages.end() ? SipText() : *found;
  };
  ASSERT_TRUE(wait_until(kSoon, [&] { return progress().status() == 183; }));
  const SipText early = progress();
  std::string headers = "RAck: 1 " + std::to_string(early.cseq()) + " INVITE\r\n";
  for (const auto& route : std::views::reverse(early.headers("Record-Route"))) headers += "Route: " + route + "\r\n";
  std::string prack = one.alice->compose(call, "PRACK", headers);
  prack.replace(0, prack.find("\r\n"), "PRACK " + uri_in(early.header("Contact")) + " SIP/2.0");
  const auto to = prack.find("\r\nTo: ") + 6;
  prack.replace(to, prack.find("\r\n", to) - to, early.header("To"));
  one.alice->send_raw(prack);
  EXPECT_EQ(one.alice->wait_invite_status(call), 200);
  one.carrier.have({});
  tour(one, call);
}

TEST(KamailioTrunkAccounts, ANonceIsUsedAgainWithoutAChallenge) {
  SiteWithAccount one;
  one.carrier.have({.rotates = false});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one.alice->hang_up(one.alice->call(kOutside)), 200);
  EXPECT_EQ(one.carrier.received("INVITE").size(), 4U) << "one was challenged";
  EXPECT_EQ(one.carrier.received("BYE").size(), 3U);
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
  EXPECT_EQ(one.statistic("trunk_challenges_answered"), "script:trunk_challenges_answered = 1");
}

TEST(KamailioTrunkAccounts, T1_AWrongPasswordIsTriedOnceACall) {
  SiteWithAccount one("falsch");
  EXPECT_EQ(one.alice->wait_invite_status(one.alice->start_call(kOutside)), 503);
  EXPECT_EQ(one.carrier.received("INVITE").size(), 2U);
  EXPECT_EQ(one.carrier.accepted("INVITE").size(), 0U);
  EXPECT_FALSE(is_challenged(*one.alice, "carrier.example"));
  EXPECT_EQ(one.statistic("trunk_credentials_refused"), "script:trunk_credentials_refused = 1");
}

TEST(KamailioTrunkAccounts, T1_AnEditOfThePasswordCountsForTheNextCall) {
  SiteWithAccount one("falsch");
  EXPECT_EQ(one.alice->wait_invite_status(one.alice->start_call(kOutside)), 503);
  one.site.database.execute("UPDATE callpark.trunk_passwords SET password = 'geheim'");
  EXPECT_EQ(one.alice->hang_up(one.alice->call(kOutside)), 200);
  one.site.database.execute("UPDATE callpark.trunk_accounts SET enabled = FALSE");
  EXPECT_EQ(one.alice->wait_invite_status(one.alice->start_call(kOutside)), 503);
  EXPECT_FALSE(is_challenged(*one.alice, "carrier.example"));
}

TEST(KamailioTrunkAccounts, T1_AChallengeOfAPhoneIsNotAnswered) {
  SiteWithAccount one;
  auto bob = one.site.unregistered_phone("102", "demo.callpark", false);
  bob->register_phone();
  bob->answer_with_headers("Proxy-Authenticate: Digest realm=\"carrier.example\", nonce=\"stolen\"\r\n");
  EXPECT_EQ(one.alice->hang_up(one.alice->call(kOutside)), 200);
  const CallName call = one.alice->start_call("102");
  bob->refuse(bob->wait_incoming(), 407);
  ASSERT_TRUE(wait_until(kSoon, [&] { return is_challenged(*one.alice, "stolen") || !one.alice->calls(); }));
  for (const auto& message : bob->received(CallName())) {
    EXPECT_EQ(message.text().find("username=\"account\""), std::string::npos) << message.text();
  }
  EXPECT_EQ(count(*bob, call, "INVITE"), 1U);
}

TEST(KamailioTrunkAccounts, T1_AnotherTenantsCallBringsNoCredentials) {
  SiteWithAccount one;
  one.site.database.execute("INSERT INTO callpark.trunks (tenant, trunk, address) VALUES ('other.callpark', 'demo', '" +
                            one.site.trunk_address.text() + "')");
  EXPECT_EQ(one.alice->hang_up(one.alice->call(kOutside)), 200);
  auto olga = one.site.phone("101", "other.callpark");
  const CallName call = olga->start_call(kOutside);
  EXPECT_EQ(olga->wait_invite_status(call), 503);
  EXPECT_FALSE(is_challenged(*olga, "carrier.example"));
  EXPECT_EQ(one.carrier.accepted("INVITE").size(), 1U);
}

/// How many of the requests have credentials for `realm`.
std::size_t with_realm(const std::vector<SipText>& requests, const std::string& realm) {
  return static_cast<std::size_t>(std::ranges::count_if(requests, [&](const SipText& request) {
    return request.header("Proxy-Authorization").find("realm=\"" + realm + "\"") != std::string::npos;
  }));
}

TEST(KamailioTrunkAccounts, T1_EachTrunkOfACallThatFailsOverGetsItsOwnAccount) {
  SiteWithAccount one;
  LoopbackAddress address;
  one.add_trunk("reserve", address);
  one.add_account("reserve", "anders");
  Carrier reserve{{address.text(), 5060}, one.site.outside()};
  one.carrier.have({.answer = 503});
  reserve.have({.password = "anders", .realm = "reserve.example"});
  const CallName call = one.alice->call(kOutside);
  EXPECT_EQ(one.carrier.received("INVITE").size(), 2U);
  EXPECT_EQ(with_realm(one.carrier.received("INVITE"), "carrier.example"), 1U);
  EXPECT_EQ(reserve.received("INVITE").size(), 2U);
  EXPECT_EQ(with_realm(reserve.received("INVITE"), "reserve.example"), 1U);
  EXPECT_EQ(one.alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(one.alice->request(call, "INFO"), 200);
  EXPECT_EQ(one.alice->hang_up(call), 200);
  EXPECT_EQ(reserve.accepted("BYE").size(), 1U);
  EXPECT_EQ(with_realm(reserve.accepted("BYE"), "reserve.example"), 1U);
  for (const auto* carrier : {&one.carrier, &reserve}) EXPECT_EQ(carrier->troubles(), std::vector<std::string>());
  for (const char* realm : {"carrier.example", "reserve.example"}) EXPECT_FALSE(is_challenged(*one.alice, realm));
}

TEST(KamailioTrunkAccounts, T1_ATrunkThatRefusesTheAccountIsFollowedByTheNext) {
  SiteWithAccount one("falsch");
  LoopbackAddress address;
  one.add_trunk("reserve", address);
  Carrier reserve{{address.text(), 5060}, one.site.outside()};
  reserve.have({.challenges = false});
  EXPECT_EQ(one.alice->hang_up(one.alice->call(kOutside)), 200);
  EXPECT_EQ(one.carrier.received("INVITE").size(), 2U);
  EXPECT_EQ(with_realm(reserve.received("INVITE"), "carrier.example"), 0U);
  EXPECT_FALSE(is_challenged(*one.alice, "carrier.example"));
  EXPECT_EQ(one.statistic("trunk_credentials_refused"), "script:trunk_credentials_refused = 1");
}

TEST(KamailioTrunkAccounts, T1_TheRefusalOfACallIsThatOfTheTrunkThatHasTakenTheAccount) {
  SiteWithAccount one;
  one.carrier.have({.answer = 404});
  EXPECT_EQ(one.alice->wait_invite_status(one.alice->start_call(kOutside)), 404);
}

// The next Kamailio has the numbers from the row of the call.
TEST(KamailioTrunkAccounts, T1_ACallOutlivesAKilledKamailio) {
  SiteWithAccount one;
  const CallName call = one.alice->call(kOutside);
  EXPECT_EQ(one.alice->request(call, "INFO"), 200);
  ASSERT_TRUE(wait_until(kSoon, [&] {
    return one.site.database.value("SELECT JSON_VALUE(variables, '$.numbers_a') LIKE '2 %' FROM callpark.dialog") ==
           "1";
  })) << one.site.database.value("SELECT variables FROM callpark.dialog");
  one.site.kamailio->kill9();
  one.site.kamailio->restart();
  tour(one, call);
}

/// A request of parkd's in the place of the phone that has sent `to_parkd`, the INVITE of a feature call with a dialog.
struct InPlaceOfParker {
  SiteWithAccount& one;
  nlohmann::json dialog;
  int cseq = 0;

  InPlaceOfParker(SiteWithAccount& site, const SipText& to_parkd) : one(site), dialog(dialog_in(to_parkd)) {
    cseq = dialog[dialog["parker"]]["cseq"].get<int>();
  }
  [[nodiscard]] const nlohmann::json& parker() const { return dialog[dialog["parker"]]; }
  [[nodiscard]] const nlohmann::json& other() const {
    return dialog[dialog["parker"] == "caller" ? "callee" : "caller"];
  }

  std::string compose(const std::string& method, int number) const {
    const auto& seat = *one.site.seat;
    return method + " " + other()["contact"].get<std::string>() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + seat.own().text() +
           ";branch=z9hG4bK" + md5_hex(method + std::to_string(number)) +
           "\r\nMax-Forwards: 70\r\nRoute: " + dialog["route"].get<std::string>() + "\r\nFrom: <" +
           parker()["uri"].get<std::string>() + ">;tag=" + parker()["tag"].get<std::string>() + "\r\nTo: <" +
           other()["uri"].get<std::string>() + ">;tag=" + other()["tag"].get<std::string>() +
           "\r\nCall-ID: " + dialog["call_id"].get<std::string>() + "\r\nCSeq: " + std::to_string(number) + " " +
           method + "\r\nContact: <sip:parkd@" + seat.own().text() + ">\r\nContent-Length: 0\r\n\r\n";
  }

  /// The answer, after which parkd counts on from X-Callpark-CSeq.
  SipText request(const std::string& method) {
    const std::size_t before = one.site.seat->responses(200);
    one.site.seat->send(compose(method, ++cseq), one.site.inside());
    wait_until(kSoon, [&] { return one.site.seat->responses(200) > before; });
    const SipText answer = one.site.seat->last_response();
    EXPECT_EQ(answer.cseq(), cseq);
    if (const std::string sent = answer.header("X-Callpark-CSeq"); !sent.empty()) cseq = std::stoi(sent);
    if (method == "INVITE") one.site.seat->send(compose("ACK", cseq), one.site.inside());
    return answer;
  }
};

TEST(KamailioTrunkAccounts, T1_ParkdsRequestsInAnAdoptedDialogAreAnswered) {
  SiteWithAccount one;
  const CallName call = one.alice->call(kOutside);
  EXPECT_EQ(one.alice->offer(call, "sendonly"), 200);
  ASSERT_EQ(one.alice->wait_invite_status(one.alice->start_call("*70333")), 200);
  InPlaceOfParker parkd(one, one.site.seat->wait_request("INVITE"));
  EXPECT_EQ(parkd.cseq, one.carrier.accepted("INVITE").back().cseq()) << "what the carrier has seen";
  for (const char* method : {"INVITE", "UPDATE", "INVITE", "INFO", "BYE"}) {
    SCOPED_TRACE(method);
    EXPECT_EQ(parkd.request(method).status(), 200);
  }
  ASSERT_TRUE(wait_until(kSoon, [&] { return one.carrier.received("ACK").size() >= 5; }));
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
  EXPECT_EQ(one.carrier.accepted("BYE").size(), 1U);
}

// The record of the dialog has ended with the parker's BYE.
TEST(KamailioTrunkAccounts, T1_ParkdsRequestsAreAnsweredWhenTheParkerHasLeft) {
  SiteWithAccount one;
  const CallName call = one.alice->call(kOutside);
  one.site.seat->answer_with([](const SipText& request) { return request.method() == "REFER" ? 202 : 200; });
  EXPECT_EQ(one.alice->offer(call, "sendonly"), 200);
  ASSERT_EQ(one.alice->refer(call, "*70333"), 202);
  InPlaceOfParker parkd(one, one.site.seat->wait_request("REFER"));
  EXPECT_EQ(parkd.request("INVITE").status(), 200);
  ASSERT_EQ(one.alice->hang_up(call), 200);
  one.site.kamailio->kill9();
  one.site.kamailio->restart();
  for (const char* method : {"INVITE", "UPDATE", "BYE"}) {
    SCOPED_TRACE(method);
    EXPECT_EQ(parkd.request(method).status(), 200);
  }
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
}

// It knows the CSeq by which the carrier has seen its INVITE.
TEST(KamailioTrunkAccounts, T1_ACallOfParkdsIsAnswered) {
  SiteWithAccount one;
  auto& seat = *one.site.seat;
  seat.send(invite_of_parkd(seat.own(), "sip:" + kOutside + "@demo.callpark", "demo.callpark"), one.site.inside());
  const SipText answer = seat.wait_response(200);
  EXPECT_EQ(answer.cseq(), 1);
  ASSERT_EQ(answer.header("X-Callpark-CSeq"), "2");
  std::string routes;
  for (const auto& route : answer.headers("Record-Route")) routes.insert(0, "Route: " + route + "\r\n");
  const auto send = [&](const std::string& method, int cseq) {
    seat.send(method + " " + uri_in(answer.header("Contact")) + " SIP/2.0\r\nVia: SIP/2.0/UDP " + seat.own().text() +
                  ";branch=z9hG4bK" + method + std::to_string(cseq) + "\r\nMax-Forwards: 70\r\n" + routes +
                  "From: " + answer.header("From") + "\r\nTo: " + answer.header("To") +
                  "\r\nCall-ID: " + answer.call_id() + "\r\nCSeq: " + std::to_string(cseq) + " " + method +
                  "\r\nContact: <sip:parkd@" + seat.own().text() + ">\r\nContent-Length: 0\r\n\r\n",
              one.site.inside());
  };
  send("ACK", 2);
  send("BYE", 3);
  ASSERT_TRUE(wait_until(kSoon, [&] { return seat.responses(200) == 2; }));
  EXPECT_EQ(seat.last_response().header("X-Callpark-CSeq"), "4");
  EXPECT_EQ(one.carrier.accepted("BYE").size(), 1U);
  EXPECT_EQ(one.carrier.received("ACK").size(), 2U);
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
}

// Of a simultaneous ring group, while the others ring.
TEST(KamailioTrunkAccounts, T1_AnOutsideMemberOfARingGroupIsReached) {
  SiteWithAccount one;
  one.site.database.execute(
      "INSERT INTO callpark.ring_group_members (tenant, ring_group, position, member) "
      "VALUES ('demo.callpark', '601', 9, '" +
      kOutside + "')");
  auto dave = one.site.ringing_phone("104");
  one.carrier.have({.only_rings = true});
  const CallName call = one.alice->start_call("601");
  dave->wait_incoming();
  ASSERT_TRUE(wait_until(kSoon, [&] { return one.carrier.accepted("INVITE").size() == 1; }));
  one.carrier.answer();
  EXPECT_EQ(one.alice->wait_invite_status(call), 200);
  tour(one, call);
}

// ----- registrations

constexpr const char* kRegister = "UPDATE trunk_accounts SET registrar = 'carrier.example'";

TEST(KamailioTrunkRegistrations, O5_AnEditRegistersAndGivesUp) {
  SiteWithAccount one;
  one.carrier.have({.granted = 2});
  EXPECT_EQ(one.registration(), "by address");
  one.execute(kRegister);
  EXPECT_TRUE(one.becomes("registered 200")) << one.registration();
  ASSERT_TRUE(wait_until(kSoon, [&] { return one.carrier.accepted("REGISTER").size() >= 3; })) << "it is extended";
  const SipText first = one.carrier.accepted("REGISTER").front();
  EXPECT_EQ(first.request_uri(), "sip:carrier.example");
  EXPECT_EQ(first.header("To"), "<sip:user@carrier.example>");
  EXPECT_EQ(first.header("Contact"), "<sip:user@" + one.site.outside().text() + ">");
  EXPECT_EQ(first.header("Expires"), "600");
  one.execute("UPDATE trunk_accounts SET enabled = FALSE");
  EXPECT_TRUE(one.becomes("off")) << one.registration();
  EXPECT_TRUE(wait_until(kSoon, [&] { return one.carrier.accepted("REGISTER").back().header("Expires") == "0"; }));
  EXPECT_EQ(one.carrier.troubles(), std::vector<std::string>());
}

TEST(KamailioTrunkRegistrations, O5_ARegistrationThatIsRefusedSaysSoUntilAnEditMendsIt) {
  SiteWithAccount one("falsch");
  one.execute(kRegister);
  EXPECT_TRUE(one.becomes("refused 407")) << one.registration();
  EXPECT_EQ(one.carrier.received("REGISTER").size(), 2U) << "the password is tried once";
  EXPECT_EQ(one.statistic("trunk_registrations_failed"), "script:trunk_registrations_failed = 1");
  one.execute("UPDATE trunk_passwords SET password = 'geheim'");
  EXPECT_TRUE(one.becomes("registered 200")) << one.registration();
}

TEST(KamailioTrunkRegistrations, O5_ARegistrarThatRefusesRedirectsOrFailsHasAnOutcome) {
  for (const int status : {302, 403, 503}) {
    SiteWithAccount one;
    one.carrier.have({.register_answer = status});
    one.execute(kRegister);
    EXPECT_TRUE(one.becomes("refused " + std::to_string(status))) << one.registration();
    EXPECT_EQ(one.statistic("trunk_registrations_failed"), "script:trunk_registrations_failed = 1");
  }
}

TEST(KamailioTrunkRegistrations, O5_ARegistrarThatIsSilentIsUnreachableUntilItAnswers) {
  SiteWithAccount one;
  one.carrier.have({.register_answer = 0});
  one.execute(kRegister);
  EXPECT_TRUE(one.becomes("unreachable")) << one.registration();
  one.carrier.have({});
  EXPECT_TRUE(one.becomes("registered 200")) << one.registration();
}

TEST(KamailioTrunkRegistrations, O5_ACallToTheRegisteredContactReachesTheDidInTo) {
  SiteWithAccount one;
  one.execute(kRegister);
  EXPECT_TRUE(one.becomes("registered 200")) << one.registration();
  const std::string contact = "sip:user@" + one.site.outside().text();
  auto bob = one.site.phone("102");
  EXPECT_EQ(bob->wait_invite_status(bob->start_call("user")), 404) << "for the trunk only";
  one.carrier.send(one.carrier.compose("INVITE", 7, contact, "<sip:+442030000101@carrier.example>"));
  const CallName call = one.alice->wait_incoming();
  one.alice->answer(call);
  EXPECT_TRUE(wait_until(kSoon, [&] { return !one.carrier.response(200).text().empty(); }));
  EXPECT_EQ(one.alice->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return one.site.database.value("SELECT GROUP_CONCAT(dialled, ' ', caller_trunk) FROM callpark.cdrs") ==
           "+442030000101 demo";
  }));
}

}  // namespace
}  // namespace callpark::test
