"""The command line. Each command is a module; what a command needs is imported only when it is called."""
