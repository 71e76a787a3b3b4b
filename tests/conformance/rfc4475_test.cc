// The 49 messages of RFC 4475, each with the outcome that the RFC gives it. What the RFC leaves to a layer above (416,
// 420, 483, ...) is tested here as far as this layer goes: the message is read, and the fact that decides is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "parkd/message/sdp.h"
#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct TortureMessage {
  std::string section;
  std::string text;
};

std::string octets(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

/// Undoes the notation of RFC 4475 2.2 and 2.3.
std::string expanded(const std::string& line) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    if (line.compare(at, 5, "<hex>") == 0) {
      const std::size_t end = line.find("</hex>", at);
      out += octets(line.substr(at + 5, end - at - 5));
      at = end + 6;
    } else if (line.compare(at, 14, "<repeat count=") == 0) {
      const std::size_t start = line.find('>', at) + 1;
      const std::size_t end = line.find("</repeat>", at);
      for (int n = std::stoi(line.substr(at + 14)); n > 0; --n) out += line.substr(start, end - start);
      at = end + 9;
    } else {
      out += line[at++];
    }
  }
  return out;
}

std::map<std::string, TortureMessage> read_messages() {
  std::map<std::string, TortureMessage> messages;
  TortureMessage* current = nullptr;
  std::ifstream file(CALLPARK_SOURCE_DIR "/tests/data/rfc4475/messages.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      const std::size_t space = line.find(' ', 4);
      current = &messages[line.substr(4, space - 4)];
      current->section = line.substr(space + 1);
    } else if (current != nullptr) {
      current->text += expanded(line) + "\r\n";
    }
  }
  return messages;
}

const std::map<std::string, TortureMessage>& messages() {
  static const std::map<std::string, TortureMessage> all = read_messages();
  return all;
}

using Check = std::function<void(const SipMessage&)>;

struct Outcome {
  enum class Kind { kAccepted, kRefused, kDropped };
  Kind kind;
  SyntaxError code = {};
  int status = 0;
  Check check;
};

/// Valid; `check` holds what the RFC points out about it.
Outcome accepted(Check check) {
  return {Outcome::Kind::kAccepted, {}, 0, std::move(check)};
}
/// Refused with a response that its sender can match.
Outcome refused(SyntaxError code, int status = 400) {
  return {Outcome::Kind::kRefused, code, status, {}};
}
/// Not answered: a response, or a request that leaves no way to build one.
Outcome dropped(SyntaxError code) {
  return {Outcome::Kind::kDropped, code, 0, {}};
}

struct Case {
  std::string name;
  std::string section;
  std::string sentence;
  Outcome outcome;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << "RFC 4475 " << c.section << " " << c.sentence;
}

std::vector<std::string> transports_of(const SipMessage& message) {
  std::vector<std::string> transports;
  for (const Via& via : message.vias()) transports.push_back(via.transport);
  return transports;
}

std::vector<Case> cases() {
  return {
      // 3.1.1 Valid messages
      {"wsinv", "3.1.1.1", "a short tortuous INVITE", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.request_uri().to_string(), "sip:vivekg@chair-dnrc.example.com;unknownparam");
         EXPECT_EQ(m.to().tag(), "1918181833n");
         EXPECT_EQ(m.from().display, "J Rosenberg \\\"");
         EXPECT_EQ(m.from().tag(), "98asjd8");
         EXPECT_EQ(m.max_forwards(), 68U);
         EXPECT_EQ(m.cseq(), (CSeq{9, "INVITE"}));
         EXPECT_EQ(m.call_id(), "wsinv.ndaksdj@192.0.2.1");
         ASSERT_EQ(m.vias().size(), 3U);
         EXPECT_EQ(m.top_via().to_string(), "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw");
         EXPECT_EQ(m.vias()[1].to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
         EXPECT_EQ(m.vias()[2].to_string(), "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239");
         EXPECT_EQ(m.header("Subject"), std::nullopt);
         EXPECT_EQ(m.header("s"), "");
         EXPECT_EQ(m.header("UnknownHeaderWithUnusualValue"), ";;,,;;,;");
         ASSERT_EQ(m.routes().size(), 1U);
         EXPECT_TRUE(m.routes()[0].uri.has_lr());
         ASSERT_TRUE(m.contact());
         EXPECT_EQ(m.contact()->display, "Quoted string \"\"");
         EXPECT_EQ(m.contact()->params.get("newparam"), "newvalue");
         EXPECT_EQ(m.contact()->params.get("q"), "0.33");
         EXPECT_EQ(m.body().size(), 150U);
       })},
      {"intmeth", "3.1.1.2", "a wide range of valid characters", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.method(), "!interesting-Method0123456789_*+`.%indeed'~");
         EXPECT_EQ(m.request_uri().user(), "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
         EXPECT_EQ(m.request_uri().password_as_written(), "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
         EXPECT_EQ(m.to().display, std::string("BEL:\a NUL:\0 DEL:\x7f", 17));
         EXPECT_EQ(m.from().display, "token1~` token2'+_ token3*%!.-");
         EXPECT_EQ(m.from().params.get("fromparam''~+*_!.-%"), "\"работающий\"");
         EXPECT_EQ(m.from_tag(), "_token~1'+`*%!-.");
         EXPECT_EQ(m.call_id(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
         EXPECT_EQ(m.top_branch(), "z9hG4bK-.!%66*_+`'~");
         EXPECT_EQ(m.header("EXTENSIONHEADER-!.%*+_`'~"), "\xEF\xBB\xBF大停電");
       })},
      {"esc01", "3.1.1.3", "valid use of the % escaping mechanism", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.request_uri().user(), "sips:user@example.com");
         EXPECT_EQ(m.request_uri().host(), "example.net");
         EXPECT_EQ(m.to().uri.user(), "user");
         EXPECT_EQ(m.from().uri.user(), "I have spaces");
         ASSERT_TRUE(m.contact());
         EXPECT_TRUE(m.contact()->uri.equivalent(
             parse_uri("sip:caller@host5.example.net;lr;name=value%2541").value_or(SipUri{})));
       })},
      {"escnull", "3.1.1.4", "escaped nulls in URIs", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.to().uri.user(), std::string("null-\0-null", 11));
         ASSERT_EQ(m.contacts().size(), 2U);
         EXPECT_EQ(m.contacts()[1].uri.user(), std::string(2, '\0'));
       })},
      {"esc02", "3.1.1.5", "use of % when it is not an escape", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.method(), "RE%47IST%45R");
         EXPECT_EQ(m.to().display, "%Z%45");
         EXPECT_EQ(m.contacts().size(), 2U);
         EXPECT_EQ(m.header("C%6Fntact"), "<sip:alias2@host2.example.com>");
         EXPECT_EQ(m.top_branch(), "z9hG4bK209%fzsnel234");
       })},
      {"lwsdisp", "3.1.1.6", "no white space between display name and <", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.from().display, "caller");
         EXPECT_EQ(m.from().uri.user(), "caller");
       })},
      {"longreq", "3.1.1.7", "long values in header fields", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.vias().size(), 34U);
         EXPECT_EQ(m.to().uri.port(), 6000);
         EXPECT_EQ(m.to().uri.params().size(), 3U);
         EXPECT_EQ(m.call_id().size(), 141U);
       })},
      {"dblreq", "3.1.1.8", "extra trailing octets in a UDP datagram", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.method(), "REGISTER");
         EXPECT_THAT(m.body(), IsEmpty());
       })},
      {"semiuri", "3.1.1.9", "semicolon-separated parameters in the URI user part", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.request_uri().user(), "user;par=u@example.net");
         EXPECT_EQ(m.request_uri().host(), "example.com");
         EXPECT_TRUE(m.request_uri().params().empty());
         EXPECT_EQ(m.all_headers(HeaderName::kAccept).size(), 6U);
       })},
      {"transports", "3.1.1.10", "varied and unknown transport types", accepted([](const SipMessage& m) {
         EXPECT_THAT(transports_of(m), ElementsAre("UDP", "SCTP", "TLS", "UNKNOWN", "TCP"));
       })},
      {"mpart01", "3.1.1.11", "a multipart MIME message", accepted([](const SipMessage& m) {
         EXPECT_TRUE(m.has_content_type("multipart/mixed"));
         EXPECT_EQ(m.body().size(), 553U);
         EXPECT_NE(m.body().find('\0'), std::string_view::npos);
         EXPECT_TRUE(m.top_via().has_rport());
       })},
      {"unreason", "3.1.1.12", "an unusual reason phrase", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.status(), 200);
         EXPECT_EQ(m.reason(), "= 2**3 * 5**2 но сто девяносто девять - простое");
       })},
      {"noreason", "3.1.1.13", "an empty reason phrase", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.status(), 100);
         EXPECT_THAT(m.reason(), IsEmpty());
       })},

      // 3.1.2 Invalid messages
      // Its only Via is the malformed one, so there is no address for an answer.
      {"badinv01", "3.1.2.1", "extraneous header field separators", dropped(SyntaxError::kVia)},
      {"clerr", "3.1.2.2", "Content-Length larger than the message", refused(SyntaxError::kBodyTooShort)},
      {"ncl", "3.1.2.3", "negative Content-Length", refused(SyntaxError::kContentLength)},
      {"scalar02", "3.1.2.4", "request scalar fields with overlarge values", refused(SyntaxError::kCSeq)},
      {"scalarlg", "3.1.2.5", "response scalar fields with overlarge values", dropped(SyntaxError::kCSeq)},
      {"quotbal", "3.1.2.6", "unterminated quoted string in a display name", refused(SyntaxError::kAddress)},
      {"ltgtruri", "3.1.2.7", "<> enclosing the Request-URI", refused(SyntaxError::kRequestUri)},
      {"lwsruri", "3.1.2.8", "white space in the Request-URI", refused(SyntaxError::kRequestUri)},
      {"lwsstart", "3.1.2.9", "multiple spaces in the request line", refused(SyntaxError::kRequestUri)},
      {"trws", "3.1.2.10", "spaces at the end of the request line", refused(SyntaxError::kStartLine)},
      {"escruri", "3.1.2.11", "escaped headers in the Request-URI", refused(SyntaxError::kRequestUri)},
      // A server that has no use for a Date may ignore it, and parkd has none.
      {"baddate", "3.1.2.12", "a Date that is not in GMT",
       accepted([](const SipMessage& m) { EXPECT_EQ(m.header("Date"), "Fri, 01 Jan 2010 16:00:00 EST"); })},
      {"regbadct", "3.1.2.13", "a name-addr URI without <>", refused(SyntaxError::kAddress)},
      {"badaspec", "3.1.2.14", "spaces within an addr-spec", refused(SyntaxError::kAddress)},
      {"baddn", "3.1.2.15", "non-token characters in a display name", refused(SyntaxError::kAddress)},
      {"badvers", "3.1.2.16", "an unknown protocol version", refused(SyntaxError::kVersion, 505)},
      {"mismatch01", "3.1.2.17", "start line and CSeq method mismatch", refused(SyntaxError::kCSeqMethod)},
      {"mismatch02", "3.1.2.18", "unknown method with CSeq method mismatch", refused(SyntaxError::kCSeqMethod)},
      {"bigcode", "3.1.2.19", "an overlarge response code", dropped(SyntaxError::kStatusCode)},

      // 3.2 Transaction layer semantics: to be matched as RFC 2543 did, since the branch names nothing.
      {"badbranch", "3.2.1", "a branch that is only the magic cookie",
       accepted([](const SipMessage& m) { EXPECT_EQ(m.top_branch(), "z9hG4bK"); })},

      // 3.3 Application layer semantics
      // "Ideally" a 400; without From, To and Call-ID there is nothing to build one from.
      {"insuf", "3.3.1", "missing required header fields", dropped(SyntaxError::kMissingHeader)},
      {"unkscm", "3.3.2", "a Request-URI with an unknown scheme, for 416 above", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.request_uri().scheme(), "nobodyknowsthisscheme");
         EXPECT_FALSE(m.request_uri().is_sip());
       })},
      {"novelsc", "3.3.3", "a Request-URI with a known but atypical scheme, for 416 above",
       accepted([](const SipMessage& m) {
         EXPECT_EQ(m.request_uri().scheme(), "soap.beep");
         EXPECT_EQ(m.request_uri().opaque(), "//192.0.2.103:3002");
       })},
      {"unksm2", "3.3.4", "unknown URI schemes in header fields", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.to().uri.to_string(), "isbn:2983792873");
         EXPECT_EQ(m.from().uri.to_string(), "http://www.example.com");
         EXPECT_EQ(m.from_tag(), "3234233");
         EXPECT_EQ(m.contacts()[0].uri.scheme(), "name");
       })},
      {"bext01", "3.3.5", "Proxy-Require and Require, for 420 above", accepted([](const SipMessage& m) {
         EXPECT_THAT(m.all_headers(HeaderName::kRequire),
                     ElementsAre("nothingSupportsThis", "nothingSupportsThisEither"));
         EXPECT_TRUE(m.has_token(HeaderName::kProxyRequire, "norDoAnyProxiesSupportThis"));
       })},
      {"invut", "3.3.6", "an unknown Content-Type, for 415 above", accepted([](const SipMessage& m) {
         EXPECT_FALSE(m.has_content_type("application/sdp"));
         EXPECT_TRUE(m.has_content_type("Application/UnknownFormat"));
       })},
      {"regaut01", "3.3.7", "an unknown authorization scheme, for 401 above", accepted([](const SipMessage& m) {
         EXPECT_EQ(m.header(HeaderName::kAuthorization), "NoOneKnowsThisScheme opaque-data=here");
       })},
      {"multi01", "3.3.8", "several values in single-value fields", refused(SyntaxError::kDuplicateHeader)},
      {"mcl01", "3.3.9", "several Content-Length values", refused(SyntaxError::kDuplicateHeader)},
      {"bcast", "3.3.10", "a 200 with a broadcast Via, for the UAC to discard", accepted([](const SipMessage& m) {
         ASSERT_EQ(m.vias().size(), 2U);
         EXPECT_EQ(m.vias()[1].host, "255.255.255.255");
       })},
      {"zeromf", "3.3.11", "Max-Forwards of zero, which a user agent answers",
       accepted([](const SipMessage& m) { EXPECT_EQ(m.max_forwards(), 0U); })},
      {"cparam01", "3.3.12", "a Contact header parameter", accepted([](const SipMessage& m) {
         EXPECT_TRUE(m.contact()->params.has("unknownparam"));
         EXPECT_TRUE(m.contact()->uri.params().empty());
       })},
      {"cparam02", "3.3.13", "a URI parameter in a Contact", accepted([](const SipMessage& m) {
         EXPECT_TRUE(m.contact()->uri.params().has("unknownparam"));
         EXPECT_TRUE(m.contact()->params.empty());
       })},
      {"regescrt", "3.3.14", "a Contact with an escaped header",
       accepted([](const SipMessage& m) { EXPECT_EQ(m.contact()->uri.header("Route"), "<sip:sip.example.com>"); })},
      {"sdp01", "3.3.15", "an Accept that is not SDP, for 406 above", accepted([](const SipMessage& m) {
         EXPECT_THAT(m.all_headers(HeaderName::kAccept), ElementsAre("text/nobodyKnowsThis"));
         EXPECT_TRUE(parse_sdp(m.body()));
       })},

      // 3.4 Backward compatibility
      {"inv2543", "3.4.1", "an INVITE of RFC 2543", accepted([](const SipMessage& m) {
         EXPECT_THAT(m.top_branch(), IsEmpty());
         EXPECT_THAT(m.from_tag(), IsEmpty());
         EXPECT_EQ(m.max_forwards(), std::nullopt);
         EXPECT_EQ(m.record_routes()[0].uri.params().get("maddr"), "ss1.example.com");
         EXPECT_EQ(m.body().size(), 105U);
       })},
  };
}

class Rfc4475 : public ::testing::TestWithParam<Case> {
 protected:
  static void expect_accepted(const Result<SipMessage, ParseError>& parsed, const Check& check) {
    ASSERT_TRUE(parsed) << parsed.error().sentence();
    check(*parsed);
    const auto again = parse(write(*parsed));
    ASSERT_TRUE(again) << again.error().sentence();
    EXPECT_EQ(*again, *parsed);
  }

  static void expect_refused(const Result<SipMessage, ParseError>& parsed, const Outcome& outcome) {
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, outcome.code) << parsed.error().sentence();
    EXPECT_EQ(parsed.error().status, outcome.status);
    ASSERT_TRUE(parsed.error().request);
    const SipMessage& request = *parsed.error().request;
    const SipMessage response = make_response(request, outcome.status, parsed.error().sentence(), "totag");
    EXPECT_FALSE(response.top_via().host.empty());
    EXPECT_EQ(response.top_via(), request.top_via());
    EXPECT_EQ(response.call_id(), request.call_id());
    EXPECT_EQ(response.header(HeaderName::kCSeq), request.header(HeaderName::kCSeq));
    EXPECT_EQ(response.header(HeaderName::kFrom), request.header(HeaderName::kFrom));
  }

  static void expect_dropped(const Result<SipMessage, ParseError>& parsed, const Outcome& outcome) {
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, outcome.code) << parsed.error().sentence();
    EXPECT_FALSE(parsed.error().request);
  }
};

TEST_P(Rfc4475, EndsAsTheRfcSays) {
  const Case& torture = GetParam();
  const auto message = messages().find(torture.name);
  ASSERT_NE(message, messages().end());
  EXPECT_EQ(message->second.section, torture.section);
  const auto parsed = parse(message->second.text);
  switch (torture.outcome.kind) {
    case Outcome::Kind::kAccepted:
      return expect_accepted(parsed, torture.outcome.check);
    case Outcome::Kind::kRefused:
      return expect_refused(parsed, torture.outcome);
    case Outcome::Kind::kDropped:
      return expect_dropped(parsed, torture.outcome);
  }
}

INSTANTIATE_TEST_SUITE_P(Section, Rfc4475, ::testing::ValuesIn(cases()),
                         [](const auto& each) { return each.param.name; });

TEST(Rfc4475Data, HoldsAll49Messages) {
  EXPECT_EQ(messages().size(), 49U);
  EXPECT_EQ(cases().size(), 49U);
}

}  // namespace
}  // namespace callpark::sip
