# Shared shell pieces of script/*: messages, timed steps, hashes. Sourced, never run.
# shellcheck shell=bash disable=SC2034

CV_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)

say() { printf '%s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# hash_of TEXT...: 12 hex digits, for the names of cache folders.
hash_of() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# A line every second on a terminal, every 30 seconds elsewhere, so that a long step never looks dead.
_ticker() {
    local text=$1 parent=$2 log=$3 s=0
    while sleep 1 && kill -0 "$parent" 2>/dev/null; do
        s=$((s + 1))
        if [[ -t 2 ]]; then
            printf '\r\033[K  %s ... %ss' "$text" "$s" >&2
        elif ((s % 30 == 0)); then
            say "  $text ... ${s}s: $(tail -c 300 "$log" 2>/dev/null | tr '\r' '\n' | tail -n 1 | cut -c1-100)"
        fi
    done
}

# step TEXT COMMAND...: run it with its output in a log; one line with seconds when done, the log's end when it fails.
# The command stays in the foreground (Ctrl-C reaches it), the ticker in the background; fd 9 is the lock.
step() {
    local text=$1 rc=0 started=$SECONDS log errexit=$-
    shift
    mkdir -p "$CV_CACHE"
    log=$CV_CACHE/log.$$
    : >"$log"
    _ticker "$text" $$ "$log" 9>&- &
    CV_TICKER=$!
    # Not `|| rc=$?`: that would switch `set -e` off inside the step.
    set +e
    (set -e; "$@") >"$log" 2>&1 </dev/null
    rc=$?
    [[ $errexit == *e* ]] && set -e
    kill "$CV_TICKER" 2>/dev/null || true
    wait "$CV_TICKER" 2>/dev/null || true
    CV_TICKER=
    [[ -t 2 ]] && printf '\r\033[K' >&2
    if ((rc)); then
        grep -v '^$' "$log" | tail -n 15 | sed 's/^/    | /' >&2
        rm -f "$log"
        die "$text failed after $((SECONDS - started)) s (its last lines are above)${CV_HINT:+. $CV_HINT}"
    fi
    rm -f "$log"
    printf '  %-58s %4ds\n' "$text" $((SECONDS - started)) >&2
}
