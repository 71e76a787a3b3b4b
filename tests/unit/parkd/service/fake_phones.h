// The phones of the fake outside, as far as the service can observe them: their calls, their conversations, their
// REFERs, and the media that each caller hears.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parkd/ports/calls.h"
#include "parkd/ports/conversations.h"
#include "parkd/ports/referrals.h"
#include "tests/unit/parkd/service/steps.h"

namespace callpark {

class FakePhones final : public Calls, public Conversations, public Referrals {
 public:
  explicit FakePhones(Steps& steps) : steps_(steps) {}

  template <class Listener>
  void set_listener(Listener* listener) {
    call_listener_ = listener;
    conversation_listener_ = listener;
    referral_listener_ = listener;
  }

  enum class Reply { kAccept, kRefuse, kGone };
  struct SentOffer {
    park::Question question;
    std::string hears;
    std::optional<MediaAddress> music;
  };
  struct End {
    DialogSnapshot dialog;
    std::string user = {};  // of an extension
    bool holds = false;
    bool is_up = true;
    bool was_ended = false;  // by a BYE of parkd's
  };
  struct Conversation {
    End caller;
    std::optional<End> peer;
    std::string hears = "the parker";
    std::optional<MediaAddress> music;  // source of the music, if the caller hears music
    bool is_bridged = false;
    bool was_offered = false;   // anything by parkd: the CSeq is parkd's
    bool has_accepted = false;  // anything of parkd's
    Hold hold;                  // of the end that holds
    std::optional<SentOffer> on_wire;
    std::optional<SentOffer> next;
  };
  /// A feature call, or a call that parkd makes from itself.
  struct Call {
    std::string user;
    enum class Stage { kAsked, kEarly, kAnswered, kConfirmed } stage = Stage::kAsked;
    std::string display = {};  // of a call of parkd's: shown by the phone
    std::string number = {};
    bool rings = false;  // a feature call that hears ringing
  };
  /// A call that parkd makes in the name of a caller.
  struct Target {
    OutgoingCall call;
    ConversationId conversation;
    bool answered = false;
    bool is_up = true;
  };
  struct Outcome {
    int status;  // 200: answered, and over
    std::string reason;
    bool had_202 = false;  // of a REFER
  };

  std::map<ConversationId, Conversation> conversations;
  std::map<CallId, Call> calls;
  std::map<CallId, Target> targets;
  std::map<CallId, Outcome> call_outcomes;  // of calls that are over
  std::map<CallId, Adoption> adoptions;     // of the held calls that came with calls
  std::map<ReferralId, bool> referrals;     // those that wait; true: with a 202
  std::map<ReferralId, Outcome> referral_outcomes;
  std::vector<std::string> byes;  // of parkd: "caller call-1", "peer call-1"
  Reply caller_reply = Reply::kAccept;
  park::RefusalReason refusal_of_caller = park::RefusalReason::kNotAcceptable;  // of Reply::kRefuse
  int target_status = 200;                                                      // 0: rings without end
  std::map<std::string, int> status_of;                                         // of targets with a status of their own
  std::vector<OutgoingCall> called;                                             // all targets, in order
  PartyIdentity menu_caller{"Caller", "+442030000999"};                         // of a caller in a menu
  bool callers_have_codec = true;
  bool has_offer = true;       // of feature calls; without one the ACK has the answer
  int extension_status = 200;  // of a call from parkd; 0: rings without end
  bool retrievers_acknowledge = true;

  static MediaRemote remote() { return {{"127.0.0.12", 6004}, {"PCMU", 0, 8000, 101}, true}; }

  // ---- the acts of the phones ----

  /// `user` "": a trunk calls.
  FeatureCall feature_call(const std::string& user, const std::string& number,
                           std::optional<AdoptableDialog> held = {}) {
    FeatureCall call;
    call.call = CallId{++last_id_};
    call.tenant = kTenant;
    call.caller = user.empty() ? Party(Trunk{"trunk"}) : Party(Extension{kTenant, user});
    call.dialled = number;
    call.sip_call_id = "feature-" + std::to_string(call.call.value);
    call.held = std::move(held);
    calls[call.call] = {user};
    return call;
  }
  Referral referral(const std::string& user, const std::string& number, AdoptableDialog dialog = {}) {
    Referral referral;
    referral.referral = ReferralId{++last_id_};
    referral.referrer = {kTenant, user};
    referral.dialled = number;
    referral.dialog = std::move(dialog);
    referrals[referral.referral] = false;
    return referral;
  }
  /// CANCEL or BYE of a feature call, or of a phone that parkd has called back.
  void end_call(CallId id) {
    const auto found = calls.find(id);
    if (found == calls.end()) return;
    call_listener_->on_call_gone(id);
    call_outcomes[id] = {is_answered(found->second) ? 200 : 487, ""};
    calls.erase(found);
  }
  void hang_up(ConversationId id, PartyEnd party) {
    const auto found = conversations.find(id);
    if (found == conversations.end()) return;
    End* end = end_of(found->second, party);
    if (!end || !end->is_up) return;
    end->is_up = false;
    if (party == PartyEnd::kCaller) lose_caller(found->second);
    conversation_listener_->on_party_gone(id, party);
  }
  /// The BYE of a target that has answered comes before it is the peer.
  void hang_up_target(ConversationId id) {
    for (auto& [call, target] : targets) {
      if (target.conversation != id || !target.answered || !target.is_up) continue;
      target.is_up = false;
      return call_listener_->on_call_gone(CallId(call));
    }
  }
  void answer_target(CallId id) {
    targets.at(id).answered = true;
    call_listener_->on_call_answered(id, std::nullopt);
  }
  /// The call that rings, or has answered, for this caller; or null.
  const Target* target_of(ConversationId id) const {
    for (const auto& [call, target] : targets) {
      if (target.conversation == id) return &target;
    }
    return nullptr;
  }
  /// parkd is killed: it has no call any more.
  void lose_parkd() {
    conversations.clear();
    calls.clear();
    targets.clear();
    referrals.clear();
  }

  // ---- calls ----

  CallId start(const OutgoingCall& call) override {
    const CallId id{++last_id_};
    if (const auto* from = std::get_if<OutgoingCall::InNameOfCaller>(&call.from)) {
      EXPECT_FALSE(target_of(from->conversation)) << "two targets are called at once";
      targets.emplace(id, Target{call, from->conversation});
      called.push_back(call);
      steps_.add("target " + std::to_string(from->conversation.value), [this, id] { reply_of_target(id); });
    } else {
      const auto& from_parkd = std::get<OutgoingCall::FromParkd>(call.from);
      EXPECT_NE(from_parkd.media.port, 0);
      calls[id] = {call.number, Call::Stage::kAsked, from_parkd.display, from_parkd.number};
      steps_.add("extension " + std::to_string(id.value), [this, id] { reply_of_extension(id); });
    }
    return id;
  }
  void ring(CallId id) override {
    ASSERT_EQ(calls.count(id), 1U) << "rings, but over";
    calls.at(id).rings = true;
  }
  std::optional<MediaRemote> answer_with_media(CallId id, const MediaAddress& media, Answer answer) override {
    EXPECT_NE(media.port, 0);
    const auto found = calls.find(id);
    if (found == calls.end()) {
      ADD_FAILURE() << "an answer to a call that is over";
      return std::nullopt;
    }
    if (!callers_have_codec) return std::nullopt;
    if (answer == Answer::kFinal) {
      set_answered(id, found->second);
    } else {
      found->second.stage = Call::Stage::kEarly;
    }
    if (!has_offer) return MediaRemote{};
    return remote();
  }
  void answer_with_caller(CallId id, ConversationId conversation) override {
    EXPECT_EQ(conversations.at(conversation).hears, calls.at(id).user);
    set_answered(id, calls.at(id));
  }
  void refuse(CallId id, int status, const std::string& reason) override {
    EXPECT_EQ(calls.erase(id), 1U) << "refused, but over";
    call_outcomes[id] = {status, reason};
  }
  void settle_adoption(CallId id, Adoption adoption) override {
    EXPECT_EQ(calls.count(id), 1U) << "settled, but over";
    adoptions.emplace(id, adoption);
  }
  void hang_up(CallId id) override {
    targets.erase(id);
    const auto found = calls.find(id);
    if (found == calls.end()) return;
    call_outcomes[id] = {is_answered(found->second) ? 200 : 480, "ended"};
    calls.erase(found);
  }
  DialogSnapshot snapshot(CallId id) const override {
    DialogSnapshot dialog;
    dialog.call_id = "target-" + targets.at(id).call.number;
    return dialog;
  }
  Party party(CallId id) const override { return party_of_number(kTenant, targets.at(id).call.number); }

  // ---- conversations ----

  std::optional<ConversationId> adopt(const AdoptableDialog& dialog) override {
    for (const auto& [other, conversation] : conversations) {
      if (conversation.caller.dialog.call_id == dialog.caller.call_id) return std::nullopt;
    }
    const ConversationId id{++last_conversation_};
    conversations[id].caller.dialog = dialog.caller;
    conversations[id].peer = End{dialog.parker};
    return id;
  }
  ConversationId take_over(const ParkedCallRow& row) override {
    const ConversationId id{++last_conversation_};
    Conversation& conversation = conversations[id];
    conversation.caller.dialog = row.caller;
    if (row.peer) conversation.peer = End{*row.peer};
    conversation.has_accepted = true;
    conversation.hears = row.state == RowState::kParked ? "music" : "?";
    if (row.state == RowState::kRetrieved) {
      conversation.hears = text_of(row.retriever.value());
      if (conversation.peer) conversation.peer->user = conversation.hears;
    }
    return id;
  }
  /// The caller of a menu.
  ConversationId begin(CallId id) override {
    const auto call = calls.extract(id);
    EXPECT_EQ(call.mapped().stage, Call::Stage::kConfirmed);
    call_outcomes[id] = {200, "conversation"};
    const ConversationId begun{++last_conversation_};
    Conversation& conversation = conversations[begun];
    conversation.caller.user = call.mapped().user;
    conversation.caller.dialog.call_id = "feature-" + std::to_string(id.value);
    conversation.caller.dialog.remote_identity = menu_caller;
    conversation.hears = "music";
    conversation.was_offered = conversation.has_accepted = true;
    return begun;
  }
  void forget(ConversationId id) override {
    const auto found = conversations.find(id);
    ASSERT_NE(found, conversations.end());
    const Conversation& conversation = found->second;
    const bool has_peer = conversation.peer.has_value();
    // A caller that parkd has re-INVITEd has no other party that could end its call.
    EXPECT_FALSE(conversation.was_offered && conversation.caller.is_up) << "a caller is left alone";
    EXPECT_FALSE(target_of(id)) << "a target is left alone";
    EXPECT_FALSE(conversation.has_accepted && has_peer && conversation.peer->is_up) << "a peer is left alone";
    if (!conversation.has_accepted && has_peer && !conversation.peer->is_up && !conversation.peer->was_ended) {
      EXPECT_FALSE(conversation.caller.is_up) << "the parker hung up, and the other party does not learn of it";
    }
    conversations.erase(found);
  }
  void offer_to_caller(ConversationId id, park::Question question, const Offer& offer) override {
    Conversation& conversation = conversations.at(id);
    SentOffer sent = offer_of(conversation, question, offer);
    if (!conversation.caller.is_up) return;
    EXPECT_FALSE(conversation.is_bridged) << "an offer past the bridge";
    const auto replaced = std::exchange(conversation.next, std::move(sent));
    send_offer(id, conversation);
    if (replaced) conversation_listener_->on_offer_refused(id, replaced->question, refusal_of_caller, false);
  }
  void set_bridged(ConversationId id, bool bridged) override { conversations.at(id).is_bridged = bridged; }
  void make_peer(ConversationId id, CallId call) override {
    Conversation& conversation = conversations.at(id);
    EXPECT_FALSE(conversation.peer && conversation.peer->is_up) << "there is a peer already";
    if (const auto target = targets.extract(call)) return make_target_peer(id, conversation, target.mapped());
    const Call retriever = calls.at(call);
    EXPECT_EQ(retriever.stage, Call::Stage::kConfirmed);
    calls.erase(call);
    call_outcomes[call] = {200, "peer"};
    conversation.peer = End{};
    conversation.peer->dialog.call_id = "feature-" + std::to_string(call.value);
    conversation.peer->user = retriever.user;
  }
  void swap_parties(ConversationId id) override {
    Conversation& conversation = conversations.at(id);
    ASSERT_TRUE(conversation.is_bridged && conversation.peer);
    EXPECT_FALSE(conversation.on_wire || conversation.next) << "the answer would be read as the other party's";
    std::swap(conversation.caller, *conversation.peer);
    conversation.hears = conversation.peer->user;
  }
  void end(ConversationId id, PartyEnd party) override {
    Conversation& conversation = conversations.at(id);
    End* end = end_of(conversation, party);
    if (!end || !end->is_up) return;
    end->is_up = false;
    end->was_ended = true;
    byes.push_back((party == PartyEnd::kCaller ? "caller " : "peer ") + end->dialog.call_id);
    if (party == PartyEnd::kCaller) lose_caller(conversation);
  }
  ConversationSnapshot snapshot(ConversationId id) const override {
    const Conversation& conversation = conversations.at(id);
    ConversationSnapshot snapshot{conversation.caller.dialog, std::nullopt};
    if (conversation.peer && conversation.peer->is_up) snapshot.peer = conversation.peer->dialog;
    return snapshot;
  }
  std::optional<HeldConversation> held_by(const Extension& extension, const std::string&) const override {
    for (const auto& [id, conversation] : conversations) {
      if (!conversation.is_bridged) continue;
      const auto is_held_at = [&](const End& end) { return end.is_up && end.user == extension.number && end.holds; };
      if (is_held_at(*conversation.peer)) return HeldConversation{id, conversation.hold, PartyEnd::kPeer};
      if (is_held_at(conversation.caller)) return HeldConversation{id, conversation.hold, PartyEnd::kCaller};
    }
    return std::nullopt;
  }

  // ---- REFERs ----

  void accept(ReferralId id) override {
    ASSERT_EQ(referrals.count(id), 1U) << "accepted, but concluded";
    EXPECT_FALSE(std::exchange(referrals[id], true)) << "accepted twice";
  }
  void conclude(ReferralId id, int status, const std::string& reason) override {
    const auto waiting = referrals.extract(id);
    ASSERT_TRUE(waiting) << "concluded twice";
    EXPECT_GE(status, 200);
    referral_outcomes[id] = {status, reason, waiting.mapped()};
  }

 private:
  static constexpr const char* kTenant = "demo.callpark";

  static bool is_answered(const Call& call) { return call.stage >= Call::Stage::kAnswered; }
  static End* end_of(Conversation& conversation, PartyEnd party) {
    if (party == PartyEnd::kCaller) return &conversation.caller;
    return conversation.peer ? &*conversation.peer : nullptr;
  }
  void lose_caller(Conversation& conversation) {
    lost_callers_.insert(conversation.caller.dialog.call_id);
    conversation.on_wire.reset();
    conversation.next.reset();
  }

  SentOffer offer_of(const Conversation& conversation, park::Question question, const Offer& offer) const {
    if (const auto* music = std::get_if<OfferMusic>(&offer)) {
      EXPECT_NE(music->media.port, 0);
      return {question, "music", music->media};
    }
    if (const auto* call = std::get_if<OfferCall>(&offer)) {
      const auto target = targets.find(call->call);
      return {question, target == targets.end() ? calls.at(call->call).user : target->second.call.number, std::nullopt};
    }
    EXPECT_TRUE(conversation.peer && conversation.peer->is_up);
    return {question, conversation.peer->user.empty() ? "the parker" : conversation.peer->user, std::nullopt};
  }
  void send_offer(ConversationId id, Conversation& conversation) {
    if (conversation.on_wire || !conversation.next) return;
    conversation.on_wire = std::exchange(conversation.next, std::nullopt);
    conversation.was_offered = true;
    steps_.add("caller " + std::to_string(id.value),
               [this, id, question = conversation.on_wire->question] { reply_of_caller(id, question); });
  }
  void reply_of_caller(ConversationId id, park::Question question) {
    const auto found = conversations.find(id);
    if (found == conversations.end() || !found->second.on_wire || found->second.on_wire->question != question) return;
    const SentOffer offer = *std::exchange(found->second.on_wire, std::nullopt);
    const bool is_lost = lost_callers_.count(found->second.caller.dialog.call_id) != 0;
    switch (is_lost ? Reply::kGone : caller_reply) {
      case Reply::kAccept:
        found->second.hears = offer.hears;
        found->second.music = offer.music;
        found->second.has_accepted = true;
        conversation_listener_->on_offer_accepted(id, question, offer.music ? std::optional(remote()) : std::nullopt);
        break;
      case Reply::kRefuse:
        conversation_listener_->on_offer_refused(id, question, refusal_of_caller, false);
        break;
      case Reply::kGone:
        found->second.caller.is_up = false;
        lose_caller(found->second);
        conversation_listener_->on_party_gone(id, PartyEnd::kCaller);
        break;
    }
    const auto still = conversations.find(id);
    if (still != conversations.end()) send_offer(id, still->second);
  }
  void reply_of_target(CallId id) {
    const auto found = targets.find(id);
    if (found == targets.end()) return;
    const auto special = status_of.find(found->second.call.number);
    const int status = special == status_of.end() ? target_status : special->second;
    if (status == 0) return;
    if (status == 200) return answer_target(id);
    targets.erase(found);
    call_listener_->on_call_refused(id, status);
  }
  void reply_of_extension(CallId id) {
    const auto found = calls.find(id);
    if (found == calls.end() || extension_status == 0) return;
    if (extension_status == 200) {
      found->second.stage = Call::Stage::kConfirmed;
      return call_listener_->on_call_answered(id, remote());
    }
    call_outcomes[id] = {extension_status, ""};
    calls.erase(found);
    call_listener_->on_call_refused(id, extension_status);
  }
  void make_target_peer(ConversationId id, Conversation& conversation, const Target& target) {
    EXPECT_TRUE(target.answered);
    conversation.peer = End{};
    conversation.peer->dialog.call_id = "target-" + target.call.number;
    conversation.peer->user = target.call.number;
    if (target.is_up) return;
    steps_.add("peer " + std::to_string(id.value), [this, id] { hang_up(id, PartyEnd::kPeer); });
  }
  void set_answered(CallId id, Call& call) {
    EXPECT_FALSE(is_answered(call)) << "answered twice";
    call.stage = Call::Stage::kAnswered;
    steps_.add("ack " + std::to_string(id.value), [this, id] {
      const auto found = calls.find(id);
      if (found == calls.end()) return;
      if (retrievers_acknowledge) {
        found->second.stage = Call::Stage::kConfirmed;
        return call_listener_->on_call_confirmed(id);
      }
      call_outcomes[id] = {200, "lost"};
      calls.erase(found);
      call_listener_->on_call_lost(id);
    });
  }

  Steps& steps_;
  CallListener* call_listener_ = nullptr;
  ConversationListener* conversation_listener_ = nullptr;
  ReferralListener* referral_listener_ = nullptr;
  std::set<std::string> lost_callers_;  // their dialogs are over, whatever a row contains
  std::uint64_t last_id_ = 0;           // of calls and REFERs
  std::uint64_t last_conversation_ = 0;
};

}  // namespace callpark
