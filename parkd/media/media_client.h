// The Media port on mediad's protocol: one connection, and after a restart of mediad each session is opened again on
// its port.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/event_loop.h"
#include "base/line_connection.h"
#include "media_protocol/codec.h"
#include "media_protocol/messages.h"
#include "parkd/ports/media.h"

namespace callpark {

/// Lives on the loop's thread.
class MediaClient final : public Media {
 public:
  struct Settings {
    SocketAddress mediad;
    Duration reconnect{200};
    Duration answer_timeout{1000};
    std::string name;  // of this parkd, for mediad's log
  };
  MediaClient(EventLoop& loop, Settings settings);
  /// Begins to connect. Until mediad answers, open() of a new session fails at once, and that of one that mediad may
  /// have waits for as long as an answer may need: a parkd that recovers calls has only begun to connect.
  void start();
  bool is_connected() const { return greeted_; }

  void set_listener(Listener* listener) override { listener_ = listener; }
  void open(std::string session, Play play, std::optional<MediaSnapshot> again, Opened answer) override;
  void connect(const std::string& session, const MediaRemote& remote) override;
  void play(const std::string& session, Play play) override;
  void close(const std::string& session) override;
  /// Fails at once while mediad does not answer. If mediad is restarted while it speaks the text, it is asked again.
  void prepare_text(const std::string& language, const std::string& text, TextPrepared answer) override;

 private:
  // All that restores a session in mediad.
  struct Session {
    MediaSnapshot snapshot;
    Play play;
    std::uint64_t play_number = 0;
    bool played = false;  // true after the announcement has ended: it is not played again
    LoopHandle retry;     // after mediad refused to open it again
  };
  using OnAnswer = std::function<void(const Result<media::Answer, media::RpcError>& answer)>;
  struct Pending {
    std::size_t request_index = 0;
    OnAnswer on_answer;
    LoopHandle deadline;
  };

  struct Waiting {
    Play play;
    MediaSnapshot again;
    Opened answer;
    LoopHandle deadline;
  };

  struct Text {
    media::TextPrepare wanted;
    TextPrepared answer;
    LoopHandle deadline;
  };

  void close_in_mediad(const std::string& session);
  void open_once_greeted(const std::string& session, Waiting waiting);
  void on_connected();
  void on_greeted();
  void on_line(std::string_view line);
  void on_closed();
  void on_notification(const media::Notification& notification);
  void send(const media::Request& request, OnAnswer on_answer);
  void send(const media::Request& request, Duration timeout, OnAnswer on_answer);
  void ask_for_text(std::int64_t number);
  void answer_text(std::int64_t number, const Result<std::string, std::string>& result);
  void reopen_all();
  void reopen(const std::string& id, bool on_its_port);
  media::SessionOpen request_of(const Session& session) const;

  EventLoop& loop_;
  const Settings settings_;
  LineClient connection_;
  Listener* listener_ = nullptr;
  bool greeted_ = false;
  std::int64_t last_request_ = 0;
  std::unordered_map<std::int64_t, Pending> pending_;
  std::unordered_map<std::string, Session> sessions_;
  std::unordered_map<std::string, Waiting> waiting_;  // for the greeting
  std::int64_t last_text_ = 0;
  std::map<std::int64_t, Text> texts_;
  // Closed while mediad did not answer, which plays on.
  std::unordered_set<std::string> abandoned_;
};

}  // namespace callpark
