#include "mediad/engine/audio_library.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "mediad/engine/codec_facts.h"
#include "mediad/prompts/tones.h"
#include "mediad/prompts/wav_reader.h"

namespace callpark::media {
namespace {

const std::string kDefaultClass = "default";
const std::string kFallbackLanguage = "en";
// Encoded while every session waits: 10 ms of processor time for opus, less for the others.
constexpr int kShortSeconds = 2;
constexpr int kBeginningSeconds = 20;
constexpr int kBeginningNice = 5;
// A whole class is encoded at low priority, in idle time.
constexpr int kWholeNice = 15;

WorkerPool::Options worker_options(int nice) {
  WorkerPool::Options options;
  options.threads = 1;
  options.on_thread_start = [nice] { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice); };
  return options;
}

SharedAudio shared(EncodedAudio audio) {
  return std::make_shared<const EncodedAudio>(std::move(audio));
}

std::vector<FileStamp> stamps_of(const std::vector<std::string>& files) {
  std::vector<FileStamp> stamps;
  stamps.reserve(files.size());
  for (const std::string& file : files) stamps.push_back(stamp_of(file));
  return stamps;
}

// Every file was valid when its class was read; a file that has been damaged since is left out until the next use.
EncodedAudio encode_files(const AudioLibrary::Encode& encode, const std::vector<std::string>& files, CodecName codec,
                          const std::stop_token& stop) {
  EncodedAudio whole;
  for (const std::string& file : files) {
    if (stop.stop_requested()) break;
    const auto pcm = read_wav(file);
    if (!pcm) continue;
    try {
      whole.append(encode(*pcm, codec, files.size() == 1 ? Ending::kLoop : Ending::kSilence, stop));
    } catch (const std::exception& error) {
      log_warning("", "{} is left out: {}", file, error.what());
    }
  }
  return whole;
}

}  // namespace

AudioLibrary::AudioLibrary(EventLoop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      self_(std::make_shared<AudioLibrary*>(this)),
      beginnings_(worker_options(kBeginningNice)),
      wholes_(worker_options(kWholeNice)) {}

AudioLibrary::~AudioLibrary() {
  *self_ = nullptr;
  stop_.request_stop();
  beginnings_.stop();
  wholes_.stop();
}

void AudioLibrary::prepare() {
  std::vector<std::string> names = {kDefaultClass};
  if (!options_.music_classes_dir.empty()) {
    for (std::string& name : subdirectories(options_.music_classes_dir)) names.push_back(std::move(name));
  }
  for (const std::string& name : names) {
    refresh(name);
    for (const CodecFacts& codec : all_codecs()) to_prepare_.emplace_back(name, codec.name);
  }
  check_prompts();
  prepare_next();
}

void AudioLibrary::check_prompts() {
  const bool submitted = beginnings_.submit([directory = options_.prompts_dir, stop = stop_.get_token()] {
    for (const std::string& language : subdirectories(directory)) {
      const std::string of_language = fmt::format("{}/{}", directory, language);
      for (const std::string& path : wav_files({of_language})) {
        if (stop.stop_requested()) return;
        if (const auto fault = fault_of_wav(path)) log_warning("", "prompt {} {}", path, *fault);
      }
    }
  });
  if (!submitted) log_warning("", "the prompts are not checked: too much is waiting");
}

void AudioLibrary::prepare_next() {
  preparing_ = false;
  while (!to_prepare_.empty()) {
    const auto [name, codec] = std::move(to_prepare_.front());
    to_prepare_.pop_front();
    MusicClass& entry = classes_[name];
    if (entry.files.empty() || entry.tracks[codec].audio) continue;
    const bool submitted =
        beginnings_.submit([&loop = loop_, self = self_, stop = stop_.get_token(), encode = options_.encode,
                            name = name, codec = codec, path = entry.files.front(), stamps = entry.stamps] {
          auto beginning = encode_beginning(encode, path, kBeginningSeconds, codec, stop);
          loop.post([self, name, codec, stamps, beginning = std::move(beginning)] {
            if (*self != nullptr) (*self)->on_prepared(name, codec, stamps, beginning);
          });
        });
    preparing_ = submitted;
    if (submitted) return;
  }
}

void AudioLibrary::on_prepared(const std::string& music_class, CodecName codec, const std::vector<FileStamp>& stamps,
                               const std::optional<Beginning>& beginning) {
  MusicClass& entry = classes_[music_class];
  Track& track = entry.tracks[codec];
  // The result is dropped if the track was needed, or the files have changed, meanwhile.
  if (beginning && !track.audio && entry.stamps == stamps) set(track, entry, *beginning, Extent::kBeginning);
  prepare_next();
}

std::optional<AudioLibrary::Beginning> AudioLibrary::encode_beginning(const Encode& encode, const std::string& path,
                                                                      int seconds_max, CodecName codec,
                                                                      const std::stop_token& stop) {
  const auto wav = read_wav_beginning(path, seconds_max);
  if (!wav) return std::nullopt;  // damaged since its stamp was read
  try {
    return Beginning{shared(encode(wav->pcm, codec, Ending::kLoop, stop)), wav->is_whole};
  } catch (const std::exception& error) {
    log_warning("", "{} cannot be encoded: {}", path, error.what());
    return std::nullopt;
  }
}

void AudioLibrary::set(Track& track, const MusicClass& entry, const Beginning& beginning, Extent extent) {
  track.audio = beginning.audio;
  track.extent = entry.files.size() == 1 && beginning.is_whole ? Extent::kWhole : extent;
}

std::vector<std::string> AudioLibrary::paths_of(const std::string& music_class) const {
  if (music_class == kDefaultClass) return wav_files(options_.default_music);
  if (options_.music_classes_dir.empty()) return {};
  return wav_files({options_.music_classes_dir + "/" + music_class});
}

AudioLibrary::MusicClass& AudioLibrary::refresh(const std::string& music_class) {
  const auto [place, is_new] = classes_.try_emplace(music_class);
  MusicClass& entry = place->second;
  const std::vector<std::string> paths = paths_of(music_class);
  std::vector<FileStamp> stamps = stamps_of(paths);
  if (!is_new && stamps == entry.stamps) return entry;
  entry.stamps = std::move(stamps);
  std::vector<std::string> sound_files;
  for (const std::string& path : paths) {
    if (const auto fault = fault_of_wav(path)) {
      log_warning("", "music class {}: {} {}", music_class, path, *fault);
    } else {
      sound_files.push_back(path);
    }
  }
  if (sound_files.empty()) {
    log_warning("", "music class {} has no playable file; {} is played instead", music_class,
                music_class != kDefaultClass ? "the default class"
                : entry.tracks.empty()       ? "the ringback tone"
                                             : "what it was before");
    // The default class falls back to its own previous files.
    if (music_class == kDefaultClass) return entry;
  }
  entry.files = std::move(sound_files);
  entry.tracks.clear();
  return entry;
}

SharedAudio AudioLibrary::music(const std::string& music_class, CodecName codec) {
  MusicClass& entry = refresh(music_class);
  if (entry.files.empty()) return music_class == kDefaultClass ? ringback(codec) : music(kDefaultClass, codec);
  SharedAudio audio = track_of(entry, codec).audio;
  grow(music_class, codec);
  return audio;
}

AudioLibrary::Track& AudioLibrary::track_of(MusicClass& entry, CodecName codec) {
  Track& track = entry.tracks[codec];
  if (track.audio) return track;
  if (const auto beginning = encode_beginning(options_.encode, entry.files.front(), kShortSeconds, codec, {})) {
    set(track, entry, *beginning, Extent::kShort);
  } else {
    track.audio = ringback(codec);
  }
  return track;
}

void AudioLibrary::grow(const std::string& music_class, CodecName codec) {
  Track& track = classes_[music_class].tracks[codec];
  const Extent extent = track.extent;
  bool submitted = false;
  if (extent == Extent::kShort) submitted = grow_to_beginning(music_class, codec);
  if (extent == Extent::kBeginning) submitted = grow_to_whole(music_class, codec);
  if (submitted) track.extent = Extent::kGrowing;
}

bool AudioLibrary::grow_to_beginning(const std::string& music_class, CodecName codec) {
  const MusicClass& entry = classes_[music_class];
  return beginnings_.submit([&loop = loop_, self = self_, stop = stop_.get_token(), encode = options_.encode,
                             music_class, codec, before = entry.tracks.at(codec).audio, path = entry.files.front(),
                             is_only_file = entry.files.size() == 1] {
    auto beginning = encode_beginning(encode, path, kBeginningSeconds, codec, stop);
    if (!beginning) return;
    const bool is_whole = is_only_file && beginning->is_whole;
    loop.post([self, music_class, codec, before, audio = std::move(beginning->audio), is_whole] {
      if (*self == nullptr) return;
      const Track after{audio, is_whole ? Extent::kWhole : Extent::kBeginning};
      if ((*self)->replace(music_class, codec, before, after)) (*self)->grow(music_class, codec);
    });
  });
}

bool AudioLibrary::grow_to_whole(const std::string& music_class, CodecName codec) {
  const MusicClass& entry = classes_[music_class];
  return wholes_.submit([&loop = loop_, self = self_, stop = stop_.get_token(), encode = options_.encode, music_class,
                         codec, before = entry.tracks.at(codec).audio, files = entry.files] {
    SharedAudio whole = shared(encode_files(encode, files, codec, stop));
    loop.post([self, music_class, codec, before, whole = std::move(whole)] {
      if (*self != nullptr) (*self)->replace(music_class, codec, before, {whole, Extent::kWhole});
    });
  });
}

// Returns whether `after` is used. It is dropped if the files have changed again meanwhile.
bool AudioLibrary::replace(const std::string& music_class, CodecName codec, const SharedAudio& before,
                           const Track& after) {
  Track& track = classes_[music_class].tracks[codec];
  if (track.audio != before || after.audio->packets() == 0) return false;
  track = after;
  if (on_grown_) on_grown_(before, after.audio);
  return true;
}

AudioLibrary::FoundPrompt AudioLibrary::prompt(const std::string& language, const std::string& name, CodecName codec) {
  if (is_text_name(name)) return prompt_file(prompt_path(options_.texts_dir, language, name), codec);
  FoundPrompt found = prompt_file(prompt_path(options_.prompts_dir, language, name), codec);
  if (found || language == kFallbackLanguage) return found;
  FoundPrompt fallback = prompt_file(prompt_path(options_.prompts_dir, kFallbackLanguage, name), codec);
  if (!fallback) return failure(found.error() + "; " + fallback.error());
  return fallback;
}

void AudioLibrary::encode_ahead(const std::string& path, const std::function<void()>& done) {
  const FileStamp stamp = stamp_of(path);
  if (is_encoded(path, stamp)) return done();
  const bool submitted = beginnings_.submit(
      [&loop = loop_, self = self_, stop = stop_.get_token(), encode = options_.encode, path, stamp, done] {
        FoundPrompts found;
        if (const auto pcm = read_wav(path)) {
          for (const CodecFacts& codec : all_codecs()) {
            found.emplace_back(codec.name, encode_pcm(encode, path, *pcm, codec.name, stop));
          }
        }
        loop.post([self, path, stamp, found = std::move(found), done] {
          if (*self == nullptr) return;
          (*self)->set_prompts(path, stamp, found);
          done();
        });
      });
  // What is not encoded now is encoded when it is played.
  if (!submitted) done();
}

bool AudioLibrary::is_encoded(const std::string& path, const FileStamp& stamp) const {
  const auto codecs = all_codecs();
  return std::all_of(codecs.begin(), codecs.end(), [&](const CodecFacts& codec) {
    const auto entry = prompts_.find({path, codec.name});
    return entry != prompts_.end() && entry->second.stamp == stamp;
  });
}

void AudioLibrary::set_prompts(const std::string& path, const FileStamp& stamp, const FoundPrompts& found) {
  for (const auto& [codec, prompt] : found) prompts_.insert_or_assign({path, codec}, PromptEntry{stamp, prompt});
}

void AudioLibrary::forget(const std::string& path) {
  for (const CodecFacts& codec : all_codecs()) prompts_.erase({path, codec.name});
}

AudioLibrary::FoundPrompt AudioLibrary::encode_prompt(const std::string& path, CodecName codec) const {
  const auto pcm = read_wav(path);
  if (!pcm) return failure(path + " " + pcm.error());
  return encode_pcm(options_.encode, path, *pcm, codec, {});
}

AudioLibrary::FoundPrompt AudioLibrary::encode_pcm(const Encode& encode, const std::string& path, const Pcm& pcm,
                                                   CodecName codec, const std::stop_token& stop) {
  try {
    return shared(encode(pcm, codec, Ending::kSilence, stop));
  } catch (const std::exception& error) {
    return failure(path + " cannot be encoded: " + error.what());
  }
}

AudioLibrary::FoundPrompt AudioLibrary::prompt_file(const std::string& path, CodecName codec) {
  FileStamp stamp = stamp_of(path);
  const auto [place, is_new] = prompts_.try_emplace({path, codec});
  PromptEntry& entry = place->second;
  if (!is_new && entry.stamp == stamp) return entry.found;
  entry.stamp = std::move(stamp);
  entry.found = encode_prompt(path, codec);
  if (!entry.found) log_warning("", "prompt {}", entry.found.error());
  return entry.found;
}

template <class Make>
SharedAudio AudioLibrary::made(const char* name, CodecName codec, Make make) {
  SharedAudio& audio = made_[{name, codec}];
  if (!audio) audio = shared(options_.encode(make(), codec, Ending::kLoop, {}));
  return audio;
}

SharedAudio AudioLibrary::ringback(CodecName codec) {
  return made("ringback", codec, ringback_tone);
}

SharedAudio AudioLibrary::silence(CodecName codec) {
  return made("silence", codec, media::silence);
}

}  // namespace callpark::media
