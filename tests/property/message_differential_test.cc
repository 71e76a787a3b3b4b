// Our parser against oSIP's, over generated messages: both must read the same facts out of the same text.
#include <gtest/gtest.h>
#include <osipparser2/osip_parser.h>

#include <cstdarg>
#include <memory>
#include <string>

#include "parkd/message/sip_parser.h"
#include "tests/property/message_generator.h"

namespace callpark::sip {
namespace {

struct FreeMessage {
  void operator()(osip_message_t* message) const { osip_message_free(message); }
};
using OsipMessage = std::unique_ptr<osip_message_t, FreeMessage>;

OsipMessage parse_with_osip(const std::string& text) {
  osip_message_t* message = nullptr;
  if (osip_message_init(&message) != 0) return nullptr;
  OsipMessage owned(message);
  return osip_message_parse(message, text.data(), text.size()) == 0 ? std::move(owned) : nullptr;
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

/// What both parsers are asked, as text, so that a difference can be read.
struct Facts {
  std::string method;
  int status = 0;
  std::string request_uri;
  std::string call_id;
  std::string cseq;
  std::string from_uri;
  std::string from_tag;
  std::string to_uri;
  std::string to_tag;
  std::string contact_uri;
  std::string top_via;
  std::string vias;
  std::string body;

  bool operator==(const Facts&) const = default;
  friend void PrintTo(const Facts& f, std::ostream* out) {
    *out << f.method << "|" << f.status << "|" << f.request_uri << "|" << f.call_id << "|" << f.cseq << "|"
         << f.from_uri << "|" << f.from_tag << "|" << f.to_uri << "|" << f.to_tag << "|" << f.contact_uri << "|"
         << f.top_via << "|" << f.vias << "|" << f.body;
  }
};

// oSIP removes escapes, and the brackets of an IPv6 address.
std::string plain_host(std::string host) {
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

std::string describe(const SipUri& uri) {
  return uri.scheme() + " " + uri.user() + " " + plain_host(uri.host()) + " " +
         (uri.port() ? std::to_string(*uri.port()) : "") + " " + std::string(uri.transport());
}

std::string describe(osip_uri_t* uri) {
  osip_uri_param_t* transport = nullptr;
  osip_uri_uparam_get_byname(uri, const_cast<char*>("transport"), &transport);
  return text_or_empty(uri->scheme) + " " + text_or_empty(uri->username) + " " + plain_host(text_or_empty(uri->host)) +
         " " + text_or_empty(uri->port) + " " + (transport == nullptr ? "" : text_or_empty(transport->gvalue));
}

Facts facts(const SipMessage& m) {
  Facts f;
  f.method = m.is_request() ? m.method() : "";
  f.status = m.status();
  f.request_uri = m.is_request() ? describe(m.request_uri()) : "";
  f.call_id = m.call_id();
  f.cseq = m.cseq().to_string();
  f.from_uri = describe(m.from().uri);
  f.from_tag = m.from_tag();
  f.to_uri = describe(m.to().uri);
  f.to_tag = m.to_tag();
  if (const auto contact = m.contact()) f.contact_uri = describe(contact->uri);
  const Via via = m.top_via();
  f.top_via = via.transport + " " + plain_host(via.host) + " " + (via.port ? std::to_string(*via.port) : "") + " " +
              std::string(via.branch());
  for (const Via& each : m.vias()) f.vias += plain_host(each.host) + " ";
  f.body = m.body();
  return f;
}

std::string tag_of(osip_from_t* address) {
  osip_generic_param_t* tag = nullptr;
  osip_generic_param_get_byname(&address->gen_params, const_cast<char*>("tag"), &tag);
  return tag == nullptr ? "" : text_or_empty(tag->gvalue);
}

Facts facts(osip_message_t* m) {
  Facts f;
  f.method = MSG_IS_REQUEST(m) ? text_or_empty(m->sip_method) : "";
  f.status = m->status_code;
  f.request_uri = MSG_IS_REQUEST(m) ? describe(m->req_uri) : "";
  f.call_id = text_or_empty(m->call_id->number);
  if (m->call_id->host != nullptr) f.call_id += "@" + std::string(m->call_id->host);
  f.cseq = text_or_empty(m->cseq->number) + " " + text_or_empty(m->cseq->method);
  f.from_uri = describe(m->from->url);
  f.from_tag = tag_of(m->from);
  f.to_uri = describe(m->to->url);
  f.to_tag = tag_of(m->to);
  osip_contact_t* contact = nullptr;
  if (osip_message_get_contact(m, 0, &contact) >= 0 && contact != nullptr) f.contact_uri = describe(contact->url);
  for (int i = 0; i < osip_list_size(&m->vias); ++i) {
    osip_via_t* via = nullptr;
    osip_message_get_via(m, i, &via);
    f.vias += plain_host(text_or_empty(via->host)) + " ";
    if (i > 0) continue;
    osip_generic_param_t* branch = nullptr;
    osip_via_param_get_byname(via, const_cast<char*>("branch"), &branch);
    f.top_via = text_or_empty(via->protocol) + " " + plain_host(text_or_empty(via->host)) + " " +
                text_or_empty(via->port) + " " + (branch == nullptr ? "" : text_or_empty(branch->gvalue));
  }
  osip_body_t* body = nullptr;
  if (osip_message_get_body(m, 0, &body) >= 0 && body != nullptr) f.body.assign(body->body, body->length);
  return f;
}

class MessageDifferential : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    parser_init();
    osip_trace_initialize_func(OSIP_FATAL, [](const char*, int, osip_trace_level_t, const char*, va_list) {});
  }
};

TEST_F(MessageDifferential, OsipReadsTheSameFacts) {
  constexpr std::uint64_t kMessages = 5000;
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    const std::string text = MessageGenerator(seed).make().text;
    const auto ours = parse(text);
    ASSERT_TRUE(ours) << ours.error().sentence() << ", seed " << seed << "\n" << text;
    const OsipMessage theirs = parse_with_osip(text);
    if (theirs == nullptr) continue;
    ++compared;
    ASSERT_EQ(facts(*ours), facts(theirs.get())) << "seed " << seed << "\n" << text;
  }
  RecordProperty("compared", static_cast<int>(compared));
  // oSIP wants a blank in CSeq where RFC 3261 allows a tab, and such things; it has to read most of them for this test
  // to mean anything.
  EXPECT_GT(compared, kMessages * 9 / 10);
}

}  // namespace
}  // namespace callpark::sip
