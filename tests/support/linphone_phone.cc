#include "tests/support/linphone_phone.h"

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace callpark::test {
namespace {

constexpr int kToneSeconds = 240;
// Its recorder writes 4096 bytes at a time: 256 ms of G.711.
constexpr std::chrono::milliseconds kRecordingStale{400};

struct Codec {
  const char* mime;
  int rate;
  int channels;
};
constexpr Codec kCodecs[] = {{"PCMU", 8000, 1},   {"PCMA", 8000, 1},  {"opus", 48000, 2}, {"G722", 8000, 1},
                             {"speex", 16000, 1}, {"speex", 8000, 1}, {"GSM", 8000, 1},   {"G729", 8000, 1}};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string codec_sections(const std::string& wanted) {
  std::ostringstream text;
  int index = 0;
  for (const auto& codec : kCodecs) {
    const bool enabled = ("," + lower(wanted) + ",").find("," + lower(codec.mime) + ",") != std::string::npos;
    text << "[audio_codec_" << index++ << "]\nmime=" << codec.mime << "\nrate=" << codec.rate
         << "\nchannels=" << codec.channels << "\nenabled=" << (enabled ? 1 : 0) << "\n";
  }
  return text.str();
}

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// linphone looks its password up by the user of its own From, which in a call to a DID is the DID.
std::string auth_section(int index, const PhoneOptions& wanted, const std::string& name) {
  return "[auth_info_" + std::to_string(index) + "]\nusername=" + name + "\nuserid=" + wanted.user +
         "\npasswd=" + wanted.password + "\nrealm=" + wanted.domain + "\n";
}

}  // namespace

LinphonePhone::LinphonePhone(PhoneOptions phone_options) : Phone(std::move(phone_options)) {
  write_configuration();
  const auto& home = options().directory;
  std::vector<std::string> command = {"stdbuf", "-oL", "linphonec", "-c", (home / "linphonerc").string()};
  if (options().auto_answer) command.emplace_back("-a");
  process_ = Subprocess({.command = command,
                         .output = home / "linphonec.log",
                         .with_stdin = true,
                         .environment = {"HOME=" + home.string(), "XDG_CONFIG_HOME=" + (home / ".config").string(),
                                         "XDG_DATA_HOME=" + (home / ".local/share").string(), "TERM=dumb"}});
  type("soundcard use files");
  type("play " + (home / "tone.wav").string());
  type("record " + (home / "heard.wav").string());
}

LinphonePhone::~LinphonePhone() {
  process_.write_line("quit");
  process_.wait(std::chrono::milliseconds(2000));
}

void LinphonePhone::write_configuration() {
  const auto& wanted = options();
  std::filesystem::create_directories(wanted.directory / ".local/share/linphone");
  std::filesystem::create_directories(wanted.directory / ".config/linphone");
  write_tone_wav(wanted.directory / "tone.wav", wanted.tone, 8000, kToneSeconds);
  const std::string identity = "sip:" + wanted.user + "@" + wanted.domain;
  const std::string registrar =
      wanted.registrar_address + ":" + std::to_string(wanted.registrar_port) + ";transport=" + wanted.transport;
  const bool udp = wanted.transport == "udp";
  std::ostringstream text;
  text << "[sip]\n"
       << "sip_port=" << (udp ? static_cast<int>(wanted.sip_port) : 0) << "\n"
       << "sip_tcp_port=" << (udp ? 0 : static_cast<int>(wanted.sip_port)) << "\n"
       << "sip_tls_port=0\n"
       << "bind_address=" << wanted.address << "\n"
       << "use_ipv6=0\nguess_hostname=0\nmedia_encryption=none\ninc_timeout=120\ndefault_proxy=0\n"
       << "register_only_when_network_is_up=0\nverify_server_certs=0\n"
       << "contact=\"" << wanted.display_name << "\" <" << identity << ">\n"
       << "[rtp]\naudio_rtp_port=" << wanted.rtp_first << "-" << wanted.rtp_last << "\n"
       << "bind_address=" << wanted.address << "\n"
       << "[net]\nfirewall_policy=0\n"
       << "[sound]\nechocancellation=0\nplayback_gain_db=0\nmic_gain_db=0\n"
       << "[misc]\nlog_collection=0\n"
       << auth_section(0, wanted, wanted.user) << (wanted.did.empty() ? "" : auth_section(1, wanted, wanted.did))
       << "[proxy_0]\nreg_proxy=<sip:" << registrar << ">\nreg_route=<sip:" << registrar << ";lr>\n"
       << "reg_identity=\"" << wanted.display_name << "\" <" << identity << ">\n"
       << "reg_expires=120\nreg_sendregister=" << (wanted.registers ? 1 : 0) << "\npublish=0\ndial_escape_plus=0\n"
       << codec_sections(wanted.codecs);
  write_file(wanted.directory / "linphonerc", text.str());
}

// Debian 13's linphonec has no readline: of several lines that come before it prompts for one, it keeps the last.
void LinphonePhone::type(const std::string& line) {
  const std::lock_guard lock(typing_);
  require_until(
      kSoon, [this] { return occurrences(log(), "linphonec> ") > typed_ || !process_.running(); },
      "the prompt of linphonec " + name());
  ++typed_;
  if (!process_.write_line(line)) throw std::runtime_error("linphonec " + name() + " is gone: " + log());
}

void LinphonePhone::read_output() const {
  const std::string text = log();
  for (;;) {
    const auto end = text.find('\n', read_);
    if (end == std::string::npos) return;
    read_line(text.substr(read_, end - read_));
    read_ = end + 1;
  }
}

void LinphonePhone::read_line(const std::string& line) const {
  static const std::regex assigned("Establishing call id to .*, assigned id (\\d+)");
  static const std::regex incoming("Receiving new incoming call from .*, assigned id (\\d+)");
  static const std::regex progress("Call (\\d+) (?:to|with) .* (in progress|ringing|connected)\\.");
  static const std::regex early("Call (\\d+) with .* early media\\.");
  static const std::regex ended("Call (\\d+) with .* (?:ended|error).*");
  std::smatch match;
  const auto advance = [this](const CallName& call, CallPhase phase) {
    Call& known = calls_[call];
    if (phase > known.phase) known.phase = phase;
  };
  if (std::regex_search(line, match, assigned)) {
    advance(match[1], CallPhase::kDialling);
  } else if (std::regex_search(line, match, incoming)) {
    advance(match[1], CallPhase::kIncoming);
  } else if (std::regex_search(line, match, early)) {
    advance(match[1], CallPhase::kProgress);
  } else if (std::regex_search(line, match, progress)) {
    if (match[2] == "ringing") advance(match[1], CallPhase::kRinging);
    if (match[2] == "connected") advance(match[1], CallPhase::kEstablished);
  } else if (std::regex_search(line, match, ended)) {
    advance(match[1], CallPhase::kClosed);
    calls_[match[1]].reason = line;
  }
}

// It prints nothing of its own accord.
void LinphonePhone::wait_registered(std::chrono::milliseconds timeout) {
  const auto is_registered = [this] { return log().find("registered, identity=") != std::string::npos; };
  const bool registered = wait_until(timeout, [&] {
    type("status register");
    return wait_until(std::chrono::milliseconds(100), is_registered);
  });
  if (!registered) throw std::runtime_error("linphonec " + name() + " is not registered: " + log());
}

CallName LinphonePhone::hand_out(CallPhase first_phase, std::chrono::milliseconds timeout) {
  CallName found;
  wait_until(timeout, [&] {
    const std::lock_guard lock(mutex_);
    read_output();
    for (auto& [id, call] : calls_) {
      const bool outgoing = call.phase == CallPhase::kDialling || call.phase == CallPhase::kRinging;
      if (call.handed_out || (first_phase == CallPhase::kIncoming && outgoing)) continue;
      call.handed_out = true;
      found = id;
      return true;
    }
    return false;
  });
  if (found.empty()) throw std::runtime_error("linphonec " + name() + " has no such call: " + log());
  return found;
}

CallName LinphonePhone::dial(const std::string& target) {
  type("call " + (target.starts_with("sip:") ? target : "sip:" + target + "@" + options().domain));
  return hand_out(CallPhase::kDialling, kSoon);
}

CallName LinphonePhone::wait_incoming(std::chrono::milliseconds timeout) {
  return hand_out(CallPhase::kIncoming, timeout);
}

void LinphonePhone::answer(const CallName& call) {
  type("answer " + call);
}
void LinphonePhone::hang_up(const CallName& call) {
  type("terminate " + call);
}
void LinphonePhone::hold(const CallName& call) {
  if (phase(call) != CallPhase::kEstablished) throw std::runtime_error("linphonec cannot pause " + call);
  type("pause");
}
void LinphonePhone::resume(const CallName& call) {
  type("resume " + call);
}

void LinphonePhone::transfer(const CallName& call, const std::string& target) {
  type("transfer " + call + " " + (target.starts_with("sip:") ? target : "sip:" + target + "@" + options().domain));
}

void LinphonePhone::transfer_to(const CallName& call, const CallName& consultation) {
  type("transfer " + call + " --to-call " + consultation);
}

void LinphonePhone::send_digits(const CallName& /*call*/, const std::string& digits) {
  for (const char digit : digits) type(std::string(1, digit));
}

CallPhase LinphonePhone::phase(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  read_output();
  const auto found = calls_.find(call);
  return found == calls_.end() ? CallPhase::kUnknown : found->second.phase;
}

std::string LinphonePhone::closing_reason(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  read_output();
  const auto found = calls_.find(call);
  return found == calls_.end() ? "" : found->second.reason;
}

int LinphonePhone::calls() const {
  const std::lock_guard lock(mutex_);
  read_output();
  return static_cast<int>(
      std::ranges::count_if(calls_, [](const auto& entry) { return entry.second.phase != CallPhase::kClosed; }));
}

Sound LinphonePhone::heard(std::chrono::milliseconds window) const {
  const int rate = lower(options().codecs) == "opus" ? 48000 : 8000;
  return wav_tail(options().directory / "heard.wav", window, kRecordingStale, rate);
}

std::string LinphonePhone::log() const {
  return read_file(options().directory / "linphonec.log");
}

}  // namespace callpark::test
