#include "media_protocol/codec.h"

#include <fmt/format.h>

#include <array>
#include <type_traits>
#include <utility>

#include "base/json.h"
#include "base/match.h"
#include "base/utf8.h"
#include "media_protocol/json_fields.h"

namespace callpark::media {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Request>> kMethods = {
    "hello",         "session.open", "session.update", "session.play",
    "session.close", "session.list", "codecs",         "text.prepare"};
constexpr std::array<std::string_view, std::variant_size_v<Notification>> kNotifications = {
    "session.played", "session.digit", "session.no_rtp", "session.expired"};
constexpr std::size_t kSpokenMax = 64;
constexpr std::size_t kDigitsMax = 32;
constexpr int kRepeatMax = 100;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kSentenceBytesMax = 16 * 1024;

// ---- structs → JSON ----

void put(Json& object, const char* key, const std::optional<Endpoint>& endpoint) {
  if (endpoint) object[key] = {{"address", endpoint->address}, {"port", endpoint->port}};
}

void put(Json& object, const char* key, const std::optional<Codec>& codec) {
  if (!codec) return;
  Json& value = object[key] = {
      {"name", codec_text(codec->name)}, {"payload_type", codec->payload_type}, {"clock_rate", codec->clock_rate}};
  if (codec->packet_ms != kPacketMsDefault) value["packet_ms"] = codec->packet_ms;
  if (codec->telephone_event) value["telephone_event"] = *codec->telephone_event;
}

template <class Number>
void put(Json& object, const char* key, const std::optional<Number>& number) {
  if (number) object[key] = *number;
}

void put_latching(Json& object, bool latching) {
  if (latching) object["latching"] = true;
}

void put_if_given(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

Json to_json(const Spoken& spoken) {
  return std::visit(overloaded{[](const Prompt& prompt) {
                                 return Json{{"prompt", prompt.prompt}};
                               },
                               [](const Digits& digits) {
                                 return Json{{"digits", digits.digits}};
                               }},
                    spoken);
}

Json to_json(const Play& play) {
  return std::visit(overloaded{[](const Silence&) {
                                 return Json{{"silence", true}};
                               },
                               [](const Music& music) {
                                 return Json{{"music", music.music_class}};
                               },
                               [](const Ringback&) {
                                 return Json{{"ringback", true}};
                               },
                               [](const Announcement& announcement) {
                                 Json list = Json::array();
                                 for (const Spoken& spoken : announcement.list) list.push_back(to_json(spoken));
                                 return Json{{"language", announcement.language},
                                             {"list", std::move(list)},
                                             {"then", announcement.then == Then::kMusic ? "music" : "end"},
                                             {"repeat", announcement.repeat}};
                               }},
                    play);
}

void put(Json& object, const char* key, const std::optional<Play>& play) {
  if (play) object[key] = to_json(*play);
}

Json to_json(const Request& request) {
  return std::visit(
      overloaded{[](const Hello& hello) {
                   return Json{{"client", hello.client}, {"protocol", hello.protocol}};
                 },
                 [](const SessionOpen& open) {
                   Json params = {{"session", open.session}};
                   put(params, "port", open.port);
                   put(params, "remote", open.remote);
                   put_latching(params, open.latching);
                   put(params, "codec", open.codec);
                   put(params, "ssrc", open.ssrc);
                   put(params, "sequence", open.sequence);
                   put(params, "timestamp", open.timestamp);
                   put(params, "play", open.play);
                   put_if_given(params, "play_id", open.play_id);
                   return params;
                 },
                 [](const SessionUpdate& update) {
                   Json params = {{"session", update.session}};
                   put(params, "remote", update.remote);
                   put_latching(params, update.latching);
                   put(params, "codec", update.codec);
                   put(params, "play", update.play);
                   put_if_given(params, "play_id", update.play_id);
                   put(params, "send", update.send);
                   return params;
                 },
                 [](const SessionPlay& play) {
                   return Json{{"session", play.session}, {"play_id", play.play_id}, {"play", to_json(play.play)}};
                 },
                 [](const SessionClose& close) {
                   return Json{{"session", close.session}};
                 },
                 [](const SessionList& list) {
                   Json params = Json::object();
                   put_if_given(params, "after", list.after);
                   return params;
                 },
                 [](const CodecList&) { return Json::object(); },
                 [](const TextPrepare& prepare) {
                   return Json{{"language", prepare.language}, {"text", prepare.text}};
                 }},
      request);
}

Json to_json(const SessionState& state) {
  Json object = {{"session", state.session},
                 {"port", state.port},
                 {"ssrc", state.ssrc},
                 {"claimed", state.claimed},
                 {"packets_sent", state.packets_sent},
                 {"packets_received", state.packets_received}};
  put(object, "remote", state.remote);
  put(object, "codec", state.codec);
  return object;
}

Json to_json(const Answer& answer) {
  return std::visit(
      overloaded{[](const HelloResult& hello) {
                   return Json{{"protocol", hello.protocol}, {"instance", hello.instance}};
                 },
                 [](const SessionOpenResult& open) {
                   return Json{{"address", open.address}, {"port", open.port}, {"ssrc", open.ssrc}};
                 },
                 [](const SessionUpdateResult&) { return Json::object(); },
                 [](const SessionPlayResult&) { return Json::object(); },
                 [](const SessionCloseResult& close) {
                   return Json{{"packets_sent", close.packets_sent}, {"packets_received", close.packets_received}};
                 },
                 [](const SessionListResult& list) {
                   Json sessions = Json::array();
                   for (const SessionState& state : list.sessions) sessions.push_back(to_json(state));
                   return Json{{"sessions", std::move(sessions)}, {"more", list.more}};
                 },
                 [](const CodecListResult& list) {
                   Json codecs = Json::array();
                   for (const CodecListResult::Entry& entry : list.codecs) {
                     Json codec = {{"name", codec_text(entry.name)}, {"clock_rate", entry.clock_rate}};
                     put(codec, "payload_type", entry.payload_type);
                     codecs.push_back(std::move(codec));
                   }
                   return Json{{"codecs", std::move(codecs)}};
                 },
                 [](const TextPrepareResult& prepared) {
                   return Json{{"name", prepared.name}};
                 }},
      answer);
}

Json to_json(const Notification& notification) {
  return std::visit(overloaded{[](const SessionPlayed& played) {
                                 Json params = {{"session", played.session},
                                                {"play_id", played.play_id},
                                                {"interrupted", played.interrupted}};
                                 put_if_given(params, "error", played.error);
                                 return params;
                               },
                               [](const SessionDigit& digit) {
                                 return Json{{"session", digit.session},
                                             {"digit", std::string(1, digit.digit)},
                                             {"duration_ms", digit.duration_ms}};
                               },
                               [](const SessionNoRtp& no_rtp) {
                                 Json params = {{"session", no_rtp.session}};
                                 if (no_rtp.stopped_sending) params["stopped_sending"] = true;
                                 return params;
                               },
                               [](const SessionExpired& expired) {
                                 return Json{{"session", expired.session}};
                               }},
                    notification);
}

Json to_json(const RequestId& id) {
  return std::visit(
      overloaded{[](std::monostate) { return Json(nullptr); }, [](const auto& value) { return Json(value); }}, id);
}

// ---- JSON → structs ----

bool is_digits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789*#") == std::string::npos;
}

// Names become file names: a name must not lead out of the prompts' directory.
bool is_file_name(const std::string& text) {
  if (text.empty() || text.size() > kNameBytesMax || text.front() == '.') return false;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return text.find_first_not_of(kAllowed) == std::string::npos;
}

// Everything but the control characters of ASCII and of ISO 8859-1.
bool is_speakable(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_utf8_character(text);
    if (!character.code || *character.code < 0x20 || (*character.code >= 0x7f && *character.code < 0xa0)) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

Endpoint read_endpoint(const Fields& fields) {
  return {fields.text("address", 1, 64), fields.number<std::uint16_t>("port", 0, 65535)};
}

bool read_flag(const Fields& fields, const char* key) {
  return fields.has(key) && fields.boolean(key);
}

Codec read_codec(const Fields& fields) {
  Codec codec;
  const std::string name = fields.text("name", 1, kNameBytesMax);
  if (const auto known = codec_from_text(name)) {
    codec.name = *known;
  } else {
    fields.fail("name", "must be one of PCMU, PCMA, G722, opus");
  }
  codec.payload_type = fields.number<std::uint8_t>("payload_type", 0, 127);
  const int rate = codec.name == CodecName::kOpus ? 48000 : 8000;
  codec.clock_rate = fields.number<int>("clock_rate", rate, rate);
  if (fields.has("packet_ms")) codec.packet_ms = fields.number<int>("packet_ms", 10, kPacketMsDefault);
  const bool has_half_packets = codec.name != CodecName::kOpus;
  if (codec.packet_ms != kPacketMsDefault && !(codec.packet_ms == kPacketMsDefault / 2 && has_half_packets)) {
    fields.fail("packet_ms", has_half_packets ? "must be 10 or 20" : "must be 20 for opus");
  }
  if (fields.has("telephone_event")) codec.telephone_event = fields.number<std::uint8_t>("telephone_event", 0, 127);
  return codec;
}

Spoken read_spoken(const Fields& fields) {
  if (fields.has("digits")) {
    Digits digits{fields.text("digits", 1, kDigitsMax)};
    if (!is_digits(digits.digits)) fields.fail("digits", "may hold 0 to 9, * and # only");
    return digits;
  }
  Prompt prompt{fields.text("prompt", 1, kNameBytesMax)};
  if (!is_file_name(prompt.prompt)) fields.fail("prompt", "must be a file name without directories");
  return prompt;
}

std::string read_language(const Fields& fields) {
  std::string language = fields.text("language", 1, kNameBytesMax);
  if (!is_file_name(language)) fields.fail("language", "must be the name of a language");
  return language;
}

Play read_play(const Fields& fields) {
  if (fields.has("music")) {
    Music music{fields.text("music", 1, kNameBytesMax)};
    if (!is_file_name(music.music_class)) fields.fail("music", "must be the name of a music class");
    return music;
  }
  if (fields.has("ringback")) return Ringback{};
  if (fields.has("silence")) return Silence{};
  Announcement announcement;
  announcement.language = read_language(fields);
  fields.each("list", 1, kSpokenMax,
              [&announcement](const Fields& element) { announcement.list.push_back(read_spoken(element)); });
  const std::string then = fields.has("then") ? fields.text("then", 1, kNameBytesMax) : "end";
  if (then == "music") {
    announcement.then = Then::kMusic;
  } else if (then != "end") {
    fields.fail("then", "must be end or music");
  }
  if (fields.has("repeat")) announcement.repeat = fields.number<int>("repeat", 1, kRepeatMax);
  return announcement;
}

std::string read_session(const Fields& fields) {
  return fields.text("session", 1, kSessionIdBytesMax);
}

std::string read_play_id(const Fields& fields) {
  return fields.has("play_id") ? fields.text("play_id", 0, kSessionIdBytesMax) : std::string();
}

template <class T>
T read(const Fields& fields);

template <>
Hello read<Hello>(const Fields& fields) {
  return {fields.text("client", 0, kSessionIdBytesMax), fields.number<int>("protocol", 0, 1'000'000)};
}

template <>
SessionOpen read<SessionOpen>(const Fields& fields) {
  SessionOpen open;
  open.session = read_session(fields);
  if (fields.has("port")) {
    open.port = fields.number<std::uint16_t>("port", 1, 65534);
    if (*open.port % 2 != 0) fields.fail("port", "must be even");
  }
  if (fields.has("remote")) open.remote = read_endpoint(fields.object("remote"));
  open.latching = read_flag(fields, "latching");
  if (fields.has("codec")) open.codec = read_codec(fields.object("codec"));
  if (fields.has("ssrc")) open.ssrc = fields.number<std::uint32_t>("ssrc", 0, 0xFFFF'FFFF);
  if (fields.has("sequence")) open.sequence = fields.number<std::uint16_t>("sequence", 0, 0xFFFF);
  if (fields.has("timestamp")) open.timestamp = fields.number<std::uint32_t>("timestamp", 0, 0xFFFF'FFFF);
  if (fields.has("play")) open.play = read_play(fields.object("play"));
  open.play_id = read_play_id(fields);
  return open;
}

template <>
SessionUpdate read<SessionUpdate>(const Fields& fields) {
  SessionUpdate update;
  update.session = read_session(fields);
  if (fields.has("remote")) update.remote = read_endpoint(fields.object("remote"));
  update.latching = read_flag(fields, "latching");
  if (fields.has("codec")) update.codec = read_codec(fields.object("codec"));
  if (fields.has("play")) update.play = read_play(fields.object("play"));
  update.play_id = read_play_id(fields);
  if (fields.has("send")) update.send = fields.boolean("send");
  return update;
}

template <>
SessionPlay read<SessionPlay>(const Fields& fields) {
  return {read_session(fields), read_play_id(fields), read_play(fields.object("play"))};
}

template <>
SessionClose read<SessionClose>(const Fields& fields) {
  return {read_session(fields)};
}

template <>
SessionList read<SessionList>(const Fields& fields) {
  return {fields.has("after") ? fields.text("after", 0, kSessionIdBytesMax) : std::string()};
}

template <>
CodecList read<CodecList>(const Fields&) {
  return {};
}

template <>
TextPrepare read<TextPrepare>(const Fields& fields) {
  TextPrepare prepare{read_language(fields), fields.text("text", 1, kTextBytesMax)};
  if (!is_speakable(prepare.text)) fields.fail("text", "must be UTF-8 without control characters");
  return prepare;
}

template <>
HelloResult read<HelloResult>(const Fields& fields) {
  return {fields.number<int>("protocol", 0, 1'000'000), fields.text("instance", 1, kSessionIdBytesMax)};
}

template <>
SessionOpenResult read<SessionOpenResult>(const Fields& fields) {
  return {fields.text("address", 1, 64), fields.number<std::uint16_t>("port", 1, 65535),
          fields.number<std::uint32_t>("ssrc", 0, 0xFFFF'FFFF)};
}

template <>
SessionUpdateResult read<SessionUpdateResult>(const Fields&) {
  return {};
}

template <>
SessionPlayResult read<SessionPlayResult>(const Fields&) {
  return {};
}

template <>
SessionCloseResult read<SessionCloseResult>(const Fields& fields) {
  return {fields.counter("packets_sent"), fields.counter("packets_received")};
}

template <>
SessionListResult read<SessionListResult>(const Fields& fields) {
  SessionListResult list;
  fields.each("sessions", 0, 100'000, [&list](const Fields& element) {
    SessionState state;
    state.session = read_session(element);
    state.port = element.number<std::uint16_t>("port", 1, 65535);
    state.ssrc = element.number<std::uint32_t>("ssrc", 0, 0xFFFF'FFFF);
    if (element.has("remote")) state.remote = read_endpoint(element.object("remote"));
    if (element.has("codec")) state.codec = read_codec(element.object("codec"));
    state.claimed = element.boolean("claimed");
    state.packets_sent = element.counter("packets_sent");
    state.packets_received = element.counter("packets_received");
    list.sessions.push_back(std::move(state));
  });
  list.more = fields.boolean("more");
  return list;
}

template <>
CodecListResult read<CodecListResult>(const Fields& fields) {
  CodecListResult list;
  fields.each("codecs", 0, 100, [&list](const Fields& element) {
    // A codec that only a newer mediad has is of no use to parkd, and no error.
    const auto name = codec_from_text(element.text("name", 1, kNameBytesMax));
    if (!name) return;
    CodecListResult::Entry entry{*name, element.number<int>("clock_rate", 1, 192'000), std::nullopt};
    if (element.has("payload_type")) entry.payload_type = element.number<std::uint8_t>("payload_type", 0, 127);
    list.codecs.push_back(entry);
  });
  return list;
}

template <>
TextPrepareResult read<TextPrepareResult>(const Fields& fields) {
  TextPrepareResult prepared{fields.text("name", 1, kNameBytesMax)};
  if (!is_file_name(prepared.name)) fields.fail("name", "must be a file name without directories");
  return prepared;
}

template <>
SessionPlayed read<SessionPlayed>(const Fields& fields) {
  return {read_session(fields), read_play_id(fields), read_flag(fields, "interrupted"),
          fields.has("error") ? fields.text("error", 0, kSentenceBytesMax) : std::string()};
}

template <>
SessionDigit read<SessionDigit>(const Fields& fields) {
  const std::string digit = fields.text("digit", 1, 1);
  if (digit.size() != 1 || std::string_view("0123456789*#ABCD").find(digit[0]) == std::string_view::npos) {
    fields.fail("digit", "must be one of 0 to 9, *, #, A to D");
    return {};
  }
  return {read_session(fields), digit[0], fields.number<int>("duration_ms", 0, 1'000'000)};
}

template <>
SessionNoRtp read<SessionNoRtp>(const Fields& fields) {
  return {read_session(fields), read_flag(fields, "stopped_sending")};
}

template <>
SessionExpired read<SessionExpired>(const Fields& fields) {
  return {read_session(fields)};
}

// Reads the alternative of `Variant` that has this index; `index` is valid for Variant.
template <class Variant, std::size_t I = 0>
Variant read_alternative(std::size_t index, const Fields& fields) {
  if constexpr (I + 1 < std::variant_size_v<Variant>) {
    if (index != I) return read_alternative<Variant, I + 1>(index, fields);
  }
  return read<std::variant_alternative_t<I, Variant>>(fields);
}

template <std::size_t Size>
std::optional<std::size_t> index_of(const std::array<std::string_view, Size>& names, const std::string& name) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

std::string envelope(Json object) {
  object["jsonrpc"] = "2.0";
  return write_json(object);
}

tl::unexpected<CodecError> refuse(ErrorCode code, std::string message, RequestId id = {}) {
  return failure(CodecError{{code, std::move(message)}, std::move(id)});
}

const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::optional<RequestId> read_id(const Json* id) {
  if (id == nullptr || id->is_null()) return RequestId{};
  if (id->is_string() && id->get_ref<const std::string&>().size() <= kSessionIdBytesMax) {
    return RequestId{id->get<std::string>()};
  }
  // A number above int64 would not be returned as it was received.
  if (id->is_number_unsigned() && id->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  if (id->is_number_integer()) return RequestId{id->get<std::int64_t>()};
  return std::nullopt;
}

RpcError read_error(const Json& error) {
  RpcError result{ErrorCode::kInternalError, "mediad gives no reason"};
  if (!error.is_object()) return result;
  if (const Json* code = find(error, "code"); code != nullptr && code->is_number_integer()) {
    result.code = static_cast<ErrorCode>(code->get<int>());
  }
  if (const Json* message = find(error, "message"); message != nullptr && message->is_string()) {
    result.message = message->get<std::string>();
  }
  return result;
}

using FromMediad = Result<MessageFromMediad, CodecError>;

FromMediad decode_notification(const std::string& method, const Json& message) {
  const auto index = index_of(kNotifications, method);
  if (!index) return refuse(ErrorCode::kMethodNotFound, fmt::format("no notification is called \"{}\"", method));
  const Json* params = find(message, "params");
  const Json none = Json::object();
  FieldErrors errors;
  const Fields fields(params != nullptr ? *params : none, errors, "params");
  Notification notification = read_alternative<Notification>(*index, fields);
  if (!errors.empty()) return refuse(ErrorCode::kInvalidParams, errors.sentence());
  return MessageFromMediad(std::move(notification));
}

FromMediad decode_response(const Json& message, const RequestIndexOfId& request_index_of_id) {
  const auto id = read_id(find(message, "id"));
  const Json* error = find(message, "error");
  if (!id || !std::holds_alternative<std::int64_t>(*id)) {
    if (error != nullptr) {
      RpcError refused = read_error(*error);
      return failure(CodecError{std::move(refused), {}});
    }
    return refuse(ErrorCode::kInvalidRequest, "a response must have the number of its request as id");
  }
  const std::int64_t number = std::get<std::int64_t>(*id);
  const auto index = request_index_of_id(number);
  if (!index || *index >= std::variant_size_v<Answer>) {
    return refuse(ErrorCode::kInvalidRequest, "no request has this id", *id);
  }
  if (error != nullptr) return MessageFromMediad(Response{number, failure(read_error(*error))});
  const Json* result = find(message, "result");
  if (result == nullptr) return refuse(ErrorCode::kInvalidRequest, "a response needs a result or an error", *id);
  FieldErrors errors;
  Answer answer = read_alternative<Answer>(*index, Fields(*result, errors, "result"));
  if (!errors.empty()) return refuse(ErrorCode::kInvalidParams, errors.sentence(), *id);
  return MessageFromMediad(Response{number, std::move(answer)});
}

}  // namespace

std::string encode_request(std::int64_t id, const Request& request) {
  return envelope({{"id", id}, {"method", kMethods[request.index()]}, {"params", to_json(request)}});
}

std::string encode_answer(const RequestId& id, const Answer& answer) {
  return envelope({{"id", to_json(id)}, {"result", to_json(answer)}});
}

std::string encode_error(const RequestId& id, const RpcError& error) {
  return envelope(
      {{"id", to_json(id)}, {"error", {{"code", static_cast<int>(error.code)}, {"message", error.message}}}});
}

std::string encode_notification(const Notification& notification) {
  return envelope({{"method", kNotifications[notification.index()]}, {"params", to_json(notification)}});
}

Result<RequestMessage, CodecError> decode_request(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed) return refuse(ErrorCode::kParseError, std::string(describe(parsed.error())));
  const Json& message = *parsed;
  if (!message.is_object()) return refuse(ErrorCode::kInvalidRequest, "a request must be one JSON object");
  const Json* id_value = find(message, "id");
  const auto id = read_id(id_value);
  if (!id) return refuse(ErrorCode::kInvalidRequest, "id must be a whole number, a short text or null");
  const Json* version = find(message, "jsonrpc");
  if (version == nullptr || *version != "2.0")
    return refuse(ErrorCode::kInvalidRequest, "jsonrpc must be \"2.0\"", *id);
  const Json* method = find(message, "method");
  if (method == nullptr || !method->is_string())
    return refuse(ErrorCode::kInvalidRequest, "method must be a text", *id);
  const auto index = index_of(kMethods, method->get_ref<const std::string&>());
  if (!index) return refuse(ErrorCode::kMethodNotFound, "there is no such method", *id);
  const Json* params = find(message, "params");
  const Json none = Json::object();
  FieldErrors errors;
  Request request = read_alternative<Request>(*index, Fields(params != nullptr ? *params : none, errors, "params"));
  if (!errors.empty()) return refuse(ErrorCode::kInvalidParams, errors.sentence(), *id);
  return RequestMessage{*id, id_value == nullptr, std::move(request)};
}

FromMediad decode_message_from_mediad(std::string_view line, const RequestIndexOfId& request_index_of_id) {
  const auto parsed = parse_json(line, {.bytes_max = kLineBytesMax, .depth_max = 16});
  if (!parsed) return refuse(ErrorCode::kParseError, std::string(describe(parsed.error())));
  if (!parsed->is_object()) return refuse(ErrorCode::kInvalidRequest, "a message must be one JSON object");
  const Json* method = find(*parsed, "method");
  if (method == nullptr) return decode_response(*parsed, request_index_of_id);
  if (!method->is_string()) return refuse(ErrorCode::kInvalidRequest, "method must be a text");
  return decode_notification(method->get<std::string>(), *parsed);
}

}  // namespace callpark::media
