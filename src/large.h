/*
 * Large static memory, of which a usual connection touches the start only.
 *
 * LARGE, on a variable with external linkage and without an initialiser, has
 * the linker put it behind all other variables, those of the C library too.
 * So these, and the start of the first large one, share the page that the
 * initialised data makes private at every start anyway: two page faults less.
 * data-page.S has that data start the page, so that room is left on it.
 */
#ifndef LARGE_H
#define LARGE_H

#define LARGE __attribute__((common))

#endif
