#include "parkd/message/dtmf_info.h"

#include "parkd/message/characters.h"

namespace callpark::sip {
namespace {

constexpr bool is_blank(char c) {
  return is_space(c) || c == '\r' || c == '\n';
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Some write the event codes of RFC 4733 instead of the keys.
Result<char, DtmfError> key_in(std::string_view text) {
  if (text == "10") return '*';
  if (text == "11") return '#';
  if (text.size() != 1) return failure(DtmfError::kNoKey);
  const char key = text.front();
  if (is(key, kDigit) || key == '*' || key == '#' || (key >= 'A' && key <= 'D')) return key;
  if (key >= 'a' && key <= 'd') return static_cast<char>(key - 'a' + 'A');
  return failure(DtmfError::kNoKey);
}

// The value of the line "Signal=5"; spaces may surround the sign.
std::string_view signal_in(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    if (same_ignoring_case(trimmed(line.substr(0, sign)), "Signal")) return trimmed(line.substr(sign + 1));
  }
  return {};
}

}  // namespace

Result<DtmfKey, DtmfError> read_dtmf_body(DtmfBody body, std::string_view text) {
  const auto key = key_in(body == DtmfBody::kDtmfRelay ? signal_in(text) : without_blanks(text));
  if (!key) return failure(key.error());
  return DtmfKey{body, *key};
}

Result<DtmfKey, DtmfError> read_dtmf_info(const SipMessage& info) {
  if (info.has_content_type("application/dtmf-relay")) return read_dtmf_body(DtmfBody::kDtmfRelay, info.body());
  if (info.has_content_type("application/dtmf")) return read_dtmf_body(DtmfBody::kDtmf, info.body());
  return failure(DtmfError::kOtherBody);
}

}  // namespace callpark::sip
