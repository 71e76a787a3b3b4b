#include "kamailio_protocol/call_question.h"

#include <optional>

#include "base/json.h"
#include "base/utf8.h"
#include "kamailio_protocol/party_identity.h"

namespace callpark::kamailio_protocol {
namespace {

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool yes(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::optional<Party> caller_of(const Json& object) {
  if (text(object, "kind") == "trunk") return Trunk{text(object, "trunk")};
  if (const auto extension = extension_of_aor(text(object, "aor"))) return *extension;
  return std::nullopt;
}

PartyIdentity identity_of_caller(const Json& object, const Party& caller) {
  if (yes(object, "withheld")) return {};
  PartyIdentity identity = identity_of(text(object, "display"), text(object, "uri"));
  const Extension* extension = extension_in(caller);
  if (extension && identity != PartyIdentity{}) identity.number = extension->number;
  return identity;
}

}  // namespace

Result<CallQuestion, std::string> decode_call_question(std::string_view json) {
  auto parsed = parse_json(json);
  if (!parsed) parsed = parse_json(valid_utf8(json));
  if (!parsed) return failure(std::string(describe(parsed.error())));
  if (!parsed->is_object()) return failure(std::string("an object is wanted"));
  CallQuestion question;
  question.sip_call_id = text(*parsed, "call_id");
  question.called = text(*parsed, "called");
  const auto caller = caller_of(*parsed);
  if (question.sip_call_id.empty()) return failure(std::string("call_id: a text that is not empty is wanted"));
  if (question.called.empty()) return failure(std::string("called: a text that is not empty is wanted"));
  if (!caller) return failure(std::string("kind, aor: a trunk or an extension is wanted"));
  question.caller = *caller;
  question.identity = identity_of_caller(*parsed, *caller);
  return question;
}

}  // namespace callpark::kamailio_protocol
