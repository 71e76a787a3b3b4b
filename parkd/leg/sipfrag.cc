#include "parkd/leg/sipfrag.h"

#include <algorithm>

#include "parkd/message/headers.h"

namespace callpark::leg {

namespace {

constexpr std::string_view kVersion = "SIP/2.0 ";
constexpr std::size_t kDigits = 3;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string write_sipfrag(int status, std::string_view reason) {
  if (reason.empty()) reason = sip::reason_phrase(status);
  std::string line = std::string(kVersion) + std::to_string(status) + " " + std::string(reason);
  std::replace(line.begin(), line.end(), '\r', ' ');
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + "\r\n";
}

std::optional<StatusLine> parse_sipfrag(std::string_view body) {
  std::string_view line = body.substr(0, body.find_first_of("\r\n"));
  if (line.substr(0, kVersion.size()) != kVersion) return std::nullopt;
  line.remove_prefix(kVersion.size());
  const std::string_view digits = line.substr(0, kDigits);
  if (digits.size() != kDigits || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  const int status = std::stoi(std::string(digits));
  line.remove_prefix(kDigits);
  if (status < 100 || status > 699 || (!line.empty() && line.front() != ' ')) return std::nullopt;
  if (!line.empty()) line.remove_prefix(1);
  return StatusLine{status, std::string(line)};
}

}  // namespace callpark::leg
