#include "tests/support/rtp_party.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string_view>

namespace callpark::test {
namespace {

constexpr std::chrono::milliseconds kPacketTime{20};
constexpr size_t kPacketSamples = 160;
constexpr size_t kRate = 8000;
constexpr size_t kRtpHeader = 12;
constexpr int kTelephoneEvent = 101;
constexpr std::string_view kKeys = "0123456789*#ABCD";
constexpr int kEndPackets = 3;
// A party that has got no packet for so long hears nothing.
constexpr std::chrono::milliseconds kSilentAfter{100};

uint8_t byte_at(const std::string& bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]);
}

uint16_t read16(const std::string& bytes, size_t at) {
  return static_cast<uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

uint32_t read32(const std::string& bytes, size_t at) {
  return static_cast<uint32_t>(read16(bytes, at)) << 16 | read16(bytes, at + 2);
}

void append16(std::string& bytes, uint16_t value) {
  bytes.push_back(static_cast<char>(value >> 8));
  bytes.push_back(static_cast<char>(value & 0xff));
}

void append32(std::string& bytes, uint32_t value) {
  append16(bytes, static_cast<uint16_t>(value >> 16));
  append16(bytes, static_cast<uint16_t>(value & 0xffff));
}

}  // namespace

bool RtpReport::is_whole() const {
  return packets > 0 && lost == 0 && repeated == 0 && pauses == 0 && ssrcs.size() == 1;
}

std::string RtpReport::describe() const {
  char text[200];
  snprintf(text, sizeof text,
           "%d packets, %.1f a second, longest gap %.1f ms, %d lost, %d repeated, %d pauses, %zu SSRC from", packets,
           packets_per_second, gap_ms_max, lost, repeated, pauses, ssrcs.size());
  std::string result = text;
  for (const auto& source : sources) result += " " + source.text();
  return result;
}

RtpParty::RtpParty(std::string name, const std::string& address, int tone)
    : name_(std::move(name)),
      tone_(tone),
      socket_({address, 0}),
      second_of_tone_(make_tone(tone, kRate, 0, kRate)),
      telephone_event_(kTelephoneEvent) {
  std::random_device random;
  sequence_ = static_cast<uint16_t>(random());
  timestamp_ = random();
  ssrc_ = random();
  thread_ = std::thread([this] { run(); });
}

RtpParty::~RtpParty() {
  running_ = false;
  thread_.join();
}

void RtpParty::send_to(const Endpoint& remote) {
  const std::lock_guard lock(mutex_);
  remote_ = remote;
}

Endpoint RtpParty::remote() const {
  const std::lock_guard lock(mutex_);
  return remote_;
}

std::string RtpParty::sdp(const std::string& direction, int version) const {
  const Endpoint where = own();
  return "v=0\r\no=" + std::to_string(ssrc_) + " " + std::to_string(ssrc_) + " " + std::to_string(version) +
         " IN IP4 " + where.address + "\r\ns=-\r\nc=IN IP4 " + where.address + "\r\nt=0 0\r\nm=audio " +
         std::to_string(where.port) +
         " RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
         "a=fmtp:101 0-15\r\na=ptime:20\r\na=" +
         direction + "\r\n";
}

void RtpParty::run() {
  auto due = std::chrono::steady_clock::now();
  while (running_) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= due) {
      send_packet();
      due += kPacketTime;
      // After a stall the packets are not made up for: a phone would not either.
      if (now > due + 5 * kPacketTime) due = now;
      continue;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - now) + std::chrono::milliseconds(1);
    const auto asked = Clock::now();
    const auto datagram = socket_.receive(left);
    const std::lock_guard lock(mutex_);
    if (datagram) receive(*datagram);
    listened_until_ = datagram ? datagram->arrived : asked;
    has_listened_.notify_all();
  }
}

void RtpParty::send_packet() {
  const std::lock_guard lock(mutex_);
  const bool is_key = !presses_.empty() && telephone_event_;
  const int payload_type = is_key ? *telephone_event_ : payload_type_.load();
  const size_t first = timestamp_ % kRate;
  timestamp_ += kPacketSamples;
  ++sequence_;
  if (remote_.port == 0) return;
  bool is_marked = false;
  const std::string event = is_key ? next_event(is_marked) : "";
  std::string packet;
  packet.push_back(static_cast<char>(0x80));
  packet.push_back(static_cast<char>(payload_type | (is_marked ? 0x80 : 0)));
  append16(packet, sequence_);
  append32(packet, is_key ? press_timestamp_ : timestamp_);
  append32(packet, ssrc_);
  if (is_key) {
    socket_.send(packet + event, remote_);
    return;
  }
  for (size_t at = first; at < first + kPacketSamples; ++at) {
    const int16_t sample = second_of_tone_[at % kRate];
    packet.push_back(static_cast<char>(payload_type == 8 ? encode_pcma(sample) : encode_pcmu(sample)));
  }
  socket_.send(packet, remote_);
}

// RFC 4733 2.5.1: the duration grows from packet to packet, and the end is sent three times.
std::string RtpParty::next_event(bool& is_marked) {
  const auto [event, packets] = presses_.front();
  is_marked = sent_of_press_ == 0;
  if (is_marked) press_timestamp_ = timestamp_;
  const bool is_end = ++sent_of_press_ > packets;
  std::string payload{static_cast<char>(event), static_cast<char>(is_end ? 0x8a : 0x0a)};
  append16(payload, static_cast<uint16_t>(static_cast<size_t>(std::min(sent_of_press_, packets)) * kPacketSamples));
  if (sent_of_press_ == packets + kEndPackets) {
    presses_.pop_front();
    sent_of_press_ = 0;
    has_pressed_.notify_all();
  }
  return payload;
}

void RtpParty::set_telephone_event(std::optional<int> payload_type) {
  const std::lock_guard lock(mutex_);
  telephone_event_ = payload_type;
}

void RtpParty::press(const std::string& keys, std::chrono::milliseconds down) {
  std::unique_lock lock(mutex_);
  if (!telephone_event_) throw std::runtime_error(name_ + " may send no telephone-event");
  const int packets = static_cast<int>(down / kPacketTime);
  if (packets < 1 || down > std::chrono::seconds(8)) throw std::runtime_error("a key is pressed for 20 ms to 8 s");
  for (const char key : keys) {
    const auto event = kKeys.find(key);
    if (event == std::string_view::npos) throw std::runtime_error(std::string("there is no key ") + key);
    presses_.push_back({static_cast<uint8_t>(event), packets});
  }
  const auto lasts = static_cast<int>(presses_.size()) * (packets + kEndPackets) * kPacketTime;
  if (!has_pressed_.wait_for(lock, lasts + patient(kSoon), [this] { return presses_.empty(); })) {
    throw std::runtime_error(name_ + " has nowhere to send its keys");
  }
}

void RtpParty::receive(const Datagram& datagram) {
  const std::string& bytes = datagram.bytes;
  if (bytes.size() < kRtpHeader || byte_at(bytes, 0) >> 6 != 2) return;
  const int payload_type = byte_at(bytes, 1) & 0x7f;
  if (payload_type == kTelephoneEvent) return receive_event(bytes);
  const bool is_marked = byte_at(bytes, 1) >> 7 != 0;
  Arrival arrival{datagram.arrived, is_marked, read16(bytes, 2), read32(bytes, 8), datagram.from, {}};
  if (payload_type == 0 || payload_type == 8) {
    for (size_t at = kRtpHeader; at < bytes.size(); ++at) {
      arrival.samples.push_back(payload_type == 0 ? decode_pcmu(byte_at(bytes, at)) : decode_pcma(byte_at(bytes, at)));
    }
  }
  arrivals_.push_back(std::move(arrival));
}

void RtpParty::receive_event(const std::string& bytes) {
  // RFC 4733 2.5.1.2: all packets of one event carry the timestamp of its beginning.
  if (bytes.size() < kRtpHeader + 4) return;
  const uint32_t timestamp = read32(bytes, 4);
  const uint8_t event = byte_at(bytes, kRtpHeader);
  if (timestamp == last_event_timestamp_ || event > 15) return;
  last_event_timestamp_ = timestamp;
  digits_ += kKeys[event];
}

std::string RtpParty::digits() const {
  const std::lock_guard lock(mutex_);
  return digits_;
}

void RtpParty::forget_before(Clock::time_point then) {
  const std::lock_guard lock(mutex_);
  std::erase_if(arrivals_, [then](const Arrival& arrival) { return arrival.when < then; });
}

void RtpParty::catch_up(std::unique_lock<std::mutex>& lock, Clock::time_point now) const {
  has_listened_.wait_for(lock, patient(kSoon), [&] { return listened_until_ >= now; });
}

Sound RtpParty::heard(std::chrono::milliseconds window) const {
  const auto now = Clock::now();
  Sound sound;
  std::unique_lock lock(mutex_);
  catch_up(lock, now);
  if (arrivals_.empty() || now - arrivals_.back().when > kSilentAfter) return sound;
  auto first = arrivals_.end();
  while (first != arrivals_.begin() && now - std::prev(first)->when <= window) --first;
  for (; first != arrivals_.end(); ++first) {
    sound.samples.insert(sound.samples.end(), first->samples.begin(), first->samples.end());
  }
  return sound;
}

Sound RtpParty::last_heard(std::chrono::milliseconds duration, Clock::time_point since) const {
  const auto now = Clock::now();
  Sound sound;
  std::unique_lock lock(mutex_);
  catch_up(lock, now);
  const size_t wanted = static_cast<size_t>(duration.count()) * kRate / 1000;
  size_t samples = 0;
  auto first = arrivals_.end();
  while (first != arrivals_.begin() && std::prev(first)->when >= since && samples < wanted) {
    samples += (--first)->samples.size();
  }
  for (; first != arrivals_.end(); ++first) {
    sound.samples.insert(sound.samples.end(), first->samples.begin(), first->samples.end());
  }
  return sound;
}

RtpReport RtpParty::report(Clock::time_point since) const {
  const auto now = Clock::now();
  RtpReport report;
  std::unique_lock lock(mutex_);
  catch_up(lock, now);
  const Arrival* last = nullptr;
  const auto gap = [&report](Clock::duration duration) {
    report.gap_ms_max = std::max(report.gap_ms_max, std::chrono::duration<double, std::milli>(duration).count());
  };
  for (const auto& arrival : arrivals_) {
    if (arrival.when < since) continue;
    ++report.packets;
    report.sources.insert(arrival.from);
    if (std::ranges::find(report.ssrcs, arrival.ssrc) == report.ssrcs.end()) report.ssrcs.push_back(arrival.ssrc);
    gap(arrival.when - (last == nullptr ? since : last->when));
    if (last != nullptr && last->ssrc == arrival.ssrc) {
      const auto step = static_cast<int16_t>(static_cast<uint16_t>(arrival.sequence - last->sequence));
      if (step > 1) report.lost += step - 1;
      if (step <= 0) ++report.repeated;
      if (arrival.is_marked) ++report.pauses;
    }
    last = &arrival;
  }
  gap(now - (last == nullptr ? since : last->when));
  const double seconds = std::chrono::duration<double>(now - since).count();
  report.packets_per_second = seconds > 0 ? report.packets / seconds : 0;
  return report;
}

}  // namespace callpark::test
