// The command line: one way to say things, `tessera VERB SUBJECT [--options]`.
#pragma once

namespace tessera::sim {

/// Returns the exit code: 0 done; 1 a check or an expectation failed, a target is missed; 2 usage
/// or configuration error; 3 internal error. Results go to standard output, messages to standard
/// error. Never throws.
int run_command_line(int argc, char** argv);

}  // namespace tessera::sim
