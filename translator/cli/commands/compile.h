// `fermata compile`: from a WASI program to an executable of its own.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_COMPILE_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_COMPILE_H_

namespace fermata::commands::compile {

// As in translate.h.
void Prepare();
bool Selected();
int Run();

}  // namespace fermata::commands::compile

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_COMPILE_H_
