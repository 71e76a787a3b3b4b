#include "parkd/authz/webhook_signature.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "base/json.h"

namespace callpark::authz {
namespace {

// 24 bytes: the secret of the test suites of Standard Webhooks.
const std::string kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Json known_answers() {
  std::ifstream file(std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/hook/signatures.json");
  return Json::parse(file);
}

WebhookSecret secret_of(const std::string& text) {
  auto secret = WebhookSecret::parse(text);
  EXPECT_TRUE(secret) << describe(secret.error());
  return *secret;
}

WallTime at_second(std::int64_t seconds, int milliseconds = 0) {
  return WallTime(std::chrono::seconds(seconds) + Duration(milliseconds));
}

/// "" if the text is a secret.
std::string error_of(const std::string& text) {
  const auto secret = WebhookSecret::parse(text);
  return secret ? "" : std::string(describe(secret.error()));
}

TEST(WebhookSignature, B1_EqualsTheKnownAnswers) {
  const Json rows = known_answers();
  EXPECT_GE(rows.size(), 6U);
  for (const Json& row : rows) {
    WebhookSecrets secrets{secret_of(row.at("secrets").at(0))};
    if (row.at("secrets").size() > 1) secrets.other = secret_of(row.at("secrets").at(1));
    const std::string id = row.at("id");
    const std::string body = row.at("body");
    const std::int64_t seconds = row.at("timestamp");
    const WebhookHeaders headers = sign_webhook(secrets, id, at_second(seconds), body);
    EXPECT_EQ(headers.id, id);
    EXPECT_EQ(headers.timestamp, std::to_string(seconds));
    EXPECT_EQ(headers.signature, row.at("signature").get<std::string>()) << row.at("about");
  }
}

TEST(WebhookSignature, B1_DiffersWithEachPartOfTheContent) {
  const WebhookSecrets secrets{secret_of(kSecret)};
  const std::string signature = sign_webhook(secrets, "q_1", at_second(100), "body").signature;
  EXPECT_NE(signature, sign_webhook(secrets, "q_2", at_second(100), "body").signature);
  EXPECT_NE(signature, sign_webhook(secrets, "q_1", at_second(101), "body").signature);
  EXPECT_NE(signature, sign_webhook(secrets, "q_1", at_second(100), "Body").signature);
  EXPECT_EQ(signature, sign_webhook(secrets, "q_1", at_second(100), "body").signature);
}

TEST(WebhookSignature, B1_TimeIsWholeSecondsRoundedDown) {
  const WebhookSecrets secrets{secret_of(kSecret)};
  EXPECT_EQ(sign_webhook(secrets, "q_1", at_second(100, 999), "").timestamp, "100");
}

TEST(WebhookSignature, B1_OfTwoSecretsEachSignsAsIfAlone) {
  const WebhookSecret other = secret_of("whsec_" + std::string(44, 'A'));
  const auto signature = [](const WebhookSecrets& secrets) {
    return sign_webhook(secrets, "q_1", at_second(100), "body").signature;
  };
  EXPECT_EQ(signature({secret_of(kSecret), other}), signature({secret_of(kSecret)}) + " " + signature({other}));
}

TEST(WebhookSecret, B1_Has24To64Bytes) {
  for (std::size_t bytes = 0; bytes <= 90; ++bytes) {
    // Of zeros the base64 is known: "A", and padding.
    std::string base64((bytes * 8 + 5) / 6, 'A');
    base64.append((4 - base64.size() % 4) % 4, '=');
    const std::string expected = bytes < 24   ? "a webhook secret has at least 24 bytes"
                                 : bytes > 64 ? "a webhook secret has at most 64 bytes"
                                              : "";
    EXPECT_EQ(error_of("whsec_" + base64), expected) << bytes;
  }
}

TEST(WebhookSecret, B1_WithoutItsPrefixIsRefused) {
  const std::string expected = "a webhook secret begins with whsec_";
  for (const std::string& text : {std::string(), std::string("whsec"), kSecret.substr(6), "WHSEC_" + kSecret.substr(6),
                                  " " + kSecret, "whsk_" + kSecret.substr(6)}) {
    EXPECT_EQ(error_of(text), expected) << text;
  }
}

TEST(WebhookSecret, B1_ThatIsNotCanonicalBase64IsRefused) {
  const std::string expected = "behind whsec_ a webhook secret is base64 with its padding";
  const std::string good = kSecret.substr(6);
  for (const std::string& base64 : {
           good.substr(1),                                                              // cut off
           good + "=",                                                                  // too much padding
           good + "====",                                                               // a group of padding
           " " + good.substr(1),                                                        // OpenSSL overlooks blanks
           good.substr(0, 31) + " ",                                                    //
           good.substr(0, 31) + "\n",                                                   //
           good.substr(0, 16) + "=" + good.substr(17),                                  // padding within
           good.substr(0, 31) + "-",                                                    // the alphabet of URLs
           good.substr(0, 31) + "_",                                                    //
           good.substr(0, 31) + std::string(1, '\0'), good.substr(0, 30) + "\xc3\xa9",  //
           good + "AB==",                                                               // bits that no byte has
           good + "AAB=",                                                               //
           good + "A===",                                                               //
           good + "=A==",                                                               //
       }) {
    EXPECT_EQ(error_of("whsec_" + base64), expected) << base64;
  }
  EXPECT_EQ(error_of("whsec_" + good + "AA=="), "");
  EXPECT_EQ(error_of("whsec_" + good + "AAA="), "");
}

TEST(WebhookSecret, B1_ErrorsDoNotRepeatTheSecret) {
  const std::string marked = "c2VjcmV0";
  for (const std::string& text : {marked, "whsec_" + marked, "whsec_" + marked + "!",
                                  "whsec_" + marked + marked + marked + marked + marked + marked + marked + marked +
                                      marked + marked + marked + marked}) {
    const std::string error = error_of(text);
    EXPECT_NE(error, "") << text;
    EXPECT_EQ(error.find(marked), std::string::npos) << error;
  }
}

TEST(WebhookSecret, B1_CopySignsAsTheOriginalDoes) {
  const WebhookSecret original = secret_of(kSecret);
  std::string expected;
  {
    const WebhookSecret copy = original;  // its end erases its own bytes only
    expected = copy.sign("content");
  }
  EXPECT_EQ(original.sign("content"), expected);
}

}  // namespace
}  // namespace callpark::authz
