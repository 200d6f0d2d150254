// Blocks where a program blocks: reads names from standard input, greets, keeps them in a file.
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  printf("arguments:");
  for (int i = 1; i < argc; ++i) printf(" %s", argv[i]);
  printf("\n");

  FILE* file = fopen("/data/names.txt", "w");
  if (!file) return perror("/data/names.txt"), 1;
  int count = 0;
  for (char name[100]; printf("Name? "), fflush(stdout), fgets(name, sizeof name, stdin); ++count) {
    name[strcspn(name, "\n")] = 0;
    printf("Hello, %s!\n", name);
    fprintf(file, "%s\n", name);
  }
  fclose(file);
  printf("\n%d names in /data/names.txt\n", count);
  return count == 2 ? 42 : 1;
}
