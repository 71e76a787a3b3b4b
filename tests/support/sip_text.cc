#include "tests/support/sip_text.h"

#include <strings.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace callpark::test {
namespace {

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  const auto end = text.find_last_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

std::string compact_form(const std::string& name) {
  for (const auto& [whole, compact] : {std::pair{"Via", "v"},
                                       {"From", "f"},
                                       {"To", "t"},
                                       {"Call-ID", "i"},
                                       {"Contact", "m"},
                                       {"Refer-To", "r"},
                                       {"Content-Type", "c"},
                                       {"Content-Length", "l"}}) {
    if (name == whole) return compact;
  }
  return "";
}

bool same_name(const std::string& left, const std::string& right) {
  return !right.empty() && strcasecmp(left.c_str(), right.c_str()) == 0;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// name="value" or name=value in a challenge.
std::string parameter(const std::string& challenge, const std::string& name) {
  for (auto at = challenge.find(name + "="); at != std::string::npos; at = challenge.find(name + "=", at + 1)) {
    if (at > 0 && challenge[at - 1] != ' ' && challenge[at - 1] != ',') continue;
    const auto value = at + name.size() + 1;
    if (challenge[value] == '"') return challenge.substr(value + 1, challenge.find('"', value + 1) - value - 1);
    return challenge.substr(value, challenge.find_first_of(", ", value) - value);
  }
  return "";
}

}  // namespace

std::string SipText::start_line() const {
  return text_.substr(0, text_.find("\r\n"));
}

std::string SipText::method() const {
  if (is_request()) return text_.substr(0, text_.find(' '));
  const std::string value = header("CSeq");
  return value.substr(value.find(' ') + 1);
}

std::string SipText::request_uri() const {
  const std::string line = start_line();
  const auto begin = line.find(' ') + 1;
  return line.substr(begin, line.find(' ', begin) - begin);
}

int SipText::status() const {
  return is_response() ? std::atoi(text_.c_str() + 8) : 0;
}

std::vector<std::string> SipText::headers(const std::string& name) const {
  std::vector<std::string> values;
  for (const auto& line : lines_of(text_.substr(0, text_.find("\r\n\r\n")))) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string found = trimmed(line.substr(0, colon));
    if (same_name(found, name) || same_name(found, compact_form(name)))
      values.push_back(trimmed(line.substr(colon + 1)));
  }
  return values;
}

std::string SipText::header(const std::string& name) const {
  const auto values = headers(name);
  return values.empty() ? "" : values.front();
}

int SipText::cseq() const {
  return std::atoi(header("CSeq").c_str());
}

std::string SipText::body() const {
  const auto end = text_.find("\r\n\r\n");
  return end == std::string::npos ? "" : text_.substr(end + 4);
}

std::optional<Endpoint> SipText::audio() const {
  Endpoint endpoint;
  bool in_audio = false;
  for (const auto& line : lines_of(body())) {
    if (line.starts_with("m=")) in_audio = line.starts_with("m=audio ");
    if (line.starts_with("m=audio ")) endpoint.port = static_cast<uint16_t>(std::atoi(line.c_str() + 8));
    if (line.starts_with("c=IN IP4 ") && (in_audio || endpoint.port == 0)) endpoint.address = trimmed(line.substr(9));
  }
  if (endpoint.port == 0) return std::nullopt;
  return endpoint;
}

std::optional<int> SipText::telephone_event() const {
  for (const auto& line : lines_of(body())) {
    const bool is_it = line.starts_with("a=rtpmap:") && line.find(" telephone-event/8000") != std::string::npos;
    if (is_it) return std::atoi(line.c_str() + 9);
  }
  return std::nullopt;
}

std::optional<int> SipText::media_port(const std::string& kind) const {
  const auto line = body().find("\nm=" + kind + " ");
  if (line == std::string::npos) return std::nullopt;
  return std::atoi(body().c_str() + line + kind.size() + 4);
}

std::string SipText::direction() const {
  for (const auto& line : lines_of(body())) {
    for (const char* direction : {"sendonly", "recvonly", "inactive"}) {
      if (line == std::string("a=") + direction) return direction;
    }
  }
  return "sendrecv";
}

std::string uri_in(const std::string& name_addr) {
  const auto open = name_addr.find('<');
  if (open == std::string::npos) return name_addr.substr(0, name_addr.find(';'));
  return name_addr.substr(open + 1, name_addr.find('>', open) - open - 1);
}

std::string tag_in(const std::string& name_addr) {
  const auto close = name_addr.find('>');
  const auto tag = name_addr.find(";tag=", close == std::string::npos ? 0 : close);
  if (tag == std::string::npos) return "";
  return trimmed(name_addr.substr(tag + 5, name_addr.find(';', tag + 5) - tag - 5));
}

std::string digest_answer(const std::string& challenge, const std::string& method, const std::string& uri,
                          const std::string& user, const std::string& password, unsigned count) {
  const std::string realm = parameter(challenge, "realm");
  const std::string nonce = parameter(challenge, "nonce");
  const std::string opaque = parameter(challenge, "opaque");
  const bool with_qop = !parameter(challenge, "qop").empty();
  const std::string secret = md5_hex(user + ":" + realm + ":" + password);
  const std::string request = md5_hex(method + ":" + uri);
  std::array<char, 9> nc{};
  snprintf(nc.data(), nc.size(), "%08x", count);
  const std::string middle = with_qop ? nonce + ":" + nc.data() + ":c0ffee:auth" : nonce;
  std::string answer = "Digest username=\"" + user + "\", realm=\"" + realm + "\", nonce=\"" + nonce + "\", uri=\"" +
                       uri + "\", response=\"" + md5_hex(secret + ":" + middle + ":" + request) + "\", algorithm=MD5";
  if (with_qop) answer += std::string(", qop=auth, nc=") + nc.data() + ", cnonce=\"c0ffee\"";
  if (!opaque.empty()) answer += ", opaque=\"" + opaque + "\"";
  return answer;
}

// RFC 1321. The sine table of its section 3.4 is computed as it is defined.
std::string md5_hex(const std::string& text) {
  constexpr std::array<std::array<int, 4>, 4> kShifts = {
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  std::string padded = text + '\x80';
  padded.resize((padded.size() + 8 + 63) / 64 * 64, '\0');
  const uint64_t bits = text.size() * 8;
  for (size_t i = 0; i < 8; ++i) padded[padded.size() - 8 + i] = static_cast<char>(bits >> (8 * i));

  std::array<uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (size_t block = 0; block < padded.size(); block += 64) {
    std::array<uint32_t, 16> words{};
    for (size_t i = 0; i < 64; ++i) {
      words[i / 4] |= static_cast<uint32_t>(static_cast<uint8_t>(padded[block + i])) << (8 * (i % 4));
    }
    auto [a, b, c, d] = state;
    for (uint32_t i = 0; i < 64; ++i) {
      const uint32_t round = i / 16;
      const uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                             : round == 1 ? (d & b) | (~d & c)
                             : round == 2 ? b ^ c ^ d
                                          : c ^ (b | ~d);
      const uint32_t word = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
      const auto sine = static_cast<uint32_t>(std::floor(std::fabs(std::sin(i + 1.0)) * 4294967296.0));
      const uint32_t sum = a + mixed + sine + words[word % 16];
      a = d;
      d = c;
      c = b;
      b += std::rotl(sum, kShifts[round][i % 4]);
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
  }
  std::string hex;
  for (const uint32_t word : state) {
    for (int i = 0; i < 4; ++i) {
      char digits[3];
      snprintf(digits, sizeof digits, "%02x", (word >> (8 * i)) & 0xff);
      hex += digits;
    }
  }
  return hex;
}

}  // namespace callpark::test
