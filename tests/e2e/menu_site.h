// An office with menus and announcements, what a caller hears and reaches there step by step, and what the servers have
// open, counted: nothing may be left of a caller that has gone.
#pragma once

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/component/mediad_fixture.h"
#include "tests/e2e/park_site.h"

namespace callpark::test {

/// The UDP sockets of a process.
inline int udp_sockets(pid_t process) {
  std::set<std::string> udp;
  std::ifstream table("/proc/net/udp");
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 10; ++i) fields >> field;  // the tenth is the inode
    udp.insert("socket:[" + field + "]");
  }
  int count = 0;
  std::error_code gone;
  for (const auto& fd : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd", gone)) {
    const auto target = std::filesystem::read_symlink(fd.path(), gone);
    if (!gone && udp.contains(target.string())) ++count;
  }
  return count;
}

/// What the greetings of the office sound like, in Hz: none is a party's tone, and none is the music's.
enum class Greeting { kMain = 465, kLanguages = 595, kNotice = 725, kSilent = 855 };

class MenuTest : public ParkTest {
 protected:
  static constexpr const char* kToMain = "810";  // 1: 105, 2: 601, 3: languages, 4: notice, 5: outside, 6: busy, ...
  static constexpr const char* kToLanguages = "811";  // 1: 104, 0: back
  static constexpr const char* kToNotice = "812";     // an announcement, once, then 106
  static constexpr const char* kToLoop = "813";       // an announcement until the caller hangs up
  static constexpr const char* kToReception = "814";  // extensions may be dialled, 2: 105; a text greets
  static constexpr const char* kToStrict = "815";     // wrong entries lead to 106
  static constexpr const char* kToFlow = "816";       // a call flow that leads to main
  static constexpr const char* kToGroup = "817";      // a ring group of 103, and then main
  static constexpr const char* kToSilent = "818";     // short waits, 1: 105
  static constexpr const char* kToReport = "819";     // an announcement of a text, once, then the call ends
  static constexpr const char* kToPatient = "820";    // silences lead to 104

  using enum Greeting;
  enum From { kExtension, kTrunk };
  /// The extensions of the office that ring, by their numbers. 101 calls.
  enum Callee { kCarolsPhone, kDave, kErin, kFrank };
  static constexpr std::array<const char*, 4> kCallees = {"103", "104", "105", "106"};

  static void SetUpTestSuite() {
    ParkTest::SetUpTestSuite();
    make_sounds();
    make_menus();
  }

  void SetUp() override {
    ParkTest::SetUp();
    site().database().execute("DELETE FROM cdrs");
    for (std::size_t i = 0; i < kCallees.size(); ++i) {
      callees_.push_back(site().packet_phone(kCallees[i], 8 + static_cast<int>(i)));
      ringing_.emplace_back();
    }
    before_ = open();
  }

  /// Nothing of the caller may be left, in whichever step the test has ended.
  void TearDown() override {
    caller_.reset();
    if (!HasFailure()) expect_nothing_left();
    callees_.clear();
    ringing_.clear();
    ParkTest::TearDown();
    (void)site().database().query("DELETE FROM menu_calls");
  }

  // ----- what the servers have open

  struct Open {
    int sessions = 0;  // of mediad
    int sockets = 0;   // of mediad: each session has its ports
    int menu_calls = 0;
    int parked_calls = 0;
    int dialogs = 0;  // Kamailio's
    int calls = 0;    // parkd's
    [[nodiscard]] bool has_no_more_than(const Open& other) const {
      return sessions <= other.sessions && sockets <= other.sockets && menu_calls <= other.menu_calls &&
             parked_calls <= other.parked_calls && dialogs <= other.dialogs && calls <= other.calls;
    }
    [[nodiscard]] std::string text() const {
      return std::to_string(sessions) + " sessions, " + std::to_string(sockets) + " sockets, " +
             std::to_string(menu_calls) + " menu_calls, " + std::to_string(parked_calls) + " parked_calls, " +
             std::to_string(dialogs) + " dialogs, " + std::to_string(calls) + " calls of parkd";
    }
  };
  static Open open() {
    MediadClient mediad(site().directory() / "mediad.sock");
    mediad.get<media::HelloResult>(media::Hello{.client = "test"});
    return {.sessions = static_cast<int>(mediad.get<media::SessionListResult>(media::SessionList{}).sessions.size()),
            .sockets = udp_sockets(site().mediad().pid()),
            .menu_calls = std::stoi(value("SELECT COUNT(*) FROM menu_calls")),
            .parked_calls = std::stoi(value("SELECT COUNT(*) FROM parked_calls")),
            .dialogs = number_in(site().kamailio().rpc("dlg.stats_active"), "\"all\""),
            .calls = number_in(site().parkd_http("/metrics").body, "\ncallpark_calls ")};
  }
  void expect_nothing_left() {
    for (std::size_t i = 0; i < callees_.size(); ++i) {
      if (!callees_[i]) continue;
      EXPECT_TRUE(wait_until(kSoon, [&] { return callees_[i]->calls() == 0; })) << kCallees[i] << " still has a call";
    }
    Open after;
    EXPECT_TRUE(wait_until(kSoon, [&] { return (after = open()).has_no_more_than(before_); }))
        << "before: " << before_.text() << "\nafter:  " << after.text();
  }
  /// "incoming ivr_menu 810 connected, incoming extension 105 callee": of the call with this Call-ID, in order.
  static std::string cdrs(const CallName& call) {
    return value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', direction, callee_kind, callee_number, ended) ORDER BY began_at, "
        "ended_at SEPARATOR ', '), '') FROM cdrs WHERE call_id = '" +
        call + "'");
  }
  /// They cover the call from its answer on: each begins when the one before ends, and the last ends soon.
  void expect_cdrs(const std::string& wanted) {
    EXPECT_TRUE(wait_until(kSoon, [&] { return cdrs(call_) == wanted; })) << cdrs(call_);
    EXPECT_EQ(
        value("SELECT COUNT(*) FROM cdrs a JOIN cdrs b USING (call_id) WHERE a.ended = 'connected' AND b.began_at "
              "> a.began_at AND a.ended_at <> b.began_at"),
        "0");
    EXPECT_EQ(value("SELECT COUNT(*) FROM cdrs WHERE ended_at NOT BETWEEN began_at AND UTC_TIMESTAMP(3)"), "0");
  }
  static std::string value(const std::string& sql) { return site().database().value(sql); }
  /// The number behind a word. Throws if the word is not there.
  static int number_in(const std::string& text, const std::string& word) {
    const auto at = text.find(word);
    if (at == std::string::npos) throw std::runtime_error("no " + word + " in: " + text);
    return std::stoi(text.substr(text.find_first_of("0123456789", at + word.size())));
  }

  // ----- steps: each throws when its outcome does not come

  using Step = std::function<void(MenuTest&)>;
  using Steps = std::vector<Step>;

  void call(From from, const std::string& number) {
    caller_ = from == kTrunk ? site().trunk_caller(kClient, client()) : site().packet_phone("101", kJohn);
    call_ = caller_->start_call(number);
  }
  static std::string did(const std::string& number) { return "+442030000" + number; }
  static std::string client() { return "\"Client\" <sip:+442079460018@callers.example>"; }

  void follow(const Steps& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      try {
        steps[i](*this);
      } catch (const std::exception& error) {
        throw std::runtime_error("step " + std::to_string(i + 1) + ": " + error.what());
      }
    }
  }

  static void demand(bool fact, const std::string& sentence) {
    if (!fact) throw std::runtime_error(sentence);
  }
  [[nodiscard]] bool hears_tone(int hz, std::chrono::milliseconds timeout = kSoon) const {
    return wait_until(timeout, [&] {
      const Sound sound = caller_->heard(kEarshot);
      return sound.level() > kSilenceLevel && sound.duration() > std::chrono::milliseconds(150) &&
             sound.share(hz) > 0.8;
    });
  }
  [[nodiscard]] bool hears_greeting(Greeting greeting, std::chrono::milliseconds timeout = kSoon) const {
    return hears_tone(static_cast<int>(greeting), timeout);
  }
  /// Speech: nothing that has a single tone.
  [[nodiscard]] bool hears_speech() const {
    return wait_until(kSoon, [&] {
      const Sound sound = caller_->heard(kEarshot);
      if (!sound.has_music() || sound.share(kRingbackHz) > 0.4) return false;
      for (const Greeting tone : {kMain, kLanguages, kNotice, kSilent}) {
        if (sound.share(static_cast<int>(tone)) > 0.4) return false;
      }
      return true;
    });
  }

  static Step is_answered() {
    return [](MenuTest& test) {
      const int status = test.caller_->wait_invite_status(test.call_);
      demand(status == 200, "the call got " + std::to_string(status));
    };
  }
  static Step is_refused(int wanted) {
    return [wanted](MenuTest& test) {
      const int status = test.caller_->wait_invite_status(test.call_);
      demand(status == wanted, "the call got " + std::to_string(status) + ", not " + std::to_string(wanted));
    };
  }
  static Step hears(Greeting greeting) {
    return [greeting](MenuTest& test) {
      demand(test.hears_greeting(greeting), "the greeting of " + std::to_string(static_cast<int>(greeting)) +
                                                " Hz is not heard, but " + test.caller_->heard(kEarshot).describe());
    };
  }
  static Step hears_a_sentence() {
    return [](MenuTest& test) {
      demand(test.hears_speech(), "no sentence is heard, but " + test.caller_->heard(kEarshot).describe());
    };
  }
  static Step hears_ringback() {
    return [](MenuTest& test) {
      demand(test.hears_tone(kRingbackHz), "no ringback tone, but " + test.caller_->heard(kEarshot).describe());
    };
  }
  static Step hears_silence() {
    return [](MenuTest& test) { require("hears_silence", hears_nothing(*test.caller_)); };
  }
  /// Keys by RFC 4733.
  static Step press(const std::string& keys) {
    return [keys](MenuTest& test) { test.caller_->sound().press(keys); };
  }
  static Step send_info(const std::string& keys, PacketPhone::InfoDigit kind = PacketPhone::InfoDigit::kDtmfRelay) {
    return [keys, kind](MenuTest& test) {
      for (const char key : keys) {
        const int status = test.caller_->send_info_digit(test.call_, key, kind);
        demand(status == 200, "the INFO got " + std::to_string(status));
      }
    };
  }
  static Step rings(Callee callee) {
    return [callee](MenuTest& test) { test.ringing_[callee] = test.callees_[callee]->wait_incoming(); };
  }
  static Step rings_no_more(Callee callee) {
    return [callee](MenuTest& test) {
      demand(wait_until(kSoon, [&] { return test.callees_[callee]->is_closed(test.ringing_[callee]); }),
             std::string(kCallees[callee]) + " rings on");
    };
  }
  static Step answers(Callee callee) {
    return [callee](MenuTest& test) { test.callees_[callee]->answer(test.ringing_[callee]); };
  }
  static Step refuses(Callee callee, int status = 486) {
    return [callee, status](MenuTest& test) { test.callees_[callee]->refuse(test.ringing_[callee], status); };
  }
  /// Each hears the other, and the sound goes from phone to phone.
  static Step talks(Callee callee) {
    return [callee](MenuTest& test) {
      PacketPhone& phone = *test.callees_[callee];
      require("talks", hear_each_other(*test.caller_, phone));
      demand(test.caller_->audio_remote(test.call_) == phone.sound().own() &&
                 phone.audio_remote(test.ringing_[callee]) == test.caller_->sound().own(),
             "the sound goes by way of another");
    };
  }
  static Step hangs_up() {
    return [](MenuTest& test) {
      const int status = test.caller_->hang_up(test.call_);
      demand(status == 200, "the BYE got " + std::to_string(status));
    };
  }
  static Step hangs_up(Callee callee) {
    return [callee](MenuTest& test) {
      const int status = test.callees_[callee]->hang_up(test.ringing_[callee]);
      demand(status == 200, "the BYE got " + std::to_string(status));
    };
  }
  /// The other end has hung up.
  static Step is_over() {
    return [](MenuTest& test) {
      demand(wait_until(kSoon, [&] { return test.caller_->is_closed(test.call_); }), "the call is not over");
    };
  }
  /// The row is there, so that another parkd would have the call.
  static Step is_in_a_row() {
    return [](MenuTest&) {
      demand(wait_until(kSoon, [] { return value("SELECT COUNT(*) FROM menu_calls") == "1"; }), "there is no row");
    };
  }
  static Step is_handed_over() {
    return [](MenuTest&) {
      demand(wait_until(kSoon,
                        [] {
                          return value(
                                     "SELECT CONCAT((SELECT COUNT(*) FROM menu_calls), ' ', (SELECT COUNT(*) FROM "
                                     "parked_calls WHERE state = 'retrieved'))") == "0 1";
                        }),
             "the conversation has no row");
    };
  }
  /// The next re-INVITE gets no answer the first time it comes: joining lasts for half a second.
  static Step loses_next_offer() {
    return [](MenuTest& test) { test.caller_->answer_reinvites_with({0}); };
  }
  static Step refuses_next_offer() {
    return [](MenuTest& test) { test.caller_->answer_reinvites_with({488}); };
  }
  /// A re-INVITE has come to the caller.
  static Step is_offered() {
    return [](MenuTest& test) {
      demand(wait_until(kSoon, [&] { return test.offers() > 0; }), "the caller gets no re-INVITE");
    };
  }
  [[nodiscard]] int offers() const {
    int count = 0;
    for (const SipText& message : caller_->received(call_))
      count += message.is_request() && message.method() == "INVITE";
    return count;
  }

  static void restart_parkd() {
    site().parkd().kill9();
    site().parkd().start();
    site().wait_parkd_ready();
  }
  static SipText first_invite(const PacketPhone& phone, const CallName& call) {
    for (const auto& message : phone.received(call)) {
      if (message.method() == "INVITE") return message;
    }
    throw std::runtime_error("no INVITE in " + call);
  }

  static constexpr int kRingbackHz = 425;

  std::unique_ptr<PacketPhone> caller_;
  CallName call_;
  std::vector<std::unique_ptr<PacketPhone>> callees_;
  std::vector<CallName> ringing_;
  Open before_;

 private:
  // Beside the sentences, under names of their own; a mediad of another test program never reads a part of one.
  static void make_sound(const std::string& name, Greeting greeting, int seconds) {
    const auto folder = program_directory() / "prompts" / "en";
    const auto part = folder / ("." + name + "." + std::to_string(getpid()));
    write_tone_wav(part, static_cast<int>(greeting), 16000, seconds);
    std::filesystem::rename(part, folder / (name + ".wav"));
  }
  static void make_sounds() {
    make_sound("e2e_main", kMain, 2);
    make_sound("e2e_languages", kLanguages, 2);
    make_sound("e2e_notice", kNotice, 1);
    make_sound("e2e_silent", kSilent, 1);
  }
  static void make_menus() {
    site().database().execute(R"(
SET @t = 'demo.callpark';
INSERT INTO ivr_menus (tenant, name, number, greeting_sound, first_key_seconds, next_key_seconds, tries, ring_seconds)
  VALUES (@t, 'e2e main', '810', 'e2e_main', 20, 2, 3, 30), (@t, 'e2e languages', '811', 'e2e_languages', 20, 2, 3, 5);
INSERT INTO ivr_menus (tenant, name, number, greeting_text, first_key_seconds, next_key_seconds, direct_dial)
  VALUES (@t, 'e2e reception', '814', 'Welcome to the office. Please dial an extension, or press two for sales.', 20, 2,
          TRUE);
INSERT INTO ivr_menus (tenant, name, number, greeting_sound, first_key_seconds, tries, direct_dial,
                       timeout_destination, invalid_destination)
  VALUES (@t, 'e2e strict', '815', 'e2e_silent', 20, 2, TRUE, '', '106'),
         (@t, 'e2e silent', '818', 'e2e_silent', 1, 2, FALSE, '', ''),
         (@t, 'e2e patient', '820', 'e2e_silent', 1, 3, FALSE, '104', '');
INSERT INTO announcements (tenant, name, number, sound, times, destination)
  VALUES (@t, 'e2e notice', '812', 'e2e_notice', 1, '106'), (@t, 'e2e loop', '813', 'e2e_notice', 0, '');
INSERT INTO announcements (tenant, name, number, text) VALUES (@t, 'e2e report', '819', 'The office is closed today.');
INSERT INTO ivr_menu_options (tenant, menu, digits, destination) VALUES
  (@t, 'e2e main', '1', '105'), (@t, 'e2e main', '2', '601'), (@t, 'e2e main', '3', '811'),
  (@t, 'e2e main', '4', '812'), (@t, 'e2e main', '5', '+442079460099'), (@t, 'e2e main', '6', 'hangup:busy'),
  (@t, 'e2e main', '7', '813'), (@t, 'e2e main', '8', 'repeat'), (@t, 'e2e main', '9', '106'),
  (@t, 'e2e main', '99', '104'),
  (@t, 'e2e languages', '1', '104'), (@t, 'e2e languages', '0', 'back'),
  (@t, 'e2e reception', '2', '105'), (@t, 'e2e strict', '1', '105'), (@t, 'e2e silent', '1', '105'), (@t, 'e2e patient', '1', '105');
INSERT INTO call_flows (tenant, name, number, destination, alternate_destination)
  VALUES (@t, 'e2e flow', '816', '810', 'hangup:busy');
INSERT INTO ring_groups (tenant, ring_group, ring_seconds, destination) VALUES (@t, '817', 5, '810');
INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES (@t, '817', 1, '103');
INSERT INTO dids (did, tenant, destination)
  SELECT CONCAT('+442030000', seq), @t, seq FROM seq_810_to_820;
)");
  }
};

}  // namespace callpark::test
