// Three phones at a callpark on another machine: one calls another, parks it by a blind transfer, and a third retrieves
// it. Prints a line for each fact; the exit code is 0 if all are true.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/baresip_phone.h"
#include "tests/support/scenes.h"

namespace callpark::test {
namespace {

namespace fs = std::filesystem;

struct Site {
  std::string server;
  std::string tenant;
  std::string password;
  std::vector<std::string> addresses;
  std::string directory;
};

std::unique_ptr<BaresipPhone> phone(const Site& site, size_t index) {
  PhoneOptions options;
  options.user = std::to_string(201 + index);
  options.password = site.password;
  options.domain = site.tenant;
  options.registrar_address = site.server;
  options.address = site.addresses.at(index);
  options.tone = tone_hz(static_cast<int>(index));
  options.directory = fs::path(site.directory) / options.user;
  fs::create_directories(options.directory);
  auto result = std::make_unique<BaresipPhone>(options);
  result->wait_registered();
  return result;
}

void fact(const std::string& what, const testing::AssertionResult& outcome) {
  require(what, outcome);
  std::printf("yes  %s\n", what.c_str());
  std::fflush(stdout);
}

void park_and_retrieve(const Site& site) {
  const auto parker = phone(site, 0);
  const auto caller = phone(site, 1);
  const auto retriever = phone(site, 2);
  fact("three phones are registered", testing::AssertionSuccess());
  const Ends call = talk(*caller, *parker);
  fact("202 calls 201; the two hear each other", testing::AssertionSuccess());
  parker->transfer(call.callee, "*68");
  fact("201 transfers it to *68, and has no call left", parker->reaches(call.callee, CallPhase::kClosed));
  fact("202 hears music", hears_music(*caller));
  const CallName retrieved = retrieve(*retriever, "*88201", *caller);
  fact("203 dials *88201; 202 and 203 hear each other", testing::AssertionSuccess());
  retriever->hang_up(retrieved);
  fact("203 hangs up, and the call is over", caller->reaches(call.caller, CallPhase::kClosed));
}

}  // namespace
}  // namespace callpark::test

int main(int argc, char** argv) {
  CLI::App cli("Parks and retrieves a call of phones 201 to 203 at a callpark that runs elsewhere");
  callpark::test::Site site;
  cli.add_option("--server", site.server, "Kamailio's address")->required();
  cli.add_option("--tenant", site.tenant, "the phones' domain")->required();
  cli.add_option("--password", site.password, "of each phone")->required();
  cli.add_option("--address", site.addresses, "of the phones, one each")->required()->expected(3);
  cli.add_option("--dir", site.directory, "for the phones' logs and recordings")->required();
  CLI11_PARSE(cli, argc, argv);
  try {
    callpark::test::park_and_retrieve(site);
    return 0;
  } catch (const std::exception& error) {
    std::printf("NO   %s\n", error.what());
    return 1;
  }
}
