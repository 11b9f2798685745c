// libsystemc wants an sc_main; Catch2 brings its own main.
extern "C" int sc_main(int, char**) { return 0; }
