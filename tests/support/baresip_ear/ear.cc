// An audio player module for Debian's baresip, 1.0.0 or 1.1.0: it "plays" into a WAV file, a new one whenever the phone
// opens its loudspeaker, so that a test hears what a person at the phone would hear. Device name: the directory of the
// files.
//
// Debian packages no headers of baresip, so the few declarations that a player needs are here.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

extern "C" {

struct list;
struct auplay;
struct auplay_st;
struct auplay_prm {
  uint32_t srate;
  uint8_t ch;
  uint32_t ptime;
  int fmt;
};
struct mod_export {
  const char* name;
  const char* type;
  int (*init)();
  int (*close)();
};
struct auframe {
  int fmt;
  void* sampv;
  size_t sampc;
  uint64_t timestamp;
};
// A write_samples_h in baresip 1.0.0, a write_frame_h in 1.1.0.
using auplay_write_h = void();
using write_samples_h = void(void* sampv, size_t sampc, void* arg);
using write_frame_h = void(auframe* af, void* arg);
using auplay_alloc_h = int(auplay_st** stp, const auplay* ap, auplay_prm* prm, const char* device, auplay_write_h* wh,
                           void* arg);

int auplay_register(auplay** pp, list* auplayl, const char* name, auplay_alloc_h* alloch);
list* baresip_auplayl();
// baresip 1.1.0 does not have it any more.
[[gnu::weak]] auplay* auplay_get(auplay_st* st);
void* mem_zalloc(size_t size, void (*dh)(void*));
void* mem_deref(void* data);

}  // extern "C"

namespace {

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr int kSigned16LittleEndian = 0;

void fetch(auplay_write_h* handler, std::vector<int16_t>& samples, void* argument) {
  if (auplay_get != nullptr) {
    reinterpret_cast<write_samples_h*>(handler)(samples.data(), samples.size(), argument);
    return;
  }
  auframe frame{kSigned16LittleEndian, samples.data(), samples.size(), 0};
  reinterpret_cast<write_frame_h*>(handler)(&frame, argument);
}

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kNanoseconds + static_cast<uint64_t>(now.tv_nsec);
}

class Recording {
 public:
  Recording(const char* directory, const auplay_prm& format, auplay_write_h* handler, void* argument)
      : format_(format), handler_(handler), argument_(argument) {
    static std::atomic<int> count{0};
    char path[512];
    snprintf(path, sizeof path, "%s/heard-%04d.wav", directory, count++);
    file_ = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    write_header();
    thread_ = std::thread([this] { record(); });
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() {
    running_ = false;
    thread_.join();
    close(file_);
  }

  [[nodiscard]] bool opened() const { return file_ >= 0; }

 private:
  void write_header() {
    unsigned char header[44] = {};
    const auto put = [&header](size_t at, uint32_t value, size_t bytes) {
      for (size_t i = 0; i < bytes; ++i) header[at + i] = static_cast<unsigned char>(value >> (8 * i));
    };
    memcpy(header, "RIFF", 4);
    put(4, 0x7fffffff, 4);
    memcpy(header + 8, "WAVEfmt ", 8);
    put(16, 16, 4);
    put(20, 1, 2);
    put(22, format_.ch, 2);
    put(24, format_.srate, 4);
    put(28, format_.srate * format_.ch * 2, 4);
    put(32, format_.ch * 2U, 2);
    put(34, 16, 2);
    memcpy(header + 36, "data", 4);
    put(40, 0x7fffffff, 4);
    keep(header, sizeof header);
  }

  void keep(const void* bytes, size_t size) {
    // A full disk only shortens the recording.
    [[maybe_unused]] const auto written = write(file_, bytes, size);
  }

  void record() {
    std::vector<int16_t> samples(format_.srate * format_.ch * format_.ptime / 1000);
    uint64_t due = now_ns();
    while (running_) {
      const timespec moment{static_cast<time_t>(due / kNanoseconds), static_cast<long>(due % kNanoseconds)};
      if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nullptr) != 0) continue;
      fetch(handler_, samples, argument_);
      keep(samples.data(), samples.size() * sizeof(int16_t));
      due += format_.ptime * 1'000'000ULL;
    }
  }

  auplay_prm format_;
  auplay_write_h* handler_;
  void* argument_;
  int file_ = -1;
  std::atomic<bool> running_{true};
  std::thread thread_;
};

// baresip's reference-counted block; its first member is what baresip looks at.
struct PlayerState {
  const auplay* player;
  Recording* recording;
};

void destroy(void* data) {
  delete static_cast<PlayerState*>(data)->recording;
}

auplay* ear = nullptr;

int open_player(auplay_st** result, const auplay* player, auplay_prm* format, const char* device,
                auplay_write_h* handler, void* argument) {
  if (format->fmt != kSigned16LittleEndian) return ENOTSUP;
  auto* state = static_cast<PlayerState*>(mem_zalloc(sizeof(PlayerState), destroy));
  if (state == nullptr) return ENOMEM;
  state->player = player;
  state->recording = new (std::nothrow) Recording(device, *format, handler, argument);
  if (state->recording == nullptr || !state->recording->opened()) {
    mem_deref(state);
    return EIO;
  }
  *result = reinterpret_cast<auplay_st*>(state);
  return 0;
}

int open_module() {
  return auplay_register(&ear, baresip_auplayl(), "ear", open_player);
}

int close_module() {
  ear = static_cast<auplay*>(mem_deref(ear));
  return 0;
}

}  // namespace

extern "C" {
extern const mod_export exports;
const mod_export exports = {"ear", "auplay", open_module, close_module};
}
