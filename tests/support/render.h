// Renders the templates of deploy/ for tests, as tools/render does for ./run.
#pragma once

#include <map>
#include <string>

namespace callpark::test {

/// Values of a template's variables, by name.
using TemplateValues = std::map<std::string, std::string>;

/// Returns the text of deploy/`file`.j2 with `values`, and with those of deploy/defaults for the other variables.
/// Throws std::runtime_error if a variable has no value, or if the template has no variable for a value.
std::string render(const std::string& file, const TemplateValues& values);

}  // namespace callpark::test
