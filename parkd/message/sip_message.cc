#include "parkd/message/sip_message.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

constexpr bool breaks_line(char c) noexcept {
  return c == '\r' || c == '\n';
}

std::string as_token(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is(c, kToken); }, '-');
  return out;
}

std::string_view tag_in(std::string_view value) noexcept {
  Scanner scanner(value);
  AddressParts parts;
  return scan_address(scanner, parts) ? param_value(parts.params, "tag") : std::string_view{};
}

NameAddr address_in(std::string_view value) {
  return parse_name_addr(value).value_or(NameAddr{});
}

}  // namespace

void SipMessage::swap(SipMessage& other) noexcept {
  text_.swap(other.text_);
  fields_.swap(other.fields_);
  std::swap(method_, other.method_);
  std::swap(uri_, other.uri_);
  std::swap(reason_, other.reason_);
  std::swap(body_, other.body_);
  std::swap(status_, other.status_);
}

std::string_view SipMessage::method() const noexcept {
  if (is_request()) return view(method_);
  CSeqParts parts;
  return scan_cseq(first(HeaderName::kCSeq), parts) ? parts.method : std::string_view{};
}

SipUri SipMessage::request_uri() const {
  return parse_uri(view(uri_)).value_or(SipUri{});
}

void SipMessage::set_request_uri(const SipUri& uri) {
  set_request_uri(uri.to_string());
}

void SipMessage::set_request_uri(std::string_view uri) {
  // A Request-URI must not contain a space or a control character, which would end the request line early.
  std::string clean(uri);
  std::erase_if(clean, [](char c) { return !is(c, kVisible); });
  uri_ = store(clean);
}

std::string_view SipMessage::call_id() const noexcept {
  return first(HeaderName::kCallId);
}

CSeq SipMessage::cseq() const {
  return parse_cseq(first(HeaderName::kCSeq)).value_or(CSeq{});
}

NameAddr SipMessage::from() const {
  return address_in(first(HeaderName::kFrom));
}
NameAddr SipMessage::to() const {
  return address_in(first(HeaderName::kTo));
}
std::string_view SipMessage::from_tag() const noexcept {
  return tag_in(first(HeaderName::kFrom));
}
std::string_view SipMessage::to_tag() const noexcept {
  return tag_in(first(HeaderName::kTo));
}

template <class Item, class ParseList>
std::vector<Item> SipMessage::collect(HeaderName name, ParseList parse_list) const {
  std::vector<Item> all;
  for (const Field& field : fields_) {
    if (field.name != name) continue;
    auto list = parse_list(view(field.value));
    if (!list) continue;
    if (all.empty()) {
      all = std::move(*list);
    } else {
      std::move(list->begin(), list->end(), std::back_inserter(all));
    }
  }
  return all;
}

std::vector<Via> SipMessage::vias() const {
  return collect<Via>(HeaderName::kVia, parse_via_list);
}
std::vector<NameAddr> SipMessage::contacts() const {
  return collect<NameAddr>(HeaderName::kContact, parse_name_addr_list);
}
std::vector<NameAddr> SipMessage::routes() const {
  return collect<NameAddr>(HeaderName::kRoute, parse_name_addr_list);
}
std::vector<NameAddr> SipMessage::record_routes() const {
  return collect<NameAddr>(HeaderName::kRecordRoute, parse_name_addr_list);
}

Via SipMessage::top_via() const {
  Scanner scanner(first(HeaderName::kVia));
  ViaParts parts;
  return scan_via(scanner, parts) ? make_via(parts) : Via{};
}

std::string_view SipMessage::top_branch() const noexcept {
  Scanner scanner(first(HeaderName::kVia));
  ViaParts parts;
  return scan_via(scanner, parts) ? param_value(parts.params, "branch") : std::string_view{};
}

void SipMessage::prepend_via(const Via& via) {
  prepend_header(HeaderName::kVia, via.to_string());
}

void SipMessage::set_top_via(const Via& via) {
  remove_top_via();
  prepend_via(via);
}

void SipMessage::remove_top_via() {
  const auto field =
      std::find_if(fields_.begin(), fields_.end(), [](const Field& f) { return f.name == HeaderName::kVia; });
  if (field == fields_.end()) return;
  const std::string_view value = view(field->value);
  Scanner scanner(value);
  ViaParts parts;
  if (scan_via(scanner, parts) && scanner.accept_spaced(',')) {
    const auto taken = static_cast<std::uint32_t>(scanner.since(value.data()).size());
    field->value.offset += taken;
    field->value.length -= taken;
  } else {
    fields_.erase(field);
  }
}

std::optional<NameAddr> SipMessage::contact() const {
  Scanner scanner(first(HeaderName::kContact));
  AddressParts parts;
  if (!scan_address(scanner, parts)) return std::nullopt;
  return make_name_addr(parts);
}

std::optional<NameAddr> SipMessage::only_address(HeaderName name) const {
  const auto values = all_headers(name);
  if (values.size() != 1) return std::nullopt;
  auto address = parse_name_addr(values.front());
  if (!address) return std::nullopt;
  return std::move(*address);
}

std::optional<NameAddr> SipMessage::refer_to() const {
  return only_address(HeaderName::kReferTo);
}
std::optional<NameAddr> SipMessage::referred_by() const {
  return only_address(HeaderName::kReferredBy);
}

std::optional<Replaces> SipMessage::replaces() const {
  const auto values = all_headers(HeaderName::kReplaces);
  if (values.size() != 1) return std::nullopt;
  auto replaces = parse_replaces(values.front());
  if (!replaces) return std::nullopt;
  return std::move(*replaces);
}

std::optional<std::uint32_t> SipMessage::max_forwards() const {
  return number(first(HeaderName::kMaxForwards));
}

std::optional<std::uint32_t> SipMessage::expires() const {
  const std::string_view digits = first(HeaderName::kExpires);
  if (!consists_of(digits, kDigit)) return std::nullopt;
  // RFC 3261 20.19 ends at 2^32-1; a larger value means the same: never.
  return number(digits).value_or(0xffffffff);
}

const SipMessage::Field* SipMessage::find(HeaderName name, std::string_view text) const noexcept {
  for (const Field& field : fields_) {
    if (matches(field, name, text)) return &field;
  }
  return nullptr;
}

bool SipMessage::matches(const Field& field, HeaderName name, std::string_view text) const noexcept {
  if (field.name != name) return false;
  return name != HeaderName::kOther || same_ignoring_case(view(field.text), text);
}

std::string_view SipMessage::first(HeaderName name) const noexcept {
  const Field* const field = find(name, {});
  return field == nullptr ? std::string_view{} : view(field->value);
}

std::optional<std::string_view> SipMessage::header(std::string_view name) const noexcept {
  const Field* const field = find(header_name(name), name);
  return field == nullptr ? std::nullopt : std::optional(view(field->value));
}

std::optional<std::string_view> SipMessage::header(HeaderName name) const noexcept {
  const Field* const field = find(name, {});
  return field == nullptr ? std::nullopt : std::optional(view(field->value));
}

std::vector<std::string_view> SipMessage::all_headers(std::string_view name) const {
  const HeaderName number = header_name(name);
  std::vector<std::string_view> all;
  for (const Field& field : fields_) {
    if (!matches(field, number, name)) continue;
    if (is_list(number)) {
      const auto parts = split_list(view(field.value));
      all.insert(all.end(), parts.begin(), parts.end());
    } else {
      all.push_back(view(field.value));
    }
  }
  return all;
}

std::vector<std::string_view> SipMessage::all_headers(HeaderName name) const {
  return all_headers(text_of(name));
}

bool SipMessage::has_token(HeaderName name, std::string_view token) const noexcept {
  for (const Field& field : fields_) {
    if (field.name != name) continue;
    Scanner scanner(view(field.value));
    do {
      scanner.skip_space();
      if (same_ignoring_case(scanner.take(kToken), token)) return true;
      scanner.take_before(',');
    } while (scanner.accept(','));
  }
  return false;
}

std::vector<HeaderField> SipMessage::headers() const {
  std::vector<HeaderField> all;
  all.reserve(fields_.size());
  for (const Field& field : fields_) all.push_back({field.name, view(field.text), view(field.value)});
  return all;
}

SipMessage::Span SipMessage::store(std::string_view text) {
  const Span span{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_.append(text);
  std::replace_if(text_.begin() + span.offset, text_.end(), breaks_line, ' ');
  return span;
}

SipMessage::Field SipMessage::make_field(HeaderName name, std::string_view text, std::string_view value) {
  Field field{name, {}, {}};
  // `value` may be a view of this message's text, which the first of two appends could move.
  const std::string kept(trimmed(value));
  field.text = name == HeaderName::kOther ? store(as_token(text)) : store(text_of(name));
  field.value = store(kept);
  return field;
}

void SipMessage::set_header(std::string_view name, std::string_view value) {
  const HeaderName number = header_name(name);
  if (number == HeaderName::kContentLength) return;
  const Field field = make_field(number, name, value);
  const std::string_view kept = view(field.text);
  const auto place =
      std::find_if(fields_.begin(), fields_.end(), [&](const Field& other) { return matches(other, number, kept); });
  if (place == fields_.end()) {
    fields_.push_back(field);
    return;
  }
  *place = field;
  fields_.erase(
      std::remove_if(place + 1, fields_.end(), [&](const Field& other) { return matches(other, number, kept); }),
      fields_.end());
}

void SipMessage::add_header(std::string_view name, std::string_view value) {
  const HeaderName number = header_name(name);
  if (number != HeaderName::kContentLength) fields_.push_back(make_field(number, name, value));
}

void SipMessage::prepend_header(std::string_view name, std::string_view value) {
  const HeaderName number = header_name(name);
  if (number != HeaderName::kContentLength) fields_.insert(fields_.begin(), make_field(number, name, value));
}

void SipMessage::remove_header(std::string_view name) {
  const HeaderName number = header_name(name);
  std::erase_if(fields_, [&](const Field& field) { return matches(field, number, name); });
}

void SipMessage::set_header(HeaderName name, std::string_view value) {
  set_header(text_of(name), value);
}
void SipMessage::add_header(HeaderName name, std::string_view value) {
  add_header(text_of(name), value);
}
void SipMessage::prepend_header(HeaderName name, std::string_view value) {
  prepend_header(text_of(name), value);
}
void SipMessage::remove_header(HeaderName name) {
  remove_header(text_of(name));
}

void SipMessage::set_cseq(std::uint32_t number, std::string_view method) {
  set_header(HeaderName::kCSeq, CSeq{number, as_token(method)}.to_string());
}

bool SipMessage::has_content_type(std::string_view type) const noexcept {
  const std::string_view value = content_type();
  return same_ignoring_case(trimmed(value.substr(0, value.find(';'))), type);
}

void SipMessage::set_body(std::string_view content_type, std::string_view text) {
  const Span body{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  const std::string type(content_type);
  text_.append(text);
  body_ = body;
  if (type.empty()) {
    remove_header(HeaderName::kContentType);
  } else {
    set_header(HeaderName::kContentType, type);
  }
}

bool operator==(const SipMessage& left, const SipMessage& right) {
  const auto same_field = [&](const SipMessage::Field& a, const SipMessage::Field& b) {
    return left.view(a.value) == right.view(b.value) && left.matches(a, b.name, right.view(b.text));
  };
  return left.status_ == right.status_ && left.view(left.method_) == right.view(right.method_) &&
         left.view(left.uri_) == right.view(right.uri_) && left.reason() == right.reason() &&
         left.body() == right.body() &&
         std::equal(left.fields_.begin(), left.fields_.end(), right.fields_.begin(), right.fields_.end(), same_field);
}

SipMessage make_request(std::string_view method, std::string_view uri) {
  SipMessage request;
  request.text_.reserve(1024);
  request.fields_.reserve(24);
  request.method_ = request.store(as_token(method));
  request.set_request_uri(uri);
  request.add_header(HeaderName::kMaxForwards, "70");
  return request;
}

SipMessage make_request(std::string_view method, const SipUri& uri) {
  return make_request(method, uri.to_string());
}

SipMessage make_response(const SipMessage& request, int status, std::string_view reason, std::string_view to_tag) {
  SipMessage response;
  response.text_.reserve(1024);
  response.fields_.reserve(24);
  response.status_ = std::clamp(status, 100, 699);
  response.reason_ = response.store(reason.empty() ? reason_phrase(response.status_) : reason);
  for (const SipMessage::Field& field : request.fields_) {
    const bool copied = field.name == HeaderName::kVia || field.name == HeaderName::kFrom ||
                        field.name == HeaderName::kTo || field.name == HeaderName::kCallId ||
                        field.name == HeaderName::kCSeq || (field.name == HeaderName::kTimestamp && status == 100);
    if (copied) response.add_header(field.name, request.view(field.value));
  }
  if (!to_tag.empty() && response.to_tag().empty()) {
    // The tag follows the text as it came: valid for every form of address, and for one that could not be read.
    response.set_header(HeaderName::kTo, std::string(response.first(HeaderName::kTo)) + ";tag=" + std::string(to_tag));
  }
  return response;
}

void copy_record_route(const SipMessage& request, SipMessage& response) {
  for (const HeaderField& field : request.headers()) {
    if (field.name == HeaderName::kRecordRoute) response.add_header(field.name, field.value);
  }
}

}  // namespace callpark::sip
