// Texts to phones (SIP MESSAGE).
#pragma once

#include <string>

namespace callpark {

/// One text to all phones of an extension. A phone that answers the text calls `from`.
struct TextMessage {
  std::string tenant;
  std::string extension;
  std::string from;
  std::string text;
};

/// The outcome is not reported.
class Messages {
 public:
  virtual ~Messages() = default;
  virtual void send(TextMessage message) = 0;
};

}  // namespace callpark
