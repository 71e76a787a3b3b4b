#include "tests/support/webhook_receiver.h"

#include <set>
#include <sstream>
#include <utility>

#include "tests/support/source_directory.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

std::vector<std::vector<std::string>> facts(const std::filesystem::path& file, const std::string& kind) {
  std::vector<std::vector<std::string>> found;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (lines.eof()) break;  // a line that is being written
    std::istringstream words(line);
    std::vector<std::string> fact;
    for (std::string word; words >> word;) fact.push_back(word);
    if (!fact.empty() && fact.front() == kind) found.push_back(std::move(fact));
  }
  return found;
}

}  // namespace

WebhookReceiver::WebhookReceiver(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  start();
}

void WebhookReceiver::start() {
  const auto file = directory_.path() / "facts";
  const std::size_t starts = facts(file, "port").size();
  std::vector<std::string> command{"python3", (source_directory() / "tests/support/webhook_receiver.py").string()};
  if (!port_.empty()) command.insert(command.end(), {"--port", port_});
  command.push_back((directory_.path() / "requests").string());
  command.insert(command.end(), secrets_.begin(), secrets_.end());
  process_ = Subprocess({.command = command, .output = file, .with_stdin = true});
  require_until(
      kSoon, [&] { return facts(file, "port").size() == starts + 1; }, "webhook_receiver.py");
  port_ = facts(file, "port").back().at(1);
}

std::string WebhookReceiver::url(const std::string& path) const {
  return "http://127.0.0.1:" + port_ + path;
}

void WebhookReceiver::answer(const std::string& path, const std::string& answer, int count) {
  const std::size_t before = facts(directory_.path() / "facts", "set").size();
  process_.write_line(path + " " + answer + (count == 0 ? "" : " " + std::to_string(count)));
  require_until(
      kSoon, [&] { return facts(directory_.path() / "facts", "set").size() == before + 1; }, "the answer to be set");
}

std::vector<WebhookReceiver::Got> WebhookReceiver::got(const std::string& path) const {
  std::vector<Got> requests;
  for (const auto& fact : facts(directory_.path() / "facts", "got")) {
    if (fact.size() == 7 && fact[1] == path) {
      requests.push_back({fact[1], fact[2], fact[3], fact[4], fact[5] == "genuine", fact[6]});
    }
  }
  return requests;
}

std::vector<Json> WebhookReceiver::requests() const {
  std::vector<Json> requests;
  std::istringstream lines(read_file(directory_.path() / "requests"));
  for (std::string line; std::getline(lines, line) && !lines.eof();) requests.push_back(Json::parse(line));
  return requests;
}

std::map<std::string, std::vector<std::string>> WebhookReceiver::types_by_call(const std::string& path) const {
  std::map<std::string, std::vector<std::string>> types;
  std::set<std::string> ids;
  for (const Got& request : got(path)) {
    if (request.answer == "200" && ids.insert(request.id).second) types[request.park_id].push_back(request.type);
  }
  return types;
}

}  // namespace callpark::test
