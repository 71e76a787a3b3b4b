// One key press of a key that a phone sends more than one way: as RFC 4733 events, which mediad reports when the key is
// released, and as SIP INFO, which phones send when it is pressed or released. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace callpark {

enum class KeyWay { kRtp, kDtmfRelay, kDtmf };

struct KeyReport {
  KeyWay way = KeyWay::kRtp;
  char key = '0';
  std::chrono::milliseconds at{0};  // of the report, on any clock that does not go back
  /// Of an INFO its CSeq, by which a repetition is known. 0 if a way has no numbers.
  std::uint32_t number = 0;
};

/// Each way reports the presses in their order and may leave some out. A report is of a press that only other ways have
/// reported if the key is the same, and none of the presses after it was recognized in a report of this way; otherwise
/// it is a new press.
class KeyMerger {
 public:
  KeyMerger() = default;
  KeyMerger(const KeyMerger&) = default;
  KeyMerger& operator=(const KeyMerger&) = default;
  ~KeyMerger();

  /// True if the report is the first of its press.
  bool is_press(const KeyReport& report);

 private:
  static constexpr std::size_t kWays = 3;
  static constexpr std::size_t kPressesMax = 32;

  struct Press {
    char key = 0;
    std::chrono::milliseconds at{0};
    std::array<bool, kWays> is_reported{};  // by each way
  };
  struct Way {
    std::uint64_t next = 0;    // no press before this one is meant by what comes this way
    std::uint32_t number = 0;  // of the last report
  };

  Press& press(std::uint64_t number) { return presses_[number % kPressesMax]; }

  std::array<Press, kPressesMax> presses_{};
  std::array<Way, kWays> ways_{};
  std::uint64_t count_ = 0;
};

}  // namespace callpark
