/* A host in plain C, linked by a C compiler. */
#include "check.h"

int main(void) {
    if (check_reprise() != 0) return 1;
    printf("c host: reprise %s\n", reprise_version());
    return 0;
}
