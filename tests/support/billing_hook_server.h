// A billing hook in a process of its own, which answers as a test demands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {

class BillingHookServer {
 public:
  /// Signs every question of a test.
  static constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  struct Question {
    Json body;
    std::string raw;  // the body, byte for byte
    Json headers;     // with the names that the client has sent
    bool is_signed = false;
    std::int64_t received_at = 0;  // by the hook's clock, milliseconds since 1970
  };

  /// Allows everything. `tls_files`: none, or its certificate, its key, and the authority of its clients, as PEM.
  /// Throws std::runtime_error when it does not start.
  explicit BillingHookServer(std::vector<std::string> tls_files = {});

  /// "http://127.0.0.1:PORT/hook", or https.
  [[nodiscard]] std::string url() const;
  /// How questions are answered from here on; `event` "": those of every event.
  void answer(const std::string& body, int status = 200, const std::string& event = "");
  /// Questions get no answer from here on.
  void hang(const std::string& event = "");
  void close_connections();
  /// All so far.
  [[nodiscard]] std::vector<Question> questions() const;

 private:
  void set(Json answer, const std::string& event);
  [[nodiscard]] std::vector<Json> facts(const std::string& member) const;

  TempDir directory_{"billing-hook"};
  bool has_tls_;
  Subprocess process_;
  std::size_t set_ = 0;
  std::string port_;
};

}  // namespace callpark::test
