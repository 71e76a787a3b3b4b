#include "base/http_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace callpark {
namespace {

constexpr std::size_t kUrlMaxBytes = 2048;

using Parsed = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// RFC 3986 2: unreserved and reserved characters and "%", without "#", which begins a fragment.
bool may_be_in_url(char character) {
  const bool is_letter = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
  const bool is_digit = character >= '0' && character <= '9';
  return is_letter || is_digit || (character != '\0' && std::strchr("-._~:/?[]@!$&'()*+,;=%", character) != nullptr);
}

bool has_prefix(std::string_view text, std::string_view lower_prefix) {
  if (text.size() < lower_prefix.size()) return false;
  return std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(), [](char wanted, char got) {
    return wanted == (got >= 'A' && got <= 'Z' ? static_cast<char>(got - 'A' + 'a') : got);
  });
}

std::string part(CURLU* parsed, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(parsed, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

// Either a parsed URL or a sentence. The transfer parses it by the same library, so both see the same host.
std::optional<std::string> parse(std::string_view url, CURLU* parsed) {
  if (url.size() > kUrlMaxBytes) return "a URL has at most " + std::to_string(kUrlMaxBytes) + " characters";
  if (url.find('#') != std::string_view::npos) return "a URL to send to has no fragment (#)";
  if (!std::all_of(url.begin(), url.end(), &may_be_in_url)) {
    return "a URL holds no blanks, control characters, quotes or letters outside ASCII: percent-encode them";
  }
  std::size_t authority = 0;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (has_prefix(url, scheme)) authority = scheme.size();
  }
  if (authority == 0) return "a URL begins with http:// or https://";
  const std::string_view host = url.substr(authority, url.find_first_of("/?", authority) - authority);
  if (host.empty() || host.front() == ':') return "a URL has a host";
  if (host.find('@') != std::string_view::npos) {
    return "a URL has no user or password before its host: send them in a header";
  }
  const CURLUcode code = curl_url_set(parsed, CURLUPART_URL, std::string(url).c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return std::string("the URL cannot be read: ") + curl_url_strerror(code);
  if (part(parsed, CURLUPART_PORT) == "0") return "the port of a URL is 1 to 65535";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> http_url_error(std::string_view url) {
  const Parsed parsed(curl_url(), &curl_url_cleanup);
  return parse(url, parsed.get());
}

std::string http_origin(std::string_view url) {
  const Parsed parsed(curl_url(), &curl_url_cleanup);
  if (parse(url, parsed.get())) return "";
  return part(parsed.get(), CURLUPART_SCHEME) + "://" + part(parsed.get(), CURLUPART_HOST) + ":" +
         part(parsed.get(), CURLUPART_PORT);
}

}  // namespace callpark
