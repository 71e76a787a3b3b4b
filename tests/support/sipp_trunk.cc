#include "tests/support/sipp_trunk.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/support/source_directory.h"

namespace callpark::test {
namespace {

const char* const kSeparator = "-----------------------------------------------";

std::string scenario_part(const std::string& name) {
  return read_file(source_directory() / "tests/data/sipp" / (name + ".xml"));
}

std::string unique_call_id() {
  static std::atomic<int> count{0};
  return "trunk-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

}  // namespace

SippCall::SippCall(Options options)
    : options_(std::move(options)),
      sound_("trunk " + options_.caller, options_.own.address, options_.tone),
      control_({options_.own.address, 0}),
      own_call_id_(unique_call_id()) {
  std::filesystem::create_directories(options_.directory);
  const auto scenario = options_.directory / "scenario.xml";
  write_file(scenario, "<?xml version=\"1.0\" encoding=\"us-ascii\"?>\n<scenario name=\"trunk\">\n" +
                           scenario_part(options_.scenario_head) + scenario_part("trunk_in_call") + "</scenario>\n");
  process_ = Subprocess({.command = {"sipp",
                                     options_.kamailio.text(),
                                     "-sf",
                                     scenario.string(),
                                     "-i",
                                     options_.own.address,
                                     "-p",
                                     std::to_string(options_.own.port),
                                     "-m",
                                     "1",
                                     "-l",
                                     "1",
                                     "-nostdin",
                                     "-default_behaviors",
                                     "none",
                                     "-cid_str",
                                     own_call_id_,
                                     "-trace_msg",
                                     "-message_file",
                                     (options_.directory / "messages.log").string(),
                                     "-trace_err",
                                     "-error_file",
                                     (options_.directory / "errors.log").string(),
                                     "-key",
                                     "rtp_ip",
                                     sound_.own().address,
                                     "-key",
                                     "rtp_port",
                                     std::to_string(sound_.own().port),
                                     "-key",
                                     "rtp_codecs",
                                     options_.codecs,
                                     "-key",
                                     "did",
                                     options_.did,
                                     "-key",
                                     "caller",
                                     options_.caller,
                                     "-key",
                                     "caller_name",
                                     options_.caller_name},
                         .output = options_.directory / "sipp.log",
                         .environment = {"TERM=dumb"},
                         .directory = options_.directory,
                         .patience = std::chrono::milliseconds(300)});
  if (options_.codecs.starts_with("8")) sound_.set_payload_type(8);
  watcher_ = std::thread([this] { watch(); });
}

SippCall::~SippCall() {
  // Nothing else would end the call of a sipp that is gone.
  if (status() / 100 == 2 && !closed()) {
    hang_up();
    wait_until(std::chrono::milliseconds(1000), [this] { return closed(); });
  }
  running_ = false;
  watcher_.join();
  process_.kill_now();
}

void SippCall::watch() {
  while (running_) {
    wait_until(std::chrono::milliseconds(50), [this] {
      read_messages();
      return !running_;
    });
  }
}

// sipp's message log: a line of dashes and the time, a line "UDP message sent (482 bytes):" or "... received [482]
// bytes :", an empty line, and the message. One that the scenario does not expect (a 180 behind its 200) follows once
// more under "Unexpected UDP message received:", without a length.
void SippCall::read_messages() {
  const std::lock_guard lock(mutex_);
  const auto path = options_.directory / "messages.log";
  std::error_code none;
  if (std::filesystem::file_size(path, none) <= read_ || none) return;
  const std::string text = read_file(path);
  for (;;) {
    const auto begin = text.find(kSeparator, read_);
    if (begin == std::string::npos) return;
    const auto headline = text.find('\n', begin);
    const auto first = headline == std::string::npos ? headline : text.find("\n\n", headline);
    if (first == std::string::npos) return;  // sipp is still writing it
    const std::string line = text.substr(headline, first - headline);
    const auto digits = line.find_first_of("0123456789", line.find("message"));
    if (digits == std::string::npos) {
      read_ = first;
      continue;
    }
    const size_t length = std::stoul(line.substr(digits));
    if (text.size() < first + 2 + length) return;
    note({line.find("received") != std::string::npos, SipText(text.substr(first + 2, length))});
    read_ = first + 2 + length;
  }
}

void SippCall::note(const Message& message) {
  messages_.push_back(message);
  if (message.text.method() == "BYE") sound_.send_to(Endpoint{});
  if (!message.received) return;
  const auto audio = message.text.audio();
  if (!audio) return;
  const std::string direction = message.text.direction();
  sound_.send_to(direction == "sendonly" || direction == "inactive" ? Endpoint{} : *audio);
}

void SippCall::command(const std::string& what) {
  const std::string text = "INFO sip:trunk@" + options_.own.text() + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
                           control_.own().text() + ";branch=z9hG4bKtest" + what +
                           "\r\nFrom: <sip:test@test>;tag=t\r\n" + "To: <sip:trunk@test>\r\nCall-ID: " + call_id() +
                           "\r\nCSeq: 1 INFO\r\nX-Command: " + what + "\r\nContent-Length: 0\r\n\r\n";
  control_.send(text, options_.own);
}

std::string SippCall::call_id() const {
  if (options_.scenario_head == "trunk_calls_in") return own_call_id_;
  const std::lock_guard lock(mutex_);
  return messages_.empty() ? "" : messages_.front().text.call_id();
}

int SippCall::status() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [was_received, text] : messages_) {
    if (text.status() >= 200 && text.method() == "INVITE") return text.status();
  }
  return 0;
}

bool SippCall::closed() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(messages_, [](const Message& message) {
    const int status = message.text.status();
    return (message.text.method() == "BYE" && status >= 200) || (message.text.method() == "INVITE" && status >= 300);
  });
}

testing::AssertionResult SippCall::is_established(std::chrono::milliseconds timeout) {
  const bool acknowledged = wait_until(timeout, [this] {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(messages_,
                               [](const Message& message) { return message.text.start_line().starts_with("ACK "); });
  });
  if (acknowledged && status() / 100 == 2) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name() << " is not in a call\n" << log();
}

testing::AssertionResult SippCall::is_closed(std::chrono::milliseconds timeout) {
  if (wait_until(timeout, [this] { return closed(); })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name() << " is still in its call\n" << log();
}

std::vector<SipText> SippCall::received() const {
  const std::lock_guard lock(mutex_);
  std::vector<SipText> texts;
  for (const auto& message : messages_) {
    const bool is_command = message.text.start_line().starts_with("INFO ");
    if (message.received && !is_command) texts.push_back(message.text);
  }
  return texts;
}

std::vector<SipText> SippCall::sent() const {
  const std::lock_guard lock(mutex_);
  std::vector<SipText> texts;
  for (const auto& message : messages_) {
    if (!message.received) texts.push_back(message.text);
  }
  return texts;
}

testing::AssertionResult SippCall::saw_only_ordinary_calls() const {
  static const std::set<std::string> ordinary = {"INVITE", "ACK", "UPDATE", "BYE", "CANCEL", "OPTIONS"};
  for (const auto& message : received()) {
    if (message.is_request() && !ordinary.contains(message.method())) {
      return testing::AssertionFailure() << name() << " got\n" << message.text();
    }
    for (const char* header : {"Replaces", "Refer-To", "X-Callpark-Tenant", "X-Callpark-User", "X-Callpark-Dialog"}) {
      if (message.header(header).empty()) continue;
      return testing::AssertionFailure() << name() << " got a header " << header << " in\n" << message.text();
    }
  }
  return testing::AssertionSuccess();
}

std::string SippCall::log() const {
  std::ostringstream text;
  text << read_file(options_.directory / "errors.log");
  const std::lock_guard lock(mutex_);
  for (const auto& message : messages_)
    text << (message.received ? "<-- " : "--> ") << message.text.start_line() << "\n";
  return text.str();
}

SippTrunk::SippTrunk(Endpoint own, Endpoint kamailio, std::filesystem::path directory)
    : own_(std::move(own)), kamailio_(std::move(kamailio)), directory_(std::move(directory)) {}

std::unique_ptr<SippCall> SippTrunk::call_in(const std::string& did, int tone, const std::string& codecs) {
  const int index = calls_++;
  // The trunk's address may be another trunk's too: that of every demonstration is the same.
  const Endpoint own = UdpSocket({own_.address, 0}).own();
  return std::make_unique<SippCall>(SippCall::Options{.scenario_head = "trunk_calls_in",
                                                      .own = own,
                                                      .kamailio = kamailio_,
                                                      .did = did,
                                                      .tone = tone,
                                                      .codecs = codecs,
                                                      .directory = directory_ / ("call-" + std::to_string(index))});
}

std::unique_ptr<SippCall> SippTrunk::expect_call(int tone, const std::string& codecs) {
  const int index = calls_++;
  auto call =
      std::make_unique<SippCall>(SippCall::Options{.scenario_head = "trunk_is_called",
                                                   .own = own_,
                                                   .kamailio = kamailio_,
                                                   .did = "none",
                                                   .tone = tone,
                                                   .codecs = codecs,
                                                   .directory = directory_ / ("call-" + std::to_string(index))});
  return call;
}

}  // namespace callpark::test
