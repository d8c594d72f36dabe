"""The command line: arguments become calls, and errors become exit codes.

Commands of corollaries stand in their folders, and what is printed is made in ``display``. Public
face: ``main`` (`main`).
"""
