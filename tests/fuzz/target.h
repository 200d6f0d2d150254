// A fuzz target: a function of bytes that must not crash, whatever they are.
//
// With the preset `fuzz` each target is linked with libFuzzer; else with driver.cc, which mutates
// the target's own seeds in a simple way, so that every build can run it for a while as a test.
#ifndef FERMATA_TESTS_FUZZ_TARGET_H_
#define FERMATA_TESTS_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fermata::fuzz {

// What to begin with: inputs that the target gets far with.
std::vector<std::string> Seeds();

// The contents of a file of the source tree; aborts if it can't be read.
std::string ReadSource(const std::string& path);

// A new folder for the files of this process, in memory where the system has such a place. It is
// removed when the process ends.
const std::string& ScratchFolder();

}  // namespace fermata::fuzz

#endif  // FERMATA_TESTS_FUZZ_TARGET_H_
