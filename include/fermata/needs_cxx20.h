// Included first by the headers that hosts include. Generated code and the core's headers need
// C++17 only.
#ifndef FERMATA_NEEDS_CXX20_H_
#define FERMATA_NEEDS_CXX20_H_

#if __cplusplus < 202002L
#error "Hosts of Fermata need C++20: compile with -std=c++20 (CMake: link Fermata::runtime)"
#endif

#endif  // FERMATA_NEEDS_CXX20_H_
