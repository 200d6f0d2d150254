#!/bin/sh
# The core runtime needs nothing of C++'s library and of C's only the memory functions that every
# freestanding environment has: compiles it so, and looks at what it leaves undefined.
#   freestanding_test.sh COMPILER NM SOURCE_DIR
set -eu
compiler=$1 nm=$2 source=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for file in trap trampoline bulk; do
  "$compiler" -std=c++17 -O2 -ffreestanding -nostdinc++ -fno-exceptions -fno-rtti -Wall -Wextra -Werror \
    -I "$source/include" -I "$source" -c "$source/runtime/core/$file.cc" -o "$folder/$file.o"
done
others=$("$nm" -u "$folder"/*.o | awk '$1 == "U" { print $2 }' |
  grep -v -E '^(memcpy|memmove|memset|_GLOBAL_OFFSET_TABLE_|_ZN7fermata.*)$' || true)
if [ -n "$others" ]; then
  echo "the core runtime needs: $others" >&2
  exit 1
fi
