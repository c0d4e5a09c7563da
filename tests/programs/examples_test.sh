#!/bin/bash
# What a user may copy: every example in conf/examples run with the program that it is for, against what it promises to survive;
# the command lines in its text, as they stand there; alerts and dashboard against the metrics that there are.
. "$(dirname "$0")/world.sh"
conf=$(realpath "$(dirname "$0")/../../conf")
cp -r "$conf/examples" "$folder/examples" && chmod -R go-w "$folder/examples"
cd "$folder/examples" || exit 1
if ! start_world git.example.com proxy.corp.example payments.example.com reports.example.com api.example.com db.internal.example; then
    skip "every example is run" "there is no world for them"
    done_testing
fi

# runs EXAMPLE: its command lines, each of which must end well
runs() {
    local line
    while IFS= read -r line; do
        exits "$1: $line" 0 timeout 20 bash -c "$line"
    done < <(sed -n 's/^#   \$ //p' "$1.cfg")
    at_least "$1: it has command lines" "$(grep -c '^#   \$ ' "$1.cfg")" 1
    exits "$1: it is without a fault" 0 gusset check "$1.cfg"
    is "$1: nor a warning" "$(grep -c warning <<<"$out")" 0
}

for example in "$conf"/examples/*; do
    grep -qF "$(basename "$example" .cfg)" "$here"/*_test.sh || fail "a test runs $(basename "$example")"
done

# ---- the file with every key ----
exits "gusset.cfg is without a fault" 0 gusset check "$conf/gusset.cfg"
gusset explain --json --config "$conf/gusset.cfg" --policy everything >"$folder/everything.json"
is "gusset.cfg sets every setting of a policy (fallback has a body or a file)" \
    "$(python3 -c 'import json,sys; print([s["key"] for s in json.load(open(sys.argv[1]))["settings"] if "gusset.cfg:" not in s["from"] and s["key"] != "fallback.file"])' "$folder/everything.json")" "[]"
for key in $(gusset help --mdoc settings-of-file | sed -n 's/^\.It Ic //p'); do
    grep -qE "(^|[{; #])${key##*.} *=" "$conf/gusset.cfg" || fail "gusset.cfg has the setting $key"
done
export GUSSET_SET='retry.backoff.base=5ms' # examples wait for seconds; nobody here does

# ---- git behind a flaky proxy: each third connection is reset ----
if command -v git >/dev/null && command -v nginx >/dev/null; then
    export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
    git init -q "$folder/tree" && (cd "$folder/tree" && seq 5000 >numbers && git add . && git commit -qm first)
    mkdir "$folder/served" && git clone -q --bare "$folder/tree" "$folder/served/full.git"
    git -C "$folder/served/full.git" update-server-info
    start_nginx git <<<"keepalive_timeout 0; server { listen 127.0.0.1:WEB; root $folder/served; }" && start_relay reset 3 "$web"
    export http_proxy=http://proxy.corp.example:$relay
    exits "git, bare, loses its clone" 128 git clone -q http://git.example.com/full.git bare
    runs git-behind-a-flaky-proxy
    is "git: what arrived is whole" "$(cmp full/numbers "$folder/tree/numbers" && echo whole)" whole
    at_least "git: by rescued calls" "$(counted rescued)" 1
    unset http_proxy
else
    skip "git behind a flaky proxy" "git or nginx is not installed"
fi

# ---- a payment by php-fpm, with the environment that the drop-in gives ----
runs php-fpm-payments
if [ "$fpm" ] && command -v nginx >/dev/null && php -r 'curl_version();' 2>/dev/null; then
    scripts=$folder/pages
    mkdir "$scripts"
    cat >"$scripts/easy.php" <<'PHP'
<?php $h = curl_init($_GET['url']); curl_setopt_array($h, [CURLOPT_POSTFIELDS => 'amount=1', CURLOPT_RETURNTRANSFER => 1]);
echo curl_exec($h), curl_getinfo($h, CURLINFO_RESPONSE_CODE), ' ', curl_errno($h);
PHP
    pay() { curl -s --get --data-urlencode "url=http://payments.example.com/v1/charges?$1" "http://127.0.0.1:$web/"; }
    start_fpm shop env LD_PRELOAD="$BUILD/libgusset.so" GUSSET_CONFIG="$folder/examples/php-fpm-payments.cfg" \
        GUSSET_SET="$GUSSET_SET" CURL_CA_BUNDLE="$CURL_CA_BUNDLE" || fail "php-fpm is there" "$(cat "$folder/shop.fpm.err")"
    is "a payment whose reply is lost is made, and the page does not see it" "$(pay 'text=paid&reset=headers&first=1&key=pay' | xargs)" "paid 200 0"
    is "by two requests" "$(ask 'count?key=pay')" 2
    is "that are known for one by their key" "$(ask 'heads?key=pay' | grep -i '^idempotency-key:' | sort -u | wc -l)" 1
    for number in 1 2 3 4 5 6; do page=$(pay "status=503&key=down"); done
    says "while the service is down a page is told at once" "$page" '^0 7$'
    at_most "and the service is left alone" "$(ask 'count?key=down')" 9
else
    skip "a payment by php-fpm" "php-fpm, php-curl or nginx is not installed"
fi

# ---- a cron job, in the environment that cron gives ----
gusset reset >/dev/null
runs cron-curl
is "the job has its file" "$(cat export.json)" ok
crontab_line=$(sed -n 's/^#   \*\/5 \* \* \* \* //p' cron-curl.cfg | sed 's|https://reports.example.com/export|"http://reports.example.com/export?status=503\&first=3\&key=cron"|')
mkdir -p "$HOME/.config/gusset" && cp cron-curl.cfg "$HOME/.config/gusset/" && chmod go-w "$HOME/.config/gusset/cron-curl.cfg"
exits "a cron job survives three 503" 0 env -i HOME="$HOME" PATH="$BUILD:/usr/bin:/bin" SHELL=/bin/sh GUSSET_STATE="$GUSSET_STATE" \
    GUSSET_SET="$GUSSET_SET" /bin/sh -c "$crontab_line"
is "by four tries" "$(ask 'count?key=cron')" 4

# ---- psql, to a database that comes back a second later ----
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
as_postgres=()
[ "$(id -u)" != 0 ] || as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
mkdir "$folder/pg" && chmod 711 "$folder" && { [ "$(id -u)" != 0 ] || chown postgres "$folder/pg" 2>/dev/null; }
if [ "$postgres" ] && command -v psql >/dev/null && command -v ncat >/dev/null && "${as_postgres[@]}" "$postgres/initdb" -D "$folder/pg" -U x -A trust -N >"$folder/initdb" 2>&1; then
    export PGSSLMODE=disable PGGSSENCMODE=disable
    exits "psql, bare, finds nobody" 2 psql -At "host=db.internal.example port=5432 user=x dbname=postgres" -c "select 7"
    "${as_postgres[@]}" "$postgres/postgres" -D "$folder/pg" -p 6543 -k '' -c listen_addresses=127.0.0.1 -c fsync=off >"$folder/pg.log" 2>&1 &
    servers+=($!)
    until psql -At "host=127.0.0.1 port=6543 user=x dbname=postgres" -c "select 7" >/dev/null 2>&1; do sleep 0.1; done
    (sleep 1; exec ncat -k -l 127.0.0.1 5432 --sh-exec "ncat 127.0.0.1 6543") & # whoever listens next is ready at once
    servers+=($!)
    runs psql-failover
    at_least "psql: it was kept until the database was there" "$(counted rescued)" 1
else
    skip "psql to a database that fails over" "it is not installed, or initdb failed: $(tail -n 1 "$folder/initdb" 2>/dev/null)"
fi

# ---- staging, in shadow ----
forget
runs staging-shadow
is "in shadow a failure is what it is" "$(gusset run --config staging-shadow.cfg -- curl -s -o /dev/null -w '%{http_code}' 'http://api.example.com/?status=503&key=shadow')" 503
is "once" "$(ask 'count?key=shadow')" 1
is "and counted" "$(counted would_retry)" 1

# ---- an outage, rehearsed ----
forget
runs rehearse-an-outage
says "the rehearsal is announced, with its end" "$(gusset run --config rehearse-an-outage.cfg --allow-faults -- true 2>&1)" 'FAULTS ARE REHEARSED .*until 2099'
forget
rehearsed() { gusset run --config rehearse-an-outage.cfg "$@" -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do curl -s "http://api.example.com/?key=rehearsal"; done'; }
at_least "the program is well: of ten calls go well" "$(rehearsed --allow-faults | grep -c ok)" 9
at_least "because some were rescued" "$(counted rescued)" 1
forget
is "without leave no fault acts" "$(rehearsed | grep -c ok) $(counted retries)" "10 0"

# ---- collectors ----
if command -v promtool >/dev/null; then
    exits "promtool finds no fault in the alerts" 0 promtool check rules "$conf/prometheus/gusset-alerts.yml"
else
    skip "promtool finds no fault in the alerts" "it is not installed"
fi
exits "the dashboard is JSON" 0 python3 -m json.tool "$conf/grafana/gusset.json" "$folder/dashboard"
gusset metrics >"$folder/metrics"
named=$(grep -ohE 'gusset_[a-z_]+' "$conf/prometheus/gusset-alerts.yml" "$conf/grafana/gusset.json" | sed -E 's/_(bucket|sum|count)$//' | sort -u)
for name in $named; do
    grep -q "^# TYPE $name " "$folder/metrics" || fail "the metric $name of alerts or dashboard is one"
done
at_least "alerts and dashboard name metrics that there are" "$(wc -l <<<"$named")" 10

done_testing
