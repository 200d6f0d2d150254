// `fermata run`: runs a WASI program, or one export of a module.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_RUN_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_RUN_H_

namespace fermata::commands::run {

// As in translate.h.
void Prepare();
bool Selected();
int Run();

}  // namespace fermata::commands::run

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_RUN_H_
