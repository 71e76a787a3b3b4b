// Whether the time of a comparison shows how much of an entered PIN is right. All entries are compared in turns, in a
// new sequence each round, since the speed of a machine drifts; the right one twice, as a measure of what is no
// difference.
//
//   pin_bench [--rounds N]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "parkd/flow/pin.h"

namespace callpark::flow {
namespace {

constexpr std::size_t kBlocks = 20;

struct Kind {
  const char* name;
  std::string stored;
  int comparisons;  // for each reading of the clock
};

struct Entered {
  const char* name;
  std::string keys;
  Entry entry{};
  std::vector<double> ns{};  // of each round
};

std::vector<Entered> entries(std::string_view pin) {
  const auto other = [](char key) { return static_cast<char>('0' + (key - '0' + 5) % 10); };
  std::string all = std::string(pin);
  std::string first = all;
  std::string last = all;
  first.front() = other(first.front());
  last.back() = other(last.back());
  std::transform(all.begin(), all.end(), all.begin(), other);
  return {{"right", std::string(pin)},
          {"right, once more", std::string(pin)},
          {"first digit wrong", first},
          {"last digit wrong", last},
          {"all digits wrong", all},
          {"last digit missing", std::string(pin.substr(0, pin.size() - 1))},
          {"one digit too many", std::string(pin) + "0"}};
}

double measure(const Kind& kind, const Entry& entry) {
  volatile bool is_right = false;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < kind.comparisons; ++i) is_right = is_right_pin(kind.stored, entry);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
  static_cast<void>(is_right);
  return took.count() / kind.comparisons;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void run(const Kind& kind, std::string_view pin, std::size_t rounds) {
  std::vector<Entered> all = entries(pin);
  std::vector<std::size_t> sequence;
  for (Entered& one : all) {
    for (const char key : one.keys) one.entry.add(key);
    sequence.push_back(sequence.size());
  }
  std::mt19937 random{1};
  for (std::size_t round = 0; round < rounds; ++round) {
    std::shuffle(sequence.begin(), sequence.end(), random);
    for (const std::size_t index : sequence) all[index].ns.push_back(measure(kind, all[index].entry));
  }
  const double right = median(all.front().ns);
  printf("%s\n%-20s %9s %20s %12s\n", kind.name, "entered", "median ns", "medians of 20 blocks", "to right ns");
  for (const Entered& one : all) {
    std::array<double, kBlocks> blocks{};
    const std::size_t size = one.ns.size() / kBlocks;
    for (std::size_t block = 0; block < kBlocks; ++block) {
      const auto begin = one.ns.begin() + static_cast<std::ptrdiff_t>(block * size);
      blocks[block] = median({begin, begin + static_cast<std::ptrdiff_t>(size)});
    }
    const auto [low, high] = std::minmax_element(blocks.begin(), blocks.end());
    const double its = median(one.ns);
    printf("%-20s %9.2f %9.2f - %8.2f %+12.2f\n", one.name, its, *low, *high, its - right);
  }
}

}  // namespace
}  // namespace callpark::flow

int main(int argc, char** argv) {
  using callpark::flow::Kind;
  std::size_t rounds = 40000;
  for (int i = 1; i + 1 < argc; ++i) {
    if (strcmp(argv[i], "--rounds") == 0) rounds = std::max<std::size_t>(200, std::strtoul(argv[i + 1], nullptr, 10));
  }
  callpark::flow::run(Kind{"digits, 4 of them", "1234", 64}, "1234", rounds);
  callpark::flow::run(Kind{"digits, 15 of them", "123456789012345", 64}, "123456789012345", rounds);
  callpark::flow::run(
      Kind{"SHA-256", "sha256:saltsalt:9dabf8706dee7880b22d262d8cc1ea1eab14081f6a5a9dadf723296ce532344d", 16}, "1234",
      rounds);
}
