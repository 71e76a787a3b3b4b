// mediad as a process: what a phone and parkd see of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "parkd/leg/offer_answer.h"
#include "tests/component/mediad_fixture.h"
#include "tests/support/rtp_party.h"
#include "tests/support/sip_text.h"

namespace callpark::test {
namespace {

using media::Announcement;
using media::CodecName;
using media::Digits;
using media::ErrorCode;
using media::Music;
using media::Prompt;
using media::SessionOpen;
using media::SessionPlayed;
using media::Then;
using testing::AllOf;
using testing::HasSubstr;

/// RFC 3550: sequence numbers and timestamps follow one another without a gap, 50 packets in each second. What a
/// machine that was paused has missed is left out, and nothing else.
void expect_continuous(const std::vector<RtpArrival>& arrivals, std::uint32_t clock_per_packet) {
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    const RtpArrival& before = arrivals[i - 1];
    const RtpArrival& now = arrivals[i];
    ASSERT_EQ(static_cast<std::uint16_t>(now.sequence - before.sequence), 1) << "packet " << i;
    const std::uint32_t steps = (now.timestamp - before.timestamp) / clock_per_packet;
    ASSERT_EQ(now.timestamp - before.timestamp, steps * clock_per_packet) << "packet " << i;
    ASSERT_GE(steps, 1U) << "packet " << i;
    if (steps > 1) {
      ASSERT_GT(now.when - before.when, std::chrono::milliseconds(20) * (steps - 1)) << "packet " << i;
    }
    ASSERT_EQ(now.ssrc, before.ssrc);
    ASSERT_FALSE(now.marker) << "only the first packet begins a talkspurt";
  }
  const std::chrono::duration<double> lasted = arrivals.back().when - arrivals.front().when;
  // A busy machine delays single packets, but the pace stays.
  const double steps = static_cast<double>(arrivals.back().timestamp - arrivals.front().timestamp) / clock_per_packet;
  EXPECT_NEAR(lasted.count(), 0.02 * steps, 0.5);
}

TEST_F(Mediad, X60_AnIdleMediadEndsOnSigterm) {
  for (int i = 0; i < 10; ++i) {
    if (i != 0) start();
    process_.signal(SIGTERM);
    ASSERT_EQ(process_.wait(kSoon), 0) << "the " << i << "th: " << process_.output();
  }
}

class MediadCodecs : public Mediad, public testing::WithParamInterface<CodecName> {};

TEST_P(MediadCodecs, P1_MusicComesFiftyTimesASecondWithoutAGap) {
  const CodecName name = GetParam();
  const std::uint8_t payload_type = name == CodecName::kPcma   ? 8
                                    : name == CodecName::kG722 ? 9
                                    : name == CodecName::kOpus ? 107
                                                               : 0;
  Ear ear;
  const auto opened = open(request("s", ear, Music{}, codec(name, payload_type)));
  const auto arrivals = ear.next(110);
  expect_continuous(arrivals, name == CodecName::kOpus ? 960 : 160);
  EXPECT_TRUE(arrivals.front().marker);
  for (const RtpArrival& arrival : arrivals) {
    ASSERT_EQ(arrival.payload_type, payload_type);
    ASSERT_EQ(arrival.ssrc, opened.ssrc);
    ASSERT_EQ(arrival.from.port, opened.port);
    if (name != CodecName::kOpus) {
      ASSERT_EQ(arrival.payload.size(), 160u);
    } else {
      // RFC 6716 section 3.1: one frame of 20 ms, mono, and not the three bytes that a silent one has.
      ASSERT_GT(arrival.payload.size(), 20u);
      ASSERT_EQ(arrival.payload[0] & 0x07, 0);
    }
  }
  if (name == CodecName::kPcmu) {
    EXPECT_TRUE(decode(arrivals, decode_pcmu).has_tone(kMusicHz));
  } else if (name == CodecName::kPcma) {
    EXPECT_TRUE(decode(arrivals, decode_pcma).has_tone(kMusicHz));
  }
}

INSTANTIATE_TEST_SUITE_P(Each, MediadCodecs,
                         testing::Values(CodecName::kPcmu, CodecName::kPcma, CodecName::kG722, CodecName::kOpus),
                         [](const auto& name) { return std::string(media::codec_text(name.param)); });

TEST_F(Mediad, S2_TheOrbitIsSpokenDigitByDigitAndThenMusicFollows) {
  Ear ear;
  auto wish = request("s", ear, Announcement{"en", {Prompt{"call_parked"}, Digits{"*71"}}, Then::kMusic, 1});
  wish.play_id = "confirmation";
  open(wish);
  for (const int hz : {kSentenceHz, kStarHz, digit_hz(7), digit_hz(1)}) {
    const Sound sound = decode(ear.next(50), decode_pcmu);
    EXPECT_TRUE(sound.has_tone(hz)) << hz << " Hz expected: " << sound.describe();
  }
  EXPECT_EQ(client().next_notification(), media::Notification(SessionPlayed{"s", "confirmation", false}));
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
}

TEST_F(Mediad, S2_AListIsRepeatedAsOftenAsAskedAndEndsInSilence) {
  write_prompt("invalid_code", kSentenceHz, 1);
  Ear ear;
  open(request("s", ear, Announcement{"en", {Prompt{"invalid_code"}}, Then::kEnd, 2}));
  EXPECT_TRUE(decode(ear.next(100), decode_pcmu).has_tone(kSentenceHz));
  EXPECT_EQ(client().next_notification(), media::Notification(SessionPlayed{"s", "", false}));
  ear.next(2);
  EXPECT_LT(decode(ear.next(10), decode_pcmu).level(), kSilenceLevel);
}

/// The next report of a spoken list, which has this error.
void expect_played(MediadClient& client, const std::string& play_id, const auto& error) {
  const auto played = std::get<SessionPlayed>(client.next_notification());
  EXPECT_EQ(played.play_id, play_id);
  EXPECT_FALSE(played.interrupted);
  EXPECT_THAT(played.error, error);
}

TEST_F(Mediad, F3_APromptThatIsNotThereIsLeftOutAndReported) {
  Ear ear;
  auto wish = request("s", ear, Announcement{"xx", {Prompt{"nobody_spoke_this"}}, Then::kMusic, 1});
  wish.play_id = "p";
  open(wish);
  expect_played(client(), "p", AllOf(HasSubstr("xx/nobody_spoke_this.wav"), HasSubstr("en/nobody_spoke_this.wav")));
  EXPECT_THAT(process_.output(), HasSubstr("nobody_spoke_this"));
  // The rest of a list is spoken.
  client().get<media::SessionPlayResult>(
      media::SessionPlay{"s", "q", Announcement{"en", {Prompt{"nobody_spoke_this"}, Prompt{"call_parked"}}}});
  expect_played(client(), "q", HasSubstr("nobody_spoke_this"));
  client().get<media::SessionPlayResult>(media::SessionPlay{"s", "r", Announcement{"en", {Prompt{"call_parked"}}}});
  expect_played(client(), "r", "");
}

TEST_F(Mediad, F7_AnOwnSoundOfAnotherRateAndWidthIsPlayed) {
  const auto directory = directory_.path() / "prompts" / "en";
  write_tone_wav(directory_.path() / "own.wav", kSentenceHz, 44100, 2);
  for (const std::string form : {"-e mu-law -r 8000", "-b 24 -r 48000 -c 2", "-e float -b 32 -r 22050"}) {
    const auto made = run_command(
        {"/bin/sh", "-c",
         "sox " + (directory_.path() / "own.wav").string() + " " + form + " " + (directory / "own.wav").string()});
    ASSERT_EQ(made.exit_code, 0) << made.output;
    Ear ear;
    open(request("s", ear, Announcement{"en", {Prompt{"own"}}}));
    const Sound sound = decode(ear.next(80), decode_pcmu);
    EXPECT_TRUE(sound.has_tone(kSentenceHz)) << form << ": " << sound.describe();
    client().get<media::SessionCloseResult>(media::SessionClose{"s"});
  }
}

TEST_F(Mediad, F7_SoundsThatCannotBePlayedAreNamedAtTheStart) {
  const auto path = (directory_.path() / "prompts" / "en" / "own.wav").string();
  write_file(path, "ID3 and so on");
  process_.signal(SIGTERM);
  ASSERT_EQ(process_.wait(kSoon), 0);
  start();
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return process_.output().find("prompt " + path + " is not a WAV file") != std::string::npos;
  })) << process_.output();
}

TEST_F(Mediad, F7_CheckSoundSaysWhatCannotBePlayed) {
  const auto program = (program_directory() / "mediad").string();
  const auto prompts = directory_.path() / "prompts" / "en";
  const auto good = run_command({program, "--check-sound", prompts.string(), (prompts / "digit_1.wav").string()});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.output, "");
  write_file(prompts / "own.wav", "");
  const auto missing = (prompts / "none.wav").string();
  const auto bad = run_command({program, "--check-sound", prompts.string(), missing});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_EQ(bad.output,
            (prompts / "own.wav").string() + " is empty\n" + missing + " cannot be read: No such file or directory\n");
}

TEST_F(Mediad, ALanguageWithoutASentenceSpeaksEnglish) {
  Ear ear;
  open(request("s", ear, Announcement{"xx", {Prompt{"call_parked"}}, Then::kMusic, 1}));
  EXPECT_TRUE(decode(ear.next(40), decode_pcmu).has_tone(kSentenceHz));
}

TEST_F(Mediad, RingbackSoundsForOneSecondFromItsBeginning) {
  Ear ear;
  open(request("s", ear, media::Ringback{}));
  EXPECT_GT(decode(ear.next(45), decode_pcmu).share(425), 0.9);
  ear.next(7);
  EXPECT_LT(decode(ear.next(40), decode_pcmu).level(), kSilenceLevel);
}

TEST_F(Mediad, WhatIsPlayedWaitsForTheRemoteAndTheCodec) {
  Ear ear;
  SessionOpen bare{.session = "s"};
  bare.play = Music{};
  const auto opened = open(bare);
  EXPECT_EQ(opened.port % 2, 0);
  media::SessionUpdate update{.session = "s"};
  update.remote = ear.endpoint();
  update.codec = pcmu();
  client().get<media::SessionUpdateResult>(update);
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
}

TEST_F(Mediad, S12_APausedSessionSendsNothingUntilItMayAgain) {
  Ear ear;
  open(request("s", ear, Music{}));
  const auto before = ear.next(5);
  media::SessionUpdate update{.session = "s"};
  update.send = false;
  client().get<media::SessionUpdateResult>(update);
  EXPECT_TRUE(wait_until(kSoon, [&] { return ear.is_quiet_for(100ms); }));
  update.send = true;
  client().get<media::SessionUpdateResult>(update);
  const RtpArrival after = ear.next();
  EXPECT_TRUE(after.marker);
  EXPECT_EQ(after.ssrc, before.front().ssrc);
  // The time that was not sent has passed nevertheless.
  EXPECT_GE(after.timestamp - before.back().timestamp, 160u * 5);
}

TEST_F(Mediad, AnotherCodecGoesOnAtTheSamePlace) {
  Ear ear;
  open(request("s", ear, Music{}));
  const RtpArrival before = ear.next(10).back();
  media::SessionUpdate update{.session = "s"};
  update.codec = codec(CodecName::kPcma, 8);
  client().get<media::SessionUpdateResult>(update);
  RtpArrival after = ear.next();
  while (after.payload_type == 0) after = ear.next();
  EXPECT_EQ(after.timestamp - before.timestamp, 160u * static_cast<std::uint16_t>(after.sequence - before.sequence));
  EXPECT_TRUE(decode(ear.next(20), decode_pcma).has_tone(kMusicHz));
}

TEST_F(Mediad, EachMusicClassHasItsOwnMusic) {
  Ear jazz;
  Ear unknown;
  open(request("jazz", jazz, Music{"jazz"}));
  open(request("unknown", unknown, Music{"polka"}));
  EXPECT_TRUE(decode(jazz.next(20), decode_pcmu).has_tone(kJazzHz));
  EXPECT_TRUE(decode(unknown.next(20), decode_pcmu).has_tone(kMusicHz)) << "falls back to the default class";
}

TEST_F(Mediad, L6_AReplacedFileIsHeardFromTheNextCallOn) {
  Ear before;
  open(request("before", before, Music{"jazz"}));
  EXPECT_TRUE(decode(before.next(20), decode_pcmu).has_tone(kJazzHz));
  const auto file = directory_.path() / "classes" / "jazz" / "jazz.wav";
  write_tone_wav(directory_.path() / "new.wav", digit_hz(5), 8000, 4);
  std::filesystem::rename(directory_.path() / "new.wav", file);
  Ear after;
  open(request("after", after, Music{"jazz"}));
  EXPECT_TRUE(decode(after.next(20), decode_pcmu).has_tone(digit_hz(5)));
  before.drain();
  EXPECT_TRUE(decode(before.next(20), decode_pcmu).has_tone(kJazzHz)) << "the listener hears no change";
}

TEST_F(Mediad, L6_ABrokenFileFallsBackToTheDefaultClassWithOneWarning) {
  write_file(directory_.path() / "classes" / "jazz" / "jazz.wav", "this is no sound");
  for (const char* session : {"one", "two"}) {
    Ear ear;
    open(request(session, ear, Music{"jazz"}));
    EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
  }
  const std::string log = process_.output();
  const auto first = log.find("jazz.wav is not a WAV file");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("jazz.wav is not a WAV file", first + 1), std::string::npos);
}

TEST_F(Mediad, O4_TheMusicGoesOnWhenTheConnectionIsLostAndCanBeClaimedAgain) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  const auto before = ear.next(5);
  client_.reset();
  const auto without = ear.next(25);
  expect_continuous(without, 160);
  ASSERT_TRUE(connect());
  const auto again = open(SessionOpen{.session = "s"});
  EXPECT_EQ(again, opened);
  const auto list = client().get<media::SessionListResult>(media::SessionList{});
  ASSERT_EQ(list.sessions.size(), 1u);
  EXPECT_TRUE(list.sessions[0].claimed);
  EXPECT_EQ(list.sessions[0].port, opened.port);
  // Longer than unclaimed_seconds: the claim has stopped that clock.
  const auto after = ear.next(60);
  EXPECT_EQ(static_cast<std::uint16_t>(after.back().sequence - before.back().sequence), 25 + 60);
}

TEST_F(Mediad, O4_ASessionThatNobodyClaimsEnds) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  ear.next(2);
  client_.reset();
  ASSERT_TRUE(connect());
  EXPECT_TRUE(
      wait_until(kSoon, [&] { return client().get<media::SessionListResult>(media::SessionList{}).sessions.empty(); }));
  ear.drain();
  EXPECT_TRUE(ear.is_quiet_for(60ms));
  SessionOpen same_port{.session = "t"};
  same_port.port = opened.port;
  EXPECT_EQ(open(same_port).port, opened.port);
}

TEST_F(Mediad, O4_AfterKillMinusNineTheStreamGoesOnFromTheSamePort) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  const auto before = ear.next(10);
  const std::string instance = client().get<media::HelloResult>(media::Hello{"test"}).instance;
  process_.kill_now();
  const auto killed_at = std::chrono::system_clock::now();
  start();
  EXPECT_NE(client().get<media::HelloResult>(media::Hello{"test"}).instance, instance);
  auto again = request("s", ear, Music{});
  again.port = opened.port;
  again.ssrc = opened.ssrc;
  EXPECT_EQ(open(again), opened);
  ear.drain();
  const auto after = ear.next(20);
  EXPECT_EQ(after[0].from.port, opened.port);
  EXPECT_EQ(after[0].ssrc, opened.ssrc);
  // As if what was not sent had been lost: the sequence numbers have gone on with the timestamps.
  const auto missed = static_cast<std::uint16_t>(after[0].sequence - before.back().sequence);
  EXPECT_NEAR(static_cast<double>(after[0].timestamp - before.back().timestamp) / 160, missed, 1);
  const std::chrono::duration<double> away = after[0].when - before.back().when;
  EXPECT_NEAR(missed * 0.02, away.count(), 0.5);
  EXPECT_TRUE(decode(after, decode_pcmu).has_tone(kMusicHz));
  RecordProperty("gap_ms",
                 static_cast<int>(std::chrono::duration<double, std::milli>(after[0].when - killed_at).count()));
}

TEST_F(Mediad, ASessionMayBeReopenedWithItsSequenceAndTimestamp) {
  Ear ear;
  auto wish = request("s", ear, Music{});
  wish.ssrc = 7;
  wish.sequence = 65535;
  wish.timestamp = 0xFFFF'FFFF;
  open(wish);
  const auto arrivals = ear.next(3);
  EXPECT_EQ(arrivals[0].ssrc, 7u);
  EXPECT_EQ(arrivals[0].sequence, 65535);
  EXPECT_EQ(arrivals[0].timestamp, 0xFFFF'FFFF);
  expect_continuous(arrivals, 160);
}

TEST_F(Mediad, APortThatIsTakenIsRefusedClearly) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  SessionOpen second{.session = "t"};
  second.port = opened.port;
  const auto refused = client().ask(second);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kPortTaken);
  EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(opened.port)));
  ear.drain();
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz)) << "the first session is unharmed";
}

TEST_F(Mediad, AClosedSessionIsSilentAndItsPortIsFreeAtOnce) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  ear.next(10);
  const auto closed = client().get<media::SessionCloseResult>(media::SessionClose{"s"});
  EXPECT_GE(closed.packets_sent, 9u);  // the last may be heard before it is counted
  SessionOpen next{.session = "t"};
  next.port = opened.port;
  EXPECT_EQ(open(next).port, opened.port);
  const auto again = client().ask(media::SessionClose{"s"});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kNoSuchSession);
}

TEST_F(Mediad, OpeningHasNoEffectOnWhoeverHasTheSameRemote) {
  Ear ear;
  open(request("s", ear, Music{}));
  const auto twice = open(request("s", ear, Music{"jazz"}));
  EXPECT_GT(twice.port, 0);
  EXPECT_EQ(client().get<media::SessionListResult>(media::SessionList{}).sessions.size(), 1u);
}

std::string rtp(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc,
                const std::string& payload) {
  std::string bytes = {static_cast<char>(0x80), static_cast<char>(payload_type)};
  for (const int shift : {8, 0}) bytes += static_cast<char>(sequence >> shift);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(timestamp >> shift);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(ssrc >> shift);
  return bytes + payload;
}

std::string telephone_event(std::uint8_t event, bool end, std::uint16_t duration) {
  return {static_cast<char>(event), static_cast<char>(end ? 0x8A : 0x0A), static_cast<char>(duration >> 8),
          static_cast<char>(duration)};
}

TEST_F(Mediad, AKeyIsReportedOnceHoweverOftenItsPacketsAreRepeated) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  const Endpoint mediad{opened.address, opened.port};
  std::uint16_t sequence = 100;
  for (const std::uint8_t event : {std::uint8_t{1}, std::uint8_t{11}}) {
    const std::uint32_t timestamp = 8000u * event;
    for (const std::uint16_t duration : {std::uint16_t{160}, std::uint16_t{320}}) {
      ear.socket().send(rtp(101, sequence++, timestamp, 5, telephone_event(event, false, duration)), mediad);
    }
    for (int i = 0; i < 3; ++i) {
      ear.socket().send(rtp(101, sequence++, timestamp, 5, telephone_event(event, true, 800)), mediad);
    }
  }
  EXPECT_EQ(client().next_notification(), media::Notification(media::SessionDigit{"s", '1', 100}));
  EXPECT_EQ(client().next_notification(), media::Notification(media::SessionDigit{"s", '#', 100}));
}

TEST_F(Mediad, F3_AKeyOfOpusIsTimedByItsClock) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}, codec(CodecName::kOpus, 96)));
  ear.socket().send(rtp(101, 1, 480, 5, telephone_event(7, true, 4800)), {opened.address, opened.port});
  EXPECT_EQ(client().next_notification(), media::Notification(media::SessionDigit{"s", '7', 100}));
}

/// parkd's answer to the description of a phone, and what mediad gets of it.
struct Answered {
  SipText answer;
  media::Codec codec;
};
Answered answer_to(const RtpParty& phone, const media::SessionOpenResult& mediad) {
  const auto offer = sip::parse_sdp(phone.sdp());
  const auto made = leg::answer_with_media(offer.value(), {mediad.address, mediad.port},
                                           {{"PCMU", 8000, 0}, {"opus", 48000, std::nullopt}}, std::nullopt, {});
  media::Codec codec{CodecName::kPcmu, static_cast<std::uint8_t>(made.value().remote.codec.payload_type)};
  codec.telephone_event = static_cast<std::uint8_t>(made.value().remote.codec.telephone_event.value());
  return {SipText("SIP/2.0 200 OK\r\n\r\n" + sip::write_sdp(made.value().answer)), codec};
}

TEST_F(Mediad, F3_EachKeyOfAPhoneIsReportedOnceWithItsDuration) {
  LoopbackAddress address;
  RtpParty phone("phone", address.text(), 400);
  const auto opened = open(SessionOpen{.session = "s"});
  const auto [answer, codec] = answer_to(phone, opened);
  SessionOpen again{.session = "s"};
  again.remote = media::Endpoint{phone.own().address, phone.own().port};
  again.codec = codec;
  again.play = media::Silence{};
  open(again);
  ASSERT_EQ(answer.telephone_event(), 101);
  phone.set_telephone_event(answer.telephone_event());
  phone.send_to(answer.audio().value());
  // A party that stalls for 300 ms seems to have released its key, so a duration may be shorter.
  const auto expect_key = [this](char key, std::chrono::milliseconds down) {
    const auto pressed = std::get<media::SessionDigit>(client().next_notification());
    EXPECT_EQ(pressed.digit, key);
    EXPECT_GE(pressed.duration_ms, 20);
    EXPECT_LE(pressed.duration_ms, down.count());
  };
  phone.press("1199*#", 40ms);
  for (const char key : std::string("1199*#")) expect_key(key, 40ms);
  phone.press("5", 2500ms);
  phone.press("6", 2000ms);
  expect_key('5', 2500ms);
  expect_key('6', 2000ms);
}

TEST_F(Mediad, AStrangersPacketsNeitherMoveTheStreamNorPressKeys) {
  Ear ear;
  Ear stranger;
  const auto opened = open(request("s", ear, Music{}));
  const Endpoint mediad{opened.address, opened.port};
  const auto received = [&] {
    return client().get<media::SessionListResult>(media::SessionList{}).sessions.at(0).packets_received;
  };
  ear.socket().send(rtp(0, 1, 0, 5, std::string(160, '\xff')), mediad);
  ASSERT_TRUE(wait_until(kSoon, [&] { return received() == 1; }));
  for (std::uint16_t i = 0; i < 10; ++i) {
    stranger.socket().send(rtp(101, i, 80, 6, telephone_event(9, true, 800)), mediad);
  }
  ear.socket().send(rtp(101, 2, 160, 5, telephone_event(2, true, 800)), mediad);
  EXPECT_EQ(client().next_notification(), media::Notification(media::SessionDigit{"s", '2', 100}));
  EXPECT_EQ(received(), 2u);
  EXPECT_TRUE(stranger.is_quiet_for(60ms));
}

/// A talkspurt of `count` packets, as a phone sends it.
void talk(Ear& ear, const media::SessionOpenResult& mediad, std::uint16_t count) {
  for (std::uint16_t i = 0; i < count; ++i) {
    ear.socket().send(rtp(0, i, 160u * i, 5, std::string(160, '\xff')), {mediad.address, mediad.port});
  }
}

TEST_F(Mediad, X35_APhoneBehindANatIsLatchedOntoOnce) {
  Ear signalled;
  Ear nat;
  Ear elsewhere;
  auto behind_nat = request("s", signalled, Music{});
  behind_nat.latching = true;
  const auto opened = open(behind_nat);
  talk(nat, opened, 3);
  EXPECT_EQ(nat.next().from.port, opened.port);
  talk(elsewhere, opened, 5);
  EXPECT_TRUE(elsewhere.is_quiet_for(60ms));
  signalled.drain();
  EXPECT_TRUE(signalled.is_quiet_for(60ms));
}

TEST_F(Mediad, X35_PacketsFromElsewhereNeverGetTheMusicOfASilentParty) {
  Ear silent;
  Ear elsewhere;
  const auto opened = open(request("s", silent, Music{}));
  talk(elsewhere, opened, 40);
  EXPECT_TRUE(elsewhere.is_quiet_for(100ms));
  silent.drain();
  expect_continuous(silent.next(10), 160);
}

TEST_F(Mediad, X35_LatePacketsOfTheOldAddressDoNotKeepTheMusicThere) {
  Ear before;
  Ear after;
  const auto opened = open(request("s", before, Music{}));
  talk(before, opened, 5);
  for (const bool latching : {false, true}) {
    media::SessionUpdate moved{.session = "s"};
    moved.remote = latching ? before.endpoint() : after.endpoint();
    moved.latching = latching;
    client().get<media::SessionUpdateResult>(moved);
    Ear& old_ear = latching ? after : before;
    Ear& new_ear = latching ? before : after;
    talk(old_ear, opened, 5);
    new_ear.drain();
    expect_continuous(new_ear.next(10), 160);
    old_ear.drain();
    EXPECT_TRUE(old_ear.is_quiet_for(60ms));
  }
}

TEST_F(Mediad, X35_TheSignalledAddressWinsBackWhatWasLatchedOnto) {
  Ear signalled;
  Ear elsewhere;
  auto behind_nat = request("s", signalled, Music{});
  behind_nat.latching = true;
  const auto opened = open(behind_nat);
  talk(elsewhere, opened, 3);
  elsewhere.next();
  talk(signalled, opened, 1);
  ASSERT_TRUE(wait_until(kSoon, [&] {
    elsewhere.drain();
    return elsewhere.is_quiet_for(60ms);
  }));
  signalled.drain();
  expect_continuous(signalled.next(10), 160);
  talk(elsewhere, opened, 5);
  EXPECT_TRUE(elsewhere.is_quiet_for(60ms));
}

TEST_F(Mediad, X37_OwnPortsAndAddressesOfNoPartyAreRefusedWithTheReason) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  for (const media::Endpoint& remote : {media::Endpoint{opened.address, opened.port},
                                        media::Endpoint{"224.0.0.1", 4000}, media::Endpoint{"255.255.255.255", 4000}}) {
    media::SessionUpdate update{.session = "s"};
    update.remote = remote;
    const auto refused = client().ask(update);
    ASSERT_FALSE(refused.has_value()) << remote.address;
    EXPECT_EQ(refused.error().code, ErrorCode::kRemoteRefused);
    EXPECT_THAT(refused.error().message, HasSubstr(remote.address));
    SessionOpen other{.session = "t"};
    other.remote = remote;
    EXPECT_FALSE(client().ask(other).has_value());
  }
  EXPECT_EQ(client().get<media::SessionListResult>(media::SessionList{}).sessions.size(), 1u);
  ear.drain();
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz)) << "the session is as it was";
}

TEST_F(Mediad, X37_AHoldAddressStopsTheMusicUntilThereIsAnAddress) {
  Ear ear;
  open(request("s", ear, Music{}));
  ear.next(3);
  media::SessionUpdate hold{.session = "s"};
  hold.remote = media::Endpoint{"0.0.0.0", ear.endpoint().port};
  client().get<media::SessionUpdateResult>(hold);
  EXPECT_TRUE(wait_until(kSoon, [&] { return ear.is_quiet_for(100ms); }));
  hold.remote = ear.endpoint();
  client().get<media::SessionUpdateResult>(hold);
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
}

class MediadBehindNat : public Mediad {
 protected:
  MediadBehindNat() : Mediad(", address: 127.0.0.1, advertised_address: 127.0.0.77") {}
};

TEST_F(MediadBehindNat, X67_ASessionHasTheAdvertisedAddressAndSendsFromItsOwn) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  EXPECT_EQ(opened.address, "127.0.0.77");
  EXPECT_EQ(ear.next().from, (Endpoint{"127.0.0.1", opened.port}));
  EXPECT_EQ(open(request("s", ear, Music{})).address, "127.0.0.77") << "opened again";
  ear.socket().send(rtp(101, 1, 480, 5, telephone_event(7, true, 800)), {"127.0.0.1", opened.port});
  EXPECT_EQ(client().next_notification(), media::Notification(media::SessionDigit{"s", '7', 100}));
}

class ImpatientMediad : public Mediad {
 protected:
  ImpatientMediad() : Mediad(", silent_remote_seconds: 1") {}

  /// Waits until mediad has given the remote of "s" up.
  void expect_given_up(Ear& ear) {
    EXPECT_EQ(client().next_notification(), media::Notification(media::SessionNoRtp{"s", true}));
    EXPECT_TRUE(wait_until(kSoon, [&] { return ear.is_quiet_for(60ms); }));
  }
};

TEST_F(ImpatientMediad, X37_TheMusicStopsWhereNothingComesFromAndGoesOnWithRtcp) {
  Ear ear;
  UdpSocket rtcp({ear.endpoint().address, static_cast<std::uint16_t>(ear.endpoint().port + 1)});
  Ear elsewhere;
  const auto opened = open(request("s", ear, Music{}));
  talk(elsewhere, opened, 5);
  expect_given_up(ear);
  EXPECT_THAT(process_.output(), HasSubstr("neither RTP nor RTCP"));
  talk(elsewhere, opened, 5);
  EXPECT_TRUE(ear.is_quiet_for(100ms)) << "the packets of another host mean nothing";
  rtcp.send(std::string("\x80\xc9\0\1\0\0\0\5", 8), {opened.address, static_cast<std::uint16_t>(opened.port + 1)});
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
}

TEST_F(ImpatientMediad, X37_AConnectAtAnotherAddressIsAnotherTryAndAtTheSameNone) {
  Ear ear;
  Ear other;
  open(request("s", ear, Music{}));
  expect_given_up(ear);
  ear.drain();
  media::SessionUpdate again{.session = "s"};
  again.remote = ear.endpoint();
  client().get<media::SessionUpdateResult>(again);
  again.remote = other.endpoint();
  client().get<media::SessionUpdateResult>(again);
  other.next(10);
  expect_given_up(other);
  EXPECT_TRUE(ear.is_quiet_for(60ms));
}

class PatientMediad : public Mediad {
 protected:
  PatientMediad() : Mediad(", silent_remote_seconds: 0") {}
};

TEST_F(PatientMediad, X37_WithoutTheLimitHoldAndResumeMaySucceedEachOther) {
  Ear ear;
  open(request("s", ear, Music{}));
  for (int i = 0; i < 5; ++i) {
    for (const bool sends : {false, true}) {
      media::SessionUpdate update{.session = "s"};
      update.send = sends;
      client().get<media::SessionUpdateResult>(update);
    }
  }
  ear.drain();
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
}

TEST_F(ImpatientMediad, X37_APartyOnHoldIsNotTimed) {
  Ear ear;
  Ear other;
  media::SessionUpdate hold{.session = "held"};
  open(request("held", ear, Music{}));
  hold.send = false;
  client().get<media::SessionUpdateResult>(hold);
  // Opened later, so what is reported of it comes after anything that could be reported of the other.
  open(request("s", other, Music{}));
  expect_given_up(other);
  hold.send = true;
  client().get<media::SessionUpdateResult>(hold);
  ear.drain();
  EXPECT_TRUE(decode(ear.next(20), decode_pcmu).has_tone(kMusicHz));
}

TEST_F(Mediad, X18_PacketsOfTenMillisecondsComeOneByOne) {
  for (const CodecName name : {CodecName::kPcmu, CodecName::kG722}) {
    Ear ear;
    auto half = codec(name, 9);
    half.packet_ms = 10;
    open(request("s" + std::string(media::codec_text(name)), ear, Music{}, half));
    const auto arrivals = ear.next(100);
    int apart = 0;
    for (std::size_t i = 1; i < arrivals.size(); ++i) {
      ASSERT_EQ(arrivals[i].payload.size(), 80U);
      ASSERT_EQ(static_cast<std::uint16_t>(arrivals[i].sequence - arrivals[i - 1].sequence), 1);
      ASSERT_EQ((arrivals[i].timestamp - arrivals[i - 1].timestamp) % 80, 0U);
      if (arrivals[i].when - arrivals[i - 1].when > 5ms) ++apart;
    }
    EXPECT_GT(apart, 10) << "they do not come in pairs";
    if (name == CodecName::kPcmu) {
      EXPECT_TRUE(decode(arrivals, decode_pcmu).has_tone(kMusicHz));
    }
  }
}

TEST_F(Mediad, MoreSessionsThanAllowedAreRefusedWithTheReason) {
  for (int i = 0; i < kSessionsMax; ++i) open(SessionOpen{.session = std::to_string(i)});
  const auto refused = client().ask(SessionOpen{.session = "one too many"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooManySessions);
  EXPECT_GT(open(SessionOpen{.session = "0"}).port, 0) << "an existing one may be claimed";
  client().get<media::SessionCloseResult>(media::SessionClose{"0"});
  EXPECT_GT(open(SessionOpen{.session = "one too many"}).port, 0);
}

TEST_F(Mediad, MoreControlConnectionsThanAllowedAreRefusedWithTheReason) {
  MediadClient second(socket());
  auto third = std::make_unique<MediadClient>(socket());
  MediadClient fourth(socket());
  EXPECT_THAT(fourth.read_line().value_or("closed"), HasSubstr("3 control connections"));
  EXPECT_EQ(fourth.read_line(), std::nullopt);
  EXPECT_FALSE(client().get<media::CodecListResult>(media::CodecList{}).codecs.empty());
  third.reset();
  EXPECT_TRUE(wait_until(kSoon, [&] {
    try {
      MediadClient next(socket());
      return next.ask(media::Hello{"next"}).has_value();
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
}

TEST_F(Mediad, JunkOnTheMediaPortsIsHarmless) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  const Endpoint mediad{opened.address, opened.port};
  const Endpoint rtcp{opened.address, static_cast<std::uint16_t>(opened.port + 1)};
  for (const std::string& junk : {std::string(), std::string("x"), std::string(12, '\xff'), std::string(1472, '\xbf'),
                                  rtp(101, 1, 1, 1, ""), std::string("\x80\xc8\x00\x06", 4)}) {
    ear.socket().send(junk, mediad);
    ear.socket().send(junk, rtcp);
  }
  ear.drain();
  expect_continuous(ear.next(10), 160);
}

TEST_F(Mediad, SenderReportsGoToThePortAboveAndSayWhatWasSent) {
  Ear ear;
  UdpSocket rtcp({ear.endpoint().address, static_cast<std::uint16_t>(ear.endpoint().port + 1)});
  const auto opened = open(request("s", ear, Music{}));
  const auto report = rtcp.receive(40s);  // the first one comes at random
  ASSERT_TRUE(report.has_value());
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<std::uint8_t>(report->bytes[i]);
    return value;
  };
  // RFC 3550 section 6.4.1.
  ASSERT_GE(report->bytes.size(), 28u);
  EXPECT_EQ(static_cast<std::uint8_t>(report->bytes[1]), 200);
  EXPECT_EQ(report->from.port, opened.port + 1);
  EXPECT_EQ(word(4), opened.ssrc);
  const std::uint32_t packets = word(20);
  EXPECT_GE(packets, 1u);
  EXPECT_EQ(word(24), packets * 160);
  std::vector<RtpArrival> arrivals = ear.next(packets);
  EXPECT_EQ(word(16), arrivals.back().timestamp);
}

TEST_F(Mediad, RtpThatCeasesIsReported) {
  Ear ear;
  const auto opened = open(request("s", ear, Music{}));
  ear.socket().send(rtp(0, 1, 0, 5, std::string(160, '\xff')), {opened.address, opened.port});
  EXPECT_EQ(client().next_notification(), media::Notification(media::SessionNoRtp{"s"}));
}

TEST_F(Mediad, WhatIsNoRequestIsAnsweredWithAnErrorAndTheConnectionStays) {
  const auto error_of = [&](const std::string& line) {
    client().send_bytes(line + "\n");
    return client().read_line().value_or("closed");
  };
  EXPECT_THAT(error_of("{nonsense"), HasSubstr("-32700"));
  EXPECT_THAT(error_of("[]"), HasSubstr("-32600"));
  EXPECT_THAT(error_of(R"({"jsonrpc":"2.0","id":5,"method":"reboot"})"), HasSubstr("-32601"));
  EXPECT_THAT(error_of(R"({"jsonrpc":"2.0","id":5,"method":"session.open","params":{"session":5}})"),
              HasSubstr("-32602"));
  EXPECT_THAT(error_of(R"({"jsonrpc":"2.0","id":5,"method":"hello","params":{"client":"x","protocol":9}})"),
              HasSubstr("protocol"));
  SessionOpen unreachable{.session = "s"};
  unreachable.remote = media::Endpoint{"phone.example", 4000};
  const auto refused = client().ask(unreachable);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kRemoteRefused);
  EXPECT_TRUE(client().get<media::SessionListResult>(media::SessionList{}).sessions.empty()) << "nothing is left over";
}

TEST_F(Mediad, ALineThatIsTooLongEndsThatConnectionOnly) {
  MediadClient other(socket());
  other.send_bytes(std::string(70'000, 'x'));
  EXPECT_EQ(other.read_line(), std::nullopt);
  EXPECT_FALSE(client().get<media::CodecListResult>(media::CodecList{}).codecs.empty());
}

TEST_F(Mediad, ItEndsCleanlyWhenAsked) {
  Ear ear;
  open(request("s", ear, Music{}));
  process_.signal(SIGTERM);
  EXPECT_EQ(process_.wait(kSoon), 0);
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(Mediad, ASecondOneOnTheSameSocketIsRefused) {
  const auto result = run_command({(program_directory() / "mediad").string(), "--config", config().string()});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("cannot start"));
  EXPECT_FALSE(client().get<media::CodecListResult>(media::CodecList{}).codecs.empty());
}

TEST_F(Mediad, AWrongConfigurationIsRefusedWithAllItsErrorsAndLines) {
  const auto file = directory_.path() / "wrong.yaml";
  write_file(file, "log_level: loud\nrtp:\n  port_min: 80\n  speed: 9\n");
  const auto result =
      run_command({(program_directory() / "mediad").string(), "--check-config", "--config", file.string()});
  EXPECT_EQ(result.exit_code, 2);
  for (const char* part : {"wrong.yaml:1:", "wrong.yaml:3:", "wrong.yaml:4:"})
    EXPECT_THAT(result.output, HasSubstr(part));
  EXPECT_EQ(run_command({(program_directory() / "mediad").string(), "--check-config", "--config", config().string()})
                .exit_code,
            0);
}

TEST_F(Mediad, MetricsCountSessionsAndPacketsAlsoOfClosedOnes) {
  Ear ear;
  open(request("s", ear, Music{}));
  ear.next(5);
  EXPECT_EQ(metric("callpark_media_sessions"), 1);
  EXPECT_EQ(metric("callpark_media_sessions_max"), kSessionsMax);
  EXPECT_EQ(metric("callpark_media_packets_received_total"), 0);
  const auto closed = client().get<media::SessionCloseResult>(media::SessionClose{"s"});
  EXPECT_EQ(metric("callpark_media_sessions"), 0);
  EXPECT_GE(closed.packets_sent, 4U);  // the last may be heard before it is counted
  EXPECT_GE(metric("callpark_media_packets_sent_total"), static_cast<double>(closed.packets_sent));
}

}  // namespace
}  // namespace callpark::test
