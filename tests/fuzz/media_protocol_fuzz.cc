// Any bytes as a line of the mediad protocol, from either end: nothing may crash, and what decodes must encode to a
// line that decodes to the same.
#include <cstdlib>
#include <string_view>

#include "media_protocol/codec.h"

namespace {

using namespace callpark::media;

void require(bool holds) {
  if (!holds) std::abort();
}

void as_request(std::string_view line) {
  const auto decoded = decode_request(line);
  if (!decoded) {
    encode_error(decoded.error().id, decoded.error().error);
    return;
  }
  const auto again = decode_request(encode_request(1, decoded->request));
  require(again.has_value() && again->request == decoded->request);
}

void as_message_from_mediad(std::string_view line, std::size_t request_index) {
  const auto decoded = decode_message_from_mediad(line, [&](std::int64_t) { return request_index; });
  if (!decoded) return;
  if (const auto* notification = std::get_if<Notification>(&*decoded)) {
    const auto again = decode_message_from_mediad(encode_notification(*notification), [](auto) { return 0; });
    require(again.has_value() && std::get<Notification>(*again) == *notification);
    return;
  }
  const auto& response = std::get<Response>(*decoded);
  if (!response.answer) return;
  const auto again =
      decode_message_from_mediad(encode_answer(response.id, *response.answer), [&](auto) { return request_index; });
  require(again.has_value() && *std::get<Response>(*again).answer == *response.answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  as_request(line);
  if (size > 0) as_message_from_mediad(line.substr(1), data[0] % std::variant_size_v<Answer>);
  return 0;
}
