#!/bin/bash
# Every way in which a program can come to its libcurl: linked, opened locally, both flavours at once, deeply bound, by dlsym,
# closed and opened again, under another symbol version or none, in another release, beside other preload libraries.
# Each is asked for a reply whose first try fails, so 200 means that gusset was there.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
here=$(dirname "$0")
loading=$BUILD/clients/loading
config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: {
  p: { extends = "standard"; retry: { backoff: { base = "2ms"; }; budget: { ratio = 100; }; }; breaker: { consecutive = 1000; }; };
};
hosts = ( { match = "*"; policy = "p"; } );
CFG
export GUSSET_CONFIG=$folder/gusset.cfg
key=0
# fresh: sets flaky to a URL whose first try fails
fresh() {
    key=$((key + 1))
    flaky="$url/k$key?status=503&first=1&key=k$key"
}
under() { LD_PRELOAD=$BUILD/libgusset.so timeout 30 "$@" 2>&1; }
system_libcurl=$(ldconfig -p | awk '$1 == "libcurl.so.4" {print $NF; exit}')
needs() { # needs NAME COMMAND...: whether the command works here
    local name=$1
    shift
    "$@" >/dev/null 2>&1 || { skip "$name" "does not work here: ${*:0:60}" && return 1; }
}
compile() { ${CC:-cc} -D_GNU_SOURCE -O2 "$@"; }
compile -shared -fPIC -o "$folder/plugin.so" "$here/loading/plugin.c" -lcurl
compile -shared -fPIC -o "$folder/outer.so" "$here/loading/outer.c" -Wl,-rpath,"\$ORIGIN" "$folder/plugin.so"
compile -shared -fPIC -o "$folder/wrapper.so" "$here/loading/wrapper.c"

# ---- programs ----

if needs "php" php -r 'exit(function_exists("curl_init") ? 0 : 1);'; then
    fresh
    is "PHP's extension, which is bound deeply, is covered" \
        "$(under php -r '$c = curl_init($argv[1]); curl_exec($c); echo curl_getinfo($c, CURLINFO_HTTP_CODE);' "$flaky")" "ok
200"
fi
ctypes='
import ctypes, sys
def fetch(name, url):
    curl = ctypes.CDLL(name)
    curl.curl_easy_init.restype = ctypes.c_void_p
    easy = ctypes.c_void_p(curl.curl_easy_init())
    curl.curl_easy_setopt(easy, 10002, ctypes.c_char_p(url.encode()))
    curl.curl_easy_setopt(easy, 45, ctypes.c_long(1))
    print("", curl.curl_easy_perform(easy), flush=True)
    curl.curl_easy_cleanup(easy)
for name in sys.argv[2:]:
    fetch(name, sys.argv[1].replace("/k", "/" + name).replace("key=k", "key=" + name))
'
if needs "Python's ctypes" python3 -c 'import ctypes; ctypes.CDLL("libcurl.so.4")'; then
    fresh
    is "Python's ctypes is covered" "$(under python3 -c "$ctypes" "$flaky" libcurl.so.4)" "ok
 0"
    if needs "three flavours" python3 -c 'import ctypes; ctypes.CDLL("libcurl-gnutls.so.4"); ctypes.CDLL("libcurl-nss.so.4")'; then
        fresh
        is "Python's ctypes with three flavours in one process is covered in each" \
            "$(under python3 -c "$ctypes" "$flaky" libcurl.so.4 libcurl-gnutls.so.4 libcurl-nss.so.4)" "ok
 0
ok
 0
ok
 0"
    fi
    probe='import ctypes
try: ctypes.CDLL(None).curl_easy_init; print("found")
except AttributeError: print("not found")'
    is "a program without libcurl is not told that it has one" "$(under python3 -c "$probe")" "not found"
fi
python=
for candidate in python3 /usr/bin/python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import pycurl' 2>/dev/null || python=$candidate
done
if [ -n "$python" ]; then
    fresh
    is "pycurl, which is opened locally, is covered" "$(under "$python" -c '
import pycurl, sys
c = pycurl.Curl(); c.setopt(c.URL, sys.argv[1]); c.perform(); print(c.getinfo(c.RESPONSE_CODE))' "$flaky")" "ok
200"
    fresh
    is "pycurl (GnuTLS) and ctypes (OpenSSL) in one process are covered" "$(under "$python" -c "import pycurl
c = pycurl.Curl(); c.setopt(c.URL, '$flaky'); c.perform()
$ctypes" "$flaky" libcurl.so.4)" "ok
ok
 0"
else
    skip "pycurl" "there is no Python that has it"
fi
if needs "ruby with ethon" ruby -e 'require "ethon"'; then
    fresh
    is "Ruby's ethon, through FFI, is covered" "$(under ruby -e '
require "ethon"
e = Ethon::Easy.new(url: ARGV[0]); e.perform; puts e.response_code' "$flaky")" 200
fi
if needs "perl with WWW::Curl" perl -MWWW::Curl::Easy -e 1; then
    fresh
    is "Perl's WWW::Curl is covered" "$(under perl -MWWW::Curl::Easy -e '
my $c = WWW::Curl::Easy->new; $c->setopt(CURLOPT_URL, $ARGV[0]); $c->perform; print $c->getinfo(CURLINFO_HTTP_CODE)' "$flaky")" "ok
200"
fi

# ---- the loader's functions ----

# reaches NAME WANTED ARGUMENT...: of the client; FLAKY stands for a URL whose first try fails
reaches() {
    local name=$1 wanted=$2 argument words=()
    shift 2
    for argument in "$@"; do
        [ "$argument" != FLAKY ] || { fresh && argument=$flaky; }
        words+=("$argument")
    done
    is "$name" "$(under "$loading" "${words[@]}" | tr '\n' ' ')" "$wanted "
}
reaches "libcurl by dlopen and dlsym is covered" "0 200" again libcurl.so.4 FLAKY 1
reaches "a program that closes libcurl and opens it again finds it as it was" "0 200 0 200 0 200" again libcurl.so.4 FLAKY 3
if [ -n "$(ldconfig -p | grep libcurl-gnutls.so.4)" ]; then
    reaches "both flavours in one process are covered, each with its own" "0 200 0 200 0 200 two libraries" \
        both libcurl.so.4 FLAKY libcurl-gnutls.so.4 FLAKY
else
    skip "both flavours" "libcurl-gnutls is not installed"
fi
reaches "a plugin that is opened locally is covered" "0 200" plugin "$folder/plugin.so" FLAKY
reaches "a plugin that is bound deeply is covered" "0 200" plugin "$folder/plugin.so" FLAKY deep
reaches "a plugin that brings along what needs libcurl is covered" "0 200" plugin "$folder/outer.so" FLAKY deep
is "a plugin that is bound deeply is not reached bare (the test can fail)" \
    "$(fresh && timeout 20 "$loading" plugin "$folder/plugin.so" "$flaky" deep)" "0 503"

# In the child of a fork, the lock of the loader's list stays as another thread held it: whoever asks for it then waits for good.
reaches "a child that was forked while threads use libcurl can use it and load libraries" "0 hung" \
    forks libcurl.so.4 1000 libBrokenLocale.so.1
reaches "a child that was forked while a thread walks the loader's list can use libcurl" "0 hung" held libcurl.so.4

# dlerror and the answers are as bare, with libcurl and without.
for library in "" libcurl.so.4 "$folder/plugin.so"; do
    # shellcheck disable=SC2086 # nothing for an empty word
    timeout 20 "$loading" probe $library >"$folder/bare" 2>&1
    # shellcheck disable=SC2086
    under "$loading" probe $library >"$folder/under"
    ok "what the loader tells of ${library:-no library} is as bare" diff "$folder/bare" "$folder/under"
    # shellcheck disable=SC2086
    GUSSET_MODE=off under "$loading" probe $library >"$folder/under"
    ok "likewise where gusset is off" diff "$folder/bare" "$folder/under"
done

# The caller's RUNPATH leads the loader, through our dlopen too.
mkdir "$folder/beside"
cp "$folder/plugin.so" "$folder/beside/only-here.so"
compile -o "$folder/finder" "$here/loading.c" -Wl,-rpath,"\$ORIGIN/beside" -Wl,--enable-new-dtags
fresh
is "a plugin is found by the program's RUNPATH" "$(under "$folder/finder" plugin only-here.so "$flaky")" "0 200"
fresh
is "a plugin that is bound deeply is found by the program's RUNPATH" "$(under "$folder/finder" plugin only-here.so "$flaky" deep)" "0 200"
is "without that RUNPATH it is not found" "$(under "$loading" plugin only-here.so "$url" deep | grep -c 'cannot open shared object')" 1

# ---- symbol versions ----

mkdir "$folder/nobody" "$folder/none"
version() { python3 "$here/loading/version.py" "$@"; }
if needs "other symbol versions" version "$system_libcurl" "$folder/nobody/libcurl.so.4" CURL_OPENSSL_4 CURL_NOBODYS_4; then
    version "$(command -v curl)" "$folder/nobody/curl" CURL_OPENSSL_4 CURL_NOBODYS_4
    version "$system_libcurl" "$folder/none/libcurl.so.4"
    version "$(command -v curl)" "$folder/none/curl"
    chmod +x "$folder"/no*/curl
    fresh
    is "a program and a libcurl under a version that nobody has listed are covered" \
        "$(LD_LIBRARY_PATH=$folder/nobody under "$folder/nobody/curl" -sS "$flaky")" "ok"
    fresh
    is "a program with versions on a libcurl without is covered" \
        "$(LD_LIBRARY_PATH=$folder/none under curl -sS "$flaky" | grep -v 'no version information')" "ok"
    fresh
    is "a program without versions on a libcurl without is covered" \
        "$(LD_LIBRARY_PATH=$folder/none under "$folder/none/curl" -sS "$flaky" | grep -v 'no version information')" "ok"
    fresh
    is "a program without versions on a libcurl with is covered" "$(under "$folder/none/curl" -sS "$flaky")" "ok"
    reaches "dlsym finds a libcurl without versions" "0 200" again "$folder/none/libcurl.so.4" FLAKY 1
    reaches "dlsym finds a libcurl under a version that nobody has listed" "0 200" again "$folder/nobody/libcurl.so.4" FLAKY 1
    reaches "two builds of one flavour in one process: each handle stays with its own" "0 200 0 200 0 200 one library" \
        both "$system_libcurl" FLAKY "$folder/none/libcurl.so.4" FLAKY
fi

# ---- other preload libraries ----

for order in "$BUILD/libgusset.so:$folder/wrapper.so" "$folder/wrapper.so:$BUILD/libgusset.so"; do
    place=$([ "${order##*/}" = wrapper.so ] && echo behind || echo before)
    fresh
    is "another library that wraps curl, $place gusset, keeps its place" \
        "$(LD_PRELOAD=$order timeout 20 curl -sS "$flaky" 2>&1 | sort -u | tr '\n' ' ')" "ok wrapped "
    fresh
    is "and with a plugin" "$(LD_PRELOAD=$order timeout 20 "$loading" plugin "$folder/plugin.so" "$flaky" 2>/dev/null)" "0 200"
done
if needs "faketime" faketime 'last friday' true; then
    fresh
    is "under faketime, gusset within" "$(timeout 20 faketime -f '+1d' env LD_PRELOAD="$BUILD/libgusset.so" curl -sS "$flaky")" "ok"
    faketime=$(faketime 'last friday' sh -c 'echo $LD_PRELOAD')
    for order in "$BUILD/libgusset.so:$faketime" "$faketime:$BUILD/libgusset.so"; do
        fresh
        is "libfaketime beside gusset, ${order##*/} last" \
            "$(LD_PRELOAD=$order FAKETIME=+1d timeout 20 "$loading" plugin "$folder/plugin.so" "$flaky")" "0 200"
    done
fi
asan=$(${CC:-gcc} -print-file-name=libasan.so)
if [ -e "$asan" ]; then
    fresh
    asan_loading() { LD_PRELOAD="$(realpath "$asan"):$BUILD/libgusset.so" ASAN_OPTIONS=detect_leaks=0 timeout 30 "$loading" "$@" 2>&1; }
    is "under the address sanitizer's library" "$(asan_loading plugin "$folder/plugin.so" "$flaky")" "0 200"
    fresh
    is "under the address sanitizer's library, by dlsym" "$(asan_loading again libcurl.so.4 "$flaky" 1)" "0 200"
else
    skip "the address sanitizer" "there is no libasan.so"
fi

# ---- a newer libcurl ----

backport=$(bash "$here/loading/backport" "$folder/backport" 2>"$folder/why")
if [ -d "$backport" ]; then
    newer="$backport/libcurl.so.4"
    export -n LD_LIBRARY_PATH
    with_newer() { LD_LIBRARY_PATH=$backport under "$@"; }
    is "the newer libcurl is another" "$(LD_LIBRARY_PATH=$backport curl --version | grep -c "$(curl --version | grep -o 'libcurl/[0-9.]*' | head -n 1) ")" 0
    fresh
    is "curl on the newer libcurl is covered" "$(with_newer curl -sS "$flaky")" "ok"
    reaches "an older and a newer libcurl in one process: each handle stays with its own" "0 200 0 503 0 200 two libraries" \
        both "$newer" FLAKY "$system_libcurl" FLAKY
    # A bundled libcurl: of the same flavour, under a file name of its own.
    mkdir "$folder/bundled"
    python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(data.replace(b"libcurl.so.4\0", b"libcurl.so.9\0"))' "$newer" "$folder/bundled/libcurl.so.9"
    compile -shared -fPIC -o "$folder/bundled.so" "$here/loading/plugin.c" "$folder/bundled/libcurl.so.9" -Wl,-rpath,"$folder/bundled"
    reaches "plugins with a libcurl each, of one flavour, are both covered" "0 200 0 200 0 200 0 200" \
        plugins "$folder/plugin.so" FLAKY "$folder/bundled.so" FLAKY
    reaches "likewise the other way round" "0 200 0 200 0 200 0 200" \
        plugins "$folder/bundled.so" FLAKY "$folder/plugin.so" FLAKY
    # The clients' own tests, on the newer one. They print their names as they go.
    for suite in transparent odd local post queued; do
        [ -z "${GUSSET_ON_NEWER:-}" ] || break # we are inside one
        GUSSET_ON_NEWER=1 LD_LIBRARY_PATH=$backport timeout 600 bash "$here/${suite}_test.sh" >"$folder/suite" 2>&1
        is "${suite}_test on the newer libcurl" "$(grep -c '^not ok' "$folder/suite") failed" "0 failed"
        grep -A 3 '^not ok' "$folder/suite" | sed 's/^/# /'
    done
else
    skip "a newer libcurl (Debian's backports)" "$(tail -n 1 "$folder/why")"
fi

done_testing
