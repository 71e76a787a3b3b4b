#include "parkd/message/sip_writer.h"

#include <array>
#include <charconv>
#include <cstring>

namespace callpark::sip {
namespace {

/// A number as text, without a string of its own.
class Digits {
 public:
  explicit Digits(std::size_t value) : end_(std::to_chars(text_.begin(), text_.end(), value).ptr) {}
  std::string_view view() const noexcept { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }

 private:
  std::array<char, 20> text_;
  char* end_;
};

/// Copies to memory of the size counted beforehand.
class Pen {
 public:
  explicit Pen(char* at) noexcept : at_(at) {}
  Pen& operator<<(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }

 private:
  char* at_;
};

constexpr std::string_view kVersion = "SIP/2.0";
constexpr std::string_view kContentLength = "Content-Length: ";
constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

void write(const SipMessage& message, std::string& out) {
  const Digits status(static_cast<std::size_t>(message.status_));
  const Digits length(message.body_.length);
  const auto [first, second, third] = message.is_request()
                                          ? std::array{message.method(), message.request_uri_text(), kVersion}
                                          : std::array{kVersion, status.view(), message.reason()};

  std::size_t size = first.size() + second.size() + third.size() + 2 + 3 * kLineEnd.size() + kContentLength.size() +
                     length.view().size() + message.body_.length;
  for (const auto& field : message.fields_) size += field.text.length + field.value.length + 4;

  const std::size_t before = out.size();
  out.resize(before + size);
  Pen pen(out.data() + before);
  pen << first << " " << second << " " << third << kLineEnd;
  for (const auto& field : message.fields_) {
    pen << message.view(field.text) << ": " << message.view(field.value) << kLineEnd;
  }
  pen << kContentLength << length.view() << kLineEnd << kLineEnd << message.body();
}

std::string write(const SipMessage& message) {
  std::string out;
  write(message, out);
  return out;
}

}  // namespace callpark::sip
