#include "parkd/leg/session_timer.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <string_view>

#include "parkd/message/headers.h"

namespace callpark::leg {

using sip::HeaderName;
using sip::SipMessage;
using std::chrono::seconds;

namespace {

// RFC 4028 5: no end may agree to less.
constexpr seconds kIntervalMin{90};
constexpr std::string_view kTimer = "timer";

struct SessionExpires {
  seconds interval;
  /// "uac", "uas" or empty: which end of this transaction.
  std::string refresher;
};

std::optional<seconds> parse_seconds(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  return seconds(number);
}

std::string refresher_in(std::string_view value) {
  std::string text(value);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
             text.end());
  constexpr std::string_view kName = ";refresher=";
  const auto found = text.find(kName);
  if (found == std::string::npos) return {};
  const auto refresher = text.substr(found + kName.size(), 3);
  return refresher == "uac" || refresher == "uas" ? refresher : std::string{};
}

std::optional<SessionExpires> session_expires(const SipMessage& message) {
  const auto value = message.header(HeaderName::kSessionExpires);
  if (!value) return std::nullopt;
  const auto interval = parse_seconds(*value);
  if (!interval) return std::nullopt;
  return SessionExpires{*interval, refresher_in(*value)};
}

void write_session_expires(SipMessage& message, seconds interval, std::string_view refresher) {
  message.set_header(HeaderName::kSessionExpires,
                     std::to_string(interval.count()) + ";refresher=" + std::string(refresher));
}

void add_token(SipMessage& message, HeaderName name) {
  if (!message.has_token(name, kTimer)) message.add_header(name, kTimer);
}

}  // namespace

Result<std::optional<SessionTimer>, IntervalTooSmall> answer_session_timer(const SipMessage& request,
                                                                           seconds interval_min) {
  const auto asked = session_expires(request);
  if (!asked) return std::optional<SessionTimer>{};
  const bool can_refresh = request.has_token(HeaderName::kSupported, kTimer);
  // RFC 4028 9: only a sender that supports timers may be refused; else a proxy has added it.
  if (can_refresh && asked->interval < interval_min) return failure(IntervalTooSmall{interval_min});
  const seconds interval = std::max(asked->interval, kIntervalMin);
  return std::optional(SessionTimer{interval, !can_refresh || asked->refresher == "uas", interval_min});
}

SipMessage make_interval_too_small(const SipMessage& request, const IntervalTooSmall& error,
                                   std::string_view local_tag) {
  SipMessage response = sip::make_response(request, 422, {}, local_tag);
  response.set_header(HeaderName::kMinSE, std::to_string(error.interval_min.count()));
  return response;
}

void write_session_timer(SipMessage& response, const std::optional<SessionTimer>& timer, const SipMessage& request) {
  add_token(response, HeaderName::kSupported);
  if (!timer) return;
  write_session_expires(response, timer->interval, timer->we_refresh ? "uas" : "uac");
  // RFC 4028 9: "uac" needs it; with "uas" it is only for a sender that understands it.
  if (request.has_token(HeaderName::kSupported, kTimer)) add_token(response, HeaderName::kRequire);
}

void offer_session_timer(SipMessage& request, const std::optional<SessionTimer>& agreed) {
  add_token(request, HeaderName::kSupported);
  if (!agreed) return;
  write_session_expires(request, agreed->interval, agreed->we_refresh ? "uac" : "uas");
  // RFC 4028 7.1: absent means 90.
  if (agreed->interval_min > kIntervalMin) {
    request.set_header(HeaderName::kMinSE, std::to_string(agreed->interval_min.count()));
  }
}

std::optional<SessionTimer> agreed_in(const DialogSnapshot& snapshot) {
  if (snapshot.session_seconds <= 0) return std::nullopt;
  return SessionTimer{std::max(seconds(snapshot.session_seconds), kIntervalMin), snapshot.session_we_refresh,
                      kIntervalMin};
}

std::optional<SessionTimer> read_session_timer(const SipMessage& response) {
  const auto answered = session_expires(response);
  if (!answered) return std::nullopt;
  // A refresher has to be named (RFC 4028 9); where it is not, to refresh in vain does no harm.
  return SessionTimer{std::max(answered->interval, kIntervalMin), answered->refresher != "uas", kIntervalMin};
}

std::optional<SessionTimer> raised_by_422(const SipMessage& response, const SessionTimer& offered) {
  const auto value = response.header(HeaderName::kMinSE);
  const auto wanted = value ? parse_seconds(*value) : std::nullopt;
  if (!wanted || *wanted <= offered.interval) return std::nullopt;
  return SessionTimer{*wanted, offered.we_refresh, *wanted};
}

std::optional<seconds> refresh_after(const SessionTimer& timer) {
  // RFC 4028 10: "It is RECOMMENDED that this refresh be sent once half the session interval has elapsed."
  return timer.we_refresh ? std::optional(timer.interval / 2) : std::nullopt;
}

seconds end_after(const SessionTimer& timer) {
  // RFC 4028 10: before the expiration by "the minimum of 32 seconds and one third of the session interval".
  return timer.interval - std::min(seconds(32), timer.interval / 3);
}

}  // namespace callpark::leg
