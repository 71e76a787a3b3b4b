// RTP under the sessions of session/: ports, streams and what is played, over the two threads that send and receive.
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
#include "mediad/session/ports.h"

namespace callpark::media {

/// For the thread of `loop` only, which also runs the callbacks.
class MediaEngine : public SessionMedia {
 public:
  struct Options {
    RtpPort::Options rtp;
    /// The address that parties send RTP to, which a NAT may translate to that of `rtp`.
    std::string advertised_address;
    std::uint16_t rtp_port_min = 15060;
    /// The last port that may be used, RTCP's included.
    std::uint16_t rtp_port_max = 20059;
    /// kOff: no session latches, whatever its set_remote() asks for.
    Latching latching = Latching::kOn;
    int sender_threads = 1;
    Sender::Options sender;
    AudioLibrary::Options audio;
  };
  struct Callbacks {
    /// `error` as in SessionPlayed.
    std::function<void(const std::string& session, PlayNumber number, const std::string& error)> on_list_spoken;
    std::function<void(const std::string& session, char digit, int duration_ms)> on_key_pressed;
    std::function<void(const std::string& session)> on_remote_heard;
  };

  MediaEngine(EventLoop& loop, Options options, Callbacks callbacks);
  ~MediaEngine() override;
  MediaEngine(const MediaEngine&) = delete;
  MediaEngine& operator=(const MediaEngine&) = delete;

  Result<SessionOpenResult, RpcError> open(const SessionOpen& open) override;
  std::optional<SessionOpenResult> opened(const std::string& session) const override;
  std::optional<std::string> fault_of(const Endpoint& remote) const override;
  void set_remote(const std::string& session, const Endpoint& remote, Latching latching) override;
  void set_codec(const std::string& session, const Codec& codec) override;
  void set_direction(const std::string& session, Direction direction) override;
  void play(const std::string& session, PlayNumber number, const Play& play) override;
  Counters counters(const std::string& session) const override;
  void close(const std::string& session) override;
  CodecListResult codecs() const override;
  /// Of all sending threads: Sender::late_phases().
  std::uint64_t late_phases() const;
  /// Encodes a prompt beside the loop, so that no session waits for it, and calls `done`.
  void encode_prompt(const std::string& path, const std::function<void()>& done) { audio_.encode_ahead(path, done); }
  /// The file of a prompt has been removed. Calls that hear it hear it to its end.
  void forget_prompt(const std::string& path) { audio_.forget(path); }

 private:
  struct Session;

  Result<std::unique_ptr<RtpPort>, RpcError> take_port(std::optional<std::uint16_t> wanted);
  Session* find(const std::string& session) const;
  PlayPlan plan_of(Session& session);
  void add_list(PlayPlan& plan, Session& session, const Announcement& announcement);
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
  /// Work that the threads posted checks by this that the engine still exists.
  std::shared_ptr<MediaEngine*> self_;
};

}  // namespace callpark::media
