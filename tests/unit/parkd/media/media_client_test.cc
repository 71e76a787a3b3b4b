#include "parkd/media/media_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <set>

#include "base/log.h"
#include "base/match.h"
#include "tests/support/virtual_time.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// mediad as far as its protocol goes, on a unix socket.
class ScriptedMediad {
 public:
  ScriptedMediad(EventLoop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}

  std::map<std::string, media::SessionOpen> sessions;  // as they were opened last
  std::map<std::string, std::uint16_t> ports;
  std::set<std::uint16_t> taken_ports;
  std::vector<media::Request> requests;
  bool is_mute = false;
  std::optional<media::RpcError> refusal;  // of session.open and hello
  std::optional<media::RpcError> text_refusal;
  std::vector<std::function<void()>> held_answers;
  bool holds_answers = false;

  void start() {
    server_.emplace(
        *LineServer::listen(loop_, *SocketAddress::parse("unix:" + path_), [this](LineConnection connection) {
          connections_.push_back(std::make_unique<LineConnection>(std::move(connection)));
          LineConnection* one = connections_.back().get();
          one->start({[this, one](std::string_view line) { on_line(*one, line); }, [](const std::string&) {}});
        }));
  }
  /// The process is gone; with it go its sessions.
  void die() {
    drop_connections();
    server_.reset();
    sessions.clear();
    ports.clear();
  }
  void drop_connections() {
    connections_.clear();
    held_answers.clear();
  }
  void notify(const media::Notification& notification) {
    for (const auto& connection : connections_) connection->send_line(media::encode_notification(notification));
  }
  void say(const std::string& line) {
    for (const auto& connection : connections_) connection->send_line(line);
  }

  template <class R>
  std::vector<R> all() const {
    std::vector<R> found;
    for (const media::Request& request : requests) {
      if (const R* one = std::get_if<R>(&request)) found.push_back(*one);
    }
    return found;
  }
  /// "open a", "update a", ... since the last time; hello as "hello".
  std::vector<std::string> heard() {
    std::vector<std::string> names;
    for (const media::Request& request : std::exchange(requests, {})) {
      names.push_back(std::visit(
          overloaded{
              [](const media::Hello&) -> std::string { return "hello"; },
              [](const media::SessionOpen& open) { return "open " + open.session + (open.port ? " on its port" : ""); },
              [](const media::SessionUpdate& update) { return "update " + update.session; },
              [](const media::SessionPlay& play) { return "play " + play.session; },
              [](const media::SessionClose& close) { return "close " + close.session; },
              [](const media::TextPrepare& text) { return "text " + text.language + " " + text.text; },
              [](const auto&) -> std::string { return "?"; }},
          request));
    }
    return names;
  }

 private:
  void on_line(LineConnection& connection, std::string_view line) {
    const auto message = media::decode_request(line);
    ASSERT_TRUE(message) << line;
    requests.push_back(message->request);
    if (is_mute) return;
    const auto answer = answer_to(message->request);
    const std::string text =
        answer ? media::encode_answer(message->id, *answer) : media::encode_error(message->id, answer.error());
    if (holds_answers) {
      held_answers.push_back([&connection, text] { connection.send_line(text); });
    } else {
      connection.send_line(text);
    }
  }
  Result<media::Answer, media::RpcError> answer_to(const media::Request& request) {
    using Made = Result<media::Answer, media::RpcError>;
    return std::visit(
        overloaded{
            [this](const media::Hello&) -> Made {
              if (refusal) return failure(*refusal);
              return media::Answer(media::HelloResult{media::kProtocolVersion, "instance"});
            },
            [this](const media::SessionOpen& open) -> Made {
              if (refusal) return failure(*refusal);
              if (ports.count(open.session) == 0) {
                if (open.port && taken_ports.count(*open.port) != 0) {
                  return failure(media::RpcError{media::ErrorCode::kPortTaken, "the port is in use"});
                }
                ports[open.session] = open.port.value_or(next_port_ += 2);
              }
              sessions[open.session] = open;
              return media::Answer(media::SessionOpenResult{"127.0.0.3", ports[open.session], open.ssrc.value_or(77)});
            },
            [](const media::SessionUpdate&) -> Made { return media::Answer(media::SessionUpdateResult{}); },
            [](const media::SessionPlay&) -> Made { return media::Answer(media::SessionPlayResult{}); },
            [this](const media::SessionClose& close) -> Made {
              if (sessions.erase(close.session) == 0) {
                return failure(media::RpcError{media::ErrorCode::kNoSuchSession, "no such session"});
              }
              ports.erase(close.session);
              return media::Answer(media::SessionCloseResult{});
            },
            [](const media::SessionList&) -> Made { return media::Answer(media::SessionListResult{}); },
            [](const media::CodecList&) -> Made { return media::Answer(media::CodecListResult{}); },
            [this](const media::TextPrepare& prepare) -> Made {
              if (text_refusal) return failure(*text_refusal);
              return media::Answer(media::TextPrepareResult{"text_of_" + prepare.text});
            }},
        request);
  }

  EventLoop& loop_;
  std::string path_;
  std::optional<LineServer> server_;
  std::vector<std::unique_ptr<LineConnection>> connections_;
  std::uint16_t next_port_ = 40000;
};

class MediaClientTest : public testing::Test, public Media::Listener {
 protected:
  MediaClientTest() {
    set_log_level(LogLevel::kOff);
    client.set_listener(this);
  }
  ~MediaClientTest() override { set_log_level(LogLevel::kInfo); }

  static std::string make_directory() {
    std::string name = "/tmp/callpark-media-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
  }
  struct Directory {
    std::string path = make_directory();
    ~Directory() {
      unlink((path + "/mediad.sock").c_str());
      rmdir(path.c_str());
    }
  };

  void on_media_fault(const std::string& session, const std::string& sentence) override {
    said.push_back("fault " + session + ": " + sentence);
  }
  void on_media_played(const std::string& session) override { said.push_back("played " + session); }
  void on_media_moved(const std::string& session, const MediaSnapshot& now) override {
    said.push_back("moved " + session);
    moved_to = now;
  }
  void on_media_key(const std::string& session, char key) override {
    said.push_back("key " + std::string(1, key) + " " + session);
  }

  void pass(Duration duration) { test::pass(loop, duration); }
  void connect() {
    mediad.start();
    client.start();
    ASSERT_TRUE(test::pass_until(loop, [this] { return client.is_connected(); }));
    mediad.requests.clear();
  }
  void restart_mediad() {
    mediad.die();
    pass(Duration(50));
    mediad.start();
    ASSERT_TRUE(test::pass_until(loop, [this] { return client.is_connected(); }));
    pass(Duration(50));
  }
  /// Its outcome is in `opened` as soon as it is there.
  void ask_open(const std::string& session, Play play = Music{"default"}, std::optional<MediaSnapshot> again = {}) {
    opened.reset();
    client.open(session, std::move(play), std::move(again),
                [this](Result<MediaSnapshot, MediaUnavailable> got) { opened = std::move(got); });
  }
  MediaSnapshot open(const std::string& session, Play play = Music{"default"},
                     std::optional<MediaSnapshot> again = {}) {
    ask_open(session, std::move(play), std::move(again));
    pass(Duration(20));
    EXPECT_TRUE(opened && *opened);
    return opened && *opened ? **opened : MediaSnapshot{};
  }
  /// Each outcome is added to `said`: "name ..." or "fault ...".
  void prepare(const std::string& text) {
    client.prepare_text("de", text, [this](const Result<std::string, std::string>& name) {
      said.push_back(name ? "name " + *name : "fault " + name.error());
    });
  }
  bool failed() const { return opened && !*opened; }

  test::VirtualTime time;
  EventLoop loop;
  Directory directory;
  ScriptedMediad mediad{loop, directory.path + "/mediad.sock"};
  MediaClient client{
      loop,
      {*SocketAddress::parse("unix:" + directory.path + "/mediad.sock"), Duration(200), Duration(1000), "node-1"}};
  std::optional<Result<MediaSnapshot, MediaUnavailable>> opened;
  std::vector<std::string> said;
  MediaSnapshot moved_to;
  const MediaRemote phone{{"127.0.0.12", 6004}, {"PCMA", 8, 8000, 101}, true};
};

TEST_F(MediaClientTest, ItGreetsWithItsNameAndThenIsConnected) {
  EXPECT_FALSE(client.is_connected());
  mediad.start();
  client.start();
  ASSERT_TRUE(test::pass_until(loop, [this] { return client.is_connected(); }));
  ASSERT_EQ(mediad.all<media::Hello>().size(), 1U);
  EXPECT_EQ(mediad.all<media::Hello>()[0].client, "node-1");
}

TEST_F(MediaClientTest, WithoutMediadOpeningFailsAtOnce) {
  client.start();
  ask_open("a");
  pass(Duration(10));
  EXPECT_TRUE(failed());
}

TEST_F(MediaClientTest, ItConnectsAsSoonAsThereIsAMediad) {
  client.start();
  pass(seconds(5));
  EXPECT_FALSE(client.is_connected());
  mediad.start();
  pass(Duration(300));
  EXPECT_TRUE(client.is_connected());
}

TEST_F(MediaClientTest, AMediadThatRefusesTheGreetingIsTriedAgain) {
  mediad.refusal = media::RpcError{media::ErrorCode::kProtocolMismatch, "another protocol"};
  mediad.start();
  client.start();
  pass(seconds(1));
  EXPECT_FALSE(client.is_connected());
  mediad.refusal.reset();
  pass(seconds(1));
  EXPECT_TRUE(client.is_connected());
}

TEST_F(MediaClientTest, AMediadThatDoesNotAnswerTheGreetingIsTriedAgain) {
  mediad.is_mute = true;
  mediad.start();
  client.start();
  pass(seconds(3));
  EXPECT_GE(mediad.all<media::Hello>().size(), 2U);
  EXPECT_FALSE(client.is_connected());
}

TEST_F(MediaClientTest, ASessionIsOpenedAndItsAddressIsAnswered) {
  connect();
  const MediaSnapshot snapshot = open("a");
  EXPECT_EQ(snapshot.session, "a");
  EXPECT_EQ(snapshot.local, (MediaAddress{"127.0.0.3", 40002}));
  EXPECT_EQ(snapshot.ssrc, 77U);
  const media::SessionOpen asked = mediad.sessions.at("a");
  EXPECT_FALSE(asked.port || asked.remote || asked.codec || asked.ssrc);
  EXPECT_EQ(asked.play, media::Play(media::Music{"default"}));
}

TEST_F(MediaClientTest, AnAnnouncementIsPassedOnWordByWord) {
  connect();
  open("a", Announcement{"es", {Announcement::Prompt{"call_parked"}, Announcement::Digits{"*71333"}}});
  const auto play = std::get<media::Announcement>(*mediad.sessions.at("a").play);
  EXPECT_EQ(play.language, "es");
  EXPECT_EQ(play.then, media::Then::kEnd);
  EXPECT_THAT(play.list,
              ElementsAre(media::Spoken(media::Prompt{"call_parked"}), media::Spoken(media::Digits{"*71333"})));
}

TEST_F(MediaClientTest, O4_ASessionOfAnEarlierParkdIsClaimedWhereItIs) {
  connect();
  const MediaSnapshot again{"a", {"127.0.0.3", 40444}, 4711, phone};
  EXPECT_EQ(open("a", Music{"default"}, again), again);
  const media::SessionOpen asked = mediad.sessions.at("a");
  EXPECT_EQ(asked.port, 40444);
  EXPECT_EQ(asked.ssrc, 4711U);
  EXPECT_EQ(asked.remote, (media::Endpoint{"127.0.0.12", 6004}));
  EXPECT_EQ(asked.codec, (media::Codec{media::CodecName::kPcma, 8, 8000, 101}));
}

TEST_F(MediaClientTest, O4_ASessionOfAnEarlierParkdWaitsForTheGreeting) {
  client.start();
  const MediaSnapshot again{"a", {"127.0.0.3", 40444}, 4711, phone};
  ask_open("a", Music{"default"}, again);
  pass(Duration(300));
  EXPECT_FALSE(opened);
  mediad.start();
  pass(Duration(300));
  ASSERT_TRUE(opened && *opened);
  EXPECT_EQ(**opened, again);
  EXPECT_EQ(mediad.sessions.at("a").port, 40444);
}

TEST_F(MediaClientTest, O4_ASessionOfAnEarlierParkdWaitsNoLongerThanForAnAnswer) {
  client.start();
  ask_open("a", Music{"default"}, MediaSnapshot{"a", {"127.0.0.3", 40444}, 4711, phone});
  pass(Duration(950));
  EXPECT_FALSE(opened);
  pass(Duration(100));
  EXPECT_TRUE(failed());
  mediad.start();
  pass(seconds(1));
  EXPECT_THAT(mediad.heard(), ElementsAre("hello"));
}

TEST_F(MediaClientTest, O4_ASessionThatIsClosedBeforeTheGreetingPlaysNoLonger) {
  client.start();
  ask_open("a", Music{"default"}, MediaSnapshot{"a", {"127.0.0.3", 40444}, 4711, phone});
  client.close("a");
  mediad.sessions["a"] = {};
  mediad.start();
  pass(seconds(2));
  EXPECT_FALSE(opened);
  EXPECT_EQ(mediad.sessions.count("a"), 0U);
}

TEST_F(MediaClientTest, ARefusedOpeningIsUnavailable) {
  connect();
  mediad.refusal = media::RpcError{media::ErrorCode::kTooManySessions, "too many"};
  ask_open("a");
  pass(Duration(20));
  EXPECT_TRUE(failed());
}

TEST_F(MediaClientTest, AnOpeningThatIsNotAnsweredIsUnavailableAndUndone) {
  connect();
  mediad.holds_answers = true;
  ask_open("a");
  pass(Duration(900));
  EXPECT_FALSE(opened);
  pass(Duration(200));
  EXPECT_TRUE(failed());
  EXPECT_TRUE(mediad.sessions.empty()) << "or it would play to no listener for ever";
  for (const auto& answer : mediad.held_answers) answer();  // too late
  pass(Duration(20));
  EXPECT_TRUE(client.is_connected());
}

TEST_F(MediaClientTest, AnOpeningUnderWayFailsWhenMediadDies) {
  connect();
  mediad.is_mute = true;
  ask_open("a");
  pass(Duration(20));
  mediad.die();
  pass(Duration(20));
  EXPECT_TRUE(failed());
}

TEST_F(MediaClientTest, ASessionClosedWhileItIsOpenedIsNotAnswered) {
  connect();
  ask_open("a");
  client.close("a");
  pass(seconds(2));
  EXPECT_FALSE(opened);
  EXPECT_THAT(mediad.heard(), ElementsAre("open a", "close a"));
}

TEST_F(MediaClientTest, ConnectingSaysWhereAndHowToSend) {
  connect();
  open("a");
  client.connect("a", phone);
  pass(Duration(20));
  const auto updates = mediad.all<media::SessionUpdate>();
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(updates[0].remote, (media::Endpoint{"127.0.0.12", 6004}));
  EXPECT_EQ(updates[0].codec, (media::Codec{media::CodecName::kPcma, 8, 8000, 101}));
  EXPECT_EQ(updates[0].send, true);
}

TEST_F(MediaClientTest, X18_APartyMayWantShortPackets) {
  connect();
  open("a");
  MediaRemote impatient = phone;
  impatient.codec.packet_ms = 10;
  client.connect("a", impatient);
  pass(Duration(20));
  const auto updates = mediad.all<media::SessionUpdate>();
  ASSERT_EQ(updates.size(), 1U);
  ASSERT_TRUE(updates[0].codec);
  EXPECT_EQ(updates[0].codec->packet_ms, 10);
}

TEST_F(MediaClientTest, APartyThatHoldsIsSentNothing) {
  connect();
  open("a");
  MediaRemote held = phone;
  held.listens = false;
  client.connect("a", held);
  pass(Duration(20));
  EXPECT_EQ(mediad.all<media::SessionUpdate>().at(0).send, false);
}

TEST_F(MediaClientTest, X35_LatchingIsPassedOnAndKeptOverARestart) {
  connect();
  open("a");
  client.connect("a", phone);
  MediaRemote behind_nat = phone;
  behind_nat.latching = true;
  client.connect("a", behind_nat);
  pass(Duration(20));
  const auto updates = mediad.all<media::SessionUpdate>();
  ASSERT_EQ(updates.size(), 2U);
  EXPECT_FALSE(updates[0].latching);
  EXPECT_TRUE(updates[1].latching);
  restart_mediad();
  EXPECT_TRUE(mediad.sessions.at("a").latching);
}

TEST_F(MediaClientTest, WhatIsNotOpenIsNotSpokenOf) {
  connect();
  client.connect("nobody", phone);
  client.play("nobody", Music{});
  pass(seconds(2));
  EXPECT_THAT(mediad.heard(), IsEmpty());
}

TEST_F(MediaClientTest, O4_ASessionOfAnEarlierParkdIsClosedThoughItWasNeverOpenedHere) {
  mediad.sessions["a"] = mediad.sessions["b"] = {};
  client.start();
  client.close("a");
  mediad.start();
  pass(seconds(2));
  client.close("b");
  pass(seconds(2));
  EXPECT_TRUE(mediad.sessions.empty());
}

TEST_F(MediaClientTest, TheEndOfAnAnnouncementIsTold) {
  connect();
  open("a", Announcement{"en", {Announcement::Prompt{"goodbye"}}});
  mediad.notify(media::SessionPlayed{"a", mediad.sessions.at("a").play_id, false});
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("played a"));
}

TEST_F(MediaClientTest, F3_AMissingSoundIsToldBeforeTheEndOfItsAnnouncement) {
  connect();
  open("a", Announcement{"en", {Announcement::Prompt{"closed_today"}}});
  mediad.notify(media::SessionPlayed{"a", mediad.sessions.at("a").play_id, false, "closed_today.wav is empty"});
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("fault a: closed_today.wav is empty", "played a"));
}

TEST_F(MediaClientTest, F3_AKeyIsReportedOfASessionThatIsOpen) {
  connect();
  open("a", Silence{});
  mediad.notify(media::SessionDigit{"a", '5', 100});
  mediad.notify(media::SessionDigit{"b", '6', 100});
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("key 5 a"));
}

TEST_F(MediaClientTest, TheEndOfAnotherPlayIsNot) {
  connect();
  open("a", Announcement{"en", {Announcement::Prompt{"goodbye"}}});
  const std::string first = mediad.sessions.at("a").play_id;
  client.play("a", Announcement{"en", {Announcement::Prompt{"call_parked"}}});
  mediad.notify(media::SessionPlayed{"a", first, true});
  mediad.notify(media::SessionPlayed{"a", first, false});
  mediad.notify(media::SessionPlayed{"b", first, false});
  pass(Duration(20));
  EXPECT_THAT(said, IsEmpty());
  mediad.notify(media::SessionPlayed{"a", mediad.all<media::SessionPlay>().at(0).play_id, false});
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("played a"));
}

TEST_F(MediaClientTest, SilenceIsNoOccasionToSayAnything) {
  connect();
  open("a");
  mediad.notify(media::SessionNoRtp{"a"});
  pass(Duration(20));
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(MediaClientTest, NonsenseFromMediadChangesNothing) {
  connect();
  open("a");
  for (const char* line :
       {"", "{", "[]", R"({"jsonrpc":"2.0","id":99999,"result":{}})", R"({"jsonrpc":"2.0","id":null})",
        R"({"jsonrpc":"2.0","method":"session.played","params":{"session":7}})"}) {
    mediad.say(line);
  }
  pass(seconds(2));
  EXPECT_TRUE(client.is_connected());
  EXPECT_THAT(said, IsEmpty());
  open("b");
}

// ---- texts ----

TEST_F(MediaClientTest, F7_ATextIsPreparedAndItsNameAnswered) {
  connect();
  prepare("Hallo");
  EXPECT_THAT(said, IsEmpty());
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("name text_of_Hallo"));
  EXPECT_THAT(mediad.heard(), ElementsAre("text de Hallo"));
}

TEST_F(MediaClientTest, F7_WithoutMediadATextFailsLater) {
  client.start();
  prepare("Hallo");
  EXPECT_THAT(said, IsEmpty());
  pass(Duration(10));
  EXPECT_THAT(said, ElementsAre("fault mediad is not connected"));
}

TEST_F(MediaClientTest, F7_ARefusedTextFailsWithMediadsSentence) {
  connect();
  mediad.text_refusal = media::RpcError{media::ErrorCode::kTextNotSpoken, "/speak has not ended within 8 s"};
  prepare("Hallo");
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("fault /speak has not ended within 8 s"));
}

TEST_F(MediaClientTest, F7_ATextMayNeedTenSeconds) {
  connect();
  mediad.holds_answers = true;
  prepare("Hallo");
  pass(Duration(9900));
  EXPECT_THAT(said, IsEmpty());
  pass(Duration(200));
  EXPECT_THAT(said, ElementsAre("fault mediad has not spoken the text within 10 s"));
  for (const auto& answer : std::exchange(mediad.held_answers, {})) answer();  // too late
  pass(seconds(11));
  EXPECT_EQ(said.size(), 1U);
}

TEST_F(MediaClientTest, F7_ATextIsAskedForAgainAfterARestartOfMediad) {
  connect();
  mediad.holds_answers = true;
  prepare("Hallo");
  pass(seconds(2));
  mediad.holds_answers = false;
  restart_mediad();
  EXPECT_THAT(said, ElementsAre("name text_of_Hallo"));
  EXPECT_THAT(mediad.heard(), ElementsAre("text de Hallo", "hello", "text de Hallo"));
}

TEST_F(MediaClientTest, F7_ATextOfADeadMediadFailsAtItsDeadline) {
  connect();
  mediad.is_mute = true;
  prepare("Hallo");
  pass(seconds(1));
  mediad.die();
  pass(Duration(8900));
  EXPECT_THAT(said, IsEmpty());
  pass(Duration(200));
  EXPECT_THAT(said, ElementsAre("fault mediad has not spoken the text within 10 s"));
  mediad.is_mute = false;
  mediad.requests.clear();
  mediad.start();
  pass(seconds(1));
  EXPECT_THAT(mediad.heard(), ElementsAre("hello"));
}

// ---- mediad dies ----

TEST_F(MediaClientTest, O4_ARestartedMediadOpensEachSessionAgainOnItsPort) {
  connect();
  const MediaSnapshot before = open("a");
  client.connect("a", phone);
  restart_mediad();
  const media::SessionOpen again = mediad.sessions.at("a");
  EXPECT_EQ(again.port, before.local.port);
  EXPECT_EQ(again.ssrc, before.ssrc);
  EXPECT_EQ(again.remote, (media::Endpoint{"127.0.0.12", 6004}));
  EXPECT_EQ(again.play, media::Play(media::Music{"default"}));
  EXPECT_THAT(said, IsEmpty()) << "the caller need not know";
}

TEST_F(MediaClientTest, O4_MusicIsBackWithinTwoSeconds) {
  connect();
  for (int number = 0; number < 500; ++number) open("s" + std::to_string(number));
  const Duration before = time.passed();
  restart_mediad();
  EXPECT_EQ(mediad.sessions.size(), 500U);
  EXPECT_LT(time.passed() - before, seconds(2));
}

TEST_F(MediaClientTest, O4_AllSessionsAreReopenedInOneRoundTrip) {
  connect();
  for (int i = 0; i < 500; ++i) client.open(std::to_string(i), Music{"default"}, {}, [](const auto&) {});
  ASSERT_TRUE(test::pass_until(loop, [this] { return mediad.sessions.size() == 500; }));
  mediad.die();
  mediad.requests.clear();
  mediad.holds_answers = true;
  mediad.start();
  ASSERT_TRUE(test::pass_until(loop, [this] { return !mediad.held_answers.empty(); }));
  EXPECT_THAT(mediad.heard(), ElementsAre("hello"));
  for (const auto& answer : std::exchange(mediad.held_answers, {})) answer();
  pass(Duration(100));
  EXPECT_EQ(mediad.all<media::SessionOpen>().size(), 500U) << "none waits for the answer to another";
}

TEST_F(MediaClientTest, O4_APortThatIsTakenMovesTheSession) {
  connect();
  const MediaSnapshot before = open("a");
  client.connect("a", phone);
  mediad.taken_ports = {before.local.port};
  restart_mediad();
  EXPECT_THAT(said, ElementsAre("moved a"));
  EXPECT_NE(moved_to.local.port, before.local.port);
  EXPECT_EQ(moved_to.local.port, mediad.ports.at("a"));
  EXPECT_EQ(moved_to.remote, phone);
}

TEST_F(MediaClientTest, ASessionThatCannotBeReopenedNowIsTriedUntilItCan) {
  connect();
  open("a");
  mediad.sessions.clear();
  mediad.ports.clear();
  mediad.refusal = media::RpcError{media::ErrorCode::kNoPortFree, "no port is free"};
  mediad.notify(media::SessionExpired{"a"});
  pass(seconds(3));
  EXPECT_TRUE(mediad.sessions.empty());
  mediad.refusal.reset();
  pass(seconds(3));
  EXPECT_EQ(mediad.sessions.count("a"), 1U);
}

TEST_F(MediaClientTest, APartyThatHoldsIsSentNothingAfterTheRestartEither) {
  connect();
  open("a");
  MediaRemote held = phone;
  held.listens = false;
  client.connect("a", held);
  restart_mediad();
  const auto updates = mediad.all<media::SessionUpdate>();
  ASSERT_FALSE(updates.empty());
  EXPECT_EQ(updates.back().send, false);
}

TEST_F(MediaClientTest, WhatWasSaidIsNotSaidAgain) {
  connect();
  open("a", Announcement{"en", {Announcement::Prompt{"goodbye"}}});
  mediad.notify(media::SessionPlayed{"a", mediad.sessions.at("a").play_id, false});
  pass(Duration(20));
  restart_mediad();
  EXPECT_EQ(mediad.sessions.at("a").play, media::Play(media::Silence{}));
}

TEST_F(MediaClientTest, WhatWasCutOffIsSaidFromTheBeginning) {
  connect();
  open("a", Announcement{"en", {Announcement::Prompt{"goodbye"}}});
  restart_mediad();
  ASSERT_TRUE(std::holds_alternative<media::Announcement>(*mediad.sessions.at("a").play));
  mediad.notify(media::SessionPlayed{"a", mediad.sessions.at("a").play_id, false});
  pass(Duration(20));
  EXPECT_THAT(said, ElementsAre("played a"));
}

TEST_F(MediaClientTest, AClosedSessionIsNotOpenedAgain) {
  connect();
  open("a");
  open("b");
  mediad.die();
  client.close("a");
  pass(Duration(50));
  mediad.start();
  pass(seconds(1));
  EXPECT_EQ(mediad.sessions.count("a"), 0U);
  EXPECT_EQ(mediad.sessions.count("b"), 1U);
}

TEST_F(MediaClientTest, AfterALostConnectionTheSessionsThatPlayOnAreClaimed) {
  connect();
  const MediaSnapshot before = open("a");
  mediad.drop_connections();
  pass(seconds(1));
  EXPECT_THAT(mediad.heard(), ElementsAre("open a", "hello", "open a on its port"));
  EXPECT_EQ(mediad.ports.at("a"), before.local.port);
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(MediaClientTest, ASessionClosedWhileTheConnectionIsLostPlaysNoLonger) {
  connect();
  open("a");
  mediad.drop_connections();
  pass(Duration(20));
  ASSERT_FALSE(client.is_connected());
  client.close("a");
  EXPECT_EQ(mediad.sessions.count("a"), 1U);
  pass(seconds(1));
  EXPECT_EQ(mediad.sessions.count("a"), 0U);
}

TEST_F(MediaClientTest, ASessionThatMediadGaveUpIsOpenedAgain) {
  connect();
  open("a");
  mediad.sessions.clear();
  mediad.ports.clear();
  mediad.notify(media::SessionExpired{"a"});
  mediad.notify(media::SessionExpired{"nobody"});
  pass(Duration(50));
  EXPECT_EQ(mediad.sessions.size(), 1U);
}

}  // namespace
}  // namespace callpark
