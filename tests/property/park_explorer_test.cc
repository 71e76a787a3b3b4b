// Walks through every state that the park machine and the world around it can reach: every answer the world owes may
// come next, in any order, late ones too. Each state is checked against what must always be true, and from each the end
// must be reachable. Machines with one fault each are walked through too, and every fault must be found.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/property/park_explorer.h"
#include "tests/property/park_mutants.h"
#include "tests/property/park_picture.h"

namespace callpark::park {
namespace {

TEST(ParkExplorer, EveryReachableStateKeepsTheInvariantsAndCanEnd) {
  const Exploration result = explore(real_machine());
  EXPECT_FALSE(result.violation) << *result.violation;
  std::cout << "the park machine and its world: " << result.worlds << " reachable states\n";
  RecordProperty("reachable_states", std::to_string(result.worlds));
  EXPECT_GT(result.worlds, 1000U);
  EXPECT_TRUE(result.transitions == explore_few().transitions) << "the picture is not the whole machine";
}

TEST(ParkExplorer, EveryMutantIsFound) {
  std::size_t killed = 0;
  const auto all = mutants();
  for (const Mutant& mutant : all) {
    const Exploration result = explore(mutant.machine);
    EXPECT_TRUE(result.violation) << "survived: " << mutant.name;
    if (result.violation) ++killed;
  }
  std::cout << killed << " of " << all.size() << " mutants of the park machine found\n";
}

TEST(ParkMachine, ItsPictureIsTheOneInDocs) {
  const std::string path = CALLPARK_SOURCE_DIR "/docs/park-machine.md";
  const std::string picture = Picture(explore_few().transitions).text();
  if (std::getenv("CALLPARK_WRITE_PICTURE")) std::ofstream(path) << picture;
  std::ostringstream in_docs;
  in_docs << std::ifstream(path).rdbuf();
  EXPECT_EQ(in_docs.str(), picture) << "CALLPARK_WRITE_PICTURE=1 writes " << path;
}

}  // namespace
}  // namespace callpark::park
