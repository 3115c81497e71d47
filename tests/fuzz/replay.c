/*
 * Runs a fuzz target over the files of the folders (or the files) that are given: what a fuzzer
 * found once, and what it starts from, stays tested with any compiler. A target that is not content
 * aborts, after the name of the file at hand was told.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target may have one. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) < 0) {
        perror(path);
        return -1;
    }
    size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        (void)fclose(file); /* only read from */
        return -1;
    }
    (void)fclose(file); /* only read from */
    (void)printf("%s\n", path);
    (void)fflush(stdout); /* before an abort */
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

/* The number of files, or -1. */
static int replay_folder(const char *path)
{
    DIR *entries = opendir(path);
    if (entries == NULL) {
        perror(path);
        return -1;
    }
    int count = 0;
    struct dirent *entry;
    while (count >= 0 && (entry = readdir(entries)) != NULL) {
        char name[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        count = replay_file(name) == 0 ? count + 1 : -1;
    }
    (void)closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    for (int i = 1; i < argc; i++) {
        struct stat status;
        if (stat(argv[i], &status) < 0) {
            perror(argv[i]);
            return 1;
        }
        int count =
            S_ISDIR(status.st_mode) ? replay_folder(argv[i]) : (replay_file(argv[i]) == 0 ? 1 : -1);
        if (count < 0) {
            return 1;
        }
        total += count;
    }
    (void)printf("%d inputs\n", total);
    return total > 0 ? 0 : 1; /* no seeds, no test */
}
