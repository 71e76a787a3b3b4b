#include "parkd/message/via.h"

#include "parkd/message/scanner.h"

namespace callpark::sip {

Via make_via(const ViaParts& parts) {
  Via via{std::string(parts.transport), std::string(parts.host), parts.port, make_params(parts.params), {}};
  via.protocol.assign(parts.protocol_name).append(1, '/').append(parts.protocol_version);
  return via;
}

std::optional<std::uint16_t> Via::rport() const noexcept {
  return port_number(params.get("rport").value_or(std::string_view{}));
}

std::string Via::to_string() const {
  std::string out;
  out.append(protocol).append(1, '/').append(transport).append(1, ' ').append(host);
  if (port) out.append(1, ':').append(std::to_string(*port));
  params.write(out);
  return out;
}

Result<Via, SyntaxError> parse_via(std::string_view text) {
  Scanner scanner(text);
  ViaParts parts;
  if (!scan_via(scanner, parts) || !scanner.done()) return failure(SyntaxError::kVia);
  return make_via(parts);
}

Result<std::vector<Via>, SyntaxError> parse_via_list(std::string_view text) {
  std::vector<Via> list;
  Scanner scanner(text);
  do {
    ViaParts parts;
    if (!scan_via(scanner, parts)) return failure(SyntaxError::kVia);
    list.push_back(make_via(parts));
  } while (scanner.accept(','));
  return list;
}

}  // namespace callpark::sip
