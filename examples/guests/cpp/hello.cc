// Blocks where a program blocks: reads names from standard input, greets, keeps them in a file.
#include <fstream>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  std::cout << "arguments:";
  for (int i = 1; i < argc; ++i) std::cout << ' ' << argv[i];
  std::cout << '\n';

  std::ofstream file("/data/names.txt");
  if (!file) return std::cerr << "/data/names.txt: cannot write\n", 1;
  int count = 0;
  std::string name;
  for (; std::cout << "Name? " << std::flush, std::getline(std::cin, name); ++count) {
    std::cout << "Hello, " << name << "!\n";
    file << name << '\n';
  }
  file.close();
  std::cout << '\n' << count << " names in /data/names.txt\n";
  return count == 2 ? 42 : 1;
}
