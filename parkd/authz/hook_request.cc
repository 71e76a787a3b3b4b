#include "parkd/authz/hook_request.h"

#include <fmt/format.h>

#include <chrono>
#include <variant>

#include "base/json.h"
#include "base/utf8.h"

namespace callpark::authz {
namespace {

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

// The text as it may be sent: UTF-8, a blank for each control character, `characters_max` characters at most.
std::string sendable(std::string_view text, std::size_t characters_max) {
  std::string out;
  for (std::size_t count = 0; !text.empty() && count < characters_max; ++count) {
    const Utf8Character character = first_utf8_character(text);
    if (!character.code) {
      out += "\xef\xbf\xbd";
    } else if (is_control(*character.code)) {
      out += ' ';
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

void put(Json& json, const char* key, std::string_view text, std::size_t characters_max) {
  if (!text.empty()) json[key] = sendable(text, characters_max);
}

void put(Json& json, const char* key, std::optional<WallTime> at) {
  if (at) json[key] = rfc3339(*at);
}

void put_party(Json& json, const char* key, std::string_view number) {
  if (!number.empty()) json[key] = {{"number", sendable(number, HookRequestLimits::kNumber)}};
}

// Privacy: of a caller that withholds its identity nothing is sent that the identity was made from.
Json caller_of(const HookRequest& request) {
  Json caller = Json::object();
  put(caller, "name", request.caller.name, HookRequestLimits::kName);
  put(caller, "number", request.caller.number, HookRequestLimits::kNumber);
  caller["withheld"] = request.caller.name.empty() && request.caller.number.empty();
  if (const auto* trunk = std::get_if<Trunk>(&request.caller_party)) {
    put(caller, "trunk", trunk->name, HookRequestLimits::kName);
  }
  return caller;
}

void put_parking(Json& json, const HookRequest& request) {
  put(json, "park_id", request.park_id.text(), HookRequestLimits::kNumber);
  put_party(json, "parker", request.parker);
  put(json, "orbit", request.orbit, HookRequestLimits::kNumber);
  put(json, "park_group", request.park_group, HookRequestLimits::kName);
  put(json, "deadline", request.deadline);
  if (request.event != HookEvent::kRetrieve) return;
  put_party(json, "retriever", request.retriever);
  put(json, "parked_at", request.parked_at);
}

}  // namespace

std::string_view name_of(HookEvent event) {
  switch (event) {
    case HookEvent::kIncomingCall:
      return "incoming_call";
    case HookEvent::kPark:
      return "park";
    case HookEvent::kRetrieve:
      return "retrieve";
  }
  return "";
}

std::string_view name_of(CallDirection direction) {
  switch (direction) {
    case CallDirection::kIncoming:
      return "incoming";
    case CallDirection::kOutgoing:
      return "outgoing";
    case CallDirection::kInternal:
      return "internal";
  }
  return "";
}

std::string rfc3339(WallTime at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string write_hook_request(const HookRequest& request) {
  Json json = {{"event", name_of(request.event)},
               {"attempt", request.attempt},
               {"direction", name_of(request.direction)},
               {"asked_at", rfc3339(request.asked_at)}};
  put(json, "tenant", request.tenant, HookRequestLimits::kDomain);
  put(json, "call_id", request.call_id, HookRequestLimits::kCallId);
  if (request.event == HookEvent::kIncomingCall) {
    json["caller"] = caller_of(request);
    put_party(json, "called_extension", request.called_extension);
  } else {
    json["parked_caller"] = caller_of(request);
    put_parking(json, request);
  }
  return write_json(json);
}

}  // namespace callpark::authz
