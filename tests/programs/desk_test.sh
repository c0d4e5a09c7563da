#!/bin/bash
# The operator's desk: figures for collectors, what is drawn on a terminal, completions. Calls go to port 1 of this
# machine, where nobody listens; scrapes are real ones.
# shellcheck disable=SC2154 # folder, out and err are lib.sh's
. "$(dirname "$0")/lib.sh"
quick=(gusset run --policy quick --set retry.backoff.base=1ms)

# promtool_is_content NAME TEXT
promtool_is_content() {
    if ! command -v promtool >/dev/null; then
        skip "$1" "promtool is not installed"
    else
        is "$1" "$(promtool check metrics <<<"$2" 2>&1)" ""
    fi
}

# ---- metrics ----
exits "metrics before any call are fine" 0 gusset metrics
says "and say that there is no state" "$out" '^gusset_state_exists 0$'
promtool_is_content "as promtool wants it" "$out"
for _ in 1 2 3; do "${quick[@]}" -- curl -s http://127.0.0.1:1/some/path?token=hidden; done
"${quick[@]}" --shadow -- curl -s http://127.0.0.1:2/
exits "metrics are told" 0 gusset metrics
at='host="127\.0\.0\.1:1",policy="quick",mode="enforce"'
says "calls, by host, policy and mode" "$out" "^gusset_calls_total\\{$at\\} 3$"
says "resends" "$out" "^gusset_retries_total\\{$at\\} 2$"
says "errors by their type" "$out" "^gusset_errors_total\\{$at,error_type=\"connect\"\\} 5$"
says "the circuit" "$out" "^gusset_circuit_state\\{$at,state=\"open\"\\} 1$"
says "and when it will probe" "$out" "^gusset_circuit_probe_in_seconds\\{$at\\} [0-4]\\."
says "durations, in OpenTelemetry's buckets" "$out" "^gusset_call_duration_seconds_bucket\\{$at,le=\"0.075\"\\} "
is "fourteen of them and the last" "$(grep -c "duration_seconds_bucket{.*:1\"" <<<"$out")" 15
says "counted once each" "$out" "^gusset_call_duration_seconds_count\\{$at\\} 3$"
says "shadow apart" "$out" 'gusset_would_retry_total\{host="127.0.0.1:2",policy="quick",mode="shadow"\} 1'
is_silent "neither path nor query" "$out" 'path|hidden'
promtool_is_content "promtool is content" "$out"
gusset trip odd.example:80 --policy quick >/dev/null
says "an open circuit that no time closes" "$(gusset metrics)" 'probe_in_seconds\{host="odd.example:80".* \+Inf$'
exits "metrics --json" 0 gusset metrics --json
is_json "is JSON" "$out"
is "with the same figures" "$(field "$out" '[s["value"] for m in d["metrics"] if m["name"] == "gusset_calls_total" for s in m["samples"] if s["labels"]["mode"] == "enforce"]')" "[3, 0]"

echo old >"$folder/gusset.prom"
ln "$folder/gusset.prom" "$folder/second"
exits "metrics --textfile" 0 gusset metrics --textfile "$folder/gusset.prom"
is "prints nothing" "$out$err" ""
says "writes the file" "$(cat "$folder/gusset.prom")" '^gusset_calls_total'
is "as a whole: who has the old one open reads on in it" "$(cat "$folder/second")" old
is "for the collector to read" "$(stat -c %a "$folder/gusset.prom")" 644
is "and leaves nothing beside it" "$(find "$folder" -name 'gusset.prom?*' | wc -l)" 0
exits "metrics --textfile where no file can be" 1 gusset metrics --textfile /proc/none/gusset.prom
says "tells the reason" "$err" 'No such file.*nothing was changed'
exits "metrics to two places is misuse" 2 gusset metrics --textfile a --listen 1
for where in nowhere:1 127.0.0.1:x 70000 '[::1' 300.1.1.1:80; do
    exits "--listen $where is refused" 1 gusset metrics --listen "$where"
done

# ---- metrics, served ----
gusset metrics --listen 0 >"$folder/served" &
server=$!
servers+=("$server")
for _ in $(seq 100); do [ -s "$folder/served" ] && break || sleep 0.05; done
url=$(cat "$folder/served") where=${url#http://} where=${where%/metrics}
says "the address is printed once it listens, on loopback" "$url" '^http://127\.0\.0\.1:[0-9]+/metrics$'
exits "a second one at the same port" 1 gusset metrics --listen "$where"
says "is told how to find another" "$err" 'port 0 takes a free one'
exits "a scrape by curl" 0 curl -sSi "$url"
says "is answered" "$out" '^HTTP/1.1 200 OK'
says "with Prometheus' type" "$out" '^Content-Type: text/plain; version=0.0.4'
says "and the figures" "$out" "^gusset_calls_total\\{$at\\} 3"
"${quick[@]}" -- curl -s http://127.0.0.1:1/
says "the next scrape sees what came since" "$(curl -s "$url?x=1")" "^gusset_calls_total\\{$at\\} 4"
is "HEAD has no body" "$(curl -sI "$url" | sed '1,/^\r$/d' | wc -c)" 0
is "another path is not found" "$(curl -s -o /dev/null -w '%{http_code}' "http://$where/other")" 404
is "/ points to the page" "$(curl -s "http://$where/")" "gusset: GET /metrics"
is "another method is not allowed" "$(curl -s -o /dev/null -w '%{http_code}' -d x=1 "$url")" 405
# raw REQUEST: the first line of the answer
raw() {
    exec 3<>"/dev/tcp/${where%:*}/${where#*:}"
    printf "$@" >&3
    head -n 1 <&3 | tr -d '\r'
    exec 3>&-
}
is "what is no request is refused" "$(raw 'hello\r\n\r\n')" "HTTP/1.1 400 Bad Request"
is "a request without a host, too" "$(raw 'GET /metrics HTTP/1.1\r\n\r\n')" "HTTP/1.1 400 Bad Request"
is "HTTP/1.0 needs none" "$(raw 'GET /metrics HTTP/1.0\r\n\r\n')" "HTTP/1.1 200 OK"
is "another version" "$(raw 'GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n')" "HTTP/1.1 505 HTTP Version Not Supported"
is "a head without end" "$(raw 'GET /metrics HTTP/1.1\r\nHost: a\r\nX: %09000d' 0)" "HTTP/1.1 431 Request Header Fields Too Large"
exec 4<>"/dev/tcp/${where%:*}/${where#*:}" # who says nothing holds up nobody
printf 'GET /metr' >&4
says "scrapes go on beside one that hangs" "$(curl -sS -m 2 "$url")" "^gusset_calls_total"
exec 5<>"/dev/tcp/${where%:*}/${where#*:}"
exec 4>&- 5>&-
held=()
for _ in $(seq 20); do # more than there are places
    exec {connection}<>"/dev/tcp/${where%:*}/${where#*:}"
    printf 'GET /metr' >&"$connection"
    held+=("$connection")
done
says "nor do many such" "$(curl -sS -m 3 "$url")" "^gusset_calls_total" # each has five seconds
for connection in "${held[@]}"; do exec {connection}>&-; done
# A page that a user visits can make its own name mean this machine: its browser would let it read what is here.
is "what is asked for under another name is refused" "$(raw 'GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n')" "HTTP/1.1 421 Misdirected Request"
says "and says under which" "$(curl -s -H 'Host: evil.example' "$url")" '^421 .*localhost'
is "localhost is this machine" "$(raw 'GET /metrics HTTP/1.1\r\nHost: localhost:9464\r\n\r\n')" "HTTP/1.1 200 OK"
gusset metrics --listen 0.0.0.0:0 >"$folder/everywhere" &
everywhere=$!
servers+=("$everywhere")
for _ in $(seq 100); do [ -s "$folder/everywhere" ] && break || sleep 0.05; done
is "who listens for all has any name" "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: metrics.example' "$(sed 's/0\.0\.0\.0/127.0.0.1/' "$folder/everywhere")")" 200
kill "$everywhere"
rm -f "$GUSSET_STATE"
says "a state that goes is told of" "$(curl -s "$url")" '^gusset_state_exists 0$'
kill -TERM $server
wait $server
is "SIGTERM ends it well" $? 0
servers=()

# ---- status on a terminal ----
rm -f "$GUSSET_STATE"
for port in 1 2 3; do "${quick[@]}" -- curl -s http://127.0.0.1:$port/; done
for _ in 1 2; do "${quick[@]}" -- curl -s http://127.0.0.1:3/; done
is "status is sorted by host" "$(field "$(gusset status --json)" '[h["host"][-1] for h in d["hosts"]]')" "['1', '2', '3']"
is "or by what is asked for, the most first" "$(gusset status --sort calls | sed -n 's/^127.0.0.1:\(.\).*/\1/p' | tr -d '\n')" 312
says "open circuits first" "$(gusset status --sort circuit | sed -n 3p)" '^127.0.0.1:3 .* open'
exits "sorted by what is none is misuse" 2 gusset status --sort bogus
exits "watched each 0 seconds is misuse, too" 2 gusset status --watch 0
if command -v python3 >/dev/null; then
    terminal() { python3 "$(dirname "$0")/terminal.py" "$@"; }
    out=$(terminal 100x10 0.7 gusset status --watch 0.2)
    is "status --watch is drawn in place" "$(grep -c '^HOST' <<<"$out") $(grep -c '^127' <<<"$out")" "1 3"
    says "a wide terminal has all columns" "$(terminal 200x10 0.3 gusset status -w)" 'P99 .*TOKENS$'
    says "a narrow one those that matter most" "$(terminal 45x10 0.3 gusset status -w)" '^HOST +CIRCUIT +.*FAILED$'
    says "texts are cut where that is not enough" "$(terminal 20x10 0.3 gusset status -w)" '^127\.0\.0…  '
    says "and lines where the page is short" "$(terminal 100x4 0.3 gusset status -w)" '^…$'
    says "a terminal that changes its size is drawn anew at once" \
        "$(terminal 100x10 2 --resize 45x10 gusset status --watch 60)" '^HOST +CIRCUIT +.*FAILED$'
    (sleep 0.4; "${quick[@]}" -- curl -s http://127.0.0.1:4/) &
    says "what comes is seen" "$(terminal 100x10 1 gusset status --watch=0.2)" '^127.0.0.1:4 '
    wait
    is "in a pipe the pages follow each other" "$(timeout 0.7 gusset status --watch 0.3 | grep -c '^HOST')" 3
    is "as JSON a line each" "$(timeout 0.7 gusset status --json --watch 0.3 | wc -l)" 3
    is "who reads no more ends it" "$(timeout 5 gusset status --watch 0.1 | head -n 1 | wc -l)" 1
fi

# ---- a locale without Unicode ----
is_ascii() { is "$1" "$(LC_ALL=C grep -c '[^ -~]' <<<"$2")" 0; }
for locale in LC_ALL=C LC_CTYPE=en_US.ISO-8859-1 LANG=POSIX; do
    is_ascii "in $locale a simulation is drawn in ASCII" "$(env "$locale" gusset simulate -s outage)"
    is_ascii "so is a table, and what was done for a program" "$(env "$locale" gusset status)$(env "$locale" GUSSET_STATE="$folder/ascii" "${quick[@]}" --report -- curl -s http://127.0.0.1:1/ 2>&1)"
done
for verb in "" run simulate status health; do is_ascii "help $verb, too" "$(LC_ALL=C gusset help $verb)"; done
says "an ellipsis is three dots" "$(LC_ALL=C gusset help)" '\[OPTION\]\.\.\.$'
says "curves have heights all the same" "$(LC_ALL=C gusset simulate -s brownout | grep success)" '##[=:]+##'
says "LC_ALL is said louder than LANG" "$(LC_ALL=C.UTF-8 LANG=C gusset simulate -s outage)" '█'
says "and where nobody says anything, Unicode is shown" "$(env -u LC_ALL -u LANG -u LC_CTYPE gusset simulate -s outage)" '█'
! command -v python3 >/dev/null || says "what is cut on a narrow terminal ends by a tilde" "$(LC_ALL=C terminal 20x10 0.3 gusset status -w)" '^127\.0\.0~  '

# ---- every verb ----
source=$(dirname "$0")/../../src/tool
verbs=$(gusset help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
for verb in $verbs; do
    help=$(gusset "$verb" --help)
    told=$(grep -E '^  -' <<<"$help" | grep -oE -- '--[a-z-]+' | sort -u)
    [ ! -e "$source/$verb.c" ] ||
        is "$verb --help names the options that $verb takes" "$told" \
            "$(sed -n 's/^ *{"\([a-z-]*\)", .*OPTIONS_[A-Z]*,.*/--\1/p' "$source/$verb.c" | sort -u)"
    says "and has examples" "$help" '^examples:'
done

# ---- completion ----
exits "completion of an unknown shell is misuse" 2 gusset completion tcsh
exits "completion of none as well" 2 gusset completion
config "$XDG_CONFIG_HOME/completed.cfg" <<<'policies: { mine: { extends = "quick"; }; }; hosts = ( { match = "*"; policy = "mine"; } );'
export GUSSET_CONFIG=$XDG_CONFIG_HOME/completed.cfg
# what bash would offer for the line, in one line
offer_bash() {
    bash -c 'source <(gusset completion bash); COMP_LINE=$1 COMP_POINT=${#1}; COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _gusset; printf "%s\n" "${COMPREPLY[@]}" | sort -u | xargs' - "$1"
}
offer_fish() { fish --no-config -c "gusset completion fish | source; complete -C '$1'" | cut -f 1 | sort | xargs; }
# completes NAME LINE WANTED: in bash and in fish
shells=bash
if command -v fish >/dev/null; then shells="bash fish"; else skip "completions in fish" "it is not installed"; fi
completes() {
    for shell in $shells; do is "$1 ($shell)" "$("offer_$shell" "$2")" "$3"; done
}
completes "a verb is completed" 'gusset ev' 'events'
completes "an option" 'gusset events --f' '--follow'
completes "a policy, the file's own, too" 'gusset trip --policy mi' 'mine'
completes "and one that is built in" 'gusset explain --policy sta' 'standard'
completes "a word of few" 'gusset status --sort p' 'p50 p99'
completes "a shell" 'gusset completion z' 'zsh'
completes "a verb behind help" 'gusset help ru' 'run'
completes "a file" "gusset check $XDG_CONFIG_HOME/comp" "$XDG_CONFIG_HOME/completed.cfg"
completes "a command to run" 'gusset run sha1su' 'sha1sum'
is "a host, in bash without what stands before its colon" "$(offer_bash 'gusset status 127.0.0.1:')" '1 2 3 4'
is "a setting behind --set" "$(offer_bash 'gusset run --set timeout.to')" 'timeout.total='
is "a value behind =" "$(offer_bash 'gusset trip --policy=mi')" 'mine'
is "nothing where nothing can be known" "$(offer_bash 'gusset run --tenant ')" ''
[ "$shells" = bash ] || is "a host in fish" "$(offer_fish 'gusset status 127.0.0.1:')" "127.0.0.1:1 127.0.0.1:2 127.0.0.1:3 127.0.0.1:4"
if command -v python3 >/dev/null; then
    terminal 200x24 2 --then 'source <(gusset completion bash)\n' --then 'gusset compl\tz\t >'"$folder"'/typed\n' --then 'exit\n' \
        bash --norc -i >/dev/null 2>&1
    says "typed in a real bash" "$(head -n 1 "$folder/typed" 2>&1)" '^#compdef gusset'
    if command -v zsh >/dev/null; then
        gusset completion zsh >"$folder/_gusset"
        terminal 200x24 4 --then "fpath=($folder \$fpath); autoload -Uz compinit; compinit -D -u\n" \
            --then 'gusset explain --policy=mi\t >'"$folder"'/zsh1\n' --then 'gusset status 127.0.0.1:3\t --js\t >'"$folder"'/zsh2\n' \
            --then 'gusset stat\t--sort ca\t --json >'"$folder"'/zsh3\n' --then 'exit\n' zsh -f -i >/dev/null 2>&1
        says "typed in a real zsh: a policy" "$(cat "$folder/zsh1" 2>&1)" 'mine'
        is_json "an option behind a host" "$(cat "$folder/zsh2" 2>&1)"
        is "a verb and a word of few" "$(field "$(cat "$folder/zsh3" 2>&1)" 'd["hosts"][0]["host"]')" "127.0.0.1:3"
    else
        skip "completions in zsh" "it is not installed"
    fi
fi

done_testing
