#!/bin/sh
# Every core header compiles by itself, with every C++ compiler of this machine that is no older than
# Debian 12's and has a number in its name (clang++-19) or none, and with each instruction set that the
# vector instructions make use of.
#   core_headers_test.sh COMPILER SOURCE_DIR
set -eu
compiler=$1
cd "$2/include"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compilers=$({
  printf '%s\n' "$compiler"
  IFS=:
  for folder in $PATH; do
    find "$folder/" -maxdepth 1 -name 'g++' -o -maxdepth 1 -name 'g++-[0-9]*' \
      -o -maxdepth 1 -name 'clang++' -o -maxdepth 1 -name 'clang++-[0-9]*' 2>/dev/null || true
  done
} | while read -r each; do
  case $(basename "$each") in clang*) oldest=14 ;; *) oldest=12 ;; esac
  major=$("$each" -dumpversion 2>/dev/null | cut -d . -f 1) && [ "${major:-0}" -ge $oldest ] || continue
  version=$("$each" --version 2>/dev/null | sed "s/^$(basename "$each") //;q") || continue
  printf '%s\t%s\n' "$version" "$each"
done | sort -u -t "$(printf '\t')" -k 1,1 | cut -f 2)

sets=-O2
case $("$compiler" -dumpmachine) in x86_64-* | i?86-*) sets='-O2 -mssse3 -msse4.1 -mavx2' ;; esac
failed=0
for each in $compilers; do
  for set in $sets; do
    for header in fermata/core/*.h fermata/core/simd/*.h; do
      printf '#include "%s"\n' "$header" > "$work/header.cc"
      "$each" "$set" -std=c++17 -Wall -Wextra -Werror -I . -fsyntax-only "$work/header.cc" || {
        echo "$header: $each $set"
        failed=1
      }
    done
  done
  echo "compiled by $("$each" --version | head -n 1)"
done
exit $failed
