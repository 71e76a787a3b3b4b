#include "parkd/message/sip_writer.h"

#include <gtest/gtest.h>

#include "parkd/message/sip_parser.h"

namespace callpark::sip {
namespace {

SipMessage whole_request() {
  SipMessage m = make_request("MESSAGE", "sip:a@h");
  m.prepend_header("Via", "SIP/2.0/UDP h;branch=z9hG4bK1");
  m.add_header("From", "<sip:a@h>;tag=1");
  m.add_header("To", "<sip:b@h>");
  m.add_header("Call-ID", "c");
  m.set_cseq(1, "MESSAGE");
  return m;
}

TEST(SipWriter, WritesAResponse) {
  const SipMessage response = make_response(whole_request(), 486);
  EXPECT_EQ(write(response),
            "SIP/2.0 486 Busy Here\r\n"
            "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
            "From: <sip:a@h>;tag=1\r\n"
            "To: <sip:b@h>\r\n"
            "Call-ID: c\r\n"
            "CSeq: 1 MESSAGE\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(SipWriter, ContentLengthIsItsOwnAffair) {
  SipMessage m = whole_request();
  m.add_header("Content-Length", "7");
  m.set_header("l", "8");
  m.set_body("text/plain", "hello");
  const std::string text = write(m);
  EXPECT_NE(text.find("\r\nContent-Length: 5\r\n\r\nhello"), std::string::npos);
  EXPECT_EQ(text.find("Content-Length"), text.rfind("Content-Length"));
}

TEST(SipWriter, AppendsToWhatIsThere) {
  std::string out = "before";
  write(whole_request(), out);
  EXPECT_EQ(out, "before" + write(whole_request()));
}

// A display name out of a database must not become a header of its own.
TEST(SipWriter, NoValueCanAddALine) {
  SipMessage m = whole_request();
  const std::string evil = "x\r\nRoute: <sip:evil>\r\n\r\nbody";
  NameAddr from{evil, SipUri(evil, "h"), {{"tag", evil}}};
  m.set_header("From", from.to_string());
  m.add_header("X-A", evil);
  m.add_header(evil, "value");
  m.prepend_header("X-B", "\r\n" + evil + "\n");
  m.set_request_uri(evil);
  m.set_cseq(1, evil);
  const std::string text = write(m);
  EXPECT_EQ(text.find("\nRoute"), std::string::npos) << text;
  EXPECT_EQ(text.find("\r\n\r\n"), text.size() - 4) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 12) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 12) << text;

  const SipMessage response = make_response(m, 400, evil, evil);
  EXPECT_EQ(write(response).find("\nRoute"), std::string::npos);
}

TEST(SipWriter, NoMethodOrNameBreaksTheGrammar) {
  SipMessage m = make_request("BAD METHOD", "sip:a b@h");
  m.add_header("X: y", "z");
  EXPECT_EQ(write(m), "BAD-METHOD sip:ab@h SIP/2.0\r\nMax-Forwards: 70\r\nX--y: z\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace callpark::sip
