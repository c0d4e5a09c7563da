#!/bin/bash
# A body that broke off is continued (retry.resume): a 50 MB download that is cut ten times arrives byte for byte, in curl, PHP
# and git, and what the program is told is of one whole download. Where it cannot be exact the error is the program's.
. "$(dirname "$0")/lib.sh"
client=$BUILD/clients/callbacks
mkdir "$folder/files"
head -c 50000000 /dev/urandom >"$folder/files/big"
head -c 300000 /dev/urandom >"$folder/files/some"

# start_cuts QUERY: sets cuts
start_cuts() {
    : >"$folder/cuts.port"
    CUTS=${1-} python3 "$(dirname "$0")/servers/cuts.py" "$folder/files" >"$folder/cuts.port" &
    servers+=($!)
    until [ -s "$folder/cuts.port" ]; do sleep 0.02; done
    cuts=http://127.0.0.1:$(cat "$folder/cuts.port")
}
start_cuts
heads() { command curl -s "$cuts/heads"; }
zero() {
    command curl -s "$cuts/zero"
    rm -f "$GUSSET_STATE"
}
resuming() {
    timeout 60 gusset run --policy standard --set retry.resume=true --set retry.attempts=20 --set retry.budget.ratio=100 \
        --set retry.backoff.base=1ms --set retry.backoff.cap=5ms --set timeout.total=0s "$@"
}

# ---- 50 MB, cut ten times ----
figures='%{http_code} %{size_download} %{size_header} %{content_type} %{num_connects} %{http_version} %{url_effective} %{method} %{num_redirects}'
zero
bare=$(curl -s -o "$folder/out" -w "$figures" "$cuts/big?cut=0")
zero
is "curl: what -w tells of 50 MB that were cut ten times is what it tells of one whole download" \
    "$(resuming -- curl -s -o "$folder/out" -w "$figures%{stderr}%{time_starttransfer} %{time_total} %{speed_download}" "$cuts/big?cut=10" 2>"$folder/times")" \
    "${bare/cut=0/cut=10}"
is "curl: byte for byte" "$(cmp "$folder/out" "$folder/files/big" 2>&1)" ""
is "in eleven requests, each for the rest of the same representation" "$(heads | awk '$4 == "\"50000000-x\""' | wc -l) $(heads | wc -l)" "10 11"
is "which are counted" "$(counted resumed) $(counted rescued) $(counted opened)" "10 1 0"
is "and told of" "$(gusset events | grep -c 'resumed .* KiB, the next goes on')" 10
times=$(cat "$folder/times")
ok "its time is that of all attempts, its speed that of the whole ($times)" \
    awk -v got="$times" 'BEGIN {split(got, t); exit !(t[1] < t[2] / 2 && t[3] * t[2] > 45e6 && t[3] * t[2] < 55e6)}'
for way in "-Z" "-i" "--http1.0" "--compressed"; do
    zero
    # shellcheck disable=SC2086
    is "curl $way: byte for byte" "$(resuming -- curl -s $way -o "$folder/out" "$cuts/some?cut=5" 2>/dev/null; echo $?) $(tail -c 300000 "$folder/out" | cmp - "$folder/files/some" 2>&1)" "0 "
done
# All but the body, which comes in other pieces.
told() { grep -aE '^(header|info|error|message|result)' "$1" | tr -d '\r'; }
for how in reset close "reset&chunked=1"; do
    for way in "" via=poll via=wait via=fdset via=socket; do
        zero
        timeout 20 "$client" "$cuts/some?cut=0&how=$how" info $way >"$folder/bare"
        zero
        # shellcheck disable=SC2086
        resuming -- "$client" "$cuts/some?cut=4&how=$how" info $way >"$folder/under"
        is "callbacks, $how, ${way:-easy}: one whole reply" "$(told "$folder/under" | sed "s/cut=4/cut=0/")" "$(told "$folder/bare")"
    done
done
zero
is "through a redirect" "$(resuming -- curl -sL -o "$folder/out" -w '%{http_code} %{num_redirects}' "$cuts/some?cut=3&redirect=1") $(cmp "$folder/out" "$folder/files/some" 2>&1)" "200 1 "
zero
is "silence counts as broken off, where the rule limits it" \
    "$(resuming --set timeout.idle=300ms -- curl -s -o "$folder/out" -w '%{http_code}' "$cuts/some?cut=1") $(cmp "$folder/out" "$folder/files/some" 2>&1)" "200 "
zero
is "a handle goes on with other requests" \
    "$(resuming -- curl -s -o "$folder/out" -w '%{http_code} %{size_download} ' "$cuts/some?cut=2" -o "$folder/out2" "$cuts/some?cut=2" -o /dev/null "$cuts/none")" "200 300000 200 300000 404 5 "

# ---- other programs ----
if php -r 'curl_version();' 2>/dev/null; then
    zero
    is "PHP: 50 MB, cut ten times" "$(resuming -- php -r '$c = curl_init($argv[1]); curl_setopt($c, CURLOPT_RETURNTRANSFER, true);
        $b = curl_exec($c); $i = curl_getinfo($c); echo md5($b), " ", $i["http_code"], " ", $i["size_download"], " ", $i["download_content_length"];' -d memory_limit=300M "$cuts/big?cut=10")" \
        "$(md5sum <"$folder/files/big" | cut -d ' ' -f 1) 200 50000000 50000000"
    cat >"$folder/grows.php" <<'PHP'
<?php
$c = curl_init($argv[1]);
$seen = [];
curl_setopt_array($c, [CURLOPT_RETURNTRANSFER => true, CURLOPT_NOPROGRESS => false,
    CURLOPT_XFERINFOFUNCTION => function ($c, $total, $now) use (&$seen) { $seen[] = [$total, $now]; return 0; }]);
if ($argv[2] == 'easy') {
    curl_exec($c);
} else {
    $m = curl_multi_init();
    curl_multi_add_handle($m, $c);
    do { curl_multi_exec($m, $running); curl_multi_select($m, 0.05); } while ($running);
}
$totals = array_values(array_unique(array_filter(array_column($seen, 0))));
$now = $sorted = array_column($seen, 1);
sort($sorted);
echo implode(",", $totals), $now === $sorted ? " grows to " : " goes back from ", max($now), "\n";
PHP
    for way in easy multi; do
        zero
        is "PHP, $way: its progress function sees one body that grows" "$(resuming --set retry.backoff.base=300ms --set retry.backoff.cap=300ms -- php "$folder/grows.php" "$cuts/some?cut=3" $way)" \
            "300000 grows to 300000"
    done
else
    skip "PHP: 50 MB, cut ten times" "php-curl is not installed"
fi
if command -v git >/dev/null; then
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
    git init -q "$folder/work"
    cp "$folder/files/big" "$folder/work/big"
    git -C "$folder/work" add big
    git -C "$folder/work" -c user.name=a -c user.email=a@b.example commit -qm one
    git clone -q --bare "$folder/work" "$folder/files/repo.git" 2>/dev/null
    git -C "$folder/files/repo.git" repack -adq
    git -C "$folder/files/repo.git" update-server-info
    start_cuts "cut=10&min=20000"
    is "git: a dumb clone of 50 MB, each of whose long bodies is cut ten times" \
        "$(resuming -- git clone -q "$cuts/repo.git" "$folder/clone" 2>&1; echo $?) $(cmp "$folder/clone/big" "$folder/files/big" 2>&1)" "0 "
    at_least "its pack was asked for in parts" "$(heads | grep -c 'pack bytes=')" 10
    zero
    ok "which bare fails" test ! -e "$folder/again/big" -a "$(git clone -q "$cuts/repo.git" "$folder/again" 2>/dev/null; echo $?)" != 0
    start_cuts
else
    skip "git: a dumb clone" "git is not installed"
fi

# ---- where it cannot be exact ----
# lost NAME QUERY [OPTION]...: fails with what broke off, and not a byte that is not the file's has come
lost() {
    local name=$1 query=$2
    zero
    rm -f "$folder/out"
    result=$(resuming -- curl -s "${@:3}" -o "$folder/out" -w '%{http_code}' "$cuts/some?cut=1&$query"; echo " $?")
    is "$name: the error is the program's" "$result" "${code:-200} 56"
    [ -z "${skip_compare-}" ] && is "$name: nothing else has come" "$(cmp -n "$(stat -c %s "$folder/out")" "$folder/out" "$folder/files/some" 2>&1)" ""
}
# kept NAME QUERY: whole
kept() {
    zero
    rm -f "$folder/out"
    is "$1: whole" "$(resuming -- curl -s "${@:3}" -o "$folder/out" -w '%{http_code} %{size_download}' "$cuts/some?cut=2&$2"; echo " $?") $(cmp "$folder/out" "$folder/files/some" 2>&1)" "200 300000 0 "
}
lost "a weak tag" "tag=weak"
lost "no validator" "tag=none"
lost "another representation" "tag=other"
lost "a date that is too young" "tag=none&date=young"
lost "a part from elsewhere" "range=wrong"
lost "a part that is not to the end" "range=short"
lost "a part of another whole" "range=length"
lost "an encoded body" "encoding=1"
lost "a 404 instead of the rest" "status=404"
skip_compare=1 lost "chunks that the program wants to see (curl --raw)" "chunked=1" --raw
code=206 skip_compare=1 lost "a part that the program asked for" "x=1" -r 100-
code=206 lost "one that it asked for by a header" "x=1" -H "Range: bytes=0-"
zero
is "a reply that is not a file's is none of it" "$(resuming -- curl -s -X POST -o /dev/null -w '%{http_code}' "$cuts/some?cut=1"; heads | grep -c bytes=)" "5010"
kept "a server without ranges begins anew, and what has come is left out" "range=no"
kept "in chunks" "chunked=1"
kept "parts that end with their connection, and do so too early" "sized=no&how=close"
kept "parts that have more than there is" "sized=no&extra=100"
kept "a date that is old enough" "tag=none&date=old"
kept "a tag that a 206 does not repeat" "tag=first"
kept "a 503 instead of the rest is tried again" "status=503"
zero
is "what it is told of an error is what broke off" "$(resuming -- curl -sS -o /dev/null "$cuts/some?cut=1&tag=other" 2>&1)" \
    "$(zero; curl -sS -o /dev/null "$cuts/some?cut=1" 2>&1)"
zero
is "parts that always end too early are a transfer that broke off" \
    "$(resuming --set retry.attempts=3 -- curl -sS -o "$folder/out" -w '%{http_code} ' "$cuts/some?cut=9&sized=no&how=close" 2>&1; echo $?)" \
    "curl: (18) transfer closed with outstanding read data remaining
200 18"
zero
is "refused when it would go on: it is told how much has come" \
    "$(resuming --set limit.rate=1 --set limit.per=1h --set limit.burst=1 -- curl -s -o "$folder/out" -w '%{http_code} %{size_download}' "$cuts/some?cut=1"; echo " $?")" \
    "200 75000 56"
zero
is "without retry.resume it fails as ever" "$(gusset run --policy standard -- curl -s -o /dev/null "$cuts/some?cut=1"; echo $?)" 56
is "nobody asked for a part" "$(heads | grep -c bytes=)" 0
printf '%s\n' 'version = 1;' 'policies: { p: { retry: { resume = "yes"; }; }; };' 'hosts = ( { match = "*"; policy = "p"; } );' | config "$folder/w.cfg"
is "check: resume = yes" "$(gusset check "$folder/w.cfg" 2>&1 | grep -c 'w.cfg:2: .*retry.resume: found "yes", expected true or false')" 1
done_testing
