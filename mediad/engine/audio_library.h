// Every sound that mediad can play, by name and codec: encoded on first use, kept, and read again when its file
// changes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include "base/event_loop.h"
#include "base/worker_pool.h"
#include "media_protocol/messages.h"
#include "mediad/engine/encoded_audio.h"
#include "mediad/prompts/audio_files.h"

namespace callpark::media {

/// For the thread of `loop` only. Every use checks the files, so a replaced one is heard from the next play on.
class AudioLibrary {
 public:
  struct Options {
    std::string prompts_dir;
    /// The files and directories of the class "default".
    std::vector<std::string> default_music;
    /// The parent of the class directories, each named like its class; may be empty.
    std::string music_classes_dir;
  };
  /// The library has replaced `before` by `after`, which is longer: the rest of a music class has been encoded.
  using OnGrown = std::function<void(const SharedAudio& before, const SharedAudio& after)>;

  AudioLibrary(EventLoop& loop, Options options);
  ~AudioLibrary();
  AudioLibrary(const AudioLibrary&) = delete;
  AudioLibrary& operator=(const AudioLibrary&) = delete;

  void on_grown(OnGrown on_grown) { on_grown_ = std::move(on_grown); }
  /// Encodes the beginning of every class in every codec, so that the first caller does not wait. 0.1 s a class.
  void prepare();

  /// Never returns null. "default" replaces a class with missing or broken files, and the ringback tone replaces
  /// "default"; each change of the files that causes this is logged once. At first the beginning of the class is
  /// returned; `on_grown` reports the rest.
  SharedAudio music(const std::string& music_class, CodecName codec);
  /// Returns null if there is no such prompt, neither in `language` nor in English; logged once until its file changes.
  SharedAudio prompt(const std::string& language, const std::string& name, CodecName codec);
  SharedAudio ringback(CodecName codec);
  SharedAudio silence(CodecName codec);

 private:
  enum class Extent { kBeginning, kGrowing, kWhole };
  struct Track {
    SharedAudio audio;
    Extent extent = Extent::kBeginning;
  };
  struct MusicClass {
    std::vector<FileStamp> stamps;
    /// The valid files of `stamps`.
    std::vector<std::string> files;
    std::map<CodecName, Track> tracks;
  };
  struct PromptEntry {
    FileStamp stamp;
    SharedAudio audio;
  };

  std::vector<std::string> paths_of(const std::string& music_class) const;
  MusicClass& refresh(const std::string& music_class);
  Track& track_of(MusicClass& entry, CodecName codec);
  void grow(const std::string& music_class, CodecName codec);
  void replace(const std::string& music_class, CodecName codec, const SharedAudio& beginning, const SharedAudio& whole);
  SharedAudio prompt_file(const std::string& path, CodecName codec);
  template <class Make>
  SharedAudio made(const char* name, CodecName codec, Make make);

  EventLoop& loop_;
  Options options_;
  OnGrown on_grown_;
  std::map<std::string, MusicClass> classes_;
  std::map<std::tuple<std::string, CodecName>, PromptEntry> prompts_;
  std::map<std::tuple<std::string, CodecName>, SharedAudio> made_;
  /// Work that was posted back to the loop checks by this that the library still exists.
  std::shared_ptr<AudioLibrary*> self_;
  std::stop_source stop_;
  WorkerPool workers_;
};

}  // namespace callpark::media
