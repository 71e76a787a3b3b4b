// The messages between parkd and mediad: one struct for each request, result and notification of their JSON-RPC
// protocol. Plain values without behaviour; codec.h turns them into lines and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace callpark::media {

inline constexpr int kProtocolVersion = 1;
/// No line of the protocol is longer than this, its newline included.
inline constexpr std::size_t kLineBytesMax = 64 * 1024;
inline constexpr std::size_t kSessionIdBytesMax = 128;

enum class CodecName { kPcmu, kPcma, kG722, kOpus };

/// Returns "PCMU", "PCMA", "G722" or "opus": the names of RFC 3551 and RFC 7587 as SDP writes them.
std::string_view codec_text(CodecName name);
/// Case does not matter (RFC 4855 section 3). Returns nothing if mediad has no such codec.
std::optional<CodecName> codec_from_text(std::string_view text);

/// A numeric IPv4 or IPv6 address and a UDP port. As a session's remote, 0.0.0.0, :: and port 0 put the session on hold
/// (RFC 3264 section 8.4): nothing is sent until another remote is signalled.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

inline constexpr int kPacketMsDefault = 20;

/// The answer's choice. The payload types are those under which the *remote* wants to receive.
struct Codec {
  CodecName name = CodecName::kPcmu;
  std::uint8_t payload_type = 0;
  /// The RTP clock: 8000 for PCMU, PCMA and (RFC 3551 section 4.5.2) G722, 48000 for opus.
  int clock_rate = 8000;
  /// Payload type of telephone-event; if empty, digits are not reported.
  std::optional<std::uint8_t> telephone_event{};
  /// Packet time: 20, or 10 if the remote has an a=maxptime below 20. opus is sent with 20 only.
  int packet_ms = kPacketMsDefault;
  bool operator==(const Codec&) const = default;
};

struct Music {
  std::string music_class = "default";
  bool operator==(const Music&) const = default;
};
struct Ringback {
  bool operator==(const Ringback&) const = default;
};
struct Silence {
  bool operator==(const Silence&) const = default;
};

/// A recorded sentence by its file name without ".wav".
struct Prompt {
  std::string prompt;
  bool operator==(const Prompt&) const = default;
};
/// Keys that are spoken one by one: 0 to 9, '*' and '#'.
struct Digits {
  std::string digits;
  bool operator==(const Digits&) const = default;
};
using Spoken = std::variant<Prompt, Digits>;

enum class Then { kEnd, kMusic };

/// A list that is spoken `repeat` times in one language. Silence (kEnd) or the default music (kMusic) follows, and
/// session.played is sent.
struct Announcement {
  std::string language = "en";
  std::vector<Spoken> list{};
  Then then = Then::kEnd;
  int repeat = 1;
  bool operator==(const Announcement&) const = default;
};

using Play = std::variant<Silence, Music, Ringback, Announcement>;

// ---- requests: parkd sends, mediad answers each with the result that follows it here ----

struct Hello {
  std::string client{};
  int protocol = kProtocolVersion;
  bool operator==(const Hello&) const = default;
};
struct HelloResult {
  int protocol = kProtocolVersion;
  /// A new value at each start of mediad: a mediad with an unknown instance has none of the client's sessions.
  std::string instance{};
  bool operator==(const HelloResult&) const = default;
};

/// Opens a session, or claims and updates the one that has this id already. Without `remote`, `codec` or `play` a new
/// session sends nothing yet, and a claimed one continues unchanged.
struct SessionOpen {
  std::string session{};
  /// Reopens the session on this port (even). Refused with kPortTaken if it is not free.
  std::optional<std::uint16_t> port{};
  std::optional<Endpoint> remote{};
  /// Only read with `remote`. If true, the remote is known to be behind a NAT: mediad may latch (RFC 7362) onto the
  /// address that its first packets come from, at most once. If false, packets never move the stream.
  bool latching = false;
  std::optional<Codec> codec{};
  /// Reopens the session as this synchronization source. Without `sequence` and `timestamp` both continue as if the
  /// packets since mediad's end had been lost.
  std::optional<std::uint32_t> ssrc{};
  std::optional<std::uint16_t> sequence{};
  std::optional<std::uint32_t> timestamp{};
  std::optional<Play> play{};
  /// session.played of `play` returns this id.
  std::string play_id{};
  bool operator==(const SessionOpen&) const = default;
};
struct SessionOpenResult {
  std::string address{};
  std::uint16_t port = 0;
  std::uint32_t ssrc = 0;
  bool operator==(const SessionOpenResult&) const = default;
};

struct SessionUpdate {
  std::string session{};
  std::optional<Endpoint> remote{};
  /// As in SessionOpen.
  bool latching = false;
  std::optional<Codec> codec{};
  std::optional<Play> play{};
  std::string play_id{};
  /// If false, nothing is sent until it is true again (the remote's direction is sendonly or inactive); the play
  /// continues unheard.
  std::optional<bool> send{};
  bool operator==(const SessionUpdate&) const = default;
};
struct SessionUpdateResult {
  bool operator==(const SessionUpdateResult&) const = default;
};

struct SessionPlay {
  std::string session{};
  std::string play_id{};
  Play play{};
  bool operator==(const SessionPlay&) const = default;
};
struct SessionPlayResult {
  bool operator==(const SessionPlayResult&) const = default;
};

struct SessionClose {
  std::string session{};
  bool operator==(const SessionClose&) const = default;
};
struct SessionCloseResult {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  bool operator==(const SessionCloseResult&) const = default;
};

/// The sessions in the order of their ids, one page per answer.
struct SessionList {
  /// Only sessions with a greater id than this.
  std::string after{};
  bool operator==(const SessionList&) const = default;
};
struct SessionState {
  std::string session{};
  std::uint16_t port = 0;
  std::uint32_t ssrc = 0;
  std::optional<Endpoint> remote{};
  std::optional<Codec> codec{};
  /// True if a live connection has opened the session; others end after `unclaimed_seconds`.
  bool claimed = false;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  bool operator==(const SessionState&) const = default;
};
struct SessionListResult {
  std::vector<SessionState> sessions{};
  /// True if there are more: request the next page with `after` = the last id of this page.
  bool more = false;
  bool operator==(const SessionListResult&) const = default;
};

struct CodecList {
  bool operator==(const CodecList&) const = default;
};
struct CodecListResult {
  struct Entry {
    CodecName name = CodecName::kPcmu;
    int clock_rate = 8000;
    /// The static payload type of RFC 3551, or nothing for a dynamic one.
    std::optional<std::uint8_t> payload_type;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> codecs{};
  bool operator==(const CodecListResult&) const = default;
};

inline constexpr std::size_t kTextBytesMax = 1000;

/// Has a text spoken into a sound file, unless the file is there already. The answer comes when the file is there, or
/// with kTextNotSpoken.
struct TextPrepare {
  std::string language = "en";
  /// UTF-8 without control characters.
  std::string text{};
  bool operator==(const TextPrepare&) const = default;
};
struct TextPrepareResult {
  /// The prompt that speaks the text, in an announcement of the same language.
  std::string name{};
  bool operator==(const TextPrepareResult&) const = default;
};

using Request =
    std::variant<Hello, SessionOpen, SessionUpdate, SessionPlay, SessionClose, SessionList, CodecList, TextPrepare>;
/// The alternatives have the order of Request's.
using Answer = std::variant<HelloResult, SessionOpenResult, SessionUpdateResult, SessionPlayResult, SessionCloseResult,
                            SessionListResult, CodecListResult, TextPrepareResult>;

// ---- notifications: mediad sends them to the connection that opened the session last ----

/// The list has been spoken. Also sent for a list that another play replaced: `interrupted`.
struct SessionPlayed {
  std::string session{};
  std::string play_id{};
  bool interrupted = false;
  /// Not empty if a sound of the list is missing or damaged: a sentence that names its files. The others have been
  /// spoken; a list without any sound ends at once.
  std::string error{};
  bool operator==(const SessionPlayed&) const = default;
};
/// A key was pressed: RFC 4733, one notification a key, when it is released or at latest 2 s after its first packet.
struct SessionDigit {
  std::string session{};
  char digit = '0';
  int duration_ms = 0;
  bool operator==(const SessionDigit&) const = default;
};
/// The remote's RTP has ceased for `no_rtp_seconds`; sent once each time it ceases.
struct SessionNoRtp {
  std::string session{};
  /// If true, neither RTP nor RTCP has ever come from the remote within `rtp.silent_remote_seconds`, and mediad sends
  /// nothing to it until a packet comes from there or a remote is signalled again.
  bool stopped_sending = false;
  bool operator==(const SessionNoRtp&) const = default;
};
/// The session has ended because no connection claimed it.
struct SessionExpired {
  std::string session{};
  bool operator==(const SessionExpired&) const = default;
};

using Notification = std::variant<SessionPlayed, SessionDigit, SessionNoRtp, SessionExpired>;

// ---- errors ----

/// JSON-RPC 2.0's own codes, and ours above zero.
enum class ErrorCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kNoSuchSession = 1,
  kPortTaken = 2,
  kNoPortFree = 3,
  kTooManySessions = 4,
  kProtocolMismatch = 5,
  /// RTP must not be sent to this remote: one of mediad's own ports, a multicast or broadcast address, loopback.
  kRemoteRefused = 6,
  kTooManyConnections = 7,
  /// The text cannot be spoken now, or too many texts wait; the sentence has the reason.
  kTextNotSpoken = 8,
};

struct RpcError {
  ErrorCode code = ErrorCode::kInternalError;
  /// A sentence for people.
  std::string message{};
  bool operator==(const RpcError&) const = default;
};

/// The client's choice; JSON-RPC allows a number, a string or null. parkd uses numbers.
using RequestId = std::variant<std::monostate, std::int64_t, std::string>;

}  // namespace callpark::media
