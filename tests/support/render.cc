#include "tests/support/render.h"

#include <filesystem>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"

namespace callpark::test {
namespace {

// Names are unique, since each begins with the word of its file.
TemplateValues defaults() {
  TemplateValues values;
  for (const auto& entry : std::filesystem::directory_iterator(source_directory() / "deploy" / "defaults")) {
    std::istringstream lines(read_file(entry.path()));
    for (std::string line; std::getline(lines, line);) {
      const auto quote = line.find(": \"");
      if (line.starts_with('#') || quote == std::string::npos) continue;
      values[line.substr(0, quote)] = line.substr(quote + 3, line.size() - quote - 4);
    }
  }
  return values;
}

}  // namespace

std::string render(const std::string& file, const TemplateValues& values) {
  const std::string text = read_file(source_directory() / "deploy" / (file + ".j2"));
  TemplateValues all = values;
  all.merge(defaults());
  std::set<std::string> used;
  std::string result;
  std::size_t at = 0;
  for (auto open = text.find("{{ "); open != std::string::npos; open = text.find("{{ ", at)) {
    const auto close = text.find(" }}", open);
    const std::string name = text.substr(open + 3, close - open - 3);
    if (!all.contains(name)) throw std::runtime_error(name + " of " + file + " has no value");
    used.insert(name);
    result += text.substr(at, open - at) + all[name];
    at = close + 3;
  }
  for (const auto& [name, value] : values) {
    if (!used.contains(name)) throw std::runtime_error(name + " is no variable of " + file);
  }
  return result + text.substr(at);
}

}  // namespace callpark::test
