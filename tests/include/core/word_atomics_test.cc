// The same where less than a word is accessed through the word around it, as g++ does it on RISC-V.
#define FERMATA_WORD_ATOMICS 1
#include "tests/include/core/atomics_test.cc"
