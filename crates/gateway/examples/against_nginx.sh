#!/bin/sh
# Compares the gateway's CPU time per request with nginx as a reverse proxy: one worker each, the same
# 50 routes and forwarding headers, the same backend, kept connections on both sides.
#
#   apt-get install nginx-light wrk
#   cargo build --release -p fairway-gateway --example gateway_bench
#   crates/gateway/examples/against_nginx.sh target/release/examples/gateway_bench [ROUNDS] [SECONDS]
#
# Prints user and system time per request of each, and the ratio. CPU time is that of the process
# from /proc; wrk and the backend are not counted. LOG=on makes both write an access log.
set -eu

binary=$1
rounds=${2:-3}
seconds=${3:-5}
backend_port=18081 nginx_port=18082 gateway_port=18083
dir=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$dir"' EXIT

common="daemon off; worker_processes 1; error_log $dir/error.log;
events { worker_connections 4096; }"
limits="keepalive_requests 1000000000; keepalive_timeout 600;"

cat >"$dir/backend.conf" <<END
$common pid $dir/backend.pid;
http { access_log off; $limits
  server { listen 127.0.0.1:$backend_port;
    location / { return 200 "hello from a small service, this is the body\n"; } } }
END

log=off format=
if [ "${LOG:-off}" = on ]; then
    format="log_format record escape=json '{\"time\":\"\$msec\",\"method\":\"\$request_method\",\"path\":\"\$uri\",\"status\":\$status,\"bytes_in\":\$request_length,\"bytes_out\":\$body_bytes_sent,\"duration\":\$request_time,\"backend\":\"\$upstream_addr\",\"request_id\":\"\$request_id\"}';"
    log="$dir/nginx.log record buffer=64k"
fi
{
    cat <<END
$common pid $dir/proxy.pid;
http { $format access_log $log; $limits
  upstream backend { server 127.0.0.1:$backend_port; keepalive 128; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$nginx_port;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$http_host;
    proxy_set_header X-Forwarded-For \$remote_addr;
    proxy_set_header X-Forwarded-Proto \$scheme;
    proxy_set_header X-Forwarded-Host \$http_host;
    proxy_set_header Forwarded "for=\$remote_addr;host=\"\$http_host\";proto=\$scheme";
    proxy_set_header Via "1.1 nginx";
    proxy_set_header X-Request-Id \$request_id;
    add_header X-Request-Id \$request_id;
END
    for i in $(seq 0 49); do
        echo "    location /service$i/v1 { proxy_pass http://backend; }"
    done
    echo "} }"
} >"$dir/proxy.conf"

nginx -c "$dir/backend.conf" & pids="$pids $!"
nginx -c "$dir/proxy.conf" & master=$!; pids="$pids $master"
if [ "${LOG:-off}" = on ]; then
    "$binary" 127.0.0.1:$gateway_port 127.0.0.1:$backend_port "$dir/gateway.log" &
else
    "$binary" 127.0.0.1:$gateway_port 127.0.0.1:$backend_port &
fi
gateway=$!; pids="$pids $gateway"

url() { echo "http://127.0.0.1:$1/service37/v1/orders/17"; }
for port in $nginx_port $gateway_port; do
    tries=0
    until wrk -t1 -c1 -d1s "$(url $port)" 2>/dev/null | grep -q 'requests in'; do
        tries=$((tries + 1)); [ $tries -lt 10 ] || exit 1
    done
done
worker=$(pgrep -P $master)

ticks() { awk '{print $14, $15}' "/proc/$1/stat"; }
measure() { # NAME PID PORT
    before=$(ticks "$2")
    out=$(wrk -t1 -c64 -d"${seconds}s" \
        -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' \
        -H 'Accept: application/json' -H 'Accept-Language: en' -H 'Cookie: session=0123456789abcdef' \
        "$(url "$3")")
    if echo "$out" | grep -E 'Socket errors|Non-2xx'; then exit 1; fi
    count=$(echo "$out" | awk '/requests in/ {print $1}')
    echo "$1 $count $before $(ticks "$2")" | awk -v hz="$(getconf CLK_TCK)" \
        '{ u = ($5 - $3) / hz / $2 * 1e6; s = ($6 - $4) / hz / $2 * 1e6
           printf "%-8s %8d requests  user %5.2f us  system %5.2f us  total %5.2f us\n", $1, $2, u, s, u + s }' |
        tee -a "$dir/results"
}

for _ in $(seq "$rounds"); do
    measure nginx "$worker" $nginx_port
    measure gateway "$gateway" $gateway_port
done
awk '{ sum[$1] += $(NF - 1) } END { printf "ratio %.2f\n", sum["gateway"] / sum["nginx"] }' "$dir/results"
