"""The same engine in a terminal: one module a command, the same recipes and workers as the window.

Exit codes: 0 `same` or `precision` (or simply done); 1 `different` or `nothing proved`; 2 error. An error is one
sentence and one hint on stderr. `--json` prints one object on stdout and nothing else.
"""
