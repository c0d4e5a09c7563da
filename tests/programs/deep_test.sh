#!/bin/bash
# Objects that are bound deeply (RTLD_DEEPBIND, as PHP opens its extensions) find libc before any preload library: their
# connects are seen all the same, in whatever way they were bound, and nothing else of the binding changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
here=$(dirname "$0")
deep=$BUILD/clients/deep
start_upstream
shut=$(free_port)
config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: { p: { timeout: { connect = "5s"; }; breaker: { consecutive = 3; open = "60s"; }; }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
export GUSSET_CONFIG=$folder/gusset.cfg
gusset run -- true
under() { LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$@" 2>&1; }
forgotten() { rm -f "$GUSSET_STATE"; }

# ---- whatever way it is bound ----
compile() { ${CC:-cc} -D_GNU_SOURCE -O2 -shared -fPIC "$@"; }
if ! compile -o "$folder/now.so" "$here/deep/plugin.c" -Wl,-z,now,-z,relro 2>"$folder/cc"; then
    skip "plugins" "there is no compiler: $(head -n 1 "$folder/cc")"
else
    compile -o "$folder/lazy.so" "$here/deep/plugin.c" -Wl,-z,lazy,-z,relro
    compile -o "$folder/plain.so" "$here/deep/plugin.c" -Wl,-z,lazy,-z,norelro
    compile -o "$folder/noplt.so" "$here/deep/plugin.c" -fno-plt -Wl,-z,now
    compile -o "$folder/pointer.so" "$here/deep/plugin.c" -DBY_POINTER -Wl,-z,now
    compile -o "$folder/old.so" "$here/deep/plugin.c" -Wl,--hash-style=sysv
    compile -o "$folder/own.so" "$here/deep/plugin.c" -DOF_ITS_OWN
    compile -o "$folder/outer.so" "$here/deep/outer.c" -Wl,-rpath,"\$ORIGIN" "$folder/now.so"
    for way in now lazy plain noplt pointer old outer; do
        forgotten
        function=$([ $way = outer ] && echo outer_dial || echo plugin_dial)
        bare=$("$deep" once $function "$port" "$folder/$way.so")
        is "$way: connects, its pages are as bare, and dlerror is silent" "$(under "$deep" once $function "$port" "$folder/$way.so")" "$bare"
        is "$way: and is seen" "$(counted calls)" 1
        is "$way: also one that is refused" "$(under "$deep" once $function "$shut" "$folder/$way.so" | cut -d' ' -f1) $(counted failures)" "111 1"
        GUSSET_CONFIG=$folder/other.cfg under "$deep" once $function "$port" "$folder/$way.so" >"$folder/said"
        is "$way: no rule means it: as bare" "$(cat "$folder/said")" "$bare"
    done
    forgotten
    is "what it brings along stays in front" "$(under "$deep" once plugin_dial "$port" "$folder/own.so" | cut -d' ' -f1) $(counted calls)" "18 0"
    is "what was closed is gone, what is still open is not" "$(under "$deep" again plugin_dial "$port" "$folder/now.so")" "same 0 0 0 gone"
    is "by a bare name that only the environment leads to" \
        "$(forgotten; LD_LIBRARY_PATH=$folder under "$deep" once plugin_dial "$port" lazy.so | cut -d' ' -f1) $(counted calls)" "0 1"
    mkdir "$folder/first" "$folder/second"
    for twin in first second; do compile -o "$folder/$twin/libtwin.so" "$here/deep/plugin.c" -Wl,-soname,libtwin.so; done
    compile -o "$folder/opener.so" "$here/deep/opener.c" -Wl,-rpath,"$folder/second"
    export LOADED=$folder/first/libtwin.so
    is "by a bare name that a loaded file bears, whatever the search path has" \
        "$(under "$deep" once opener_dial "$port" "$folder/opener.so")" "$("$deep" once opener_dial "$port" "$folder/opener.so")"
    is "a file that is not there: the loader says so" "$(under "$deep" once plugin_dial "$port" "$folder/none.so")" \
        "$("$deep" once plugin_dial "$port" "$folder/none.so")"
    forgotten
    for number in 1 2 3 4; do cp "$folder/outer.so" "$folder/outer$number.so"; done
    is "threads that open, connect and close all at once" \
        "$(under "$deep" threads outer_dial "$port" "$folder"/outer[1-4].so)" "320 connects, 0 wrong"
    is "are all seen" "$(counted calls)" 320
fi

# ---- PHP ----
extension() { php -r "exit(extension_loaded('$1') ? 0 : 1);" 2>/dev/null; }
php_code() { # NAME HOST PORT: what connects with an extension, and prints a word for how it went
    case $1 in
    sockets) echo "\$s = socket_create(AF_INET, SOCK_STREAM, SOL_TCP); echo @socket_connect(\$s, '$2', $3) ? 'connected' : socket_last_error(\$s);" ;;
    pgsql) echo "echo @pg_connect('host=$2 port=$3 user=x dbname=x connect_timeout=9') ? 'connected' : (str_contains(error_get_last()['message'], 'Connection refused') ? 111 : 'else');" ;;
    pdo_pgsql) echo "try { new PDO('pgsql:host=$2;port=$3', 'x'); echo 'connected'; } catch (PDOException \$e) { echo str_contains(\$e->getMessage(), 'Connection refused') ? 111 : 'else'; }" ;;
    mysqli) echo "mysqli_report(0); echo @mysqli_connect('$2', 'x', 'x', 'x', $3) ? 'connected' : (str_contains(mysqli_connect_error(), 'Connection refused') ? 111 : 'else');" ;;
    pdo_mysql) echo "try { new PDO('mysql:host=$2;port=$3', 'x'); echo 'connected'; } catch (PDOException \$e) { echo str_contains(\$e->getMessage(), 'Connection refused') ? 111 : 'else'; }" ;;
    esac
}
for name in sockets pgsql pdo_pgsql mysqli pdo_mysql; do
    if ! extension $name; then
        skip "PHP's $name" "the extension is not installed"
        continue
    fi
    forgotten
    code=$(php_code $name 127.0.0.1 "$shut")
    is "PHP's $name: refused as bare" "$(under php -r "$code")" "$(php -r "$code" 2>/dev/null)"
    is "PHP's $name: and it is counted" "$(counted calls) $(counted failures)" "1 1"
    for _ in 1 2; do under bash -c "exec 3<>/dev/tcp/127.0.0.1/$shut" >/dev/null; done
    is "PHP's $name: the circuit that it shares with others refuses it" "$(under php -r "$code") $(counted attempts) $(counted rejected)" "111 3 1"
    is "PHP's $name: no rule means it: as bare" "$(GUSSET_CONFIG=$folder/other.cfg under php -r "$code")" "$(php -r "$code" 2>/dev/null)"
done
if extension curl; then
    is "PHP's curl is seen once, not twice" "$(forgotten; under php -r "\$c = curl_init('http://127.0.0.1:$port/'); curl_exec(\$c);") $(counted calls) $(counted attempts)" "ok 1 1"
else
    skip "PHP's curl" "the extension is not installed"
fi

done_testing
