// An authority, certificates of it, and one of another authority, as PEM files made by openssl.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace callpark::test {

class TestCertificates {
 public:
  /// Throws std::runtime_error if openssl fails.
  TestCertificates();

  /// "NAME.pem" or "NAME.key": ca, other-ca, server (127.0.0.1, good.test), wrong-name, client, other-client (of
  /// other-ca).
  [[nodiscard]] std::string file(const std::string& name) const { return (directory_.path() / name).string(); }

 private:
  void authority(const std::string& name) const;
  void certificate(const std::string& name, const std::string& issuer, const std::string& names) const;

  TempDir directory_{"certificates"};
};

}  // namespace callpark::test
