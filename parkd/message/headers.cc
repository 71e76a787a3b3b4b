#include "parkd/message/headers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

struct KnownHeader {
  HeaderName name;
  std::string_view text;
  bool list = false;
  char compact = '\0';
};

constexpr auto kKnownHeaders = std::to_array<KnownHeader>({
    {HeaderName::kOther, ""},
    {HeaderName::kAccept, "Accept", true},
    {HeaderName::kAlertInfo, "Alert-Info", true},
    {HeaderName::kAllow, "Allow", true},
    {HeaderName::kAllowEvents, "Allow-Events", true, 'u'},
    {HeaderName::kAuthorization, "Authorization"},
    {HeaderName::kCSeq, "CSeq"},
    {HeaderName::kCallId, "Call-ID", false, 'i'},
    {HeaderName::kContact, "Contact", true, 'm'},
    {HeaderName::kContentLength, "Content-Length", false, 'l'},
    {HeaderName::kContentType, "Content-Type", false, 'c'},
    {HeaderName::kDate, "Date"},
    {HeaderName::kDiversion, "Diversion", true},
    {HeaderName::kEvent, "Event", false, 'o'},
    {HeaderName::kExpires, "Expires"},
    {HeaderName::kFrom, "From", false, 'f'},
    {HeaderName::kInReplyTo, "In-Reply-To", true},
    {HeaderName::kMaxForwards, "Max-Forwards"},
    {HeaderName::kMinExpires, "Min-Expires"},
    {HeaderName::kMinSE, "Min-SE"},
    {HeaderName::kPAssertedIdentity, "P-Asserted-Identity", true},
    {HeaderName::kPrivacy, "Privacy"},
    {HeaderName::kProxyAuthenticate, "Proxy-Authenticate"},
    {HeaderName::kProxyAuthorization, "Proxy-Authorization"},
    {HeaderName::kProxyRequire, "Proxy-Require", true},
    {HeaderName::kRAck, "RAck"},
    {HeaderName::kRSeq, "RSeq"},
    {HeaderName::kReason, "Reason", true},
    {HeaderName::kRecordRoute, "Record-Route", true},
    {HeaderName::kReferSub, "Refer-Sub"},
    {HeaderName::kReferTo, "Refer-To", false, 'r'},
    {HeaderName::kReferredBy, "Referred-By", false, 'b'},
    {HeaderName::kReplaces, "Replaces"},
    {HeaderName::kRequire, "Require", true},
    {HeaderName::kRetryAfter, "Retry-After"},
    {HeaderName::kRoute, "Route", true},
    {HeaderName::kServer, "Server"},
    {HeaderName::kSessionExpires, "Session-Expires", false, 'x'},
    {HeaderName::kSubscriptionState, "Subscription-State"},
    {HeaderName::kSupported, "Supported", true, 'k'},
    {HeaderName::kTimestamp, "Timestamp"},
    {HeaderName::kTo, "To", false, 't'},
    {HeaderName::kUnsupported, "Unsupported", true},
    {HeaderName::kUserAgent, "User-Agent"},
    {HeaderName::kVia, "Via", true, 'v'},
    {HeaderName::kWarning, "Warning", true},
    {HeaderName::kWwwAuthenticate, "WWW-Authenticate"},
});

constexpr bool in_order_of_their_numbers() {
  for (std::size_t i = 0; i < kKnownHeaders.size(); ++i) {
    if (kKnownHeaders[i].name != static_cast<HeaderName>(i)) return false;
  }
  return true;
}
static_assert(in_order_of_their_numbers());

// The factors were found by trial so that no two known names collide; the static_assert below verifies this.
constexpr std::size_t place_of(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return std::size_t{static_cast<unsigned char>(text[i])} | 0x20U; };
  return (text.size() * 3 + at(0) * 27 + at(text.size() - 1) * 32 + at(text.size() / 2)) & 255U;
}

struct NamePlaces {
  std::array<HeaderName, 256> names{};
  bool distinct = true;

  constexpr void put(std::string_view text, HeaderName name) {
    HeaderName& place = names[place_of(text)];
    distinct = distinct && place == HeaderName::kOther;
    place = name;
  }
};

constexpr NamePlaces make_places() {
  NamePlaces places;
  for (const KnownHeader& header : kKnownHeaders) {
    if (header.name == HeaderName::kOther) continue;
    places.put(header.text, header.name);
    if (header.compact != '\0') places.put({&header.compact, 1}, header.name);
  }
  return places;
}
constexpr NamePlaces kPlaces = make_places();
static_assert(kPlaces.distinct);

const KnownHeader& known(HeaderName name) noexcept {
  return kKnownHeaders[static_cast<std::size_t>(name)];
}

}  // namespace

HeaderName header_name(std::string_view text) noexcept {
  if (text.empty()) return HeaderName::kOther;
  const HeaderName name = kPlaces.names[place_of(text)];
  const KnownHeader& header = known(name);
  const bool same = text.size() == 1 ? lower(text[0]) == header.compact : same_ignoring_case(text, header.text);
  return same ? name : HeaderName::kOther;
}

std::string_view text_of(HeaderName name) noexcept {
  return known(name).text;
}

bool is_list(HeaderName name) noexcept {
  return known(name).list;
}

std::vector<std::string_view> split_list(std::string_view value) {
  std::vector<std::string_view> parts;
  Scanner scanner(value);
  const char* start = scanner.position();
  const auto finish = [&] {
    if (const auto part = trimmed(scanner.since(start)); !part.empty()) parts.push_back(part);
  };
  while (!scanner.done()) {
    switch (scanner.peek()) {
      case ',':
        finish();
        scanner.accept(',');
        start = scanner.position();
        break;
      // An unterminated quote or bracket extends to the end.
      case '"':
        if (scanner.take_quoted().empty()) scanner.take_rest();
        break;
      case '<':
        if (scanner.take_before('>').empty()) scanner.take_rest();
        break;
      default:
        scanner.accept(scanner.peek());
    }
  }
  finish();
  return parts;
}

std::string CSeq::to_string() const {
  return std::to_string(number) + " " + method;
}

Result<CSeq, SyntaxError> parse_cseq(std::string_view text) {
  CSeqParts parts;
  if (!scan_cseq(text, parts)) return failure(SyntaxError::kCSeq);
  return CSeq{parts.number, std::string(parts.method)};
}

std::string Replaces::to_string() const {
  std::string out = call_id + ";to-tag=" + to_tag + ";from-tag=" + from_tag;
  if (early_only) out += ";early-only";
  return out;
}

Result<Replaces, SyntaxError> parse_replaces(std::string_view text) {
  const std::size_t end = std::min(text.find(';'), text.size());
  const std::string_view call_id = trimmed(text.substr(0, end));
  if (!consists_of(call_id, kVisible)) return failure(SyntaxError::kReplaces);
  Replaces replaces{std::string(call_id), {}, {}, false};
  Scanner scanner(text.substr(end));
  for (ParamView param; scan_param(scanner, param);) {
    const std::string_view value = param.value.value_or(std::string_view{});
    // RFC 3891 6.1: exactly one of each tag.
    if (same_ignoring_case(param.name, "to-tag")) {
      if (!std::exchange(replaces.to_tag, value).empty()) return failure(SyntaxError::kReplaces);
    } else if (same_ignoring_case(param.name, "from-tag")) {
      if (!std::exchange(replaces.from_tag, value).empty()) return failure(SyntaxError::kReplaces);
    } else if (same_ignoring_case(param.name, "early-only")) {
      replaces.early_only = true;
    }
  }
  scanner.skip_space();
  if (!scanner.done() || replaces.to_tag.empty() || replaces.from_tag.empty()) return failure(SyntaxError::kReplaces);
  return replaces;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100:
      return "Trying";
    case 180:
      return "Ringing";
    case 181:
      return "Call Is Being Forwarded";
    case 182:
      return "Queued";
    case 183:
      return "Session Progress";
    case 199:
      return "Early Dialog Terminated";
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Notification";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Moved Temporarily";
    case 305:
      return "Use Proxy";
    case 380:
      return "Alternative Service";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 410:
      return "Gone";
    case 412:
      return "Conditional Request Failed";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request-URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Unsupported URI Scheme";
    case 420:
      return "Bad Extension";
    case 421:
      return "Extension Required";
    case 422:
      return "Session Interval Too Small";
    case 423:
      return "Interval Too Brief";
    case 429:
      return "Provide Referrer Identity";
    case 433:
      return "Anonymity Disallowed";
    case 480:
      return "Temporarily Unavailable";
    case 481:
      return "Call/Transaction Does Not Exist";
    case 482:
      return "Loop Detected";
    case 483:
      return "Too Many Hops";
    case 484:
      return "Address Incomplete";
    case 485:
      return "Ambiguous";
    case 486:
      return "Busy Here";
    case 487:
      return "Request Terminated";
    case 488:
      return "Not Acceptable Here";
    case 489:
      return "Bad Event";
    case 491:
      return "Request Pending";
    case 493:
      return "Undecipherable";
    case 500:
      return "Server Internal Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Server Time-out";
    case 505:
      return "Version Not Supported";
    case 513:
      return "Message Too Large";
    case 580:
      return "Precondition Failure";
    case 600:
      return "Busy Everywhere";
    case 603:
      return "Decline";
    case 604:
      return "Does Not Exist Anywhere";
    case 606:
      return "Not Acceptable";
    default:
      return "Unknown";
  }
}

}  // namespace callpark::sip
