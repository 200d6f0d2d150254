// Exceptions and longjmp, both by WebAssembly exceptions; blocks on standard input.
#include <csetjmp>
#include <iostream>
#include <stdexcept>
#include <string>

static std::jmp_buf again;

static int Parse(const std::string& line) {
  if (line == "jump") std::longjmp(again, 7);
  return std::stoi(line);  // throws std::invalid_argument
}

int main() {
  if (const int code = setjmp(again)) std::cout << "longjmp " << code << '\n';
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const int number = Parse(line);
      std::cout << "twice " << line << " is " << 2 * number << '\n';
    } catch (const std::invalid_argument& error) {
      std::cout << line << ": not a number (" << error.what() << ")\n";
    }
  }
}
