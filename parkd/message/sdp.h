// Session descriptions (RFC 4566/8866) read and written line by line: what offer and answer need is typed, everything
// else is kept in its order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/syntax_error.h"

namespace callpark::sip {

/// o=
struct SdpOrigin {
  std::string username = "-";
  std::string session_id;
  std::uint64_t version = 0;
  std::string network_type = "IN";
  std::string address_type = "IP4";
  std::string address;

  bool operator==(const SdpOrigin&) const = default;
};

/// c=
struct SdpConnection {
  std::string network_type = "IN";
  std::string address_type = "IP4";
  std::string address;

  bool operator==(const SdpConnection&) const = default;
};

/// a=name or a=name:value
struct SdpAttribute {
  std::string name;
  std::optional<std::string> value;

  bool operator==(const SdpAttribute&) const = default;
};

/// A line of a kind that nothing here looks at (i= u= e= p= b= z= k= r= ...).
struct SdpLine {
  char type = 0;
  std::string value;

  bool operator==(const SdpLine&) const = default;
};

enum class Direction : std::uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };

/// m= and what belongs to it
struct SdpMedia {
  std::string media;
  /// 0: refused or switched off.
  std::uint16_t port = 0;
  /// "/n" after the port; 1 when absent.
  std::uint16_t port_count = 1;
  std::string protocol;
  std::vector<std::string> formats;
  std::optional<SdpConnection> connection;
  std::vector<SdpLine> other_lines;
  std::vector<SdpAttribute> attributes;

  /// The value of the first attribute of that name; an empty one for an attribute without value.
  std::optional<std::string_view> attribute(std::string_view name) const noexcept;
  bool operator==(const SdpMedia&) const = default;
};

struct Sdp {
  SdpOrigin origin;
  std::string session_name = "-";
  std::optional<SdpConnection> connection;
  /// t= and r=, in order.
  std::vector<SdpLine> times = {{'t', "0 0"}};
  std::vector<SdpLine> other_lines;
  std::vector<SdpAttribute> attributes;
  std::vector<SdpMedia> media;

  bool operator==(const Sdp&) const = default;
};

/// kFull wants v=, o=, s= and t=. kDigest takes what Kamailio keeps of a description in its dialog variables: o=, c=,
/// m= and attributes, the rest as by default. Both take lines that end with LF alone.
enum class SdpForm : std::uint8_t { kFull, kDigest };

Result<Sdp, SyntaxError> parse_sdp(std::string_view text, SdpForm form = SdpForm::kFull);
/// CRLF after each line; CR and LF inside of values become spaces.
std::string write_sdp(const Sdp& sdp);

/// The media's own direction, else the session's, else sendrecv (RFC 4566 6).
Direction direction(const Sdp& sdp, const SdpMedia& media) noexcept;
/// Replaces whatever direction the media had.
void set_direction(SdpMedia& media, Direction direction);
std::string_view text_of(Direction direction) noexcept;
/// RFC 3264 6.1: the direction as the other side of it sees it.
Direction reversed(Direction direction) noexcept;
/// The connection that counts for the media: its own or the session's; none when both are missing.
const SdpConnection* connection(const Sdp& sdp, const SdpMedia& media) noexcept;
/// True when the sender of this description wants to hear nothing: sendonly, inactive, or RFC 2543's 0.0.0.0.
bool is_hold(const Sdp& sdp, const SdpMedia& media) noexcept;
/// Milliseconds a packet, of a=ptime; none when absent or not a number.
std::optional<std::uint32_t> ptime(const SdpMedia& media) noexcept;
/// The first "audio" line with a port, else the first "audio" line, else null.
const SdpMedia* audio(const Sdp& sdp) noexcept;

}  // namespace callpark::sip
