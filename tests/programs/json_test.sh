#!/bin/bash
# What each verb says with --json, held against its schema in conf/schema. Calls go to port 1 of this machine, where
# nobody listens.
# shellcheck disable=SC2154 # folder, out and err are lib.sh's
. "$(dirname "$0")/lib.sh"
if ! python3 -c 'import jsonschema' 2>/dev/null; then
    skip "JSON fits its schemas" "python3-jsonschema is not installed"
    done_testing
fi
config "$folder/rules.cfg" <<'E2'
policies: { a: { extends = "quick"; limit: { rate = 100; key = "${GUSSET_TENANT_ID:-}"; };
                 headers = ( { name = "X-A"; value = "hidden"; } ); }; };
hosts = ( { match = "127.0.0.1"; policy = "a"; methods = ["GET"]; }, { match = "127.0.0.0/8"; policy = "standard"; },
          { match = "*"; policy = "quick"; mode = "shadow"; } );
services = ( { name = "gone"; url = "http://127.0.0.1:1"; health: { type = "tcp"; failures = 1; }; },
             { name = "alone"; url = "http://127.0.0.1:2"; } );
E2
export GUSSET_CONFIG=$folder/rules.cfg
config "$folder/other.cfg" <<<'policies: { mine: { extends = "quick"; }; }; hosts = ( { match = "elsewhere.example"; policy = "mine"; } );'

# hold NAME SCHEMA TEXT: to be held against it, with all the others, at the end: starting python takes longer
mkdir "$folder/held"
hold() { printf '%s\n%s' "$1" "$3" >"$folder/held/$(printf %03d "$(find "$folder/held" -type f | wc -l)").$2"; }
# one NAME SCHEMA STATUS COMMAND...: prints one object and nothing but it, and ends with that status
one() {
    local name=$1 schema=$2 wanted=$3
    shift 3
    exits "$name" "$wanted" "$@"
    is "says it in one line" "$(wc -l <<<"$out")" 1
    hold "$name" "$schema" "$out"
}
# none NAME STATUS COMMAND...: what went wrong is said on standard error, and nothing else
none() {
    exits "$@"
    is "with a sentence and no JSON" "${out:-nothing}/$(grep -c '^gusset: ' <<<"$err")" nothing/1
}

# ---- what is ----
one "status before there is a state" status 0 gusset status --json
one "metrics before there is a state" metrics 0 gusset metrics --json
hold "a report of a run" report "$(gusset run --tenant t --report --json -- sh -c 'curl -s http://127.0.0.1:1/; curl -s http://localhost:1/' 2>&1)"
gusset run -- curl -s http://127.0.0.1:1/
gusset trip 127.0.0.1:2 >/dev/null
one "status of all" status 0 gusset status --json
one "status of one" status 0 gusset status --json 127.0.0.1:1
hold "events" events "$(gusset events --json -n all)"
one "explain of a URL" explain 0 gusset explain --json http://127.0.0.1:1/
one "of a host and port that no rule means" explain 1 gusset explain --json --config "$folder/other.cfg" 127.0.0.1:1
one "of a policy" explain 0 gusset explain --json --policy external
one "of a service" explain 0 gusset explain --json http://alone/v1
hold "doctor of a program" doctor "$(gusset doctor --json curl)"
hold "of a process" doctor "$(gusset doctor --json $$)"
one "check of a fine file" check 0 gusset check --json
one "of a faulty one" check 1 gusset check --json --set retry.bogus=1
one "metrics" metrics 0 gusset metrics --json
one "services" services 0 gusset services --json
hold "each setting of the example" services "$(gusset services --json --config "$(realpath "$schemas/../gusset.cfg")")"
one "health" health 2 gusset health --json gone
one "a simulation" simulate 0 gusset simulate --json -s flaky --policy quick --policy standard
gusset run --policy quick --record "$folder/rec" -- curl -s http://127.0.0.1:1/ http://localhost:1/
one "a replay" replay 0 gusset replay --json "$folder/rec" --policy standard

# ---- what was done ----
gusset reset >/dev/null
one "trip for a time" trip 0 gusset trip 127.0.0.1:1 --for 10m --json
is "tells the circuits that it opened, and what they were" \
    "$(field "$out" '[(c["host"], c["before"], c["circuit"], c["for_ms"]) for c in d["circuits"] if c["policy"] == "a"]')" \
    "[('127.0.0.1:1', 'closed', 'open', 600000)]"
one "trip until it is reset" trip 0 gusset trip 127.0.0.1:1 --json
is "has no time" "$(field "$out" 'set(c["for_ms"] for c in d["circuits"])')" "{None}"
none "trip of a host that nobody knows" 1 gusset trip nowhere.example --json
one "reset" reset 0 gusset reset 127.0.0.1:1 --json
is "tells those that it closed" "$(field "$out" '[c["before"] for c in d["circuits"] if c["policy"] == "a"], set((c["circuit"], c["held"]) for c in d["circuits"])')" \
    "['open'] {('closed', False)}"
one "reset where all are closed" reset 0 gusset reset 127.0.0.1:1 --json
is "tells of none" "$(field "$out" 'd["circuits"]')" "[]"
one "reset --hold" reset 0 gusset reset 127.0.0.1:1 --hold --for 1h --json
is "tells which are held, and how long" "$(field "$out" 'set((c["held"], c["for_ms"]) for c in d["circuits"])')" "{(True, 3600000)}"
none "reset of a host that nobody knows" 1 gusset reset nowhere.example --json
one "reset before there is a state" reset 0 gusset reset --state "$folder/none" --json
none "of one host" 1 gusset reset --state "$folder/none" 127.0.0.1:1 --json
one "off" mode 0 gusset off --json
is "tells the mode of all hosts" "$(field "$out" 'd["mode"], d["host"], d["state"]')" "off None $GUSSET_STATE"
is "and it holds" "$(field "$(gusset status --json)" 'd["mode"]')" off
one "on" mode 0 gusset on --json
is "says that it is as configured" "$(field "$out" 'd["mode"]')" configured
one "mode of a host" mode 0 gusset mode shadow --host api.example.com --json
is "tells of whom" "$(field "$out" 'd["mode"], d["host"]')" "shadow api.example.com"
none "a mode that is none" 2 gusset mode sometimes --json
one "reload" reload 0 gusset reload --json
is "tells the file, and that it was compiled" "$(field "$out" 'd["file"], d["compiled"], d["told"]')" "$folder/rules.cfg False True"
one "reload where nobody runs" reload 0 gusset reload --json --config "$folder/other.cfg" --state "$folder/none"
is "says so" "$(field "$out" 'd["compiled"], d["told"]')" "True False"
none "reload of nothing" 1 env -u GUSSET_CONFIG gusset reload --json
echo 'nonsense = 1;' >>"$folder/other.cfg"
exits "reload of a faulty file" 1 gusset reload --json --config "$folder/other.cfg"
is "has the faults on standard error" "${out:-nothing} $(grep -c 'nonsense' <<<"$err")" "nothing 1"

# ---- all of them ----
for verb in $(gusset help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
    case $verb in
    help | completion) continue ;; # texts for people, and for shells
    esac
    says "$verb has --json" "$(gusset "$verb" --help)" '^  --json  '
done
faults=$(python3 - "$schemas" "$folder"/held/* <<'E2'
import json, os, sys
from jsonschema import Draft202012Validator as Validator

schemas = {}
for name in os.listdir(sys.argv[1]):
    schemas[name] = json.load(open(os.path.join(sys.argv[1], name)))
    Validator.check_schema(schemas[name])
for path in sys.argv[2:]:
    schema = path.rsplit(".", 1)[1] + ".json"
    name, _, text = open(path).read().partition("\n")
    faults = "" if text.strip() else "nothing was printed"
    for line in text.splitlines():
        faults += "".join(f"{e.json_path}: {e.message[:200]} " for e in Validator(schemas[schema]).iter_errors(json.loads(line)))
    print(f"{name}, held against {schema}\t{faults}")
E2
)
while IFS=$'\t' read -r name fault; do is "$name" "$fault" ""; done <<<"$faults"
is "each was held against one" "$(wc -l <<<"$faults")" "$(find "$folder/held" -type f | wc -l)"
for schema in "$schemas"/*.json; do
    says "something was held against $(basename "$schema")" "$faults" "held against $(basename "$schema")"
done
is "a schema that does not fit is found out" "$(fits x check '{"file": 1}' 2>&1 | grep -c '^not ok')" 1

done_testing
