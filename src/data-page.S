/*
 * Has the initialised data of a static program start a page: the first object
 * in the link, with nothing but this alignment (large.h says what that is for;
 * the linker would start it in the middle of a page, as long as the code is).
 * Its symbol keeps the section from being left out.
 */
	.section .data.rel.ro.local, "aw"
	.globl data_page
	.balign 4096
data_page:

	.section .note.GNU-stack, "", %progbits
