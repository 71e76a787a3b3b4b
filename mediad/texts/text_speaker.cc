#include "mediad/texts/text_speaker.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "mediad/texts/program.h"
#include "mediad/texts/text_name.h"

namespace callpark::media {
namespace {

// A program inherits it: speech has time, unlike the sending threads.
constexpr int kProgramNice = 5;

WorkerPool::Options files_options() {
  WorkerPool::Options options;
  options.threads = 1;
  return options;
}

WorkerPool::Options programs_options(const TextSpeaker::Options& from) {
  WorkerPool::Options options;
  options.threads = from.programs_max;
  options.queue_max = from.waiting_max;
  options.on_thread_start = [] { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kProgramNice); };
  return options;
}

// A directory that ends with the work that it is for.
struct Scratch {
  std::string path;
  explicit Scratch(std::string made) : path(std::move(made)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

bool is_readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

}  // namespace

TextSpeaker::TextSpeaker(EventLoop& loop, Options options, Callbacks callbacks)
    : loop_(loop),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      self_(std::make_shared<TextSpeaker*>(this)),
      stop_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      files_(files_options()),
      programs_(programs_options(options_)) {
  if (!stop_.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
  trim();
}

TextSpeaker::~TextSpeaker() {
  *self_ = nullptr;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(stop_.get(), &one, sizeof one);
  programs_.stop();
  files_.stop();
}

void TextSpeaker::prepare(const std::string& language, const std::string& text, Done done) {
  const std::string name = text_name(language, text);
  const auto [place, is_first] = waiting_.try_emplace(name);
  place->second.push_back(std::move(done));
  if (is_first) look_up({language, text, name});
}

void TextSpeaker::set_program(std::string command, Duration time_max, std::uint64_t bytes_max) {
  options_.command = std::move(command);
  options_.time_max = time_max;
  options_.bytes_max = bytes_max;
}

void TextSpeaker::look_up(const Text& text) {
  const bool submitted = files_.submit([&loop = loop_, self = self_, files = TextFiles(options_.directory), text] {
    const bool is_there = files.use(text.language, text.name);
    loop.post([self, text, is_there] {
      if (*self != nullptr) (*self)->on_looked_up(text, is_there);
    });
  });
  if (submitted) return;
  loop_.post([self = self_, name = text.name] {
    if (*self != nullptr) (*self)->answer(name, failure(std::string("too many texts are asked for at once")));
  });
}

void TextSpeaker::on_looked_up(const Text& text, bool is_there) {
  if (is_there) {
    on_ready(text);
  } else {
    speak(text);
  }
}

void TextSpeaker::speak(const Text& text) {
  const auto spoken = [options = options_, stop = stop_.get(), text]() -> std::optional<std::string> {
    if (is_readable(stop)) return "mediad ends";
    const TextFiles files(options.directory);
    auto made = files.make_scratch();
    if (!made) return std::move(made.error());
    const Scratch scratch(*std::move(made));
    const std::string file = scratch.path + "/text.wav";
    if (const auto fault = run_program({{options.command, text.language, file}, text.text, options.time_max, stop})) {
      return options.command + " " + *fault;
    }
    return files.store(file, text.language, text.name);
  };
  const bool submitted = programs_.submit([&loop = loop_, self = self_, text, spoken] {
    const auto fault = spoken();
    loop.post([self, text, fault] {
      if (*self != nullptr) (*self)->on_spoken(text, fault);
    });
  });
  if (!submitted) on_spoken(text, fmt::format("{} texts wait to be spoken already", options_.waiting_max));
}

void TextSpeaker::on_spoken(const Text& text, const std::optional<std::string>& fault) {
  if (fault) {
    log_warning("", "{} in {} is not spoken: {}", text.name, text.language, *fault);
    return answer(text.name, failure(*fault));
  }
  log_info("", "{} in {} is spoken", text.name, text.language);
  on_ready(text);
  trim();
}

void TextSpeaker::on_ready(const Text& text) {
  callbacks_.on_ready(TextFiles(options_.directory).path(text.language, text.name), [self = self_, name = text.name] {
    if (*self != nullptr) (*self)->answer(name, name);
  });
}

void TextSpeaker::answer(const std::string& name, const Result<std::string, std::string>& result) {
  const auto node = waiting_.extract(name);
  if (node.empty()) return;
  for (const Done& done : node.mapped()) done(result);
}

// If too much waits, the next text removes what is too much.
void TextSpeaker::trim() {
  (void)files_.submit(
      [&loop = loop_, self = self_, files = TextFiles(options_.directory), bytes_max = options_.bytes_max] {
        const auto removed = files.trim(bytes_max);
        if (removed.empty()) return;
        loop.post([self, removed] {
          if (*self == nullptr) return;
          log_info("", "{} spoken texts are removed, the ones that were used longest ago", removed.size());
          for (const std::string& path : removed) (*self)->callbacks_.on_removed(path);
        });
      });
}

}  // namespace callpark::media
