/*
 * transfer: a file to the connection.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "connection.h"

/*
 * Sends `head` and behind it `len` bytes of the file `fd` from `offset` on.
 * *ret_sent counts what left of the file, whatever the result; where no
 * sendfile is to be had, in whole blocks.  IO_TIMEOUT and IO_GONE as of
 * connection_send(); IO_FILE_SHRANK and IO_FILE_FAILED leave the connection in
 * the middle of a body.
 */
enum io_result transfer_file(struct connection *c, struct slice head, int fd,
    uint64_t offset, uint64_t len, uint64_t *ret_sent);

#endif
