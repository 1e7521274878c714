#!/usr/bin/env bats
# The same requests to this program and to nginx, over the same tree.

load lib
load spawn

@test "every difference to nginx, over hundreds of requests, is one that is meant" {
	"$TOP/packaging/install-deps" --unpack "$BUILD/unpacked" nginx
	PYTHONDONTWRITEBYTECODE=1 \
		timeout 1000 python3 "$TOP/test/tools/differential.py" \
		"$BUILD/unpacked/run" nginx 3>&-
}
