// FAULTS X35: mediad learns an address from packets only of a party that Kamailio has found behind a NAT.
#include "parkd/leg/latching.h"

#include <gtest/gtest.h>

namespace callpark::leg {
namespace {

bool latches(const std::string& remote_target, const std::string& address) {
  sip::DialogState dialog;
  dialog.remote_target = remote_target;
  MediaRemote remote;
  remote.remote = {address, 6000};
  return with_latching(remote, dialog).latching;
}

TEST(Latching, X35_PartyWithoutAliasIsSentToWhereItListens) {
  EXPECT_FALSE(latches("sip:104@192.0.2.4:5060", "192.0.2.4"));
  EXPECT_FALSE(latches("sip:104@192.0.2.4:5060;ob;transport=udp", "192.0.2.9"));
}

TEST(Latching, X35_PartyOverTcpWithoutNatIsSentToWhereItListens) {
  EXPECT_FALSE(latches("sip:104@192.0.2.4:5060;transport=tcp;alias=192.0.2.4~49152~2", "192.0.2.4"));
}

TEST(Latching, X35_PartyBehindNatWithAPrivateDescriptionIsLearnt) {
  EXPECT_TRUE(latches("sip:104@10.0.0.4:5060;alias=203.0.113.7~49152~1", "10.0.0.4"));
  EXPECT_TRUE(latches("sip:104@10.0.0.4:5060;transport=tcp;alias=203.0.113.7~49152~2", "10.0.0.4"));
}

TEST(Latching, X35_PartyBehindNatThatKnowsItsOutsideAddressIsSentToIt) {
  EXPECT_FALSE(latches("sip:104@10.0.0.4:5060;alias=203.0.113.7~49152~1", "203.0.113.7"));
}

TEST(Latching, X35_UnreadableTargetOrEmptyAliasIsNotLearntBlindly) {
  EXPECT_FALSE(latches("", "10.0.0.4"));
  EXPECT_FALSE(latches("<>", "10.0.0.4"));
  EXPECT_FALSE(latches("sip:104@10.0.0.4;alias=", "10.0.0.4"));
  EXPECT_FALSE(latches("sip:104@10.0.0.4;alias", "10.0.0.4"));
}

}  // namespace
}  // namespace callpark::leg
