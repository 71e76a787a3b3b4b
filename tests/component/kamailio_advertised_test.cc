// Kamailio behind a 1:1 NAT: it listens at one address, and phones and trunks know it by another. What phones send to
// the advertised address, the NAT leads to the other; here it is the phones' proxy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/kamailio_site.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class KamailioBehindNat : public testing::Test {
 protected:
  /// What a phone got names the advertised address, and not the other.
  void expect_advertised(const SipText& message) {
    EXPECT_THAT(message.text(), HasSubstr(advertised())) << message.text();
    EXPECT_THAT(message.text(), Not(HasSubstr(site_.outside().text()))) << message.text();
  }
  [[nodiscard]] std::string advertised() const { return address_.text() + ":" + std::to_string(site_.ports.base()); }

  LoopbackAddress address_;
  KamailioSite site_{{"#!define WITHOUT_FLOOD_CONTROL"}, 64, address_.text()};
};

TEST_F(KamailioBehindNat, X67_PhonesSeeTheAdvertisedAddressAndTheirRequestsToItPass) {
  const auto alice = site_.phone("101");
  const auto bob = site_.phone("102");
  const CallName call = alice->call("102");
  ASSERT_EQ(bob->wait_incoming(), call);
  const SipText invite = bob->received(call).front();
  expect_advertised(invite);
  EXPECT_THAT(invite.header("Via"), StartsWith("SIP/2.0/UDP " + advertised() + ";"));
  EXPECT_THAT(invite.header("Record-Route"), StartsWith("<sip:" + advertised() + ";"));
  EXPECT_EQ(alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  site_.kamailio->restart();
  EXPECT_EQ(bob->request(call, "INFO"), 200) << "Kamailio knows its own Route and seals after a restart";
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); }));
}

TEST_F(KamailioBehindNat, X67_ANumberAtTheAdvertisedAddressIsOneOfTheTenant) {
  const auto bob = site_.phone("101");
  const auto trunk = site_.trunk();
  const CallName call = trunk->start_call("sip:+442030000101@" + advertised());
  EXPECT_EQ(trunk->wait_invite_status(call), 200);
  EXPECT_EQ(bob->wait_incoming(), call);
  EXPECT_EQ(trunk->hang_up(call), 200);
}

TEST_F(KamailioBehindNat, X67_RequestsOfAParkedDialogPassBothSockets) {
  const auto alice = site_.phone("101");
  const auto bob = site_.phone("102");
  const CallName call = alice->call("102");
  ASSERT_EQ(bob->wait_incoming(), call);
  site_.seat->answer_with(202);
  EXPECT_EQ(alice->refer(call, "*68"), 202);
  const SipText refer = site_.seat->wait_request("REFER");
  EXPECT_THAT(refer.header("Route"), HasSubstr(advertised())) << refer.text();
  const auto dialog = dialog_in(refer);
  ASSERT_TRUE(dialog.is_object()) << refer.text();
  // In the parker's place, as parkd does.
  const std::string target = dialog["callee"]["contact"];
  site_.seat->send("INFO " + target + " SIP/2.0\r\nVia: SIP/2.0/UDP " + site_.seat->own().text() +
                       ";branch=z9hG4bKin-place\r\nMax-Forwards: 70\r\nRoute: " + dialog["route"].get<std::string>() +
                       "\r\nFrom: " + refer.header("From") + "\r\nTo: " + refer.header("To") + "\r\nCall-ID: " + call +
                       "\r\nCSeq: 100 INFO\r\nContent-Length: 0\r\n\r\n",
                   site_.inside());
  EXPECT_EQ(site_.seat->wait_response(200).status(), 200);
  EXPECT_EQ(count(*bob, call, "INFO"), 1U);
}

TEST_F(KamailioBehindNat, X67_ACallOfParkdLeadsBackThroughTheAdvertisedAddress) {
  const auto bob = site_.phone("102");
  site_.seat->send(invite_of_parkd(site_.seat->own(), "sip:102@demo.callpark", "demo.callpark"), site_.inside());
  const CallName call = bob->wait_incoming();
  expect_advertised(bob->received(call).front());
  EXPECT_EQ(site_.seat->wait_response(200).status(), 200);
  EXPECT_EQ(bob->request(call, "INFO"), 200);
  EXPECT_EQ(site_.seat->received("INFO").size(), 1U);
}

TEST_F(KamailioBehindNat, X67_ALampIsRenewedAtTheAdvertisedAddress) {
  LoopbackAddress address;
  LampWatcher watcher(
      {.user = "101", .password = "demo-101", .lamp = "102", .address = address.text(), .proxy = site_.outside()});
  ASSERT_EQ(watcher.subscribe(), 200);
  ASSERT_TRUE(watcher.wait_state("terminated"));
  EXPECT_THAT(watcher.last_notify().header("Contact"), StartsWith("<sip:" + advertised()));
  EXPECT_EQ(watcher.refresh(), 200);
}

TEST_F(KamailioBehindNat, X67_NoPhoneRegistersTheAdvertisedAddress) {
  const auto alice = site_.unregistered_phone("101");
  alice->be_reached_at("<sip:101@" + advertised() + ">");
  EXPECT_THROW(alice->register_phone(), std::runtime_error);
  EXPECT_EQ(site_.database.value("SELECT COUNT(*) FROM callpark.location"), "0");
}

}  // namespace
}  // namespace callpark::test
