#include "mediad/engine/digit_receiver.h"

#include <algorithm>
#include <string_view>

namespace callpark::media {
namespace {

// RFC 4733 section 3.2: events 0 to 15 in this order.
constexpr std::string_view kKeys = "0123456789*#ABCD";
constexpr std::uint32_t kSegmentMax = 0xFFFF;

}  // namespace

DigitReceiver::Digit DigitReceiver::report() {
  pressed_->report = Report::kDone;
  const auto units = static_cast<std::int64_t>(pressed_->earlier_segments) + pressed_->duration;
  return {kKeys[pressed_->event], static_cast<int>(units * 1000 / clock_hz_)};
}

std::optional<DigitReceiver::Digit> DigitReceiver::on_packet(std::uint32_t timestamp,
                                                             std::span<const std::uint8_t> payload, MonotonicTime now) {
  if (payload.size() < 4 || payload[0] >= kKeys.size()) return std::nullopt;
  const std::uint8_t event = payload[0];
  const bool end = (payload[1] & 0x80) != 0;
  const auto duration = static_cast<std::uint16_t>(payload[2] << 8 | payload[3]);

  std::optional<Digit> before;
  const bool known = pressed_ && pressed_->segment_timestamp == timestamp && pressed_->event == event;
  const bool next_segment =
      pressed_ && pressed_->event == event && timestamp == pressed_->segment_timestamp + kSegmentMax;
  // A late packet of an ended event is dropped: its successor's timestamp is greater.
  if (pressed_ && !known && static_cast<std::int32_t>(timestamp - pressed_->segment_timestamp) < 0) return std::nullopt;
  if (next_segment) {
    pressed_->segment_timestamp = timestamp;
    pressed_->earlier_segments += kSegmentMax;
    pressed_->duration = duration;
  } else if (!known) {
    if (is_pressed()) before = report();
    pressed_ = Pressed{event, timestamp, 0, duration, now, now, Report::kOwed};
  }
  pressed_->duration = std::max(pressed_->duration, duration);
  pressed_->last = now;
  // Both keys are complete: the older one is returned now, and on_time() returns the other.
  if (before) return before;
  if (end && is_pressed()) return report();
  return on_time(now);
}

std::optional<DigitReceiver::Digit> DigitReceiver::on_time(MonotonicTime now) {
  if (!is_pressed()) return std::nullopt;
  if (now - pressed_->last < kSilence && now - pressed_->first < kHeldMax) return std::nullopt;
  return report();
}

}  // namespace callpark::media
