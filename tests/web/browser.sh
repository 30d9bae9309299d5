# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A headless Chromium, driven over WebDriver's HTTP by curl and jq. To be sourced.
#
#   browser_start FOLDER     a browser whose files lie in FOLDER; 1: there is none
#   browser_open URL         go there
#   browser_js SCRIPT        run a function's body, print what it returns as JSON
#   browser_until SCRIPT     until that is true; 1: two minutes went by
#   browser_size WIDTH HEIGHT
#   browser_shot FILE.png    what is to be seen
#   browser_trouble          what the page complained of: errors, refused requests
#   browser_asked            whom it asked for something since the last time
#   browser_end

browser_obstacle() {
	local tool
	for tool in chromium chromedriver curl jq; do
		command -v "$tool" >/dev/null || {
			echo "$tool is not installed"
			return
		}
	done
}

# browser_call METHOD PATH [JSON]: WebDriver's answer, its value alone.
browser_call() {
	local method=$1 path=$2 data=${3-}
	[[ $method == GET || -n $data ]] || data='{}'
	curl -sS --max-time 240 -X "$method" ${data:+-d "$data"} \
		-H 'Content-Type: application/json' "$browser_url$path" | jq -c .value
}

# Everything of it is in one folder, and it speaks to nobody but the page.
browser_options() {
	jq -n --arg folder "$1" '{capabilities: {alwaysMatch: {
		browserName: "chrome",
		"goog:loggingPrefs": {browser: "ALL", performance: "ALL"},
		"goog:chromeOptions": {binary: "/usr/bin/chromium", args: [
			"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
			"--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync",
			"--disable-dev-shm-usage", "--hide-scrollbars",
			"--user-data-dir=\($folder)/profile"]}}}}'
}

browser_start() {
	local folder=$1 port end=$((SECONDS + 120))
	chromedriver --port=0 >"$folder/driver" 2>&1 &
	browser_pid=$!
	until port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$folder/driver" 2>/dev/null) &&
		[[ -n $port ]]; do
		((SECONDS < end)) && kill -0 "$browser_pid" 2>/dev/null || return 1
		sleep 0.1
	done
	browser_url=http://127.0.0.1:$port
	local session
	session=$(browser_call POST /session "$(browser_options "$folder")" | jq -r '.sessionId // empty')
	[[ -n $session ]] || return 1
	browser_url+=/session/$session
}

browser_open() {
	browser_call POST /url "$(jq -n --arg url "$1" '{$url}')" >/dev/null
}

browser_js() {
	browser_call POST /execute/sync "$(jq -n --arg script "$1" '{$script, args: []}')"
}

browser_until() {
	local end=$((SECONDS + 120))
	until [[ $(browser_js "$1") == true ]]; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

browser_size() {
	browser_call POST /window/rect "{\"width\": $1, \"height\": $2}" >/dev/null
}

browser_shot() {
	browser_call GET /screenshot | jq -r . | base64 -d >"$1"
}

browser_trouble() {
	browser_call POST /se/log '{"type": "browser"}' |
		jq -r '.[] | select(.level != "INFO" and .level != "DEBUG") | .message'
}

browser_asked() {
	browser_call POST /se/log '{"type": "performance"}' | jq -r '.[].message | fromjson.message |
		select(.method == "Network.requestWillBeSent").params.request.url' | sort -u
}

browser_end() {
	[[ -n ${browser_pid-} ]] || return 0
	[[ ${browser_url-} != */session/* ]] || browser_call DELETE '' >/dev/null
	kill "$browser_pid" 2>/dev/null || true
	wait "$browser_pid" 2>/dev/null || true
	browser_pid=
}
