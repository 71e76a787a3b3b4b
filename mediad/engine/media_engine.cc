#include "mediad/engine/media_engine.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "mediad/session/remote_rules.h"

namespace callpark::media {

struct MediaEngine::Session {
  std::shared_ptr<RtpPort> port;
  std::shared_ptr<OutgoingStream> outgoing;
  std::shared_ptr<IncomingStream> incoming;
  Sender* sender = nullptr;
  std::uint32_t ssrc = 0;
  std::optional<Codec> codec;
  bool has_remote = false;
  IncomingStream::RemoteNumber remote_number = 0;
  enum class Started { kNo, kYes };
  Started started = Started::kNo;
  PlayNumber play_number = 0;
  Play play;
  /// As in SessionPlayed, of the present play.
  std::string play_error;
  /// The sound that the sender repeats now, or will repeat after the list.
  SharedAudio loop;
};

MediaEngine::MediaEngine(EventLoop& loop, Options options, Callbacks callbacks)
    : loop_(loop),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      audio_(loop, options_.audio),
      next_port_(options_.rtp_port_min),
      self_(std::make_shared<MediaEngine*>(this)) {
  if (!PeerAddress::of({options_.rtp.address, 0})) {
    throw std::runtime_error(options_.rtp.address + " is no numeric address for RTP");
  }
  // A restarted process begins at a random port, so that it does not occupy the ports that will be reopened.
  const int pairs = (options_.rtp_port_max - options_.rtp_port_min + 1) / 2;
  if (pairs > 0) next_port_ = static_cast<std::uint16_t>(next_port_ + 2 * random_below(static_cast<unsigned>(pairs)));
  for (int i = 0; i < options_.sender_threads; ++i) senders_.push_back(std::make_unique<Sender>(options_.sender));
  audio_.on_grown([this](const SharedAudio& before, const SharedAudio& after) { replace_music(before, after); });
  audio_.prepare();
}

MediaEngine::~MediaEngine() {
  *self_ = nullptr;
}

MediaEngine::Session* MediaEngine::find(const std::string& session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : found->second.get();
}

Result<std::unique_ptr<RtpPort>, RpcError> MediaEngine::take_port(std::optional<std::uint16_t> wanted) {
  const auto refused = [](int error) {
    return failure(RpcError{ErrorCode::kInternalError, fmt::format("the kernel refuses: {}", std::strerror(error))});
  };
  if (wanted) {
    auto port = RtpPort::open(options_.rtp, *wanted);
    if (port) return std::move(*port);
    if (port.error() == RtpPort::OpenError::kRefused) return refused(errno);
    return failure(RpcError{ErrorCode::kPortTaken, fmt::format("port {} or {} is in use", *wanted, *wanted + 1)});
  }
  // Ports are used in turn, so that a port rests as long as possible before another call gets it.
  const int pairs = (options_.rtp_port_max - options_.rtp_port_min + 1) / 2;
  for (int i = 0; i < pairs; ++i) {
    const std::uint16_t candidate = next_port_;
    const bool last = candidate + 3 > options_.rtp_port_max;
    next_port_ = last ? options_.rtp_port_min : static_cast<std::uint16_t>(candidate + 2);
    auto port = RtpPort::open(options_.rtp, candidate);
    if (port) return std::move(*port);
    if (port.error() == RtpPort::OpenError::kRefused) return refused(errno);
  }
  return failure(RpcError{ErrorCode::kNoPortFree,
                          fmt::format("no port from {} to {} is free", options_.rtp_port_min, options_.rtp_port_max)});
}

Result<SessionOpenResult, RpcError> MediaEngine::open(const SessionOpen& open) {
  auto port = take_port(open.port);
  if (!port) return failure(port.error());
  auto session = std::make_unique<Session>();
  session->port = std::move(*port);
  session->ssrc = open.ssrc ? *open.ssrc : static_cast<std::uint32_t>(random_below(std::uint64_t{1} << 32));
  session->sender = senders_[next_sender_++ % senders_.size()].get();
  // Runs `call(engine, session)` on the loop, unless the engine or the session has ended by then.
  const auto to_loop = [&loop = loop_, self = self_, id = open.session](auto call) {
    loop.post([self, id, call = std::move(call)] {
      const Session* found = *self != nullptr ? (*self)->find(id) : nullptr;
      if (found != nullptr) call(**self, *found);
    });
  };
  const auto on_list_spoken = [to_loop, id = open.session](PlayNumber number) {
    to_loop([id, number](const MediaEngine& engine, const Session& found) {
      const bool is_present = found.play_number == number;
      engine.callbacks_.on_list_spoken(id, number, is_present ? found.play_error : std::string());
    });
  };
  session->outgoing = std::make_shared<OutgoingStream>(
      session->port, OutgoingStream::Begin{session->ssrc, open.sequence, open.timestamp}, on_list_spoken);
  const auto on_digit = [to_loop, id = open.session](DigitReceiver::Digit digit) {
    to_loop([id, digit](const MediaEngine& engine, const Session&) {
      engine.callbacks_.on_key_pressed(id, digit.digit, digit.duration_ms);
    });
  };
  const auto on_heard = [to_loop, id = open.session](IncomingStream::RemoteNumber number) {
    to_loop([id, number](const MediaEngine& engine, const Session& found) {
      if (found.remote_number == number) engine.callbacks_.on_remote_heard(id);
    });
  };
  session->incoming = std::make_shared<IncomingStream>(session->port, on_digit, on_heard);
  receiver_.add(session->incoming);
  SessionOpenResult opened{options_.advertised_address, session->port->port(), session->ssrc};
  sessions_[open.session] = std::move(session);
  return opened;
}

std::optional<std::string> MediaEngine::fault_of(const Endpoint& remote) const {
  return fault_of_remote(remote, {.address = options_.rtp.address,
                                  .advertised_address = options_.advertised_address,
                                  .port_min = options_.rtp_port_min,
                                  .port_max = options_.rtp_port_max});
}

void MediaEngine::set_remote(const std::string& session, const Endpoint& remote, Latching latching) {
  Session* found = find(session);
  const auto address = PeerAddress::of(remote);
  if (found == nullptr || !address) return;
  found->has_remote = true;
  const IncomingStream::RemoteNumber number = ++found->remote_number;
  if (options_.latching == Latching::kOff) latching = Latching::kOff;
  // The destination is set here, since the first packet may leave before the receiver runs the change.
  found->port->set_destination(*address);
  receiver_.change(found->incoming, [number, address = *address, latching](IncomingStream& incoming) {
    incoming.set_remote(number, address, latching, monotonic_now());
  });
  begin_sending(*found);
}

void MediaEngine::set_codec(const std::string& session, const Codec& codec) {
  Session* found = find(session);
  if (found == nullptr || found->codec == codec) return;
  found->codec = codec;
  receiver_.change(found->incoming, [codec](IncomingStream& incoming) {
    incoming.set_payload_types(codec.payload_type, codec.telephone_event, codec.clock_rate);
  });
  PlayPlan plan = plan_of(*found);
  found->loop = plan.loop;
  found->sender->change(found->outgoing, [codec, plan = std::move(plan)](OutgoingStream& outgoing) mutable {
    outgoing.set_codec(codec.name, codec.payload_type, codec.packet_ms);
    if (outgoing.player().has_plan() && outgoing.player().play_number() == plan.play_number) {
      outgoing.player().change_codec(std::move(plan));
    } else {
      outgoing.player().start(std::move(plan));
    }
  });
  begin_sending(*found);
}

void MediaEngine::set_direction(const std::string& session, Direction direction) {
  Session* found = find(session);
  if (found == nullptr) return;
  found->sender->change(found->outgoing, [direction](OutgoingStream& outgoing) { outgoing.set_direction(direction); });
}

void MediaEngine::play(const std::string& session, PlayNumber number, const Play& play) {
  Session* found = find(session);
  if (found == nullptr) return;
  found->play_number = number;
  found->play = play;
  if (!found->codec) return;
  PlayPlan plan = plan_of(*found);
  found->loop = plan.loop;
  found->sender->change(found->outgoing, [plan = std::move(plan)](OutgoingStream& outgoing) mutable {
    outgoing.player().start(std::move(plan));
  });
}

void MediaEngine::begin_sending(Session& session) {
  if (session.started == Session::Started::kYes) return;
  if (!session.codec || !session.has_remote) return;
  session.started = Session::Started::kYes;
  session.sender->add(session.outgoing);
}

PlayPlan MediaEngine::plan_of(Session& session) {
  const CodecName codec = session.codec->name;
  PlayPlan plan;
  plan.play_number = session.play_number;
  session.play_error.clear();
  std::visit(overloaded{[&](const Silence&) { plan.loop = audio_.silence(codec); },
                        [&](const Music& music) { plan.loop = audio_.music(music.music_class, codec); },
                        [&](const Ringback&) {
                          plan.loop = audio_.ringback(codec);
                          plan.loop_begins = PlayPlan::LoopBegins::kWithThePlay;
                        },
                        [&](const Announcement& announcement) { add_list(plan, session, announcement); }},
             session.play);
  return plan;
}

void MediaEngine::add_list(PlayPlan& plan, Session& session, const Announcement& announcement) {
  const CodecName codec = session.codec->name;
  const auto speak = [&](const std::string& name) {
    auto audio = audio_.prompt(announcement.language, name, codec);
    if (audio) {
      plan.list.push_back(std::move(*audio));
    } else if (session.play_error.empty()) {
      session.play_error = audio.error();
    }
  };
  for (const Spoken& spoken : announcement.list) {
    std::visit(overloaded{[&](const Prompt& prompt) { speak(prompt.prompt); },
                          [&](const Digits& digits) {
                            for (const char digit : digits.digits) speak(digit_prompt(digit));
                          }},
               spoken);
  }
  // A list without any existing sound ends at once, and is reported like any other.
  if (plan.list.empty()) plan.list.push_back(std::make_shared<const EncodedAudio>());
  plan.repeat = announcement.repeat;
  plan.loop = announcement.then == Then::kMusic ? audio_.music("default", codec) : audio_.silence(codec);
}

void MediaEngine::replace_music(const SharedAudio& before, const SharedAudio& after) {
  for (const auto& [id, session] : sessions_) {
    if (session->loop != before) continue;
    session->loop = after;
    session->sender->change(session->outgoing, [before, after](OutgoingStream& outgoing) {
      outgoing.player().replace_loop(before, after);
    });
  }
}

void MediaEngine::close(const std::string& session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  Session& closing = *found->second;
  closing.port->close();
  receiver_.remove(closing.incoming);
  closing.sender->remove(closing.outgoing);
  sessions_.erase(found);
}

SessionMedia::Counters MediaEngine::counters(const std::string& session) const {
  const Session* found = find(session);
  if (found == nullptr) return {};
  return {found->outgoing->packets_sent(), found->incoming->packets_received(), found->incoming->last_received_ms()};
}

std::optional<SessionOpenResult> MediaEngine::opened(const std::string& session) const {
  const Session* found = find(session);
  if (found == nullptr) return std::nullopt;
  return SessionOpenResult{options_.advertised_address, found->port->port(), found->ssrc};
}

std::uint64_t MediaEngine::late_phases() const {
  std::uint64_t sum = 0;
  for (const auto& sender : senders_) sum += sender->late_phases();
  return sum;
}

CodecListResult MediaEngine::codecs() const {
  CodecListResult result;
  for (const CodecFacts& facts : all_codecs()) {
    result.codecs.push_back({facts.name, facts.clock_hz, facts.static_payload_type});
  }
  return result;
}

}  // namespace callpark::media
