#include "parkd/store/parked_call_codec.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "parkd/store/recall_mode.h"

namespace callpark {
namespace {

// As text_of() a trunk begins; no number has a blank.
constexpr std::string_view kTrunkPrefix = "trunk ";
constexpr std::string_view kUriScheme = "sip:";

constexpr JsonLimits kLimits{.bytes_max = 1024 * 1024, .depth_max = 8};

template <class T>
void write_optional(Json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

template <class T>
std::optional<T> read_optional(const Json& object, const char* key) {
  if (!object.contains(key)) return std::nullopt;
  return object.at(key).get<T>();
}

// `read` throws nlohmann's exceptions if a member is missing or has another type.
template <class T>
Result<T, BadColumn> parse(std::string_view text, T (*read)(const Json&)) {
  const auto json = parse_json(text, kLimits);
  if (!json) return failure(BadColumn{std::string(describe(json.error()))});
  try {
    return read(*json);
  } catch (const Json::exception& error) {
    return failure(BadColumn{error.what()});
  }
}

// An older parkd wrote no identity: then the URI has it.
PartyIdentity read_identity(const Json& json) {
  if (json.contains("remote_number")) return {json.at("remote_name"), json.at("remote_number")};
  const std::string uri = json.at("remote_uri");
  const std::size_t begin = uri.find(':') + 1;
  const std::size_t at = uri.find('@');
  return {json.at("remote_display"), at == std::string::npos ? "" : uri.substr(begin, at - begin)};
}

// An extension has an address of record; parties of all other kinds are "".
Party read_party(const std::string& aor) {
  if (auto extension = extension_of_aor(aor)) return *std::move(extension);
  return Outside{};
}

std::string aor_or_empty(const Party& party) {
  const Extension* const extension = extension_in(party);
  return extension ? aor_of(*extension) : "";
}

DialogSnapshot read_dialog(const Json& json) {
  return {.call_id = json.at("call_id"),
          .local_tag = json.at("local_tag"),
          .remote_tag = json.at("remote_tag"),
          .local_uri = json.at("local_uri"),
          .local_display = json.at("local_display"),
          .remote_uri = json.at("remote_uri"),
          .remote_display = json.at("remote_display"),
          .local_cseq = json.at("local_cseq"),
          .remote_cseq = read_optional<std::uint32_t>(json, "remote_cseq"),
          .remote_target = json.at("remote_target"),
          .route_set = json.at("route_set").get<std::vector<std::string>>(),
          .local_sdp = json.at("local_sdp"),
          .remote_sdp = json.at("remote_sdp"),
          .remote_identity = read_identity(json),
          .remote_party = read_party(json.value("remote_aor", "")),
          // Rows of earlier versions have none of these.
          .remote_allow = json.value("remote_allow", ""),
          .session_seconds = json.value("session_seconds", 0),
          .session_we_refresh = json.value("session_we_refresh", false),
          .remote_was_called = json.value("remote_was_called", false)};
}

Json json_of(const MediaAddress& address) {
  return {{"address", address.address}, {"port", address.port}};
}

MediaAddress read_address(const Json& json) {
  return {json.at("address"), json.at("port")};
}

MediaRemote read_remote(const Json& json) {
  const Json& codec = json.at("codec");
  return {.remote = read_address(json.at("remote")),
          .codec = {.name = codec.at("name"),
                    .payload_type = codec.at("payload_type"),
                    .clock_rate = codec.at("clock_rate"),
                    .telephone_event = read_optional<int>(codec, "telephone_event"),
                    .packet_ms = codec.value("packet_ms", MediaCodec{}.packet_ms)},
          .listens = json.at("listens"),
          .latching = json.value("latching", false)};
}

Json json_of(const MediaRemote& remote) {
  Json codec = {{"name", remote.codec.name},
                {"payload_type", remote.codec.payload_type},
                {"clock_rate", remote.codec.clock_rate}};
  write_optional(codec, "telephone_event", remote.codec.telephone_event);
  if (remote.codec.packet_ms != MediaCodec{}.packet_ms) codec["packet_ms"] = remote.codec.packet_ms;
  Json json = {{"remote", json_of(remote.remote)}, {"codec", std::move(codec)}, {"listens", remote.listens}};
  if (remote.latching) json["latching"] = true;
  return json;
}

MediaSnapshot read_media(const Json& json) {
  MediaSnapshot media{
      .session = json.at("session"), .local = read_address(json.at("local")), .ssrc = json.at("ssrc"), .remote = {}};
  if (json.contains("party")) media.remote = read_remote(json.at("party"));
  return media;
}

constexpr std::array<std::string_view, 4> kTargets = {"none", "parker", "ring_group", "fallback"};

RecallColumn read_recall(const Json& json) {
  const auto target = std::find(kTargets.begin(), kTargets.end(), json.at("target").get<std::string>());
  if (target == kTargets.end()) throw Json::other_error::create(501, "an unknown target", &json);
  const auto mode = json.at("mode").get<std::string>();
  if (name_of(recall_mode_of(mode)) != mode) throw Json::other_error::create(501, "an unknown mode", &json);
  return {.settings = {.mode = recall_mode_of(mode),
                       .after_seconds = json.at("after_seconds"),
                       .ring_seconds = json.at("ring_seconds"),
                       .retry_seconds = json.at("retry_seconds"),
                       .attempts_max = json.at("attempts_max"),
                       .alert_ring_group_wait_seconds = json.at("alert_ring_group_wait_seconds"),
                       .ring_group = json.at("ring_group"),
                       .fallback_destination = json.at("fallback_destination"),
                       // A row of an earlier schema has none.
                       .fallback_ring_seconds =
                           json.value("fallback_ring_seconds", RecallSettings{}.fallback_ring_seconds)},
          .progress = {.target = static_cast<park::RecallTarget>(target - kTargets.begin()),
                       .attempts = json.at("attempts"),
                       .is_calling = json.at("is_calling")}};
}

}  // namespace

std::string write_dialog(const DialogSnapshot& dialog) {
  Json json = {{"call_id", dialog.call_id},
               {"local_tag", dialog.local_tag},
               {"remote_tag", dialog.remote_tag},
               {"local_uri", dialog.local_uri},
               {"local_display", dialog.local_display},
               {"remote_uri", dialog.remote_uri},
               {"remote_display", dialog.remote_display},
               {"local_cseq", dialog.local_cseq},
               {"remote_target", dialog.remote_target},
               {"route_set", dialog.route_set},
               {"local_sdp", dialog.local_sdp},
               {"remote_sdp", dialog.remote_sdp},
               {"remote_name", dialog.remote_identity.name},
               {"remote_number", dialog.remote_identity.number},
               {"remote_aor", aor_or_empty(dialog.remote_party)}};
  write_optional(json, "remote_cseq", dialog.remote_cseq);
  if (dialog.remote_was_called) json["remote_was_called"] = true;
  if (!dialog.remote_allow.empty()) json["remote_allow"] = dialog.remote_allow;
  if (dialog.session_seconds > 0) {
    json["session_seconds"] = dialog.session_seconds;
    json["session_we_refresh"] = dialog.session_we_refresh;
  }
  return write_json(json);
}

Result<DialogSnapshot, BadColumn> parse_dialog(std::string_view text) {
  return parse(text, read_dialog);
}

std::string write_recall(const RecallColumn& recall) {
  const RecallSettings& settings = recall.settings;
  return write_json({{"mode", name_of(settings.mode)},
                     {"after_seconds", settings.after_seconds},
                     {"ring_seconds", settings.ring_seconds},
                     {"retry_seconds", settings.retry_seconds},
                     {"attempts_max", settings.attempts_max},
                     {"alert_ring_group_wait_seconds", settings.alert_ring_group_wait_seconds},
                     {"ring_group", settings.ring_group},
                     {"fallback_destination", settings.fallback_destination},
                     {"fallback_ring_seconds", settings.fallback_ring_seconds},
                     {"target", kTargets.at(static_cast<std::size_t>(recall.progress.target))},
                     {"attempts", recall.progress.attempts},
                     {"is_calling", recall.progress.is_calling}});
}

Result<RecallColumn, BadColumn> parse_recall(std::string_view text) {
  return parse(text, read_recall);
}

std::string write_media(const MediaSnapshot& media) {
  Json json = {{"session", media.session}, {"local", json_of(media.local)}, {"ssrc", media.ssrc}};
  if (media.remote) json["party"] = json_of(*media.remote);
  return write_json(json);
}

Result<MediaSnapshot, BadColumn> parse_media(std::string_view text) {
  return parse(text, read_media);
}

std::string write_retriever(const std::optional<Party>& retriever) {
  return retriever ? text_of(*retriever) : "";
}

std::optional<Party> parse_retriever(const std::string& tenant, const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text.starts_with(kTrunkPrefix)) return Trunk{text.substr(kTrunkPrefix.size())};
  return party_of_number(tenant, text);
}

std::string caller_uri_of(const DialogSnapshot& caller) {
  const Extension* const extension = extension_in(caller.remote_party);
  return extension ? std::string(kUriScheme) + aor_of(*extension) : caller.remote_uri;
}

std::optional<Extension> extension_of_uri(const std::string& tenant, std::string_view uri) {
  if (!uri.starts_with(kUriScheme)) return std::nullopt;
  auto extension = extension_of_aor(uri.substr(kUriScheme.size()));
  return extension && extension->tenant == tenant ? extension : std::nullopt;
}

}  // namespace callpark
