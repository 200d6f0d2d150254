// What the subcommands of `fermata` share.
//
// A subcommand is a pair of files here: it declares its llvm::cl::SubCommand and flags statically
// and offers `bool Selected()`, `void Prepare()` and `int Run()`; main() lists them. These files
// belong to the executable `fermata` alone, so that no other program that links the translator gets
// their flags.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_COMMON_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_COMMON_H_

#include <string>

#include "absl/strings/string_view.h"

namespace fermata::commands {

// Writes the message to standard error; returns the exit status of failures, 1.
int Fail(absl::string_view message);

// The file's name as the start of others: "dir/my-guest.wasm" gives "my_guest".
std::string StemOf(const std::string& path);

}  // namespace fermata::commands

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_COMMON_H_
