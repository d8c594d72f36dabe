"""Tables in the schema of the package: what columns hold, how they are read, what is wrong.

Files in a form of their own are read in ``foreign``, and tables become a panel in ``panel``. Public
face: ``schema``, ``columns``, ``reading`` (`read_tables`) and ``problems``.
"""
