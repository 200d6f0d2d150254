#!/bin/bash
# A session goes on where it was after the server was ended and started again.
set -euo pipefail
server=$1
state=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$state"' EXIT

start() {
  "$server" --port "$port" --state "$state" > "$state/log" &
  pid=$!
  for _ in $(seq 100); do
    if exec 3<>"/dev/tcp/localhost/$port"; then return; fi 2>/dev/null
    sleep 0.1
  done
  echo "the server does not listen"; exit 1
}
# The last line of the answer to $1 is $2, whatever is said before.
expect() {
  printf '%s\n' "$1" >&3
  while read -r -t 10 line <&3; do
    if [[ $line == "$2" ]]; then return; fi
  done
  echo "asked $1: no answer $2"; exit 1
}

start
printf 'mine\na = 41\n' >&3
expect 'a + 1' 42
kill -TERM "$pid"
wait "$pid"
exec 3>&-
[[ -s $state/mine.session ]] || { echo "nothing was saved"; exit 1; }
start
printf 'mine\n' >&3
expect 'a + 2' 43
printf 'b = a * 2\n' >&3
expect 'b' 82
echo "the session went on after the restart"
