// Walks through every state that the machine of a caller in a menu and the world around it can reach (FEATURES F6, F7).
// Each state is checked against what must always be true, and from each the end must be reachable. Machines with one
// fault each are walked through too, and every fault must be found.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/property/menu_explorer.h"
#include "tests/property/menu_mutants.h"
#include "tests/property/menu_picture.h"

namespace callpark::menu {
namespace {

TEST(MenuExplorer, F6_F7_EveryReachableStateKeepsTheInvariantsAndCanEnd) {
  const Exploration result = explore({});
  EXPECT_FALSE(result.violation) << *result.violation;
  std::cout << "the machine of a caller in a menu and its world: " << result.worlds << " reachable states\n";
  RecordProperty("reachable_states", std::to_string(result.worlds));
  EXPECT_GT(result.worlds, 1000U);
}

TEST(MenuExplorer, F6_F7_EveryMutantIsFound) {
  std::size_t killed = 0;
  const auto all = mutants();
  for (const Mutant& mutant : all) {
    const Exploration result = explore(mutant.machine);
    EXPECT_TRUE(result.violation) << "survived: " << mutant.name;
    if (result.violation) ++killed;
  }
  std::cout << killed << " of " << all.size() << " mutants of the machine found\n";
}

TEST(MenuMachine, ItsPictureIsTheOneInDocs) {
  const std::string path = CALLPARK_SOURCE_DIR "/docs/menu-machine.md";
  const std::string picture = Picture(explore({}).transitions).text();
  if (std::getenv("CALLPARK_WRITE_PICTURE")) std::ofstream(path) << picture;
  std::ostringstream in_docs;
  in_docs << std::ifstream(path).rdbuf();
  EXPECT_EQ(in_docs.str(), picture) << "CALLPARK_WRITE_PICTURE=1 writes " << path;
}

}  // namespace
}  // namespace callpark::menu
