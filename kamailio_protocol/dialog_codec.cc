#include "kamailio_protocol/dialog_codec.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "kamailio_protocol/party_identity.h"
#include "parkd/dialog/route_set.h"
#include "parkd/message/sip_uri.h"

namespace callpark::kamailio_protocol {

namespace {

// RFC 3261 8.1.1.5
constexpr std::uint64_t kCSeqMax = 0x7fffffff;
// rules/sdp_digest.lua
constexpr std::string_view kTooLong = "-";

struct Side {
  std::string tag;
  std::string uri;
  std::string display;
  std::string contact;
  std::uint32_t cseq = 0;
  sip::RouteSet route_set;
  std::string sdp;
  PartyIdentity identity;
  Party party;
};

// Reads the members of one object and keeps the first complaint, so that reading goes on with empty values.
class Members {
 public:
  Members(const Json& object, std::string path, std::optional<std::string>& complaint)
      : object_(object), path_(std::move(path)), complaint_(complaint) {
    if (!object_.is_object()) complain("", "an object is wanted");
  }

  const Json& at(const char* name) const {
    static const Json kAbsent;
    const auto found = object_.find(name);
    return found == object_.end() ? kAbsent : *found;
  }

  std::string text(const char* name) {
    const Json& value = at(name);
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) return value.get<std::string>();
    complain(name, "a text that is not empty is wanted");
    return {};
  }

  std::string text_if_any(const char* name) {
    const Json& value = at(name);
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_null()) complain(name, "a text is wanted");
    return {};
  }

  std::string uri(const char* name) {
    std::string value = text(name);
    if (!value.empty() && !sip::parse_uri(value)) complain(name, "a SIP URI is wanted");
    return value;
  }

  bool yes(const char* name) {
    const Json& value = at(name);
    return value.is_boolean() && value.get<bool>();
  }

  std::uint32_t cseq(const char* name) {
    const Json& value = at(name);
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= kCSeqMax) return value.get<std::uint32_t>();
    complain(name, "a number from 0 to 2147483647 is wanted");
    return 0;
  }

  WallTime moment(const char* name) {
    const Json& value = at(name);
    if (value.is_number()) return WallTime(Duration(static_cast<std::int64_t>(value.get<double>() * 1000)));
    if (!value.is_null()) complain(name, "seconds of the epoch are wanted");
    return {};
  }

  sip::RouteSet routes(const char* name) {
    auto routes = sip::parse_route_set(text_if_any(name));
    if (routes) return std::move(*routes);
    complain(name, "a list of addresses in angle brackets is wanted");
    return {};
  }

  void complain(std::string_view name, std::string_view what) {
    if (complaint_) return;
    std::string where = path_;
    if (!where.empty() && !name.empty()) where += ".";
    where += name;
    complaint_ = where.empty() ? std::string(what) : where + ": " + std::string(what);
  }

 private:
  const Json& object_;
  std::string path_;
  std::optional<std::string>& complaint_;
};

PartyIdentity read_identity(const Side& side, Members& members) {
  if (members.yes("withheld")) return {};
  PartyIdentity identity = identity_of(side.display, side.uri);
  // A ring group's number may have reached the extension, and its From may name another number.
  const Extension* extension = extension_in(side.party);
  if (extension && identity != PartyIdentity{}) identity.number = extension->number;
  return identity;
}

Side read_side(const Json& object, const std::string& path, std::optional<std::string>& complaint) {
  Members members(object, path, complaint);
  Side side;
  side.tag = members.text("tag");
  side.uri = members.uri("uri");
  side.display = members.text_if_any("display");
  side.contact = members.uri("contact");
  side.cseq = members.cseq("cseq");
  side.route_set = members.routes("route_set");
  side.sdp = members.text_if_any("sdp");
  const std::string aor = members.text_if_any("aor");
  const auto extension = extension_of_aor(aor);
  if (members.text_if_any("kind") == "extension" && extension) side.party = *extension;
  side.identity = read_identity(side, members);
  return side;
}

DialogSnapshot between(const std::string& call_id, const Side& local, const Side& remote, const sip::RouteSet& route) {
  DialogSnapshot dialog;
  dialog.call_id = call_id;
  dialog.local_tag = local.tag;
  dialog.remote_tag = remote.tag;
  dialog.local_uri = local.uri;
  dialog.local_display = local.display;
  dialog.remote_uri = remote.uri;
  dialog.remote_display = remote.display;
  dialog.local_cseq = local.cseq;
  // 0: Kamailio has counted no request of this side.
  if (remote.cseq != 0) dialog.remote_cseq = remote.cseq;
  dialog.remote_target = remote.contact;
  dialog.route_set = route;
  dialog.route_set.insert(dialog.route_set.end(), remote.route_set.begin(), remote.route_set.end());
  dialog.local_sdp = local.sdp;
  dialog.remote_sdp = remote.sdp;
  dialog.remote_identity = remote.identity;
  dialog.remote_party = remote.party;
  return dialog;
}

// RFC 4028. The refresher of a half is parkd if it speaks for that side.
void read_session(Members& members, AdoptableDialog& dialog, bool caller_parks) {
  const Json& seconds = members.at("session_seconds");
  if (!seconds.is_number_unsigned() || seconds.get<std::uint64_t>() > 100'000'000) return;
  const std::string refresher = members.text_if_any("session_refresher");
  for (DialogSnapshot* half : {&dialog.caller, &dialog.parker}) {
    half->session_seconds = seconds.get<int>();
    const bool is_caller_local = caller_parks == (half == &dialog.caller);
    half->session_we_refresh = (refresher == "caller") == is_caller_local;
  }
}

}  // namespace

Result<AdoptableDialog, DialogCodecError> decode_dialog(std::string_view json) {
  // A display name in Latin-1 is no reason to lose a call, nor the letters of other names.
  auto parsed = parse_json(json);
  if (!parsed) parsed = parse_json(valid_utf8(json));
  if (!parsed) return failure(DialogCodecError{std::string(describe(parsed.error()))});

  std::optional<std::string> complaint;
  Members members(*parsed, "", complaint);
  const std::string call_id = members.text("call_id");
  const std::string parker = members.text("parker");
  if (parker != "caller" && parker != "callee") members.complain("parker", "\"caller\" or \"callee\" is wanted");
  const sip::RouteSet route = members.routes("route");
  if (route.empty()) members.complain("route", "an address in angle brackets is wanted");
  const Side caller = read_side(members.at("caller"), "caller", complaint);
  const Side callee = read_side(members.at("callee"), "callee", complaint);
  const Hold hold{members.text_if_any("held_by"), members.moment("held_at")};
  if (complaint) return failure(DialogCodecError{*complaint});

  const Side& parking = parker == "caller" ? caller : callee;
  const Side& parked = parker == "caller" ? callee : caller;
  AdoptableDialog dialog{between(call_id, parking, parked, route), between(call_id, parked, parking, route), hold};
  // Kamailio may have counted requests of parkd's, of a park that was refused, as those of the parked party. The next
  // request of that party shows its CSeq (RFC 3261 12.2.2).
  dialog.caller.remote_cseq.reset();
  (parker == "caller" ? dialog.caller : dialog.parker).remote_was_called = true;
  dialog.is_too_long = caller.sdp == kTooLong || callee.sdp == kTooLong;
  read_session(members, dialog, parker == "caller");
  return dialog;
}

}  // namespace callpark::kamailio_protocol
