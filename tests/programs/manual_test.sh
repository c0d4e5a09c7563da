#!/bin/bash
# The manual and every command line that a user is shown, in the README, the manual and --help: each is run, in a world where
# the names in them lead to the tests' own server.
. "$(dirname "$0")/world.sh"
root=$(realpath "$(dirname "$0")/../..")
pages=("$BUILD/man/gusset.1" "$BUILD/man/gusset.cfg.5" "$BUILD/man/gusset.7")
make -s -C "$root" B="$BUILD" manual >/dev/null 2>&1

# ---- the pages ----
if command -v mandoc >/dev/null; then
    is "mandoc finds nothing in the pages" "$(mandoc -Tlint -W warning "${pages[@]}" 2>&1 | grep -v 'outdated mandoc.db')" ""
    says "a page is a page" "$(mandoc -Tascii "${pages[0]}" | col -b)" '^ +gusset run \[OPTION\]'
else
    skip "mandoc finds nothing in the pages" "it is not installed"
fi
if command -v man >/dev/null && command -v groff >/dev/null; then
    is "groff has no complaint either" "$(MANWIDTH=110 man -l --warnings -E UTF-8 "${pages[@]}" 2>&1 >/dev/null)" ""
else
    skip "groff has no complaint either" "man or groff is not installed"
fi
for verb in $(gusset help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
    ok "gusset(1) has the verb $verb" grep -q "^\.Ss gusset $verb" "${pages[0]}"
done
for key in $(gusset completion --list settings) mode= locked= log.level= state.path= prefix= health.interval=; do
    grep -q "^\.It Ic ${key%=}$" "${pages[1]}" || fail "gusset.cfg(5) has the setting ${key%=}"
done
gusset run --policy quick --set limit.rate=60 --set bulkhead.calls=9 -- curl -s http://127.0.0.1:1/
for name in $(grep -oE 'gusset_[a-z_]+' "${pages[2]}" | sort -u); do
    ok "a metric that gusset(7) names is one: $name" grep -q "^# TYPE $name " <(gusset metrics)
done
rm -f "$GUSSET_STATE"

# ---- the command lines ----
of_help() {
    for verb in $(gusset help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
        gusset help "$verb" | sed -n '/^examples:/,$ s/^  //p'
    done
}
of_pages() { sed -n 's/^\$ //p' "${pages[@]}" | sed 's/\\-/-/g; s/\\(ga/`/g; s/\\e/\\/g'; }
# "@" stands where the README has its configuration: from there on it holds.
of_readme() {
    awk '/^```/ {is_shell = $0 == "```sh"; next} /^hosts = / {print "@"} is_shell {print} !is_shell && sub(/^\$ /, "") {print}' \
        "$root/README.md"
}
mapfile -t lines < <({ of_help; of_pages; echo "@"; of_readme; } | grep -v '^ *\(#.*\)\?$' | awk '$0 == "@" || !seen[$0]++')
at_least "command lines are found" "${#lines[@]}" 40

names=$(printf '%s\n' "${lines[@]}" | grep -oE '([a-z]+\.)+(com|example|internal)\b' | sort -u)
# shellcheck disable=SC2086 # names
if ! start_world $names api.shop.example; then
    skip "every command line that is shown is run" "there is no world for them"
    done_testing
fi
"$BUILD/upstream" --port 8080 --quiet >/dev/null & # the README's server, until it starts one itself
readme_server=$!
servers+=("$readme_server")
listens 8080 "$readme_server"
mount -t tmpfs none /run
mount -t tmpfs none /usr/local/lib
[ ! -d /var/lib/prometheus ] || mount -t tmpfs none /var/lib/prometheus
mkdir -p /run/secrets 2>/dev/null && echo key >/run/secrets/partner
mkdir -p /var/lib/prometheus/node-exporter "$folder/work/conf" "$HOME/.zfunc" 2>/dev/null
cp "$BUILD/libgusset.so" /usr/local/lib/
cp "$root/conf/gusset.cfg" "$folder/work/conf/"
chmod -R go-w "$folder/work"
cd "$folder/work" || exit 1
for script in backup.sh nightly-job nightly-sync nightly.sh job program; do
    printf '#!/bin/sh\nexec curl -sS https://api.example.com/\n' >$script
    chmod +x $script
done
printf 'deploy:\n\tcurl -sS https://api.example.com/\n' >Makefile
mkdir -p "$XDG_CONFIG_HOME/gusset" scripts build
ln -s "$BUILD" build/release
ln -s "$(type -P true)" scripts/deps # what is needed is there, or the suite would not run
configs=("$XDG_CONFIG_HOME/gusset/gusset.cfg" "$folder/none" "$folder/of_readme")
config "${configs[0]}" <<<'hosts = ( { match = "*"; policy = "standard"; } ); services = ( { name = "user-service"; url = "http://${USER_SERVICE_HOST:-localhost}:8001"; } );'
awk '/^```/ {is_one = !is_one; text = ""; next} is_one {text = text $0 "\n"} /^hosts = / {is_file = 1} /^\);/ && is_file {printf "%s", text; exit}' \
    "$root/README.md" | config "${configs[2]}"
exits "the README's configuration is fine" 0 gusset check "${configs[2]}"
# What the README's tour calls make is the real one, which builds and tests: only asked what it would do.
mkdir "$folder/bin"
printf '#!/bin/sh\n[ "$1" = deploy ] && exec %s deploy\nexec %s -n -C %s "$@" >/dev/null\n' \
    "$(type -P make)" "$(type -P make)" "$root" >"$folder/bin/make"
chmod +x "$folder/bin/make"
PATH=$folder/bin:$PATH
sed -i 's|url = "http:.*8001";|url = "http://api.example.com"; health = "/health";|' "${configs[0]}" # something to check
know() { gusset run -- curl -sS https://api.example.com/ https://api.partner.example/ https://api.shop.example/ >/dev/null; }
know # hosts that a user would have called

# may_be LINE: the exit statuses that are as they should be
may_be() {
    case $1 in
    *' -f'* | *--watch* | *--listen* | "gusset agent"*) echo "124" ;;    # these go on until they are interrupted
    *127.0.0.1:8080*) echo "0 7 22" ;;                  # the README's outage
    *"doctor /usr/lib/php"*) [ -e /usr/lib/php/20220829/curl.so ] && echo "0 1" || echo "125" ;; # PHP sees to it itself
    *"doctor "*) echo "0 1 2" ;;
    *) echo 0 ;;
    esac
}
for line in "${lines[@]}"; do
    if [ "$line" = @ ]; then # --help and the manual are done: the README begins without a configuration, then has its own
        configs=("${configs[@]:1}")
        mv "${configs[0]}" "$XDG_CONFIG_HOME/gusset/gusset.cfg" 2>/dev/null || rm -f "$XDG_CONFIG_HOME/gusset/gusset.cfg"
        continue
    fi
    shell="bash -o pipefail"
    [[ $line != *"| source"* ]] || shell="fish --no-config"
    if ! command -v "${shell%% *}" >/dev/null; then
        skip "$line" "${shell%% *} is not installed"
        continue
    fi
    if [[ $line == *'&' ]]; then # a server, which is there for the lines that follow
        kill "$readme_server"
        wait "$readme_server" 2>/dev/null
        eval "$line" >/dev/null
        servers+=($!)
        ok "$line" listens 8080 $!
        continue
    fi
    allowed=$(may_be "$line") seconds=20
    [ "$allowed" != 124 ] || seconds=0.4
    timeout $seconds $shell -c "$line" >"$folder/out" 2>"$folder/err" </dev/null
    status=$?
    case $line in # what the README says that they show
    "gusset status "*"never reached"*)
        says "the README's circuit is open" "$(cat "$folder/out")" '^127\.0\.0\.1:8080 +quick +open'
        is "and the last of its four calls never reached the server" "$(curl -s http://127.0.0.1:8081/total)" 5 ;;
    "gusset events -n 4 "*)
        is "and closes, as the README says" "$(awk '$4 == "127.0.0.1:8080" {print $3}' "$folder/out" | tail -n 2 | xargs)" "probe closed" ;;
    "gusset run --shadow --report --policy aggressive"*)
        says "a policy in shadow counts" "$(cat "$folder/err")" '^127\.0\.0\.1:8080 +aggressive \(shadow\) +1 +1 +\(1\)' ;;
    esac
    case $line in # the next lines are of another story
    "gusset trip"*) gusset reset >/dev/null ;;
    "gusset off"* | "gusset mode"*) rm -f "$GUSSET_STATE" && know ;;
    esac
    if [[ " $allowed " == *" $status "* ]]; then
        pass "${line%%  *}"
    else
        fail "$line" "exit $status, wanted $allowed" "$(head -c 300 "$folder/err")"
    fi
done

done_testing
