#!/bin/sh
# The command of docs/guests.md that compiles generated code, as it stands there, gives no warning, with
# -Wall -Wextra either.
#   docs_command_test.sh SOURCE_DIR FERMATA COMPILER...
set -eu
source=$1 fermata=$2
shift 2
# Its two lines, without the prompt.
command=$(sed -n '/^\$ c++ /{N;s/^\$ c++ \(.*\)\\\n\(.*-DFERMATA_SHARED_MODULE .*\)$/\1\2/p}' "$source/docs/guests.md")
[ -n "$command" ] || { echo "docs/guests.md has no such command" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CPATH="$source/include"
for module in include/async_guest include/turns_guest runtime/host/typed/typed_guest fuzz/mix \
    runtime/wasi/every_function; do
  rm -rf total
  "$fermata" translate "$source/tests/$module.wasm" -o total
  for compiler; do
    for warnings in "" "-Wall -Wextra"; do
      output=$(eval "'$compiler' $warnings $command" 2>&1) || { echo "$output" >&2; exit 1; }
      [ -z "$output" ] || { echo "$compiler $warnings, $module: $output" >&2; exit 1; }
    done
  done
done
