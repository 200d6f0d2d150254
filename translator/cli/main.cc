// The `fermata` command: which subcommands there are. Each is a file of commands/.
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/cli/commands/common.h"
#include "translator/cli/commands/compile.h"
#include "translator/cli/commands/inspect.h"
#include "translator/cli/commands/run.h"
#include "translator/cli/commands/translate.h"
#include "translator/version.h"

namespace {

namespace commands = fermata::commands;

struct Command {
  void (*prepare)();
  bool (*selected)();
  int (*run)();
};

constexpr Command kCommands[] = {
    {commands::translate::Prepare, commands::translate::Selected, commands::translate::Run},
    {commands::inspect::Prepare, commands::inspect::Selected, commands::inspect::Run},
    {commands::run::Prepare, commands::run::Selected, commands::run::Run},
    {commands::compile::Prepare, commands::compile::Selected, commands::compile::Run},
};

void PrintVersion(llvm::raw_ostream& out) { out << "fermata " << FERMATA_VERSION << "\n"; }

}  // namespace

int main(int argc, char** argv) {
  llvm::cl::SetVersionPrinter(PrintVersion);
  for (const Command& command : kCommands) command.prepare();
  llvm::cl::ParseCommandLineOptions(
      argc, argv,
      "Fermata: WebAssembly to C++ that can suspend at any import call and resume later\n\n"
      "  fermata translate guest.wasm -o out --class Guest --report out/guest.json\n"
      "  fermata inspect guest.wasm --graph guest.svg\n"
      "  fermata run app.wasm --dir data::/data -- arguments of the guest\n"
      "  fermata compile app.wasm -o app\n\n"
      "`fermata translate --help` lists the flags of a subcommand.\n");
  for (const Command& command : kCommands) {
    if (command.selected()) return command.run();
  }
  return commands::Fail("no subcommand given; `fermata --help` shows them");
}
