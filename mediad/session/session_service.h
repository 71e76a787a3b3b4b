// The existing sessions, and the loop around `decide`: requests and events of the media in, commands to the media and
// notifications to the owners out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/event_loop.h"
#include "mediad/session/decide.h"
#include "mediad/session/ports.h"

namespace callpark::media {

/// For the loop's thread only.
class SessionService {
 public:
  struct Options {
    /// How long a session lives after its owner's connection has ended.
    Duration unclaimed{300'000};
    /// How long a remote that has sent RTP must be silent before the owner is notified; zero: never.
    Duration no_rtp{30'000};
    /// How long a remote that is being sent to may send neither RTP nor RTCP at all before sending to it stops; zero:
    /// for ever.
    Duration silent_remote{60'000};
    std::size_t sessions_max = 10'000;
  };

  /// `media` must outlive the service.
  SessionService(EventLoop& loop, SessionMedia& media, Options options, NotifyOwner notify);
  ~SessionService();
  SessionService(const SessionService&) = delete;
  SessionService& operator=(const SessionService&) = delete;

  /// A new value at each start.
  const std::string& instance() const { return instance_; }

  Result<Answer, RpcError> handle(OwnerId owner, const Hello& hello);
  Result<Answer, RpcError> handle(OwnerId owner, const SessionOpen& open);
  Result<Answer, RpcError> handle(OwnerId owner, const SessionUpdate& update);
  Result<Answer, RpcError> handle(OwnerId owner, const SessionPlay& play);
  Result<Answer, RpcError> handle(OwnerId owner, const SessionClose& close);
  Result<Answer, RpcError> handle(OwnerId owner, const SessionList& list);
  Result<Answer, RpcError> handle(OwnerId owner, const CodecList& list);
  void on_owner_gone(OwnerId owner);
  /// Sessions that exist go on, however many they are; a connection that is lost from now on leaves its sessions this
  /// time.
  void set_limits(std::size_t sessions_max, Duration unclaimed);

  struct Traffic {
    std::uint64_t packets_sent = 0;
    std::uint64_t packets_received = 0;
  };
  /// Of all sessions since the start, closed ones included.
  Traffic traffic() const;
  std::size_t sessions() const { return entries_.size(); }
  std::size_t sessions_max() const { return options_.sessions_max; }

  /// `error` as in SessionPlayed.
  void on_list_spoken(const std::string& session, PlayNumber number, const std::string& error);
  void on_key_pressed(const std::string& session, char digit, int duration_ms);
  void on_remote_heard(const std::string& session);

 private:
  struct Entry {
    Session session;
    OwnerId owner = 0;
    LoopHandle claim_timer{};
    LoopHandle silence_timer{};
    /// Time of the last packet before the last reported silence, as last_received_ms; 0 if none was reported.
    std::int64_t reported_ceased_ms = 0;
  };
  using Entries = std::map<std::string, Entry>;

  std::optional<RpcError> refusal_of(const std::optional<Endpoint>& remote) const;
  void perform(Entries::iterator entry, const event::Event& event);
  void perform(Entry& entry, const action::Action& action);
  bool is_silence_limited() const noexcept { return options_.silent_remote != Duration::zero(); }
  void start_silence_timer(Entry& entry);
  void notice_silence();

  EventLoop& loop_;
  SessionMedia& media_;
  Options options_;
  NotifyOwner notify_;
  std::string instance_;
  Entries entries_;
  Traffic of_closed_;
  PlayNumber next_number_ = 1;
  LoopHandle silence_timer_;
};

}  // namespace callpark::media
