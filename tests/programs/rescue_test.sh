#!/bin/bash
# 30 % of the requests fail, by 503, by a reset or by both in turn; 4 attempts rescue at least 98.5 % of the calls, and what
# the program then has is byte for byte what a healthy server gives it. What is not rescued fails as it would have bare.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
runs=12
client=$BUILD/clients/callbacks
printf 'hello upload\n' >"$folder/up.txt"
head -c 3000000 /dev/urandom | base64 -w 76 >"$folder/big.txt"
cat >"$folder/fetch.pl" <<'PERL'
use WWW::Curl::Easy;
my ($url, @more) = @ARGV;
my ($body, $head, $curl) = ('', '', WWW::Curl::Easy->new);
open(my $to_body, '>', \$body);
open(my $to_head, '>', \$head);
$curl->setopt(CURLOPT_URL, $url);
$curl->setopt(CURLOPT_WRITEDATA, $to_body);
$curl->setopt(CURLOPT_WRITEHEADER, $to_head);
$curl->setopt(CURLOPT_POSTFIELDS, $more[0]) if @more;
$curl->setopt(CURLOPT_HTTPHEADER, ['Idempotency-Key: 1']) if @more;
my $code = $curl->perform;
print $head, $body, "status ", $curl->getinfo(CURLINFO_HTTP_CODE), "\n";
exit $code;
PERL

rescued() {
    gusset run --policy standard --set retry.attempts=4 --set retry.budget.ratio=100 --set retry.backoff.base=5ms \
        --set retry.methods=GET,HEAD,PUT,POST "$@"
}
# With the built-in list of methods, where POST is missing.
careful() {
    gusset run --policy standard --set retry.attempts=4 --set retry.budget.ratio=100 --set retry.backoff.base=5ms "$@"
}
bare() {
    [ "$1" != -- ] || shift
    "$@"
}

# The programs. Each is given the wrapper and a URL that has a query.
get() { $1 -- curl -sS "$2&body=9000"; }
include() { $1 -- curl -sSi "$2&cookie=z"; }
to_file() {
    rm -f "$folder/o"
    $1 -- curl -sS -o "$folder/o" "$2&body=5000&chunked=1"
    local code=$?
    cat "$folder/o" 2>/dev/null
    return $code
}
upload() { $1 -- curl -sS -T "$folder/up.txt" "$2&echo=body"; }
upload_pipe() { $1 -- curl -sS -T - "$2&echo=body" <"$folder/up.txt"; }
post() { $1 -- curl -sS -d a=b -d c=d "$2&echo=body"; }
post_with_key() {
    local wrapper=$1
    [ "$wrapper" != rescued ] || wrapper=careful
    $wrapper -- curl -sS -H 'Idempotency-Key: 7' -d a=b "$2&echo=body"
}
post_pipe() { seq 2000 | $1 -- curl -sS --data-binary @- "$2&echo=body"; }
fail_early() { $1 -- curl -sSf "$2"; }
write_out() { $1 -- curl -s -o /dev/null -w '%{http_code} %{size_download} %{num_redirects}\n' "$2"; }
follow() {
    local to=${2//&/%26}
    $1 -- curl -sSiL "$url/from?redirect=${to//\?/%3F}"
}
head_only() { $1 -- curl -sSI "$2&body=100"; }
own_header() { $1 -- curl -sS -H 'X-Mine: 1' "$2&echo=request"; }
many_urls() { $1 -- curl -sS "$2" "$2&body=100" "$2"; }
callbacks() { $1 -- "$client" "$2&body=4000&chunked=1" include; }
callbacks_put() { $1 -- "$client" "$2&echo=body" put="$folder/up.txt" noseek | grep -v 'read: end'; }
perl_get() { $1 -- perl "$folder/fetch.pl" "$2&body=300"; }
perl_post() { $1 -- perl "$folder/fetch.pl" "$2&echo=body" a=b; }

programs=(get include to_file upload upload_pipe post post_with_key post_pipe fail_early write_out follow head_only
    own_header many_urls callbacks callbacks_put)
if perl -MWWW::Curl::Easy -e 1 2>/dev/null; then
    programs+=(perl_get perl_post)
else
    skip "perl WWW::Curl is rescued" "libwww-curl-perl is not installed"
fi

# result PROGRAM WRAPPER URL FILE: output, standard error and exit code; without the query, where the server repeats it
result() {
    set -o pipefail
    "$1" "$2" "$3" 2>&1 </dev/null | sed 's/[?&]key=[^ \r]*//' >"$4"
    echo "exit ${PIPESTATUS[0]}" >>"$4"
}

declare -A lost=()
total=0 good=0 seed=0
for how in status reset mixed; do
    dirty=
    for program in "${programs[@]}"; do
        key=$program-$how seed=$((seed + 1))
        result "$program" bare "$url/x?key=$key" "$folder/healthy"
        result "$program" bare "$url/x?key=bare&status=503" "$folder/busy"
        result "$program" bare "$url/x?key=bare&reset=headers" "$folder/reset"
        for ((run = 0; run < runs; run++)); do
            result "$program" rescued "$url/x?key=$key&fail=30&seed=$seed&how=$how" "$folder/got"
            total=$((total + 1))
            if cmp -s "$folder/got" "$folder/healthy"; then
                good=$((good + 1))
                continue
            fi
            lost[$program]=$((${lost[$program]:-0} + 1))
            if ! cmp -s "$folder/got" "$folder/busy" && ! cmp -s "$folder/got" "$folder/reset"; then
                [ "$program" = many_urls ] && continue # some of its answers may be good
                dirty+=" $program"
                diff "$folder/got" "$folder/healthy" | head -n 5 | sed "s/^/# $program $how: /"
            fi
        done
    done
    is "$how: a call that is not rescued fails as it would have bare" "$dirty" ""
done
for program in "${!lost[@]}"; do echo "# $program: ${lost[$program]} of $((3 * runs)) not rescued"; done
at_least "of $total calls 98.5 % end as with a healthy server, per mille" $((good * 1000 / total)) 985

bare_good=0
for ((run = 0; run < 200; run++)); do
    curl -sf -o /dev/null "$url/x?key=plain&fail=30&seed=3" && bare_good=$((bare_good + 1))
done
at_most "bare curl has about 70 % success, percent" $((bare_good / 2)) 80
at_least "bare curl has about 70 % success, percent" $((bare_good / 2)) 60

# ---- a body past what is kept ----
big=$folder/big.txt
for fault in status=503 reset=headers; do
    ask zero >/dev/null
    rescued -- curl -sS -T "$big" "$url/big?echo=body&$fault&first=2" >"$folder/got"
    is "$fault: a 4 MB upload of a file is sent again, whole" "$? $(cmp "$folder/got" "$big" 2>&1)" "0 "
    is "$fault: the server saw three" "$(ask 'count?key=/big')" 3

    ask zero >/dev/null
    curl -sS -T - "$url/big?echo=body&$fault&first=2" <"$big" >"$folder/bare" 2>/dev/null
    wanted="$? $(wc -c <"$folder/bare")"
    ask zero >/dev/null
    rescued -- curl -sS -T - -w '%{stderr}%{http_code}' "$url/big?echo=body&$fault&first=2" < <(cat "$big") >"$folder/got" 2>"$folder/code"
    is "$fault: a 4 MB upload from a pipe cannot be; it fails as bare" "$? $(wc -c <"$folder/got")" "$wanted"
    is "$fault: it was sent once" "$(ask 'count?key=/big')" 1

    ask zero >/dev/null
    rescued -- "$client" "$url/big?$fault&first=1" put="$big" noseek >"$folder/got"
    "$client" "$url/big?$fault" put="$big" noseek >"$folder/bare"
    is "$fault: a program's 4 MB without a seek function end as bare" \
        "$(grep -v read: "$folder/got")" "$(grep -v read: "$folder/bare")"
    ask zero >/dev/null
    rescued -- "$client" "$url/big?$fault&first=1" put="$big" >"$folder/got"
    is "$fault: with a seek function they are sent again" "$(tail -n 1 "$folder/got" | cut -d ' ' -f 1-4)" "result 0 status 200"
    is "$fault: from the start" "$(grep -c 'seek 0' "$folder/got")" 1

    ask zero >/dev/null
    rescued -- curl -sS --data-binary @- "$url/big?echo=body&$fault&first=2" < <(cat "$big") >"$folder/got"
    is "$fault: 4 MB that curl itself keeps are sent again, whole" "$? $(cmp "$folder/got" "$big" 2>&1)" "0 "
done

done_testing
