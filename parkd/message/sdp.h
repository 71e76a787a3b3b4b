// Session descriptions (RFC 4566/8866) read and written line by line: the parts for offer and answer are typed, all
// other lines are kept in their order.
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

/// A line of a kind that parkd does not evaluate (i= u= e= p= b= z= k= r= ...).
struct SdpLine {
  char type = 0;
  std::string value;

  bool operator==(const SdpLine&) const = default;
};

enum class Direction : std::uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };

/// m= and the lines that belong to it
struct SdpMedia {
  std::string media;
  /// 0: refused or disabled.
  std::uint16_t port = 0;
  /// "/n" after the port; 1 if absent.
  std::uint16_t port_count = 1;
  std::string protocol;
  std::vector<std::string> formats;
  std::optional<SdpConnection> connection;
  std::vector<SdpLine> other_lines;
  std::vector<SdpAttribute> attributes;

  /// Returns the value of the first attribute of that name; an empty one for an attribute without value.
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

/// kFull requires v=, o=, s= and t=. kDigest accepts what Kamailio keeps of a description in its dialog variables: o=,
/// c=, m= and attributes, the rest with defaults. Both accept lines that end with LF alone.
enum class SdpForm : std::uint8_t { kFull, kDigest };

Result<Sdp, SyntaxError> parse_sdp(std::string_view text, SdpForm form = SdpForm::kFull);
/// Writes CRLF after each line; CR and LF inside values become spaces.
std::string write_sdp(const Sdp& sdp);

/// Returns the media's own direction, else the session's, else sendrecv (RFC 4566 6).
Direction direction(const Sdp& sdp, const SdpMedia& media) noexcept;
/// Replaces any direction that the media had.
void set_direction(SdpMedia& media, Direction direction);
std::string_view text_of(Direction direction) noexcept;
/// RFC 3264 6.1: the direction as the other side sees it.
Direction reversed(Direction direction) noexcept;
/// Returns the connection that applies to the media: its own or the session's; null if both are missing.
const SdpConnection* connection(const Sdp& sdp, const SdpMedia& media) noexcept;
/// True for RFC 2543's 0.0.0.0 and its counterpart in IPv6, `::`, in any spelling.
bool is_no_address(std::string_view address) noexcept;
/// True if the sender of this description does not want to receive: sendonly, inactive, or no address.
bool is_hold(const Sdp& sdp, const SdpMedia& media) noexcept;
/// Returns the milliseconds per packet of a=ptime; none if absent or not a number.
std::optional<std::uint32_t> ptime(const SdpMedia& media) noexcept;
/// The same of a=maxptime, which a packet may not exceed.
std::optional<std::uint32_t> maxptime(const SdpMedia& media) noexcept;
/// Returns the first "audio" line with a port, else the first "audio" line, else null.
const SdpMedia* audio(const Sdp& sdp) noexcept;

}  // namespace callpark::sip
