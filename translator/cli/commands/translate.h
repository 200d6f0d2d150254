// `fermata translate`: from a module to a folder of C++.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_TRANSLATE_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_TRANSLATE_H_

namespace fermata::commands::translate {

// Before the command line is read: hides flags that are not this command's from its help.
void Prepare();

// Whether the command line names this command.
bool Selected();

// Runs it; the exit status.
int Run();

}  // namespace fermata::commands::translate

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_TRANSLATE_H_
