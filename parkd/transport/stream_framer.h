// Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3). Pure: bytes in, messages out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callpark::sip {

/// After any of these the stream cannot be read on: nobody knows where the next message begins.
enum class FramingError : std::uint8_t {
  kTooLong,
  kNoContentLength,
  kBadContentLength,
};

/// A sentence for people, without a full stop. Static text.
std::string_view sentence(FramingError error) noexcept;

class StreamFramer {
 public:
  /// Start line, headers and body of one message together.
  static constexpr std::size_t kMessageBytesMax = 65535;

  struct Frame {
    enum class Kind : std::uint8_t {
      kMore,     // nothing whole is there yet
      kMessage,  // `bytes` is a message
      kPing,     // two empty lines between messages: RFC 5626 4.4.1 wants one back
      kError,    // `error` says why; `bytes` is the head of the message when it is whole, and may get an answer
    };
    Kind kind = Kind::kMore;
    std::string_view bytes;
    std::optional<FramingError> error;
  };

  /// Call next() until kMore after each push, so that no more than one message and one push are ever kept.
  void push(std::string_view bytes);
  /// The next thing in the stream; `bytes` lives until the next call of anything.
  Frame next();

  /// True when a message has begun and has not ended.
  bool is_inside_message() const noexcept { return begin_ < buffer_.size(); }

 private:
  Frame skip_empty_lines();
  Frame measure();
  Frame fail(FramingError error, std::size_t head_bytes);

  std::string buffer_;
  std::size_t begin_ = 0;    // of the message that is being gathered
  std::size_t scanned_ = 0;  // up to here there is no end of headers
  std::size_t length_ = 0;   // of the whole message, 0 while its headers are not there
  unsigned empty_lines_ = 0;
  std::optional<Frame> failed_;
};

}  // namespace callpark::sip
