#include "mediad/config/mediad_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace callpark {
namespace {

using testing::HasSubstr;

TEST(MediadConfig, AnEmptyFileGivesTheDefaults) {
  const auto config = read_mediad_config_text("", "mediad.yaml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->rtp.port_min, 15060);
  EXPECT_EQ(config->rtp.sender_threads, 1);
  EXPECT_EQ(config->sessions.unclaimed, Duration(300'000));
  EXPECT_EQ(config->rtp.silent_remote, Duration(60'000));
  EXPECT_EQ(config->control.connections_max, 16U);
  EXPECT_TRUE(config->control.listen.is_unix());
  EXPECT_EQ(config->texts.directory, "/var/cache/callpark/texts");
  EXPECT_EQ(config->texts.command, "/usr/share/callpark/speak_text");
  EXPECT_EQ(config->texts.megabytes_max, 200U);
  EXPECT_EQ(config->texts.time_max, Duration(8000));
}

TEST(MediadConfig, TheExampleIsReadAsTheDefaults) {
  EXPECT_TRUE(read_mediad_config_text(mediad_config_example(), "example").has_value());
}

TEST(MediadConfig, EveryErrorIsReportedWithItsLine) {
  const auto config = read_mediad_config_text(
      "rtp:\n  address: 0.0.0.0\n  port_min: 80\n  colour: red\nsessions: {unclaimed_seconds: 0}\n", "mediad.yaml");
  ASSERT_FALSE(config.has_value());
  std::string errors;
  for (const ConfigError& error : config.error()) errors += to_string(error) + "\n";
  for (const char* part : {"mediad.yaml:2:", "mediad.yaml:3:", "mediad.yaml:4:", "mediad.yaml:5:"}) {
    EXPECT_THAT(errors, HasSubstr(part));
  }
}

TEST(MediadConfig, HttpIsOffOrAtAnAddressWithAPort) {
  EXPECT_FALSE(read_mediad_config_text("", "mediad.yaml")->http.listen);
  EXPECT_FALSE(read_mediad_config_text("http: {listen: \"\"}", "mediad.yaml")->http.listen);
  EXPECT_EQ(read_mediad_config_text("http: {listen: \"127.0.0.1:8081\"}", "mediad.yaml")->http.listen->port(), 8081);
  for (const char* address : {"unix:/run/mediad.http", "localhost:8081", "8081"}) {
    EXPECT_FALSE(read_mediad_config_text("http: {listen: \"" + std::string(address) + "\"}", "mediad.yaml")) << address;
  }
}

TEST(MediadConfig, PortsMustMakePairs) {
  for (const char* text : {"rtp: {port_min: 16001}", "rtp: {port_min: 16000, port_max: 16000}"}) {
    EXPECT_FALSE(read_mediad_config_text(text, "mediad.yaml").has_value()) << text;
  }
}

TEST(MediadConfig, RtpIsAtNoMulticastAddress) {
  for (const char* address : {"224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"}) {
    EXPECT_FALSE(read_mediad_config_text("rtp: {address: \"" + std::string(address) + "\"}", "mediad.yaml")) << address;
  }
  for (const char* address : {"127.0.0.1", "223.255.255.1", "fe80::1"}) {
    EXPECT_TRUE(read_mediad_config_text("rtp: {address: \"" + std::string(address) + "\"}", "mediad.yaml")) << address;
  }
}

TEST(MediadConfig, X67_TheAdvertisedAddressIsOneHostOfTheSameFamily) {
  const auto advertised = [](const std::string& address) {
    return read_mediad_config_text("rtp: {address: 10.0.0.2, advertised_address: \"" + address + "\"}", "mediad.yaml");
  };
  EXPECT_EQ(advertised("203.0.113.2")->rtp.advertised_address, "203.0.113.2");
  EXPECT_EQ(advertised("")->rtp.advertised_address, "");
  for (const char* address : {"pbx.example", "0.0.0.0", "224.0.0.1", "2001:db8::2", "203.0.113.2:5060"}) {
    EXPECT_FALSE(advertised(address)) << address;
  }
}

TEST(MediadConfig, AMissingDirectoryOfPromptsIsReported) {
  const auto missing = [](const std::string& directory) {
    const auto config = read_mediad_config_text("prompts_dir: " + directory, "mediad.yaml");
    return missing_directory(config.value(), "mediad.yaml");
  };
  EXPECT_FALSE(missing(testing::TempDir()));
  const std::string nowhere = testing::TempDir() + "/no-such-directory";
  ASSERT_TRUE(missing(nowhere));
  EXPECT_THAT(to_string(*missing(nowhere)), HasSubstr(nowhere));
}

TEST(MediadConfig, O8_AnAddressOfAnotherHostIsReported) {
  const std::string path = testing::TempDir() + "/mediad.yaml." + std::to_string(getpid());
  std::ofstream(path) << "prompts_dir: /tmp\nrtp: {address: 198.51.100.1}\n";
  const auto errors = check_mediad_config_file(path);
  std::remove(path.c_str());
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].message, "rtp.address: 198.51.100.1 is no address of this host");
}

// Each key of the table is live or needs a restart; a new one needs a restart, unless its row and this list make it
// live.
TEST(MediadConfig, O8_EachKeyIsLiveOrNeedsARestart) {
  const MediadConfig started = read_mediad_config_text("", "f").value();
  std::vector<std::string> live;
  for (const auto& [key, texts] : started.read_from) {
    MediadConfig running = started;
    MediadConfig read = started;
    read.read_from[key].push_back("another");
    const ConfigChanges changes = reload(running, read);
    ASSERT_EQ(changes.applied.size() + changes.need_restart.size(), 1U) << key;
    if (!changes.applied.empty()) live.push_back(key);
  }
  EXPECT_THAT(live, testing::ElementsAre("log_level", "sessions.max", "sessions.unclaimed_seconds", "texts.command",
                                         "texts.max_mb", "texts.seconds_max"));
}

TEST(MediadConfig, O8_LiveKeysAreAppliedAndTheOthersAreNot) {
  MediadConfig running = read_mediad_config_text("", "f").value();
  const auto read =
      read_mediad_config_text("texts: {dir: /t, command: /s, max_mb: 5}\nsessions: {max: 7, no_rtp_seconds: 1}\n", "f");
  EXPECT_EQ(to_string(reload(running, read.value())),
            "texts.command, texts.max_mb, sessions.max are applied; texts.dir, sessions.no_rtp_seconds need a restart");
  EXPECT_EQ(running.texts.command, "/s");
  EXPECT_EQ(running.texts.megabytes_max, 5U);
  EXPECT_EQ(running.sessions.max, 7U);
  EXPECT_EQ(running.texts.directory, "/var/cache/callpark/texts");
  EXPECT_EQ(running.sessions.no_rtp, Duration(30'000));
}

TEST(MediadConfig, MusicIsAListOfFilesAndDirectories) {
  const auto config = read_mediad_config_text("music: {default: [/a.wav, /b]}", "mediad.yaml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->music.default_class, (std::vector<std::string>{"/a.wav", "/b"}));
}

TEST(MediadConfig, F7_TextsNeedAProgramADirectoryAndLimits) {
  for (const char* text : {"texts: {dir: \"\"}", "texts: {command: \"\"}", "texts: {max_mb: 0}",
                           "texts: {seconds_max: 0}", "texts: {seconds_max: 601}", "texts: {shell: bash}"}) {
    EXPECT_FALSE(read_mediad_config_text(text, "mediad.yaml")) << text;
  }
  const auto config =
      read_mediad_config_text("texts: {dir: /t, command: /s, max_mb: 5, seconds_max: 3}", "mediad.yaml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->texts.directory, "/t");
  EXPECT_EQ(config->texts.command, "/s");
  EXPECT_EQ(config->texts.megabytes_max, 5U);
  EXPECT_EQ(config->texts.time_max, Duration(3000));
}

}  // namespace
}  // namespace callpark
