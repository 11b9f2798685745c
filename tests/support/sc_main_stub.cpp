// libsystemc wants an sc_main; Catch2 brings its own main.
extern "C" int sc_main(int, char**) { return 0; }

// SystemC switches stacks by itself; its kernel keeps objects until the process ends.
extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:detect_leaks=0";
}
