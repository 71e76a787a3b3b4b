// Properties of parser and writer over generated messages: everything is found, writing and reading again changes
// nothing, and no damage to a message does more than get it refused.
#include <gtest/gtest.h>

#include <random>

#include "parkd/message/sdp.h"
#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "tests/property/message_generator.h"
#include "tests/property/message_touch.h"

namespace callpark::sip {
namespace {

constexpr std::uint64_t kMessages = 5000;
constexpr std::uint64_t kDamagedMessages = 20000;

std::vector<std::string> hosts_of(const std::vector<Via>& vias) {
  std::vector<std::string> hosts;
  for (const Via& via : vias) hosts.push_back(via.host);
  return hosts;
}

std::vector<std::string> hosts_of(const std::vector<NameAddr>& addresses) {
  std::vector<std::string> hosts;
  for (const NameAddr& address : addresses) hosts.push_back(address.uri.host());
  return hosts;
}

TEST(MessageProperty, EverythingThatWasGeneratedIsFound) {
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    const GeneratedMessage made = MessageGenerator(seed).make();
    const auto parsed = parse(made.text);
    ASSERT_TRUE(parsed) << parsed.error().sentence() << ", seed " << seed << "\n" << made.text;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + made.text);
    ASSERT_EQ(parsed->is_request(), made.is_request);
    ASSERT_EQ(parsed->method(), made.method);
    ASSERT_EQ(parsed->status(), made.status);
    ASSERT_EQ(parsed->request_uri().user_as_written(), made.request_user);
    ASSERT_EQ(parsed->request_uri().host(), made.request_host);
    ASSERT_EQ(parsed->call_id(), made.call_id);
    ASSERT_EQ(parsed->cseq(), (CSeq{made.cseq, made.method}));
    ASSERT_EQ(parsed->from().display, made.from_display);
    ASSERT_EQ(parsed->from().uri.user_as_written(), made.from_user);
    ASSERT_EQ(parsed->from().tag(), made.from_tag);
    ASSERT_EQ(parsed->from_tag(), made.from_tag);
    ASSERT_EQ(parsed->to_tag(), made.to_tag);
    ASSERT_EQ(hosts_of(parsed->vias()), made.via_hosts);
    ASSERT_EQ(parsed->top_branch(), made.top_branch);
    ASSERT_EQ(hosts_of(parsed->routes()), made.route_hosts);
    ASSERT_EQ(parsed->body(), made.body);
  }
}

TEST(MessageProperty, WritingAndReadingAgainChangesNothing) {
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    const auto parsed = parse(MessageGenerator(seed).make().text);
    ASSERT_TRUE(parsed) << "seed " << seed;
    const std::string written = write(*parsed);
    const auto again = parse(written);
    ASSERT_TRUE(again) << again.error().sentence() << ", seed " << seed << "\n" << written;
    ASSERT_EQ(*again, *parsed) << "seed " << seed << "\n" << written;
    ASSERT_EQ(write(*again), written) << "seed " << seed;
  }
}

TEST(MessageProperty, TypedValuesAreReadBackAsTheyWereWritten) {
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    const auto parsed = parse(MessageGenerator(seed).make().text);
    ASSERT_TRUE(parsed) << "seed " << seed;
    ASSERT_EQ(parse_name_addr(parsed->from().to_string()).value_or(NameAddr{}), parsed->from()) << "seed " << seed;
    ASSERT_EQ(parse_via(parsed->top_via().to_string()).value_or(Via{}), parsed->top_via()) << "seed " << seed;
    const SipUri uri = parsed->to().uri;
    ASSERT_EQ(parse_uri(uri.to_string()).value_or(SipUri{}), uri) << "seed " << seed;
    ASSERT_TRUE(uri.equivalent(uri)) << "seed " << seed;
  }
}

TEST(MessageProperty, CopiesAndMovedMessagesStandOnTheirOwn) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    auto parsed = parse(MessageGenerator(seed).make().text);
    ASSERT_TRUE(parsed);
    const std::string written = write(*parsed);
    const SipMessage copy = *parsed;
    const SipMessage moved = std::move(*parsed);
    *parsed = make_request("OPTIONS", "sip:nobody@example.com");
    ASSERT_EQ(write(copy), written);
    ASSERT_EQ(write(moved), written);
  }
}

TEST(MessageProperty, DamageIsRefusedOrReadButNeverMore) {
  std::mt19937_64 random(4475);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  static constexpr std::string_view kHarmful("\r\n\0 \t\"<>@:;,=?%\\[]()/*\x80\xff", 25);
  std::size_t sum = 0;
  std::size_t answerable = 0;
  for (std::uint64_t seed = 0; seed < kDamagedMessages; ++seed) {
    std::string text = MessageGenerator(seed % 1000).make().text;
    for (std::size_t n = 1 + below(4); n > 0 && !text.empty(); --n) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = kHarmful[below(kHarmful.size())];
          break;
        case 1:
          text.insert(at, 1, kHarmful[below(kHarmful.size())]);
          break;
        case 2:
          text.erase(at, 1 + below(20));
          break;
        default:
          text.resize(at);
          break;
      }
    }
    const auto parsed = parse(text);
    if (parsed) {
      sum += touch_everything(*parsed);
      const auto again = parse(write(*parsed));
      ASSERT_TRUE(again) << again.error().sentence() << ", seed " << seed << "\n" << text;
      ASSERT_EQ(*again, *parsed) << "seed " << seed << "\n" << text;
    } else if (parsed.error().request) {
      ++answerable;
      sum += write(make_response(*parsed.error().request, parsed.error().status, {}, "tag")).size();
    }
  }
  EXPECT_GT(sum, 0U);
  EXPECT_GT(answerable, 0U);
}

}  // namespace
}  // namespace callpark::sip
