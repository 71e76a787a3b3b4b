#include "mediad/engine/incoming_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/uio.h>

#include "tests/unit/mediad/engine/open_port.h"

namespace callpark::media {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A phone's two sockets, or a foreign source's.
class Phone {
 public:
  explicit Phone(const std::string& address = "127.0.0.1") : address_(address), port_(open_port(address)) {}

  PeerAddress address() const { return address_of(*port_, address_); }
  /// Loopback delivers at once.
  void send_rtp(const PeerAddress& to, int packets) {
    port_->set_destination(to);
    for (int i = 0; i < packets; ++i) {
      std::array<std::uint8_t, 12> header = {0x80, 0, 0, static_cast<std::uint8_t>(sequence_++)};
      send(header, &RtpPort::send_rtp);
    }
  }
  void send_rtcp(const PeerAddress& to) {
    port_->set_destination(to);
    std::array<std::uint8_t, 8> report = {0x80, 201, 0, 1};
    send(report, &RtpPort::send_rtcp);
  }

 private:
  void send(std::span<std::uint8_t> bytes, void (RtpPort::*through)(std::span<const iovec>)) {
    const std::array<iovec, 1> parts = {iovec{bytes.data(), bytes.size()}};
    (port_.get()->*through)(parts);
  }

  std::string address_;
  std::unique_ptr<RtpPort> port_;
  std::uint8_t sequence_ = 1;
};

class Receiving : public testing::Test {
 protected:
  void signal(const Phone& phone, Latching latching = Latching::kOff) {
    stream_.set_remote(++number_, phone.address(), latching, now_);
  }
  void rtp_from(Phone& phone, int packets) {
    phone.send_rtp(own_, packets);
    stream_.receive_rtp(now_);
  }
  void rtcp_from(Phone& phone) {
    phone.send_rtcp(own_);
    stream_.receive_rtcp();
  }
  PeerAddress destination() const { return port_->destination().value_or(PeerAddress()); }

  std::shared_ptr<RtpPort> port_ = open_port();
  const PeerAddress own_ = address_of(*port_);
  std::vector<IncomingStream::RemoteNumber> heard_;
  IncomingStream stream_{port_, [](DigitReceiver::Digit) {}, [this](auto number) { heard_.push_back(number); }};
  IncomingStream::RemoteNumber number_ = 0;
  MonotonicTime now_{};
  Phone phone_;
  Phone moved_;
  Phone elsewhere_{"127.0.0.2"};
};

TEST_F(Receiving, X35_PacketsFromElsewhereMoveNothing) {
  signal(phone_);
  rtp_from(elsewhere_, 30);
  EXPECT_EQ(destination(), phone_.address());
  EXPECT_EQ(stream_.packets_received(), 0U);
}

TEST_F(Receiving, X35_TheOldAddressDoesNotHoldTheStreamAfterAMove) {
  for (const Latching latching : {Latching::kOff, Latching::kOn}) {
    Phone& before = latching == Latching::kOff ? phone_ : moved_;
    Phone& after = latching == Latching::kOff ? moved_ : phone_;
    signal(before, latching);
    rtp_from(before, 3);
    signal(after, latching);
    rtp_from(before, 5);
    EXPECT_EQ(destination(), after.address());
  }
}

TEST_F(Receiving, X35_TheSignalledAddressWinsAgainstALatchedOne) {
  signal(phone_, Latching::kOn);
  rtp_from(elsewhere_, 3);
  ASSERT_EQ(destination(), elsewhere_.address());
  rtp_from(phone_, 1);
  EXPECT_EQ(destination(), phone_.address());
  rtp_from(elsewhere_, 5);
  EXPECT_EQ(destination(), phone_.address());
}

TEST_F(Receiving, X37_RtpAndRtcpShowThatTheRemoteExists) {
  signal(phone_);
  EXPECT_THAT(heard_, IsEmpty());
  rtcp_from(phone_);
  EXPECT_THAT(heard_, ElementsAre(1U));
  rtp_from(phone_, 3);
  EXPECT_THAT(heard_, ElementsAre(1U)) << "once";
  signal(moved_);
  rtp_from(moved_, 3);
  EXPECT_THAT(heard_, ElementsAre(1U, 2U));
}

TEST_F(Receiving, X37_OtherHostsShowNothingAndOtherPortsDo) {
  signal(phone_);
  rtcp_from(elsewhere_);
  rtp_from(elsewhere_, 3);
  EXPECT_THAT(heard_, IsEmpty());
  rtp_from(moved_, 1);
  EXPECT_THAT(heard_, ElementsAre(1U)) << "a phone may send from another port";
  EXPECT_EQ(destination(), phone_.address());
}

TEST_F(Receiving, X37_ALatchedAddressShowsThatTheRemoteExists) {
  signal(phone_, Latching::kOn);
  rtp_from(elsewhere_, 2);
  EXPECT_THAT(heard_, IsEmpty());
  rtp_from(elsewhere_, 1);
  EXPECT_THAT(heard_, ElementsAre(1U));
}

// A network may receive at one host and send from another.
TEST_F(Receiving, X37_AStreamOfTheSessionsCodecFromAnotherHostShowsThatTheRemoteExists) {
  stream_.set_payload_types(0, 101, 8000);
  signal(phone_);
  rtp_from(elsewhere_, 24);
  EXPECT_THAT(heard_, IsEmpty());
  rtp_from(elsewhere_, 1);
  EXPECT_THAT(heard_, ElementsAre(1U));
  EXPECT_EQ(destination(), phone_.address()) << "and moves nothing";
  EXPECT_EQ(stream_.packets_received(), 0U);
  signal(moved_);
  rtp_from(elsewhere_, 24);
  EXPECT_THAT(heard_, ElementsAre(1U)) << "each remote has to be heard anew";
}

TEST_F(Receiving, X37_AStreamOfAnotherCodecFromAnotherHostShowsNothing) {
  stream_.set_payload_types(8, 101, 8000);
  signal(phone_);
  rtp_from(elsewhere_, 100);
  EXPECT_THAT(heard_, IsEmpty());
}

}  // namespace
}  // namespace callpark::media
