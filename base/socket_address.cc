#include "base/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace callpark {
namespace {

Result<std::uint16_t, std::string> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return failure(std::string("the port must be a number from 0 to 65535"));
  }
  return port;
}

bool fill_ip(sockaddr_storage& storage, socklen_t& length, const std::string& address, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&storage, &v4, sizeof v4);
    length = sizeof v4;
    return true;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return false;
  std::memcpy(&storage, &v6, sizeof v6);
  length = sizeof v6;
  return true;
}

}  // namespace

Result<SocketAddress, std::string> SocketAddress::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  SocketAddress result;
  if (text.starts_with(kUnix) || text.starts_with('/')) {
    if (text.starts_with(kUnix)) text.remove_prefix(kUnix.size());
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    if (!text.starts_with('/')) return failure(std::string("the path of a unix socket must begin with /"));
    if (text.size() >= sizeof local.sun_path) {
      return failure("the path of a unix socket has at most " + std::to_string(sizeof local.sun_path - 1) + " bytes");
    }
    std::copy(text.begin(), text.end(), local.sun_path);
    result.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + 1);
    std::memcpy(&result.storage_, &local, sizeof local);
    return result;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return failure(std::string("there must be a port: address:port"));
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return failure(port.error());
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!fill_ip(result.storage_, result.length_, std::string(host), *port) ||
      bracketed != (result.family() == AF_INET6)) {
    return failure(std::string("the address must be numeric: 192.0.2.1 or [2001:db8::1]"));
  }
  return result;
}

SocketAddress SocketAddress::ip(std::string_view address, std::uint16_t port) {
  SocketAddress result;
  if (!fill_ip(result.storage_, result.length_, std::string(address), port)) {
    throw std::invalid_argument("not a numeric IP address: " + std::string(address));
  }
  return result;
}

SocketAddress SocketAddress::of(const sockaddr* address, socklen_t length) {
  SocketAddress result;
  result.length_ = std::min<socklen_t>(length, sizeof result.storage_);
  std::memcpy(&result.storage_, address, result.length_);
  return result;
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_UNIX: {
      const auto* path = reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
      return {path, strnlen(path, sizeof(sockaddr_un::sun_path))};
    }
    case AF_INET:
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text, sizeof text);
      break;
    case AF_INET6:
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text, sizeof text);
      break;
    default:
      break;
  }
  return text;
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return 0;
}

std::string SocketAddress::to_string() const {
  switch (family()) {
    case AF_UNIX:
      return "unix:" + host();
    case AF_INET:
      return host() + ":" + std::to_string(port());
    case AF_INET6:
      return "[" + host() + "]:" + std::to_string(port());
    default:
      return "";
  }
}

bool SocketAddress::is_of_this_host() const {
  if (is_unix()) return true;
  const int fd = socket(family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const SocketAddress any_port = ip(host(), 0);
  const bool is_bound = bind(fd, any_port.data(), any_port.length()) == 0;
  close(fd);
  return is_bound;
}

}  // namespace callpark
