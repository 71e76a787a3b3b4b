// The examples in sql/README.md do what it describes, one after the other on the demo tenant's database.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/component/sql_fixture.h"
#include "tests/support/source_directory.h"

namespace callpark::test {
namespace {

struct Example {
  std::string statement;
  std::string sentence;  // of the refusal that is shown behind it; empty when it is accepted
};

std::vector<Example> examples() {
  std::vector<Example> found;
  std::ifstream readme(source_directory() / "sql/README.md");
  bool is_sql = false;
  std::string statement;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("```")) {
      is_sql = line == "```sql";
    } else if (is_sql && line.starts_with("ERROR ")) {
      found.back().sentence = line.substr(line.find(": ") + 2);
    } else if (is_sql) {
      statement += line.substr(0, line.find("--")) + " ";
      if (statement.find(';') == std::string::npos) continue;
      found.push_back({statement, ""});
      statement.clear();
    }
  }
  return found;
}

bool has_placeholder(const Example& example) {
  return example.statement.find('?') != std::string::npos;
}

TEST_F(SqlSchema, TheExamplesOfTheReadmeAreTakenOrRefusedAsItSays) {
  auto all = examples();
  std::erase_if(all, has_placeholder);
  EXPECT_GE(all.size(), 20U);
  for (const auto& [statement, sentence] : all) {
    const std::string refusal = server().refusal(statement);
    if (sentence.empty()) {
      EXPECT_EQ(refusal, "") << statement;
    } else {
      EXPECT_THAT(refusal, ::testing::HasSubstr(sentence)) << statement;
    }
  }
}

}  // namespace
}  // namespace callpark::test
