#!/bin/sh
# The example of docs/embedded.md is what it says: its guest is compiled and translated by the page's
# commands, which print the page's line, and its program runs, on this machine.
#   embedded_page_test.sh SOURCE_DIR FERMATA CLANG COMPILER [FLAGS...]
set -eu
source=$1 fermata=$2 clang=$3
shift 3
page=$source/docs/embedded.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
ln -s "$fermata" "$folder/bin/fermata"
[ -z "$clang" ] || ln -s "$(command -v "$clang")" "$folder/bin/clang"
PATH=$folder/bin:$PATH
cd "$folder"

# The first block of a language.
block() {
  awk -v begin="^\`\`\`$1\$" '$0 ~ begin { inside = 1; next } inside && /^```$/ { exit } inside' "$page"
}
block c > guest.c
if ! clang --target=wasm32 -nostdlib -Wl,--no-entry -o guest.wasm guest.c 2> errors.txt; then
  echo "skipped: no clang that makes WebAssembly:"
  cat errors.txt
  exit 77
fi
block sh > commands.sh
sh -eu commands.sh > printed.txt
grep -qxFf printed.txt "$page" || { echo "the page does not show:" && cat printed.txt && exit 1; }

# What the program leaves to the board.
{
  echo '#include <stdint.h>'
  echo 'static uint32_t now, lit, work;'
  echo 'static uint32_t Now() { return now; }'
  echo 'static int32_t Pin(int32_t pin) { return pin * 10; }'
  echo 'static void OtherWork() { ++work; now += 100; }'
  block cpp | sed 's/^int main() {$/static int Run() {/; s/^      break;$/      return step.finished() ? step.value() : -1;/'
  echo 'void Board::board_led(int32_t on) { lit += on; }'
  echo 'int main() { return Run() == 300 && lit == 5 && work >= 50 ? 0 : 1; }'
} > main.cc
"$@" -std=c++17 -DFERMATA_FREESTANDING -fno-exceptions -fno-rtti -ffp-contract=off \
  -fno-strict-aliasing -w -I "$source/include" -I "$source" -iquote out main.cc out/*.cc \
  "$source"/runtime/core/*.cc -o blinker
./blinker
