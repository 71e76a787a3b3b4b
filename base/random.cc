#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/log.h"

namespace callpark {
namespace {

void fill(void* data, std::size_t length) {
  auto* bytes = static_cast<unsigned char*>(data);
  while (length > 0) {
    const ssize_t got = getrandom(bytes, length, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      log_error({}, "the kernel gives no random bytes: {}", std::strerror(errno));
      std::abort();
    }
    bytes += got;
    length -= static_cast<std::size_t>(got);
  }
}

}  // namespace

std::string random_token(std::size_t length) {
  static constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string token(length, '\0');
  fill(token.data(), length);
  for (char& byte : token) byte = kAlphabet[static_cast<unsigned char>(byte) % 32];
  return token;
}

std::string random_digits(std::size_t length) {
  std::string digits(length, '0');
  for (char& digit : digits) digit = static_cast<char>('0' + random_below(10));
  return digits;
}

std::uint64_t random_below(std::uint64_t bound) {
  // The lowest 2^64 mod bound numbers are drawn again; otherwise the small results would be more frequent.
  const std::uint64_t unfair = (0 - bound) % bound;
  std::uint64_t number = 0;
  do {
    fill(&number, sizeof number);
  } while (number < unfair);
  return number % bound;
}

}  // namespace callpark
