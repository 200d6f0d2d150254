// Runs a fuzz target (target.h) where there is no libFuzzer.
//
//   TARGET [--runs N] [--seconds N] [--seed N] [FILE…]   10,000 runs if neither limit is given
//   TARGET --write-corpus FOLDER                         the seeds, for libFuzzer
//
// Files are run as they are, and nothing else: that repeats a crash.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"
#include "tests/support/files.h"

namespace {

using Random = std::mt19937_64;

void Run(const std::string& input) {
  // In a buffer of its own size, so that reading past its end is found out.
  std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void Mutate(std::string& bytes, const std::vector<std::string>& corpus, Random& random) {
  if (bytes.empty()) bytes.push_back(0);
  const size_t at = random() % bytes.size();
  constexpr uint8_t kBytes[] = {0, 1, 2, 3, 0x0b, 0x40, 0x7f, 0x80, 0x81, 0xfe, 0xff};
  switch (random() % 8) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2:
      bytes[at] = static_cast<char>(kBytes[random() % std::size(kBytes)]);
      break;
    case 3:
      bytes[at] = static_cast<char>(bytes[at] + random() % 9 - 4);
      break;
    case 4:
      bytes.erase(at, 1 + random() % 8);
      break;
    case 5:
      bytes.insert(at, 1 + random() % 4, static_cast<char>(kBytes[random() % std::size(kBytes)]));
      break;
    case 6:
      if (random() % 8 == 0) bytes.resize(at);
      break;
    default: {  // a part of another one in place
      const std::string& other = corpus[random() % corpus.size()];
      if (other.empty()) break;
      const std::string part = other.substr(random() % other.size(), 1 + random() % 16);
      bytes.replace(at, part.size(), part);
    }
  }
}

// What is run next is written down first, so that a crash can be repeated.
class Keeper {
 public:
  explicit Keeper(std::string path) : path_(std::move(path)) {}
  void Keep(const std::string& input) const {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    if (file == nullptr) return;
    std::fwrite(input.data(), 1, input.size(), file);
    std::fclose(file);
  }
  ~Keeper() { std::remove(path_.c_str()); }

 private:
  std::string path_;
};

int WriteCorpus(const std::string& folder) {
  std::filesystem::create_directories(folder);
  size_t number = 0;
  for (const std::string& seed : fermata::fuzz::Seeds()) {
    fermata::testing_support::WriteFile(folder + "/seed-" + std::to_string(number++), seed);
  }
  std::printf("%zu seeds\n", number);
  return number == 0;
}

int Fuzz(uint64_t runs, uint64_t seconds, uint64_t seed, const std::string& program) {
  const std::vector<std::string> corpus = fermata::fuzz::Seeds();
  for (const std::string& input : corpus) Run(input);
  Random random(seed);
  const Keeper keeper(program + ".input");
  const auto start = std::chrono::steady_clock::now();
  uint64_t done = corpus.size();
  for (; done < runs; ++done) {
    if (seconds != 0 && done % 16 == 0 &&
        std::chrono::steady_clock::now() - start > std::chrono::seconds(seconds)) {
      break;
    }
    std::string input = corpus[random() % corpus.size()];
    for (uint64_t n = 1 + random() % 4; n != 0; --n) Mutate(input, corpus, random);
    keeper.Keep(input);
    Run(input);
  }
  std::printf("%llu inputs\n", static_cast<unsigned long long>(done));
  return done == 0;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 0, seconds = 0, seed = 1;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--write-corpus" && i + 1 < argc) return WriteCorpus(argv[i + 1]);
    uint64_t* const option = name == "--runs"      ? &runs
                             : name == "--seconds" ? &seconds
                             : name == "--seed"    ? &seed
                                                   : nullptr;
    if (option == nullptr && name[0] != '-') {
      files.push_back(name);
    } else if (option == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "%s [--runs N] [--seconds N] [--seed N] [FILE...]\n", argv[0]);
      return 2;
    } else {
      *option = std::strtoull(argv[++i], nullptr, 10);
    }
  }
  for (const std::string& path : files) {
    Run(fermata::testing_support::ReadFile(path));
  }
  if (!files.empty()) return 0;
  if (runs == 0) runs = seconds == 0 ? 10000 : ~uint64_t{0};
  return Fuzz(runs, seconds, seed, argv[0]);
}
