#!/bin/bash
# What all processes share: a rate limit, the retry budget, what a host asked for by Retry-After; each with real processes.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
config "$folder/l.cfg" <<'END'
policies: {
  thirty: { limit: { rate = 30; per = "6s"; burst = 5; }; };
  queue:  { limit: { rate = 20; per = "1s"; burst = 1; wait = "10s"; }; };
  own:    { limit: { rate = 1; per = "60s"; burst = 1; key = "${program}"; }; };
  users:  { limit: { rate = 1; per = "60s"; burst = 1; key = "${user}"; }; };
  asked:  { retry: { attempts = 1; retry_after = "5s"; }; };
  budget: { retry: { attempts = 4; backoff: { base = "0s"; }; budget: { ratio = 20; floor = 1; }; }; };
};
hosts = (
  { match = "127.0.0.1"; paths = ["/thirty*"]; policy = "thirty"; },
  { match = "127.0.0.1"; paths = ["/queue*"]; policy = "queue"; },
  { match = "127.0.0.1"; paths = ["/own*"]; policy = "own"; },
  { match = "127.0.0.1"; paths = ["/users*"]; policy = "users"; },
  { match = "127.0.0.1"; paths = ["/asked*"]; policy = "asked"; },
  { match = "127.0.0.1"; paths = ["/budget*"]; policy = "budget"; }
);
END
export GUSSET_CONFIG=$folder/l.cfg
gusset run -- true
wrapped() { LD_PRELOAD=$BUILD/libgusset.so timeout 30 "$@"; }
since_ms() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }

# ---- the rate limit ----
# Ten programs that loop, each in a process of its own: 30 calls in 6 s, 5 of them at once.
began=${EPOCHREALTIME/./}
pids=()
for _ in $(seq 10); do
    (while [ "$(since_ms "$began")" -lt 3000 ]; do LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/thirty"; done) &
    pids+=($!)
done
wait "${pids[@]}"
went=$(ask 'count?key=/thirty')
due=$((5 + $(since_ms "$began") * 30 / 6000))
at_most "ten processes together make no more calls than the rate lets them: $due in $(since_ms "$began") ms" "$went" $((due + 1))
at_least "and hardly fewer" "$went" $((due - 3))
at_least "the others are counted as limited" "$(counted limited)" 20

curl -s "$url/x?body=100" >"$folder/body"
began=${EPOCHREALTIME/./}
is "an event loop's calls are parked for their turn" \
    "$(wrapped "$BUILD/clients/many" poll 15 15 "$folder/body" "$url/queue?body=100" | head -n 1)" \
    "15 good, 0 with a wrong body, 0 failed, 0 faults"
at_least "at the rate, milliseconds" "$(since_ms "$began")" 690
began=${EPOCHREALTIME/./}
for _ in $(seq 8); do wrapped curl -s -o /dev/null "$url/queue" || fail "curl waits for its turn"; done
at_least "so are those of one process after the other, milliseconds" "$(since_ms "$began")" 340

cp "$(command -v curl)" "$folder/lruc"
is "\${program} gives each program a bucket" \
    "$(for p in curl "$folder/lruc" curl "$folder/lruc"; do wrapped "$p" -s -o /dev/null "$url/own"; echo $?; done | tr '\n' ' ')" "0 0 7 7 "
is "\${user} each user" "$(for p in curl "$folder/lruc"; do wrapped "$p" -s -o /dev/null "$url/users"; echo $?; done | tr '\n' ' ')" "0 7 "

# ---- the example ----
example=$(dirname "$0")/../../conf/examples/limits.cfg
ok "check takes the example of a service" gusset check "$example"
sed 's/api\.example\.com/127.0.0.1/; s/wait   = "2s"/wait = "0s"/' "$example" | config "$folder/service.cfg"
# lets PATH: of 25 calls in a row, how many go
lets() {
    forget
    GUSSET_CONFIG=$folder/service.cfg wrapped curl -s -o /dev/null "$url$1?key=[1-25]"
    ask total
}
printf -v far '%s ' "$(lets /v1/search/all)" "$(lets /v1/transform)" "$(lets /v1/embed)" "$(lets /v1/generate)" "$(lets /health)" "$(lets /)"
is "a path's limit is that of its policy: search, transform, embed, generate, health and the rest" "$far" "5 2 10 4 20 10 "
is "at its rate a minute" "$(for path in v1/search v1/transform v1/embed v1/generate health; do
    gusset explain "http://127.0.0.1/$path" --config "$folder/service.cfg" | awk '$1 == "limit.rate" {printf "%s ", $2}'
done)" "30 10 60 20 100 "

# ---- Retry-After ----
forget
wrapped curl -s -o /dev/null "$url/asked?status=429&retry_after=1"
began=${EPOCHREALTIME/./}
is "what a host asked of one process the next one heeds" "$(wrapped curl -s "$url/asked")" ok
at_least "it waits, milliseconds" "$(since_ms "$began")" 700
is "which is counted" "$(counted waited)" 1
wrapped curl -s -o /dev/null "$url/asked?status=503&retry_after=100"
began=${EPOCHREALTIME/./}
wrapped curl -s -o /dev/null "$url/asked"
at_most "but not what is longer than the rule honours, milliseconds" "$(since_ms "$began")" 700
wrapped curl -s -o /dev/null "$url/asked?status=429&retry_after=2"
is "gusset reset forgets it" "$(gusset reset "127.0.0.1:$port" >/dev/null; wrapped curl -s -m 1 "$url/asked")" ok

# ---- the retry budget ----
forget
pids=()
for _ in $(seq 12); do
    LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/budget/[1-20]?status=503" &
    pids+=($!)
done
wait "${pids[@]}"
is "twelve processes make 240 calls that fail" "$(counted calls)" 240
at_most "all their retries together are a fifth of that" "$(ask total)" $((240 + 48 + 12))
at_least "and not much less" "$(ask total)" $((240 + 30))
at_least "what was not paid for is counted" "$(counted unfunded)" 100
forget
wrapped curl -s -o /dev/null "$url/budget/[1-10]?status=503"
is "a program with few calls has the floor: one a second, over ten seconds" "$(ask total)" 20

done_testing
