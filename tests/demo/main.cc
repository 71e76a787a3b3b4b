// What ./run shows: a caller of the trunk is parked by hold and a new call and picked up by another, and one is parked
// by blind transfer. Real user agents, a time line of the messages (--messages), what was measured, and an exit code
// that is true.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/baresip_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/sip_trace.h"
#include "tests/support/sipp_trunk.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
namespace fs = std::filesystem;

constexpr milliseconds kListening{3000};
constexpr double kPacketsPerSecond = 50;

class Demonstration {
 public:
  Demonstration(fs::path directory, uint16_t port, bool shows_messages)
      : directory_(std::move(directory)),
        port_(port),
        shows_messages_(shows_messages),
        trace_(port, static_cast<uint16_t>(port + 3)),
        trunk_({"127.0.0.50", port}, {"127.0.0.1", port}, directory_ / "demo-trunk") {
    trace_.call_it({"127.0.0.1", port}, "Kamailio");
    trace_.call_it({"127.0.0.1", static_cast<uint16_t>(port + 1)}, "Kamailio inside");
    trace_.call_it({"127.0.0.1", static_cast<uint16_t>(port + 2)}, "parkd");
    trace_.call_it({"127.0.0.50", 0}, "trunk");
    alice_ = phone("101", "Alice (101)", 1);
    carol_ = phone("103", "Carol (103)", 2);
    fact("Alice and Carol are registered", [&] {
      alice_->wait_registered();
      carol_->wait_registered();
      return testing::AssertionSuccess();
    });
  }

  void hold_and_new_call() {
    chapter("A caller from the trunk is parked by hold and a new call, and picked up by another phone");
    const auto client = trunk_.call_in("+442030000101", tone_hz(5));
    const CallName call = alice_->answer_next();
    fact("the Client has called +442030000101; the two hear each other",
         [&] { return hear_each_other(*client, *alice_); });
    alice_->hold(call);
    fact("Alice has the Client on hold", [&] { return hears_nothing(*client); });
    const CallName feature = alice_->dial("*70104");
    fact("Alice's call to *70104 is answered", [&] { return alice_->reaches(feature, CallPhase::kEstablished); });
    fact("Alice hears \"Your call is parked. To pick it up, dial star seven one one zero four\"",
         [&] { return hears_music(*alice_); });
    fact("the Client hears music", [&] { return hears_music(*client); });
    fact("of 50 packets a second, none is missing", [&] { return music_is_steady(client->sound()); });
    fact("the announcement ends, and Alice has no call left", [&] {
      const auto first = alice_->reaches(feature, CallPhase::kClosed, seconds(30));
      return first ? alice_->reaches(call, CallPhase::kClosed) : first;
    });
    const CallName retrieve = carol_->dial("*71104");
    fact("Carol dials *71104; the two hear each other", [&] { return hear_each_other(*carol_, *client); });
    carol_->hang_up(retrieve);
    fact("Carol hangs up, and the Client's call is over too", [&] { return client->is_closed(); });
    fact("the trunk saw nothing but re-INVITEs and BYE", [&] { return client->saw_only_ordinary_calls(); });
    time_line();
  }

  void blind_transfer() {
    chapter("A caller is parked by blind transfer, and picked up again");
    const auto client = trunk_.call_in("+442030000101", tone_hz(5));
    const CallName call = alice_->answer_next();
    fact("the Client and Alice hear each other", [&] { return hear_each_other(*client, *alice_); });
    alice_->transfer(call, "*68");
    fact("Alice transfers the Client to *68, and has no call left",
         [&] { return alice_->reaches(call, CallPhase::kClosed); });
    fact("the Client hears music", [&] { return hears_music(*client); });
    const CallName retrieve = alice_->dial("*88");
    fact("Alice dials *88; they hear each other again", [&] { return hear_each_other(*alice_, *client); });
    alice_->hang_up(retrieve);
    fact("Alice hangs up, and the Client's call is over too", [&] { return client->is_closed(); });
    time_line();
  }

  int failures() const { return failures_; }

 private:
  std::unique_ptr<BaresipPhone> phone(const std::string& user, const std::string& name, int party) {
    addresses_.push_back(std::make_unique<LoopbackAddress>());
    PhoneOptions options;
    options.user = user;
    options.password = "demo-" + user;
    options.registrar_port = port_;
    options.address = addresses_.back()->text();
    options.tone = tone_hz(party);
    options.directory = directory_ / ("demo-phone-" + user);
    fs::create_directories(options.directory);
    trace_.call_it({options.address, 0}, name);
    return std::make_unique<BaresipPhone>(options);
  }

  void chapter(const std::string& title) {
    std::printf("\n%s\n", title.c_str());
    began_ = SipTrace::Clock::now();
  }
  template <class Question>
  void fact(const std::string& what, Question question) {
    testing::AssertionResult answer = testing::AssertionFailure();
    try {
      answer = question();
    } catch (const std::exception& error) {
      answer << error.what();
    }
    const double at = std::chrono::duration<double>(SipTrace::Clock::now() - began_).count();
    std::printf("  %s %7.3f s  %s\n", answer ? "yes" : "NO ", at, what.c_str());
    if (!answer) {
      ++failures_;
      std::printf("      %s\n", answer.message());
    }
    std::fflush(stdout);
  }
  // How late a packet may be is measured and not judged: a busy machine stops the listener too.
  static testing::AssertionResult music_is_steady(RtpParty& sound) {
    const auto began = RtpParty::Clock::now();
    pass(kListening);
    const RtpReport report = sound.report(began);
    std::printf("                 measured: %.1f packets/s, longest gap %.1f ms, %d lost\n", report.packets_per_second,
                report.gap_ms_max, report.lost);
    if (std::abs(report.packets_per_second - kPacketsPerSecond) < 5 && report.lost == 0 && report.pauses == 0) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << report.describe();
  }
  void time_line() const {
    if (shows_messages_) std::printf("messages:\n%s", trace_.text(began_).c_str());
  }

  const fs::path directory_;
  const uint16_t port_;
  const bool shows_messages_;
  SipTrace trace_;
  SippTrunk trunk_;
  std::vector<std::unique_ptr<LoopbackAddress>> addresses_;
  std::unique_ptr<BaresipPhone> alice_;
  std::unique_ptr<BaresipPhone> carol_;
  SipTrace::Clock::time_point began_ = SipTrace::Clock::now();
  int failures_ = 0;
};

int run(const std::string& directory, uint16_t port, bool shows_messages) {
  try {
    Demonstration demonstration(directory, port, shows_messages);
    demonstration.hold_and_new_call();
    demonstration.blind_transfer();
    const int failures = demonstration.failures();
    if (failures == 0) {
      std::printf("\nThe demonstration went as it should.\n");
    } else {
      std::printf("\nThe demonstration failed: %d facts were not so.\n", failures);
    }
    return failures == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::printf("\nThe demonstration failed: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace callpark::test

int main(int argc, char** argv) {
  CLI::App cli("Parks and retrieves calls in a system that ./run has started, and shows how");
  std::string directory;
  uint16_t port = 5060;
  cli.add_option("--dir", directory, "where the run keeps everything")->required();
  cli.add_option("--ports", port, "Kamailio's port");
  bool shows_messages = false;
  cli.add_flag("--messages", shows_messages, "prints the SIP messages of each chapter after its facts");
  CLI11_PARSE(cli, argc, argv);
  return callpark::test::run(directory, port, shows_messages);
}
