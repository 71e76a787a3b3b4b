#include "parkd/message/sdp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

std::string_view next_line(std::string_view& text) noexcept {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::uint64_t> large_number(std::string_view digits) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (!consists_of(digits, kDigit) || error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<SdpOrigin> parse_origin(std::string_view value) {
  SdpOrigin origin;
  origin.username = next_word(value);
  origin.session_id = next_word(value);
  const auto version = large_number(next_word(value));
  origin.network_type = next_word(value);
  origin.address_type = next_word(value);
  origin.address = next_word(value);
  if (!version || origin.address.empty() || !trimmed(value).empty()) return std::nullopt;
  origin.version = *version;
  return origin;
}

std::optional<SdpConnection> parse_connection(std::string_view value) {
  SdpConnection connection;
  connection.network_type = next_word(value);
  connection.address_type = next_word(value);
  connection.address = next_word(value);
  if (connection.address.empty() || !trimmed(value).empty()) return std::nullopt;
  return connection;
}

std::optional<SdpMedia> parse_media(std::string_view value) {
  SdpMedia media;
  media.media = next_word(value);
  const std::string_view ports = next_word(value);
  const std::size_t slash = ports.find('/');
  const auto port = port_number(ports.substr(0, slash));
  const auto count =
      slash == std::string_view::npos ? std::optional<std::uint16_t>(1) : port_number(ports.substr(slash + 1));
  media.protocol = next_word(value);
  if (!port || !count || media.protocol.empty()) return std::nullopt;
  media.port = *port;
  media.port_count = *count;
  while (!trimmed(value).empty()) media.formats.emplace_back(next_word(value));
  return media;
}

SdpAttribute parse_attribute(std::string_view value) {
  const std::size_t colon = value.find(':');
  SdpAttribute attribute{std::string(value.substr(0, colon)), std::nullopt};
  if (colon != std::string_view::npos) attribute.value = value.substr(colon + 1);
  return attribute;
}

/// RFC 4566 5: i=, u=, e= and p= precede c=; b= follows it; z= and k= (of the session) follow the times.
int rank(char type) noexcept {
  switch (type) {
    case 'i':
      return 0;
    case 'u':
      return 1;
    case 'e':
      return 2;
    case 'p':
      return 3;
    case 'b':
      return 4;
    case 'z':
      return 5;
    case 'k':
      return 6;
    default:
      return 7;
  }
}
constexpr int kBeforeConnection = 0;
constexpr int kBeforeTimes = 4;
constexpr int kBeforeAttributes = 5;
constexpr int kEnd = 8;

void sort_lines(std::vector<SdpLine>& lines) {
  std::stable_sort(lines.begin(), lines.end(),
                   [](const SdpLine& left, const SdpLine& right) { return rank(left.type) < rank(right.type); });
}

class SdpParser {
 public:
  explicit SdpParser(SdpForm form) : form_(form) {}

  Result<Sdp, SyntaxError> parse(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = next_line(text);
      if (line.empty()) continue;
      const bool well_formed = line.size() >= 2 && line[1] == '=' && is(line[0], kAlpha);
      if (!well_formed || line.find('\r') != std::string_view::npos) return failure(SyntaxError::kSdpLine);
      take(line[0], line.substr(2));
      if (error_) return failure(*error_);
    }
    return finish();
  }

 private:
  void take(char type, std::string_view value) {
    switch (type) {
      case 'v':
        version_seen_ = value == "0";
        return;
      case 'o':
        return store(sdp_.origin, parse_origin(value), SyntaxError::kSdpOrigin, &origin_seen_);
      case 'm':
        return take_media(value);
      case 'c':
        return take_connection(value);
      case 'a':
        return attributes().push_back(parse_attribute(value));
      case 's':
        return take_name(value);
      case 't':
      case 'r':
        return take_time(type, value);
      default:
        return lines().push_back({type, std::string(value)});
    }
  }

  template <class T>
  void store(T& place, std::optional<T> parsed, SyntaxError error, bool* seen = nullptr) {
    if (!parsed) {
      error_ = error;
      return;
    }
    place = std::move(*parsed);
    if (seen != nullptr) *seen = true;
  }

  void take_media(std::string_view value) {
    store(sdp_.media.emplace_back(), parse_media(value), SyntaxError::kSdpMedia);
  }
  void take_connection(std::string_view value) {
    auto parsed = parse_connection(value);
    if (!parsed) {
      error_ = SyntaxError::kSdpConnection;
      return;
    }
    auto& place = sdp_.media.empty() ? sdp_.connection : sdp_.media.back().connection;
    if (!place) place = std::move(parsed);
  }
  void take_name(std::string_view value) {
    sdp_.session_name = value;
    name_seen_ = true;
  }
  void take_time(char type, std::string_view value) {
    if (!std::exchange(times_seen_, true)) sdp_.times.clear();
    sdp_.times.push_back({type, std::string(value)});
  }
  std::vector<SdpAttribute>& attributes() {
    return sdp_.media.empty() ? sdp_.attributes : sdp_.media.back().attributes;
  }
  std::vector<SdpLine>& lines() { return sdp_.media.empty() ? sdp_.other_lines : sdp_.media.back().other_lines; }

  Result<Sdp, SyntaxError> finish() {
    const bool complete = version_seen_ && name_seen_ && times_seen_;
    if (!origin_seen_ || (form_ == SdpForm::kFull && !complete)) return failure(SyntaxError::kSdpMissingLine);
    for (SdpMedia& media : sdp_.media) {
      // RFC 4566 5.7: a c= for the session or in each media; a disabled media needs none.
      if (media.port != 0 && connection(sdp_, media) == nullptr) return failure(SyntaxError::kSdpMissingLine);
      sort_lines(media.other_lines);
    }
    sort_lines(sdp_.other_lines);
    return std::move(sdp_);
  }

  SdpForm form_;
  Sdp sdp_;
  std::optional<SyntaxError> error_;
  bool version_seen_ = false;
  bool origin_seen_ = false;
  bool name_seen_ = false;
  bool times_seen_ = false;
};

class SdpWriter {
 public:
  std::string write(const Sdp& sdp) {
    line('v', {"0"});
    const SdpOrigin& origin = sdp.origin;
    line('o', {origin.username, origin.session_id, std::to_string(origin.version), origin.network_type,
               origin.address_type, origin.address});
    line('s', {sdp.session_name});
    lines(sdp.other_lines, kBeforeConnection, kBeforeTimes);
    connection(sdp.connection);
    lines(sdp.other_lines, kBeforeTimes, kBeforeAttributes);
    for (const SdpLine& time : sdp.times) line(time.type, {time.value});
    lines(sdp.other_lines, kBeforeAttributes, kEnd);
    attributes(sdp.attributes);
    for (const SdpMedia& item : sdp.media) media(item);
    return std::move(out_);
  }

 private:
  void line(char type, std::initializer_list<std::string_view> words) {
    out_.append(1, type).append(1, '=');
    const std::size_t start = out_.size();
    for (const std::string_view word : words) {
      if (out_.size() != start) out_.push_back(' ');
      out_.append(word);
    }
    end_line(start);
  }
  void end_line(std::size_t start) {
    std::replace_if(
        out_.begin() + static_cast<std::ptrdiff_t>(start), out_.end(), [](char c) { return c == '\r' || c == '\n'; },
        ' ');
    out_.append("\r\n");
  }
  void lines(const std::vector<SdpLine>& all, int from, int to) {
    for (const SdpLine& other : all) {
      if (rank(other.type) >= from && rank(other.type) < to) line(other.type, {other.value});
    }
  }
  void connection(const std::optional<SdpConnection>& connection) {
    if (connection) line('c', {connection->network_type, connection->address_type, connection->address});
  }
  void attributes(const std::vector<SdpAttribute>& attributes) {
    for (const SdpAttribute& attribute : attributes) {
      const std::size_t start = out_.size();
      out_.append("a=").append(attribute.name);
      if (attribute.value) out_.append(1, ':').append(*attribute.value);
      end_line(start);
    }
  }
  void media(const SdpMedia& media) {
    const std::size_t start = out_.size();
    out_.append("m=").append(media.media).append(1, ' ').append(std::to_string(media.port));
    if (media.port_count != 1) out_.append(1, '/').append(std::to_string(media.port_count));
    out_.append(1, ' ').append(media.protocol);
    for (const std::string& format : media.formats) out_.append(1, ' ').append(format);
    end_line(start);
    lines(media.other_lines, kBeforeConnection, kBeforeTimes);
    connection(media.connection);
    lines(media.other_lines, kBeforeTimes, kEnd);
    attributes(media.attributes);
  }

  std::string out_;
};

std::optional<Direction> direction_named(std::string_view name) noexcept {
  for (const Direction each :
       {Direction::kSendRecv, Direction::kSendOnly, Direction::kRecvOnly, Direction::kInactive}) {
    if (text_of(each) == name) return each;
  }
  return std::nullopt;
}

std::optional<Direction> direction_in(const std::vector<SdpAttribute>& attributes) noexcept {
  for (const SdpAttribute& attribute : attributes) {
    if (const auto found = direction_named(attribute.name)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> SdpMedia::attribute(std::string_view name) const noexcept {
  for (const SdpAttribute& each : attributes) {
    if (each.name == name) return each.value ? std::string_view(*each.value) : std::string_view{};
  }
  return std::nullopt;
}

Result<Sdp, SyntaxError> parse_sdp(std::string_view text, SdpForm form) {
  return SdpParser(form).parse(text);
}

std::string write_sdp(const Sdp& sdp) {
  return SdpWriter{}.write(sdp);
}

Direction direction(const Sdp& sdp, const SdpMedia& media) noexcept {
  if (const auto own = direction_in(media.attributes)) return *own;
  return direction_in(sdp.attributes).value_or(Direction::kSendRecv);
}

void set_direction(SdpMedia& media, Direction direction) {
  std::erase_if(media.attributes, [](const SdpAttribute& each) { return direction_named(each.name).has_value(); });
  media.attributes.push_back({std::string(text_of(direction)), std::nullopt});
}

std::string_view text_of(Direction direction) noexcept {
  switch (direction) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      return "inactive";
  }
  return {};
}

Direction reversed(Direction direction) noexcept {
  switch (direction) {
    case Direction::kSendOnly:
      return Direction::kRecvOnly;
    case Direction::kRecvOnly:
      return Direction::kSendOnly;
    case Direction::kSendRecv:
    case Direction::kInactive:
      break;
  }
  return direction;
}

const SdpConnection* connection(const Sdp& sdp, const SdpMedia& media) noexcept {
  if (media.connection) return &*media.connection;
  return sdp.connection ? &*sdp.connection : nullptr;
}

bool is_no_address(std::string_view address) noexcept {
  return address.find_first_of(".:") != std::string_view::npos &&
         address.find_first_not_of("0.:") == std::string_view::npos;
}

bool is_hold(const Sdp& sdp, const SdpMedia& media) noexcept {
  const SdpConnection* const where = connection(sdp, media);
  const Direction sent = direction(sdp, media);
  return sent == Direction::kSendOnly || sent == Direction::kInactive ||
         (where != nullptr && is_no_address(where->address));
}

std::optional<std::uint32_t> ptime(const SdpMedia& media) noexcept {
  return number(trimmed(media.attribute("ptime").value_or(std::string_view{})));
}

std::optional<std::uint32_t> maxptime(const SdpMedia& media) noexcept {
  return number(trimmed(media.attribute("maxptime").value_or(std::string_view{})));
}

const SdpMedia* audio(const Sdp& sdp) noexcept {
  const SdpMedia* first = nullptr;
  for (const SdpMedia& media : sdp.media) {
    if (media.media != "audio") continue;
    if (media.port != 0) return &media;
    if (first == nullptr) first = &media;
  }
  return first;
}

}  // namespace callpark::sip
