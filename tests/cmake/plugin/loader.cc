#include <dlfcn.h>

#include <cstdio>

int main(int, char** argv) {
  void* plugin = dlopen(argv[1], RTLD_NOW);
  if (plugin == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), 1;
  auto run = reinterpret_cast<int (*)()>(dlsym(plugin, "run"));
  return run == nullptr ? 1 : run();
}
