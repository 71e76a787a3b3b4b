// A SIP message as text, read just well enough for a test to look at it. On purpose not parkd's parser: a test should
// not believe what it tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/udp_socket.h"

namespace callpark::test {

class SipText {
 public:
  SipText() = default;
  explicit SipText(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string start_line() const;
  [[nodiscard]] bool is_request() const { return !is_response() && !text_.empty(); }
  [[nodiscard]] bool is_response() const { return text_.starts_with("SIP/2.0 "); }
  /// Of a request its method, of a response the one in its CSeq.
  [[nodiscard]] std::string method() const;
  [[nodiscard]] std::string request_uri() const;
  /// 0 for a request.
  [[nodiscard]] int status() const;
  /// First header of that name (or its compact form), without the white space around it; empty when there is none.
  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> headers(const std::string& name) const;
  [[nodiscard]] std::string call_id() const { return header("Call-ID"); }
  [[nodiscard]] int cseq() const;
  [[nodiscard]] std::string body() const;

  /// Where the SDP in it wants audio; empty when there is none.
  [[nodiscard]] std::optional<Endpoint> audio() const;
  /// The number of telephone-event of 8000 Hz in its SDP; empty when there is none.
  [[nodiscard]] std::optional<int> telephone_event() const;
  /// Port of the first line of that kind ("audio", "video") in its SDP; empty when there is none.
  [[nodiscard]] std::optional<int> media_port(const std::string& kind) const;
  /// "sendrecv" without another direction in the SDP.
  [[nodiscard]] std::string direction() const;

 private:
  std::string text_;
};

/// The URI of a name-addr or addr-spec, and its tag parameter.
std::string uri_in(const std::string& name_addr);
std::string tag_in(const std::string& name_addr);

/// The value of Authorization or Proxy-Authorization that answers `challenge` (RFC 7616 with MD5, qop=auth if offered).
/// `count` is how many requests have answered it, with this one.
std::string digest_answer(const std::string& challenge, const std::string& method, const std::string& uri,
                          const std::string& user, const std::string& password, unsigned count = 1);

std::string md5_hex(const std::string& text);

}  // namespace callpark::test
