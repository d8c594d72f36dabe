"""How answers are shown: sections, sentences, figures, JSON documents, the terminal.

No number is computed here that a summary of draws does not give. Public face: ``section``
(`Section`), ``sentences``, ``figures``, ``documents`` and ``terminal``.
"""
