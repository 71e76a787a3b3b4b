#include "mediad/engine/sender_report.h"

namespace callpark::media {
namespace {

constexpr std::uint8_t kVersion2 = 0x80;
constexpr std::uint8_t kSenderReport = 200;
constexpr std::uint8_t kSourceDescription = 202;
constexpr std::uint8_t kCname = 1;
// Seconds from 1900, where NTP begins to count, to 1970.
constexpr std::uint64_t kNtpSecondsBeforeUnix = 2'208'988'800;

using Bytes = std::vector<std::uint8_t>;

void put_word(Bytes& bytes, std::uint64_t value) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

// `words` counts the words after the header's first one.
void put_header(Bytes& bytes, std::uint8_t count, std::uint8_t type, std::size_t words) {
  put_word(bytes, static_cast<std::uint64_t>(kVersion2 | count) << 24 | static_cast<std::uint64_t>(type) << 16 | words);
}

}  // namespace

std::vector<std::uint8_t> make_sender_report(const SentSoFar& sent, std::chrono::system_clock::time_point now,
                                             std::string_view cname) {
  using std::chrono::nanoseconds;
  const auto unix_ns =
      static_cast<std::uint64_t>(std::chrono::duration_cast<nanoseconds>(now.time_since_epoch()).count());
  Bytes bytes;
  put_header(bytes, 0, kSenderReport, 6);
  put_word(bytes, sent.ssrc);
  put_word(bytes, unix_ns / 1'000'000'000 + kNtpSecondsBeforeUnix);
  put_word(bytes, ((unix_ns % 1'000'000'000) << 32) / 1'000'000'000);
  put_word(bytes, sent.rtp_timestamp);
  put_word(bytes, sent.packets);
  put_word(bytes, sent.payload_bytes);
  // RFC 3550 section 6.5: the items end with at least one zero, at a word's end.
  const std::size_t padded = (2 + cname.size()) / 4 * 4 + 4;
  put_header(bytes, 1, kSourceDescription, 1 + padded / 4);
  put_word(bytes, sent.ssrc);
  bytes.push_back(kCname);
  bytes.push_back(static_cast<std::uint8_t>(cname.size()));
  bytes.insert(bytes.end(), cname.begin(), cname.end());
  bytes.resize(bytes.size() + padded - 2 - cname.size());
  return bytes;
}

}  // namespace callpark::media
