// A small working outside for the park service: tables, a media server, phones. Nothing answers by itself: what is
// under way stands in queues, and the test lets it happen in the usual order or in any other that could be.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parkd/service/ports.h"

namespace callpark {

/// What is under way. Steps of one lane keep their order, those of different lanes have none.
class Steps {
 public:
  void add(std::string lane, std::function<void()> work) { steps_.push_back({std::move(lane), std::move(work)}); }
  bool empty() const { return steps_.empty(); }

  /// The oldest; false when there is none.
  bool next() { return take(steps_.begin()); }
  /// The oldest of the lanes whose names begin so.
  bool next_of(std::string_view lane) {
    return take(
        std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) { return step.lane.starts_with(lane); }));
  }
  /// The oldest of all others.
  bool next_but(std::string_view lane) {
    return take(
        std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) { return !step.lane.starts_with(lane); }));
  }
  bool newest() { return !steps_.empty() && take(std::prev(steps_.end())); }
  /// The oldest of a lane that chance chooses.
  bool next_of_any(std::mt19937_64& random) {
    std::vector<std::list<Step>::iterator> heads;
    std::set<std::string> lanes;
    for (auto step = steps_.begin(); step != steps_.end(); ++step) {
      if (lanes.insert(step->lane).second) heads.push_back(step);
    }
    return heads.empty() ? false : take(heads[random() % heads.size()]);
  }
  void settle() {
    for (int count = 0; next(); ++count) {
      ASSERT_LT(count, 10'000) << "it never ends";
    }
  }
  void clear() { steps_.clear(); }

 private:
  struct Step {
    std::string lane;
    std::function<void()> work;
  };
  bool take(std::list<Step>::iterator step) {
    if (step == steps_.end()) return false;
    const std::function<void()> work = std::move(step->work);
    steps_.erase(step);
    work();
    return true;
  }

  std::list<Step> steps_;
};

/// Extensions 101 to 106 and 333; *68 *88 (own extension), *70 *71 (random orbit).
class FakeStore final : public Store {
 public:
  explicit FakeStore(Steps& steps) : steps_(steps) {}

  std::map<ParkId, ParkedCallRow> rows;
  bool is_away = false;
  bool may_park = true;
  bool may_retrieve = true;
  bool may_set_recall = false;
  int calls_per_orbit_max = 1;
  int parked_calls_max = 0;
  int park_seconds_max = 3600;
  bool calls_back = true;
  bool call_back_shows_orbit = true;
  RecallSettings recall;
  std::string language = "en";
  std::map<std::string, std::string> language_of;  // of an extension
  std::map<ParkId, park::EndReason> removed;

  /// The database is back: what was kept for it is done.
  void come_back() {
    is_away = false;
    for (auto& [lane, work] : std::exchange(kept_, {})) steps_.add(lane, std::move(work));
  }
  /// parkd is killed: what it kept for the database dies with it.
  void forget_kept() { kept_.clear(); }
  const ParkedCallRow* at_orbit(const std::string& orbit) const {
    for (const auto& [id, row] : rows) {
      if (row.orbit == orbit) return &row;
    }
    return nullptr;
  }
  static DialledFacts facts_of(const std::string& dialled) {
    DialledFacts facts;
    facts.language = "en";
    facts.music_class = "default";
    for (const auto& [code, action, bare, retrieve] :
         {std::tuple("*68", CodeAction::kPark, BareCode::kOwnExtension, "*88"),
          std::tuple("*70", CodeAction::kPark, BareCode::kRandomOrbit, "*71"),
          std::tuple("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, ""),
          std::tuple("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, "")}) {
      if (dialled.rfind(code, 0) != 0) continue;
      facts.code = DialledFacts::Code{code, action, bare, retrieve};
      facts.remainder = dialled.substr(std::string(code).size());
    }
    static const std::set<std::string> kExtensions{"101", "102", "103", "104", "105", "106", "333"};
    facts.remainder_is_extension = kExtensions.count(facts.remainder) != 0;
    return facts;
  }

  void look_up(std::string tenant, std::string user, std::string dialled,
               Answer<Result<DialledFacts, StoreUnavailable>> answer) override {
    EXPECT_FALSE(tenant.empty());
    steps_.add("look-up " + std::to_string(++last_), [this, user, dialled, answer] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      DialledFacts facts = facts_of(dialled);
      if (language_of.count(user) != 0) facts.language = language_of.at(user);
      facts.may_park = may_park;
      facts.may_retrieve = may_retrieve;
      facts.may_set_recall = may_set_recall;
      facts.calls_per_orbit_max = calls_per_orbit_max;
      facts.parked_calls_max = parked_calls_max;
      facts.park_seconds_max = park_seconds_max;
      facts.calls_back = calls_back;
      facts.call_back_shows_orbit = call_back_shows_orbit;
      facts.recall = recall;
      answer(facts);
    });
  }
  void claim_orbit(ParkedCallRow row, OrbitWish wish, Answer<Result<OrbitGot, ClaimOrbitFailure>> answer) override {
    const ParkId id = row.park_id;
    steps_.add(lane(id),
               [this, id, row = std::move(row), wish = std::move(wish), answer = std::move(answer)]() mutable {
                 auto got = claim(std::move(row), wish);
                 steps_.add("answer " + id, [answer, got = std::move(got)] { answer(got); });
               });
  }
  void write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> answer) override {
    const ParkId id = row.park_id;
    steps_.add(lane(id), [this, id, row = std::move(row), answer = std::move(answer)] {
      Result<void, StoreUnavailable> written = failure(StoreUnavailable{});
      if (!is_away && kept_for(id) == 0 && rows.count(id) != 0) {
        const bool won = rows[id].state == RowState::kRetrieving;
        const std::string retriever = rows[id].retriever;
        rows[id] = row;
        if (won) {
          rows[id].state = RowState::kRetrieving;
          rows[id].retriever = retriever;
        }
        written = Result<void, StoreUnavailable>();
      }
      steps_.add("answer " + id, [answer, written] { answer(written); });
    });
  }
  void claim_call(std::string tenant, RetrieveWish wish, std::string retriever,
                  Answer<Result<ParkedCallRow, ClaimCallFailure>> answer) override {
    const std::string name = "claim " + std::to_string(++last_);
    steps_.add(name, [this, name, tenant, wish, retriever, answer] {
      auto won = win(tenant, wish.orbits, retriever);
      steps_.add(name, [answer, won] { answer(won); });
    });
  }
  void claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> answer) override {
    const ParkId id = row.park_id;
    steps_.add(lane(id), [this, id, row = std::move(row), answer = std::move(answer)] {
      const auto won = win_for_target(row);
      steps_.add("answer " + id, [answer, won] { answer(won); });
    });
  }
  void unclaim_call(ParkId park_id) override {
    order(park_id, [this, park_id] {
      const auto row = rows.find(park_id);
      if (row == rows.end() || row->second.state == RowState::kRetrieved) return;
      row->second.state = RowState::kParked;
      row->second.retriever.clear();
    });
  }
  void write_retrieved(ParkedCallRow row) override {
    order(row.park_id, [this, row] {
      const auto there = rows.find(row.park_id);
      if (there == rows.end()) return;
      picked_up_.insert(there->second.orbit);
      there->second = row;
      there->second.state = RowState::kRetrieved;
      there->second.orbit.clear();
    });
  }
  void remove(ParkId park_id, park::EndReason reason) override {
    removed[park_id] = reason;
    order(park_id, [this, park_id] { rows.erase(park_id); });
  }
  /// Of the group `sales`, 101, 102 and 103; else the extension that is the orbit, or the parker.
  void look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) override {
    steps_.add("recipients " + std::to_string(++last_), [this, event, answer] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      std::vector<Recipient> all;
      if (event.kind != ParkEventKind::kParked || event.orbit.starts_with('*')) {
        all = {{event.parker, language}};
      } else if (event.park_group.empty()) {
        all = {{event.orbit, language}};
      } else {
        for (const char* member : {"101", "102", "103"}) {
          if (member != event.parker) all.push_back({member, language});
        }
      }
      answer(all);
    });
  }
  void load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) override {
    steps_.add("load", [this, answer] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      std::vector<ParkedCallRow> all;
      for (const auto& [id, row] : rows) all.push_back(row);
      answer(all);
    });
  }

 private:
  static std::string lane(const ParkId& id) { return "row " + id; }
  std::size_t kept_for(const ParkId& id) const {
    return static_cast<std::size_t>(
        std::count_if(kept_.begin(), kept_.end(), [&](const auto& one) { return one.first == lane(id); }));
  }
  // An order without an answer is tried until it is done.
  void order(const ParkId& id, std::function<void()> work) {
    steps_.add(lane(id), [this, id, work = std::move(work)] {
      if (!is_away && kept_for(id) == 0) return work();
      kept_.emplace_back(lane(id), work);
    });
  }
  Result<OrbitGot, ClaimOrbitFailure> claim(ParkedCallRow row, const OrbitWish& wish) {
    if (is_away || kept_for(row.park_id) != 0) return failure(ClaimOrbitFailure::kUnavailable);
    const auto holding =
        std::count_if(rows.begin(), rows.end(), [](const auto& one) { return !one.second.orbit.empty(); });
    if (wish.parked_calls_max != 0 && holding >= wish.parked_calls_max)
      return failure(ClaimOrbitFailure::kTooManyParked);
    row.orbit = wish.orbits.empty() ? "*" + std::to_string(1000 + ++last_orbit_) : wish.orbits.front();
    for (row.slot = 1; row.slot <= wish.calls_per_orbit_max; ++row.slot) {
      const bool taken = std::any_of(rows.begin(), rows.end(), [&](const auto& one) {
        return one.second.orbit == row.orbit && one.second.slot == row.slot && one.first != row.park_id;
      });
      if (taken) continue;
      row.state = RowState::kAdopting;
      rows[row.park_id] = row;
      return OrbitGot{row.orbit, row.slot};
    }
    return failure(ClaimOrbitFailure::kTaken);
  }
  Result<ParkedCallRow, ClaimCallFailure> win(const std::string& tenant, const std::vector<std::string>& orbits,
                                              const std::string& retriever) {
    if (is_away) return failure(ClaimCallFailure::kUnavailable);
    bool picked_up = false;
    for (const std::string& orbit : orbits) {
      ParkedCallRow* oldest = nullptr;
      picked_up = picked_up || picked_up_.count(orbit) != 0;
      for (auto& [id, row] : rows) {
        if (row.tenant != tenant || row.orbit != orbit) continue;
        picked_up = picked_up || row.state == RowState::kRetrieving;
        if (row.state == RowState::kParked && (!oldest || row.parked_at < oldest->parked_at)) oldest = &row;
      }
      if (!oldest) continue;
      oldest->state = RowState::kRetrieving;
      oldest->retriever = retriever;
      return *oldest;
    }
    return failure(picked_up ? ClaimCallFailure::kAlreadyPickedUp : ClaimCallFailure::kNoneParked);
  }
  Result<void, ClaimCallFailure> win_for_target(const ParkedCallRow& row) {
    if (is_away || kept_for(row.park_id) != 0) return failure(ClaimCallFailure::kUnavailable);
    const auto there = rows.find(row.park_id);
    if (there == rows.end() || there->second.state != RowState::kParked) {
      return failure(ClaimCallFailure::kAlreadyPickedUp);
    }
    there->second.state = RowState::kRetrieving;
    there->second.retriever = row.retriever;
    there->second.peer = row.peer;
    return {};
  }

  Steps& steps_;
  std::vector<std::pair<std::string, std::function<void()>>> kept_;
  std::set<std::string> picked_up_;
  int last_ = 0;
  int last_orbit_ = 0;
};

class FakeEvents final : public Events {
 public:
  std::vector<ParkEvent> all;
  void append(ParkEvent event) override { all.push_back(std::move(event)); }
  /// "parked 101, retrieved 101 by 102, ended hung_up"
  std::string words() const {
    std::string text;
    for (const ParkEvent& event : all) {
      text += (text.empty() ? "" : ", ") + std::string(name_of(event.kind));
      if (!event.orbit.empty()) text += " " + event.orbit;
      if (!event.by.empty()) text += " by " + event.by;
      if (!event.how.empty()) text += " " + event.how;
    }
    return text;
  }
};

class FakeMessages final : public Messages {
 public:
  std::vector<TextMessage> sent;
  void send(TextMessage message) override { sent.push_back(std::move(message)); }
};

class FakeMedia final : public Media {
 public:
  explicit FakeMedia(Steps& steps) : steps_(steps) {}

  struct Session {
    MediaSnapshot snapshot;
    Play play;
    bool is_open = false;
    bool is_claimed = true;  // by the parkd that lives
  };
  std::map<std::string, Session> sessions;
  bool is_away = false;
  std::vector<std::string> spoken;  // the first prompt of each announcement that somebody could hear
  std::vector<std::string> digits;
  std::set<std::string> languages;

  void set_listener(Listener* listener) override { listener_ = listener; }
  void open(std::string session, Play play, std::optional<MediaSnapshot> again, Opened answer) override {
    Session& opened = sessions[session];
    opened.is_claimed = true;
    opened.play = std::move(play);
    const int attempt = ++last_attempt_;
    attempts_[session] = attempt;
    steps_.add("media", [this, session, again, attempt, answer = std::move(answer)] {
      const auto found = sessions.find(session);
      if (found == sessions.end() || attempts_[session] != attempt) return;  // closed meanwhile
      if (is_away) {
        sessions.erase(found);
        return answer(failure(MediaUnavailable{}));
      }
      if (!found->second.is_open) {
        found->second.snapshot = again.value_or(MediaSnapshot{});
        found->second.snapshot.session = session;
        if (found->second.snapshot.local.port == 0) found->second.snapshot.local = next_address();
        if (found->second.snapshot.ssrc == 0) found->second.snapshot.ssrc = ++last_ssrc_;
        found->second.is_open = true;
      }
      answer(found->second.snapshot);
    });
  }
  void connect(const std::string& session, const MediaRemote& remote) override {
    const auto found = sessions.find(session);
    ASSERT_NE(found, sessions.end()) << "connect() of a session that is not open";
    found->second.snapshot.remote = remote;
    const auto* said = std::get_if<Announcement>(&found->second.play);
    if (!said) return;
    languages.insert(said->language);
    for (const auto& item : said->list) {
      if (const auto* prompt = std::get_if<Announcement::Prompt>(&item)) spoken.push_back(prompt->name);
      if (const auto* read = std::get_if<Announcement::Digits>(&item)) digits.push_back(read->digits);
    }
  }
  void play(const std::string& session, Play play) override {
    ASSERT_NE(sessions.count(session), 0U);
    sessions[session].play = std::move(play);
  }
  void close(const std::string& session) override { sessions.erase(session); }

  /// Every announcement that is being spoken comes to its end.
  void play_out() {
    std::vector<std::string> done;
    for (const auto& [name, session] : sessions) {
      if (session.is_open && std::holds_alternative<Announcement>(session.play)) done.push_back(name);
    }
    for (const std::string& name : done) {
      if (listener_) listener_->on_media_played(name);
    }
  }
  /// mediad was restarted and had to give this session another port.
  void move(const std::string& session) {
    auto found = sessions.find(session);
    if (found == sessions.end() || !found->second.is_open) return;
    found->second.snapshot.local = next_address();
    if (listener_) listener_->on_media_moved(session, MediaSnapshot(found->second.snapshot));
  }
  /// parkd died. Its sessions play on until somebody claims them, or they end.
  void lose_parkd() {
    listener_ = nullptr;
    for (auto session = sessions.begin(); session != sessions.end();) {
      session->second.is_claimed = false;
      session = session->second.is_open ? std::next(session) : sessions.erase(session);
    }
  }
  void expire_unclaimed() {
    for (auto session = sessions.begin(); session != sessions.end();) {
      session = session->second.is_claimed ? std::next(session) : sessions.erase(session);
    }
  }

 private:
  MediaAddress next_address() { return {"127.0.0.3", static_cast<std::uint16_t>(last_port_ += 2)}; }

  Steps& steps_;
  Listener* listener_ = nullptr;
  std::map<std::string, int> attempts_;
  int last_attempt_ = 0;
  int last_port_ = 40000;
  std::uint32_t last_ssrc_ = 0;
};

/// The phones, as far as the service sees them, and what each party of a call hears.
class FakeLegs final : public Legs {
 public:
  explicit FakeLegs(Steps& steps) : steps_(steps) {}
  void set_listener(LegsListener* listener) { listener_ = listener; }

  enum class Reply { kAccept, kRefuse, kGone };
  struct Offer {
    park::Question question;
    std::string hears;
    std::optional<MediaAddress> music;
  };
  struct Party {
    DialogSnapshot dialog;
    bool is_up = true;
    bool was_ended = false;  // by our BYE
  };
  struct Parked {
    Party caller;
    std::optional<Party> peer;
    std::string hears = "the parker";
    std::optional<MediaAddress> music;  // where that comes from, if it is music
    bool is_bridged = false;
    bool was_offered = false;   // anything by us: his CSeq is ours
    bool has_accepted = false;  // anything of ours
    std::string peer_user;
    bool peer_holds = false;
    std::string caller_user = {};  // of a caller who is an extension
    bool caller_holds = false;
    Hold hold;  // of whoever holds
    std::optional<Offer> on_wire;
    std::optional<Offer> next;
    struct Target {
      park::Question question;
      std::string number;
      bool answered = false;
      bool is_up = true;
    };
    std::optional<Target> target;
  };
  struct Call {
    std::string user;
    enum class Stage { kAsked, kEarly, kAnswered, kConfirmed } stage = Stage::kAsked;
    std::string display = {};  // of a call of ours: what the phone shows
    std::string number = {};
  };
  struct Outcome {
    int status;  // 200: answered, and over
    std::string reason;
    bool had_202 = false;  // of a REFER
  };

  std::map<ParkId, Parked> parks;
  std::map<CallId, Call> calls;
  std::map<CallId, Outcome> call_outcomes;  // of calls that are over
  std::map<CallId, Adoption> adoptions;     // of calls whose held call was settled
  std::map<ReferId, bool> refers;           // those that wait; true: with a 202
  std::map<ReferId, Outcome> refer_outcomes;
  std::vector<std::string> byes;  // "caller call-1", "peer call-1": ended by us
  Reply caller_reply = Reply::kAccept;
  int target_status = 200;               // 0: rings for ever
  std::map<std::string, int> status_of;  // of targets that are not like the others
  std::vector<TransferTarget> called;    // all targets, in order
  bool callers_have_codec = true;
  int extension_status = 200;  // 0: rings for ever
  bool retrievers_acknowledge = true;

  // ---- what the phones do ----

  FeatureCall dial(const std::string& user, const std::string& number, std::optional<AdoptableDialog> held = {}) {
    FeatureCall call;
    call.call = ++last_id_;
    call.tenant = "demo.callpark";
    call.user = user;
    call.dialled = number;
    call.sip_call_id = "feature-" + std::to_string(call.call);
    call.held = std::move(held);
    calls[call.call] = {user};
    return call;
  }
  Referral refer(const std::string& user, const std::string& number, AdoptableDialog dialog = {}) {
    Referral referral;
    referral.refer = ++last_id_;
    referral.tenant = "demo.callpark";
    referral.user = user;
    referral.dialled = number;
    referral.dialog = std::move(dialog);
    refers[referral.refer] = false;
    return referral;
  }
  /// CANCEL or BYE.
  void caller_of_feature_hangs_up(CallId id) {
    const auto found = calls.find(id);
    if (found == calls.end()) return;
    listener_->on_call_gone(id);
    call_outcomes[id] = {is_answered(found->second) ? 200 : 487, ""};
    calls.erase(found);
  }
  void hang_up_party(const ParkId& id, PartyEnd end) {
    const auto found = parks.find(id);
    if (found == parks.end()) return;
    Party* party = end == PartyEnd::kCaller ? &found->second.caller
                   : found->second.peer     ? &*found->second.peer
                                            : nullptr;
    if (!party || !party->is_up) return;
    party->is_up = false;
    if (end == PartyEnd::kCaller) lose_caller(found->second);
    listener_->on_party_gone(id, end);
  }
  /// Whom a transfer or a recall has called, and who has answered: his BYE comes before he is the peer.
  void target_hangs_up(const ParkId& id) {
    const auto found = parks.find(id);
    if (found != parks.end() && found->second.target && found->second.target->answered) {
      found->second.target->is_up = false;
    }
  }

  // ---- the port ----

  bool adopt(const ParkId& id, const AdoptableDialog& dialog) override {
    for (const auto& [other, parked] : parks) {
      if (parked.caller.dialog.call_id == dialog.caller.call_id) return false;
    }
    Parked parked;
    parked.caller.dialog = dialog.caller;
    parked.peer = Party{dialog.parker};
    EXPECT_TRUE(parks.emplace(id, std::move(parked)).second);
    return true;
  }
  void take_over(const ParkedCallRow& row) override {
    Parked parked;
    parked.caller.dialog = row.caller;
    if (row.peer) parked.peer = Party{*row.peer};
    parked.has_accepted = true;
    parked.hears = row.state == RowState::kRetrieved ? row.retriever : row.state == RowState::kParked ? "music" : "?";
    if (row.state == RowState::kRetrieved) parked.peer_user = row.retriever;
    EXPECT_TRUE(parks.emplace(row.park_id, std::move(parked)).second);
  }
  std::optional<HeldCall> call_held_by(const std::string&, const std::string& user, const std::string&) const override {
    for (const auto& [id, parked] : parks) {
      if (!parked.is_bridged) continue;
      if (parked.peer->is_up && parked.peer_user == user && parked.peer_holds) return HeldCall{id, parked.hold};
      if (parked.caller.is_up && parked.caller_user == user && parked.caller_holds) {
        return HeldCall{id, parked.hold, PartyEnd::kCaller};
      }
    }
    return std::nullopt;
  }
  void forget(const ParkId& id) override {
    const auto found = parks.find(id);
    ASSERT_NE(found, parks.end());
    const Parked& parked = found->second;
    // Whoever was asked by us has nobody else who could end his call.
    if (parked.was_offered) {
      EXPECT_FALSE(parked.caller.is_up) << "a caller is left alone";
    }
    EXPECT_FALSE(parked.target) << "a transfer's target is left alone";
    if (parked.has_accepted && parked.peer) {
      EXPECT_FALSE(parked.peer->is_up) << "a peer is left alone";
    }
    if (!parked.has_accepted && parked.peer && !parked.peer->is_up && !parked.peer->was_ended) {
      EXPECT_FALSE(parked.caller.is_up) << "the parker hung up, and nobody told the other party";
    }
    parks.erase(found);
  }
  void offer_music(const ParkId& id, park::Question question, const MediaAddress& media) override {
    EXPECT_NE(media.port, 0);
    offer(id, {question, "music", media});
  }
  void offer_call(const ParkId& id, park::Question question, CallId retriever) override {
    offer(id, {question, calls.at(retriever).user, std::nullopt});
  }
  void offer_peer(const ParkId& id, park::Question question) override {
    const Parked& parked = parks.at(id);
    EXPECT_TRUE(parked.peer && parked.peer->is_up);
    offer(id, {question, parked.peer_user.empty() ? "the parker" : parked.peer_user, std::nullopt});
  }
  void end(const ParkId& id, PartyEnd end) override {
    Parked& parked = parks.at(id);
    Party* party = end == PartyEnd::kCaller ? &parked.caller : parked.peer ? &*parked.peer : nullptr;
    if (!party || !party->is_up) return;
    party->is_up = false;
    party->was_ended = true;
    byes.push_back((end == PartyEnd::kCaller ? "caller " : "peer ") + party->dialog.call_id);
    if (end == PartyEnd::kCaller) lose_caller(parked);
  }
  void bridge(const ParkId& id) override { parks.at(id).is_bridged = true; }
  void unbridge(const ParkId& id) override { parks.at(id).is_bridged = false; }
  void make_peer(const ParkId& id, CallId retriever) override {
    Parked& parked = parks.at(id);
    const Call call = calls.at(retriever);
    EXPECT_EQ(call.stage, Call::Stage::kConfirmed);
    EXPECT_FALSE(parked.peer && parked.peer->is_up) << "the place of the peer is taken";
    calls.erase(retriever);
    call_outcomes[retriever] = {200, "peer"};
    parked.peer = Party{};
    parked.peer->dialog.call_id = "feature-" + std::to_string(retriever);
    parked.peer_user = call.user;
    parked.peer_holds = false;
  }
  void swap_parties(const ParkId& id) override {
    Parked& parked = parks.at(id);
    ASSERT_TRUE(parked.is_bridged && parked.peer);
    EXPECT_FALSE(parked.on_wire || parked.next) << "the answer would be taken for the other's";
    std::swap(parked.caller, *parked.peer);
    std::swap(parked.caller_user, parked.peer_user);
    std::swap(parked.caller_holds, parked.peer_holds);
    parked.hears = parked.peer_user;
  }
  void call_target(const ParkId& id, park::Question question, const TransferTarget& target) override {
    Parked& parked = parks.at(id);
    EXPECT_FALSE(parked.target) << "two are called at once";
    parked.target = Parked::Target{question, target.number};
    called.push_back(target);
    steps_.add("target " + id, [this, id, question] {
      const auto found = parks.find(id);
      if (found == parks.end() || !found->second.target || found->second.target->question != question) return;
      const auto special = status_of.find(found->second.target->number);
      const int status = special == status_of.end() ? target_status : special->second;
      if (status == 0) return;
      if (status == 200) {
        found->second.target->answered = true;
        return listener_->on_target_answered(id, question);
      }
      found->second.target.reset();
      listener_->on_target_refused(id, question, status);
    });
  }
  void offer_target(const ParkId& id, park::Question question) override {
    offer(id, {question, parks.at(id).target.value().number, std::nullopt});
  }
  void end_target(const ParkId& id) override { parks.at(id).target.reset(); }
  void make_target_peer(const ParkId& id) override {
    Parked& parked = parks.at(id);
    EXPECT_TRUE(parked.target && parked.target->answered);
    EXPECT_FALSE(parked.peer && parked.peer->is_up) << "the place of the peer is taken";
    parked.peer = Party{};
    parked.peer->dialog = target_snapshot(id);
    parked.peer_user = parked.target->number;
    parked.peer_holds = false;
    const bool is_up = parked.target->is_up;
    parked.target.reset();
    if (is_up) return;
    steps_.add("peer " + id, [this, id] { hang_up_party(id, PartyEnd::kPeer); });
  }
  DialogSnapshot target_snapshot(const ParkId& id) const override {
    DialogSnapshot dialog;
    dialog.call_id = "target-" + parks.at(id).target.value().number;
    return dialog;
  }
  std::string target_user(const ParkId& id) const override { return parks.at(id).target.value().number; }
  DialogSnapshot caller_snapshot(const ParkId& id) const override { return parks.at(id).caller.dialog; }
  std::optional<DialogSnapshot> peer_snapshot(const ParkId& id) const override {
    const Parked& parked = parks.at(id);
    return parked.peer && parked.peer->is_up ? std::optional(parked.peer->dialog) : std::nullopt;
  }
  void accept_refer(ReferId refer) override {
    ASSERT_EQ(refers.count(refer), 1U) << "accepted, but concluded";
    EXPECT_FALSE(std::exchange(refers[refer], true)) << "accepted twice";
  }
  void conclude_refer(ReferId refer, int status, const std::string& reason) override {
    const auto waiting = refers.extract(refer);
    ASSERT_TRUE(waiting) << "concluded twice";
    EXPECT_GE(status, 200);
    refer_outcomes[refer] = {status, reason, waiting.mapped()};
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
      answered(id, found->second);
    } else {
      found->second.stage = Call::Stage::kEarly;
    }
    return remote();
  }
  void answer_retriever(CallId id, const ParkId& park_id) override {
    EXPECT_EQ(parks.at(park_id).hears, calls.at(id).user);
    answered(id, calls.at(id));
  }
  void refuse(CallId id, int status, const std::string& reason) override {
    EXPECT_EQ(calls.erase(id), 1U) << "refused, but over";
    call_outcomes[id] = {status, reason};
  }
  void settle_adoption(CallId id, Adoption adoption) override {
    EXPECT_EQ(calls.count(id), 1U) << "settled, but over";
    adoptions.emplace(id, adoption);
  }
  CallId call_extension(const ExtensionCall& call, const MediaAddress& media) override {
    EXPECT_NE(media.port, 0);
    const CallId id = ++last_id_;
    calls[id] = {call.extension, Call::Stage::kAsked, call.display, call.number};
    if (extension_status == 0) return id;
    steps_.add("extension " + std::to_string(id), [this, id] {
      const auto found = calls.find(id);
      if (found == calls.end()) return;
      if (extension_status == 200) {
        found->second.stage = Call::Stage::kConfirmed;
        return listener_->on_extension_answered(id, remote());
      }
      call_outcomes[id] = {extension_status, ""};
      calls.erase(found);
      listener_->on_call_gone(id);
    });
    return id;
  }
  void hang_up(CallId id) override {
    const auto found = calls.find(id);
    if (found == calls.end()) return;
    call_outcomes[id] = {is_answered(found->second) ? 200 : 480, "ended"};
    calls.erase(found);
  }

 private:
  static bool is_answered(const Call& call) { return call.stage >= Call::Stage::kAnswered; }
  static MediaRemote remote() { return {{"127.0.0.12", 6004}, {"PCMU", 0, 8000, 101}, true}; }
  void lose_caller(Parked& parked) {
    lost_callers_.insert(parked.caller.dialog.call_id);
    parked.on_wire.reset();
    parked.next.reset();
  }

  void answered(CallId id, Call& call) {
    EXPECT_FALSE(is_answered(call)) << "answered twice";
    call.stage = Call::Stage::kAnswered;
    steps_.add("ack " + std::to_string(id), [this, id] {
      const auto found = calls.find(id);
      if (found == calls.end()) return;
      if (retrievers_acknowledge) {
        found->second.stage = Call::Stage::kConfirmed;
        return listener_->on_call_confirmed(id);
      }
      call_outcomes[id] = {200, "lost"};
      calls.erase(found);
      listener_->on_call_lost(id);
    });
  }
  void offer(const ParkId& id, Offer offer) {
    Parked& parked = parks.at(id);
    if (!parked.caller.is_up) return;
    EXPECT_FALSE(parked.is_bridged) << "an offer past the bridge";
    const auto replaced = std::exchange(parked.next, std::move(offer));
    send_offer(id, parked);
    if (replaced) listener_->on_offer_refused(id, replaced->question, false);
  }
  void send_offer(const ParkId& id, Parked& parked) {
    if (parked.on_wire || !parked.next) return;
    parked.on_wire = std::exchange(parked.next, std::nullopt);
    parked.was_offered = true;
    steps_.add("caller " + id, [this, id, question = parked.on_wire->question] { reply(id, question); });
  }
  void reply(const ParkId& id, park::Question question) {
    const auto found = parks.find(id);
    if (found == parks.end() || !found->second.on_wire || found->second.on_wire->question != question) return;
    const Offer offer = *std::exchange(found->second.on_wire, std::nullopt);
    const bool is_lost = lost_callers_.count(found->second.caller.dialog.call_id) != 0;
    switch (is_lost ? Reply::kGone : caller_reply) {
      case Reply::kAccept:
        found->second.hears = offer.hears;
        found->second.music = offer.music;
        found->second.has_accepted = true;
        listener_->on_offer_accepted(id, question, offer.music ? std::optional(remote()) : std::nullopt);
        break;
      case Reply::kRefuse:
        listener_->on_offer_refused(id, question, false);
        break;
      case Reply::kGone:
        found->second.caller.is_up = false;
        lose_caller(found->second);
        listener_->on_party_gone(id, PartyEnd::kCaller);
        break;
    }
    const auto still = parks.find(id);
    if (still != parks.end()) send_offer(id, still->second);
  }

  Steps& steps_;
  LegsListener* listener_ = nullptr;
  std::set<std::string> lost_callers_;  // their dialogs are over, whatever a row says
  std::uint64_t last_id_ = 0;
};

}  // namespace callpark
