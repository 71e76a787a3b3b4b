#include "mediad/engine/audio_library.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "mediad/engine/codec_facts.h"
#include "mediad/prompts/tones.h"
#include "mediad/prompts/wav_reader.h"

namespace callpark::media {
namespace {

const std::string kDefaultClass = "default";
const std::string kFallbackLanguage = "en";
constexpr int kBeginningSeconds = 20;
// A whole class is encoded at low priority, in idle time.
constexpr int kWorkerNice = 15;

WorkerPool::Options worker_options() {
  WorkerPool::Options options;
  options.threads = 1;
  options.on_thread_start = [] { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kWorkerNice); };
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
      workers_(worker_options()) {}

AudioLibrary::~AudioLibrary() {
  *self_ = nullptr;
  stop_.request_stop();
  workers_.stop();
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
  prepare_next();
}

void AudioLibrary::prepare_next() {
  preparing_ = false;
  while (!to_prepare_.empty()) {
    const auto [name, codec] = std::move(to_prepare_.front());
    to_prepare_.pop_front();
    MusicClass& entry = classes_[name];
    if (entry.files.empty() || entry.tracks[codec].audio) continue;
    const bool submitted =
        workers_.submit([&loop = loop_, self = self_, stop = stop_.get_token(), encode = options_.encode, name = name,
                         codec = codec, path = entry.files.front(), stamps = entry.stamps] {
          auto beginning = encode_beginning(encode, path, codec, stop);
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
  if (beginning && !track.audio && entry.stamps == stamps) set(track, entry, *beginning);
  prepare_next();
}

std::optional<AudioLibrary::Beginning> AudioLibrary::encode_beginning(const Encode& encode, const std::string& path,
                                                                      CodecName codec, const std::stop_token& stop) {
  const auto wav = read_wav_beginning(path, kBeginningSeconds);
  if (!wav) return std::nullopt;  // damaged since its stamp was read
  try {
    return Beginning{shared(encode(wav->pcm, codec, Ending::kLoop, stop)), wav->is_whole};
  } catch (const std::exception& error) {
    log_warning("", "{} cannot be encoded: {}", path, error.what());
    return std::nullopt;
  }
}

void AudioLibrary::set(Track& track, const MusicClass& entry, const Beginning& beginning) {
  track.audio = beginning.audio;
  track.extent = entry.files.size() == 1 && beginning.is_whole ? Extent::kWhole : Extent::kBeginning;
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
  Track& track = track_of(entry, codec);
  if (track.extent == Extent::kBeginning) grow(music_class, codec);
  return track.audio;
}

AudioLibrary::Track& AudioLibrary::track_of(MusicClass& entry, CodecName codec) {
  Track& track = entry.tracks[codec];
  if (track.audio) return track;
  if (const auto beginning = encode_beginning(options_.encode, entry.files.front(), codec, {})) {
    set(track, entry, *beginning);
  } else {
    track.audio = ringback(codec);
  }
  return track;
}

void AudioLibrary::grow(const std::string& music_class, CodecName codec) {
  MusicClass& entry = classes_[music_class];
  Track& track = entry.tracks[codec];
  const bool submitted =
      workers_.submit([&loop = loop_, self = self_, stop = stop_.get_token(), encode = options_.encode, music_class,
                       codec, beginning = track.audio, files = entry.files] {
        SharedAudio whole = shared(encode_files(encode, files, codec, stop));
        loop.post([self, music_class, codec, beginning, whole = std::move(whole)] {
          if (*self != nullptr) (*self)->replace(music_class, codec, beginning, whole);
        });
      });
  if (submitted) track.extent = Extent::kGrowing;
}

void AudioLibrary::replace(const std::string& music_class, CodecName codec, const SharedAudio& beginning,
                           const SharedAudio& whole) {
  Track& track = classes_[music_class].tracks[codec];
  // The result is dropped if the files have changed again meanwhile.
  if (track.audio != beginning || whole->packets() == 0) return;
  track = {whole, Extent::kWhole};
  if (on_grown_) on_grown_(beginning, whole);
}

SharedAudio AudioLibrary::prompt(const std::string& language, const std::string& name, CodecName codec) {
  SharedAudio audio = prompt_file(prompt_path(options_.prompts_dir, language, name), codec);
  if (audio || language == kFallbackLanguage) return audio;
  return prompt_file(prompt_path(options_.prompts_dir, kFallbackLanguage, name), codec);
}

SharedAudio AudioLibrary::prompt_file(const std::string& path, CodecName codec) {
  FileStamp stamp = stamp_of(path);
  const auto [place, is_new] = prompts_.try_emplace({path, codec});
  PromptEntry& entry = place->second;
  if (!is_new && entry.stamp == stamp) return entry.audio;
  const auto pcm = read_wav(path);
  if (!pcm) log_warning("", "prompt {} {}", path, pcm.error());
  entry.audio = pcm ? shared(options_.encode(*pcm, codec, Ending::kSilence, {})) : nullptr;
  entry.stamp = std::move(stamp);
  return entry.audio;
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
