#include "mediad/engine/digit_receiver.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace callpark::media {
namespace {

// RFC 4733 section 3.2: events 0 to 15 in this order.
constexpr std::string_view kKeys = "0123456789*#ABCD";
constexpr std::uint32_t kSegmentMax = 0xFFFF;
// Some senders end a segment a few packets before its largest duration.
constexpr std::uint32_t kSegmentNearlyFull = 0xE000;
constexpr std::size_t kKeysMax = 8;
// The end packets of a key are sent three times, with one duration.
constexpr Duration kRestampedEndsMax{60};

// How far `a` is after `b`, of counters that wrap around.
std::int32_t steps(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}
std::int16_t steps(std::uint16_t a, std::uint16_t b) {
  return static_cast<std::int16_t>(a - b);
}

}  // namespace

std::optional<DigitReceiver::Event> DigitReceiver::read(std::span<const std::uint8_t> payload) {
  if (payload.size() < 4 || payload[0] >= kKeys.size()) return std::nullopt;
  return Event{payload[0], (payload[1] & 0x80) != 0, static_cast<std::uint16_t>(payload[2] << 8 | payload[3])};
}

DigitReceiver::Digit DigitReceiver::report(Key& key) const {
  key.report = Report::kDone;
  return {kKeys[key.code], static_cast<int>((key.earlier_segments + key.duration) * 1000 / clock_hz_)};
}

DigitReceiver::Key DigitReceiver::begun(const RtpPacket& packet, const Event& event, MonotonicTime now) {
  return {.code = event.code,
          .ssrc = packet.ssrc,
          .sequence = packet.sequence,
          .first_sequence = packet.sequence,
          .begin = packet.timestamp,
          .segment = packet.timestamp,
          .end = packet.timestamp + event.duration,
          .latest = packet.timestamp,
          .earlier_segments = 0,
          .duration = event.duration,
          .is_released = event.is_end,
          .first = now,
          .last = now,
          .report = Report::kOwed};
}

bool DigitReceiver::is_overtaken(const RtpPacket& packet, MonotonicTime now) const {
  if (!newest_ || newest_->ssrc != packet.ssrc || now - newest_->at > kOvertakenMax) return false;
  const int step = steps(packet.sequence, newest_->sequence);
  return step <= 0 && step >= -kOvertakenPacketsMax;
}

// RFC 4733 section 2.5.1.3: the next segment begins where the last one has reached the largest duration.
bool DigitReceiver::is_next_segment(const Key& key, const RtpPacket& packet) {
  const std::uint32_t step = packet.timestamp - key.segment;
  if (key.is_released || step > kSegmentMax) return false;
  return step == kSegmentMax || (step >= kSegmentNearlyFull && key.duration >= kSegmentNearlyFull);
}

// All packets of an event have the timestamp of its beginning, but some gateways give each packet its own.
bool DigitReceiver::is_restamped(const Key& key, const RtpPacket& packet, const Event& event) const {
  // A key that is down cannot be pressed, so what begins before its end is the same press.
  if (steps(packet.timestamp, key.end) <= 0 && steps(packet.timestamp + event.duration, key.begin) >= 0) return true;
  // Where packets between are lost: timestamp and duration have grown alike.
  const std::int64_t lag = std::int64_t{steps(packet.timestamp, key.latest)} - (event.duration - key.duration);
  return !key.is_released && event.duration != key.duration &&
         std::abs(lag) <= std::int64_t{clock_hz_} * kRestampedEndsMax.count() / 1000;
}

bool DigitReceiver::is_same_press(const Key& key, const RtpPacket& packet, const Event& event) const {
  if (key.code != event.code || key.ssrc != packet.ssrc) return false;
  if (key.is_released && !event.is_end && steps(packet.sequence, key.sequence) > 0) {
    // Down after the release: another press, unless a segment goes on (some senders end each) or a copy came late.
    if (packet.marker) return false;
    if (packet.timestamp != key.segment && packet.timestamp != key.end) return false;
  }
  return packet.timestamp == key.segment || is_next_segment(key, packet) || is_restamped(key, packet, event);
}

DigitReceiver::Key* DigitReceiver::find(const RtpPacket& packet, const Event& event) {
  Key* found = nullptr;
  for (auto key = keys_.rbegin(); key != keys_.rend(); ++key) {
    if (!is_same_press(*key, packet, event)) continue;
    found = &*key;
    // What was sent before all that is known of a key may belong to the one before.
    if (steps(packet.sequence, key->first_sequence) >= 0) break;
  }
  return found;
}

void DigitReceiver::extend(Key& key, const RtpPacket& packet, const Event& event, MonotonicTime now) {
  key.last = now;
  key.is_released = key.is_released || event.is_end;
  if (steps(packet.sequence, key.sequence) > 0) key.sequence = packet.sequence;
  if (steps(packet.timestamp, key.segment) < 0) return;  // a segment that has been counted
  const bool begins_at_the_end = packet.timestamp == key.end && event.duration < key.duration;
  if (packet.timestamp != key.segment && (begins_at_the_end || is_next_segment(key, packet))) {
    key.earlier_segments += packet.timestamp - key.segment;
    key.segment = packet.timestamp;
    key.duration = 0;
  }
  if (event.duration >= key.duration) {
    key.duration = event.duration;
    key.latest = packet.timestamp;
  }
  const std::uint32_t end = packet.timestamp + event.duration;
  if (steps(end, key.end) > 0) key.end = end;
}

void DigitReceiver::remember(const std::deque<Key>::const_iterator& before, Key key) {
  keys_.insert(before, key);
  if (keys_.size() > kKeysMax) keys_.pop_front();
}

// All packets of this key that came in time were lost. It is reported while the next one is not: a key that is missing
// is better than two in the wrong sequence.
std::vector<DigitReceiver::Digit> DigitReceiver::on_overtaken_key(const RtpPacket& packet, const Event& event,
                                                                  MonotonicTime now) {
  if (!is_pressed() || steps(packet.sequence, keys_.back().first_sequence) >= 0) return {};
  if (keys_.size() >= 2) {
    const Key& before = keys_[keys_.size() - 2];
    if (before.ssrc == packet.ssrc && steps(packet.sequence, before.sequence) <= 0) return {};
  }
  Key key = begun(packet, event, now);
  const Digit digit = report(key);
  remember(std::prev(keys_.end()), key);
  return {digit};
}

std::vector<DigitReceiver::Digit> DigitReceiver::on_packet(const RtpPacket& packet, MonotonicTime now) {
  const auto event = read(packet.payload);
  if (!event) return {};
  const bool is_overtaken = this->is_overtaken(packet, now);
  if (!is_overtaken) newest_ = Newest{packet.ssrc, packet.sequence, now};

  std::vector<Digit> digits;
  if (Key* known = find(packet, *event)) {
    extend(*known, packet, *event, now);
  } else if (is_overtaken) {
    return on_overtaken_key(packet, *event, now);
  } else {
    if (is_pressed()) digits.push_back(report(keys_.back()));
    remember(keys_.end(), begun(packet, *event, now));
  }
  if (is_pressed() && keys_.back().is_released) {
    digits.push_back(report(keys_.back()));
  } else if (const auto held = on_time(now)) {
    digits.push_back(*held);
  }
  return digits;
}

std::optional<DigitReceiver::Digit> DigitReceiver::on_time(MonotonicTime now) {
  if (!is_pressed()) return std::nullopt;
  Key& key = keys_.back();
  if (now - key.last < kSilence && now - key.first < kHeldMax) return std::nullopt;
  return report(key);
}

}  // namespace callpark::media
