#include "base/http_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace callpark {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HttpUrl, IsAcceptedWithSchemeAndHost) {
  for (const char* url :
       {"http://example.com", "https://example.com/", "HTTPS://Example.com:8443/a/b;c?d=e&f=%20@:", "http://192.0.2.1/",
        "http://[2001:db8::1]:80/x", "https://example.com?query", "http://a.example/user@host"}) {
    EXPECT_EQ(http_url_error(url), std::nullopt) << url;
  }
}

TEST(HttpUrl, IsRefusedWithASentence) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "begins with http"},
      {"example.com/hook", "begins with http"},
      {"//example.com/hook", "begins with http"},
      {"http:example.com", "begins with http"},
      {"http:/example.com", "begins with http"},
      {"ftp://example.com", "begins with http"},
      {"file:///etc/passwd", "begins with http"},
      {"gopher://example.com", "begins with http"},
      {"unix:///run/x", "begins with http"},
      {"http://", "has a host"},
      {"http:///hook", "has a host"},
      {"http://:80/", "has a host"},
      {"http://?q", "has a host"},
      {"http://user@example.com/", "no user or password"},
      {"http://user:secret@example.com/", "no user or password"},
      {"http://@example.com/", "no user or password"},
      {"http://good.example@127.0.0.1/", "no user or password"},
      {"http://example.com/#part", "no fragment"},
      {"http://example.com/a b", "percent-encode"},
      {"http://example.com/\r\nHost: x", "percent-encode"},
      {"http://example.com/\t", "percent-encode"},
      {"http://example.com\\@127.0.0.1/", "percent-encode"},
      {"http://ex\xc3\xa4mple.com/", "percent-encode"},
      {std::string("http://example.com/\0x", 21), "percent-encode"},
      {"http://example.com/\x7f", "percent-encode"},
      {" http://example.com/", "percent-encode"},
      {"http://example.com:0/", "1 to 65535"},
      {"http://example.com:65536/", "cannot be read"},
      {"http://example.com:http/", "cannot be read"},
      {"http://[::1/", "cannot be read"},
      {"http://[zz]/", "cannot be read"},
      {"http://example.com/" + std::string(2048, 'x'), "at most 2048"},
  };
  for (const auto& [url, sentence] : cases) {
    const auto error = http_url_error(url);
    ASSERT_TRUE(error) << url;
    EXPECT_THAT(*error, HasSubstr(sentence)) << url;
  }
}

TEST(HttpUrl, ARefusalHoldsNoSecret) {
  for (const char* url : {"http://user:secret@example.com/", "http://example.com:x/secret", "ftp://secret"}) {
    EXPECT_THAT(http_url_error(url).value(), Not(HasSubstr("secret"))) << url;
  }
}

TEST(HttpUrl, ItsOriginHasNeitherPathNorQuery) {
  EXPECT_EQ(http_origin("https://example.com/secret?secret"), "https://example.com:443");
  EXPECT_EQ(http_origin("HTTP://example.com:8080?secret"), "http://example.com:8080");
  EXPECT_EQ(http_origin("http://[2001:db8::1]"), "http://[2001:db8::1]:80");
  EXPECT_EQ(http_origin("http://user:secret@example.com/"), "");
}

TEST(HttpUrl, EveryAsciiCharacterIsEitherOfRfc3986OrRefused) {
  const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?[]@!$&'()*+,;=%";
  for (int character = 0; character < 256; ++character) {
    const std::string url = "http://example.com/x" + std::string(1, static_cast<char>(character));
    const bool is_allowed = allowed.find(static_cast<char>(character)) != std::string::npos;
    EXPECT_EQ(!http_url_error(url), is_allowed) << character;
  }
}

}  // namespace
}  // namespace callpark
