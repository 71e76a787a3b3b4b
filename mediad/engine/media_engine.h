// The media sessions as parkd's protocol means them: ports, streams and what is played, over the two threads that send
// and receive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "media_protocol/messages.h"
#include "mediad/engine/audio_library.h"
#include "mediad/engine/receiver.h"
#include "mediad/engine/sender.h"

namespace callpark::media {

/// For the thread of `loop`, which also calls the callbacks.
class MediaEngine {
 public:
  struct Options {
    RtpPort::Options rtp;
    std::uint16_t rtp_port_min = 15060;
    /// The last port that may be used, RTCP's included.
    std::uint16_t rtp_port_max = 20059;
    SourceLock::Learning learning = SourceLock::Learning::kAllowed;
    int sender_threads = 1;
    Sender::Options sender;
    AudioLibrary::Options audio;
  };
  struct Callbacks {
    /// The list of this play has been spoken.
    std::function<void(const std::string& session, std::uint64_t play_number)> on_played;
    std::function<void(const std::string& session, char digit, int duration_ms)> on_digit;
  };
  struct Opened {
    std::uint16_t port = 0;
    std::uint32_t ssrc = 0;
  };
  struct Counters {
    std::uint64_t packets_sent = 0;
    std::uint64_t packets_received = 0;
    /// Ms of the monotonic clock; 0 when nothing has come from the remote.
    std::int64_t last_received_ms = 0;
  };

  MediaEngine(EventLoop& loop, Options options, Callbacks callbacks);
  ~MediaEngine();
  MediaEngine(const MediaEngine&) = delete;
  MediaEngine& operator=(const MediaEngine&) = delete;

  const std::string& address() const { return options_.rtp.address; }
  bool has(const std::string& session) const { return sessions_.count(session) != 0; }
  std::size_t sessions() const { return sessions_.size(); }

  /// `open.session` must not be open. Takes `open.port`, or the next free one of the range. Only port, ssrc, sequence
  /// and timestamp are read here.
  Result<Opened, RpcError> open(const SessionOpen& open);
  /// The functions below do nothing for a session that is not open.
  /// False when the address is not a numeric one of the family that RTP is bound to.
  [[nodiscard]] bool set_remote(const std::string& session, const Endpoint& remote);
  void set_codec(const std::string& session, const Codec& codec);
  void set_sending(const std::string& session, OutgoingStream::Sending sending);
  /// Starts `play` under a number that the caller chose; before the codec is known it waits.
  void play(const std::string& session, std::uint64_t play_number, const Play& play);
  /// The port is free again when this returns.
  Counters close(const std::string& session);

  Counters counters(const std::string& session) const;
  Opened opened(const std::string& session) const;
  /// Where packets go now, which may have been learnt.
  std::optional<Endpoint> remote(const std::string& session) const;

 private:
  struct Session;

  Result<std::unique_ptr<RtpPort>, RpcError> take_port(std::optional<std::uint16_t> wanted);
  Session* find(const std::string& session) const;
  PlayPlan plan_of(const Session& session);
  void begin_sending(Session& session);
  void replace_music(const SharedAudio& before, const SharedAudio& after);

  EventLoop& loop_;
  Options options_;
  Callbacks callbacks_;
  AudioLibrary audio_;
  std::vector<std::unique_ptr<Sender>> senders_;
  Receiver receiver_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  std::uint16_t next_port_;
  std::size_t next_sender_ = 0;
  /// What the threads posted finds out by this whether there still is an engine.
  std::shared_ptr<MediaEngine*> self_;
};

}  // namespace callpark::media
