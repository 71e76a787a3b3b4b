#include "parkd/call/key_merger.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace callpark {
namespace {

// A report may be so much later than that of another way: a long press is reported by mediad after 2 s, and an INFO
// that is lost comes again after 0.5 s, 1.5 s and 3.5 s.
constexpr std::chrono::milliseconds kLateMax{4000};

}  // namespace

KeyMerger::~KeyMerger() {
  OPENSSL_cleanse(presses_.data(), sizeof presses_);
}

bool KeyMerger::is_press(const KeyReport& report) {
  const auto place = static_cast<std::size_t>(report.way);
  Way& way = ways_[place];
  if (report.number != 0) {
    if (report.number <= way.number) return false;
    way.number = report.number;
  }
  const std::uint64_t oldest = count_ > kPressesMax ? count_ - kPressesMax : 0;
  for (std::uint64_t number = std::max(way.next, oldest); number < count_; ++number) {
    Press& earlier = press(number);
    if (earlier.key != report.key || earlier.is_reported[place] || report.at - earlier.at > kLateMax) continue;
    earlier.is_reported[place] = true;
    way.next = number + 1;
    return false;
  }
  Press& pressed = press(count_++);
  pressed = Press{report.key, report.at, {}};
  pressed.is_reported[place] = true;
  return true;
}

}  // namespace callpark
