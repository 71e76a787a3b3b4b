// Makes valid SIP messages in all the ways the grammar allows (folded lines, compact names, odd spacing, escapes,
// lists), and records what a parser has to find in them. The same seed makes the same message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace callpark::sip {

struct GeneratedMessage {
  std::string text;
  bool is_request = true;
  std::string method;
  int status = 0;
  std::string request_user;
  std::string request_host;
  std::string call_id;
  std::uint32_t cseq = 0;
  std::string from_display;
  std::string from_user;
  std::string from_tag;
  std::string to_tag;
  std::vector<std::string> via_hosts;
  std::string top_branch;
  std::vector<std::string> route_hosts;
  std::string body;
};

class MessageGenerator {
 public:
  explicit MessageGenerator(std::uint64_t seed) : random_(seed) {}

  GeneratedMessage make() {
    GeneratedMessage m;
    m.is_request = chance(70);
    m.method = pick({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REFER", "NOTIFY", "UPDATE", "INFO", "X-Method.1"});
    start_line(m);
    std::vector<std::string> lines;
    vias(m, lines);
    addresses(m, lines);
    m.call_id = word(1, 24) + (chance(70) ? "@" + host() : "");
    lines.push_back(header({"Call-ID", "i"}) + m.call_id);
    m.cseq = number(0, 0x7fffffff);
    lines.push_back(header({"CSeq"}) + std::to_string(m.cseq) + (chance(95) ? " " : gap()) + m.method);
    optional_headers(m, lines);
    body(m, lines);
    std::shuffle(lines.begin() + static_cast<std::ptrdiff_t>(ordered_), lines.end(), random_);
    for (const std::string& line : lines) m.text += line + "\r\n";
    m.text += "\r\n" + m.body;
    return m;
  }

  std::uint32_t number(std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(random_);
  }

 private:
  bool chance(std::uint32_t percent) { return number(1, 100) <= percent; }
  std::string pick(std::initializer_list<std::string_view> from) {
    return std::string(*(from.begin() + number(0, static_cast<std::uint32_t>(from.size()) - 1)));
  }
  std::string from_set(std::string_view set, std::uint32_t low, std::uint32_t high) {
    std::string out;
    for (std::uint32_t n = number(low, high); n > 0; --n) {
      out += set[number(0, static_cast<std::uint32_t>(set.size()) - 1)];
    }
    return out;
  }
  std::string word(std::uint32_t low, std::uint32_t high) {
    return from_set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~", low, high);
  }
  std::string letters(std::uint32_t low, std::uint32_t high) {
    return from_set("abcdefghijklmnopqrstuvwxyz", low, high);
  }

  /// Space where the grammar has LWS: a blank, more, or a folded line.
  std::string gap() { return pick({" ", " ", " ", "  ", "\t", "\r\n ", " \r\n\t"}); }
  std::string maybe_gap() { return chance(75) ? "" : gap(); }
  std::string header(std::initializer_list<std::string_view> names) {
    std::string name = pick(names);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z' && chance(10)) c = static_cast<char>(c + 'a' - 'A');
    }
    return name + ":" + (chance(90) ? " " : maybe_gap());
  }

  std::string host() {
    switch (number(0, 3)) {
      case 0:
        return "192.0.2." + std::to_string(number(1, 254));
      case 1:
        return "[2001:db8::" + std::to_string(number(1, 9999)) + "]";
      default:
        return letters(1, 10) + ".example.com";
    }
  }
  std::string user() {
    static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,";
    std::string out = from_set(kPlain, 1, 12);
    if (chance(20)) out += pick({"%23", "%2A", "%20", "%40", "%25"});
    return out;
  }
  std::string uri(const std::string& user_part, const std::string& host_part) {
    std::string out = pick({"sip:", "sip:", "sips:"}) + user_part;
    if (chance(10)) out += ":" + letters(1, 8);
    out += "@" + host_part;
    if (chance(40)) out += ":" + std::to_string(number(1, 65535));
    if (chance(30)) out += ";transport=" + pick({"udp", "tcp"});
    if (chance(20)) out += ";" + letters(2, 6);
    return out;
  }
  std::string quoted() {
    std::string out = "\"";
    for (std::uint32_t n = number(0, 12); n > 0; --n) out += pick({"a", "B", " ", ",", ";", "<", "\\\"", "\\\\", "é"});
    return out + "\"";
  }
  static std::string unquoted(std::string_view text) {
    std::string out;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      if (text[i] == '\\') ++i;
      out += text[i];
    }
    return out;
  }
  std::string param_tail() {
    std::string out;
    for (std::uint32_t n = chance(60) ? 0 : number(1, 3); n > 0; --n) {
      out += maybe_gap() + ";" + maybe_gap() + "p" + letters(1, 6);
      if (chance(70)) out += maybe_gap() + "=" + maybe_gap() + (chance(80) ? word(1, 10) : quoted());
    }
    return out;
  }

  void start_line(GeneratedMessage& m) {
    if (m.is_request) {
      m.request_user = user();
      m.request_host = host();
      m.text = m.method + " " + uri(m.request_user, m.request_host) + " SIP/2.0\r\n";
    } else {
      m.status = static_cast<int>(number(100, 699));
      m.text = "SIP/2.0 " + std::to_string(m.status) + " " + pick({"OK", "Busy Here", "", "Не найдено"}) + "\r\n";
    }
  }

  void vias(GeneratedMessage& m, std::vector<std::string>& lines) {
    const std::uint32_t count = number(1, 4);
    for (std::uint32_t n = 0; n < count; ++n) {
      m.via_hosts.push_back(host());
      const std::string branch = "z9hG4bK" + word(1, 16);
      if (n == 0) m.top_branch = branch;
      std::string value = "SIP/2.0/" + pick({"UDP", "TCP", "TLS"}) + " " + m.via_hosts.back();
      if (chance(50)) value += ":" + std::to_string(number(1, 65535));
      value += maybe_gap() + ";" + maybe_gap() + "branch=" + branch;
      if (chance(30)) value += ";rport";
      if (chance(30)) value += ";received=192.0.2.9";
      if (n > 0 && chance(30)) {
        lines.back() += maybe_gap() + "," + maybe_gap() + value;
      } else {
        lines.push_back(header({"Via", "v"}) + value);
      }
    }
    routes(m, lines);
    // What may be there several times keeps its order, everything else is shuffled.
    ordered_ = lines.size();
  }

  void routes(GeneratedMessage& m, std::vector<std::string>& lines) {
    for (std::uint32_t n = number(0, 3); n > 0; --n) {
      m.route_hosts.push_back(host());
      const std::string value = "<sip:" + m.route_hosts.back() + ";lr>";
      if (m.route_hosts.size() > 1 && chance(40)) {
        lines.back() += maybe_gap() + "," + maybe_gap() + value;
      } else {
        lines.push_back(header({"Route"}) + value);
      }
    }
  }

  void addresses(GeneratedMessage& m, std::vector<std::string>& lines) {
    m.from_user = user();
    m.from_tag = word(1, 12);
    std::string from = header({"From", "f"});
    if (chance(50)) {
      const std::string display = chance(60) ? quoted() : letters(1, 6) + " " + letters(1, 6);
      m.from_display = display.front() == '"' ? unquoted(display) : display;
      from += display + (display.front() == '"' ? maybe_gap() : gap());
    }
    lines.push_back(from + "<" + uri(m.from_user, host()) + ">" + param_tail() + ";tag=" + m.from_tag);
    std::string to = header({"To", "t"}) + "<" + uri(user(), host()) + ">";
    if (chance(50)) {
      m.to_tag = word(1, 12);
      to += ";tag=" + m.to_tag;
    }
    lines.push_back(to + param_tail());
  }

  void optional_headers(GeneratedMessage& m, std::vector<std::string>& lines) {
    if (chance(80)) lines.push_back(header({"Max-Forwards"}) + std::to_string(number(0, 255)));
    if (chance(70)) lines.push_back(header({"Contact", "m"}) + "<" + uri(user(), host()) + ">" + param_tail());
    if (chance(50)) lines.push_back(header({"Allow"}) + "INVITE, ACK," + gap() + "BYE");
    if (chance(40)) lines.push_back(header({"Supported", "k"}) + "replaces, timer");
    if (chance(40)) lines.push_back(header({"User-Agent"}) + "phone/1.0 (a; b, c)");
    if (chance(40)) lines.push_back("X-" + letters(1, 8) + ": " + "anything: at, all;;" + gap() + "\"");
    if (m.method == "REFER") lines.push_back(header({"Refer-To", "r"}) + "<" + uri(user(), host()) + ">");
  }

  void body(GeneratedMessage& m, std::vector<std::string>& lines) {
    if (chance(40)) {
      if (chance(20)) {
        m.body = from_set("abc \r\n=:", 1, 200);
      } else {
        for (std::uint32_t n = number(1, 9); n > 0; --n) m.body += from_set("abcdef =:", 1, 40) + "\r\n";
      }
      lines.push_back(header({"Content-Type", "c"}) + "text/plain");
    }
    lines.push_back(header({"Content-Length", "l"}) + std::to_string(m.body.size()));
  }

  std::mt19937_64 random_;
  std::size_t ordered_ = 0;
};

}  // namespace callpark::sip
