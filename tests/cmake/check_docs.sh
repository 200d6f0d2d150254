#!/bin/sh
# The pages for people: no line of prose is wider than 100 columns, and each relative link leads to
# a file, and to a heading of it where it names one.
#   check_docs.sh SOURCE_DIR
# Tables, fenced blocks and lines that are one link may be wider. What programs write is not measured:
# docs/numbers.md, docs/native.md, and what is between the marks NAME:begin and NAME:end; nor is
# CHANGELOG.md.
set -eu
cd "$1"
failed=0

# A character above U+007F is several bytes here, of which the first is counted.
wide() {
  LC_ALL=C awk '
    /^ *```/ { fenced = !fenced; next }
    /^<!-- [a-z]+:begin -->$/ { written = 1 }
    /^<!-- [a-z]+:end -->$/ { written = 0 }
    fenced || written || /^ *\|/ || /^ *!?\[[^]]*\]\([^)]*\)$/ { next }
    { line = $0; gsub(/[\200-\277]/, "", line) }
    length(line) > 100 { printf "%s:%d: %d columns\n", FILENAME, FNR, length(line); bad = 1 }
    END { exit bad }' "$1"
}

# The targets of a page's links, one a line.
links() {
  LC_ALL=C awk '
    /^ *```/ { fenced = !fenced; next }
    fenced { next }
    {
      line = $0
      while (match(line, /\]\([^)]*\)/)) {
        print substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
      }
    }' "$1"
}

# The anchors of a page: its headings in lower case, with hyphens for blanks, without punctuation.
anchors() {
  LC_ALL=C awk '
    /^ *```/ { fenced = !fenced; next }
    !fenced && /^#+ / {
      sub(/^#+ /, "")
      line = tolower($0)
      gsub(/[^a-z0-9_ \200-\377-]/, "", line)
      gsub(/ /, "-", line)
      print line
    }' "$1"
}

pages=$(ls ./*.md docs/*.md include/fermata/README.md examples/README.md)
for page in $pages; do
  case $page in
    docs/numbers.md | docs/native.md | ./CHANGELOG.md) ;;
    *) wide "$page" || failed=1 ;;
  esac
  for link in $(links "$page"); do
    case $link in
      *://* | mailto:*) continue ;;
    esac
    path=${link%%#*}
    target=$page
    [ -z "$path" ] || target=$(dirname "$page")/$path
    if [ ! -e "$target" ]; then
      echo "$page: there is no $link"
      failed=1
    elif [ "$link" != "$path" ] && ! anchors "$target" | grep -qx "${link#*#}"; then
      echo "$page: $target has no heading for #${link#*#}"
      failed=1
    fi
  done
done
exit "$failed"
