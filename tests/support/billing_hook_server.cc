#include "tests/support/billing_hook_server.h"

#include <sstream>
#include <utility>

#include "tests/support/source_directory.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

std::vector<std::string> command(std::vector<std::string> tls_files) {
  std::vector<std::string> words{"python3", (source_directory() / "tests/support/billing_hook.py").string(),
                                 BillingHookServer::kSecret};
  words.insert(words.end(), tls_files.begin(), tls_files.end());
  return words;
}

}  // namespace

BillingHookServer::BillingHookServer(std::vector<std::string> tls_files)
    : has_tls_(!tls_files.empty()),
      process_({.command = command(std::move(tls_files)), .output = directory_.path() / "facts", .with_stdin = true}) {
  require_until(
      kSoon, [this] { return !facts("port").empty(); }, "a billing hook");
  port_ = std::to_string(facts("port").front()["port"].get<int>());
}

std::string BillingHookServer::url() const {
  return std::string(has_tls_ ? "https" : "http") + "://127.0.0.1:" + port_ + "/hook";
}

void BillingHookServer::answer(const std::string& body, int status, const std::string& event) {
  set({{"status", status}, {"body", body}}, event);
}

void BillingHookServer::hang(const std::string& event) {
  set({{"hang", true}}, event);
}

void BillingHookServer::close_connections() {
  set({{"close", true}}, "");
}

void BillingHookServer::set(Json answer, const std::string& event) {
  if (!event.empty()) answer["event"] = event;
  process_.write_line(answer.dump());
  ++set_;
  require_until(
      kSoon, [this] { return facts("set").size() == set_; }, "the billing hook's new answer");
}

std::vector<BillingHookServer::Question> BillingHookServer::questions() const {
  std::vector<Question> questions;
  for (const Json& fact : facts("question")) {
    questions.push_back({fact["question"], fact["raw"].get<std::string>(), fact["headers"],
                         fact["is_signed"].get<bool>(), fact["received_at"].get<std::int64_t>()});
  }
  return questions;
}

// A line that is not complete yet is none.
std::vector<Json> BillingHookServer::facts(const std::string& member) const {
  std::vector<Json> found;
  std::istringstream lines(process_.output());
  for (std::string line; std::getline(lines, line);) {
    Json fact = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!fact.is_discarded() && fact.contains(member)) found.push_back(std::move(fact));
  }
  return found;
}

}  // namespace callpark::test
