#!/usr/bin/env bats
# The table requirements.tsv: each rule of the RFCs is held by a test that
# exists, or has a reason why it cannot apply or is not followed.
#
# Its columns: section (RFC, "-", section), level, rule, how ("test" or "n/a"),
# and where: "SUITE.bats: name of a test", "unit/parse: name of a row of
# unit/requests.h", or the reason.

load lib

# check_table FILE: a line for each fault.
check_table() {
	PYTHONPATH=$TOP/test/tools python3 -B - "$1" <<-'EOP'
		import re
		import sys

		import table

		LEVELS = {"MUST", "MUST NOT", "SHALL", "SHALL NOT", "SHOULD",
		          "SHOULD NOT", "REQUIRED", "RECOMMENDED"}
		SECTIONS = {"9110": 17, "9112": 11}

		def fault_of(section, level, rule, how, where):
		    found = re.fullmatch(
		        r"(\d{4})-([1-9]\d?)((?:\.[1-9]\d?){0,3})", section)
		    if not found or int(found[2]) > SECTIONS.get(found[1], 0):
		        return "there is no such section"
		    if level not in LEVELS:
		        return "there is no such level"
		    if not re.fullmatch(r"[A-Z].{15,}[^.]", rule):
		        return "the rule is no sentence"
		    if rule in seen:
		        return "the rule is there twice"
		    seen.add(rule)
		    if how == "n/a":
		        return None if len(where) > 15 else "there is no reason"
		    if how != "test":
		        return "it is neither test nor n/a"
		    return table.fault_of_place(where)

		seen = set()
		table.check(sys.argv[1], ["section", "level", "rule", "how", "where"],
		            150, fault_of)
	EOP
}

@test "every rule of the RFCs in requirements.tsv has its test, or a reason" {
	run check_table "$TOP/test/requirements.tsv"
	assert_success
	assert_output ''
}

@test "the check of requirements.tsv finds each fault that a row can have" {
	local table=$BATS_TEST_TMPDIR/table good line
	good=$'9112-3.2\tMUST\tDo what the test says, and no more\ttest\tunit/parse: GET'
	# fault IN WHAT BY: a table with one replacement in its good row.
	fault() {
		{
			printf 'section\tlevel\trule\thow\twhere\n'
			for line in {1..160}; do
				printf '%s\n' "${good/no more/no more than $line}"
			done
			printf '%s\n' "${good/"$1"/"$2"}"
		} >"$table"
		run check_table "$table"
		assert_output "162: $3: ${good/"$1"/"$2"}"
	}
	fault 9112-3.2 9112-12 'there is no such section'
	fault 9112-3.2 9111-3 'there is no such section'
	fault 9112-3.2 9112-3. 'there is no such section'
	fault 9112-3.2 3.2 'there is no such section'
	fault MUST MAY 'there is no such level'
	fault 'Do what the test says, and no more' '' 'the rule is no sentence'
	fault 'no more' 'no more than 7' 'the rule is there twice'
	fault $'test\t' $'n/t\t' 'it is neither test nor n/a'
	fault GET GOT 'there are 0 tests of that name'
	fault unit/parse unit/none 'there is no such suite'
	fault unit/parse 99-none.bats 'there is no such suite'
	fault unit/parse 20-read.bats 'there are 0 tests of that name'
	fault $'\ttest\tunit/parse: GET' $'\tn/a\t' 'there is no reason'
	fault $'\tunit' ' unit' '4 columns in place of 5'
	printf 'section\tlevel\trule\thow\twhere\n%s\n' "$good" >"$table"
	run check_table "$table"
	assert_output '1 rows; wanted: 150 at least'
}
