// A telephone of our own, for what no real one can be made to do: messages at an exact moment, answers that refuse,
// acknowledgements that never come, forged and broken requests. UDP or TCP, Digest, one RtpParty for its sound.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/phone.h"
#include "tests/support/rtp_party.h"
#include "tests/support/sip_text.h"
#include "tests/support/tcp_socket.h"

namespace callpark::test {

class PacketPhone : public Listener {
 public:
  struct Options {
    std::string user;
    std::string password;
    std::string domain = "demo.callpark";
    /// Its own IP address and SIP port.
    std::string address;
    uint16_t port = 5060;
    Endpoint proxy;
    int tone = 400;
    /// From of its calls, without a tag; empty: its user and domain.
    std::string from = {};
    /// Answers new calls at once; otherwise they ring until answer().
    bool auto_answer = false;
    /// A call that rings is answered by 180 at once; otherwise by ring().
    bool rings_at_once = true;
    /// At the end of the tags and Call-IDs of its calls.
    std::string id_end = {};
    /// TCP: it makes a connection when it has something to send, and listens at its address if `listens`.
    bool over_tcp = false;
    bool listens = true;
    /// Every SDP of it has a video line behind the audio.
    bool has_video = false;
    int register_seconds = 300;
  };

  explicit PacketPhone(Options options);
  PacketPhone(const PacketPhone&) = delete;
  PacketPhone& operator=(const PacketPhone&) = delete;
  ~PacketPhone() override;

  [[nodiscard]] std::string name() const override { return options_.user + "@" + options_.address; }
  [[nodiscard]] int tone() const override { return options_.tone; }
  [[nodiscard]] Sound heard(std::chrono::milliseconds window) const override { return sound_.heard(window); }
  [[nodiscard]] RtpParty& sound() { return sound_; }
  [[nodiscard]] const Options& options() const { return options_; }

  /// Throws when the registrar refuses.
  void register_phone();

  /// Sends an INVITE and returns at once; a challenge is answered, a 2xx acknowledged.
  CallName start_call(const std::string& target, const std::string& extra_headers = "");
  /// Final status of the call's first INVITE, 0 while there is none.
  [[nodiscard]] int invite_status(const CallName& call) const;
  /// Waits for it; 0 when it does not come.
  int wait_invite_status(const CallName& call, std::chrono::milliseconds timeout = kSoon);
  /// start_call() and a 2xx to it; throws otherwise.
  CallName call(const std::string& target);
  /// A call that rings here and was not returned yet; throws when none comes. One that was given up is passed over.
  CallName wait_incoming(std::chrono::milliseconds timeout = kSoon);
  /// The 180 of a call that came in.
  void ring(const CallName& call);
  /// Nothing when the call has been cancelled.
  void answer(const CallName& call);
  /// The call that rings here is refused with `status`.
  void refuse(const CallName& call, int status);
  /// The last INVITE of a call that was started here, once more.
  void repeat_invite(const CallName& call);
  /// CANCEL of a call that was started here and has no answer yet.
  void cancel(const CallName& call);

  /// A request within the dialog, repeated until it is answered, with Digest when challenged. The final status, or 408.
  int request(const CallName& call, const std::string& method, const std::string& extra_headers = "",
              const std::string& body = "");
  /// The same without waiting for anything; with the credentials of the last challenge.
  void fire(const CallName& call, const std::string& method, const std::string& extra_headers = "");
  int hang_up(const CallName& call) { return request(call, "BYE"); }
  /// A re-INVITE, again after a 491. The final status.
  int offer(const CallName& call, const std::string& direction);
  /// A re-INVITE without a description; the ACK answers the offer of its 2xx with `direction`. The final status.
  int answer_in_ack(const CallName& call, const std::string& direction);
  /// REFER, waiting for its final response.
  int refer(const CallName& call, const std::string& target);
  enum class InfoDigit { kDtmfRelay, kDtmf };
  /// A key by SIP INFO, with a body of application/dtmf-relay or application/dtmf. The final status.
  int send_info_digit(const CallName& call, char digit, InfoDigit kind = InfoDigit::kDtmfRelay);
  /// "Refer-To: <sip:TARGET@DOMAIN>\r\n", for fire().
  [[nodiscard]] std::string refer_to(const std::string& target) const;

  /// The next re-INVITEs get these answers, in order; 0 is none at all. After them, 200.
  void answer_reinvites_with(std::deque<int> statuses);
  /// From now on every answer has these headers too.
  void answer_with_headers(const std::string& headers);
  /// From now on its calls begin without a description (or with one again); the ACK answers the offer of the 2xx.
  void begin_without_offer(bool does) {
    const std::lock_guard lock(mutex_);
    begins_without_offer_ = does;
  }
  /// The ACK of a call that began without a description has none either.
  void leave_ack_without_answer(const CallName& call) {
    const std::lock_guard lock(mutex_);
    calls_.at(call).began_without_offer = false;
  }
  /// From now on its answers have come through these proxies, the last one nearest to Kamailio.
  void be_behind(const std::string& record_routes);
  /// From now on 2xx are not acknowledged.
  void never_acknowledge(bool never);
  /// From now on a CANCEL comes too late: the call that it is for has just been answered.
  void answer_what_is_cancelled(bool does);
  /// Forgets the calls that are over and all that has arrived, for phones that make thousands of calls.
  void forget();
  /// From now on a description with the version of the one before is believed to be that one (RFC 3264 8).
  void be_strict_about_versions() {
    const std::lock_guard lock(mutex_);
    is_strict_ = true;
  }
  /// From now on it receives and sends nothing, as a phone without power.
  void vanish();
  /// Where this call's SDP wants the sound; nowhere while it is on hold.
  [[nodiscard]] Endpoint audio_remote(const CallName& call) const;
  [[nodiscard]] bool is_closed(const CallName& call) const;
  /// How many calls ring, are dialled or talk.
  [[nodiscard]] int calls() const;
  /// Everything that arrived in this call, in order; with an empty name, everything of every call.
  [[nodiscard]] std::vector<SipText> received(const CallName& call) const;
  /// Sipfrag bodies of the NOTIFYs of a transfer, in the order of their CSeq: "SIP/2.0 200 OK".
  [[nodiscard]] std::vector<std::string> transfer_reports(const CallName& call) const;
  /// The texts (MESSAGE) that arrived, in order, each once.
  [[nodiscard]] std::vector<SipText> messages() const;
  /// The Replaces value that names this call to a phone that is to replace it.
  [[nodiscard]] std::string replaces(const CallName& call) const;
  /// The next request of the call as it would be sent, for tests that break it first.
  std::string compose(const CallName& call, const std::string& method, const std::string& extra_headers = "",
                      const std::string& body = "");
  void send_raw(const std::string& text);
  /// From now on the Contact in its messages is this one.
  void be_reached_at(const std::string& contact);
  /// Of a phone over TCP.
  [[nodiscard]] TcpSocket& tcp() { return *tcp_; }

 private:
  struct Call {
    bool outgoing = false;
    bool handed_out = false;
    bool established = false;
    bool acknowledged = false;
    bool closed = false;
    int invite_status = 0;
    int invite_cseq = 0;
    std::string local;   // From or To value of ours, with tag
    std::string remote;  // theirs, with tag once there is one
    std::string target;
    std::vector<std::string> routes;
    std::string first_target;
    std::string extra_headers;
    std::string credentials;
    SipText invite;
    Endpoint audio;
    std::string version_seen;  // of the last description
    int version_cseq = 0;
    int cseq = 1;
    int remote_cseq = 0;
    int sdp_version = 1;
    std::string direction = "sendrecv";
    bool answers_in_ack = false;
    bool began_without_offer = false;
  };

  void run();
  std::string next_text();
  [[nodiscard]] std::string transport() const;
  int send_register(bool stays);
  SipText send_and_wait(std::unique_lock<std::mutex>& lock, const std::string& text, const std::string& call_id,
                        int cseq, const std::string& method, int times_max);
  void receive(const SipText& message);
  void receive_request(const SipText& request);
  void receive_invite(const SipText& request);
  void receive_ack(const SipText& ack);
  /// Whether a strict end believes to know the description.
  bool is_known_version(Call& call, const SipText& message) const;
  static bool is_overtaken(Call& call, const SipText& request);
  void receive_response(const SipText& response);
  void receive_invite_response(Call& call, const SipText& response);
  void hang_up_second_answer(Call& call, const SipText& response);
  void respond(const SipText& request, int status, const std::string& extra_headers = "", const std::string& body = "");
  void answer_invite(Call& call, const SipText& request);
  void acknowledge(Call& call, const SipText& response);
  void learn_remote(Call& call, const SipText& message);
  void take_sound_from(Call& call, const SipText& message);
  void close(Call& call);
  std::string compose(Call& call, const std::string& call_id, const std::string& method, int cseq,
                      const std::string& extra_headers, const std::string& body);
  void send_first_invite(Call& call, const std::string& call_id);
  /// The answer to the last challenge; empty without one.
  std::string next_credentials(const std::string& method, const std::string& uri);
  std::string contact() const;
  std::string sdp(const Call& call) const;
  std::string new_branch();

  const Options options_;
  RtpParty sound_;
  UdpSocket socket_;
  std::unique_ptr<TcpSocket> tcp_;
  std::string contact_;
  std::atomic<bool> running_{true};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<CallName, Call> calls_;
  std::vector<SipText> received_;
  std::deque<int> reinvite_statuses_;
  std::string answer_headers_;
  std::string answer_routes_;
  bool acknowledges_ = true;
  bool begins_without_offer_ = false;
  bool answers_what_is_cancelled_ = false;
  bool is_strict_ = false;
  std::atomic<bool> has_vanished_{false};
  bool registered_ = false;
  std::string last_challenge_;
  unsigned challenge_answers_ = 0;
  int next_ = 0;
  std::thread thread_;
};

}  // namespace callpark::test
