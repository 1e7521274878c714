/*
 * scan: what there is to do in one directory.
 */
#ifndef SCAN_H
#define SCAN_H

#include "worker.h"

/*
 * Removes variants that no file needs any more, and reports every directory,
 * every file that should have variants, and of each variant whether it is there
 * or is to be made.  With dry_run, it prints that instead, and removes nothing.
 */
void scan_directory(const struct worker *w);

#endif
