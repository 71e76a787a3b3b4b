// The control socket: lines of JSON-RPC in, answers and notifications out.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/event_loop.h"
#include "base/line_connection.h"
#include "mediad/session/session_service.h"
#include "mediad/texts/text_speaker.h"

namespace callpark::media {

/// For the loop's thread only.
class ControlServer {
 public:
  /// Throws std::runtime_error if `address` cannot be listened on. Requests are not read before serve().
  /// More than `connections_max` connections are refused with kTooManyConnections.
  ControlServer(EventLoop& loop, const SocketAddress& address, std::size_t connections_max);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// `service` must outlive this; `texts` must end before it.
  void serve(SessionService& service, TextSpeaker& texts);
  /// Does nothing if the owner's connection has ended.
  void notify(OwnerId owner, const Notification& notification);
  SocketAddress address() const { return server_->address(); }

 private:
  using OnAnswer = std::function<void(const Result<Answer, RpcError>& answer)>;

  void on_accept(LineConnection connection);
  void on_line(OwnerId owner, std::string_view line);
  void prepare(const TextPrepare& wanted, const OnAnswer& on_answer);
  void send(OwnerId owner, const std::string& line);

  std::size_t connections_max_;
  std::optional<LineServer> server_;
  SessionService* service_ = nullptr;
  TextSpeaker* texts_ = nullptr;
  std::map<OwnerId, LineConnection> connections_;
  OwnerId next_owner_ = 1;
};

}  // namespace callpark::media
