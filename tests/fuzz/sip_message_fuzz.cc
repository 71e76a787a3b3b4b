// Any octets as a SIP message and as the parts of one: never a crash, and what was read is written and read again the
// same.
#include <cstdint>
#include <cstdlib>

#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "tests/property/message_touch.h"

namespace callpark::sip {
namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void message(std::string_view text) {
  const auto parsed = parse(text);
  if (!parsed) {
    if (parsed.error().request) {
      touch_everything(*parsed.error().request);
      touch_everything(make_response(*parsed.error().request, parsed.error().status, {}, "tag"));
    }
    return;
  }
  touch_everything(*parsed);
  const auto again = parse(write(*parsed));
  expect(again && *again == *parsed);
  if (parsed->is_request()) {
    SipMessage response = make_response(*parsed, 200, {}, "tag");
    copy_record_route(*parsed, response);
    response.set_body("text/plain", text);
    expect(parse(write(response)).has_value());
  }
  SipMessage changed = *parsed;
  changed.remove_top_via();
  changed.set_top_via(parsed->top_via());
  changed.prepend_via(parsed->top_via());
  changed.set_header("X-Test", text);
  changed.set_header(HeaderName::kContact, parsed->header("Contact").value_or(""));
  changed.remove_header("Route");
  touch_everything(changed);
  const auto changed_again = parse(write(changed));
  expect(changed_again || !parsed->header("Contact"));
}

void parts(std::string_view text) {
  if (const auto uri = parse_uri(text)) expect(parse_uri(uri->to_string()) == *uri && uri->equivalent(*uri));
  if (const auto address = parse_name_addr(text)) expect(parse_name_addr(address->to_string()) == *address);
  if (const auto via = parse_via(text)) expect(parse_via(via->to_string()) == *via);
  if (const auto cseq = parse_cseq(text)) expect(parse_cseq(cseq->to_string()) == *cseq);
  if (const auto replaces = parse_replaces(text)) expect(parse_replaces(replaces->to_string()) == *replaces);
  expect(unescape(escape_user(text)) == text);
  header_name(text);
  split_list(text);
}

}  // namespace
}  // namespace callpark::sip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  callpark::sip::message(text);
  callpark::sip::parts(text);
  return 0;
}
