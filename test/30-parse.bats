# Bad input: every request gets a definite answer, and where it is malformed
# the connection ends with it.

load lib

# Rows: status, verdict, keeps or closes, then the bytes as printf wants them.
# The connection persists wherever framing is intact (--persist=always).
table() {
	cat <<'ROWS'
400 bad-request-line closes G@T / HTTP/1.1\r\nHost: x\r\n\r\n
400 not-http closes  GET / HTTP/1.1\r\nHost: x\r\n\r\n
400 not-http closes (GET) / HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-request-line closes GET\r\nHost: x\r\n\r\n
400 bad-request-line closes GET /\r\nHost: x\r\n\r\n
400 bad-request-line closes GET / \r\nHost: x\r\n\r\n
400 bad-request-line closes GET  / HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-version closes GET /  HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-version closes GET / HTTP/1.1 \r\nHost: x\r\n\r\n
400 bad-version closes GET / x HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-request-line closes GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n
400 bad-version closes GET / http/1.1\r\nHost: x\r\n\r\n
400 bad-version closes GET / HTTP/1\r\nHost: x\r\n\r\n
400 bad-version closes GET / HTTP/1.10\r\nHost: x\r\n\r\n
400 bad-version closes GET / HTTP/11\r\nHost: x\r\n\r\n
400 bad-version closes GET / HTTP/0.9\r\nHost: x\r\n\r\n
400 bad-version closes GET / HTTP/x.1\r\nHost: x\r\n\r\n
400 bad-version closes GET / ICAP/1.0\r\nHost: x\r\n\r\n
505 version-not-supported closes GET / HTTP/2.0\r\nHost: x\r\n\r\n
505 version-not-supported closes GET / HTTP/9.9\r\nHost: x\r\n\r\n
505 version-not-supported closes PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n
400 bad-target closes GET x HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET * HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET a/1.jpg HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET http://me@x/ HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET http://x:y/ HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /#top HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /\\..\\x HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /a\x01b HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /a\x7fb HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /a\rb HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET /?\x0b HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /% HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /%1 HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /%u0041 HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /a%00.html HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /index.html%00.jpg HTTP/1.1\r\nHost: x\r\n\r\n
404 encoded-slash keeps GET /a%2f1.jpg HTTP/1.1\r\nHost: x\r\n\r\n
404 encoded-slash keeps GET /a%5c1.jpg HTTP/1.1\r\nHost: x\r\n\r\n
404 encoded-slash keeps GET /..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 outside keeps GET /.. HTTP/1.1\r\nHost: x\r\n\r\n
404 outside keeps GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 outside keeps GET /a/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 outside keeps GET /a/../../index.html HTTP/1.1\r\nHost: x\r\n\r\n
404 outside keeps GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 outside keeps GET /.%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 encoded-slash keeps GET /../a%2fb HTTP/1.1\r\nHost: x\r\n\r\n
404 encoded-slash keeps GET /a%5c/../index.html HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-escape closes GET /a%/../index.html HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /./index.html HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /%2E/index.html HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /none/../index.html HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /a/.. HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /a/b/.//%2e%2e/1.jpg HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /.git/../index.html HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /a/../.git/config HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /./_redirects HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /_REDIRECTS HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /_Redirect%53 HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /.git/config HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /a/.well-known/x HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /_redirects HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET //_redirects HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /%5Fredirects HTTP/1.1\r\nHost: x\r\n\r\n
404 hidden keeps GET /_redirects/ HTTP/1.1\r\nHost: x\r\n\r\n
404 not-found keeps GET /%252e%252e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 not-found keeps GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n
404 not-found keeps GET /index.html/ HTTP/1.1\r\nHost: x\r\n\r\n
404 not-found keeps GET /index.html/x HTTP/1.1\r\nHost: x\r\n\r\n
404 not-found keeps GET http://other/none HTTP/1.1\r\nHost: x\r\n\r\n
204 options keeps OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n
204 options keeps OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n
405 method-not-allowed keeps POST / HTTP/1.1\r\nHost: x\r\n\r\n
405 method-not-allowed keeps POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc
405 method-not-allowed keeps PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
405 method-not-allowed keeps DELETE / HTTP/1.1\r\nHost: x\r\n\r\n
405 method-not-allowed keeps TRACE / HTTP/1.1\r\nHost: x\r\n\r\n
405 method-not-allowed closes CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n
400 bad-target closes CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes CONNECT [::1] HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n
405 method-not-allowed keeps PATCH / HTTP/1.1\r\nHost: x\r\n\r\n
501 method-unknown keeps get / HTTP/1.1\r\nHost: x\r\n\r\n
405 method-not-allowed keeps PROPFIND / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc
405 method-not-allowed keeps PRI / HTTP/1.1\r\nHost: x\r\n\r\n
501 method-unknown keeps BREW / HTTP/1.1\r\nHost: x\r\n\r\n
400 host-missing closes GET / HTTP/1.1\r\n\r\n
400 host-missing closes GET http://x/ HTTP/1.1\r\n\r\n
400 host-repeated closes GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n
400 host-repeated closes GET / HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost:\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: a b\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: a/b\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: a@b\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: x:http\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: x:123456\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: :80\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [::1\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: []\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [zz]\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7]\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [1::2::3]:80\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [::1.2.3.256]\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [v1]\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: [fe80::1%%25eth0]\r\n\r\n
400 bad-host closes GET http://x/ HTTP/1.1\r\nHost: [zz]\r\n\r\n
400 bad-target closes GET http://[zz]/ HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes GET http://[::1.2.3.256]:80/ HTTP/1.1\r\nHost: x\r\n\r\n
400 bad-target closes CONNECT [1:2]:443 HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET / HTTP/1.1\r\nHost: [::ffff:192.0.2.1]:80\r\n\r\n
200 ok keeps GET / HTTP/1.1\r\nHost: [v1.x]\r\n\r\n
400 bad-host closes GET / HTTP/1.1\r\nHost: %x\r\n\r\n
400 bad-field-name closes GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n
400 bad-field-name closes GET / HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n
400 bad-field-name closes GET / HTTP/1.1\r\nHost : x\r\n\r\n
400 bad-field-name closes GET / HTTP/1.1\r\nHost: x\r\nA\tb: c\r\n\r\n
400 bad-field-name closes GET / HTTP/1.1\r\nHost: x\r\nA(b): c\r\n\r\n
400 bad-field-name closes GET / HTTP/1.1\r\nHost: x\r\nA\x80: c\r\n\r\n
400 bad-field-value closes GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n
400 bad-field-value closes GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n
400 bad-field-value closes GET / HTTP/1.1\r\nHost: x\r\nA: b\x1bc\r\n\r\n
400 bad-field-value closes GET / HTTP/1.1\r\nHost: x\r\nA: b\r\r\n\r\n
400 folded-field closes GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n
400 folded-field closes GET / HTTP/1.1\r\n Host: x\r\n\r\n
400 folded-field closes GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1a\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1 1\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1,\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\nxx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n
400 bad-content-length closes POST / HTTP/1.0\r\nContent-Length: 1\r\nA: b\r\nContent-Length: 1\r\n\r\nx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n
400 bad-content-length closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775808\r\n\r\n
400 length-and-coding closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked;q=1\r\n\r\n
400 bad-transfer-coding closes GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
501 transfer-coding-unknown closes GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n
400 content-cut-short closes GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\nGET /evil HTTP/1.1\r\n\r\n
200 ok keeps GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\nGET /evil HTTP/1.1\r\n\r\n
200 ok keeps GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n
200 ok keeps GET /?% HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /?q={"a":[1|2^3]}\\ HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET ///index.html HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET /%69ndex.html HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET http://other HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET HTTP://other?x HTTP/1.1\r\nHost:\r\n\r\n
400 bad-target closes GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n
200 ok keeps GET http://[::1]:8080/index.html HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n
200 ok keeps GET / HTTP/1.1\r\nhOsT:x\r\nA:\r\nA: \xff\t\r\n\r\n
200 ok keeps GET / HTTP/1.7\r\nHost: x\r\n\r\n
200 ok closes GET / HTTP/1.0\r\n\r\n
200 ok keeps GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n
200 ok closes GET / HTTP/1.1\r\nHost: x\r\nConnection: foo ,CLOSE\r\n\r\n
200 ok closes GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n
ROWS
}

@test "each of more than a hundred bad and odd requests gets its definite answer" {
	local wanted_code wanted_token keeps bytes got rows=0 failed=0
	while read -r wanted_code wanted_token keeps bytes; do
		# The leading blank of a request line is lost by read.
		[ "$wanted_token$bytes" != "not-httpGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" ] ||
			bytes=" $bytes"
		rows=$((rows + 1))
		ask "$bytes" --persist=always "$FILES"
		got="$code $token $exit $(field Connection 2>&1 || :)"
		case $keeps in
		keeps) wanted="$wanted_code $wanted_token 0 keep-alive" ;;
		closes) wanted="$wanted_code $wanted_token 0 close" ;;
		esac
		if [ "$got" != "$wanted" ]; then
			printf '%s\n  wanted: %s\n  got:    %s\n' "$bytes" "$wanted" "$got"
			failed=$((failed + 1))
		fi
	done < <(table)
	printf '%s rows, %s failed\n' "$rows" "$failed"
	[ "$rows" -ge 100 ] && [ "$failed" -eq 0 ]
}

@test "no refused request is followed by a second answer" {
	local line code_ token_ keeps bytes rows=0
	while IFS= read -r line; do
		read -r code_ token_ keeps _ <<<"$line"
		bytes=${line#"$code_ $token_ $keeps "}
		[ "$keeps" = closes ] || continue
		# What is glued on would be the rest of the content.
		[ "$token_" != content-cut-short ] || continue
		rows=$((rows + 1))
		ask "${bytes}GET /result.html HTTP/1.1\r\nHost: x\r\n\r\n" \
			--persist=always "$FILES"
		if [ "$(grep -ac '^HTTP/1\.1 ' "$answer")" -ne 1 ]; then
			printf '%s %s: %s\nwanted one answer, got:\n%s\n' \
				"$code_" "$token_" "$bytes" "$(grep -a '^HTTP/1\.1 ' "$answer")"
			return 1
		fi
	done < <(table)
	[ "$rows" -ge 90 ]
}

@test "an answer to a refused request repeats nothing of it" {
	ask 'GET /<script>alert(1)</script> HTTP/1.1\r\nHost: <script>\r\n\r\n' "$FILES"
	assert_equal "$code" 400
	refute grep -q script "$answer"
}
