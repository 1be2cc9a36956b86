"""`macro`, the command line: one module per family of commands. They parse, call and print."""
