#include "parkd/transport/stream_framer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace callpark::sip {
namespace {

constexpr std::string_view kEndOfHeaders = "\r\n\r\n";
constexpr std::string_view kBlank = " \t";

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

std::string_view trim(std::string_view text) {
  // A folded value may be on the next line (RFC 3261 7.3.1), so line ends count as space here.
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Removes one header with its folded lines from `head`.
std::string_view take_header(std::string_view& head) {
  std::size_t end = 0;
  do {
    end = head.find("\r\n", end);
    if (end == std::string_view::npos) {
      const auto last = head;
      head = {};
      return last;
    }
    end += 2;
  } while (end < head.size() && kBlank.find(head[end]) != std::string_view::npos);
  const auto header = head.substr(0, end);
  head.remove_prefix(end);
  return header;
}

struct ContentLength {
  std::optional<FramingError> error;
  std::size_t value = 0;
};

ContentLength find_content_length(std::string_view head) {
  std::optional<std::size_t> found;
  take_header(head);  // the start line
  while (!head.empty()) {
    const auto header = take_header(head);
    const auto colon = header.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = trim(header.substr(0, colon));
    if (!equal_ignoring_case(name, "Content-Length") && !equal_ignoring_case(name, "l")) continue;
    const auto text = trim(header.substr(colon + 1));
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) return {FramingError::kTooLong};
    if (error != std::errc() || end != text.data() + text.size()) return {FramingError::kBadContentLength};
    // Two different lengths are a way to smuggle a request past a peer that uses the other one.
    if (found && *found != value) return {FramingError::kBadContentLength};
    found = value;
  }
  if (!found) return {FramingError::kNoContentLength};
  return {std::nullopt, *found};
}

}  // namespace

std::string_view sentence(FramingError error) noexcept {
  switch (error) {
    case FramingError::kTooLong:
      return "Message too long";
    case FramingError::kNoContentLength:
      return "Content-Length is missing in a stream";
    case FramingError::kBadContentLength:
      return "Bad Content-Length";
  }
  return "";
}

void StreamFramer::push(std::string_view bytes) {
  if (!failed_) buffer_.append(bytes);
}

StreamFramer::Frame StreamFramer::next() {
  if (failed_) return *failed_;
  if (length_ == 0) {
    const Frame ping = skip_empty_lines();
    if (ping.kind == Frame::Kind::kPing) return ping;
    const Frame measured = measure();
    if (measured.kind == Frame::Kind::kError) return measured;
  }
  if (length_ == 0 || buffer_.size() - begin_ < length_) return {};
  const Frame message{Frame::Kind::kMessage, std::string_view(buffer_).substr(begin_, length_), std::nullopt};
  begin_ += length_;
  scanned_ = begin_;
  length_ = 0;
  return message;
}

// RFC 3261 7.5: empty lines before the start line are ignored; RFC 5626 3.5.1 makes two of them a ping.
StreamFramer::Frame StreamFramer::skip_empty_lines() {
  const std::string_view bytes(buffer_);
  bool ping = false;
  while (!ping && bytes.substr(begin_, 2) == "\r\n") {
    begin_ += 2;
    ping = ++empty_lines_ % 2 == 0;
  }
  if (!ping && begin_ < bytes.size() && bytes.substr(begin_) != "\r") empty_lines_ = 0;
  scanned_ = std::max(begin_, scanned_);
  // Frames returned before are no longer used; the rest is moved down if that is cheap.
  if (begin_ == buffer_.size() || begin_ > kMessageBytesMax) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  return ping ? Frame{Frame::Kind::kPing, {}, std::nullopt} : Frame{};
}

StreamFramer::Frame StreamFramer::measure() {
  const std::string_view bytes(buffer_);
  const auto end = bytes.find(kEndOfHeaders, scanned_);
  if (end == std::string_view::npos) {
    if (bytes.size() - begin_ > kMessageBytesMax) return fail(FramingError::kTooLong, 0);
    // The end of the headers may be incomplete in the buffer.
    const auto tail = std::min(bytes.size() - begin_, kEndOfHeaders.size() - 1);
    scanned_ = bytes.size() - tail;
    return {};
  }
  const auto head_bytes = end + kEndOfHeaders.size() - begin_;
  if (head_bytes > kMessageBytesMax) return fail(FramingError::kTooLong, 0);
  const auto content_length = find_content_length(bytes.substr(begin_, head_bytes));
  if (content_length.error) return fail(*content_length.error, head_bytes);
  if (content_length.value > kMessageBytesMax - head_bytes) return fail(FramingError::kTooLong, head_bytes);
  length_ = head_bytes + content_length.value;
  return {};
}

StreamFramer::Frame StreamFramer::fail(FramingError error, std::size_t head_bytes) {
  failed_ = Frame{Frame::Kind::kError, std::string_view(buffer_).substr(begin_, head_bytes), error};
  return *failed_;
}

}  // namespace callpark::sip
