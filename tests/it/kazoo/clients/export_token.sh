#!/bin/sh
# Logs in and prints what to `eval`, as Kazoo's own script for shells does: form-encoded as curl has it by default, and read with jq.
#   export_token.sh SERVER account_name|account_realm|phone_number VALUE CREDENTIALS
#   export_token.sh SERVER api_key KEY
set -eu
server=$1 kind=$2 value=$3
case $kind in
api_key) route=api_auth data="{\"data\":{\"api_key\":\"$value\"}}" ;;
*) route=user_auth data="{\"data\":{\"credentials\":\"$4\",\"$kind\":\"$value\"}}" ;;
esac
answer=$(curl -s -L --max-time 30 -X PUT -w '\n%{http_code} %{content_type}' -d "$data" "$server/v2/$route")
body=$(printf '%s\n' "$answer" | sed '$d')
kind_of_body=$(printf '%s\n' "$answer" | sed -n '$p' | cut -d ' ' -f 2)
if [ "${kind_of_body%%;*}" != application/json ]; then
    echo "no JSON: $kind_of_body" >&2
    exit 1
fi
if [ "$(printf '%s' "$body" | jq -r .status)" = success ]; then
    printf '%s' "$body" | jq -r '"export ACCOUNT_ID=\(.data.account_id)", "export AUTH_TOKEN=\(.auth_token)"'
else
    printf '%s' "$body" | jq -r '"echo \(.status) \(.error) \(.message)"'
fi
