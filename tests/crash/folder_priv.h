/* tests/crash/folder_priv.h - what the followed folder and the calls into it share. */
#ifndef TESTS_CRASH_FOLDER_PRIV_H
#define TESTS_CRASH_FOLDER_PRIV_H

#include "tests/crash/folder.h"
#include "tests/disk_priv.h"

enum { FOLDER_PATH = FOLDER_PATH_MAX, FOLDER_FDS = 256 };

struct folder {
	struct disk *disk; /* NULL: nobody is followed */
	char path[FOLDER_PATH];
	size_t path_len;
	struct folder_fd {
		struct disk_file *file;   /* an open file of the folder */
		char inside[FOLDER_PATH]; /* an open folder: a name in it; "" if it is none */
	} fds[FOLDER_FDS];
};

extern struct folder folder;

const char *folder_name(const char *path);
void folder_read_back(int fd, struct disk_file *f);
void folder_evict(int fd, struct disk_file *f);

void folder_moved(const char *from, const char *to);

#endif /* TESTS_CRASH_FOLDER_PRIV_H */
