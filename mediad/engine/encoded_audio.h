// A sound in one codec, cut into the payloads of 20 ms packets. Made once, then shared by every session that plays it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace callpark::media {

class EncodedAudio {
 public:
  using Payload = std::span<const std::uint8_t>;

  void append(Payload payload) {
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  void append(const EncodedAudio& other) {
    for (std::size_t i = 0; i < other.packets(); ++i) append(other.payload(i));
  }
  std::size_t packets() const { return ends_.size(); }
  std::size_t bytes() const { return bytes_.size(); }
  /// `index` is below packets().
  Payload payload(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return {bytes_.data() + begin, ends_[index] - begin};
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint32_t> ends_;
};

/// Immutable once it is shared, so every thread may read it.
using SharedAudio = std::shared_ptr<const EncodedAudio>;

}  // namespace callpark::media
