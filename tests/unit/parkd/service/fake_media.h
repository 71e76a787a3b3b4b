// mediad of the fake outside: sessions, and the announcements that were played.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "parkd/ports/media.h"
#include "tests/unit/parkd/service/steps.h"

namespace callpark {

class FakeMedia final : public Media {
 public:
  explicit FakeMedia(Steps& steps) : steps_(steps) {}

  struct Session {
    MediaSnapshot snapshot;
    Play play;
    bool is_open = false;
    bool is_claimed = true;  // by the living parkd
  };
  std::map<std::string, Session> sessions;
  bool is_away = false;
  std::vector<std::string> played;  // the prompts of all announcements that had a listener
  std::vector<std::string> digits;
  std::set<std::string> languages;
  std::vector<std::string> texts;  // that were to be spoken: "de: Guten Tag."
  std::string text_fault;          // if not empty, no text can be spoken, for this reason

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
    const auto* announcement = std::get_if<Announcement>(&found->second.play);
    if (!announcement) return;
    languages.insert(announcement->language);
    for (const auto& item : announcement->list) {
      if (const auto* prompt = std::get_if<Announcement::Prompt>(&item)) played.push_back(prompt->name);
      if (const auto* read = std::get_if<Announcement::Digits>(&item)) digits.push_back(read->digits);
    }
  }
  void play(const std::string& session, Play play) override {
    ASSERT_NE(sessions.count(session), 0U);
    sessions[session].play = std::move(play);
  }
  void close(const std::string& session) override { sessions.erase(session); }
  void prepare_text(const std::string& language, const std::string& text, TextPrepared answer) override {
    texts.push_back(language + ": " + text);
    steps_.add("media", [this, language, text, answer = std::move(answer)] {
      if (is_away) return answer(failure(std::string("mediad is not connected")));
      if (!text_fault.empty()) return answer(failure(text_fault));
      answer("text_" + language + "_" + text);
    });
  }

  /// Every announcement that is being played comes to its end.
  void play_out() {
    std::vector<std::string> done;
    for (const auto& [name, session] : sessions) {
      if (session.is_open && std::holds_alternative<Announcement>(session.play)) done.push_back(name);
    }
    for (const std::string& name : done) {
      if (listener_) listener_->on_media_played(name);
    }
  }
  /// mediad was restarted, and this session has another port.
  void move(const std::string& session) {
    auto found = sessions.find(session);
    if (found == sessions.end() || !found->second.is_open) return;
    found->second.snapshot.local = next_address();
    if (listener_) listener_->on_media_moved(session, MediaSnapshot(found->second.snapshot));
  }
  /// parkd died. Its sessions play on until a parkd claims them, or they end.
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

}  // namespace callpark
