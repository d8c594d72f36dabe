"""Files that people have: results of harnesses, tables of leaderboards, read into scores.

Tables in the schema of the package are read in ``inputs``; nothing is guessed here. Public face:
``importing`` (`import_scores`) and ``recognition`` (`recognise`).
"""
