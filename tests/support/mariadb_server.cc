#include "tests/support/mariadb_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/support/render.h"
#include "tests/support/source_directory.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kStartTimeout{60000};
constexpr std::chrono::milliseconds kStopPatience{20000};

fs::path sql_directory() {
  return source_directory() / "sql";
}

// MariaDB refuses to run as root without --user.
std::string user_option() {
  const passwd* user = getpwuid(geteuid());
  if (user == nullptr) throw std::runtime_error("the current user has no name");
  return std::string("--user=") + user->pw_name;
}

// Names everything that the prepared data directory is made of.
std::string contents_hash() {
  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(sql_directory())) {
    if (entry.path().extension() == ".sql" || entry.path().extension() == ".sh") files.insert(entry.path());
  }
  std::string everything = run_command({"mariadbd", "--version"}).output;
  for (const fs::path& file : files) everything += file.string() + read_file(file);
  std::ostringstream hash;
  hash << std::hex << std::hash<std::string>{}(everything);
  return hash.str();
}

CommandResult checked(const CommandResult& result, const std::string& what) {
  if (result.exit_code != 0) throw std::runtime_error(what + ": " + result.output);
  return result;
}

void copy_directory(const fs::path& from, const fs::path& to) {
  checked(run_command({"cp", "-a", "--reflink=auto", from.string(), to.string()}), "copying " + from.string());
}

void make_empty_data_directory(const fs::path& data) {
  checked(run_command({"mariadb-install-db", "--no-defaults", user_option(), "--datadir=" + data.string(),
                       "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                       "--innodb-log-file-size=8M"},
                      kStartTimeout),
          "mariadb-install-db");
}

class FileLock {
 public:
  explicit FileLock(const fs::path& path) : descriptor_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0 || flock(descriptor_, LOCK_EX) != 0) throw std::runtime_error("cannot lock " + path.string());
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { close(descriptor_); }

 private:
  int descriptor_;
};

// Made once for all tests of a build directory, whichever of them comes first.
fs::path prepared(MariadbServer::Contents contents) {
  const fs::path build = fs::read_symlink("/proc/self/exe").parent_path();
  const bool demo = contents == MariadbServer::Contents::kDemoTenant;
  const std::string name = demo ? "mariadb-demo" : "mariadb-nothing";
  const fs::path ready = build / (name + "-" + contents_hash());
  const FileLock lock(build / (name + ".lock"));
  if (fs::exists(ready)) return ready;
  for (const auto& entry : fs::directory_iterator(build)) {
    if (entry.path().filename().string().starts_with(name + "-")) fs::remove_all(entry.path());
  }
  const TempDir work("mariadb-prepare");
  if (!demo) {
    make_empty_data_directory(work.path() / "data");
  } else {
    MariadbServer server({.directory = work.path(), .contents = MariadbServer::Contents::kNothing});
    checked(server.migrate({"--demo"}), "migrate.sh");
    server.stop();
  }
  copy_directory(work.path() / "data", ready.string() + ".new");
  fs::rename(ready.string() + ".new", ready);
  return ready;
}

// A server that is up greets each client.
bool greets(const fs::path& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, socket_path.c_str(), sizeof(address.sun_path) - 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  char byte = 0;
  const bool greeted = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                       recv(descriptor, &byte, 1, 0) == 1;
  close(descriptor);
  return greeted;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace

MariadbServer::MariadbServer(Options options) : directory_(std::move(options.directory)) {
  if (directory_.empty()) {
    own_directory_ = std::make_unique<TempDir>("mariadb");
    directory_ = own_directory_->path();
  }
  fs::create_directories(directory_);
  if (!fs::exists(directory_ / "data")) copy_directory(prepared(options.contents), directory_ / "data");
  start();
  if (options.contents == Contents::kDemoTenant && options.sip_port != 5060) {
    execute("UPDATE callpark.trunks SET port = " + std::to_string(options.sip_port));
  }
}

MariadbServer::~MariadbServer() {
  process_.kill_now();
}

void MariadbServer::start() {
  if (process_.running()) return;
  fs::remove(socket());
  fs::create_directories(directory_ / "tmp");
  write_file(directory_ / "mariadb.cnf", render("mariadb.cnf", {{"mariadb_innodb_buffer_pool_size", "32M"},
                                                                {"mariadb_innodb_flush_log_at_trx_commit", "2"}}));
  process_ = Subprocess({.command = command(), .output = directory_ / "mariadb.log", .patience = kStopPatience});
  const bool up = wait_until(kStartTimeout, [this] { return !process_.running() || greets(socket()); });
  if (!up || !process_.running()) throw std::runtime_error("MariaDB does not start: " + log());
}

void MariadbServer::stop() {
  process_.terminate();
}

void MariadbServer::kill9() {
  process_.kill_now();
}

void MariadbServer::pause() {
  process_.pause();
  // Until its last thread has stopped, it may still answer.
  siginfo_t stopped{};
  waitid(P_PID, static_cast<id_t>(process_.pid()), &stopped, WSTOPPED | WNOWAIT);
}

std::string MariadbServer::log() const {
  return read_file(directory_ / "mariadb.log");
}

std::vector<std::string> MariadbServer::command() const {
  return {"mariadbd", "--defaults-file=" + (directory_ / "mariadb.cnf").string(), user_option(),
          "--datadir=" + (directory_ / "data").string(),
          // A server that starts deletes what others have left in a common directory, and what they still use.
          "--tmpdir=" + (directory_ / "tmp").string(), "--socket=" + socket().string(),
          "--pid-file=" + (directory_ / "mariadb.pid").string(), "--skip-networking", "--innodb-log-file-size=8M",
          "--innodb-autoextend-increment=4", "--innodb-doublewrite=0",
          // Its queues are counted over the whole machine.
          "--innodb-use-native-aio=0",
          // A start touches half of the memory that it would otherwise: of some machines that is most of its time.
          "--aria-pagecache-buffer-size=1M", "--key-buffer-size=64K", "--innodb-log-buffer-size=1M",
          "--innodb-temp-data-file-path=ibtmp1:3M:autoextend", "--innodb-buffer-pool-load-at-startup=0",
          "--innodb-buffer-pool-dump-at-shutdown=0", "--innodb-read-io-threads=1", "--innodb-write-io-threads=1",
          "--innodb-purge-threads=1"};
}

CommandResult MariadbServer::client(const std::string& sql) const {
  std::vector<std::string> command = {
      "mariadb",         "--no-defaults", "--protocol=socket",   "--socket=" + socket().string(),
      "--user=root",     "--batch",       "--skip-column-names", "--connect-timeout=5",
      "--execute=" + sql};
  // It has a directory as soon as it exists.
  if (fs::exists(directory_ / "data" / database())) command.push_back(database());
  return run_command(command);
}

MariadbServer::Rows MariadbServer::query(const std::string& sql) const {
  Rows rows;
  for (const std::string& line : split(checked(client(sql), sql).output, '\n')) rows.push_back(split(line, '\t'));
  return rows;
}

std::string MariadbServer::value(const std::string& sql) const {
  const Rows rows = query(sql);
  return rows.empty() || rows.front().empty() ? "" : rows.front().front();
}

void MariadbServer::execute(const std::string& sql) const {
  checked(client(sql), sql);
  for (const auto& [watcher, seen] : edits_seen_) seen();
}

void MariadbServer::watch_edits(const void* watcher, std::function<void()> seen) {
  if (seen) {
    edits_seen_[watcher] = std::move(seen);
  } else {
    edits_seen_.erase(watcher);
  }
}

std::string MariadbServer::refusal(const std::string& sql) const {
  const CommandResult result = client(sql);
  if (result.exit_code == 0) return "";
  const std::size_t error = result.output.find("ERROR");
  return error == std::string::npos ? result.output : result.output.substr(error);
}

CommandResult MariadbServer::migrate(const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& environment) const {
  std::vector<std::string> command = {(sql_directory() / "migrate.sh").string(), "--socket", socket().string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command, kStartTimeout, environment);
}

}  // namespace callpark::test
