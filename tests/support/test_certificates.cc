#include "tests/support/test_certificates.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/subprocess.h"

namespace callpark::test {
namespace {

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const CommandResult result = run_command(arguments);
  if (result.exit_code != 0) throw std::runtime_error("openssl: " + result.output);
}

}  // namespace

TestCertificates::TestCertificates() {
  authority("ca");
  authority("other-ca");
  certificate("server", "ca", "IP:127.0.0.1,DNS:good.test");
  certificate("wrong-name", "ca", "DNS:another.test");
  certificate("client", "ca", "DNS:client.test");
  certificate("other-client", "other-ca", "DNS:client.test");
}

void TestCertificates::authority(const std::string& name) const {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
           "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", file(name + ".key"), "-out",
           file(name + ".pem")});
}

void TestCertificates::certificate(const std::string& name, const std::string& issuer, const std::string& names) const {
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
           "-addext", "subjectAltName=" + names, "-keyout", file(name + ".key"), "-out", file(name + ".csr")});
  openssl({"x509", "-req", "-days", "2", "-in", file(name + ".csr"), "-CA", file(issuer + ".pem"), "-CAkey",
           file(issuer + ".key"), "-CAcreateserial", "-copy_extensions", "copy", "-out", file(name + ".pem")});
}

}  // namespace callpark::test
