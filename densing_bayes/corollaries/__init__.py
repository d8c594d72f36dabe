"""What follows from the growth of density together with further data: a folder for each.

What the joint model answers alone stands in ``quantities``; no folder imports another, except
``trends``. Public face: ``registered`` (`COROLLARIES`), ``sections`` (`corollary_sections`) and the
``model`` and ``section`` of each folder.
"""
