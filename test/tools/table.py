"""Reads a table of this directory's parent, whose rows name tests.

A test is named by "SUITE.bats: its name", or by "unit/parse: name of a row of
unit/requests.h".
"""
import os
import re

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

known = {}


def names_of(where):
    """The names that the left side of a place offers; None: there are none."""
    path, pattern = os.path.join(TESTS, where), r'^@test (?:"(.*)"|\'.*\') \{$'
    if where == "unit/parse":
        path = os.path.join(TESTS, "unit/requests.h")
        pattern = r'^\t\{ "((?:[^"\\]|\\.)*)",'
    elif not re.fullmatch(r"[0-9]{2}-[a-z-]+\.bats", where) or \
            not os.path.exists(path):
        return None
    if where not in known:
        with open(path) as file:
            known[where] = re.findall(pattern, file.read(), re.M)
    return known[where]


def fault_of_place(place):
    """What is wrong with the name of a test; None: nothing."""
    left, colon, name = place.partition(": ")
    names = names_of(left)
    if not colon or names is None:
        return "there is no such suite"
    if names.count(name) != 1:
        return f"there are {names.count(name)} tests of that name"
    return None


def check(path, columns, least, fault_of_row):
    """Prints a line for each fault; fault_of_row() is given a row's cells."""
    with open(path) as file:
        lines = file.read().split("\n")
    if lines.pop() != "":
        print("the last line has no end")
    if lines[0].split("\t") != columns:
        print(f"the first line is not the columns' names: {lines[0]}")
    rows = lines[1:]
    for number, line in enumerate(rows, 2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            fault = f"{len(cells)} columns in place of {len(columns)}"
        else:
            fault = fault_of_row(*cells)
        if fault:
            print(f"{number}: {fault}: {line}")
    if len(rows) < least:
        print(f"{len(rows)} rows; wanted: {least} at least")
