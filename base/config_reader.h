// Reads a YAML file into a struct by a table with one row a key: name, destination, default, range, help. Reports every
// error of the file at once, and prints the table as an example file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/socket_address.h"

namespace callpark {

struct ConfigError {
  std::string file;
  /// Counted from 1; 0 if the error concerns no line (a file that cannot be read, a key that is missing).
  int line = 0;
  std::string message;
};

/// Writes "parkd.yaml:12: message"; without a line, "parkd.yaml: message".
std::string to_string(const ConfigError& error);

/// The texts of all values by key, defaults included: what one reading can be compared with another by.
using ConfigTexts = std::map<std::string, std::vector<std::string>>;

/// Keys that a file gives other values than a running process has.
struct ConfigChanges {
  std::vector<std::string> applied;
  std::vector<std::string> need_restart;
};

/// Writes "log_level is applied; sip.listen, http.listen need a restart", or "nothing has changed".
std::string to_string(const ConfigChanges& changes);

/// Keys are written "section.key", or "key" at the top. The variables given to the rows must outlive the reader.
class ConfigReader {
 public:
  /// Reads one scalar into its variable; returns false if the text is not what the row expects.
  using Parser = std::function<bool(const std::string& text)>;

  struct TextRule {
    bool may_be_empty = false;
    /// If set, errors do not repeat the value.
    bool is_secret = false;
    std::size_t length_max = 255;
  };

  /// Adds a section with its own help, printed above it in the example. Rows are printed in the order in which they
  /// were added.
  void section(std::string name, std::string help);

  void text(std::string key, std::string& into, std::string default_value, std::string help);
  void text(std::string key, std::string& into, std::string default_value, TextRule rule, std::string help);
  void boolean(std::string key, bool& into, bool default_value, std::string help);
  template <class Number>
  void number(const std::string& key, Number& into, std::int64_t default_value, std::int64_t min, std::int64_t max,
              const std::string& help) {
    number_row(key, default_value, min, max, "", help,
               [&into](std::int64_t value) { into = static_cast<Number>(value); });
  }
  /// Default, bounds and the file's value count `unit`, milliseconds or seconds; the key's name should end in it.
  void duration(std::string key, Duration& into, std::int64_t default_value, std::int64_t min, std::int64_t max,
                Duration unit, std::string help);
  /// Adds a numeric address and port, or a unix socket.
  void address(std::string key, SocketAddress& into, std::string default_value, std::string help);
  template <class Choice>
  void choice(const std::string& key, Choice& into, const std::string& default_name,
              std::vector<std::pair<std::string, Choice>> choices, const std::string& help) {
    std::string expected = "one of";
    for (const auto& [name, value] : choices) expected += " " + name;
    row(key, default_name, expected, help, [&into, choices = std::move(choices)](const std::string& text) {
      for (const auto& [name, value] : choices) {
        if (name != text) continue;
        into = value;
        return true;
      }
      return false;
    });
  }
  /// Adds any other type of value. `expected` ends the sentence "KEY must be ...".
  void row(std::string key, std::string default_value, std::string expected, std::string help, Parser parser);
  /// Adds a list of at least one value; `parser` appends one value, and `clear` empties the list first.
  void list(std::string key, std::vector<std::string> default_values, std::string expected, std::string help,
            std::function<void()> clear, Parser parser);
  /// Makes the key added last required: a file without it is an error. Its default is only printed, as an example.
  void required();
  /// Makes the key added last an alternative to the earlier `key`: a file must have one of the two, and not both. In
  /// the example it is a comment.
  void alternative_to(std::string key);
  /// Makes the key added last one that a running process applies when it reads its file again; its help mentions it.
  /// Every other key needs a restart.
  void live();

  /// Sets every variable: from the file, otherwise from the default. Returns no error if the file was right; only then
  /// may the variables be used. Unknown and duplicate keys are errors.
  std::vector<ConfigError> read_file(const std::string& path);
  /// `name` is what errors call the file.
  std::vector<ConfigError> read_text(const std::string& text, const std::string& name);

  /// Sets every variable to what a running process goes on with after it has read its file again: the live keys as in
  /// `read`, all others as in `running`.
  ConfigChanges reload(const ConfigTexts& running, const ConfigTexts& read);
  /// Those of the last reading, or reload; complete only if there was no error.
  const ConfigTexts& texts() const { return texts_; }

  /// Returns a YAML file with every key at its default, its help and range as comments.
  std::string example() const;

 private:
  struct Row {
    std::string key;
    std::vector<std::string> default_values;
    std::string expected;
    std::string help;
    Parser parser;
    std::function<void()> clear;  // of a list; empty for a single value
    bool is_required = false;
    bool is_secret = false;
    bool is_live = false;
    std::string alternative_to;  // another key; empty for most
  };
  struct Section {
    std::string name;
    std::string help;
  };
  class Walk;

  void number_row(std::string key, std::int64_t default_value, std::int64_t min, std::int64_t max,
                  const std::string& unit, std::string help, std::function<void(std::int64_t)> set);

  std::vector<Section> sections_;
  std::vector<Row> rows_;
  ConfigTexts texts_;
};

}  // namespace callpark
