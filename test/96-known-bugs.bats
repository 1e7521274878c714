# The table known-bugs.tsv: each bug that a server of this kind has had is held
# by a test that exists, or has a reason why it cannot happen here.
#
# Its columns: reference (what it is known by, and whose it was), fault (what
# went wrong there), applies ("yes" or "no"), test ("SUITE.bats: name of a
# test"; "-" where it does not apply and nothing can be asked), and reason (why
# it does not apply; else "-").

load lib

# check_table FILE: a line for each fault.
check_table() {
	PYTHONPATH=$TOP/test/tools python3 -B - "$1" <<-'EOP'
		import re
		import sys

		import table

		OWN = "62-known-bugs.bats"

		def fault_of(reference, fault, applies, test, reason):
		    if len(reference) < 5 or reference in seen:
		        return "the reference is missing, or there twice"
		    seen.add(reference)
		    if not re.fullmatch(r"[A-Z].{15,}[^.]", fault):
		        return "the fault is no sentence"
		    if applies not in ("yes", "no"):
		        return "it is neither yes nor no"
		    if applies == "yes" and reason != "-":
		        return "it applies, and has a reason why not"
		    if applies == "no" and len(reason) < 15:
		        return "there is no reason"
		    if test == "-":
		        return "there is no test" if applies == "yes" else None
		    used.add(test)
		    return table.fault_of_place(test)

		seen, used = set(), set()
		table.check(sys.argv[1],
		            ["reference", "fault", "applies", "test", "reason"], 65,
		            fault_of)
		for name in table.names_of(OWN):
		    if f"{OWN}: {name}" not in used:
		        print(f"no row names the test: {name}")
	EOP
}

@test "every known bug in known-bugs.tsv has its test, or a reason" {
	run check_table "$TOP/test/known-bugs.tsv"
	assert_success
	assert_output ''
}

@test "the check of known-bugs.tsv finds each fault that a row can have" {
	local table=$BATS_TEST_TMPDIR/table good bad
	good=$'CVE-1-2, server\tIt did what no server should\tyes\t20-read.bats: an empty connection ends without an answer\t-'
	# fault IN WHAT BY: the table and a row more, with one replacement.
	fault() {
		bad=${good/"$1"/"$2"}
		{
			cat "$TOP/test/known-bugs.tsv"
			printf '%s\n' "$bad"
		} >"$table"
		run check_table "$table"
		assert_output "$(wc -l <"$table"): $3: $bad"
	}
	fault 'CVE-1-2, server' '' 'the reference is missing, or there twice'
	fault 'CVE-1-2, server' 'CVE-2021-41773, Apache' 'the reference is missing, or there twice'
	fault 'It did what no server should' '' 'the fault is no sentence'
	fault yes maybe 'it is neither yes nor no'
	fault $'\t-' $'\tbecause it cannot happen' 'it applies, and has a reason why not'
	fault yes no 'there is no reason'
	fault '20-read.bats: an empty connection ends without an answer' - 'there is no test'
	fault 20-read.bats: '20-read.bats' 'there is no such suite'
	fault 20-read 99-none 'there is no such suite'
	fault 'an empty' 'no empty' 'there are 0 tests of that name'
	fault $'\tyes' ' yes' '4 columns in place of 5'
	head -n 5 "$TOP/test/known-bugs.tsv" >"$table"
	run check_table "$table"
	assert_line '4 rows; wanted: 65 at least'
	assert_line --partial 'no row names the test: CVE-2015-8212'
}
