#!/bin/bash
# A session goes on where it was after the server was ended and started again.
set -euo pipefail
server=$1
state=$(mktemp -d)
pid=

# Ends the server and waits until it has: it saves its sessions at its end.
stop() {
  [[ -n $pid ]] || return 0
  local ended=$pid
  pid=
  kill -TERM "$ended" 2>/dev/null || true
  wait "$ended"
}
trap 'stop || true; rm -rf "$state"' EXIT

# A port may be somebody else's; the server then ends at once, and another is tried.
start() {
  for _ in $(seq 20); do
    local port=$((20000 + RANDOM % 20000))
    "$server" --port "$port" --state "$state" > "$state/log" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
      if grep -q "at port $port" "$state/log"; then
        exec 3<>"/dev/tcp/localhost/$port"
        return
      fi
      sleep 0.05
    done
    wait "$pid" || true
    pid=
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
stop
exec 3>&-
[[ -s $state/mine.session ]] || { echo "nothing was saved"; exit 1; }
start
printf 'mine\n' >&3
expect 'a + 2' 43
printf 'b = a * 2\n' >&3
expect 'b' 82
echo "the session went on after the restart"
