#include "parkd/message/dtmf_info.h"

#include <gtest/gtest.h>

#include <string>

#include "parkd/message/sip_parser.h"

namespace callpark::sip {
namespace {

Result<DtmfKey, DtmfError> read(std::string_view type, std::string_view body) {
  const auto message = parse(
      "INFO sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\n"
      "Call-ID: c\r\nCSeq: 2 INFO\r\n" +
      (type.empty() ? "" : "Content-Type: " + std::string(type) + "\r\n") + "\r\n" + std::string(body));
  EXPECT_TRUE(message);
  return read_dtmf_info(*message);
}

DtmfKey relay(char key) {
  return {DtmfBody::kDtmfRelay, key};
}
DtmfKey plain(char key) {
  return {DtmfBody::kDtmf, key};
}

TEST(DtmfInfo, F3_ARelayBodyNamesASignal) {
  EXPECT_EQ(read("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"), relay('5'));
  EXPECT_EQ(read("Application/DTMF-Relay;charset=utf-8", "Signal= 5\r\nDuration= 160"), relay('5'));
  EXPECT_EQ(read("application/dtmf-relay", "signal=#\n"), relay('#'));
  EXPECT_EQ(read("application/dtmf-relay", "Duration=250\nSignal = *"), relay('*'));
  EXPECT_EQ(read("application/dtmf-relay", "Signal=10\r\n"), relay('*'));
  EXPECT_EQ(read("application/dtmf-relay", "Signal=11\r\n"), relay('#'));
  EXPECT_EQ(read("application/dtmf-relay", "Signal=b\r\n"), relay('B'));
}

TEST(DtmfInfo, F3_APlainBodyIsTheKey) {
  EXPECT_EQ(read("application/dtmf", "5"), plain('5'));
  EXPECT_EQ(read("application/dtmf", " 0 \r\n"), plain('0'));
  EXPECT_EQ(read("application/dtmf", "11"), plain('#'));
  EXPECT_EQ(read("application/dtmf", "D"), plain('D'));
}

TEST(DtmfInfo, F3_ABodyWithoutAKeyHasNone) {
  for (const char* body :
       {"", "Signal=\r\n", "Signal=12", "Signal=55", "Signal=E", "Signal", "Duration=5", "=5", "5"}) {
    EXPECT_EQ(read("application/dtmf-relay", body), failure(DtmfError::kNoKey)) << body;
  }
  for (const char* body : {"", "55", "x", "16", "\x80"}) {
    EXPECT_EQ(read("application/dtmf", body), failure(DtmfError::kNoKey)) << body;
  }
}

TEST(DtmfInfo, F3_AnotherBodyIsNoKey) {
  for (const char* type : {"", "application/media_control+xml", "application/dtmfx", "text/plain"}) {
    EXPECT_EQ(read(type, "5"), failure(DtmfError::kOtherBody)) << type;
  }
}

}  // namespace
}  // namespace callpark::sip
