// Copies of SIP messages for a capture server (HEPv3), which are off unless an address is set.
#include <gmock/gmock.h>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Whether a HEPv3 packet with a SIP message that has `start` and `call` reaches `server`.
testing::AssertionResult captures(UdpSocket& server, const std::string& start, const CallName& call) {
  const bool captured = wait_until(kSoon, [&] {
    const auto packet = server.receive(std::chrono::milliseconds(50));
    return packet && packet->bytes.starts_with("HEP3") && packet->bytes.find(start) != std::string::npos &&
           packet->bytes.find(call) != std::string::npos;
  });
  return captured ? testing::AssertionSuccess() : testing::AssertionFailure() << start << " of " << call;
}

TEST(KamailioHep, ACaptureServerGetsEachMessageAsItArrivesAndAsItIsSent) {
  const LoopbackAddress address;
  UdpSocket server({address.text(), 0});
  KamailioSite site({"#!define WITHOUT_FLOOD_CONTROL"}, 64, "", server.own().text());
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  const CallName call = alice->call("102");
  ASSERT_EQ(bob->wait_incoming(), call);
  const std::string sent = bob->received(call).front().text();
  EXPECT_TRUE(captures(server, "INVITE sip:102@demo.callpark ", call)) << "as it arrives";
  EXPECT_TRUE(captures(server, sent.substr(0, sent.find('\r')), call)) << "as it is sent";
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(captures(server, "BYE sip:", call));
}

TEST(KamailioHep, WithoutAnAddressNothingIsCopied) {
  KamailioSite site;
  const auto alice = site.phone("101");
  EXPECT_EQ(alice->start_call("102").empty(), false);
  EXPECT_THAT(site.kamailio->rpc("core.modules"), testing::AllOf(HasSubstr("app_lua"), Not(HasSubstr("siptrace"))));
}

}  // namespace
}  // namespace callpark::test
