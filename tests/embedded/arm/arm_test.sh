#!/bin/sh
# Guests of the freestanding profile for a Cortex-M0+: compiles and links them without a C++ library,
# looks at what is undefined and how large the core is, and runs them on an emulated Cortex-M0.
# Status 77, skipped, if the compiler or the emulator is not there.
#   arm_test.sh TRANSLATOR SOURCE_DIR
set -eu
translator=$1 source=$2
for program in arm-none-eabi-g++ qemu-system-arm; do
  if ! command -v $program > /dev/null; then
    echo "skipped: $program is not there (gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm)"
    exit 77
  fi
done
if ! echo '#include <string.h>' | arm-none-eabi-g++ -ffreestanding -E -x c++ - > /dev/null 2>&1; then
  echo "skipped: arm-none-eabi-g++ has no C library (libnewlib-arm-none-eabi)"
  exit 77
fi
here=$source/tests/embedded
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

flags="-std=c++17 -mcpu=cortex-m0plus -mthumb -Os -ffreestanding -fno-exceptions -fno-rtti
  -ffunction-sections -fdata-sections -fno-strict-aliasing -ffp-contract=off -fno-finite-loops
  -fno-optimize-sibling-calls -fno-math-errno -fsignaling-nans -DFERMATA_FREESTANDING=1 -I$source/include -I$source -iquote ."
translate() {
  guest=$1 class=$2
  shift 2
  "$translator" translate "$here/$guest.wasm" -o . --name="$guest" --class="$class" --namespace=parts \
    --profile=freestanding "$@" > "$guest.txt"
}
translate embedded_device Device --memory-bytes=2048 '--immediate=log.*'
translate embedded_worker Worker --memory-bytes=1024 --preempt=interrupt
translate embedded_tree Tree --frame-bytes=512
# shellcheck disable=SC2086  # words
for file in *.cc; do arm-none-eabi-g++ $flags -w -c "$file"; done
# shellcheck disable=SC2086
for file in "$source"/runtime/core/*.cc "$here/arm/program.cc"; do
  arm-none-eabi-g++ $flags -Wall -Wextra -Werror -c "$file"
done

# What is left when all that nobody uses is gone.
arm-none-eabi-ld -r --gc-sections -e Reset -o all.ro ./*.o
undefined=$(arm-none-eabi-nm -u all.ro | awk '{ print $2 }' |
  grep -v -E '^(memcpy|memmove|memset|__aeabi_[a-z0-9]+|__[a-z]+[sd]i[23]|__gnu_thumb1_case_[a-z]+|_ZN7fermata8embedded6OnTrap.*)$' |
  grep -v -E '^(data_(begin|end|source)|bss_(begin|end)|stack_(begin|end))$' || true)
if [ -n "$undefined" ]; then
  echo "undefined: $undefined" >&2
  exit 1
fi

arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -nostartfiles -T "$here/arm/microbit.ld" \
  -Wl,--gc-sections ./*.o -o program.elf
arm-none-eabi-size program.elf
# The core: its symbols in the program, in flash, and none in RAM.
arm-none-eabi-nm -C -S program.elf | grep -v '_code::' |
  grep -E '(^| )[a-z0-9 ]*fermata::core::' > core.txt
core=0
for size in $(awk '$3 ~ /[tTwWrR]/ { print $2 }' core.txt); do
  core=$((core + 0x$size))
done
echo "core: $core bytes of flash"
[ "$core" -gt 1000 ] || { echo "the core was not found" >&2; exit 1; }
[ "$core" -le 4096 ] || { echo "the core has more than 4096 bytes" >&2; exit 1; }
if grep -E '^[0-9a-f]+ [0-9a-f]+ [bBdD] ' core.txt; then
  echo "the core has data of its own" >&2
  exit 1
fi

timeout 60 qemu-system-arm -M microbit -nographic -semihosting-config enable=on,target=native \
  -kernel program.elf < /dev/null > output.txt 2>&1 || { cat output.txt; exit 1; }
diff -u "$here/arm/expected.txt" output.txt
