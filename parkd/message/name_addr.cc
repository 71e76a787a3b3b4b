#include "parkd/message/name_addr.h"

#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

std::string unquoted(std::string_view display) {
  if (display.empty() || display.front() != '"') return std::string(display);
  display = display.substr(1, display.size() - 2);
  std::string out;
  out.reserve(display.size());
  for (std::size_t i = 0; i < display.size(); ++i) {
    if (display[i] == '\\' && i + 1 < display.size()) ++i;
    out.push_back(display[i]);
  }
  return out;
}

void write_quoted(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20 || byte == 0x7f) out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

NameAddr make_name_addr(const AddressParts& parts) {
  return {unquoted(parts.display), make_uri(parts.uri), make_params(parts.params)};
}

std::string NameAddr::to_string() const {
  std::string out;
  if (!display.empty()) {
    write_quoted(display, out);
    out.push_back(' ');
  }
  out.push_back('<');
  uri.write(out);
  out.push_back('>');
  params.write(out);
  return out;
}

Result<NameAddr, SyntaxError> parse_name_addr(std::string_view text) {
  Scanner scanner(text);
  AddressParts parts;
  if (!scan_address(scanner, parts) || !scanner.done()) return failure(SyntaxError::kAddress);
  return make_name_addr(parts);
}

Result<std::vector<NameAddr>, SyntaxError> parse_name_addr_list(std::string_view text) {
  std::vector<NameAddr> list;
  Scanner scanner(text);
  do {
    AddressParts parts;
    if (!scan_address(scanner, parts)) return failure(SyntaxError::kAddress);
    list.push_back(make_name_addr(parts));
  } while (scanner.accept(','));
  return list;
}

}  // namespace callpark::sip
