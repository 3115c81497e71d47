/*
 * The `tenantry` program: hands over to the command, and the daemon to the command. The only place
 * that knows both.
 */
#include "cli/cli.h"
#include "control/routes.h"
#include "control/serve.h"

#include <string.h>

int main(int argc, char **argv)
{
    /* what the daemon answers, for tools and for the test that holds openapi.yaml to it */
    if (argc == 3 && strcmp(argv[1], "serve") == 0 && strcmp(argv[2], "--routes") == 0) {
        tn_routes_print(stdout);
        return 0;
    }
    return tn_cli_main(argc, argv, tn_serve);
}
