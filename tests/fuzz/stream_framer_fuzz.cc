// Any bytes, cut anywhere: the framer never reads outside, never hands out more than a message may be, never keeps more
// than it must, and makes the same of the bytes however they are cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "parkd/transport/stream_framer.h"

namespace {

using callpark::sip::StreamFramer;
using Kind = StreamFramer::Frame::Kind;

void require(bool fact) {
  if (!fact) std::abort();
}

// What comes out, in a form that can be compared. Stops at an error, after which a framer returns nothing else.
bool drain(StreamFramer& framer, std::vector<std::string>& out) {
  for (;;) {
    const auto frame = framer.next();
    require(frame.bytes.size() <= StreamFramer::kMessageBytesMax);
    switch (frame.kind) {
      case Kind::kMore:
        return true;
      case Kind::kMessage:
        require(frame.bytes.find("\r\n\r\n") != std::string_view::npos);
        out.emplace_back(frame.bytes);
        break;
      case Kind::kPing:
        out.emplace_back("ping");
        break;
      case Kind::kError:
        require(frame.error.has_value());
        require(framer.next().kind == Kind::kError);
        return false;
    }
  }
}

std::vector<std::string> frames(std::string_view stream, std::size_t piece) {
  StreamFramer framer;
  std::vector<std::string> out;
  while (!stream.empty()) {
    framer.push(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    if (!drain(framer, out)) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const auto whole = frames(stream, size + 1);
  require(frames(stream, 1) == whole);
  require(frames(stream, 1 + size / 3) == whole);
  return 0;
}
