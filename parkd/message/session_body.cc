#include "parkd/message/session_body.h"

#include <algorithm>
#include <optional>
#include <string>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

// Real messages nest no deeper than a multipart in a multipart; each level reads its text once.
constexpr int kDepthMax = 4;

// The content headers of a message or of a part; each as written, empty if absent.
struct Content {
  std::string_view type;
  std::string_view disposition;
  std::string_view encoding;
  std::string_view text;
};

std::string_view session_in(const Content& content, int depth);

// Returns the value of a header without its parameters.
std::string_view bare(std::string_view value) noexcept {
  return trimmed(value.substr(0, value.find(';')));
}

// Removes the next line from `text` and returns it without its CRLF or LF. Lines of an SDP may end either way, and so
// may the lines of the software that puts the SDP into a multipart.
std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Removes the quotes only; a boundary needs no backslashes.
std::string_view without_quotes(std::string_view quoted) noexcept {
  return quoted.substr(1, quoted.size() - 2);
}

// Empty if there is none. The boundary may be unquoted even where RFC 2045 5.1 requires quotes ("=_Part_1").
std::string_view boundary_in(std::string_view content_type) noexcept {
  Scanner scanner(content_type);
  scanner.take_before(';');
  while (scanner.accept(';')) {
    scanner.skip_space();
    const std::string_view name = scanner.take(kToken);
    std::string_view value;
    if (scanner.accept_spaced('=')) value = scanner.take_quoted();
    const char* const start = scanner.position();
    if (scanner.take_before(';').empty() && scanner.peek() != ';') scanner.take_rest();
    if (!same_ignoring_case(name, "boundary")) continue;
    return value.empty() ? trimmed(scanner.since(start)) : without_quotes(value);
  }
  return {};
}

// A part's headers, an empty line, and its content (RFC 2046 5.1.1).
Content read_part(std::string_view text) {
  Content part;
  std::string_view* last = nullptr;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    if (is_space(line.front())) {
      // A folded line continues the header before it; only the line's end separates the two in the text.
      if (last) *last = {last->data(), static_cast<std::size_t>(line.data() + line.size() - last->data())};
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = trimmed(line.substr(0, colon));
    last = same_ignoring_case(name, "Content-Type")                ? &part.type
           : same_ignoring_case(name, "Content-Disposition")       ? &part.disposition
           : same_ignoring_case(name, "Content-Transfer-Encoding") ? &part.encoding
                                                                   : nullptr;
    if (last) *last = colon == std::string_view::npos ? line.substr(line.size()) : line.substr(colon + 1);
  }
  part.text = text;
  return part;
}

// Visits the parts in order until one has a description. Text before the first boundary and after the last belongs to
// no part; without the last boundary the current part ends with the text.
std::string_view session_in_parts(std::string_view text, std::string_view boundary, int depth) {
  std::optional<std::string_view> part;
  while (!text.empty()) {
    const std::string_view rest = text;
    std::string_view line = take_line(text);
    if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) continue;
    line = trimmed(line.substr(2 + boundary.size()));
    const bool is_last = line == "--";
    // A longer boundary, of which this one is the beginning.
    if (!is_last && !line.empty()) continue;
    if (part) {
      std::string_view content = part->substr(0, static_cast<std::size_t>(rest.data() - part->data()));
      // The line end before a boundary belongs to the boundary.
      if (content.ends_with('\n')) content.remove_suffix(1);
      if (content.ends_with('\r')) content.remove_suffix(1);
      if (const auto found = session_in(read_part(content), depth); !found.empty()) return found;
    }
    if (is_last) return {};
    part = text;
  }
  return part ? session_in(read_part(*part), depth) : std::string_view{};
}

bool is_readable(std::string_view encoding) noexcept {
  const std::string_view name = bare(encoding);
  return name.empty() || same_ignoring_case(name, "binary") || same_ignoring_case(name, "8bit") ||
         same_ignoring_case(name, "7bit");
}

std::string_view session_in(const Content& content, int depth) {
  std::string unfolded(content.type);
  std::replace_if(
      unfolded.begin(), unfolded.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  const std::string_view type = trimmed(unfolded);
  if (same_ignoring_case(bare(type), kSdpType)) {
    const bool is_other = same_ignoring_case(bare(content.disposition), "early-session");
    return is_other || !is_readable(content.encoding) ? std::string_view{} : content.text;
  }
  constexpr std::string_view kMultipart = "multipart/";
  const bool has_parts = same_ignoring_case(type.substr(0, kMultipart.size()), kMultipart);
  const std::string_view boundary = boundary_in(type);
  if (!has_parts || boundary.empty() || depth == kDepthMax) return {};
  return session_in_parts(content.text, boundary, depth + 1);
}

}  // namespace

std::string_view session_description(const SipMessage& message) {
  // RFC 3261 20.15 requires a Content-Type.
  if (message.content_type().empty()) return message.body();
  return session_in({message.content_type(), message.header("Content-Disposition").value_or(std::string_view{}),
                     message.header("Content-Transfer-Encoding").value_or(std::string_view{}), message.body()},
                    0);
}

}  // namespace callpark::sip
