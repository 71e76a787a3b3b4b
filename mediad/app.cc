#include "mediad/app.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>
#include <stdexcept>

#include "base/config_reload.h"
#include "base/event_loop.h"
#include "base/http_server.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/metrics_handlers.h"
#include "base/service_manager.h"
#include "mediad/control/control_server.h"
#include "mediad/engine/media_engine.h"
#include "mediad/prompts/audio_files.h"
#include "mediad/prompts/wav_reader.h"
#include "mediad/session/session_service.h"
#include "mediad/texts/text_speaker.h"

namespace callpark {
namespace {

constexpr Duration kStatusPeriod{5000};

media::MediaEngine::Options engine_options(const MediadConfig& config) {
  media::MediaEngine::Options options;
  options.rtp = {config.rtp.address, config.rtp.dscp};
  options.advertised_address =
      config.rtp.advertised_address.empty() ? config.rtp.address : config.rtp.advertised_address;
  options.rtp_port_min = config.rtp.port_min;
  options.rtp_port_max = config.rtp.port_max;
  options.latching = config.rtp.learn_remote ? media::Latching::kOn : media::Latching::kOff;
  options.sender_threads = config.rtp.sender_threads;
  options.sender.nice = config.rtp.sender_nice;
  options.audio = {
      .prompts_dir = config.prompts_dir,
      .texts_dir = config.texts.directory,
      .default_music = config.music.default_class,
      .music_classes_dir = config.music.classes_dir,
  };
  return options;
}

media::TextSpeaker::Options speaker_options(const MediadConfig::Texts& config) {
  media::TextSpeaker::Options options;
  options.directory = config.directory;
  options.command = config.command;
  options.bytes_max = config.megabytes_max * 1'000'000;
  options.time_max = config.time_max;
  return options;
}

// Each session uses two descriptors, and the usual soft limit is 1024.
void allow_descriptors(std::size_t sessions_max) {
  const rlim_t wanted = 2 * sessions_max + 256;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
  log_warning("", "the limit of {} open files allows {} sessions, not {}", limit.rlim_cur, (limit.rlim_cur - 256) / 2,
              sessions_max);
}

// What its owners count as plain numbers is copied when it is read.
class MediaMetrics {
 public:
  MediaMetrics(Metrics& metrics, const media::SessionService& service, const media::MediaEngine& engine)
      : service_(service),
        engine_(engine),
        sessions_(metrics.gauge("callpark_media_sessions", "Open media sessions")),
        sessions_max_(
            metrics.gauge("callpark_media_sessions_max", "Media sessions that mediad permits (sessions.max)")),
        sent_(metrics.counter("callpark_media_packets_sent_total", "RTP packets sent")),
        received_(metrics.counter("callpark_media_packets_received_total", "RTP packets received")),
        late_(metrics.counter("callpark_media_late_phases_total",
                              "Milliseconds that were served 20 ms late or more: listeners hear gaps")) {}

  void refresh() {
    const auto traffic = service_.traffic();
    sessions_.set(static_cast<double>(service_.sessions()));
    sessions_max_.set(static_cast<double>(service_.sessions_max()));
    raise(sent_, traffic.packets_sent);
    raise(received_, traffic.packets_received);
    raise(late_, engine_.late_phases());
  }

 private:
  static void raise(Counter& counter, std::uint64_t to) {
    counter.increment(static_cast<double>(to) - counter.value());
  }

  const media::SessionService& service_;
  const media::MediaEngine& engine_;
  Gauge sessions_;
  Gauge sessions_max_;
  Counter sent_;
  Counter received_;
  Counter late_;
};

}  // namespace

void run_mediad(MediadConfig config, const std::string& file) {
  allow_descriptors(config.sessions.max);
  EventLoop loop;
  ServiceManager manager(loop);
  std::function<void()> read_again;
  const LoopHandle on_term = loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
  const LoopHandle on_int = loop.on_signal(SIGINT, [&loop] { loop.stop(); });
  const LoopHandle on_hangup = loop.on_signal(SIGHUP, [&read_again] { read_again(); });

  // mediad listens first: a second mediad on the same socket is refused before it has encoded anything.
  media::ControlServer control(loop, config.control.listen, config.control.connections_max);
  media::SessionService* sessions = nullptr;
  media::MediaEngine engine(
      loop, engine_options(config),
      {[&sessions](const std::string& session, media::PlayNumber number, const std::string& error) {
         sessions->on_list_spoken(session, number, error);
       },
       [&sessions](const std::string& session, char digit, int duration_ms) {
         sessions->on_key_pressed(session, digit, duration_ms);
       },
       [&sessions](const std::string& session) { sessions->on_remote_heard(session); }});
  media::SessionService service(
      loop, engine, {config.sessions.unclaimed, config.sessions.no_rtp, config.rtp.silent_remote, config.sessions.max},
      [&control](media::OwnerId owner, const media::Notification& notification) {
        control.notify(owner, notification);
      });
  sessions = &service;
  media::TextSpeaker texts(
      loop, speaker_options(config.texts),
      {[&engine](const std::string& path, const std::function<void()>& go_on) { engine.encode_prompt(path, go_on); },
       [&engine](const std::string& path) { engine.forget_prompt(path); }});
  control.serve(service, texts);

  Metrics metrics;
  MediaMetrics media_metrics(metrics, service, engine);
  std::optional<HttpServer> http;
  if (config.http.listen) {
    route_metrics(http.emplace(loop), metrics, [&media_metrics] { media_metrics.refresh(); });
    if (const auto port = http->listen(*config.http.listen); !port) throw std::runtime_error(port.error());
  }

  log_info("", "ready control={} rtp={}:{}-{}", control.address().to_string(), config.rtp.address, config.rtp.port_min,
           config.rtp.port_max);
  const auto status_now = [&service] { return fmt::format("{} sessions", service.sessions()); };
  // What is live, and only that: the rest of `now` is as it was at the start.
  const auto apply = [&](const MediadConfig& now) {
    set_log_level(now.log_level);
    allow_descriptors(now.sessions.max);
    service.set_limits(now.sessions.max, now.sessions.unclaimed);
    texts.set_program(now.texts.command, now.texts.time_max, speaker_options(now.texts).bytes_max);
  };
  read_again = [&] {
    manager.report_reloading();
    apply_file(file, read_mediad_config_file(file), config, apply);
    manager.report_ready(status_now());
  };
  const LoopHandle status = loop.every(kStatusPeriod, [&] { manager.report_status(status_now()); });
  manager.report_ready(status_now());
  loop.run();
  manager.report_stopping(fmt::format("stops; {} sessions end", service.sessions()));
  log_info("", "mediad ends");
}

std::vector<std::string> faults_of_sounds(const std::vector<std::string>& files_and_directories) {
  std::vector<std::string> faults;
  for (const std::string& file : media::wav_files(files_and_directories)) {
    if (const auto pcm = media::read_wav(file); !pcm) faults.push_back(file + " " + pcm.error());
  }
  return faults;
}

}  // namespace callpark
