// `fermata inspect`: what a module is made of, and what of it may suspend.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_INSPECT_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_INSPECT_H_

namespace fermata::commands::inspect {

// Before the command line is read: hides flags that are not this command's from its help.
void Prepare();

// Whether the command line names this command.
bool Selected();

// Runs it; the exit status.
int Run();

}  // namespace fermata::commands::inspect

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_INSPECT_H_
