// A script of the official suite, as converted to JSON (shared/spec/FORMAT.md).
#ifndef FERMATA_SPEC_TESTS_SCRIPT_H_
#define FERMATA_SPEC_TESTS_SCRIPT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spec-tests/pattern.h"

namespace fermata::spec {

// X(enumerator, name in the JSON)
#define FERMATA_SPEC_COMMANDS(X)                       \
  X(kModule, "module")                                 \
  X(kModuleDefinition, "module_definition")            \
  X(kModuleInstance, "module_instance")                \
  X(kRegister, "register")                             \
  X(kAction, "action")                                 \
  X(kAssertReturn, "assert_return")                    \
  X(kAssertTrap, "assert_trap")                        \
  X(kAssertExhaustion, "assert_exhaustion")            \
  X(kAssertSuspension, "assert_suspension")            \
  X(kAssertException, "assert_exception")              \
  X(kAssertUninstantiable, "assert_uninstantiable")    \
  X(kAssertUnlinkable, "assert_unlinkable")            \
  X(kAssertInvalid, "assert_invalid")                  \
  X(kAssertMalformed, "assert_malformed")              \
  X(kAssertInvalidCustom, "assert_invalid_custom")     \
  X(kAssertMalformedCustom, "assert_malformed_custom") \
  X(kThread, "thread")                                 \
  X(kWait, "wait")

enum class CommandType : uint8_t {
#define FERMATA_SPEC_ENUMERATOR(enumerator, name) enumerator,
  FERMATA_SPEC_COMMANDS(FERMATA_SPEC_ENUMERATOR)
#undef FERMATA_SPEC_ENUMERATOR
};

inline constexpr CommandType kLastCommandType = CommandType::kWait;

const char* Name(CommandType type);

// What is counted: assertions, and actions, which assert that they return.
bool IsAssertion(CommandType type);
// Those that run code: assert_return, assert_trap, …, actions, not the ones about linking.
bool IsExecutable(CommandType type);
// assert_invalid, assert_malformed and their custom kinds.
bool IsNegative(CommandType type);

struct Action {
  bool get = false;    // the value of a global; else a call
  std::string module;  // its name, or empty: the latest instance
  std::string field;
  std::vector<Pattern> arguments;
};

struct Command {
  CommandType type = CommandType::kModule;
  unsigned line = 0;
  std::string name;              // module, module_definition, register, thread: or empty
  std::string filename;          // of the module, beside the script
  bool text = false;             // the module is in the text format
  std::string as;                // register
  std::string instance, module;  // module_instance: the new instance's name, the definition's
  std::string message;           // the JSON's "text": what the assertion expects to be told
  std::string shared_module;     // thread
  std::string thread;            // wait
  Action action;
  std::vector<Pattern> expected;
  std::vector<Command> commands;  // thread
};

struct Script {
  std::string source;  // "spec/test/core/i32.wast"
  std::vector<Command> commands;
};

absl::StatusOr<Script> ParseScript(absl::string_view text);
absl::StatusOr<Script> ReadScript(const std::string& path);

// Calls `visit` for each command, those of threads included, in order.
template <class Visit>
void ForEach(const std::vector<Command>& commands, const Visit& visit) {
  for (const Command& command : commands) {
    visit(command);
    ForEach(command.commands, visit);
  }
}

// The modules that the script may instantiate, each once.
std::vector<std::string> ModulesOf(const Script& script);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_SCRIPT_H_
