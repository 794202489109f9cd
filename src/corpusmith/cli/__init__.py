"""The command line: one file a group of commands, put together in `main.py`.

Nothing here is imported at start but what `--help` needs: the service is imported by the command
that uses it. Results go to standard output, progress and errors to standard error.
"""
