#!/bin/sh
# No file of ours has more than 800 lines, and no function more than 80, from the first line of its
# head to its closing brace.
#   check_sizes.sh SOURCE_DIR
set -eu
cd "$1"

sources=$(find include runtime translator spec-tests tests bench examples cmake \
  \( -name '*.cc' -o -name '*.h' -o -name '*.c' -o -name '*.def' -o -name '*.rs' -o -name '*.go' \
  -o -name '*.py' -o -name '*.sh' -o -name '*.awk' -o -name '*.cmake' -o -name CMakeLists.txt \) | sort)
# shellcheck disable=SC2086  # no name has a blank
wc -l $sources | awk '$1 > 800 && $2 != "total" { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }' ||
  failed=1

# Functions, by braces: those that are in no other function. A `{` opens a function if there are
# parentheses before it (in the same declaration), and no `=` outside of them.
# shellcheck disable=SC2046
LC_ALL=C awk '
  function complain(text) {
    print text
    bad = 1
  }
  function kind_of(head) {
    while (gsub(/\([^()]*\)/, "@", head)) {}
    if (head ~ /operator *=/) return "function"
    if (head ~ /=/) return "data"
    return head ~ /@/ ? "function" : "scope"
  }
  function open_brace() {
    kind[++depth] = inside ? "body" : kind_of(head)
    if (kind[depth] == "function") {
      inside = depth
      begin = head_line
      name = head
    }
    head = ""
  }
  function close_brace(  lines) {
    if (depth == 0) {
      complain(FILENAME ":" FNR ": a brace too many")
      return
    }
    if (inside == depth) {
      inside = 0
      lines = FNR - begin + 1
      gsub(/^ +| +$/, "", name)
      if (lines > 80) complain(FILENAME ":" begin ": " lines " lines: " substr(name, 1, 100))
      ++functions
    }
    --depth
    head = ""
  }
  FNR == 1 {
    if (depth > 0) complain(last ": a brace too few")
    depth = inside = 0
    head = raw = directive = ""
    last = FILENAME
  }
  # Raw strings, which may be text in any language.
  raw != "" {
    at = index($0, raw)
    if (at == 0) next
    $0 = substr($0, at + length(raw))
    raw = ""
  }
  {
    while (match($0, /R"[^ ()"]*\(/)) {
      before = substr($0, 1, RSTART - 1)
      end = ")" substr($0, RSTART + 2, RLENGTH - 3) "\""
      rest = substr($0, RSTART + RLENGTH)
      at = index(rest, end)
      $0 = before "0"
      if (at == 0) {
        raw = end
        break
      }
      $0 = $0 substr(rest, at + length(end))
    }
  }
  directive || /^ *#/ {
    directive = /\\$/
    next
  }
  {
    gsub(/\047\\?"\047/, "0")
    gsub(/"([^"\\]|\\.)*"/, "0")
    gsub(/\047(\\.|[^\047\\])\047/, "0")
    sub(/\/\/.*/, "")
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "")
    for (i = 1; i <= length($0); ++i) {
      c = substr($0, i, 1)
      if (c == "{") {
        open_brace()
      } else if (c == "}") {
        close_brace()
      } else if (c == ";" && !inside) {
        head = ""
      } else if (!inside && (c != " " || head != "")) {
        if (head == "") head_line = FNR
        head = head c
      }
    }
    if (head != "") head = head " "
  }
  END {
    if (depth > 0) complain(last ": a brace too few")
    if (functions < 1000) complain("only " functions + 0 " functions: this script does not see them")
    exit bad
  }
' $(printf '%s\n' $sources | grep -E '\.(cc|h|c)$') || failed=1
exit "${failed:-0}"
