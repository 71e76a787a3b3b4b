// Walks through every state that the park machine and the world around it can reach: every answer the world owes may
// come next, in any order, late ones too. Each state is checked against what must always be true, and from each the end
// must be reachable. Machines with one fault each are walked through too, and every fault must be found.
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "tests/property/park_explorer.h"
#include "tests/property/park_mutants.h"

namespace callpark::park {
namespace {

TEST(ParkExplorer, EveryReachableStateKeepsTheInvariantsAndCanEnd) {
  const Exploration result = explore(real_machine());
  EXPECT_FALSE(result.violation) << *result.violation;
  std::cout << "the park machine and its world: " << result.worlds << " reachable states\n";
  RecordProperty("reachable_states", std::to_string(result.worlds));
  EXPECT_GT(result.worlds, 1000U);
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

}  // namespace
}  // namespace callpark::park
