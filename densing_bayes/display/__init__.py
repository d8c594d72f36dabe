"""How answers are shown: sections, sentences, figures, pages, the terminal.

No number is computed here that a summary of draws does not give. Public face: ``section``
(`Section`), ``answers``, ``sentences``, ``figures``, ``pages`` and ``terminal``.
"""
