#include "tests/support/baresip_phone.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace callpark::test {
namespace {

constexpr uint16_t kControlPort = 4444;
constexpr int kToneSeconds = 240;

// The phone's player writes every 20 ms; what has not grown for this long is closed.
constexpr std::chrono::milliseconds kRecordingStale{120};

sockaddr_in socket_address(const std::string& address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

}  // namespace

BaresipPhone::BaresipPhone(PhoneOptions phone_options) : Phone(std::move(phone_options)) {
  write_configuration();
  process_ = Subprocess({.command = {"baresip", "-4", "-s", "-f", options().directory.string()},
                         .output = options().directory / "baresip.log",
                         .environment = {"TZ=UTC", "HOME=" + options().directory.string()}});
  connect_control();
  reader_ = std::thread([this] { read_control(); });
}

BaresipPhone::~BaresipPhone() {
  process_.terminate();
  shutdown(control_, SHUT_RDWR);
  reader_.join();
  close(control_);
}

void BaresipPhone::write_configuration() {
  const auto& wanted = options();
  const auto tone_file = wanted.directory / "tone.pcm.wav";
  const auto recordings = wanted.directory / "heard";
  std::filesystem::create_directory(recordings);
  write_tone_wav(tone_file, wanted.tone, 8000, kToneSeconds);
  const std::string rtp_ports = std::to_string(wanted.rtp_first) + "-" + std::to_string(wanted.rtp_last);
  const std::vector<std::string> config = {
      "poll_method epoll",
      "sip_listen " + wanted.address + ":" + std::to_string(wanted.sip_port),
      "net_interface " + wanted.address,
      "rtp_ports " + rtp_ports,
      "call_max_calls 10",
      "jitter_buffer_delay 0-0",
      "audio_source aufile," + tone_file.string(),
      "ausrc_srate 8000",
      "ausrc_channels 1",
      "audio_player ear," + recordings.string(),
      "auplay_srate 8000",
      "auplay_channels 1",
      "audio_path " + wanted.directory.string(),
      "ctrl_tcp_listen " + wanted.address + ":" + std::to_string(kControlPort),
      "module_path /usr/lib/baresip/modules",
      "module g711.so",
      "module g722.so",
      "module opus.so",
      "module aufile.so",
      // A module is always looked for beside baresip's own.
      "module ../../../.." + (program_directory() / "baresip_ear.so").string(),
      "module_tmp account.so",
      "module_app ctrl_tcp.so",
      "module_app menu.so",
  };
  write_file(wanted.directory / "config", joined_lines(config));

  const std::string name = wanted.display_name.empty() ? "" : "\"" + wanted.display_name + "\" ";
  const std::string registrar = wanted.registrar_address + ":" + std::to_string(wanted.registrar_port);
  std::string account = name + "<sip:" + wanted.user + "@" + wanted.domain + ";transport=" + wanted.transport +
                        ">;auth_pass=" + wanted.password + ";outbound=\"sip:" + registrar +
                        ";transport=" + wanted.transport + "\";mwi=no;regint=" + (wanted.registers ? "120" : "0");
  account += std::string(";answermode=") + (wanted.auto_answer ? "auto" : "manual");
  if (!wanted.codecs.empty()) account += ";audio_codecs=" + wanted.codecs;
  write_file(wanted.directory / "accounts", account + "\n");
  write_file(wanted.directory / "contacts", "");
}

void BaresipPhone::connect_control() {
  const auto address = socket_address(options().address, kControlPort);
  require_until(
      kSoon,
      [&] {
        if (!process_.running()) throw std::runtime_error("baresip ended: " + log());
        control_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(control_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
        close(control_);
        return false;
      },
      "the control port of baresip " + name());
}

// A netstring is "<length>:<bytes>,".
void BaresipPhone::read_control() {
  std::string buffer;
  char chunk[4096];
  for (;;) {
    const ssize_t got = recv(control_, chunk, sizeof chunk, 0);
    if (got <= 0) return;
    buffer.append(chunk, static_cast<size_t>(got));
    for (;;) {
      const auto colon = buffer.find(':');
      if (colon == std::string::npos) break;
      const size_t length = std::stoul(buffer.substr(0, colon));
      if (buffer.size() < colon + 1 + length + 1) break;
      receive(buffer.substr(colon + 1, length));
      buffer.erase(0, colon + 1 + length + 1);
    }
  }
}

void BaresipPhone::advance(Call& call, CallPhase phase) {
  if (phase > call.phase) call.phase = phase;
}

void BaresipPhone::receive(const std::string& json) {
  const auto message = nlohmann::json::parse(json, nullptr, false);
  if (!message.is_object()) return;
  const std::lock_guard lock(mutex_);
  if (message.value("response", false)) {
    answers_[text_of(message, "token")] = {message.value("ok", false), text_of(message, "data")};
    changed_.notify_all();
    return;
  }
  const std::string type = text_of(message, "type");
  const std::string parameter = text_of(message, "param");
  const std::string id = text_of(message, "id");
  if (!id.empty()) {
    const auto [entry, is_new] = calls_.try_emplace(id);
    Call& call = entry->second;
    if (is_new) order_.push_back(id);
    call.outgoing = text_of(message, "direction") == "outgoing";
    call.peer = text_of(message, "peerdisplayname") + " " + text_of(message, "peeruri");
    if (call.outgoing) advance(call, CallPhase::kDialling);
    if (type == "CALL_INCOMING") advance(call, CallPhase::kIncoming);
    if (type == "CALL_RINGING") advance(call, CallPhase::kRinging);
    if (type == "CALL_PROGRESS") advance(call, CallPhase::kProgress);
    if (type == "CALL_ESTABLISHED") advance(call, CallPhase::kEstablished);
    if (type == "CALL_CLOSED") {
      advance(call, CallPhase::kClosed);
      call.reason = parameter;
    }
    if (type == "TRANSFER_FAILED") {
      // baresip hangs the call up then, and reports no more about it.
      advance(call, CallPhase::kClosed);
      call.transfer_failure = parameter;
    }
  }
  changed_.notify_all();
}

BaresipPhone::Answer BaresipPhone::ask(const std::string& name, const std::string& parameters) {
  std::unique_lock lock(mutex_);
  const std::string token = std::to_string(next_token_++);
  nlohmann::json request{{"command", name}, {"token", token}};
  if (!parameters.empty()) request["params"] = parameters;
  const std::string text = request.dump();
  const std::string netstring = std::to_string(text.size()) + ":" + text + ",";
  if (send(control_, netstring.data(), netstring.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(netstring.size())) {
    throw std::runtime_error("baresip " + this->name() + " is gone");
  }
  if (!changed_.wait_for(lock, patient(kSoon), [&] { return answers_.contains(token); })) {
    throw std::runtime_error("baresip " + this->name() + " does not answer to " + name);
  }
  const Answer answer = answers_[token];
  answers_.erase(token);
  return answer;
}

std::string BaresipPhone::command(const std::string& name, const std::string& parameters) {
  const Answer answer = ask(name, parameters);
  if (!answer.ok) throw std::runtime_error("baresip " + this->name() + ": " + name + ": " + answer.text);
  return answer.text;
}

// Asked for, since the event may have come before we were connected.
void BaresipPhone::wait_registered(std::chrono::milliseconds timeout) {
  std::string status;
  const bool registered = wait_until(timeout, [&] {
    status = command("reginfo");
    return status.find("OK ") != std::string::npos;
  });
  if (!registered) throw std::runtime_error("baresip " + name() + " is not registered: " + status);
}

CallName BaresipPhone::hand_out(bool outgoing, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  CallName found;
  changed_.wait_for(lock, patient(timeout), [&] {
    for (const auto& id : order_) {
      Call& call = calls_[id];
      if (call.outgoing != outgoing || call.handed_out || call.phase == CallPhase::kUnknown) continue;
      call.handed_out = true;
      found = id;
      return true;
    }
    return false;
  });
  if (found.empty()) {
    throw std::runtime_error("baresip " + name() + (outgoing ? " did not dial" : " got no call"));
  }
  return found;
}

CallName BaresipPhone::dial(const std::string& target) {
  command("dial", target);
  return hand_out(true, kSoon);
}

CallName BaresipPhone::wait_incoming(std::chrono::milliseconds timeout) {
  return hand_out(false, timeout);
}

// False if the call has ended. baresip 1.0.0 reports that in words only; 1.1.0 has no such command without a call.
bool BaresipPhone::select(const CallName& call) {
  const Answer answer = ask("callfind", call);
  return answer.ok && answer.text.find("not found") == std::string::npos;
}

void BaresipPhone::command_in(const CallName& call, const std::string& name, const std::string& parameters) {
  if (!select(call)) throw std::runtime_error("baresip " + this->name() + ": " + name + ": no call " + call);
  command(name, parameters);
}

void BaresipPhone::answer(const CallName& call) {
  command_in(call, "accept");
}

void BaresipPhone::hang_up(const CallName& call) {
  if (select(call)) command("hangup");
}

void BaresipPhone::hold(const CallName& call) {
  command_in(call, "hold");
}

void BaresipPhone::resume(const CallName& call) {
  // baresip 1.1.0 resumes the call and answers "Invalid argument" if the phone has no other call to hold then.
  if (select(call)) ask("resume", "");
}

void BaresipPhone::transfer(const CallName& call, const std::string& target) {
  // baresip makes "sip:TARGET@DOMAIN" of a bare number.
  command_in(call, "transfer", target);
}

// baresip has no attended transfer of its own before 2.0; it puts the value into Refer-To that a person with two calls
// on a better phone would cause.
void BaresipPhone::transfer_to(const CallName& call, const CallName& consultation) {
  const Tags consulted = tags(consultation);
  const std::string peer_uri = [&] {
    const std::lock_guard lock(mutex_);
    const std::string& text = calls_.at(consultation).peer;
    return text.substr(text.find("sip:"));
  }();
  const std::string uri = peer_uri.substr(0, peer_uri.find(';'));
  command_in(call, "transfer",
             "<" + uri + "?Replaces=" + consultation + "%3Bto-tag%3D" + consulted.remote + "%3Bfrom-tag%3D" +
                 consulted.local + ">");
}

void BaresipPhone::send_digits(const CallName& call, const std::string& digits) {
  command_in(call, "sndcode", digits);
}

CallPhase BaresipPhone::phase(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? CallPhase::kUnknown : found->second.phase;
}

std::string BaresipPhone::closing_reason(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? "" : found->second.reason;
}

int BaresipPhone::calls() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(
      std::ranges::count_if(calls_, [](const auto& entry) { return entry.second.phase != CallPhase::kClosed; }));
}

std::string BaresipPhone::peer(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? "" : found->second.peer;
}

std::string BaresipPhone::transfer_failure(const CallName& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? "" : found->second.transfer_failure;
}

Sound BaresipPhone::heard(std::chrono::milliseconds window) const {
  Sound loudest;
  for (const auto& entry : std::filesystem::directory_iterator(options().directory / "heard")) {
    Sound sound = wav_tail(entry.path(), window, kRecordingStale);
    if (sound.samples.size() > 0 && sound.level() >= loudest.level()) loudest = std::move(sound);
  }
  return loudest;
}

std::string BaresipPhone::log() const {
  return read_file(options().directory / "baresip.log");
}

// The first 2xx to an INVITE of the call answers the INVITE that began it, so its From is the caller.
BaresipPhone::Tags BaresipPhone::tags(const CallName& call) const {
  const std::string text = log();
  const auto header = [](const std::string& message, const std::string& header_name) -> std::string {
    const auto line = message.find("\n" + header_name + ": ");
    return line == std::string::npos ? "" : message.substr(line, message.find('\n', line + 1) - line);
  };
  const auto tag_of = [](const std::string& line) -> std::string {
    const auto tag = line.find(";tag=");
    return tag == std::string::npos ? "" : line.substr(tag + 5, line.find_first_of(";\r\n", tag + 5) - tag - 5);
  };
  const std::lock_guard lock(mutex_);
  const auto known = calls_.find(call);
  for (auto at = text.find("SIP/2.0 200"); at != std::string::npos; at = text.find("SIP/2.0 200", at + 1)) {
    const std::string message = text.substr(at, text.find("\r\n\r\n", at) - at);
    if (header(message, "Call-ID").find(call) == std::string::npos) continue;
    if (header(message, "CSeq").find("INVITE") == std::string::npos) continue;
    const std::string from = tag_of(header(message, "From"));
    const std::string to = tag_of(header(message, "To"));
    const bool outgoing = known != calls_.end() && known->second.outgoing;
    return outgoing ? Tags{from, to} : Tags{to, from};
  }
  throw std::runtime_error("baresip " + name() + " has no answered call " + call);
}

}  // namespace callpark::test
