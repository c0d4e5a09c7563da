# Sourced by the tests on real programs: a server that misbehaves, a state file and a home of the test's
# own, and three words: ok, is, skip. The closing line is "N passed, N failed, N skipped".
# shellcheck shell=bash
set -u

BUILD=$(realpath "${BUILD:-build/release}")
export PATH=$BUILD:$PATH
folder=$(mktemp -d)
export LANG=C.UTF-8 GUSSET_STATE=$folder/state HOME=$folder/home XDG_CONFIG_HOME=$folder/home/.config
unset GUSSET_CONFIG GUSSET_POLICY_IMPLIED GUSSET_MODE GUSSET_LOG GUSSET_ONLY GUSSET_SKIP GUSSET_POLICY GUSSET_SET TRACEPARENT TRACESTATE
unset LC_ALL LC_CTYPE GUSSET_REQUEST_ID GUSSET_TENANT_ID GUSSET_PROJECT_ID http_proxy https_proxy all_proxy no_proxy
mkdir -p "$XDG_CONFIG_HOME"
passed=0 failed=0 skipped=0
servers=()

finish() {
    for pid in ${servers[@]+"${servers[@]}"}; do kill "$pid" 2>/dev/null; done
    rm -rf "$folder"
}
trap finish EXIT

# start_upstream: sets port and control. A server that does not answer is started again, and said so.
start_upstream() {
    local try
    for try in 1 2 3; do
        : >"$folder/ports" # the server's own redirection may come later than the first look
        "$BUILD/upstream" --daemon --quiet "$@" >>"$folder/ports" &
        servers+=($!)
        for _ in $(seq 200); do
            [ "$(wc -l <"$folder/ports")" -ge 2 ] && break
            sleep 0.02
        done
        port=$(awk '$1 == "port" {print $2}' "$folder/ports")
        control=127.0.0.1:$(awk '$1 == "control" {print $2}' "$folder/ports")
        ask total >/dev/null && return
        echo "# the server did not start at try $try; its ports: $(tr '\n' ' ' <"$folder/ports")"
    done
    echo "# there is no server: the tests that follow cannot hold"
}

ask() { command curl -s "http://$control/$1"; }

pass() {
    passed=$((passed + 1))
    echo "ok $((passed + failed)) - $1"
}

fail() {
    failed=$((failed + 1))
    echo "not ok $((passed + failed)) - $1"
    shift
    [ $# -eq 0 ] || printf '#   %s\n' "$@"
}

# ok NAME COMMAND...: the command succeeds
ok() {
    local name=$1
    shift
    if "$@"; then pass "$name"; else fail "$name" "failed: $*"; fi
}

# is NAME GOT WANTED
is() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    elif [[ $2$3 == *$'\n'* ]]; then
        fail "$1" "got (-) and wanted (+):" "$(diff -U 1 <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed '1,2d' | cut -c1-300 | head -n 40)"
    else
        fail "$1" "got:    ${2:0:300}" "wanted: ${3:0:300}"
    fi
}

# at_most NAME GOT LIMIT, at_least NAME GOT LIMIT: whole numbers
at_most() {
    if [ "$2" -le "$3" ]; then pass "$1 ($2)"; else fail "$1" "got $2, at most $3 wanted"; fi
}
at_least() {
    if [ "$2" -ge "$3" ]; then pass "$1 ($2)"; else fail "$1" "got $2, at least $3 wanted"; fi
}

skip() {
    skipped=$((skipped + 1))
    echo "ok $((passed + failed)) # SKIP $1: $2"
}

# forget: closed circuits, full budgets, counts from zero
forget() {
    rm -f "$GUSSET_STATE"
    ask zero >/dev/null
}

# counted NAME: a counter of gusset's, all hosts and policies together
counted() {
    gusset status --json | sed 's/"window":{[^}]*}//g; s/"budget":{[^}]*}//g; s/"errors":{[^}]*}//g' | grep -o "\"$1\":[0-9]*" |
        awk -F: '{sum += $2} END {print sum + 0}'
}

# config FILE: writes standard input to it as a configuration that may be trusted
config() {
    cat >"$1"
    chmod 600 "$1"
}

# ---- for what a command says ----

# exits NAME STATUS COMMAND...: leaves what it printed in $out and $err
exits() {
    local name=$1 wanted=$2
    shift 2
    "$@" >"$folder/out" 2>"$folder/err"
    local got=$?
    out=$(cat "$folder/out") err=$(cat "$folder/err")
    if [ $got -eq "$wanted" ]; then pass "$name"; else fail "$name" "exit $got, wanted $wanted: $*" "$err"; fi
}
# says NAME TEXT PATTERN, is_silent NAME TEXT PATTERN
says() {
    if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1" "no match for $3 in:" "$2"; fi
}
is_silent() {
    if grep -qE -- "$3" <<<"$2"; then fail "$1" "found $3 in:" "$2"; else pass "$1"; fi
}
is_json() {
    if ! command -v python3 >/dev/null; then
        skip "$1" "python3 is not installed"
    elif python3 -c 'import json,sys; [json.loads(l) for l in sys.stdin if l.strip()]' <<<"$2" 2>/dev/null; then
        pass "$1"
    else
        fail "$1" "$2"
    fi
}
# field TEXT EXPRESSION: of a JSON object d
field() { python3 -c "import json,sys; d=json.loads(sys.argv[1]); print($2)" "$1" 2>&1; }

schemas=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../conf/schema")
# fits NAME SCHEMA TEXT: each line of the text is an object as the schema wants it
fits() {
    local fault
    if ! python3 -c 'import jsonschema' 2>/dev/null; then
        skip "$1" "python3-jsonschema is not installed"
        return
    fi
    fault=$(python3 -c '
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
lines = [l for l in sys.stdin if l.strip()]
assert lines, "nothing was printed"
for line in lines:
    jsonschema.validate(json.loads(line), schema)' "$schemas/$2.json" <<<"$3" 2>&1)
    is "$1" "$(tail -n 1 <<<"$fault")" ""
}

done_testing() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

# What a client that is not there would have said is no finding: the suite names it and ends.
for missing in $(grep -o 'BUILD/clients/[a-z0-9_]*' "$0" | cut -d / -f 3 | sort -u); do
    [ -e "$BUILD/clients/$missing" ] && continue
    fail "client missing: $missing" "make $(realpath --relative-to=. "$BUILD/clients/$missing") builds it, make programs all of them"
done
[ "$failed" -eq 0 ] || done_testing
