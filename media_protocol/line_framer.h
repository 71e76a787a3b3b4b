// Cuts a byte stream into the lines of the protocol and bounds what a peer can make us remember.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "media_protocol/messages.h"

namespace callpark::media {

class LineFramer {
 public:
  enum class Status { kOk, kLineTooLong };

  explicit LineFramer(std::size_t line_bytes_max = kLineBytesMax) : line_bytes_max_(line_bytes_max) {}

  /// Calls `on_line` for each line completed by `bytes`, without its "\n" or "\r\n"; empty lines are skipped. The view
  /// is valid during the call; `on_line` must not destroy the framer, and returns false to be given no more.
  /// After kLineTooLong the stream cannot be used any more; lines before the long one have been given.
  Status feed(std::string_view bytes, const std::function<bool(std::string_view line)>& on_line);

 private:
  std::size_t line_bytes_max_;
  std::string unfinished_;
};

}  // namespace callpark::media
