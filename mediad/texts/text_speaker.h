// Texts as sounds: a program of the operator's speaks each text once, into a file that later calls and a later mediad
// play.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "base/worker_pool.h"
#include "mediad/texts/descriptor.h"
#include "mediad/texts/text_files.h"

namespace callpark::media {

/// For the thread of `loop` only, which never waits for the disk or the program.
class TextSpeaker {
 public:
  struct Options {
    /// Made when the first text is spoken.
    std::string directory;
    /// The path of a program. Its arguments are the language and the path of the WAV file to write, in a directory that
    /// it may use for other files; the text is its standard input.
    std::string command;
    std::uint64_t bytes_max = 200'000'000;
    Duration time_max{8000};
    std::size_t programs_max = 2;
    /// Texts that wait for a program.
    std::size_t waiting_max = 32;
  };
  /// The name of the prompt that speaks the text, or a sentence about why there is none.
  using Done = std::function<void(const Result<std::string, std::string>& name)>;
  struct Callbacks {
    /// The file is there. The request is answered after `go_on` has been called.
    std::function<void(const std::string& path, std::function<void()> go_on)> on_ready;
    /// The file has been removed, since there were too many.
    std::function<void(const std::string& path)> on_removed;
  };

  TextSpeaker(EventLoop& loop, Options options, Callbacks callbacks);
  /// Ends the programs that run. What waits is not answered.
  ~TextSpeaker();
  TextSpeaker(const TextSpeaker&) = delete;
  TextSpeaker& operator=(const TextSpeaker&) = delete;

  /// `language` is a file name, and `text` has 1000 bytes at most. Requests for a text that is being spoken wait for
  /// it. `done` is never called from within this function.
  void prepare(const std::string& language, const std::string& text, Done done);
  /// For texts that are spoken from now on.
  void set_program(std::string command, Duration time_max, std::uint64_t bytes_max);

 private:
  struct Text {
    std::string language;
    std::string text;
    std::string name;
  };

  void look_up(const Text& text);
  void on_looked_up(const Text& text, bool is_there);
  void speak(const Text& text);
  void on_spoken(const Text& text, const std::optional<std::string>& fault);
  void on_ready(const Text& text);
  void answer(const std::string& name, const Result<std::string, std::string>& result);
  void trim();

  EventLoop& loop_;
  Options options_;
  Callbacks callbacks_;
  /// By the name of the text.
  std::map<std::string, std::vector<Done>> waiting_;
  /// Work that was posted back to the loop checks by this that the speaker still exists.
  std::shared_ptr<TextSpeaker*> self_;
  /// Readable once the speaker ends.
  Descriptor stop_;
  /// One thread, so that no file is removed between its look-up and its answer.
  WorkerPool files_;
  WorkerPool programs_;
};

}  // namespace callpark::media
