# _redirects: read where no file answers.

load lib

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/dir"
	echo here >"$tree/file.html"
	cat >"$tree/_redirects" <<-'RULES'
		# A comment, and an empty line

		/old /new
		  /temporary	/elsewhere   302
		/see-other /s 303 # a comment behind
		/keeps-method /k 307
		/for-good /g 308
		/file.html /never
		/away https://example.org/x?y=1#z
		/anchor /page#part
		/with%20blank /without
		/gr%C3%BCn /green
		/slash/ /no-slash
		/old /second-rule-for-the-same
		/.hidden /shown
		/crlf /line-end
	RULES
	sed -i '$s/$/\r/' "$tree/_redirects"
}

# assert_redirect TARGET STATUS LOCATION
assert_redirect() {
	get "$1" "$tree"
	assert_status "$2" redirected
	assert_equal "$(field Location)" "$3"
	assert_equal "$(field Connection)" close
}

@test "the sample tree sends /redirect to /result.html" {
	get /redirect "$FILES"
	assert_status 301 redirected
	assert_equal "$(field Location)" /result.html
	assert_equal "$(field Connection)" close
}

@test "the status is 301 or the one that the rule names" {
	assert_redirect /old 301 /new
	assert_redirect /temporary 302 /elsewhere
	assert_redirect /see-other 303 /s
	assert_redirect /keeps-method 307 /k
	assert_redirect /for-good 308 /g
}

@test "a file wins over a rule" {
	get /file.html "$tree"
	assert_status 200 ok
}

@test "the rules are not read when a file answers" {
	printf 'GET /file.html HTTP/1.1\r\nHost: x\r\n\r\n' | strace -f -e trace=openat2 \
		-o "$BATS_TEST_TMPDIR/strace" "$HTTPD" "$tree" >/dev/null 2>&1
	refute grep -q _redirects "$BATS_TEST_TMPDIR/strace"
}

@test "the query is passed on unless the rule has its own" {
	assert_redirect '/old?a=b' 301 '/new?a=b'
	assert_redirect '/anchor?a=b' 301 '/page?a=b#part'
	assert_redirect '/away?a=b' 301 'https://example.org/x?y=1#z'
}

@test "paths are compared decoded" {
	assert_redirect /with%20blank 301 /without
	assert_redirect /grün 301 /green
	assert_redirect /o%6cd 301 /new
}

@test "dot segments are removed before paths are compared, in the request and in the rule" {
	local target
	for target in /./old /none/../old /old/. /none//../old /%2e/none/%2E%2e/old \
		/.git/../old; do
		assert_redirect "$target" 301 /new
	done
	cat >"$tree/_redirects" <<-'RULES'
		/./dotted /d
		/a/../climbed /c
		/e/%2e%2E/encoded/%2e /e
		/dir/.. /root
		/dir/b/.. /never
		/last/segment/.. /l
		/../out /never
		/out /o
	RULES
	assert_redirect /dotted 301 /d
	assert_redirect /climbed 301 /c
	assert_redirect /b/../climbed 301 /c
	assert_redirect /encoded/ 301 /e
	assert_redirect / 301 /root
	assert_redirect /last 301 /l
	assert_redirect /out 301 /o
	get /a/climbed "$tree"
	assert_status 404 not-found
	# A path that leads out of the tree is answered by no rule.
	get /../out "$tree"
	assert_status 404 outside
	get /a/../../out "$tree"
	assert_status 404 outside
}

@test "a slash at the end makes no difference" {
	assert_redirect /old/ 301 /new
	assert_redirect /slash 301 /no-slash
}

@test "a rule can answer for a hidden name" {
	assert_redirect /.hidden 301 /shown
}

@test "lines may end with CRLF" {
	assert_redirect /crlf 301 /line-end
}

@test "a path without a rule is answered 404" {
	get /ol "$tree"
	assert_status 404 not-found
	get /olds "$tree"
	assert_status 404 not-found
	get /old/x "$tree"
	assert_status 404 not-found
}

@test "a directory wins over a rule" {
	echo '/dir /elsewhere' >>"$tree/_redirects"
	get /dir "$tree"
	assert_status 301 slash-missing
}

@test "the last line needs no line end" {
	printf '/last /line' >"$tree/_redirects"
	assert_redirect /last 301 /line
}

@test "a bad line is reported with its number, and the others still work" {
	local line number=0
	while IFS='|' read -r line problem; do
		printf '# one\n%s\n/good /place\n' "$line" >"$tree/_redirects"
		assert_redirect_with_report "$problem"
	done <<-'ROWS'
		/x|there is no place to redirect to
		x /y|the path to redirect from must start with a slash
		/x /x|it redirects to itself
		/x /x/?y|it redirects to itself
		/x/ /x#y|it redirects to itself
		/x /%78|it redirects to itself
		/x /./x|it redirects to itself
		/x /x/.|it redirects to itself
		/x /%2e/x|it redirects to itself
		/x /y/../x|it redirects to itself
		/x /y/%2E./x?z|it redirects to itself
		/x /../x|it redirects to itself
		/x //x|it redirects to itself
		/a/b /a//b|it redirects to itself
		/a/b /c//../a/b//#d|it redirects to itself
		/a/./b /a/b|it redirects to itself
		/a/../b /b/|it redirects to itself
		/../x /y|the path to redirect from leads out of the tree
		/x/%2e%2e/.. /y|the path to redirect from leads out of the tree
		/x//../y /z|the path to redirect from holds an empty segment or an encoded slash
		/%78y/ /xy|it redirects to itself
		/%c3%a9 /%C3%A9|it redirects to itself
		/x?y /z|a query cannot be matched
		/x y|the place to redirect to must be a path or an http URI
		/x javascript:alert(1)|the place to redirect to must be a path or an http URI
		/x /y 200|the status must be 301, 302, 303, 307 or 308
		/x /y 301!|the status must be 301, 302, 303, 307 or 308
		/x /y 999|the status must be 301, 302, 303, 307 or 308
		/x /y 301 Country=de|conditions are not supported
		/x/* /y|splats and placeholders are not supported
		/x//y /z|the path to redirect from holds an empty segment or an encoded slash
		/x%2Fy /z|the path to redirect from holds an empty segment or an encoded slash
		/x/:id /y|splats and placeholders are not supported
	ROWS
}

assert_redirect_with_report() {
	get /good "$tree"
	assert_equal "$code" 301
	assert_equal "$(field Location)" /place
	assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" "httpd: _redirects:2: $1"
}

@test "a rule cannot put a line break into the answer" {
	printf '/x /y\013z\n/good /place\n' >"$tree/_redirects"
	sed -i '1i # one' "$tree/_redirects"
	assert_redirect_with_report 'it holds a control character'
}

@test "a line that is too long is reported and passed over" {
	{
		echo '# one'
		printf '/x /%20000s\n' '' | tr ' ' y
		echo '/good /place'
	} >"$tree/_redirects"
	assert_redirect_with_report 'the line is too long'
}

@test "a rule after more blanks than a line may have bytes is reported" {
	local blanks
	for blanks in 1996 2000 8180 8187 8188 8190 8191 8192 8193 16384 30000; do
		printf '# one\n%*s/x /y\n/good /place\n' "$blanks" '' >"$tree/_redirects"
		assert_redirect_with_report 'the line is too long'
		printf '# one\n%*s/x /y\n/good /place\n' "$blanks" '' | tr ' ' '\t' |
			sed 's,x\t,x ,; s/#\t/# /; s/d\t/d /' >"$tree/_redirects"
		assert_redirect_with_report 'the line is too long'
	done
}

@test "blanks are an empty line, however many, and a comment may follow them" {
	local blanks
	for blanks in 2000 8190 8191 8192 8193 16384 30000; do
		{
			printf '%*s\n' "$blanks" ''
			printf '%*s\r\n' "$blanks" ''
			printf '%*s# no /rule\n' "$blanks" ''
			printf '/x\n/good /place\n%*s' "$blanks" ''
		} >"$tree/_redirects"
		get /good "$tree"
		assert_equal "$(field Location)" /place
		assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" \
			'httpd: _redirects:4: there is no place to redirect to'
		get /none "$tree"
		assert_status 404 not-found
	done
}

@test "a byte order mark at the start is skipped, and nowhere else" {
	printf '\xef\xbb\xbf/first /place\n/x\n' >"$tree/_redirects"
	assert_redirect /first 301 /place
	printf '\xef\xbb\xbf/first /place' >"$tree/_redirects"
	assert_redirect /first 301 /place
	printf '\xef\xbb\xbf# one\n/x\n/good /place\n' >"$tree/_redirects"
	assert_redirect_with_report 'there is no place to redirect to'
	printf '\xef\xbb\xbf\r\n/x\n/good /place\n' >"$tree/_redirects"
	assert_redirect_with_report 'there is no place to redirect to'
	printf '# one\n\xef\xbb\xbf/x /y\n/good /place\n' >"$tree/_redirects"
	assert_redirect_with_report 'the path to redirect from must start with a slash'
	{
		printf '\xef\xbb\xbf%8192s\n' ''
		printf '%8192s/x /y\n/good /place\n' ''
	} >"$tree/_redirects"
	assert_redirect_with_report 'the line is too long'
}

@test "a comment is none, however long" {
	{
		printf '#%20000s\n' '' | tr ' ' y
		echo '/x'
		echo '/good /place'
	} >"$tree/_redirects"
	assert_redirect_with_report 'there is no place to redirect to'
}

@test "the longest rule with the longest query is one whole answer" {
	local place query
	place=$(printf '%1990s' '' | tr ' ' '"')
	query=$(printf '%8170s' '' | tr ' ' '"')
	printf '# one\n/x /%s\n' "$place" >"$tree/_redirects"
	get "/x?$query" "$tree"
	assert_status 301 redirected
	assert_equal "$(field Location)" "/${place//\"/%22}?${query//\"/%22}"
	printf '# one\n/x /%s0000000000\n/good /place\n' "$place" >"$tree/_redirects"
	assert_redirect_with_report 'the line is too long'
}

@test "rules that may not be read are answered 500, not as if there were none" {
	local program=$HTTPD
	cat >"$BATS_TEST_TMPDIR/failing" <<-SH
		#!/bin/sh
		exec strace -qq -f -o /dev/null -P _redirects -P "$tree/_redirects" \\
			-e inject=openat2:error=EACCES "$program" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/failing"
	HTTPD=$BATS_TEST_TMPDIR/failing get /old "$tree"
	assert_status 500 file-error
}

@test "ten thousand rules are searched to the last" {
	for ((i = 0; i < 10000; i++)); do
		echo "/path/number/$i /place/number/$i 302"
	done >"$tree/_redirects"
	assert_redirect /path/number/0 302 /place/number/0
	assert_redirect /path/number/4242 302 /place/number/4242
	assert_redirect /path/number/9999 302 /place/number/9999
	get /path/number/10000 "$tree"
	assert_status 404 not-found
}

@test "a _redirects that is no regular file is as none" {
	rm "$tree/_redirects"
	mkfifo "$tree/_redirects"
	get /old "$tree"
	assert_status 404 not-found
	rm "$tree/_redirects"
	mkdir "$tree/_redirects"
	get /old "$tree"
	assert_status 404 not-found
}

@test "a _redirects that leads out of the tree is as none" {
	mv "$tree/_redirects" "$BATS_TEST_TMPDIR/rules"
	ln -s ../rules "$tree/_redirects"
	get /old "$tree"
	assert_status 404 not-found
}

@test "HEAD is redirected as GET is" {
	ask 'HEAD /old HTTP/1.1\r\nHost: x\r\n\r\n' "$tree"
	assert_status 301 redirected
	assert_equal "$(field Location)" /new
	assert_equal "$(content | wc -c)" 0
}
