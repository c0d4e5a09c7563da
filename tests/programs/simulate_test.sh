#!/bin/bash
# simulate and replay: what they say, and that they say what happens. The same scenario is played on loopback, by real
# clients under the shim against a real server, and on the virtual clock: load and success are the same within 10 %.
. "$(dirname "$0")/lib.sh"

# number JSON POLICY KEY: of the run of that policy
number() { jq -r --arg policy "$2" --arg key "$3" '.runs[] | select(.policy == $policy)[$key]' <<<"$1"; }

# within NAME GOT WANTED: at most a tenth away
within() {
    if awk -v got="$2" -v wanted="$3" 'BEGIN {exit !(got >= 0.9 * wanted && got <= 1.1 * wanted && wanted > 0)}'; then
        pass "$1 ($2 simulated, $3 in truth)"
    else
        fail "$1" "simulated: $2" "in truth:  $3"
    fi
}

# ---- the truth, on two servers side by side while the rest of this file goes on ----
clients=20 period_ms=200 run_ms=6000
world=(--clients "$clients" --rate 100 --duration "${run_ms}ms" --latency 20ms --workers 1000)
policy=(--policy standard --set retry.backoff.base=50ms --set breaker.open=500ms --set breaker.open_cap=500ms)
trouble_ms=1750 # no multiple of the open time: no probe falls on its edge

start_upstream
ask 'mode?delay=20' >/dev/null
{
    GUSSET_STATE=$folder/outage gusset run "${policy[@]}" -- "$BUILD/clients/paced" "http://127.0.0.1:$port/" $clients $period_ms $run_ms >"$folder/outage.txt"
    GUSSET_STATE=$folder/outage counted attempts >>"$folder/outage.txt"
} &
outage=$!
(
    sleep 1.5
    ask "down?for=$trouble_ms" >/dev/null
) &
outage_begins=$!
start_upstream
ask 'mode?delay=20&fail=30&seed=7' >/dev/null
GUSSET_STATE=$folder/flaky gusset run "${policy[@]}" -- "$BUILD/clients/paced" "http://127.0.0.1:$port/" $clients $period_ms $run_ms >"$folder/flaky.txt" &
flaky=$!
flaky_control=$control
# a twentieth is answered late, and made a second time
start_upstream
hedge=(--set hedge.after=150ms)
ask 'mode?delay=20&late=380&fail=5&seed=7' >/dev/null
{
    GUSSET_STATE=$folder/tail gusset run "${policy[@]}" "${hedge[@]}" --record "$folder/tail.rec" -- "$BUILD/clients/paced" "http://127.0.0.1:$port/" $clients $period_ms $run_ms >"$folder/tail.txt"
    GUSSET_STATE=$folder/tail counted hedged >>"$folder/tail.txt"
    GUSSET_STATE=$folder/tail counted hedge_won >>"$folder/tail.txt"
} &
tail=$!
tail_control=$control
# and bare, recorded: another server that fails in the same way
start_upstream
ask 'mode?delay=20&fail=30&seed=7' >/dev/null
GUSSET_STATE=$folder/bare gusset run --shadow --record "$folder/bare.rec" "${policy[@]}" -- "$BUILD/clients/paced" "http://127.0.0.1:$port/secret/path" $clients $period_ms $run_ms >"$folder/bare.txt" &
bare=$!

# ---- what they say ----
said=$(gusset simulate --scenario outage --policy standard --policy aggressive)
is "a timeline for each policy, and for the program without gusset" "$(grep -c ' load  ' <<<"$said")" 3
is "no circuit without gusset" "$(grep -c ' circuit ' <<<"$said")" 2
is "the totals of each" "$(awk '$1 ~ /^(bare|standard|aggressive)$/ && $2 ~ /^[0-9]+$/ {print $1}' <<<"$said" | tr '\n' ' ')" "bare standard aggressive "
is "the same seed, the same result" "$(gusset simulate -s flaky --json)" "$(gusset simulate -s flaky --json)"
ok "another seed, another one" [ "$(gusset simulate -s flaky --json --seed 2)" != "$(gusset simulate -s flaky --json)" ]
for scenario in outage brownout slow flaky tail overload; do
    is "$scenario has a timeline of 60 slices for each run" "$(gusset simulate -s $scenario --json | jq -c '[.runs[].timeline | length]')" "[60,60]"
done
is "second attempts are told where a rule makes any" \
    "$(gusset simulate -s tail --set hedge.after=p95 | grep -c '^standard: [0-9]* second attempts (hedge), .* answered first$') $(gusset simulate -s tail | grep -c 'second attempts')" "1 0"
ok "and take the tail off" [ "$(gusset simulate -s tail --set hedge.after=p95 --json | jq '.runs[1].p99_ms < .runs[0].p99_ms / 2')" = true ]
is "a trouble may begin at once" "$(gusset simulate -s slow --from 0s --for 10s --json | jq -c '.scenario | [.from_ms, .until_ms]')" "[0,10000]"
is "and has its time where only its length is said" "$(gusset simulate -s slow --for 10s --json | jq -c '.scenario | [.from_ms, .until_ms]')" "[15000,25000]"
is "numbers at the end of what may be asked for" \
    "$(gusset simulate -s slow --clients 1 --rate 1e-300 --latency 168h --json | jq -c '.runs[1] | [.calls, .p99_ms]') $(gusset simulate -s overload --rate 1e6 --clients 1 --duration 400ms --latency 168h --json | jq -c .scenario.workers)" "[0,0] 1000000"
is "nothing is remembered" "$(gusset status 2>&1 | grep -c service.example)" 0
gusset simulate -s brownout --svg "$folder/picture.svg" >/dev/null
if command -v xmllint >/dev/null; then
    ok "the picture is XML" xmllint --noout "$folder/picture.svg"
else
    skip "the picture is XML" "there is no xmllint"
fi
is "the picture has a curve for each run in each of its three panels" "$(grep -c '<polyline' "$folder/picture.svg")" 6
gusset simulate -s tail --set hedge.after=p95 --svg "$folder/picture.svg" >/dev/null
is "and a dashed one of second attempts, where there are any" "$(grep -c '<polyline' "$folder/picture.svg") $(grep -c 'stroke-dasharray' "$folder/picture.svg")" "7 1"
config "$folder/rules.cfg" <<'END'
version = 1;
policies: { careful: { extends = "standard"; breaker: { open = "1s"; }; }; };
hosts = ( { match = "api.example.com"; paths = ["/v1/*"]; policy = "careful"; mode = "shadow"; } );
END
is "the rule that wins for the URL is tried, in shadow or not" \
    "$(gusset simulate -s outage --config "$folder/rules.cfg" --json http://api.example.com/v1/x | jq -c '[.runs[1].policy, .runs[1].opened > 0]')" '["careful",true]'
config "$folder/dealt.cfg" <<'END'
version = 1;
hosts = ( { match = "*"; variants = ( { weight = 50; policy = "standard"; }, { weight = 50; policy = "aggressive"; } ); } );
END
is "of variants the seed draws one, the same each time" \
    "$(for i in 1 1 1 1 1 1; do gusset simulate -s flaky --config "$folder/dealt.cfg" --seed $i --json | jq -c '.runs[1] | [.policy, .attempts]'; done | sort -u | wc -l)" 1
is "another seed another one" \
    "$(for i in $(seq 16); do gusset simulate -s flaky --config "$folder/dealt.cfg" --seed $i --duration 1s --json | jq -r '.runs[1].policy'; done | sort -u | tr '\n' ' ')" "aggressive standard "
is "a URL that no rule means is a fault" "$(gusset simulate -s outage --config "$folder/rules.cfg" http://elsewhere.example/ 2>&1)" \
    "gusset: simulate: no rule matches the place; name another (simulate URL), or a policy (--policy)"
gusset simulate --policy standard 2>"$folder/said"
is "without a scenario the list is shown" "$? $(grep -c 'outage, brownout, slow, flaky, tail, overload' "$folder/said")" "2 1"
gusset simulate -s outage --from 70s 2>/dev/null
is "a trouble behind the end is misuse" $? 2
gusset simulate -s outage --policy nowhere 2>"$folder/said"
is "an unknown policy is named" "$? $(grep -c nowhere "$folder/said")" "1 1"
is "every example of --help is a command that works" \
    "$(cd "$folder" && gusset simulate --help | sed -n '/^examples:/,$s/^  \(gusset .*\)/\1/p' | while read -r line; do bash -c "$line" >/dev/null && echo fine; done | sort | uniq -c | tr -s ' ')" " 5 fine"

# ---- replay ----
{
    # line CALL AT-US OUTCOME STATUS [TOOK-US]
    line() { printf '{"pid":1,"call":%d,"host":"api.example.com:80","policy":"x","method":"GET","opened_us":%d,"attempt":1,"began_us":%d,"ended_us":%d,"outcome":"%s","status":%d,"sent":1}\n' "$1" "$2" "$2" $(($2 + ${5:-20000})) "$3" "$4"; }
    for i in $(seq 100); do if [ $((i % 5)) = 0 ]; then line "$i" $((i * 100000)) server_error 503; else line "$i" $((i * 100000)) success 200; fi; done
} >"$folder/even.rec"
result=$(gusset replay "$folder/even.rec" --policy standard --json)
is "a replay tells what was" "$(jq -c '.total | [.calls, .attempts, .good, .refused]' <<<"$result")" "[100,100,80,0]"
at_least "and which calls would have been saved" "$(jq .total.saved <<<"$result")" 15
is "none is lost" "$(jq .total.lost <<<"$result")" 0
ok "each saved call took an attempt" [ "$(jq '.total.new_attempts - .total.attempts >= .total.saved' <<<"$result")" = true ]
result=$(gusset replay "$folder/even.rec" --policy standard --set breaker.consecutive=1 --set retry.attempts=1 --set breaker.open=2s --json)
at_least "a policy that refuses is told by what it refuses" "$(jq .total.new_refused <<<"$result")" 50
ok "and by what is lost" [ "$(jq '.total.lost > 40' <<<"$result")" = true ]
is "for people, too" "$(gusset replay "$folder/even.rec" --policy standard | grep -c 'Under standard: .* calls saved')" 1
for i in $(seq 200); do line "$i" $((i * 100000)) success 200 $((i % 20 == 0 ? 900000 : 20000)); done >"$folder/tailed.rec"
result=$(gusset replay "$folder/tailed.rec" --policy standard --set hedge.after=p95 --json)
ok "a replay tells what second attempts would have added and saved" \
    [ "$(jq -c '.total | .new_hedged >= 5 and .new_hedged <= 15 and .new_attempts == .attempts + .new_hedged and .new_hedge_won >= 5 and .new_p99_ms < .p99_ms / 3' <<<"$result")" = true ]
is "for people, too" "$(gusset replay "$folder/tailed.rec" --policy standard --set hedge.after=p95 | grep -c 'are second ones side by side (hedge), of which [0-9]* answer first')" 1
printf '#!/bin/sh\ncurl -s http://127.0.0.1:%s/' "$port" >"$folder/nightly-sync"
chmod +x "$folder/nightly-sync"
is "every example of its --help is a command that works" \
    "$(cd "$folder" && gusset replay --help | sed -n '/^examples:/,$s/^  \(gusset .*\)/\1/p' | while read -r line; do bash -c "$line" >/dev/null && echo fine; done | sort | uniq -c | tr -s ' ')" " 3 fine"
echo '{"host":"x"}' >"$folder/odd.rec"
gusset replay "$folder/odd.rec" 2>"$folder/said"
is "what is no record is named by its line" "$? $(grep -c 'line 1 ' "$folder/said")" "1 1"
gusset replay 2>"$folder/said"
is "without a file it says how to make one" "$? $(grep -c 'run --record' "$folder/said")" "2 1"
gusset run --record /nonexistent/x --policy quick -- true 2>"$folder/said"
is "a record that cannot be made stops the run" "$? $(grep -c record "$folder/said")" "125 1"

# ---- the record ----
start_upstream # one that nobody else uses
recorded() { gusset run --policy quick --set retry.backoff.base=5ms --record "$folder/run.rec" -- "$@" >/dev/null 2>&1; }
recorded curl -s "http://127.0.0.1:$port/secret?status=503&first=1&key=a"
is "a call that was rescued is two lines" "$(jq -c '[.host, .method, .call, .attempt, .outcome, .status]' "$folder/run.rec" | tr '\n' ' ')" \
    "[\"127.0.0.1:$port\",\"GET\",1,1,\"server_error\",503] [\"127.0.0.1:$port\",\"GET\",1,2,\"success\",200] "
is "the second began when the first had ended, and was waited for" \
    "$(jq -s '.[0].opened_us == .[1].opened_us and .[0].began_us == .[0].opened_us and .[1].began_us >= .[0].ended_us and .[1].ended_us >= .[1].began_us' "$folder/run.rec")" true
recorded curl -sZ "http://127.0.0.1:$port/[1-20]"
is "in a multi handle each call is one" "$(jq -s 'map(.call) | unique | length' "$folder/run.rec")" 20
recorded bash -c "for i in \$(seq 20); do curl -s http://127.0.0.1:$port/ & done; wait"
is "processes write to one record side by side" "$(jq -s 'map(.pid) | unique | length' "$folder/run.rec")" 20
recorded bash -c ': </dev/tcp/127.0.0.1/1'
is "a connect has no method" "$(jq -c '[.host, .method, .attempt, .outcome, .errno]' "$folder/run.rec" | tr '\n' ' ')" \
    '["127.0.0.1:1",null,1,"connect",111] ["127.0.0.1:1",null,2,"connect",111] '
rm -f "$GUSSET_STATE"
gusset run --policy quick --set breaker.consecutive=1 --set retry.attempts=1 --record "$folder/run.rec" -- curl -s "http://127.0.0.1:$port/?status=503&key=[1-3]" >/dev/null 2>&1
is "a call that was refused is a line that says so" "$(jq -r .outcome "$folder/run.rec" | tr '\n' ' ')" "server_error circuit_open circuit_open "
is "and a replay makes of it what the host was like" "$(gusset replay "$folder/run.rec" --policy quick --json | jq -c '.total | [.calls, .attempts, .refused, .new_good, .new_attempts > 3]')" "[3,1,2,0,true]"
ln -s "$folder/elsewhere.rec" "$folder/link.rec"
gusset run --policy quick --record "$folder/link.rec" -- curl -s "http://127.0.0.1:$port/" >/dev/null
is "a record may be named by a link, and is for its user alone" "$(wc -l <"$folder/elsewhere.rec") $(stat -c %a "$folder/elsewhere.rec")" "1 600"

# ---- the truth and the simulation ----
wait "$outage" "$outage_begins" "$flaky" "$tail" "$bare"
read -r calls good < <(head -1 "$folder/outage.txt")
attempts=$(tail -1 "$folder/outage.txt")
simulated=$(gusset simulate -s outage "${world[@]}" "${policy[@]}" --from 1500ms --for ${trouble_ms}ms --json)
within "an outage: load" "$(number "$simulated" standard attempts)" "$attempts"
within "an outage: calls" "$(number "$simulated" standard calls)" "$calls"
within "an outage: success" "$(number "$simulated" standard success)" "$(awk -v g="$good" -v c="$calls" 'BEGIN {print g / c}')"

read -r calls good <"$folder/flaky.txt"
control=$flaky_control
simulated=$(gusset simulate -s flaky --failing 30 "${world[@]}" "${policy[@]}" --json)
within "random failures: load" "$(number "$simulated" standard attempts)" "$(ask total)"
within "random failures: calls" "$(number "$simulated" standard calls)" "$calls"
within "random failures: success" "$(number "$simulated" standard success)" "$(awk -v g="$good" -v c="$calls" 'BEGIN {print g / c}')"

is "a record holds neither path nor query" "$(grep -c secret "$folder/bare.rec")" 0
read -r bare_calls _ <"$folder/bare.txt"
is "but every call" "$(wc -l <"$folder/bare.rec")" "$bare_calls"
replayed=$(gusset replay "$folder/bare.rec" "${policy[@]}" --json)
within "bare calls, replayed: load" "$(jq .total.new_attempts <<<"$replayed")" "$(ask total)"
within "bare calls, replayed: success" "$(jq '.total.new_good / .total.calls' <<<"$replayed")" "$(awk -v g="$good" -v c="$calls" 'BEGIN {print g / c}')"

# A machine that is too busy to answer in 150 ms hedges more: of ten calls hardly one.
{ read -r calls good && read -r hedged && read -r won; } <"$folder/tail.txt"
control=$tail_control
simulated=$(gusset simulate -s tail "${world[@]}" "${policy[@]}" "${hedge[@]}" --json)
within "a slow tail: load" "$(number "$simulated" standard attempts)" "$(ask total)"
within "a slow tail: calls" "$(number "$simulated" standard calls)" "$calls"
within "a slow tail: success" "$(number "$simulated" standard success)" "$(awk -v g="$good" -v c="$calls" 'BEGIN {print g / c}')"
at_least "a slow tail: second attempts" "$hedged" $(($(number "$simulated" standard hedged) * 6 / 10))
at_most "and not many more than simulated" "$hedged" $(($(number "$simulated" standard hedged) * 14 / 10 + calls / 10))
at_least "which won in truth" "$won" $(($(number "$simulated" standard hedge_won) / 2))
at_least "and in the simulation" "$(number "$simulated" standard hedge_won)" $(($(number "$simulated" standard hedged) / 2))
is "a record tells of second attempts" "$(grep -c '"hedged_us":' "$folder/tail.rec")" "$hedged"
replayed=$(gusset replay "$folder/tail.rec" "${policy[@]}" "${hedge[@]}" --json)
is "and a replay, too" "$(jq -c '.total | [.hedged, .attempts]' <<<"$replayed")" "[$hedged,$((calls + hedged))]"

done_testing
