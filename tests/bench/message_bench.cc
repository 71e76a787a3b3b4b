// What it costs to read and to build an INVITE of 1.4 kB, with oSIP and Sofia-SIP in the same run for comparison.
#include <benchmark/benchmark.h>
#include <osipparser2/osip_parser.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

#include <map>
#include <string>

#include "parkd/message/sdp.h"
#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"

namespace callpark::sip {
namespace {

constexpr std::string_view kSdp =
    "v=0\r\n"
    "o=101 3892741201 3892741201 IN IP4 192.168.178.41\r\n"
    "s=Yealink\r\n"
    "c=IN IP4 192.168.178.41\r\n"
    "t=0 0\r\n"
    "m=audio 11782 RTP/AVP 9 8 0 18 101\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:18 G729/8000\r\n"
    "a=fmtp:18 annexb=no\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=ptime:20\r\n"
    "a=sendrecv\r\n";

const std::string& invite() {
  static const std::string text = [] {
    const std::string headers =
        "INVITE sip:*70333@demo.callpark;user=phone SIP/2.0\r\n"
        "Record-Route: <sip:127.0.0.1:5061;lr;ftag=1928301774;did=6f2.0c41>\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK8a51.2cd0f7a1b7e30f1d.0;i=1\r\n"
        "Via: SIP/2.0/UDP 192.168.178.41:5060;received=203.0.113.17;rport=35060;branch=z9hG4bK2769190012\r\n"
        "From: \"Reception, first floor\" <sip:101@demo.callpark>;tag=1928301774\r\n"
        "To: <sip:*70333@demo.callpark;user=phone>\r\n"
        "Call-ID: 0_3145924391@192.168.178.41\r\n"
        "CSeq: 2 INVITE\r\n"
        "Contact: <sip:101@203.0.113.17:35060;alias=203.0.113.17~35060~1>;+sip.instance="
        "\"<urn:uuid:00000000-0000-1000-8000-805ec0a1b2c3>\"\r\n"
        "Content-Type: application/sdp\r\n"
        "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE\r\n"
        "Max-Forwards: 69\r\n"
        "User-Agent: Yealink SIP-T46U 108.86.0.45\r\n"
        "Supported: replaces, timer, 100rel\r\n"
        "Session-Expires: 1800;refresher=uac\r\n"
        "Min-SE: 90\r\n"
        "Allow-Events: talk, hold, conference, refer, check-sync, dialog\r\n"
        "P-Asserted-Identity: \"Reception, first floor\" <sip:101@demo.callpark>\r\n"
        "X-Callpark-Tenant: demo.callpark\r\n"
        "X-Callpark-User: 101\r\n";
    return headers + "Content-Length: " + std::to_string(kSdp.size()) + "\r\n\r\n" + std::string(kSdp);
  }();
  return text;
}

void parse_ours(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse(invite()));
  state.counters["bytes"] = static_cast<double>(invite().size());
}
BENCHMARK(parse_ours);

void parse_and_read_ours(benchmark::State& state) {
  for (auto _ : state) {
    const auto message = parse(invite());
    benchmark::DoNotOptimize(message->request_uri());
    benchmark::DoNotOptimize(message->top_via());
    benchmark::DoNotOptimize(message->from());
    benchmark::DoNotOptimize(message->to());
    benchmark::DoNotOptimize(message->cseq());
    benchmark::DoNotOptimize(message->contact());
    benchmark::DoNotOptimize(message->record_routes());
  }
}
BENCHMARK(parse_and_read_ours);

void parse_osip(benchmark::State& state) {
  parser_init();
  for (auto _ : state) {
    osip_message_t* message = nullptr;
    if (osip_message_init(&message) != 0 || osip_message_parse(message, invite().data(), invite().size()) != 0) {
      state.SkipWithError("oSIP refuses the INVITE");
      break;
    }
    osip_message_free(message);
  }
}
BENCHMARK(parse_osip);

void parse_sofia(benchmark::State& state) {
  for (auto _ : state) {
    msg_t* const message = msg_make(sip_default_mclass(), 0, invite().data(), static_cast<ssize_t>(invite().size()));
    const sip_t* const sip = message == nullptr ? nullptr : sip_object(message);
    if (sip == nullptr || sip->sip_error != nullptr || sip->sip_contact == nullptr) {
      state.SkipWithError("Sofia-SIP refuses the INVITE");
      break;
    }
    msg_destroy(message);
  }
}
BENCHMARK(parse_sofia);

void build_ours(benchmark::State& state) {
  const auto source = parse(invite());
  const auto fields = source->headers();
  for (auto _ : state) {
    SipMessage message = make_request(source->method(), source->request_uri_text());
    for (const HeaderField& field : fields) message.add_header(field.name, field.value);
    message.set_body("application/sdp", source->body());
    benchmark::DoNotOptimize(write(message));
  }
}
BENCHMARK(build_ours);

void respond_ours(benchmark::State& state) {
  const auto request = parse(invite());
  for (auto _ : state) {
    SipMessage response = make_response(*request, 200, {}, "314159");
    copy_record_route(*request, response);
    response.set_header(HeaderName::kContact, "<sip:parkd@127.0.0.1:5062>");
    response.set_body("application/sdp", kSdp);
    benchmark::DoNotOptimize(write(response));
  }
}
BENCHMARK(respond_ours);

using OsipSetter = int (*)(osip_message_t*, const char*);

const std::map<HeaderName, OsipSetter> kOsipSetters = {
    {HeaderName::kVia, osip_message_set_via},
    {HeaderName::kFrom, osip_message_set_from},
    {HeaderName::kTo, osip_message_set_to},
    {HeaderName::kCallId, osip_message_set_call_id},
    {HeaderName::kCSeq, osip_message_set_cseq},
    {HeaderName::kContact, osip_message_set_contact},
    {HeaderName::kRecordRoute, osip_message_set_record_route},
    {HeaderName::kContentType, osip_message_set_content_type},
};

void set_osip_header(osip_message_t* message, const HeaderField& field) {
  const std::string value(field.value);
  if (const auto setter = kOsipSetters.find(field.name); setter != kOsipSetters.end()) {
    setter->second(message, value.c_str());
  } else {
    osip_message_set_header(message, std::string(field.text).c_str(), value.c_str());
  }
}

void build_osip(benchmark::State& state) {
  parser_init();
  const auto source = parse(invite());
  const auto fields = source->headers();
  for (auto _ : state) {
    osip_message_t* message = nullptr;
    osip_message_init(&message);
    osip_message_set_method(message, osip_strdup("INVITE"));
    osip_message_set_version(message, osip_strdup("SIP/2.0"));
    osip_uri_t* uri = nullptr;
    osip_uri_init(&uri);
    osip_uri_parse(uri, std::string(source->request_uri_text()).c_str());
    osip_message_set_uri(message, uri);
    for (const HeaderField& field : fields) set_osip_header(message, field);
    osip_message_set_body(message, source->body().data(), source->body().size());
    char* text = nullptr;
    std::size_t size = 0;
    if (osip_message_to_str(message, &text, &size) != 0) {
      state.SkipWithError("oSIP does not write the INVITE");
      break;
    }
    benchmark::DoNotOptimize(text);
    osip_free(text);
    osip_message_free(message);
  }
}
BENCHMARK(build_osip);

void parse_sdp_ours(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse_sdp(kSdp));
}
BENCHMARK(parse_sdp_ours);

void write_sdp_ours(benchmark::State& state) {
  const auto sdp = parse_sdp(kSdp);
  for (auto _ : state) benchmark::DoNotOptimize(write_sdp(*sdp));
}
BENCHMARK(write_sdp_ours);

}  // namespace
}  // namespace callpark::sip

BENCHMARK_MAIN();
