#include "sim/cli/cli.h"

int main(int argc, char** argv) { return tessera::sim::run_command_line(argc, argv); }

// libsystemc wants this symbol.
extern "C" int sc_main(int, char**) { return 0; }
