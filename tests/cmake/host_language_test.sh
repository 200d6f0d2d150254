#!/bin/sh
# A header for hosts says what is wrong when it is compiled as C++17, before anything else does; the
# core's headers, which generated code includes, are C++17.
#   host_language_test.sh COMPILER SOURCE_DIR
set -eu
compiler=$1 source=$2
needed=0
for header in "$source"/include/fermata/*.h; do
  name=$(basename "$header")
  [ "$name" != needs_cxx20.h ] || continue
  errors=$(echo "#include \"fermata/$name\"" |
    "$compiler" -std=c++17 -fsyntax-only -I "$source/include" -x c++ - 2>&1) && continue
  needed=$((needed + 1))
  case $(echo "$errors" | grep -m 1 'error') in
    *'Hosts of Fermata need C++20'*) ;;
    *) echo "$name: $errors" | head -n 20 >&2; exit 1 ;;
  esac
done
[ "$needed" -ge 10 ] || { echo "only $needed headers ask for C++20" >&2; exit 1; }
