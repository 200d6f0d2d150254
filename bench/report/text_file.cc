#include "bench/report/text_file.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

namespace bench {

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void WriteText(const std::string& path, const std::string& text) {
  (void)llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path));
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (out.flush()) return;
  std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  std::exit(1);
}

}  // namespace bench
