// A subscriber to webhooks in a process of its own (webhook_receiver.py), which a test lets behave badly, kills and
// starts again at the same port.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {

class WebhookReceiver {
 public:
  /// `secrets`: each has to have signed every event.
  explicit WebhookReceiver(std::vector<std::string> secrets);

  [[nodiscard]] std::string url(const std::string& path) const;
  /// Sets the answer to requests of a path, or of all paths ("*"): "200", "503+7", "hang", "close". With a count, of so
  /// many requests alone.
  void answer(const std::string& path, const std::string& answer, int count = 0);
  void kill9() { process_.kill_now(); }
  /// At the port that it had. It answers 200 to everything.
  void start();

  struct Got {
    std::string path;
    std::string id;
    std::string type;  // "park.parked"
    std::string park_id;
    bool is_genuine = false;
    std::string answer;
  };
  /// All requests so far, in sequence, also those before a start().
  [[nodiscard]] std::vector<Got> got(const std::string& path) const;
  /// The same requests as they came: "path", "id", "timestamp" in seconds, "signature", and "body" byte for byte.
  [[nodiscard]] std::vector<Json> requests() const;
  /// Those that were answered with 200, with the types that a receiver which remembers ids sees of each call.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> types_by_call(const std::string& path) const;

 private:
  TempDir directory_{"webhook-receiver"};
  const std::vector<std::string> secrets_;
  std::string port_;
  Subprocess process_;
};

}  // namespace callpark::test
