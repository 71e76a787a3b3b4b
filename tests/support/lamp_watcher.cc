#include "tests/support/lamp_watcher.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

constexpr std::chrono::milliseconds kRepeatAfter{500};
constexpr int kTimesMax = 40;
constexpr std::chrono::milliseconds kGlance{50};

std::string random_word() {
  std::random_device random;
  char text[20];
  snprintf(text, sizeof text, "%08x%08x", random(), random());
  return text;
}

/// The value of name="..." in `text`, from its first occurrence on.
std::string attribute(const std::string& text, const std::string& name) {
  const std::string beginning = name + "=\"";
  const auto start = text.find(beginning);
  if (start == std::string::npos) return "";
  const auto value = start + beginning.size();
  return text.substr(value, text.find('"', value) - value);
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const auto start = text.find(before);
  if (start == std::string::npos) return "";
  const auto value = start + before.size();
  return text.substr(value, text.find(after, value) - value);
}

int occurrences(const std::string& text, const std::string& piece) {
  int found = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

std::string branch_of(const SipText& message) {
  const std::string via = message.header("Via");
  const auto start = via.find("branch=");
  return start == std::string::npos ? "" : via.substr(start, via.find(';', start) - start);
}

}  // namespace

LampWatcher::LampWatcher(Options options)
    : options_(std::move(options)),
      wire_(options_.over_tcp ? tcp_wire(options_.address, options_.proxy)
                              : udp_wire({options_.address, options_.port}, options_.proxy)),
      random_(options_.seed) {
  thread_ = std::thread([this] { run(); });
}

LampWatcher::~LampWatcher() {
  running_ = false;
  thread_.join();
}

bool LampWatcher::is_lost() {
  return deaf_ || (options_.loss > 0 && std::uniform_real_distribution<>(0, 1)(random_) < options_.loss);
}

void LampWatcher::run() {
  while (running_) {
    const auto bytes = wire_->receive(kGlance);
    if (!bytes) continue;
    const std::lock_guard lock(mutex_);
    unheard_ += deaf_ ? 1 : 0;
    if (!is_lost()) receive(SipText(*bytes));
  }
}

void LampWatcher::receive(const SipText& message) {
  if (message.is_response()) {
    responses_.push_back(message);
    changed_.notify_all();
  } else if (message.method() == "NOTIFY") {
    receive_notify(message);
    changed_.notify_all();
  } else {
    complain("got " + message.start_line());
  }
}

// ----- SUBSCRIBE

std::string LampWatcher::compose(int expires, const std::string& credentials) {
  const std::string lamp =
      options_.lamp.starts_with("sip:") ? options_.lamp : "sip:" + options_.lamp + "@" + options_.domain;
  const std::string own = "sip:" + options_.user + "@" + options_.domain;
  std::string text = "SUBSCRIBE " + (in_dialog_ ? remote_target_ : lamp) + " SIP/2.0\r\nVia: SIP/2.0/" +
                     wire_->transport() + " " + wire_->own().text() + ";rport;branch=z9hG4bK" + random_word() +
                     "\r\nMax-Forwards: 70\r\n";
  for (const auto& route : routes_) text += "Route: " + route + "\r\n";
  text += "From: <" + own + ">;tag=" + own_tag_ + "\r\nTo: <" + lamp + ">" + (in_dialog_ ? ";tag=" + remote_tag_ : "") +
          "\r\nCall-ID: " + call_id_ + "\r\nCSeq: " + std::to_string(++own_cseq_) +
          " SUBSCRIBE\r\nContact: <sip:" + options_.user + "@" + wire_->own().text() +
          (options_.over_tcp ? ";transport=tcp" : "") + ">\r\nEvent: " + options_.event + options_.event_parameters +
          "\r\nAccept: " + options_.accept + "\r\nExpires: " + std::to_string(expires) + "\r\n" + credentials +
          "Content-Length: 0\r\n\r\n";
  return text;
}

std::string LampWatcher::compose_subscribe(int expires, const std::string& credentials) {
  const std::lock_guard lock(mutex_);
  if (call_id_.empty()) {
    call_id_ = "lamp-" + random_word();
    own_tag_ = random_word();
  }
  return compose(expires, credentials);
}

void LampWatcher::send_raw(const std::string& text) {
  wire_->send(text);
}

int LampWatcher::wait_response(const std::string& call_id, int cseq) {
  std::unique_lock lock(mutex_);
  int status = 0;
  changed_.wait_for(lock, patient(kSoon), [&] {
    const auto found = std::ranges::find_if(responses_, [&](const SipText& response) {
      return response.status() >= 200 && response.call_id() == call_id && response.cseq() == cseq;
    });
    status = found == responses_.end() ? 0 : found->status();
    return status != 0;
  });
  return status;
}

// Repeated as RFC 3261 17.1.2 has it, only more simply. An empty message when nothing final comes.
SipText LampWatcher::send_and_wait(std::unique_lock<std::mutex>& lock, const std::string& text, int cseq) {
  const auto find_answer = [&] {
    return std::ranges::find_if(responses_, [&](const SipText& response) {
      return response.status() >= 200 && response.call_id() == call_id_ && response.cseq() == cseq;
    });
  };
  const int times_max = options_.over_tcp ? 1 : kTimesMax;
  for (int sent = 0; sent < times_max && find_answer() == responses_.end(); ++sent) {
    if (!is_lost()) wire_->send(text);
    changed_.wait_for(lock, options_.over_tcp ? patient(kSoon) : kRepeatAfter,
                      [&] { return find_answer() != responses_.end(); });
  }
  const auto answer = find_answer();
  return answer == responses_.end() ? SipText() : *answer;
}

int LampWatcher::transact(int expires, bool with_credentials) {
  std::unique_lock lock(mutex_);
  std::string credentials;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::string text = compose(expires, credentials);
    const SipText response = send_and_wait(lock, text, own_cseq_);
    if (response.text().empty()) return 408;
    const bool is_challenge = response.status() == 401 || response.status() == 407;
    if (is_challenge) ++challenges_;
    if (!is_challenge || !with_credentials) {
      if (response.status() / 100 == 2) {
        if (in_dialog_ && tag_in(response.header("To")) != remote_tag_) complain("200 with another tag");
        remote_tag_ = tag_in(response.header("To"));
        remote_target_ = uri_in(response.header("Contact"));
        if (remote_target_.empty()) complain("200 without Contact");
        if (options_.event == "dialog" && response.header("Expires").empty()) complain("200 without Expires");
        if (!in_dialog_) {
          routes_ = response.headers("Record-Route");
          std::ranges::reverse(routes_);
        }
        in_dialog_ = true;
      }
      return response.status();
    }
    const bool is_proxy = response.status() == 407;
    credentials = (is_proxy ? "Proxy-Authorization: " : "Authorization: ") +
                  digest_answer(response.header(is_proxy ? "Proxy-Authenticate" : "WWW-Authenticate"), "SUBSCRIBE",
                                SipText(text).request_uri(), options_.user, options_.password) +
                  "\r\n";
  }
  return 401;
}

int LampWatcher::subscribe() {
  {
    const std::lock_guard lock(mutex_);
    call_id_ = "lamp-" + random_word();
    own_tag_ = random_word();
    remote_tag_.clear();
    routes_.clear();
    in_dialog_ = false;
    notify_cseq_ = 0;
    answered_.clear();
    branch_of_cseq_.clear();
    history_.clear();
  }
  return transact(options_.expires, true);
}

int LampWatcher::subscribe_again(int expires, bool with_credentials) {
  return transact(expires, with_credentials);
}

// ----- NOTIFY

void LampWatcher::answer(const SipText& request, int status) {
  std::string text = "SIP/2.0 " + std::to_string(status) + " Watcher\r\n";
  for (const auto& via : request.headers("Via")) text += "Via: " + via + "\r\n";
  text += "From: " + request.header("From") + "\r\nTo: " + request.header("To") + "\r\nCall-ID: " + request.call_id() +
          "\r\nCSeq: " + request.header("CSeq") + "\r\nContent-Length: 0\r\n\r\n";
  if (!is_lost()) wire_->send(text);
}

void LampWatcher::receive_notify(const SipText& notify) {
  const std::string branch = branch_of(notify);
  const auto before = answered_.find(branch);
  const int status = before == answered_.end() ? judge(notify) : before->second;
  if (status != 481) answered_[branch] = status;
  answer(notify, status);
}

// The status that a NOTIFY gets, which is also accepted when it is 200.
int LampWatcher::judge(const SipText& notify) {
  const bool is_ours = notify.call_id() == call_id_ && tag_in(notify.header("To")) == own_tag_ &&
                       (remote_tag_.empty() || tag_in(notify.header("From")) == remote_tag_);
  if (!is_ours) return 481;
  const int status = judge_order(notify);
  if (status == 200) take(notify);
  return status;
}

int LampWatcher::judge_order(const SipText& notify) {
  const std::string branch = branch_of(notify);
  const auto [known, is_new] = branch_of_cseq_.emplace(notify.cseq(), branch);
  if (!is_new && known->second != branch) {
    complain("CSeq " + std::to_string(notify.cseq()) + " was used for two NOTIFYs");
    return 500;
  }
  // RFC 3261 12.2.2: out of order.
  if (notify.cseq() < notify_cseq_) {
    ++overtaken_;
    return 500;
  }
  notify_cseq_ = notify.cseq();
  return 200;
}

void LampWatcher::take(const SipText& notify) {
  last_notify_ = notify;
  Notice notice;
  notice.cseq = notify.cseq();
  notice.body = notify.body();
  notice.subscription_state = notify.header("Subscription-State");
  notice.event = notify.header("Event");
  notice.request_uri = notify.request_uri();
  notice.at = std::chrono::steady_clock::now();
  if (notify.header("Event").substr(0, options_.event.size()) != options_.event) {
    complain("Event: " + notify.header("Event"));
  }
  if (notice.subscription_state.empty()) complain("no Subscription-State");
  if (notify.header("Contact").empty()) complain("NOTIFY without Contact");
  if (options_.event == "dialog") {
    const std::string version = attribute(between(notice.body, "<dialog-info", ">"), "version");
    notice.version = version.empty() ? -1 : std::stoi(version);
    notice.state = between(notice.body, "<state>", "</state>");
    const std::string lamp =
        options_.lamp.starts_with("sip:") ? options_.lamp : "sip:" + options_.lamp + "@" + options_.domain;
    if (notify.header("Content-Type") != "application/dialog-info+xml") {
      complain("Content-Type: " + notify.header("Content-Type"));
    }
    const int dialogs = occurrences(notice.body, "<dialog ");
    if (dialogs != 1) complain(std::to_string(dialogs) + " dialogs: " + notice.body);
    if (attribute(notice.body, "entity") != lamp) complain("entity " + attribute(notice.body, "entity"));
    if (!history_.empty() && notice.version <= history_.back().version) {
      complain("version " + std::to_string(notice.version) + " after " + std::to_string(history_.back().version));
    }
  }
  history_.push_back(notice);
}

// ----- what it knows

LampWatcher::Notice LampWatcher::now() const {
  const std::lock_guard lock(mutex_);
  return history_.empty() ? Notice() : history_.back();
}

std::vector<LampWatcher::Notice> LampWatcher::history() const {
  const std::lock_guard lock(mutex_);
  return history_;
}

std::vector<std::string> LampWatcher::complaints() const {
  std::vector<std::string> bodies;
  std::vector<std::string> all;
  {
    const std::lock_guard lock(mutex_);
    all = complaints_;
    for (const auto& notice : history_) bodies.push_back(notice.body);
  }
  if (options_.event != "dialog") return all;
  if (const std::string invalid = invalid_dialog_info(bodies); !invalid.empty()) all.push_back(invalid);
  return all;
}

SipText LampWatcher::last_response() const {
  const std::lock_guard lock(mutex_);
  return responses_.empty() ? SipText() : responses_.back();
}

SipText LampWatcher::last_notify() const {
  const std::lock_guard lock(mutex_);
  return last_notify_;
}

std::string LampWatcher::call_id() const {
  const std::lock_guard lock(mutex_);
  return call_id_;
}

// What RFC 4235 calls pval, all PBXs and their phones call pvalue. It is the one deviation of the lamps.
static std::string with_pval(std::string body) {
  const std::string_view name = " pvalue=";
  for (auto at = body.find(name); at != std::string::npos; at = body.find(name))
    body.replace(at, name.size(), " pval=");
  return body;
}

std::string invalid_dialog_info(const std::vector<std::string>& bodies) {
  // Those that differ in their version only are one.
  std::set<std::string> forms;
  std::set<std::string> seen;
  for (const auto& body : bodies) {
    std::string form = body;
    const std::string version = "version=\"" + attribute(between(body, "<dialog-info", ">"), "version") + "\"";
    if (const auto at = form.find(version); at != std::string::npos) form.erase(at, version.size());
    if (seen.insert(form).second) forms.insert(body);
  }
  if (forms.empty()) return "";
  const TempDir directory("dialog-info");
  std::vector<std::string> command = {"xmllint", "--nonet", "--noout", "--schema",
                                      (source_directory() / "tests/data/rfc4235/dialog-info.xsd").string()};
  for (const auto& form : forms) {
    const auto file = directory.path() / (std::to_string(command.size()) + ".xml");
    write_file(file, with_pval(form));
    command.push_back(file.string());
  }
  const CommandResult result = run_command(command);
  return result.exit_code == 0 ? "" : result.output;
}

}  // namespace callpark::test
