#include "mediad/control/control_server.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "base/match.h"
#include "media_protocol/codec.h"

namespace callpark::media {
namespace {

// A line stays within the protocol's limit, its newline included.
constexpr LineLimits kLimits{.line_max_bytes = kLineBytesMax - 1};

}  // namespace

ControlServer::ControlServer(EventLoop& loop, const SocketAddress& address, std::size_t connections_max)
    : connections_max_(connections_max) {
  auto server = LineServer::listen(
      loop, address, [this](LineConnection connection) { on_accept(std::move(connection)); }, kLimits);
  if (!server) throw std::runtime_error(server.error());
  server_.emplace(std::move(*server));
}

ControlServer::~ControlServer() = default;

void ControlServer::serve(SessionService& service, TextSpeaker& texts) {
  service_ = &service;
  texts_ = &texts;
}

void ControlServer::on_accept(LineConnection connection) {
  if (service_ == nullptr) return;
  if (connections_.size() >= connections_max_) {
    const std::string reason = fmt::format("there are {} control connections already", connections_.size());
    log_warning("", "control connection refused: {}", reason);
    connection.send_line(encode_error(RequestId{}, {ErrorCode::kTooManyConnections, reason}));
    return;
  }
  const OwnerId owner = next_owner_++;
  const auto place = connections_.emplace(owner, std::move(connection)).first;
  place->second.start({[this, owner](std::string_view line) { on_line(owner, line); },
                       [this, owner](const std::string& reason) {
                         log_info("", "control connection {} ended: {}", owner, reason);
                         connections_.erase(owner);
                         service_->on_owner_gone(owner);
                       }});
}

void ControlServer::on_line(OwnerId owner, std::string_view line) {
  auto request = decode_request(line);
  if (!request) {
    log_warning("", "control connection {}: {}", owner, request.error().error.message);
    return send(owner, encode_error(request.error().id, request.error().error));
  }
  if (const auto* hello = std::get_if<Hello>(&request->request)) {
    log_info("", "control connection {} is {}", owner, hello->client);
  }
  const auto answer = [this, owner, id = request->id,
                       wants_no_answer = request->wants_no_answer](const Result<Answer, RpcError>& result) {
    if (wants_no_answer) return;
    send(owner, result ? encode_answer(id, *result) : encode_error(id, result.error()));
  };
  std::visit(overloaded{[&](const TextPrepare& wanted) { prepare(wanted, answer); },
                        [&](const auto& wanted) { answer(service_->handle(owner, wanted)); }},
             request->request);
}

void ControlServer::prepare(const TextPrepare& wanted, const OnAnswer& on_answer) {
  texts_->prepare(wanted.language, wanted.text, [on_answer](const Result<std::string, std::string>& name) {
    if (name) {
      on_answer(TextPrepareResult{*name});
    } else {
      on_answer(failure(RpcError{ErrorCode::kTextNotSpoken, name.error()}));
    }
  });
}

void ControlServer::send(OwnerId owner, const std::string& line) {
  const auto connection = connections_.find(owner);
  if (connection != connections_.end()) connection->second.send_line(line);
}

void ControlServer::notify(OwnerId owner, const Notification& notification) {
  send(owner, encode_notification(notification));
}

}  // namespace callpark::media
