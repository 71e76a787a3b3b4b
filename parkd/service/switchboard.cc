#include "parkd/service/switchboard.h"

#include <utility>

namespace callpark {

Switchboard::Switchboard(const ServicePorts& ports, const ParkSettings& settings)
    : ports_(ports),
      settings_(settings),
      announcer_(ports),
      refusals_(ports, announcer_, settings_),
      service_(ports, announcer_, refusals_, settings_),
      flow_calls_(ports, refusals_, settings_),
      menu_calls_(ports, refusals_, service_, settings_),
      admission_(ports, refusals_, service_, flow_calls_, menu_calls_, gate_),
      recovery_(ports, service_) {
  ports_.media.set_listener(this);
}

Switchboard::~Switchboard() {
  ports_.media.set_listener(nullptr);
}

void Switchboard::recover(std::function<void()> done) {
  recovery_.start([this, done = std::move(done)] { menu_calls_.recover(done); });
}

// ---- calls ----

void Switchboard::on_feature_call(FeatureCall call) {
  admission_.on_feature_call(std::move(call));
}

void Switchboard::on_call_answered(CallId call, const std::optional<MediaRemote>& remote) {
  menu_calls_.on_call_answered(call);
  service_.on_call_answered(call, remote);
}

void Switchboard::on_call_refused(CallId call, int status) {
  menu_calls_.on_call_refused(call);
  service_.on_call_refused(call, status);
}

void Switchboard::on_call_media_changed(CallId call, const MediaRemote& remote) {
  announcer_.connect(call, remote);
  flow_calls_.on_call_media_changed(call, remote);
  menu_calls_.on_call_media_changed(call, remote);
}

void Switchboard::on_call_key(CallId call, const InfoKey& key) {
  flow_calls_.on_call_key(call, key);
}

void Switchboard::on_call_confirmed(CallId call) {
  menu_calls_.on_call_confirmed(call);
  service_.on_call_confirmed(call);
}

void Switchboard::on_call_lost(CallId call) {
  announcer_.stop(call);
  flow_calls_.on_call_gone(call);
  menu_calls_.on_call_gone(call);
  service_.on_call_lost(call);
}

void Switchboard::on_call_gone(CallId call) {
  announcer_.stop(call);
  flow_calls_.on_call_gone(call);
  menu_calls_.on_call_gone(call);
  admission_.on_call_gone(call);
  service_.on_call_gone(call);
}

// ---- conversations ----

void Switchboard::on_offer_accepted(ConversationId conversation, park::Question question,
                                    const std::optional<MediaRemote>& music) {
  if (menu_calls_.on_offer_accepted(conversation, question, music)) return;
  service_.on_offer_accepted(conversation, question, music);
}

void Switchboard::on_offer_refused(ConversationId conversation, park::Question question, park::RefusalReason reason,
                                   bool changed) {
  if (menu_calls_.on_offer_refused(conversation, question, changed)) return;
  service_.on_offer_refused(conversation, question, reason, changed);
}

void Switchboard::on_caller_media_changed(ConversationId conversation, const MediaRemote& music) {
  menu_calls_.on_caller_media_changed(conversation, music);
  service_.on_caller_media_changed(conversation, music);
}

void Switchboard::on_caller_key(ConversationId conversation, const InfoKey& key) {
  menu_calls_.on_caller_key(conversation, key);
}

void Switchboard::on_party_gone(ConversationId conversation, PartyEnd party) {
  if (!menu_calls_.on_party_gone(conversation, party)) admission_.on_party_gone(conversation, party);
}

// ---- referrals ----

void Switchboard::on_referral(Referral referral) {
  admission_.on_referral(std::move(referral));
}

void Switchboard::on_referral_of_party(ConversationId conversation, PartyEnd party, Referral referral) {
  admission_.on_referral_of_party(conversation, party, std::move(referral));
}

// ---- media ----

void Switchboard::on_media_fault(const std::string& session, const std::string& sentence) {
  flow_calls_.on_media_fault(session, sentence);
  menu_calls_.on_media_fault(session, sentence);
}

void Switchboard::on_media_played(const std::string& session) {
  if (service_.on_media_played(session) || flow_calls_.on_media_played(session)) return;
  if (!menu_calls_.on_media_played(session)) announcer_.on_played(session);
}

void Switchboard::on_media_moved(const std::string& session, const MediaSnapshot& now) {
  service_.on_media_moved(session, now);
  flow_calls_.on_media_moved(session);
  menu_calls_.on_media_moved(session, now);
}

void Switchboard::on_media_key(const std::string& session, char key) {
  flow_calls_.on_media_key(session, key);
  menu_calls_.on_media_key(session, key);
}

}  // namespace callpark
