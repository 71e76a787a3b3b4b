// What becomes of parks when more are requested than one core can do: the most that can be done (eight at a time), then
// a multiple of it for some seconds, then half of it again. The calls are there before each phase, so that only parks
// are measured. The servers share core 0, all telephones are on core 1.
//
//   overload_bench [--seconds S] [--times T]
#include <cstdlib>
#include <cstring>

#include "tests/bench/overload.h"

namespace callpark::bench {
namespace {

struct Arguments {
  double seconds = 8;
  double times = 2.2;
};

void run(const Arguments& arguments) {
  OverloadBench bench;
  bench.most(2);
  const double most = bench.most(arguments.seconds);
  std::printf("most: %.1f parks a second\n", most);
  bench.offer("overload", arguments.times * most, arguments.seconds);
  bench.offer("afterwards", most / 2, arguments.seconds / 2);
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) arguments.seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--times") == 0) arguments.times = std::atof(argv[i + 1]);
  }
  return arguments;
}

}  // namespace
}  // namespace callpark::bench

int main(int argc, char** argv) {
  try {
    callpark::bench::run(callpark::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
