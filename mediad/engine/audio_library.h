// Every sound that mediad can play, by name and codec: encoded on first use, kept, and read again when its file
// changes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "base/worker_pool.h"
#include "media_protocol/messages.h"
#include "mediad/engine/audio_encoder.h"
#include "mediad/engine/encoded_audio.h"
#include "mediad/prompts/audio_files.h"

namespace callpark::media {

/// For the thread of `loop` only. Every use checks the files, so a replaced one is heard from the next play on.
class AudioLibrary {
 public:
  using Encode =
      std::function<EncodedAudio(const Pcm& pcm, CodecName codec, Ending ending, const std::stop_token& stop)>;
  struct Options {
    std::string prompts_dir;
    /// The directory of spoken texts.
    std::string texts_dir{};
    /// The files and directories of the class "default".
    std::vector<std::string> default_music;
    /// The parent of the class directories, each named like its class; may be empty.
    std::string music_classes_dir;
    /// Called on the loop's thread and on a worker's.
    Encode encode = media::encode;
  };
  /// The library has replaced `before` by `after`, which is longer: the rest of a music class has been encoded.
  using OnGrown = std::function<void(const SharedAudio& before, const SharedAudio& after)>;

  AudioLibrary(EventLoop& loop, Options options);
  ~AudioLibrary();
  AudioLibrary(const AudioLibrary&) = delete;
  AudioLibrary& operator=(const AudioLibrary&) = delete;

  void on_grown(OnGrown on_grown) { on_grown_ = std::move(on_grown); }
  /// Begins to encode the beginning of every class in every codec on a worker, 0.1 s a class, so that the first party
  /// does not wait. Also logs which prompts cannot be played, before a call needs them. Does not wait itself: a
  /// restarted mediad must answer at once, and what is needed before its turn is encoded when it is needed.
  void prepare();
  /// True unless prepare() has still work on its way.
  bool is_prepared() const { return !preparing_; }

  /// Never returns null. "default" replaces a class with missing or broken files, and the ringback tone replaces
  /// "default"; each change of the files that causes this is logged once. At first the beginning of the class is
  /// returned, or only its first seconds; `on_grown` reports what is longer, in one or two steps.
  SharedAudio music(const std::string& music_class, CodecName codec);
  /// Returns the prompt in `language`, else in English. The error is a sentence that names both files, if neither can
  /// be played; each is logged once until its file changes. A spoken text is there in its own language only.
  Result<SharedAudio, std::string> prompt(const std::string& language, const std::string& name, CodecName codec);
  /// Encodes the file of a prompt in every codec on a worker, and then calls `done`: a text of a minute would keep the
  /// loop from its sessions for too long. A file that is encoded already needs no worker.
  void encode_ahead(const std::string& path, const std::function<void()>& done);
  /// The file of a prompt has been removed: its encodings need no more memory.
  void forget(const std::string& path);
  SharedAudio ringback(CodecName codec);
  SharedAudio silence(CodecName codec);

 private:
  enum class Extent {
    /// The first seconds, which are encoded while a party waits.
    kShort,
    /// Enough for a while, from prepare().
    kBeginning,
    kGrowing,
    kWhole,
  };
  struct Track {
    SharedAudio audio;
    Extent extent = Extent::kShort;
  };
  struct MusicClass {
    std::vector<FileStamp> stamps;
    /// The valid files of `stamps`.
    std::vector<std::string> files;
    std::map<CodecName, Track> tracks;
  };
  struct Beginning {
    SharedAudio audio;
    bool is_whole = false;
  };
  using FoundPrompt = Result<SharedAudio, std::string>;
  struct PromptEntry {
    FileStamp stamp;
    FoundPrompt found{nullptr};
  };

  std::vector<std::string> paths_of(const std::string& music_class) const;
  MusicClass& refresh(const std::string& music_class);
  void check_prompts();
  void prepare_next();
  void on_prepared(const std::string& music_class, CodecName codec, const std::vector<FileStamp>& stamps,
                   const std::optional<Beginning>& beginning);
  static std::optional<Beginning> encode_beginning(const Encode& encode, const std::string& path, int seconds_max,
                                                   CodecName codec, const std::stop_token& stop);
  static void set(Track& track, const MusicClass& entry, const Beginning& beginning, Extent extent);
  Track& track_of(MusicClass& entry, CodecName codec);
  void grow(const std::string& music_class, CodecName codec);
  bool grow_to_beginning(const std::string& music_class, CodecName codec);
  bool grow_to_whole(const std::string& music_class, CodecName codec);
  bool replace(const std::string& music_class, CodecName codec, const SharedAudio& before, const Track& after);
  using FoundPrompts = std::vector<std::pair<CodecName, FoundPrompt>>;
  bool is_encoded(const std::string& path, const FileStamp& stamp) const;
  void set_prompts(const std::string& path, const FileStamp& stamp, const FoundPrompts& found);
  static FoundPrompt encode_pcm(const Encode& encode, const std::string& path, const Pcm& pcm, CodecName codec,
                                const std::stop_token& stop);
  FoundPrompt encode_prompt(const std::string& path, CodecName codec) const;
  FoundPrompt prompt_file(const std::string& path, CodecName codec);
  template <class Make>
  SharedAudio made(const char* name, CodecName codec, Make make);

  EventLoop& loop_;
  Options options_;
  OnGrown on_grown_;
  std::map<std::string, MusicClass> classes_;
  std::map<std::tuple<std::string, CodecName>, PromptEntry> prompts_;
  std::map<std::tuple<std::string, CodecName>, SharedAudio> made_;
  /// One after the other, so that a class that is heard already need not wait for all of them to grow.
  std::deque<std::tuple<std::string, CodecName>> to_prepare_;
  bool preparing_ = false;
  /// Work that was posted back to the loop checks by this that the library still exists.
  std::shared_ptr<AudioLibrary*> self_;
  std::stop_source stop_;
  WorkerPool beginnings_;
  WorkerPool wholes_;
};

}  // namespace callpark::media
