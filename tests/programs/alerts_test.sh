#!/bin/bash
# The alert rules, by Prometheus' own engine: each fires when it should, says what it should, and is silent otherwise.
# shellcheck disable=SC2154 # folder, out and err are lib.sh's
. "$(dirname "$0")/lib.sh"
here=$(dirname "$(realpath "$0")")
rules=$here/../../conf/prometheus/gusset-alerts.yml
if ! command -v promtool >/dev/null; then
    skip "each alert fires when it should and not when it should not" "promtool (Debian's package prometheus) is not installed"
    done_testing
fi
cp "$here/alerts/alerts.yml" "$folder/"

# holds RULES: whether all of the cases come out as they should
holds() {
    cp "$1" "$folder/gusset-alerts.yml"
    promtool test rules "$folder/alerts.yml"
}
exits "each alert fires when it should and not when it should not" 0 holds "$rules"
[ "$failed" = 0 ] || echo "$out$err" | sed 's/^/#   /'
for alert in $(sed -n 's/.*- alert: //p' "$rules"); do
    says "there is a case for $alert" "$(sed -n 's/.*alertname: //p' "$here/alerts/alerts.yml")" "^$alert\$"
done

# spoiled NAME SED: rules that are worse are found out
spoiled() {
    sed -E "$2" "$rules" >"$folder/spoiled.yml"
    exits "$1" 1 holds "$folder/spoiled.yml"
    ok "because the rules differ" test -n "$(cmp "$rules" "$folder/spoiled.yml")"
}
spoiled "an alert that does not wait is found out" '/^ *for: /d'
spoiled "one that counts shadow, too" 's/mode="enforce", //; s/\{mode="enforce"\}//'
spoiled "one that never fires" 's/ == 1$/ == 2/; s/ > (0\.2|0\.1|0\.05|5|10)\>/ > 1e9/'
spoiled "one that fires too soon" 's/ > [0-9.]+/ > 0/'
spoiled "one that says something else" 's/circuit open"/circuit"/'

done_testing
