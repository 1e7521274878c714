# What is found without running the program: by the compilers' analysers,
# cppcheck and shellcheck, through static/check as "make static" calls it.

load lib

setup() {
	cd "$TOP" || return
}

# plant FILE: puts the fault of standard input at the end of a file, in a copy
# of the tree that has this one file.
plant() {
	copy=$BATS_TEST_TMPDIR/copy
	mkdir "$copy" "$copy/test"
	cp -R Makefile .clang-tidy src "$copy"
	cp -R test/.clang-tidy test/static "$copy/test"
	cat >>"$copy/$1"
	chmod 755 "$copy/$1"
}

# missing_reasons: what switches off a check without saying why.  The reason
# stands beside it, or, where there is a list, in a comment on each member.
missing_reasons() {
	local file
	lines_with 'shellcheck[ ]disable' |
		grep -vE 'disable=[SC0-9,]+ +# ?.{5,}$' || :
	lines_with 'NO[L]INT' |
		grep -vE 'NO[L]INT(NEXTLINE)?\([a-zA-Z.,-]+\): .{5,}' || :
	lines_with 'cppcheck-[s]uppress ' |
		grep -vE 'suppress [a-zA-Z]+ ; .{5,}' || :
	lines_with 'diagnostic[ ]ignored|__[c]lang_analyzer__'
	unexplained test/static/check \
		"$(sed -n 's/^not_in_suites=//p' test/static/check | tr ',' '\n')"
	awk '!/^#/ && before !~ /^# ...../ { print FILENAME ": " $0 }
		{ before = $0 }' test/static/cppcheck-suppressions
	for file in .clang-tidy test/.clang-tidy; do
		unexplained "$file" "$(sed -n '/^Checks:/,/^[A-Z].*:/p' "$file" |
			grep -oE '(^| )-[a-z][a-zA-Z0-9.*-]+')"
	done
}

# lines_with PATTERN: in the whole tree, FILE:NUMBER:LINE.
lines_with() {
	grep -rnE --exclude-dir=build --exclude-dir=.git -e "$1" . || :
}

# unexplained FILE CHECKS: those on which FILE has no comment.
unexplained() {
	local check
	for check in $2; do
		grep -qE "^# +${check//\*/\\*}:? +.{2,}" "$1" ||
			printf '%s: %s\n' "$1" "$check"
	done
}

@test "gcc's analyser finds nothing" {
	run test/static/check analyzer
	assert_success
	assert_output ''
}

@test "clang-tidy finds nothing" {
	run test/static/check tidy
	assert_success
	assert_output ''
}

@test "scan-build finds nothing" {
	run test/static/check scan
	assert_success
	assert_output ''
}

@test "cppcheck finds nothing" {
	run test/static/check cppcheck
	assert_success
	assert_output ''
}

@test "the C code is laid out by .clang-format" {
	run bash -c 'clang-format --dry-run --Werror src/*.[ch] src/*/*.[ch] test/*/*.[ch]'
	assert_success
}

@test "shellcheck finds nothing in any script or suite" {
	run test/static/check shell
	assert_success
	assert_output ''
}

@test "gcc's analyser finds memory that is used after it was freed, across calls" {
	plant src/date.c <<-'EOC'
		#include <stdlib.h>
		static void
		leave(char *p)
		{
			free(p);
		}
		char use(void);
		char
		use(void)
		{
			char *p = calloc(1, 1);

			if (p == NULL)
				return 0;
			leave(p);
			return *p;
		}
	EOC
	run "$copy/test/static/check" analyzer src/date.c
	assert_failure
	assert_output --partial 'use-after-free'
}

@test "every warning of the build is an error to gcc's analyser" {
	plant src/date.c <<-'EOC'
		char narrow(int n);
		char
		narrow(int n)
		{
			return n;
		}
	EOC
	run "$copy/test/static/check" analyzer src/date.c
	assert_failure
	assert_output --partial 'Werror=conversion'
}

@test "clang-tidy finds a size that is that of a pointer" {
	plant src/date.c <<-'EOC'
		void forget(struct text *t);
		void
		forget(struct text *t)
		{
			memset(t, 0, sizeof(t));
		}
	EOC
	run "$copy/test/static/check" tidy src/date.c
	assert_failure
	assert_output --partial 'bugprone-sizeof-expression'
}

@test "scan-build finds a null pointer that a call returns" {
	plant src/date.c <<-'EOC'
		static const char *
		find(int fd)
		{
			return fd < 0 ? NULL : "found";
		}
		char first(int fd);
		char
		first(int fd)
		{
			return *find(fd);
		}
	EOC
	run "$copy/test/static/check" scan src/date.c
	assert_failure
	assert_output --partial 'core.NullDereference'
}

@test "scan-build fails over what does not compile" {
	plant src/date.c <<<'int missing = MISSING;'
	run "$copy/test/static/check" scan src/date.c
	assert_failure
}

@test "cppcheck finds a descriptor that is not closed" {
	plant src/date.c <<-'EOC'
		#include <fcntl.h>
		void lose(void);
		void
		lose(void)
		{
			int fd = open("/dev/null", O_RDONLY);

			if (fd < 0)
				return;
		}
	EOC
	run "$copy/test/static/check" cppcheck src/date.c
	assert_failure
	assert_output --partial 'resourceLeak'
}

@test "shellcheck finds what a blank in a name would break" {
	plant test/static/remove <<-'EOC'
		#!/bin/sh
		rm $1
	EOC
	run "$copy/test/static/check" shell
	assert_failure
	assert_output --partial 'SC2086'
}

@test "a check that is switched off has its reason" {
	run missing_reasons
	assert_output ''
}

@test "a check that is switched off without its reason is found, wherever it is" {
	local no=NO suppress=suppress ignored=ignored disable=disable wanted
	plant src/date.c <<<"/* ${no}LINT */"
	cd "$copy" || return
	cat >>src/log.c <<-EOC
		int a; // ${no}LINTNEXTLINE(misc-unused): too
		/* cppcheck-$suppress nullPointer */
		#pragma GCC diagnostic $ignored "-Wall"
	EOC
	printf '# shellcheck %s=SC2086\n' "$disable" >test/some.bash
	printf 'nullPointer\n' >>test/static/cppcheck-suppressions
	sed -i 's/^not_in_suites=/&SC2016,/' test/static/check
	sed -i 's/^  cert-/  -misc-unused-parameters,\n&/' .clang-tidy
	sed -i 's/^  -cert-err34/  -misc-*,\n&/' test/.clang-tidy
	run missing_reasons
	for wanted in src/date.c: 'src/log.c:.*LINTNEXTLINE' 'src/log.c:.*suppress' \
		'src/log.c:.*ignored' test/some.bash: 'cppcheck-suppressions: null' \
		'check: SC2016' '.clang-tidy: -misc-unused-parameters' \
		'^test/.clang-tidy: -misc-'; do
		assert_line --regexp "$wanted"
	done
	assert_equal "${#lines[@]}" 9
}

@test "a tool that is not there to be asked is an error" {
	run test/static/check lint
	assert_failure 64
}
