#include "tests/support/packet_phone.h"

#include <algorithm>
#include <random>
#include <sstream>
#include <stdexcept>

namespace callpark::test {
namespace {

constexpr std::chrono::milliseconds kRepeatAfter{500};
// 20 s: Kamailio itself answers a BYE 16 s after parkd has died.
// What never comes is not waited for longer.
constexpr std::chrono::milliseconds kAckMax{2000};
constexpr int kTimesMax = 40;
/// How often a re-INVITE is sent that is answered 491.
constexpr int kOffersMax = 8;

std::string random_word() {
  std::random_device random;
  char text[20];
  snprintf(text, sizeof text, "%08x%08x", random(), random());
  return text;
}

std::string reason(int status) {
  switch (status) {
    case 180:
      return "Ringing";
    case 200:
      return "OK";
    case 487:
      return "Request Terminated";
    case 491:
      return "Request Pending";
    default:
      return "Whatever";
  }
}

std::string mirrored(const std::string& direction) {
  if (direction == "sendonly") return "recvonly";
  if (direction == "recvonly") return "sendonly";
  return direction;
}

}  // namespace

PacketPhone::PacketPhone(Options options)
    : options_(std::move(options)),
      sound_(options_.user + "@" + options_.address, options_.address, options_.tone),
      socket_({options_.address, options_.port}),
      tcp_(options_.over_tcp ? std::make_unique<TcpSocket>(socket_.own(), options_.proxy, options_.listens) : nullptr) {
  thread_ = std::thread([this] { run(); });
}

PacketPhone::~PacketPhone() {
  std::vector<CallName> open_calls;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, call] : calls_) {
      if (call.established && !call.closed) open_calls.push_back(id);
    }
  }
  if (!has_vanished_) {
    for (const auto& call : open_calls) fire(call, "BYE");
    if (registered_) send_register(false);
  }
  running_ = false;
  thread_.join();
}

std::string PacketPhone::contact() const {
  if (!contact_.empty()) return contact_;
  return "<sip:" + options_.user + "@" + socket_.own().text() + (tcp_ ? ";transport=tcp>" : ">");
}
std::string PacketPhone::sdp(const Call& call) const {
  const std::string video = "m=video 49170 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=" + call.direction + "\r\n";
  return sound_.sdp(call.direction, call.sdp_version) + (options_.has_video ? video : "");
}

std::string PacketPhone::new_branch() {
  return "z9hG4bK" + random_word();
}

std::string PacketPhone::next_credentials(const std::string& method, const std::string& uri) {
  if (last_challenge_.empty()) return "";
  return "Proxy-Authorization: " +
         digest_answer(last_challenge_, method, uri, options_.user, options_.password, ++challenge_answers_) + "\r\n";
}

std::string PacketPhone::transport() const {
  return tcp_ ? "TCP" : "UDP";
}

void PacketPhone::vanish() {
  has_vanished_ = true;
  sound_.send_to({});
}

void PacketPhone::send_raw(const std::string& text) {
  if (has_vanished_) return;
  if (tcp_) return tcp_->send(text);
  socket_.send(text, options_.proxy);
}

void PacketPhone::be_reached_at(const std::string& contact) {
  const std::lock_guard lock(mutex_);
  contact_ = contact;
}

void PacketPhone::register_phone() {
  const int status = send_register(true);
  if (status != 200) throw std::runtime_error(name() + ": REGISTER got " + std::to_string(status));
  registered_ = true;
}

int PacketPhone::send_register(bool stays) {
  const std::string uri = "sip:" + options_.domain;
  const std::string own = "<sip:" + options_.user + "@" + options_.domain + ">";
  const std::string call_id = random_word();
  std::string credentials;
  for (int cseq = 1; cseq <= 3; ++cseq) {
    const std::string text =
        "REGISTER " + uri + " SIP/2.0\r\nVia: SIP/2.0/" + transport() + " " + socket_.own().text() +
        ";rport;branch=" + new_branch() + "\r\nMax-Forwards: 70\r\nFrom: " + own + ";tag=reg\r\nTo: " + own +
        "\r\nCall-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " REGISTER\r\nContact: " + contact() +
        ";expires=" + std::to_string(stays ? options_.register_seconds : 0) + "\r\n" + credentials +
        "Content-Length: 0\r\n\r\n";
    std::unique_lock lock(mutex_);
    // A busy Kamailio may need seconds. At the end nothing depends on the answer.
    const SipText answer = send_and_wait(lock, text, call_id, cseq, "REGISTER", stays ? 20 : 2);
    if (answer.status() != 401) return answer.status();
    credentials = "Authorization: " +
                  digest_answer(answer.header("WWW-Authenticate"), "REGISTER", uri, options_.user, options_.password) +
                  "\r\n";
  }
  return 401;
}

// Repeated as RFC 3261 17.1.2 has it, only more simply. An empty message when nothing final comes.
SipText PacketPhone::send_and_wait(std::unique_lock<std::mutex>& lock, const std::string& text,
                                   const std::string& call_id, int cseq, const std::string& method, int times_max) {
  const auto find_answer = [&] {
    return std::ranges::find_if(received_, [&](const SipText& message) {
      return message.status() >= 200 && message.call_id() == call_id && message.cseq() == cseq &&
             message.method() == method;
    });
  };
  for (int sent = 0; sent < times_max && find_answer() == received_.end(); ++sent) {
    send_raw(text);
    changed_.wait_for(lock, kRepeatAfter, [&] { return find_answer() != received_.end(); });
  }
  const auto answer = find_answer();
  return answer == received_.end() ? SipText() : *answer;
}

// ----- calls out

CallName PacketPhone::start_call(const std::string& target, const std::string& extra_headers) {
  const std::lock_guard lock(mutex_);
  const CallName id = "packet-" + std::to_string(next_++) + "-" + random_word() + options_.id_end;
  Call& call = calls_[id];
  call.outgoing = true;
  call.handed_out = true;
  call.extra_headers = extra_headers;
  call.first_target =
      target.starts_with("sip:") || target.starts_with("tel:") ? target : "sip:" + target + "@" + options_.domain;
  call.target = call.first_target;
  const std::string own = "<sip:" + options_.user + "@" + options_.domain + ">";
  call.local = (options_.from.empty() ? own : options_.from) + ";tag=" + random_word() + options_.id_end;
  call.remote = "<" + call.first_target + ">";
  call.cseq = 0;
  call.credentials = next_credentials("INVITE", call.first_target);
  send_first_invite(call, id);
  return id;
}

void PacketPhone::send_first_invite(Call& call, const std::string& call_id) {
  call.invite_cseq = ++call.cseq;
  call.began_without_offer = begins_without_offer_;
  const std::string type = call.began_without_offer ? "" : "Content-Type: application/sdp\r\n";
  const std::string text = compose(call, call_id, "INVITE", call.invite_cseq,
                                   call.credentials + call.extra_headers + type, type.empty() ? "" : sdp(call));
  call.invite = SipText(text);
  send_raw(text);
}

int PacketPhone::invite_status(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  return calls_.at(call).invite_status;
}

int PacketPhone::wait_invite_status(const CallName& call, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patient(timeout), [&] { return calls_.at(call).invite_status != 0; });
  return calls_.at(call).invite_status;
}

CallName PacketPhone::call(const std::string& target) {
  CallName id = start_call(target);
  const int status = wait_invite_status(id);
  if (status / 100 != 2) throw std::runtime_error(name() + ": INVITE to " + target + " got " + std::to_string(status));
  return id;
}

// ----- calls in

CallName PacketPhone::wait_incoming(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  CallName found;
  changed_.wait_for(lock, patient(timeout), [&] {
    const auto fresh = std::ranges::find_if(calls_, [](const auto& entry) {
      return !entry.second.outgoing && !entry.second.handed_out && !entry.second.closed;
    });
    if (fresh == calls_.end()) return false;
    fresh->second.handed_out = true;
    found = fresh->first;
    return true;
  });
  if (found.empty()) throw std::runtime_error(name() + " got no call");
  return found;
}

void PacketPhone::ring(const CallName& call) {
  const std::lock_guard lock(mutex_);
  respond(calls_.at(call).invite, 180, "Contact: " + contact() + "\r\n");
}

void PacketPhone::answer(const CallName& call) {
  const std::lock_guard lock(mutex_);
  if (!calls_.at(call).closed) answer_invite(calls_.at(call), calls_.at(call).invite);
}

void PacketPhone::refuse(const CallName& call, int status) {
  const std::lock_guard lock(mutex_);
  calls_.at(call).closed = true;
  respond(calls_.at(call).invite, status);
}

void PacketPhone::repeat_invite(const CallName& call) {
  const std::lock_guard lock(mutex_);
  send_raw(calls_.at(call).invite.text());
}

void PacketPhone::cancel(const CallName& call) {
  const std::lock_guard lock(mutex_);
  const SipText& invite = calls_.at(call).invite;
  // RFC 3261 9.1: everything as in the request that is cancelled, with its Via.
  send_raw("CANCEL " + invite.request_uri() + " SIP/2.0\r\nVia: " + invite.header("Via") +
           "\r\nMax-Forwards: 70\r\nFrom: " + invite.header("From") + "\r\nTo: " + invite.header("To") +
           "\r\nCall-ID: " + call + "\r\nCSeq: " + std::to_string(invite.cseq()) +
           " CANCEL\r\nContent-Length: 0\r\n\r\n");
}

void PacketPhone::answer_invite(Call& call, const SipText& request) {
  if (request.audio()) {
    call.direction = mirrored(request.direction());
  } else if (call.direction == "recvonly") {
    call.direction = "sendrecv";  // RFC 6337 5.1: an offer of what it could do, and not of what a hold has left it
  }
  take_sound_from(call, request);
  call.established = true;
  respond(request, 200, "Contact: " + contact() + "\r\nContent-Type: application/sdp\r\n", sdp(call));
  ++call.sdp_version;
}

// ----- within dialogs

std::string PacketPhone::compose(Call& call, const std::string& call_id, const std::string& method, int cseq,
                                 const std::string& extra_headers, const std::string& body) {
  std::string routes;
  for (const auto& route : call.routes) routes += "Route: " + route + "\r\n";
  return method + " " + call.target + " SIP/2.0\r\nVia: SIP/2.0/" + transport() + " " + socket_.own().text() +
         ";rport;branch=" + new_branch() + "\r\nMax-Forwards: 70\r\n" + routes + "From: " + call.local +
         "\r\nTo: " + call.remote + "\r\nCall-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " " + method +
         "\r\nContact: " + contact() + "\r\nAllow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,REFER,MESSAGE,INFO,UPDATE\r\n" +
         extra_headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string PacketPhone::compose(const CallName& call, const std::string& method, const std::string& extra_headers,
                                 const std::string& body) {
  const std::lock_guard lock(mutex_);
  Call& known = calls_.at(call);
  return compose(known, call, method, ++known.cseq, extra_headers, body);
}

void PacketPhone::fire(const CallName& call, const std::string& method, const std::string& extra_headers) {
  const std::lock_guard lock(mutex_);
  Call& known = calls_.at(call);
  if (method == "BYE") close(known);
  const std::string credentials = next_credentials(method, known.target);
  send_raw(compose(known, call, method, ++known.cseq, credentials + extra_headers, ""));
}

int PacketPhone::request(const CallName& call, const std::string& method, const std::string& extra_headers,
                         const std::string& body) {
  std::unique_lock lock(mutex_);
  // RFC 3261 14.1 and 15: a phone that is called asks for nothing in a call before the ACK of its answer.
  changed_.wait_for(lock, kAckMax, [&] {
    const Call& known = calls_.at(call);
    return known.outgoing || !known.established || known.acknowledged || known.closed;
  });
  int status = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    Call& known = calls_.at(call);
    if (method == "BYE") close(known);
    const int cseq = ++known.cseq;
    const std::string credentials = next_credentials(method, known.target);
    const std::string text = compose(known, call, method, cseq, credentials + extra_headers, body);
    status = send_and_wait(lock, text, call, cseq, method, kTimesMax).status();
    if (status != 407) break;
  }
  return status == 0 ? 408 : status;
}

int PacketPhone::offer(const CallName& call, const std::string& direction) {
  std::string body;
  bool owns_call_id = false;
  {
    const std::lock_guard lock(mutex_);
    Call& known = calls_.at(call);
    known.direction = direction;
    ++known.sdp_version;
    body = sdp(known);
    owns_call_id = known.outgoing;
  }
  std::mt19937 random{std::random_device{}()};
  int status = 0;
  for (int attempt = 0; attempt < kOffersMax; ++attempt) {
    status = request(call, "INVITE", "Content-Type: application/sdp\r\n", body);
    if (status != 491) break;
    // RFC 3261 14.1: in units of 10 ms, from 2.1 to 4 s for the owner of the Call-ID, up to 2 s for the other.
    const int tens =
        owns_call_id ? std::uniform_int_distribution(210, 400)(random) : std::uniform_int_distribution(0, 200)(random);
    pass(std::chrono::milliseconds(10 * tens));
  }
  return status;
}

int PacketPhone::answer_in_ack(const CallName& call, const std::string& direction) {
  {
    const std::lock_guard lock(mutex_);
    Call& known = calls_.at(call);
    known.direction = direction;
    ++known.sdp_version;
    known.answers_in_ack = true;
  }
  const int status = request(call, "INVITE");
  const std::lock_guard lock(mutex_);
  calls_.at(call).answers_in_ack = false;
  return status;
}

std::string PacketPhone::refer_to(const std::string& target) const {
  const std::string uri =
      target.starts_with("sip:") || target.starts_with("tel:") ? target : "sip:" + target + "@" + options_.domain;
  return "Refer-To: <" + uri + ">\r\nReferred-By: <sip:" + options_.user + "@" + options_.domain + ">\r\n";
}

int PacketPhone::refer(const CallName& call, const std::string& target) {
  return request(call, "REFER", refer_to(target));
}

int PacketPhone::send_info_digit(const CallName& call, char digit, InfoDigit kind) {
  if (kind == InfoDigit::kDtmf) {
    return request(call, "INFO", "Content-Type: application/dtmf\r\n", std::string(1, digit));
  }
  return request(call, "INFO", "Content-Type: application/dtmf-relay\r\n",
                 std::string("Signal=") + digit + "\r\nDuration=160\r\n");
}

void PacketPhone::answer_reinvites_with(std::deque<int> statuses) {
  const std::lock_guard lock(mutex_);
  reinvite_statuses_ = std::move(statuses);
}

void PacketPhone::answer_with_headers(const std::string& headers) {
  const std::lock_guard lock(mutex_);
  answer_headers_ = headers;
}

void PacketPhone::be_behind(const std::string& record_routes) {
  const std::lock_guard lock(mutex_);
  answer_routes_ = record_routes;
}

void PacketPhone::never_acknowledge(bool never) {
  const std::lock_guard lock(mutex_);
  acknowledges_ = !never;
}

void PacketPhone::answer_what_is_cancelled(bool does) {
  const std::lock_guard lock(mutex_);
  answers_what_is_cancelled_ = does;
}

void PacketPhone::forget() {
  const std::lock_guard lock(mutex_);
  std::erase_if(calls_, [](const auto& entry) { return entry.second.closed; });
  received_.clear();
}

Endpoint PacketPhone::audio_remote(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  return calls_.at(call).audio;
}

bool PacketPhone::is_closed(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  return calls_.at(call).closed;
}

int PacketPhone::calls() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::ranges::count_if(calls_, [](const auto& entry) { return !entry.second.closed; }));
}

std::vector<SipText> PacketPhone::received(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  std::vector<SipText> messages;
  std::ranges::copy_if(received_, std::back_inserter(messages),
                       [&](const SipText& message) { return call.empty() || message.call_id() == call; });
  return messages;
}

std::vector<std::string> PacketPhone::transfer_reports(const CallName& call) const {
  // By CSeq: two workers of a proxy may swap them.
  std::map<int, std::string> reports;
  for (const auto& message : received(call)) {
    if (!message.is_request() || message.method() != "NOTIFY") continue;
    const std::string body = message.body();
    reports[message.cseq()] = body.substr(0, body.find_first_of("\r\n"));
  }
  std::vector<std::string> in_order;
  for (auto& [cseq, report] : reports) in_order.push_back(std::move(report));
  return in_order;
}

std::vector<SipText> PacketPhone::messages() const {
  std::vector<SipText> messages;
  for (const SipText& message : received("")) {
    if (!message.is_request() || message.method() != "MESSAGE") continue;
    const bool is_copy =
        std::ranges::any_of(messages, [&](const SipText& earlier) { return earlier.call_id() == message.call_id(); });
    if (!is_copy) messages.push_back(message);
  }
  return messages;
}

std::string PacketPhone::replaces(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  const Call& known = calls_.at(call);
  return call + ";to-tag=" + tag_in(known.remote) + ";from-tag=" + tag_in(known.local);
}

// ----- what arrives

std::string PacketPhone::next_text() {
  constexpr std::chrono::milliseconds kTurn{20};
  if (tcp_) return tcp_->receive(kTurn).value_or("");
  const auto datagram = socket_.receive(kTurn);
  return datagram ? datagram->bytes : "";
}

void PacketPhone::run() {
  while (running_) {
    const auto text = next_text();
    if (text.size() > 4 && !has_vanished_) receive(SipText(text));
  }
}

void PacketPhone::receive(const SipText& message) {
  const std::lock_guard lock(mutex_);
  received_.push_back(message);
  if (message.is_response()) {
    receive_response(message);
  } else {
    receive_request(message);
  }
  changed_.notify_all();
}

void PacketPhone::respond(const SipText& request, int status, const std::string& extra_headers,
                          const std::string& body) {
  std::string text = "SIP/2.0 " + std::to_string(status) + " " + reason(status) + "\r\n";
  for (const auto& via : request.headers("Via")) text += "Via: " + via + "\r\n";
  text += answer_routes_;
  for (const auto& route : request.headers("Record-Route")) text += "Record-Route: " + route + "\r\n";
  const auto known = calls_.find(request.call_id());
  const std::string to =
      known != calls_.end() && tag_in(request.header("To")).empty() ? known->second.local : request.header("To");
  text += "From: " + request.header("From") + "\r\nTo: " + to + "\r\nCall-ID: " + request.call_id() +
          "\r\nCSeq: " + request.header("CSeq") + "\r\n" + answer_headers_ + extra_headers +
          "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  send_raw(text);
}

void PacketPhone::receive_request(const SipText& request) {
  const std::string method = request.method();
  if (method == "ACK") return receive_ack(request);
  if (method == "INVITE") return receive_invite(request);
  const auto known = calls_.find(request.call_id());
  const bool asks_for_dialog = method == "UPDATE" || (method == "OPTIONS" && !tag_in(request.header("To")).empty());
  if (known == calls_.end() &&
      (asks_for_dialog || (method != "OPTIONS" && method != "MESSAGE" && method != "NOTIFY"))) {
    return respond(request, 481);
  }
  if (known != calls_.end()) {
    if (method != "CANCEL" && is_overtaken(known->second, request)) return respond(request, 500);
    learn_remote(known->second, request);
  }
  if (asks_for_dialog && known->second.closed) return respond(request, 481);
  if (method == "BYE") close(known->second);
  // RFC 3261 9.2: it has no effect on a call that was answered.
  if (method == "CANCEL" && answers_what_is_cancelled_ && !known->second.established) {
    answer_invite(known->second, known->second.invite);
  } else if (method == "CANCEL" && !known->second.established) {
    known->second.closed = true;
    respond(known->second.invite, 487);
  }
  if (method == "UPDATE" && request.audio()) return answer_invite(known->second, request);
  respond(request, 200);
}

void PacketPhone::receive_ack(const SipText& ack) {
  const auto known = calls_.find(ack.call_id());
  if (known != calls_.end()) known->second.acknowledged = true;
}

// RFC 3261 12.2.2, to the letter.
bool PacketPhone::is_overtaken(Call& call, const SipText& request) {
  if (request.cseq() < call.remote_cseq) return true;
  call.remote_cseq = request.cseq();
  return false;
}

void PacketPhone::receive_invite(const SipText& request) {
  // RFC 3261 12.2.2: a re-INVITE of a call that the phone has forgotten begins no other.
  if (!calls_.contains(request.call_id()) && !tag_in(request.header("To")).empty()) return respond(request, 481);
  const auto [entry, is_new] = calls_.try_emplace(request.call_id());
  Call& call = entry->second;
  if (!is_new && call.invite.cseq() == request.cseq() && !call.outgoing && !call.established) return;  // repeated
  if (is_new) {
    call.local = request.header("To") + ";tag=" + random_word();
    call.remote = request.header("From");
    call.routes = request.headers("Record-Route");
    call.target = uri_in(request.header("Contact"));
    call.invite = request;
    call.remote_cseq = request.cseq();
    call.cseq = 1000;
    // Never both at once: two workers of a proxy may swap them.
    if (options_.auto_answer) return answer_invite(call, request);
    if (options_.rings_at_once) respond(request, 180, "Contact: " + contact() + "\r\n");
    return;
  }
  if (call.closed) return respond(request, 481);
  if (is_overtaken(call, request)) return respond(request, 500);
  if (!reinvite_statuses_.empty()) {
    const int status = reinvite_statuses_.front();
    reinvite_statuses_.pop_front();
    if (status != 0 && status != 200) respond(request, status);
    if (status == 0) is_known_version(call, request);  // the answer is lost, and not the offer
    if (status != 200) return;
  }
  learn_remote(call, request);
  answer_invite(call, request);
}

// RFC 3261 12.2.2: a target refresh replaces the remote target, never the route set.
void PacketPhone::learn_remote(Call& call, const SipText& message) {
  const bool refreshes = message.method() == "INVITE" || message.method() == "UPDATE";
  if (refreshes && !message.header("Contact").empty()) call.target = uri_in(message.header("Contact"));
}

bool PacketPhone::is_known_version(Call& call, const SipText& message) const {
  const std::string body = message.body();
  const auto at = body.find("o=");
  if (at == std::string::npos) return false;
  std::istringstream origin(body.substr(at + 2));
  std::string user;
  std::string session;
  std::string version;
  origin >> user >> session >> version;
  // What arrives twice is one description.
  const bool is_known = version == call.version_seen && message.cseq() != call.version_cseq;
  call.version_seen = version;
  call.version_cseq = message.cseq();
  return is_strict_ && is_known;
}

void PacketPhone::take_sound_from(Call& call, const SipText& message) {
  if (is_known_version(call, message)) return;
  if (const auto audio = message.audio()) {
    const std::string direction = message.direction();
    call.audio = direction == "sendonly" || direction == "inactive" ? Endpoint{} : *audio;
    sound_.send_to(call.audio);
    sound_.set_telephone_event(message.telephone_event());
  }
}

// The one sound of the phone belongs to the call that last had a description.
void PacketPhone::close(Call& call) {
  call.closed = true;
  if (sound_.remote() == call.audio) sound_.send_to({});
}

void PacketPhone::receive_response(const SipText& response) {
  const std::string challenge = response.header("Proxy-Authenticate");
  if (!challenge.empty() && challenge != last_challenge_) {
    last_challenge_ = challenge;
    challenge_answers_ = 0;
  }
  const auto known = calls_.find(response.call_id());
  if (known == calls_.end()) return;
  Call& call = known->second;
  if (response.method() == "INVITE" && response.status() >= 200) return receive_invite_response(call, response);
  if (response.method() == "INVITE" && response.status() > 100) take_sound_from(call, response);
  const bool ends_call = response.method() == "BYE" && tag_in(response.header("To")) == tag_in(call.remote);
  if (ends_call && response.status() == 200) call.closed = true;
}

// RFC 3261 13.2.2.4: another phone of the same number has answered too, which is a dialog of its own.
void PacketPhone::hang_up_second_answer(Call& call, const SipText& response) {
  Call second = call;
  second.remote = response.header("To");
  second.routes = response.headers("Record-Route");
  std::ranges::reverse(second.routes);
  second.target = uri_in(response.header("Contact"));
  acknowledge(second, response);
  send_raw(compose(second, response.call_id(), "BYE", ++call.cseq, "", ""));
}

void PacketPhone::receive_invite_response(Call& call, const SipText& response) {
  const bool first = call.outgoing && response.cseq() == call.invite_cseq;
  const bool is_second_answer =
      first && call.established && response.status() < 300 && tag_in(response.header("To")) != tag_in(call.remote);
  if (is_second_answer) return hang_up_second_answer(call, response);
  if (first && call.invite_status == 0) {
    const bool success = response.status() < 300;
    if (success) {
      call.remote = response.header("To");
      call.routes = response.headers("Record-Route");
      std::ranges::reverse(call.routes);
      call.established = true;
    }
    if (response.status() == 407 && call.cseq < 3) {
      acknowledge(call, response);
      call.credentials = next_credentials("INVITE", call.first_target);
      return send_first_invite(call, response.call_id());
    }
    call.invite_status = response.status();
    call.closed = !success;
  }
  if (response.status() < 300) {
    learn_remote(call, response);
    take_sound_from(call, response);
  }
  if (acknowledges_) acknowledge(call, response);
}

void PacketPhone::acknowledge(Call& call, const SipText& response) {
  const bool is_first = call.began_without_offer && response.cseq() == call.invite_cseq;
  const bool answers = (call.answers_in_ack || is_first) && response.status() < 300;
  std::string text = compose(call, response.call_id(), "ACK", response.cseq(),
                             answers ? "Content-Type: application/sdp\r\n" : "", answers ? sdp(call) : "");
  if (response.status() >= 300) {
    // RFC 3261 17.1.1.3: the ACK of a refused INVITE is part of its transaction, with its branch and its To.
    const std::string via = response.headers("Via").front();
    const auto own_via = text.find("Via: ");
    text.replace(own_via, text.find("\r\n", own_via) - own_via, "Via: " + via);
    const auto own_to = text.find("\r\nTo: ");
    text.replace(own_to, text.find("\r\n", own_to + 2) - own_to, "\r\nTo: " + response.header("To"));
  }
  send_raw(text);
}

}  // namespace callpark::test
