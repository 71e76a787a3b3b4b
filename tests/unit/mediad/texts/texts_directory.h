// A directory with sounds and scripts, for tests of spoken texts.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace callpark::media {

class TextsDirectory : public testing::Test {
 protected:
  ~TextsDirectory() override { std::filesystem::remove_all(directory_); }

  static std::filesystem::path make_directory() {
    std::string name = "/tmp/callpark-texts-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory");
    return name;
  }

  std::string at(const std::string& name) const { return directory_ / name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(at(name), std::ios::binary) << content;
    return at(name);
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(at(name), std::ios::binary).rdbuf();
    return text.str();
  }
  std::string write_script(const std::string& name, const std::string& commands) const {
    write(name, "#!/bin/sh\nd=" + directory_.string() + "\n" + commands + "\n");
    std::filesystem::permissions(at(name), std::filesystem::perms::owner_all);
    return at(name);
  }
  /// One second of sound: 16,044 bytes.
  static std::string wav() {
    const auto number = [](std::uint32_t value, int bytes) {
      std::string text;
      for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
      return text;
    };
    return "RIFF" + number(16036, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) + number(8000, 4) +
           number(16000, 4) + number(2, 2) + number(16, 2) + "data" + number(16000, 4) + std::string(16000, '\x11');
  }
  /// False if the process has ended, also if no process has waited for it yet.
  static bool is_alive(pid_t pid) {
    std::string status;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), status);
    const auto name_end = status.rfind(") ");
    return name_end != std::string::npos && status.at(name_end + 2) != 'Z' && status.at(name_end + 2) != 'X';
  }
  /// Waits for the end of each: a killed process is there for some moments more.
  static bool all_end(const std::vector<pid_t>& pids) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::any_of(pids.begin(), pids.end(), is_alive)) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  std::vector<pid_t> pids(const std::string& name) const {
    std::istringstream text(read(name));
    std::vector<pid_t> found;
    for (pid_t pid = 0; text >> pid;) found.push_back(pid);
    return found;
  }

  std::filesystem::path directory_ = make_directory();
};

}  // namespace callpark::media
