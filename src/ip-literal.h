/*
 * IP literals: addresses in brackets, in the authority of a URI.
 */
#ifndef IP_LITERAL_H
#define IP_LITERAL_H

#include "slice.h"

/*
 * IP-literal = "[" ( IPv6address / IPvFuture ) "]"   RFC 3986 3.2.2
 * Whether s is one, with its brackets.  Zone identifiers are not part of it.
 */
bool is_ip_literal(struct slice s);

#endif
