#include "base/config_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace callpark {
namespace {

constexpr std::size_t kFileMaxBytes = 1024 * 1024;

// Splits "sip.t1_ms" into {"sip", "t1_ms"}; a key at the top has no section.
std::pair<std::string, std::string> split(const std::string& key) {
  const auto dot = key.find('.');
  if (dot == std::string::npos) return {"", key};
  return {key.substr(0, dot), key.substr(dot + 1)};
}

std::string joined(const std::string& section, const std::string& name) {
  return section.empty() ? name : section + "." + name;
}

bool parse_number(const std::string& text, std::int64_t& value) {
  // Leading zeros are refused: YAML 1.1 reads them as octal and people do not.
  const std::size_t first_digit = text.starts_with('-') ? 1 : 0;
  if (text.size() > first_digit + 1 && text[first_digit] == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string unit_name(Duration unit) {
  if (unit == Duration(1)) return "milliseconds";
  if (unit == std::chrono::seconds(1)) return "seconds";
  throw std::logic_error("a duration is read in milliseconds or seconds");
}

std::string list_of(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

// Adds double quotes, so that no text can mean something else to YAML.
std::string quoted(const std::string& value) {
  std::int64_t number = 0;
  if (parse_number(value, number) || value == "true" || value == "false") return value;
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << value;
  return emitter.c_str();
}

std::string sentence(std::string words) {
  if (!words.empty()) words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
  return words;
}

void print_comment(std::ostream& out, const std::string& indent, const std::string& text) {
  constexpr std::size_t kWidth = 110;
  std::istringstream words(text);
  std::string line;
  std::string word;
  while (words >> word) {
    if (!line.empty() && line.size() + word.size() >= kWidth) {
      out << indent << "#" << line << "\n";
      line.clear();
    }
    line += " " + word;
  }
  if (!line.empty()) out << indent << "#" << line << "\n";
}

}  // namespace

std::string to_string(const ConfigError& error) {
  const std::string place = error.line > 0 ? error.file + ":" + std::to_string(error.line) : error.file;
  return place + ": " + error.message;
}

std::string to_string(const ConfigChanges& changes) {
  const auto part = [](const std::vector<std::string>& keys, const char* one, const char* many) {
    return keys.empty() ? "" : list_of(keys) + (keys.size() == 1 ? one : many);
  };
  const std::string applied = part(changes.applied, " is applied", " are applied");
  const std::string need_restart = part(changes.need_restart, " needs a restart", " need a restart");
  if (applied.empty() && need_restart.empty()) return "nothing has changed";
  return applied + (applied.empty() || need_restart.empty() ? "" : "; ") + need_restart;
}

// One reading of one file against the table.
class ConfigReader::Walk {
 public:
  Walk(const ConfigReader& table, std::string file, ConfigTexts& texts)
      : table_(table), file_(std::move(file)), texts_(texts) {}

  std::vector<ConfigError> run(const std::string& text) {
    set_defaults();
    if (text.size() > kFileMaxBytes) {
      error(0, "the file is longer than " + std::to_string(kFileMaxBytes) + " bytes");
    } else {
      read(text);
    }
    std::stable_sort(errors_.begin(), errors_.end(),
                     [](const ConfigError& left, const ConfigError& right) { return left.line < right.line; });
    return std::move(errors_);
  }

 private:
  void set_defaults() {
    for (const Row& row : table_.rows_) {
      if (row.clear) row.clear();
      for (const std::string& value : row.default_values) {
        if (!row.parser(value)) throw std::logic_error("the default of " + row.key + " must be " + row.expected);
      }
      texts_[row.key] = row.default_values;
    }
  }

  void read(const std::string& text) {
    std::vector<YAML::Node> documents;
    try {
      documents = YAML::LoadAll(text);
    } catch (const YAML::Exception& exception) {
      return error(exception.mark.line + 1, "not YAML: " + exception.msg);
    }
    if (documents.size() > 1) return error(line_of(documents[1]), "a second YAML document; there must be one only");
    if (!documents.empty()) read_map(documents[0], "");
    report_missing();
  }

  void read_map(const YAML::Node& map, const std::string& section) {
    if (map.IsNull()) return;
    if (!map.IsMap()) {
      const std::string what = section.empty() ? "the file" : section;
      return error(line_of(map), what + " must hold keys with values (key: value)");
    }
    std::map<std::string, int> first_lines;
    for (const auto& pair : map) {
      if (!pair.first.IsScalar()) {
        error(line_of(pair.first), "a key must be a word");
        continue;
      }
      const std::string key = joined(section, pair.first.Scalar());
      const int line = line_of(pair.first);
      const auto [first, is_new] = first_lines.emplace(key, line);
      if (!is_new) {
        error(line, key + " is here a second time; first in line " + std::to_string(first->second) + help_of(key));
        continue;
      }
      read_key(key, section, line, pair.second);
    }
  }

  void read_key(const std::string& key, const std::string& section, int line, const YAML::Node& value) {
    if (const Row* row = find(key)) {
      lines_[key] = line;
      texts_[key].clear();
      return row->clear ? read_list(*row, line, value) : read_scalar(*row, line, value);
    }
    if (section.empty() && is_section(key)) return read_map(value, key);
    error(line, "unknown key " + key + "; known here: " + names_in(section));
  }

  void read_scalar(const Row& row, int line, const YAML::Node& value) {
    if (!value.IsScalar()) {
      const std::string what = value.IsNull() ? "has no value" : "must be a single value";
      return error(line, row.key + " " + what + help_of(row.key));
    }
    texts_[row.key].push_back(value.Scalar());
    if (row.parser(value.Scalar())) return;
    const std::string shown = row.is_secret ? "" : ", not \"" + value.Scalar() + "\"";
    error(line_of(value), row.key + " must be " + row.expected + shown + help_of(row.key));
  }

  void read_list(const Row& row, int line, const YAML::Node& value) {
    row.clear();
    if (!value.IsSequence() || value.size() == 0) {
      return error(line, row.key + " must be a list of at least one value" + help_of(row.key));
    }
    for (const auto& item : value) read_scalar(row, line_of(item), item);
  }

  void report_missing() {
    for (const Row& row : table_.rows_) {
      if (row.is_required && !is_there(row.key)) error(0, row.key + " is missing" + help_of(row.key));
      if (row.alternative_to.empty() || is_there(row.key) != is_there(row.alternative_to)) continue;
      if (is_there(row.key)) {
        error(lines_[row.key], row.key + " and " + row.alternative_to + " are both here; there must be one only");
      } else {
        error(0, row.alternative_to + " or " + row.key + " is missing" + help_of(row.alternative_to));
      }
    }
  }

  bool is_there(const std::string& key) const { return lines_.contains(key); }

  const Row* find(const std::string& key) const {
    for (const Row& row : table_.rows_) {
      if (row.key == key) return &row;
    }
    return nullptr;
  }

  bool is_section(const std::string& name) const {
    return std::any_of(table_.rows_.begin(), table_.rows_.end(),
                       [&name](const Row& row) { return split(row.key).first == name; });
  }

  std::string names_in(const std::string& section) const {
    std::vector<std::string> names;
    for (const Row& row : table_.rows_) {
      const auto [row_section, name] = split(row.key);
      const std::string& here = section.empty() && !row_section.empty() ? row_section : name;
      if (section.empty() || row_section == section) {
        if (std::find(names.begin(), names.end(), here) == names.end()) names.push_back(here);
      }
    }
    return list_of(names);
  }

  std::string help_of(const std::string& key) const {
    const Row* row = find(key);
    return row == nullptr ? "" : " (" + row->help + ")";
  }

  void error(int line, std::string message) { errors_.push_back({file_, line, std::move(message)}); }

  // yaml-cpp counts from 0, and has no position for a value that is missing.
  static int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

  const ConfigReader& table_;
  std::string file_;
  ConfigTexts& texts_;
  std::vector<ConfigError> errors_;
  std::map<std::string, int> lines_;  // of each key in the file
};

void ConfigReader::section(std::string name, std::string help) {
  sections_.push_back({std::move(name), std::move(help)});
}

void ConfigReader::text(std::string key, std::string& into, std::string default_value, std::string help) {
  text(std::move(key), into, std::move(default_value), TextRule(), std::move(help));
}

void ConfigReader::text(std::string key, std::string& into, std::string default_value, TextRule rule,
                        std::string help) {
  const std::string length_min = rule.may_be_empty ? "0" : "1";
  row(std::move(key), std::move(default_value),
      "a text of " + length_min + " to " + std::to_string(rule.length_max) + " bytes", std::move(help),
      [&into, rule](const std::string& text) {
        into = text;
        return text.size() <= rule.length_max && (rule.may_be_empty || !text.empty());
      });
  rows_.back().is_secret = rule.is_secret;
}

void ConfigReader::boolean(std::string key, bool& into, bool default_value, std::string help) {
  row(std::move(key), default_value ? "true" : "false", "true or false", std::move(help),
      [&into](const std::string& text) {
        into = text == "true";
        return text == "true" || text == "false";
      });
}

void ConfigReader::number_row(std::string key, std::int64_t default_value, std::int64_t min, std::int64_t max,
                              const std::string& unit, std::string help, std::function<void(std::int64_t)> set) {
  const std::string what = unit.empty() ? "a whole number" : "a whole number of " + unit;
  row(std::move(key), std::to_string(default_value),
      what + " from " + std::to_string(min) + " to " + std::to_string(max), std::move(help),
      [min, max, set = std::move(set)](const std::string& text) {
        std::int64_t value = 0;
        if (!parse_number(text, value) || value < min || value > max) return false;
        set(value);
        return true;
      });
}

void ConfigReader::duration(std::string key, Duration& into, std::int64_t default_value, std::int64_t min,
                            std::int64_t max, Duration unit, std::string help) {
  number_row(std::move(key), default_value, min, max, unit_name(unit), std::move(help),
             [&into, unit](std::int64_t value) { into = value * unit; });
}

void ConfigReader::address(std::string key, SocketAddress& into, std::string default_value, std::string help) {
  row(std::move(key), std::move(default_value), "a numeric address and port (127.0.0.1:5060) or unix:/path",
      std::move(help), [&into](const std::string& text) {
        const auto address = SocketAddress::parse(text);
        if (address) into = *address;
        return address.has_value();
      });
}

void ConfigReader::row(std::string key, std::string default_value, std::string expected, std::string help,
                       Parser parser) {
  Row row;
  row.key = std::move(key);
  row.default_values.push_back(std::move(default_value));
  row.expected = std::move(expected);
  row.help = std::move(help);
  row.parser = std::move(parser);
  rows_.push_back(std::move(row));
}

void ConfigReader::list(std::string key, std::vector<std::string> default_values, std::string expected,
                        std::string help, std::function<void()> clear, Parser parser) {
  row(std::move(key), "", std::move(expected), std::move(help), std::move(parser));
  rows_.back().default_values = std::move(default_values);
  rows_.back().clear = std::move(clear);
}

void ConfigReader::required() {
  rows_.back().is_required = true;
}

void ConfigReader::alternative_to(std::string key) {
  rows_.back().alternative_to = std::move(key);
}

void ConfigReader::live() {
  rows_.back().is_live = true;
}

std::vector<ConfigError> ConfigReader::read_file(const std::string& path) {
  const auto unreadable = [&path](const std::string& reason) {
    return std::vector<ConfigError>{{path, 0, "cannot be read: " + reason}};
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a directory");
  errno = 0;
  std::ifstream file(path);
  if (!file) return unreadable(std::strerror(errno));
  std::ostringstream text;
  text << file.rdbuf();
  return read_text(text.str(), path);
}

std::vector<ConfigError> ConfigReader::read_text(const std::string& text, const std::string& name) {
  return Walk(*this, name, texts_).run(text);
}

ConfigChanges ConfigReader::reload(const ConfigTexts& running, const ConfigTexts& read) {
  ConfigChanges changes;
  for (const Row& row : rows_) {
    const bool has_changed = running.at(row.key) != read.at(row.key);
    if (has_changed) (row.is_live ? changes.applied : changes.need_restart).push_back(row.key);
    texts_[row.key] = (row.is_live ? read : running).at(row.key);
    if (row.clear) row.clear();
    for (const std::string& text : texts_[row.key]) row.parser(text);
  }
  return changes;
}

std::string ConfigReader::example() const {
  std::ostringstream out;
  std::string section;
  for (const Row& row : rows_) {
    const auto [row_section, name] = split(row.key);
    const std::string indent = row_section.empty() ? "" : "  ";
    if (row_section != section) {
      section = row_section;
      out << "\n";
      for (const Section& described : sections_) {
        if (described.name == section) print_comment(out, "", described.help);
      }
      out << section << ":\n";
    }
    print_comment(out, indent,
                  row.help + " " + (row.is_required ? "Required: " + row.expected : sentence(row.expected)) + "." +
                      (row.is_live ? " Applied by a reload." : ""));
    out << indent << (row.alternative_to.empty() ? "" : "# ") << name << ":";
    if (!row.clear) {
      out << " " << quoted(row.default_values.front()) << "\n";
      continue;
    }
    out << "\n";
    for (const std::string& value : row.default_values) out << indent << "  - " << quoted(value) << "\n";
  }
  return out.str();
}

}  // namespace callpark
