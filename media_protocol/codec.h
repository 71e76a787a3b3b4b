// JSON-RPC 2.0 lines ↔ the structs of messages.h, for both ends. Lines have no newline in either direction, as in
// base/line_connection.h. No function throws, whatever the bytes are. Thread-safe, no state.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "media_protocol/messages.h"

namespace callpark::media {

/// The reason why a line is no message; `id` is the request's id as far as it could be read, for the answer.
struct CodecError {
  RpcError error;
  RequestId id;
};

// ---- the client's side (parkd) ----

std::string encode_request(std::int64_t id, const Request& request);

struct Response {
  std::int64_t id = 0;
  Result<Answer, RpcError> answer;
};
using MessageFromMediad = std::variant<Response, Notification>;

/// Returns which alternative of Request was sent under an id (`request.index()`); nothing for an unknown id.
using RequestIndexOfId = std::function<std::optional<std::size_t>(std::int64_t id)>;

/// A response becomes the Answer that belongs to its request. A response with an unknown id is an error, and so is an
/// error response with id null (this function's error then carries mediad's sentence).
Result<MessageFromMediad, CodecError> decode_message_from_mediad(std::string_view line,
                                                                 const RequestIndexOfId& request_index_of_id);

// ---- the server's side (mediad) ----

struct RequestMessage {
  RequestId id;
  /// True for JSON-RPC's notification form: the request is done and never answered.
  bool wants_no_answer = false;
  Request request;
};

Result<RequestMessage, CodecError> decode_request(std::string_view line);
std::string encode_answer(const RequestId& id, const Answer& answer);
std::string encode_error(const RequestId& id, const RpcError& error);
std::string encode_notification(const Notification& notification);

}  // namespace callpark::media
