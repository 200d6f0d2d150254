#!/bin/sh
# The commands of a page of docs/ print what the page shows. They are in its blocks that begin with
# ```console, behind a `$ `, and go on in the next line after a `\`; what follows is their output.
#
#   page_test.sh PAGE SOURCE_DIR BUILD_DIR FERMATA COMPILER [FLAGS...]
#
# All commands of a page run in one shell, in a folder that is empty at first, with SOURCE and BUILD
# set and with `fermata` and `c++` (COMPILER with FLAGS, those of the build) in the path. When a
# change of the output is meant:
#
#   FERMATA_UPDATE_PAGES=1 ctest --test-dir build -R '^docs\.'
set -u
page=$1 SOURCE=$2 BUILD=$3 fermata=$4
shift 4
for program in wat2wasm wasm-objdump; do
  command -v "$program" >/dev/null || { echo "skipped: $program (of wabt) was not found"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/work"
ln -s "$fermata" "$folder/bin/fermata"
{ printf '#!/bin/sh\nexec'; printf " '%s'" "$@"; printf ' "$@"\n'; } >"$folder/bin/c++"
chmod +x "$folder/bin/c++"
export SOURCE BUILD PATH="$folder/bin:$PATH"
cd "$folder/work"

# Writes the page anew, with what the commands print now.
fence='```'
commands=0 where=text command=
run() {
  commands=$((commands + 1))
  eval "$command" >"$folder/output" 2>&1 </dev/null
  status=$?
  cat "$folder/output" >&4
  case $command in
    diff*) [ $status -le 1 ] && status=0 ;;  # 1: there are differences
  esac
  if [ $status -ne 0 ]; then
    printf '%s: exit status %d of\n$ %s\n' "$page" $status "$command"
    cat "$folder/output"
    exit 1
  fi
}
while IFS= read -r line <&3; do
  case $where:$line in
    text:"${fence}console") where=output ;;
    output:"$fence") where=text ;;
    output:'$ '*) where=command command=${line#??} ;;
    output:*) continue ;;
    command:*) command="$command
$line" ;;
  esac
  printf '%s\n' "$line" >&4
  if [ $where = command ]; then
    case $line in
      *\\) ;;
      *) where=output && run ;;
    esac
  fi
done 3<"$page" 4>"$folder/page"

[ $commands -gt 0 ] || { echo "$page has no commands"; exit 1; }
[ $where = text ] || { echo "$page ends within a block"; exit 1; }
if [ "${FERMATA_UPDATE_PAGES:-}" ]; then cat "$folder/page" >"$page"; fi
diff -u "$page" "$folder/page" || { echo "$page does not show what its $commands commands print"; exit 1; }
