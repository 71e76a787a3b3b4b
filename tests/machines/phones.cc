// Phones at a callpark on another machine: one calls another, parks it by a blind transfer, and a third retrieves it;
// with
// --outage the machine is lost and replaced meanwhile. Prints a line for each fact; the exit code is 0 if all are true.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
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
  int music_hz = 0;
  int prompt_hz = 0;
};

/// A tone that no phone sends, but mediad plays.
class Tone : public Listener {
 public:
  explicit Tone(int hz) : hz_(hz) {}
  [[nodiscard]] std::string name() const override { return "a sound of the tenant"; }
  [[nodiscard]] int tone() const override { return hz_; }
  [[nodiscard]] Sound heard(std::chrono::milliseconds /*window*/) const override { return {}; }

 private:
  int hz_;
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
  if (site.prompt_hz == 0) return;
  const CallName announcement = retriever->dial_until_answered("450");
  fact("203 dials the announcement 450, and hears the tenant's prompt", hears(*retriever, Tone(site.prompt_hz)));
  retriever->hang_up(announcement);
}

// What happens outside is reported by a line of the standard input.
void await_line(const std::string& said, const std::string& wanted) {
  std::printf("%s\n", said.c_str());
  std::fflush(stdout);
  std::string line;
  if (!std::getline(std::cin, line) || line != wanted)
    throw std::runtime_error("no line '" + wanted + "', but '" + line + "'");
}

// The parker answers `caller` and parks it at `number`.
CallName park(BaresipPhone& parker, BaresipPhone& caller, const std::string& number) {
  const Ends call = talk(caller, parker);
  parker.transfer(call.callee, number);
  require("the transfer to " + number, parker.reaches(call.callee, CallPhase::kClosed));
  return call.caller;
}

void park_and_lose_the_machine(const Site& site) {
  const auto parker = phone(site, 0);
  const auto caller = phone(site, 1);
  const auto retriever = phone(site, 2);
  const auto impatient = phone(site, 3);
  const Tone music(site.music_hz);
  const CallName call = park(*parker, *caller, "*68");
  const CallName impatient_call = park(*parker, *impatient, "*68205");
  fact("202 is parked at 201, and hears the tenant's music", hears(*caller, music));
  fact("204 is parked at 205, and hears the tenant's music", hears(*impatient, music));
  await_line("parked", "lost");
  fact("202 hears nothing while the machine is lost", hears_nothing(*caller));
  impatient->hang_up(impatient_call);
  fact("204 hangs up meanwhile", impatient->reaches(impatient_call, CallPhase::kClosed));
  await_line("hung up", "restored");
  fact("202 hears the tenant's music again", hears(*caller, music));
  const CallName retrieved = retrieve(*retriever, "*88201", *caller);
  fact("203 dials *88201; 202 and 203 hear each other", testing::AssertionSuccess());
  retriever->hang_up(retrieved);
  fact("203 hangs up, and the call is over", caller->reaches(call, CallPhase::kClosed));
  const CallName nobody = retriever->dial("*88205");
  fact("203 dials *88205, and is refused", retriever->reaches(nobody, CallPhase::kClosed));
  require("the refusal", retriever->closing_reason(nobody).starts_with("404")
                             ? testing::AssertionSuccess()
                             : testing::AssertionFailure() << retriever->closing_reason(nobody));
  std::puts("over");
}

}  // namespace
}  // namespace callpark::test

int main(int argc, char** argv) {
  CLI::App cli("Parks and retrieves calls of phones 201 to 204 at a callpark that runs elsewhere");
  callpark::test::Site site;
  cli.add_option("--server", site.server, "Kamailio's address")->required();
  cli.add_option("--tenant", site.tenant, "the phones' domain")->required();
  cli.add_option("--password", site.password, "of each phone")->required();
  cli.add_option("--address", site.addresses, "of the phones, one each")->required()->expected(3, 4);
  cli.add_option("--dir", site.directory, "for the phones' logs and recordings")->required();
  cli.add_option("--prompt-hz", site.prompt_hz, "the tone of the announcement 450, which is called if this is set");
  bool loses_the_machine = false;
  cli.add_flag("--outage", loses_the_machine,
               "keeps 202 and 204 parked: prints 'parked' and reads 'lost', prints 'hung up' and reads 'restored'");
  cli.add_option("--music-hz", site.music_hz, "the tone that parked callers hear, for --outage");
  CLI11_PARSE(cli, argc, argv);
  try {
    if (loses_the_machine) {
      callpark::test::park_and_lose_the_machine(site);
    } else {
      callpark::test::park_and_retrieve(site);
    }
    return 0;
  } catch (const std::exception& error) {
    std::printf("NO   %s\n", error.what());
    return 1;
  }
}
