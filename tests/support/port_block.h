// Ports and addresses that no other process uses: claimed by a name that the kernel releases when the process
// ends, and tried by bind. So any number of test programs can run side by side.
#pragma once

#include <cstdint>
#include <string>

namespace callpark::test {

/// A base port N with a window of consecutive ports for a site, and a range of RTP ports beside it.
class PortBlock {
 public:
  static constexpr uint16_t kWindow = 20;
  static constexpr uint16_t kRtpPorts = 400;

  /// Throws std::runtime_error when all blocks are in use.
  PortBlock();
  PortBlock(const PortBlock&) = delete;
  PortBlock& operator=(const PortBlock&) = delete;
  ~PortBlock();

  /// N; N .. N+kWindow-1 are ours on every loopback address.
  [[nodiscard]] uint16_t base() const { return base_; }
  /// Even; rtp_first() .. rtp_last() are ours.
  [[nodiscard]] uint16_t rtp_first() const { return rtp_first_; }
  [[nodiscard]] uint16_t rtp_last() const { return static_cast<uint16_t>(rtp_first_ + kRtpPorts - 1); }

 private:
  int lock_ = -1;
  uint16_t base_ = 0;
  uint16_t rtp_first_ = 0;
};

/// An address of 127.0.0.0/8 that no other running test uses: for one phone, which then has all ports for itself.
class LoopbackAddress {
 public:
  LoopbackAddress();
  LoopbackAddress(LoopbackAddress&& other) noexcept;
  LoopbackAddress& operator=(LoopbackAddress&& other) noexcept;
  LoopbackAddress(const LoopbackAddress&) = delete;
  LoopbackAddress& operator=(const LoopbackAddress&) = delete;
  ~LoopbackAddress();

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  int lock_ = -1;
  std::string text_;
};

}  // namespace callpark::test
