#!/bin/bash
# A program that makes a handle for each request: what gusset keeps of one for the next is right for the next.
. "$(dirname "$0")/lib.sh"
start_upstream
other=$port
start_upstream
client=$BUILD/clients/fresh
url="http://127.0.0.1:$port/x?echo=request"

config "$folder/rules.cfg" <<CFG
version = 1;
policies: {
  any:   { extends = "standard"; propagate = ["request_id"]; headers = ( { name = "X-Rule"; value = "any"; } ); };
  other: { extends = "standard"; headers = ( { name = "X-Rule"; value = "other"; } ); };
  post:  { extends = "standard"; headers = ( { name = "X-Rule"; value = "post"; } ); };
  path:  { extends = "standard"; headers = ( { name = "X-Rule"; value = "path"; } ); };
};
hosts = (
  { match = "127.0.0.1"; policy = "any"; },
  { match = "127.0.0.1:$other"; policy = "other"; },
  { match = "127.0.0.1:$port"; methods = ["POST"]; policy = "post"; },
  { match = "127.0.0.1:$port"; paths = ["/p*"]; policy = "path"; }
);
CFG
fresh() { GUSSET_CONFIG=$folder/rules.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$client" "$@"; }
there="http://127.0.0.1:$other/x?echo=request"

is "the same URL again and again" "$(fresh get="$url" get="$url" get="$url")" "any any any"
is "another host between" "$(fresh get="$url" get="$there" get="$url" get="$there" get="$there")" "any other any other other"
is "another path" "$(fresh get="$url" get="${url/x?/p?}" get="$url")" "any path any"
is "another method" "$(fresh get="$url" post="$url" get="$url" post="$url" post="$url")" "any post any post post"
is "the URL is known, and the port is set before it" "$(fresh get="$url" port:"$other"="$url" get="$url")" "any other any"
is "the URL is known, and the port is set after it" "$(fresh get="$url" porting:"$other"="$url" get="$url")" "any other any"
is "a URL that was asked with another port is not known by itself" "$(fresh port:"$other"="$url" get="$url" get="$url")" "other any any"
is "the URL comes in parts" "$(fresh get="$url" parts="$url" parts="$there" get="$url" parts="$there")" "any any other any other"
is "the URL is set anew after a reset" "$(fresh get="$url" anew="$url" get="$there" anew="$url" anew="$there")" "any any other any other"
is "the handle went elsewhere, and was reset" "$(fresh get="$url" tour:"$other"="$url" get="$url" tour:"$other"="$there" tour:"$port"="$there")" "any any any other other"
is "another URL was set before it" "$(fresh get="$url" late="$url" late="$there" late="$url")" "any any other any"
is "a child goes on with its copy, and its ids are its own" "$(fresh get="$url" fork="$url" get="$url" fork="$url")" "any own any own"
is "what follows on the same handle is no call of the host's" "$(forget; fresh file="$url"; counted calls)" "$(printf 'any\n1')"
is "nor is what no rule matches" "$(forget; fresh astray:"$port"="$url"; counted calls)" "$(printf 'any\n2')"
is "as many calls are counted as were made" "$(forget; fresh get="$url" get="$url" get="$there" post="$url" >/dev/null; counted calls)" 4
done_testing
