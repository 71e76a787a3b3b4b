// Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3). Pure: bytes in, messages out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callpark::sip {

/// After any of these the stream cannot be read on: the beginning of the next message is unknown.
enum class FramingError : std::uint8_t {
  kTooLong,
  kNoContentLength,
  kBadContentLength,
};

/// Returns a sentence for people, without a full stop. Static text.
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
      kError,    // `error` is the reason; `bytes` is the head of the message if complete, and may get an answer
    };
    Kind kind = Kind::kMore;
    std::string_view bytes;
    std::optional<FramingError> error;
  };

  /// After each push, call next() until kMore, so that no more than one message and one push are ever kept.
  void push(std::string_view bytes);
  /// Returns the next item of the stream; `bytes` is valid until the next call of any function.
  Frame next();

  /// True if a message has begun and has not ended.
  bool is_inside_message() const noexcept { return begin_ < buffer_.size(); }

 private:
  Frame skip_empty_lines();
  Frame measure();
  Frame fail(FramingError error, std::size_t head_bytes);

  std::string buffer_;
  std::size_t begin_ = 0;    // of the incomplete message
  std::size_t scanned_ = 0;  // no end of headers up to here
  std::size_t length_ = 0;   // of the whole message, 0 while its headers are incomplete
  unsigned empty_lines_ = 0;
  std::optional<Frame> failed_;
};

}  // namespace callpark::sip
